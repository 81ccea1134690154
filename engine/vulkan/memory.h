/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/memory.h - the buffer behind a frame's memory that yv_vulkan_memory_new() or
 * _import() made.
 */
#pragma once

#include "engine/memory.h"
#include "engine/vulkan/buffer.h"

G_BEGIN_DECLS

/* Only where memory->device is a device; until the user gives it up. */
const YvBuffer *yv_memory_buffer (const YvFrameMemory *memory);

G_END_DECLS
