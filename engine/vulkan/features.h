/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/features.h - which features of a device the executor needs, and which it uses where
 * they are there.
 */
#pragma once

#include <stdbool.h>

#include <glib.h>
#include <volk.h>

#include "engine/vulkan/coopmat.h"
#include "engine/vulkan/coopmat2.h"

G_BEGIN_DECLS

/* A pNext chain: not to be copied. */
typedef struct {
  VkPhysicalDeviceFeatures2 core;
  VkPhysicalDeviceVulkan11Features v11;
  VkPhysicalDeviceVulkan12Features v12;
  /* In the chain where the device knows the extensions of both. */
  VkPhysicalDeviceSubgroupSizeControlFeaturesEXT subgroups;
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR coopmat;
  /* And behind these, where it knows the extension of the one and Vulkan 1.3. */
  VkPhysicalDeviceCooperativeMatrix2FeaturesNV coopmat2;
  VkPhysicalDeviceMaintenance4Features maintenance4;
} YvFeatures;

/* The names of the extensions that @physical offers, and a NULL. Free with g_strfreev(). NULL with
 * the code of yv_vk_check(). */
char **yv_extension_list (VkPhysicalDevice physical, GError **error);

/* What @physical, which offers @extensions, has; all false for a device older than Vulkan 1.2. */
void yv_features_query (YvFeatures *out, VkPhysicalDevice physical, char *const *extensions);

/* The names of what is needed but not in @have, "bufferDeviceAddress, shaderInt64"; NULL where
 * nothing is missing. Free with g_free(). */
char *yv_features_missing (const YvFeatures *have);

/* What to enable: all that is needed, and of the rest what @have has. */
void yv_features_choose (YvFeatures *out, const YvFeatures *have);

/* All that conv_coopmat needs, which is also two extensions to enable. */
bool yv_features_have_coopmat (const YvFeatures *have);

/* And all that conv_coopmat2 needs, which is one more. */
bool yv_features_have_coopmat2 (const YvFeatures *have);

bool yv_has_extension (char *const *extensions, const char *name);

G_END_DECLS
