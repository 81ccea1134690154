/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/coopmat2.c - which matrices a workgroup multiplies. */
#include "engine/vulkan/coopmat2.h"

#include "engine/vulkan/check.h"

static bool
is_usable (const VkCooperativeMatrixFlexibleDimensionsPropertiesNV *row)
{
  return row->AType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
         row->BType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
         row->CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
         row->ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && row->scope == VK_SCOPE_WORKGROUP_KHR &&
         !row->saturatingAccumulation && row->MGranularity > 0 && row->NGranularity > 0 &&
         row->KGranularity > 0;
}

/* Of several rows for a size of workgroup the one that goes into most tiles. */
void
yv_coopmat2_choose (YvCaps *caps, const VkPhysicalDeviceCooperativeMatrix2PropertiesNV *limits,
                    const VkCooperativeMatrixFlexibleDimensionsPropertiesNV *rows, uint32_t n)
{
  caps->coopmat2_max_side = limits->cooperativeMatrixFlexibleDimensionsMaxDimension;
  for (uint32_t i = 0; i < n; i++) {
    const VkCooperativeMatrixFlexibleDimensionsPropertiesNV *row = &rows[i];
    const uint32_t size = row->workgroupInvocations;
    YvMatrixUnit *unit = &caps->coopmat2[size == 256];
    const uint32_t elems = unit->m * unit->n * unit->k;

    if (!is_usable (row) || (size != 128 && size != 256) ||
        size > limits->cooperativeMatrixWorkgroupScopeMaxWorkgroupSize ||
        (elems > 0 && elems <= row->MGranularity * row->NGranularity * row->KGranularity))
      continue;
    *unit = (YvMatrixUnit){row->MGranularity, row->NGranularity, row->KGranularity};
  }
}

bool
yv_coopmat2_read_caps (YvCaps *caps, VkInstance instance, VkPhysicalDevice physical, GError **error)
{
  const PFN_vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV get_rows =
      (PFN_vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV)
          vkGetInstanceProcAddr (
              instance, "vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV");
  VkPhysicalDeviceCooperativeMatrix2PropertiesNV limits = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_PROPERTIES_NV};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &limits};
  const char *call = "vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV";
  uint32_t n = 0;

  if (!get_rows)
    return true;
  if (!yv_vk_check (get_rows (physical, &n, NULL), call, error))
    return false;
  g_autofree VkCooperativeMatrixFlexibleDimensionsPropertiesNV *rows =
      g_new0 (VkCooperativeMatrixFlexibleDimensionsPropertiesNV, n + 1);
  for (uint32_t i = 0; i < n; i++)
    rows[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FLEXIBLE_DIMENSIONS_PROPERTIES_NV;
  vkGetPhysicalDeviceProperties2 (physical, &properties);
  if (!yv_vk_check (get_rows (physical, &n, rows), call, error))
    return false;
  yv_coopmat2_choose (caps, &limits, rows, n);
  return true;
}
