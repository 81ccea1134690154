/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/instance.h - the Vulkan loader, an instance of it, and the validation layers.
 *
 * With YV_VALIDATION=1 in the environment the Khronos layer is on, with synchronisation checks;
 * each of its messages is counted and printed through g_warning() or g_critical(), so that a test
 * program stops at the first.
 */
#pragma once

#include <stdbool.h>

#include <glib.h>
#include <volk.h>

G_BEGIN_DECLS

typedef struct {
  VkInstance handle;
  VkDebugUtilsMessengerEXT messenger;        /* null without validation */
  PFN_vkSetDebugUtilsObjectNameEXT set_name; /* NULL without validation */
  PFN_vkDestroyDebugUtilsMessengerEXT destroy_messenger;
  gint n_messages; /* atomic: what the layers had to say so far */
} YvInstance;

/**
 * yv_instance_new:
 *
 * Loads libvulkan (once a process) and opens an instance of Vulkan 1.2. Any thread.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_NO_DEVICE where there is no loader, no driver, or
 * no validation layer although it is asked for; the message says what to install.
 */
YvInstance *yv_instance_new (GError **error);
void yv_instance_free (YvInstance *instance); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvInstance, yv_instance_free)

G_END_DECLS
