/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/select.c - enumeration and choice of devices. */
#include "engine/vulkan/select.h"

#include <string.h>

#include "engine/error.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/features.h"

typedef struct {
  VkPhysicalDeviceType type;
  const char *name;
  uint32_t rank; /* the smallest is taken */
} TypeRow;

static const TypeRow type_rows[] = {
    {VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU, "discrete", 0},
    {VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU, "integrated", 1},
    {VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU, "virtual", 2},
    {VK_PHYSICAL_DEVICE_TYPE_CPU, "cpu", 3},
    {VK_PHYSICAL_DEVICE_TYPE_OTHER, "other", 4},
};

static const TypeRow *
type_row (VkPhysicalDeviceType type)
{
  for (size_t i = 0; i < G_N_ELEMENTS (type_rows); i++)
    if (type_rows[i].type == type)
      return &type_rows[i];
  return &type_rows[G_N_ELEMENTS (type_rows) - 1];
}

static void
format_uuid (const uint8_t uuid[VK_UUID_SIZE], char text[YV_UUID_TEXT_BYTES])
{
  char *end = text;

  for (uint32_t i = 0; i < VK_UUID_SIZE; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      *end++ = '-';
    end += g_snprintf (end, 3, "%02x", uuid[i]);
  }
}

static void
fill_identity (YvChoice *choice)
{
  VkPhysicalDeviceDriverProperties driver = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
                                     .pNext = &driver};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &id};

  vkGetPhysicalDeviceProperties2 (choice->handle, &properties);
  choice->driver_id = driver.driverID;
  format_uuid (id.deviceUUID, choice->uuid);
  g_snprintf (choice->info.driver, sizeof choice->info.driver, "%s%s%s", driver.driverName,
              *driver.driverInfo ? " " : "", driver.driverInfo);
}

static bool
fill_choice (YvChoice *choice, uint32_t index, VkPhysicalDevice handle, GError **error)
{
  VkPhysicalDeviceProperties properties;
  YvFeatures features;
  g_autoptr (GError) why = NULL;

  vkGetPhysicalDeviceProperties (handle, &properties);
  *choice = (YvChoice){
      .handle = handle, .type = properties.deviceType, .api_version = properties.apiVersion};
  choice->info.index = index;
  g_strlcpy (choice->info.name, properties.deviceName, sizeof choice->info.name);
  g_strlcpy (choice->info.type, type_row (properties.deviceType)->name, sizeof choice->info.type);

  if (properties.apiVersion < VK_API_VERSION_1_2) {
    choice->missing =
        g_strdup_printf ("Vulkan 1.2 (it has %u.%u)", VK_API_VERSION_MAJOR (properties.apiVersion),
                         VK_API_VERSION_MINOR (properties.apiVersion));
    return true;
  }
  fill_identity (choice);
  choice->extensions = yv_extension_list (handle, &why);
  if (!choice->extensions && g_error_matches (why, YV_ERROR, YV_ERROR_OUT_OF_MEMORY)) {
    g_propagate_error (error, g_steal_pointer (&why));
    return false;
  }
  if (!choice->extensions) { /* the others may do */
    choice->missing = g_strdup_printf ("a list of its extensions: %s", why->message);
    return true;
  }
  yv_features_query (&features, handle, choice->extensions);
  choice->missing = yv_features_missing (&features);
  return true;
}

static void
clear_choice (gpointer data)
{
  YvChoice *choice = data;

  g_strfreev (choice->extensions);
  g_free (choice->missing);
}

GArray *
yv_choice_list (const YvInstance *instance, GError **error)
{
  g_autoptr (GArray) choices = g_array_new (FALSE, TRUE, sizeof (YvChoice));
  uint32_t n = 0;

  g_array_set_clear_func (choices, clear_choice);
  VkResult result = vkEnumeratePhysicalDevices (instance->handle, &n, NULL);
  if (result == VK_ERROR_INITIALIZATION_FAILED) /* drivers, but none found its hardware */
    return g_steal_pointer (&choices);
  if (!yv_vk_check (result, "vkEnumeratePhysicalDevices", error))
    return NULL;

  g_autofree VkPhysicalDevice *handles = g_new0 (VkPhysicalDevice, n + 1);
  result = vkEnumeratePhysicalDevices (instance->handle, &n, handles);
  if (!yv_vk_check (result, "vkEnumeratePhysicalDevices", error))
    return NULL;

  g_array_set_size (choices, n);
  for (uint32_t i = 0; i < n; i++) {
    YvChoice *choice = &g_array_index (choices, YvChoice, i);

    if (!fill_choice (choice, i, handles[i], error)) {
      g_prefix_error (error, "%s: ", choice->info.name);
      return NULL;
    }
  }
  return g_steal_pointer (&choices);
}

static char *
list_text (const GArray *choices)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < choices->len; i++) {
    const YvChoice *choice = &g_array_index (choices, YvChoice, i);
    g_string_append_printf (text, "%s%u: %s (%s%s%s)", i ? ", " : "", i, choice->info.name,
                            choice->info.type, choice->missing ? ", lacks " : "",
                            choice->missing ? choice->missing : "");
  }
  return g_string_free (text, FALSE);
}

static const YvChoice *
find_best (const GArray *choices)
{
  const YvChoice *best = NULL;

  for (guint i = 0; i < choices->len; i++) {
    const YvChoice *choice = &g_array_index (choices, YvChoice, i);
    if (choice->missing)
      continue;
    if (!best || type_row (choice->type)->rank < type_row (best->type)->rank)
      best = choice;
  }
  return best;
}

static const YvChoice *
find_index (const GArray *choices, const char *selector)
{
  guint64 index = 0;

  if (!g_ascii_string_to_unsigned (selector, 10, 0, G_MAXUINT32, &index, NULL))
    return NULL;
  return index < choices->len ? &g_array_index (choices, YvChoice, index) : NULL;
}

static bool
contains_ignoring_case (const char *text, const char *part)
{
  g_autofree char *text_down = g_ascii_strdown (text, -1);
  g_autofree char *part_down = g_ascii_strdown (part, -1);

  return strstr (text_down, part_down) != NULL;
}

static const YvChoice *
find_uuid_or_name (const GArray *choices, const char *selector)
{
  for (guint i = 0; i < choices->len; i++) {
    const YvChoice *choice = &g_array_index (choices, YvChoice, i);
    if (*choice->uuid && g_ascii_strcasecmp (choice->uuid, selector) == 0)
      return choice;
  }
  for (guint i = 0; i < choices->len; i++) {
    const YvChoice *choice = &g_array_index (choices, YvChoice, i);
    if (contains_ignoring_case (choice->info.name, selector))
      return choice;
  }
  return NULL;
}

const YvChoice *
yv_choice_select (const GArray *choices, const char *selector, GError **error)
{
  if (selector && !*selector)
    selector = NULL;
  const YvChoice *choice = selector ? find_index (choices, selector) : find_best (choices);
  if (!choice && selector)
    choice = find_uuid_or_name (choices, selector);

  if (choice && !choice->missing)
    return choice;
  if (choice) {
    g_set_error (error, YV_ERROR, YV_ERROR_NO_DEVICE,
                 "the Vulkan device %s lacks %s; choose another or update its driver",
                 choice->info.name, choice->missing);
    return NULL;
  }

  g_autofree char *text = list_text (choices);
  if (choices->len == 0)
    g_set_error (error, YV_ERROR, YV_ERROR_NO_DEVICE,
                 "no Vulkan device: install the driver of your GPU or mesa-vulkan-drivers (which "
                 "also brings one that runs on the CPU)");
  else if (selector)
    g_set_error (error, YV_ERROR, YV_ERROR_NO_DEVICE,
                 "no Vulkan device \"%s\"; there is %s; choose by index, part of a name, or UUID",
                 selector, text);
  else
    g_set_error (error, YV_ERROR, YV_ERROR_NO_DEVICE, "no usable Vulkan device; there is %s", text);
  return NULL;
}
