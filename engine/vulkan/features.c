/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/features.c - the table of features. */
#include "engine/vulkan/features.h"

#include <string.h>

typedef struct {
  const char *name;
  size_t offset; /* of the VkBool32 in YvFeatures */
  enum { OPTIONAL, NEEDED, OF_COOPMAT } use;
} FeatureRow;

static const FeatureRow feature_rows[] = {
    /* operands are addresses in push blocks */
    {"bufferDeviceAddress", offsetof (YvFeatures, v12.bufferDeviceAddress), NEEDED},
    /* who waits for a submit */
    {"timelineSemaphore", offsetof (YvFeatures, v12.timelineSemaphore), NEEDED},
    /* a copy of single halves; all else packs them into words */
    {"storageBuffer16BitAccess", offsetof (YvFeatures, v11.storageBuffer16BitAccess), OPTIONAL},
    /* texel kernels: stores of four doubles, a view of r8, and 0 where they read outside of one */
    {"shaderFloat64", offsetof (YvFeatures, core.features.shaderFloat64), OPTIONAL},
    {"shaderStorageImageExtendedFormats",
     offsetof (YvFeatures, core.features.shaderStorageImageExtendedFormats), OPTIONAL},
    {"robustBufferAccess", offsetof (YvFeatures, core.features.robustBufferAccess), OPTIONAL},
    {"shaderFloat16", offsetof (YvFeatures, v12.shaderFloat16), OF_COOPMAT},
    {"vulkanMemoryModel", offsetof (YvFeatures, v12.vulkanMemoryModel), OF_COOPMAT},
    /* atomics of other kernels ask for it once there is the memory model */
    {"vulkanMemoryModelDeviceScope", offsetof (YvFeatures, v12.vulkanMemoryModelDeviceScope),
     OF_COOPMAT},
    {"subgroupSizeControl", offsetof (YvFeatures, subgroups.subgroupSizeControl), OF_COOPMAT},
    {"computeFullSubgroups", offsetof (YvFeatures, subgroups.computeFullSubgroups), OF_COOPMAT},
    {"cooperativeMatrix", offsetof (YvFeatures, coopmat.cooperativeMatrix), OF_COOPMAT},
};

static void
link_chain (YvFeatures *features, bool coopmat)
{
  *features = (YvFeatures){
      .core = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &features->v11},
      .v11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
              .pNext = &features->v12},
      .v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
              .pNext = coopmat ? &features->subgroups : NULL},
      .subgroups = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT,
                    .pNext = &features->coopmat},
      .coopmat = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR},
  };
}

static VkBool32
feature_get (const YvFeatures *features, const FeatureRow *row)
{
  return *(const VkBool32 *) (const void *) ((const char *) features + row->offset);
}

static void
feature_set (YvFeatures *features, const FeatureRow *row, VkBool32 value)
{
  *(VkBool32 *) (void *) ((char *) features + row->offset) = value;
}

bool
yv_has_extension (VkPhysicalDevice physical, const char *name)
{
  uint32_t n = 0;
  vkEnumerateDeviceExtensionProperties (physical, NULL, &n, NULL);
  g_autofree VkExtensionProperties *extensions = g_new0 (VkExtensionProperties, n + 1);
  vkEnumerateDeviceExtensionProperties (physical, NULL, &n, extensions);

  for (uint32_t i = 0; i < n; i++)
    if (strcmp (extensions[i].extensionName, name) == 0)
      return true;
  return false;
}

void
yv_features_query (YvFeatures *out, VkPhysicalDevice physical)
{
  VkPhysicalDeviceProperties properties;

  link_chain (out, yv_has_extension (physical, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) &&
                       yv_has_extension (physical, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME));
  vkGetPhysicalDeviceProperties (physical, &properties);
  if (properties.apiVersion >= VK_API_VERSION_1_2)
    vkGetPhysicalDeviceFeatures2 (physical, &out->core);
}

char *
yv_features_missing (const YvFeatures *have)
{
  GString *names = g_string_new (NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (feature_rows); i++)
    if (feature_rows[i].use == NEEDED && !feature_get (have, &feature_rows[i]))
      g_string_append_printf (names, "%s%s", names->len ? ", " : "", feature_rows[i].name);
  return g_string_free (names, names->len == 0);
}

bool
yv_features_have_coopmat (const YvFeatures *have)
{
  for (size_t i = 0; i < G_N_ELEMENTS (feature_rows); i++)
    if (feature_rows[i].use == OF_COOPMAT && !feature_get (have, &feature_rows[i]))
      return false;
  return true;
}

void
yv_features_choose (YvFeatures *out, const YvFeatures *have)
{
  link_chain (out, yv_features_have_coopmat (have));
  for (size_t i = 0; i < G_N_ELEMENTS (feature_rows); i++)
    feature_set (out, &feature_rows[i], feature_get (have, &feature_rows[i]));
}
