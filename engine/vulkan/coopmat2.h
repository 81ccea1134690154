/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/coopmat2.h - VK_NV_cooperative_matrix2: what of it this project uses, for headers
 * of Vulkan older than 1.4.300 too, and its numbers as YvCaps.
 */
#pragma once

#include <volk.h>

#include "engine/plan/caps.h"
#include "engine/vulkan/coopmat.h"

G_BEGIN_DECLS

#ifndef VK_NV_cooperative_matrix2 /* names, numbers and layouts are Vulkan's */
#define VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME "VK_NV_cooperative_matrix2"
#define VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_FEATURES_NV                         \
  ((VkStructureType) 1000593000)
#define VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FLEXIBLE_DIMENSIONS_PROPERTIES_NV                     \
  ((VkStructureType) 1000593001)
#define VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_2_PROPERTIES_NV                       \
  ((VkStructureType) 1000593002)

typedef struct {
  VkStructureType sType;
  void *pNext;
  VkBool32 cooperativeMatrixWorkgroupScope;
  VkBool32 cooperativeMatrixFlexibleDimensions;
  VkBool32 cooperativeMatrixReductions;
  VkBool32 cooperativeMatrixConversions;
  VkBool32 cooperativeMatrixPerElementOperations;
  VkBool32 cooperativeMatrixTensorAddressing;
  VkBool32 cooperativeMatrixBlockLoads;
} VkPhysicalDeviceCooperativeMatrix2FeaturesNV;

typedef struct {
  VkStructureType sType;
  void *pNext;
  uint32_t cooperativeMatrixWorkgroupScopeMaxWorkgroupSize;
  uint32_t cooperativeMatrixFlexibleDimensionsMaxDimension;
  uint32_t cooperativeMatrixWorkgroupScopeReservedSharedMemory;
} VkPhysicalDeviceCooperativeMatrix2PropertiesNV;

typedef struct {
  VkStructureType sType;
  void *pNext;
  uint32_t MGranularity, NGranularity, KGranularity;
  VkComponentTypeKHR AType, BType, CType, ResultType;
  VkBool32 saturatingAccumulation;
  VkScopeKHR scope;
  uint32_t workgroupInvocations;
} VkCooperativeMatrixFlexibleDimensionsPropertiesNV;

typedef VkResult (
    VKAPI_PTR *PFN_vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV) (
    VkPhysicalDevice, uint32_t *, VkCooperativeMatrixFlexibleDimensionsPropertiesNV *);
#endif

/* Sets the coopmat2 numbers of @caps to what workgroups of 128 and 256 multiply as fp16 x fp16 +
 * fp32; leaves them 0 where they cannot. Features of the device say that it has the extension.
 * False with the code of yv_vk_check(). */
bool yv_coopmat2_read_caps (YvCaps *caps, VkInstance instance, VkPhysicalDevice physical,
                            GError **error);

/* The choice among @rows, which are @n. */
void yv_coopmat2_choose (YvCaps *caps, const VkPhysicalDeviceCooperativeMatrix2PropertiesNV *limits,
                         const VkCooperativeMatrixFlexibleDimensionsPropertiesNV *rows, uint32_t n);

G_END_DECLS
