/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/buffer.c - buffers, the choice of their memory, and single copies. */
#include "engine/vulkan/buffer.h"

#include <string.h>

#include "engine/align.h"
#include "engine/error.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/debug.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/timeline.h"

/* A multiple of every texel and of what vkCmdFillBuffer() takes. */
#define SIZE_ALIGN_BYTES 16

#define N_WISHES 3

enum {
  LOCAL = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
  MAPPED = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
  CACHED = VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
};

/* What memory each use wants, best first. Vulkan guarantees a type for the last of each row. */
static const VkMemoryPropertyFlags wishes[][N_WISHES] = {
    [YV_BUFFER_LOCAL] = {LOCAL, 0, 0},
    [YV_BUFFER_UPLOAD] = {MAPPED, MAPPED, MAPPED},
    [YV_BUFFER_FRAMES] = {MAPPED | CACHED, MAPPED, MAPPED},
    [YV_BUFFER_READBACK] = {MAPPED | CACHED, MAPPED, MAPPED},
};

static const VkMemoryPropertyFlags unified_wishes[][N_WISHES] = {
    [YV_BUFFER_LOCAL] = {LOCAL | MAPPED | CACHED, LOCAL | MAPPED, MAPPED},
    [YV_BUFFER_UPLOAD] = {LOCAL | MAPPED, MAPPED, MAPPED},
    [YV_BUFFER_FRAMES] = {LOCAL | MAPPED | CACHED, MAPPED | CACHED, MAPPED},
    [YV_BUFFER_READBACK] = {LOCAL | MAPPED | CACHED, MAPPED | CACHED, MAPPED},
};

/* UINT32_MAX where there is none. */
static uint32_t
find_memory_type (const YvDevice *device, YvBufferUse use, uint32_t type_bits)
{
  const VkMemoryPropertyFlags *row = device->unified ? unified_wishes[use] : wishes[use];

  for (uint32_t wish = 0; wish < N_WISHES; wish++)
    for (uint32_t type = 0; type < device->memory.memoryTypeCount; type++)
      if ((type_bits >> type & 1) &&
          (device->memory.memoryTypes[type].propertyFlags & row[wish]) == row[wish])
        return type;
  return UINT32_MAX;
}

/* @next: (nullable): what else Vulkan is to know of it */
static bool
create_handle (YvBuffer *buffer, const void *next, GError **error)
{
  YvDevice *device = buffer->device;
  const VkBufferCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
      .pNext = next,
      .size = buffer->size_bytes,
      .usage = YV_BUFFER_USAGE,
  };

  return yv_vk_check (device->vk.vkCreateBuffer (device->handle, &info, NULL, &buffer->handle),
                      "vkCreateBuffer", error);
}

uint64_t
yv_device_used_bytes (YvDevice *device, YvBufferUse use)
{
  return (gsize) g_atomic_pointer_get (&device->used_bytes[use]);
}

/* @next: (nullable): where the memory comes from */
static bool
bind_new_memory (YvBuffer *buffer, uint64_t size_bytes, uint32_t type, const void *next,
                 GError **error)
{
  YvDevice *device = buffer->device;
  const VkMemoryAllocateFlagsInfo flags = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
      .pNext = next,
      .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT,
  };
  const VkMemoryAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .pNext = &flags,
      .allocationSize = size_bytes,
      .memoryTypeIndex = type,
  };
  return yv_vk_check (device->vk.vkAllocateMemory (device->handle, &info, NULL, &buffer->memory),
                      "vkAllocateMemory", error) &&
         yv_vk_check (
             device->vk.vkBindBufferMemory (device->handle, buffer->handle, buffer->memory, 0),
             "vkBindBufferMemory", error);
}

static bool
allocate_memory (YvBuffer *buffer, YvBufferUse use, GError **error)
{
  YvDevice *device = buffer->device;
  VkMemoryRequirements needs;
  device->vk.vkGetBufferMemoryRequirements (device->handle, buffer->handle, &needs);

  const uint32_t type = find_memory_type (device, use, needs.memoryTypeBits);
  g_assert (type != UINT32_MAX);
  return bind_new_memory (buffer, needs.size, type, NULL, error);
}

static bool
import_memory (YvBuffer *buffer, uint8_t *pages, GError **error)
{
  const VkExternalMemoryHandleTypeFlagBits kind =
      VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  YvDevice *device = buffer->device;
  const VkImportMemoryHostPointerInfoEXT import = {
      .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
      .handleType = kind,
      .pHostPointer = pages,
  };
  VkMemoryHostPointerPropertiesEXT host = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT};
  VkMemoryRequirements needs;

  if (!yv_vk_check (
          device->vk.vkGetMemoryHostPointerPropertiesEXT (device->handle, kind, pages, &host),
          "vkGetMemoryHostPointerPropertiesEXT", error))
    return false;
  device->vk.vkGetBufferMemoryRequirements (device->handle, buffer->handle, &needs);
  const uint32_t type =
      find_memory_type (device, YV_BUFFER_FRAMES, needs.memoryTypeBits & host.memoryTypeBits);
  if (type == UINT32_MAX || needs.size > buffer->size_bytes) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "the device has no type of memory for it, or takes %" G_GUINT64_FORMAT " bytes",
                 needs.size);
    return false;
  }
  buffer->mapped = pages;
  return bind_new_memory (buffer, buffer->size_bytes, type, &import, error);
}

/* A discrete GPU's memory stays unmapped even where it could be: reading it is very slow. */
static bool
map_memory (YvBuffer *buffer, YvBufferUse use, GError **error)
{
  YvDevice *device = buffer->device;
  void *mapped = NULL;

  if (use == YV_BUFFER_LOCAL && !device->unified)
    return true;
  const VkResult result =
      device->vk.vkMapMemory (device->handle, buffer->memory, 0, VK_WHOLE_SIZE, 0, &mapped);
  buffer->mapped = mapped;
  return yv_vk_check (result, "vkMapMemory", error);
}

static void
read_address (YvBuffer *buffer)
{
  YvDevice *device = buffer->device;
  const VkBufferDeviceAddressInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
      .buffer = buffer->handle,
  };

  buffer->address = device->vk.vkGetBufferDeviceAddress (device->handle, &info);
}

static bool
check_size (const YvBuffer *buffer, GError **error)
{
  if (buffer->size_bytes <= buffer->device->max_allocation_bytes)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY,
               "the device allocates at most %" G_GUINT64_FORMAT
               " bytes at once; use a smaller input size or batch, or fp16",
               buffer->device->max_allocation_bytes);
  return false;
}

YvBuffer *
yv_buffer_new (YvDevice *device, YvBufferUse use, uint64_t size_bytes, const char *name,
               GError **error)
{
  g_autoptr (YvBuffer) buffer = g_new0 (YvBuffer, 1);

  g_assert (size_bytes <= UINT64_MAX - SIZE_ALIGN_BYTES);
  buffer->device = device;
  buffer->size_bytes = yv_round_up (MAX (size_bytes, 1), SIZE_ALIGN_BYTES);
  if (!check_size (buffer, error) || !create_handle (buffer, NULL, error) ||
      !allocate_memory (buffer, use, error) || !map_memory (buffer, use, error)) {
    g_prefix_error (error, "%s of %" G_GUINT64_FORMAT " bytes: ", name, size_bytes);
    return NULL;
  }
  read_address (buffer);
  buffer->use = use;
  buffer->counted_bytes = buffer->size_bytes;
  g_atomic_pointer_add (&device->used_bytes[use], (gssize) buffer->counted_bytes);
  yv_debug_name (device, VK_OBJECT_TYPE_BUFFER, (uint64_t) buffer->handle, name);
  return g_steal_pointer (&buffer);
}

YvBuffer *
yv_buffer_import (YvDevice *device, uint8_t *pages, uint64_t size_bytes, const char *name,
                  GError **error)
{
  const VkExternalMemoryBufferCreateInfo external = {
      .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
      .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
  };
  g_autoptr (YvBuffer) buffer = g_new0 (YvBuffer, 1);

  buffer->device = device;
  buffer->size_bytes = size_bytes;
  if (!check_size (buffer, error) || !create_handle (buffer, &external, error) ||
      !import_memory (buffer, pages, error)) {
    g_prefix_error (error, "%s of %" G_GUINT64_FORMAT " bytes of others: ", name, size_bytes);
    return NULL;
  }
  read_address (buffer);
  yv_debug_name (device, VK_OBJECT_TYPE_BUFFER, (uint64_t) buffer->handle, name);
  return g_steal_pointer (&buffer);
}

void
yv_buffer_free (YvBuffer *buffer)
{
  if (!buffer)
    return;

  YvDevice *device = buffer->device;
  g_atomic_pointer_add (&device->used_bytes[buffer->use], -(gssize) buffer->counted_bytes);
  device->vk.vkDestroyBuffer (device->handle, buffer->handle, NULL);
  device->vk.vkFreeMemory (device->handle, buffer->memory, NULL); /* unmaps */
  g_free (buffer);
}

/* What a single command needs; zeroed is freeable. */
typedef struct {
  YvDevice *device;
  VkCommandPool pool;
  VkCommandBuffer commands;
  YvTimeline timeline;
} SingleRun;

static void
single_run_clear (SingleRun *run)
{
  YvDevice *device = run->device;

  yv_timeline_clear (&run->timeline);
  device->vk.vkDestroyCommandPool (device->handle, run->pool, NULL);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SingleRun, single_run_clear)

static bool
single_run_begin (SingleRun *run, GError **error)
{
  YvDevice *device = run->device;
  const VkCommandPoolCreateInfo pool_info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
      .queueFamilyIndex = device->queue_family,
  };
  const VkCommandBufferBeginInfo begin_info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
      .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  if (!yv_vk_check (device->vk.vkCreateCommandPool (device->handle, &pool_info, NULL, &run->pool),
                    "vkCreateCommandPool", error) ||
      !yv_timeline_init (&run->timeline, device, error))
    return false;

  const VkCommandBufferAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = run->pool,
      .commandBufferCount = 1,
  };
  return yv_vk_check (device->vk.vkAllocateCommandBuffers (device->handle, &info, &run->commands),
                      "vkAllocateCommandBuffers", error) &&
         yv_vk_check (device->vk.vkBeginCommandBuffer (run->commands, &begin_info),
                      "vkBeginCommandBuffer", error);
}

/* Everything before is seen by the command, and what it writes by everybody after. */
static void
full_barrier (SingleRun *run)
{
  const VkMemoryBarrier barrier = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
      .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
      .dstAccessMask =
          VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_HOST_READ_BIT,
  };

  run->device->vk.vkCmdPipelineBarrier (run->commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                        VK_PIPELINE_STAGE_ALL_COMMANDS_BIT |
                                            VK_PIPELINE_STAGE_HOST_BIT,
                                        0, 1, &barrier, 0, NULL, 0, NULL);
}

static bool
single_run_finish (SingleRun *run, GError **error)
{
  const uint32_t all = 1;
  YvDevice *device = run->device;

  return yv_vk_check (device->vk.vkEndCommandBuffer (run->commands), "vkEndCommandBuffer", error) &&
         yv_timeline_submit (&run->timeline, &run->commands, &all, 1, error) &&
         yv_timeline_wait (&run->timeline, error);
}

bool
yv_buffer_copy (const YvBuffer *src, uint64_t src_offset, const YvBuffer *dst, uint64_t dst_offset,
                uint64_t size_bytes, GError **error)
{
  g_auto (SingleRun) run = {.device = src->device};
  const VkBufferCopy region = {
      .srcOffset = src_offset, .dstOffset = dst_offset, .size = size_bytes};

  if (!single_run_begin (&run, error))
    return false;
  full_barrier (&run);
  run.device->vk.vkCmdCopyBuffer (run.commands, src->handle, dst->handle, 1, &region);
  full_barrier (&run);
  return single_run_finish (&run, error);
}

bool
yv_buffer_zero (const YvBuffer *buffer, GError **error)
{
  g_auto (SingleRun) run = {.device = buffer->device};

  if (!single_run_begin (&run, error))
    return false;
  full_barrier (&run);
  run.device->vk.vkCmdFillBuffer (run.commands, buffer->handle, 0, VK_WHOLE_SIZE, 0);
  full_barrier (&run);
  return single_run_finish (&run, error);
}
