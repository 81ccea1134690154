/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/coopmat.h - VK_KHR_cooperative_matrix: what of it this project uses, for headers of
 * Vulkan older than 1.3.255 too, and its numbers as YvCaps.
 */
#pragma once

#include <stdbool.h>

#include <volk.h>

#include "engine/plan/caps.h"

G_BEGIN_DECLS

#ifndef VK_KHR_cooperative_matrix /* names, numbers and layouts are Vulkan's */
#define VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME "VK_KHR_cooperative_matrix"
#define VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR                          \
  ((VkStructureType) 1000506000)
#define VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR ((VkStructureType) 1000506001)

typedef enum {
  VK_COMPONENT_TYPE_FLOAT16_KHR = 0,
  VK_COMPONENT_TYPE_FLOAT32_KHR = 1,
} VkComponentTypeKHR;

typedef enum {
  VK_SCOPE_WORKGROUP_KHR = 2,
  VK_SCOPE_SUBGROUP_KHR = 3,
} VkScopeKHR;

typedef struct {
  VkStructureType sType;
  void *pNext;
  VkBool32 cooperativeMatrix;
  VkBool32 cooperativeMatrixRobustBufferAccess;
} VkPhysicalDeviceCooperativeMatrixFeaturesKHR;

typedef struct {
  VkStructureType sType;
  void *pNext;
  uint32_t MSize, NSize, KSize;
  VkComponentTypeKHR AType, BType, CType, ResultType;
  VkBool32 saturatingAccumulation;
  VkScopeKHR scope;
} VkCooperativeMatrixPropertiesKHR;

typedef VkResult (VKAPI_PTR *PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR) (
    VkPhysicalDevice, uint32_t *, VkCooperativeMatrixPropertiesKHR *);
#endif

/* Sets the coopmat numbers of @caps, whose other numbers are set, to those of the largest fragments
 * of fp16 x fp16 + fp32 that conv_coopmat takes; leaves them 0 where there are none. @features of
 * the device say that it has cooperative matrices. False with the code of yv_vk_check(). */
bool yv_coopmat_read_caps (YvCaps *caps, VkInstance instance, VkPhysicalDevice physical,
                           GError **error);

/* The choice among @properties, which are @n. */
void yv_coopmat_choose (YvCaps *caps, const VkCooperativeMatrixPropertiesKHR *properties,
                        uint32_t n);

G_END_DECLS
