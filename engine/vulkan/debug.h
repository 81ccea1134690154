/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/debug.h - messages of the validation layers, and names for Vulkan's objects.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

/* YV_VALIDATION is set to anything but "" and "0". */
bool yv_debug_wanted (void);

/* How to make a messenger that counts into @n_messages (atomic) and prints. */
VkDebugUtilsMessengerCreateInfoEXT yv_debug_messenger_info (gint *n_messages);

/* Names an object in the layers' messages; does nothing without validation. */
void yv_debug_name (const YvDevice *device, VkObjectType type, uint64_t handle, const char *name);

/* Messages since the process opened its first device. */
uint32_t yv_debug_n_messages (const YvDevice *device);

G_END_DECLS
