/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/features.c - the table of features. */
#include "engine/vulkan/features.h"

#include <stdbool.h>

typedef struct {
  const char *name;
  size_t offset; /* of the VkBool32 in YvFeatures */
  bool needed;
} FeatureRow;

static const FeatureRow feature_rows[] = {
    /* operands are addresses in push blocks */
    {"bufferDeviceAddress", offsetof (YvFeatures, v12.bufferDeviceAddress), true},
    /* a copy of single halves; all else packs them into words */
    {"storageBuffer16BitAccess", offsetof (YvFeatures, v11.storageBuffer16BitAccess), false},
    /* texel kernels: stores of four doubles, a view of r8, and 0 where they read outside of one */
    {"shaderFloat64", offsetof (YvFeatures, core.features.shaderFloat64), false},
    {"shaderStorageImageExtendedFormats",
     offsetof (YvFeatures, core.features.shaderStorageImageExtendedFormats), false},
    {"robustBufferAccess", offsetof (YvFeatures, core.features.robustBufferAccess), false},
};

static void
link_chain (YvFeatures *features)
{
  *features = (YvFeatures){
      .core = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &features->v11},
      .v11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
              .pNext = &features->v12},
      .v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES},
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

void
yv_features_query (YvFeatures *out, VkPhysicalDevice physical)
{
  VkPhysicalDeviceProperties properties;

  link_chain (out);
  vkGetPhysicalDeviceProperties (physical, &properties);
  if (properties.apiVersion >= VK_API_VERSION_1_2)
    vkGetPhysicalDeviceFeatures2 (physical, &out->core);
}

char *
yv_features_missing (const YvFeatures *have)
{
  GString *names = g_string_new (NULL);

  for (size_t i = 0; i < G_N_ELEMENTS (feature_rows); i++)
    if (feature_rows[i].needed && !feature_get (have, &feature_rows[i]))
      g_string_append_printf (names, "%s%s", names->len ? ", " : "", feature_rows[i].name);
  return g_string_free (names, names->len == 0);
}

void
yv_features_choose (YvFeatures *out, const YvFeatures *have)
{
  link_chain (out);
  for (size_t i = 0; i < G_N_ELEMENTS (feature_rows); i++)
    feature_set (out, &feature_rows[i], feature_get (have, &feature_rows[i]));
}
