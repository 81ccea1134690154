/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/check.h - VkResult -> GError.
 */
#pragma once

#include <stdbool.h>

#include <glib.h>
#include <volk.h>

G_BEGIN_DECLS

/* True where @result is no error (VK_INCOMPLETE and the like count as success). Else sets
 * YV_ERROR_OUT_OF_MEMORY, _DEVICE_LOST, _NO_DEVICE or _UNSUPPORTED with @call, the name of the
 * function that returned it, and the result's name. */
bool yv_vk_check (VkResult result, const char *call, GError **error);

G_END_DECLS
