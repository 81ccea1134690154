/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/buffer.h - a buffer with memory of its own. There are few of them and they are big:
 * an arena, blocks of weights, and three a slot.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

/* What all buffers may be used as. */
#define YV_BUFFER_USAGE                                                                            \
  (VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_STORAGE_TEXEL_BUFFER_BIT |                 \
   VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |                  \
   VK_BUFFER_USAGE_TRANSFER_DST_BIT)

/* Memory is coherent: a submit makes the host's writes visible, a barrier to the host the
 * device's. */
typedef struct {
  YvDevice *device; /* borrowed: a device outlives its buffers */
  YvBufferUse use;
  VkBuffer handle;
  VkDeviceMemory memory;
  VkDeviceAddress address;
  uint64_t size_bytes;
  uint64_t counted_bytes; /* in YvDevice.used_bytes: 0 for memory of others */
  uint8_t *mapped;        /* NULL where the host can't reach it */
} YvBuffer;

/* @size_bytes: rounded up to 16; @name for the debug layers. NULL with YV_ERROR_OUT_OF_MEMORY, the
 * message telling name and size. */
YvBuffer *yv_buffer_new (YvDevice *device, YvBufferUse use, uint64_t size_bytes, const char *name,
                         GError **error);
void yv_buffer_free (YvBuffer *buffer); /* NULL ok; the device no longer uses it */

/* As YV_BUFFER_FRAMES, of memory that is there already. @pages: at a multiple of the device's
 * import_align_bytes, which isn't 0, and so is @size_bytes; borrowed, they stay mapped as long as
 * the buffer. NULL with YV_ERROR_UNSUPPORTED where the driver refuses them, or
 * YV_ERROR_OUT_OF_MEMORY. */
YvBuffer *yv_buffer_import (YvDevice *device, uint8_t *pages, uint64_t size_bytes, const char *name,
                            GError **error);

/* Each runs one command and waits for it; for loading and tests. */
bool yv_buffer_copy (const YvBuffer *src, uint64_t src_offset, const YvBuffer *dst,
                     uint64_t dst_offset, uint64_t size_bytes, GError **error);
bool yv_buffer_zero (const YvBuffer *buffer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvBuffer, yv_buffer_free)

G_END_DECLS
