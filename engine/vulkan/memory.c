/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/memory.c - a frame's memory as a buffer of the device. */
#include "engine/vulkan/memory.h"

#include "engine/align.h"
#include "engine/error.h"
#include "engine/vulkan/device.h"

typedef struct {
  YvFrameMemory base;
  YvBuffer *buffer;
} VulkanMemory;

/* Slots may still have views of the buffer and commands that read it; from now on they do nothing
 * but free them. */
static void
release (YvFrameMemory *memory)
{
  VulkanMemory *self = (VulkanMemory *) memory;
  YvDevice *device = self->buffer->device;

  yv_buffer_free (self->buffer);
  g_atomic_int_inc (&device->n_given_up);
  yv_device_unref (device);
}

static YvFrameMemory *
new_of_buffer (YvBuffer *buffer, uint8_t *bytes, size_t size_bytes)
{
  VulkanMemory *self = g_new0 (VulkanMemory, 1);

  self->buffer = buffer;
  self->base.bytes = bytes;
  self->base.size_bytes = size_bytes;
  self->base.start = buffer->mapped;
  self->base.device = yv_device_ref (buffer->device);
  self->base.release = release;
  g_atomic_ref_count_init (&self->base.n_refs);
  return &self->base;
}

YvFrameMemory *
yv_vulkan_memory_new (YvDevice *device, size_t size_bytes, GError **error)
{
  YvBuffer *buffer = yv_buffer_new (device, YV_BUFFER_FRAMES, size_bytes, "frame", error);

  return buffer ? new_of_buffer (buffer, buffer->mapped, size_bytes) : NULL;
}

YvFrameMemory *
yv_vulkan_memory_import (YvDevice *device, uint8_t *bytes, size_t size_bytes, GError **error)
{
  const uint64_t page_bytes = device->import_align_bytes;
  if (page_bytes == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%s cannot read memory of others where it lies: it lacks %s", device->caps.name,
                 VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    return NULL;
  }
  const uint64_t before_bytes = (uintptr_t) bytes % page_bytes;
  YvBuffer *buffer =
      yv_buffer_import (device, bytes - before_bytes,
                        yv_round_up (before_bytes + size_bytes, page_bytes), "frame", error);

  return buffer ? new_of_buffer (buffer, bytes, size_bytes) : NULL;
}

const YvBuffer *
yv_memory_buffer (const YvFrameMemory *memory)
{
  return ((const VulkanMemory *) memory)->buffer;
}
