/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/coopmat.c - which fragments a device multiplies, and which of them we take. */
#include "engine/vulkan/coopmat.h"

#include "engine/vulkan/check.h"
#include "shaders/params.h"

/* conv_coopmat cuts tiles, whose sides are multiples of this, into fragments. */
#define MAX_SIDE 16

/* fp16 in, fp32 sums, and sides that divide those of tiles; K goes by the 8 of a 16-byte load. */
static bool
is_usable (const VkCooperativeMatrixPropertiesKHR *row)
{
  return row->AType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
         row->BType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
         row->CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
         row->ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && row->scope == VK_SCOPE_SUBGROUP_KHR &&
         !row->saturatingAccumulation && row->MSize > 0 && MAX_SIDE % row->MSize == 0 &&
         row->NSize >= 4 && MAX_SIDE % row->NSize == 0 && row->KSize >= 8 &&
         YV_COOPMAT_K % row->KSize == 0;
}

void
yv_coopmat_choose (YvCaps *caps, const VkCooperativeMatrixPropertiesKHR *properties, uint32_t n)
{
  uint32_t largest = 0;

  for (uint32_t i = 0; i < n; i++) {
    const VkCooperativeMatrixPropertiesKHR *row = &properties[i];
    const uint32_t size = row->MSize * row->NSize * row->KSize;

    if (!is_usable (row) || size <= largest)
      continue;
    largest = size;
    caps->coopmat_m = row->MSize;
    caps->coopmat_n = row->NSize;
    caps->coopmat_k = row->KSize;
  }
}

bool
yv_coopmat_read_caps (YvCaps *caps, VkInstance instance, VkPhysicalDevice physical, GError **error)
{
  const PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR get_properties =
      (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR) vkGetInstanceProcAddr (
          instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
  const char *call = "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR";
  uint32_t n = 0;

  if (!get_properties)
    return true;
  if (!yv_vk_check (get_properties (physical, &n, NULL), call, error))
    return false;
  g_autofree VkCooperativeMatrixPropertiesKHR *rows =
      g_new0 (VkCooperativeMatrixPropertiesKHR, n + 1);
  for (uint32_t i = 0; i < n; i++)
    rows[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
  if (!yv_vk_check (get_properties (physical, &n, rows), call, error))
    return false;
  yv_coopmat_choose (caps, rows, n);
  return true;
}
