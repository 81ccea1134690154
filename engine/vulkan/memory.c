/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/memory.c - a frame's memory as a buffer of the device. */
#include "engine/vulkan/memory.h"

#include "engine/vulkan/device.h"

typedef struct {
  YvFrameMemory base;
  YvBuffer *buffer;
} VulkanMemory;

static void
free_memory (YvFrameMemory *memory)
{
  VulkanMemory *self = (VulkanMemory *) memory;
  YvDevice *device = self->buffer->device;

  yv_buffer_free (self->buffer);
  yv_device_unref (device);
  g_free (self);
}

YvFrameMemory *
yv_vulkan_memory_new (YvDevice *device, size_t size_bytes, GError **error)
{
  YvBuffer *buffer = yv_buffer_new (device, YV_BUFFER_FRAMES, size_bytes, "frame", error);
  if (!buffer)
    return NULL;

  VulkanMemory *self = g_new0 (VulkanMemory, 1);
  self->buffer = buffer;
  self->base.bytes = buffer->mapped;
  self->base.size_bytes = size_bytes;
  self->base.device = yv_device_ref (device);
  self->base.free = free_memory;
  g_atomic_ref_count_init (&self->base.n_refs);
  return &self->base;
}

const YvBuffer *
yv_memory_buffer (const YvFrameMemory *memory)
{
  return ((const VulkanMemory *) memory)->buffer;
}
