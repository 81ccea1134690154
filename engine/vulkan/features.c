/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/features.c - the table of features. */
#include "engine/vulkan/features.h"

#include "engine/vulkan/check.h"

typedef enum { OPTIONAL, NEEDED, OF_COOPMAT, OF_COOPMAT2 } Use;

typedef struct {
  const char *name;
  size_t offset; /* of the VkBool32 in YvFeatures */
  Use use;
} FeatureRow;

static const FeatureRow feature_rows[] = {
    /* operands are addresses in push blocks */
    {"bufferDeviceAddress", offsetof (YvFeatures, v12.bufferDeviceAddress), NEEDED},
    /* who waits for a submit */
    {"timelineSemaphore", offsetof (YvFeatures, v12.timelineSemaphore), NEEDED},
    /* a copy of single halves; all else packs them into words */
    {"storageBuffer16BitAccess", offsetof (YvFeatures, v11.storageBuffer16BitAccess), OPTIONAL},
    /* texel kernels: stores of four doubles, a view of r16ui, 0 where they read outside of one */
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
    {"cooperativeMatrixWorkgroupScope",
     offsetof (YvFeatures, coopmat2.cooperativeMatrixWorkgroupScope), OF_COOPMAT2},
    {"cooperativeMatrixFlexibleDimensions",
     offsetof (YvFeatures, coopmat2.cooperativeMatrixFlexibleDimensions), OF_COOPMAT2},
    {"cooperativeMatrixPerElementOperations",
     offsetof (YvFeatures, coopmat2.cooperativeMatrixPerElementOperations), OF_COOPMAT2},
    {"cooperativeMatrixTensorAddressing",
     offsetof (YvFeatures, coopmat2.cooperativeMatrixTensorAddressing), OF_COOPMAT2},
    /* SPIR-V 1.6 has the size of a workgroup, where that is a constant, in another form */
    {"maintenance4", offsetof (YvFeatures, maintenance4.maintenance4), OF_COOPMAT2},
};

static void
link_chain (YvFeatures *features, bool coopmat, bool coopmat2)
{
  *features = (YvFeatures){
      .core = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &features->v11},
      .v11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
              .pNext = &features->v12},
      .v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
              .pNext = coopmat ? &features->subgroups : NULL},
      .subgroups = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT,
                    .pNext = &features->coopmat},
      .coopmat = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
                  .pNext = coopmat2 ? &features->coopmat2 : NULL},
      .coopmat2 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV,
                   .pNext = &features->maintenance4},
      .maintenance4 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_FEATURES},
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

char **
yv_extension_list (VkPhysicalDevice physical, GError **error)
{
  const char *call = "vkEnumerateDeviceExtensionProperties";
  uint32_t n = 0;

  VkResult result = vkEnumerateDeviceExtensionProperties (physical, NULL, &n, NULL);
  if (!yv_vk_check (result, call, error))
    return NULL;
  g_autofree VkExtensionProperties *extensions = g_new0 (VkExtensionProperties, n + 1);
  result = vkEnumerateDeviceExtensionProperties (physical, NULL, &n, extensions);
  if (!yv_vk_check (result, call, error))
    return NULL;

  char **names = g_new0 (char *, n + 1);
  for (uint32_t i = 0; i < n; i++)
    names[i] = g_strdup (extensions[i].extensionName);
  return names;
}

bool
yv_has_extension (char *const *extensions, const char *name)
{
  return g_strv_contains ((const char *const *) extensions, name);
}

void
yv_features_query (YvFeatures *out, VkPhysicalDevice physical, char *const *extensions)
{
  VkPhysicalDeviceProperties properties;

  vkGetPhysicalDeviceProperties (physical, &properties);
  const bool coopmat = yv_has_extension (extensions, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) &&
                       yv_has_extension (extensions, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
  link_chain (out, coopmat,
              coopmat && properties.apiVersion >= VK_API_VERSION_1_3 &&
                  yv_has_extension (extensions, VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME));
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

static bool
have_all (const YvFeatures *have, Use use)
{
  for (size_t i = 0; i < G_N_ELEMENTS (feature_rows); i++)
    if (feature_rows[i].use == use && !feature_get (have, &feature_rows[i]))
      return false;
  return true;
}

bool
yv_features_have_coopmat (const YvFeatures *have)
{
  return have_all (have, OF_COOPMAT);
}

bool
yv_features_have_coopmat2 (const YvFeatures *have)
{
  return have_all (have, OF_COOPMAT) && have_all (have, OF_COOPMAT2) &&
         have->v11.storageBuffer16BitAccess;
}

void
yv_features_choose (YvFeatures *out, const YvFeatures *have)
{
  link_chain (out, yv_features_have_coopmat (have), yv_features_have_coopmat2 (have));
  for (size_t i = 0; i < G_N_ELEMENTS (feature_rows); i++)
    feature_set (out, &feature_rows[i], feature_get (have, &feature_rows[i]));
}
