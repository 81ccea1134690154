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
  gint n_messages;                           /* atomic: what the layers had to say so far */
} YvInstance;

/**
 * yv_instance_get:
 *
 * The process's instance, of Vulkan 1.2, opened on first need. Any thread.
 *
 * It is never closed: volk's one table of instance functions belongs to it, and a driver loaded and
 * unloaded again and again leaks. A failure is not remembered.
 *
 * Returns: (transfer none): or NULL with YV_ERROR_NO_DEVICE where there is no loader, no driver, or
 * no validation layer although it is asked for; the message says what to install.
 */
YvInstance *yv_instance_get (GError **error);

G_END_DECLS
