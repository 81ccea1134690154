/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/debug.c - VK_EXT_debug_utils. */
#define G_LOG_DOMAIN "yolov7-vulkan"

#include "engine/vulkan/debug.h"

#include "engine/vulkan/device.h"

static VKAPI_ATTR VkBool32 VKAPI_CALL
print_message (VkDebugUtilsMessageSeverityFlagBitsEXT severity,
               VkDebugUtilsMessageTypeFlagsEXT types,
               const VkDebugUtilsMessengerCallbackDataEXT *message, void *user_data)
{
  gint *n_messages = user_data;

  (void) types;
  g_atomic_int_inc (n_messages);
  if (severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT)
    g_critical ("%s", message->pMessage);
  else
    g_warning ("%s", message->pMessage);
  return VK_FALSE;
}

bool
yv_debug_wanted (void)
{
  const char *value = g_getenv ("YV_VALIDATION");

  return value && *value && g_strcmp0 (value, "0") != 0;
}

/* Not of type GENERAL: there the loader tells of every driver whose hardware is not in the machine.
 */
VkDebugUtilsMessengerCreateInfoEXT
yv_debug_messenger_info (gint *n_messages)
{
  return (VkDebugUtilsMessengerCreateInfoEXT){
      .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
      .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                         VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
      .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                     VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
      .pfnUserCallback = print_message,
      .pUserData = n_messages,
  };
}

void
yv_debug_name (const YvDevice *device, VkObjectType type, uint64_t handle, const char *name)
{
  if (!device->instance->set_name)
    return;

  const VkDebugUtilsObjectNameInfoEXT info = {
      .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
      .objectType = type,
      .objectHandle = handle,
      .pObjectName = name,
  };
  device->instance->set_name (device->handle, &info); /* fails only for want of memory */
}

uint32_t
yv_debug_n_messages (const YvDevice *device)
{
  return (uint32_t) g_atomic_int_get (&device->instance->n_messages);
}
