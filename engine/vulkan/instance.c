/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/instance.c - loader, instance, validation layers. */
#include "engine/vulkan/instance.h"

#include <string.h>

#include "engine/error.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/debug.h"

static const char validation_layer[] = "VK_LAYER_KHRONOS_validation";

/* volk's table of functions that need no instance, filled once a process. */
static bool
load_loader (GError **error)
{
  static gsize loaded = 0; /* 1: found, 2: not there */

  if (g_once_init_enter (&loaded))
    g_once_init_leave (&loaded, volkInitialize () == VK_SUCCESS ? 1 : 2);
  if (loaded == 1 && volkGetInstanceVersion () >= VK_API_VERSION_1_1)
    return true;

  g_set_error (error, YV_ERROR, YV_ERROR_NO_DEVICE,
               "no Vulkan loader: libvulkan.so.1 %s; install libvulkan1 and the driver of your GPU "
               "(mesa-vulkan-drivers also brings one that runs on the CPU)",
               loaded == 1 ? "knows only Vulkan 1.0" : "can't be loaded");
  return false;
}

static bool
layer_exists (const char *name)
{
  uint32_t n = 0;
  vkEnumerateInstanceLayerProperties (&n, NULL);
  g_autofree VkLayerProperties *layers = g_new0 (VkLayerProperties, n + 1);
  vkEnumerateInstanceLayerProperties (&n, layers);

  for (uint32_t i = 0; i < n; i++)
    if (strcmp (layers[i].layerName, name) == 0)
      return true;
  return false;
}

static bool
extension_exists (const char *name)
{
  uint32_t n = 0;
  vkEnumerateInstanceExtensionProperties (NULL, &n, NULL);
  g_autofree VkExtensionProperties *extensions = g_new0 (VkExtensionProperties, n + 1);
  vkEnumerateInstanceExtensionProperties (NULL, &n, extensions);

  for (uint32_t i = 0; i < n; i++)
    if (strcmp (extensions[i].extensionName, name) == 0)
      return true;
  return false;
}

static VkResult
create_instance (YvInstance *instance, bool validation)
{
  static const VkValidationFeatureEnableEXT enabled_checks[] = {
      VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT,
  };
  static const char *const layers[] = {validation_layer};
  /* Without it the loader keeps drivers to itself that lack parts of Vulkan, as MoltenVK does. */
  const bool portability = extension_exists (VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
  const char *extensions[2];
  uint32_t n_extensions = 0;
  const VkDebugUtilsMessengerCreateInfoEXT messenger_info =
      yv_debug_messenger_info (&instance->n_messages);
  const VkValidationFeaturesEXT checks = {
      .sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
      .pNext = &messenger_info,
      .enabledValidationFeatureCount = G_N_ELEMENTS (enabled_checks),
      .pEnabledValidationFeatures = enabled_checks,
  };
  const VkApplicationInfo application = {
      .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
      .pEngineName = "gst-yolov7",
      .apiVersion = VK_API_VERSION_1_3, /* devices of 1.2 do, but conv_coopmat2 needs 1.3 */
  };

  if (validation)
    extensions[n_extensions++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  if (portability)
    extensions[n_extensions++] = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
  const VkInstanceCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
      .flags = portability ? VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR : 0,
      .pNext = validation ? &checks : NULL,
      .pApplicationInfo = &application,
      .enabledLayerCount = validation ? G_N_ELEMENTS (layers) : 0,
      .ppEnabledLayerNames = layers,
      .enabledExtensionCount = n_extensions,
      .ppEnabledExtensionNames = extensions,
  };
  return vkCreateInstance (&info, NULL, &instance->handle);
}

static bool
start_messenger (YvInstance *instance, GError **error)
{
  const VkInstance handle = instance->handle;
  const VkDebugUtilsMessengerCreateInfoEXT info = yv_debug_messenger_info (&instance->n_messages);
  const PFN_vkCreateDebugUtilsMessengerEXT create =
      (PFN_vkCreateDebugUtilsMessengerEXT) vkGetInstanceProcAddr (handle,
                                                                  "vkCreateDebugUtilsMessengerEXT");

  instance->set_name = (PFN_vkSetDebugUtilsObjectNameEXT) vkGetInstanceProcAddr (
      handle, "vkSetDebugUtilsObjectNameEXT");
  return yv_vk_check (create (handle, &info, NULL, &instance->messenger),
                      "vkCreateDebugUtilsMessengerEXT", error);
}

static bool
open_instance (YvInstance *instance, GError **error)
{
  const bool validation = yv_debug_wanted ();

  if (validation && !layer_exists (validation_layer)) {
    g_set_error (error, YV_ERROR, YV_ERROR_NO_DEVICE,
                 "YV_VALIDATION is set but the layer %s is not there; install "
                 "vulkan-validationlayers or unset it",
                 validation_layer);
    return false;
  }

  const VkResult result = create_instance (instance, validation);
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
    g_set_error (error, YV_ERROR, YV_ERROR_NO_DEVICE,
                 "no Vulkan driver: the loader found none; install the driver of your GPU or "
                 "mesa-vulkan-drivers (which also brings one that runs on the CPU)");
    return false;
  }
  if (!yv_vk_check (result, "vkCreateInstance", error))
    return false;

  volkLoadInstanceOnly (instance->handle);
  if (!validation || start_messenger (instance, error))
    return true;

  vkDestroyInstance (instance->handle, NULL);
  *instance = (YvInstance){0};
  return false;
}

YvInstance *
yv_instance_get (GError **error)
{
  static GMutex lock;
  static YvInstance instance; /* opened where its handle is set; then constant but for n_messages */

  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  if (!instance.handle && (!load_loader (error) || !open_instance (&instance, error)))
    return NULL;
  return &instance;
}
