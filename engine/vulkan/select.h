/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/select.h - what devices there are, and which one a selector means.
 */
#pragma once

#include <glib.h>
#include <volk.h>

#include "engine/vulkan/instance.h"
#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

#define YV_UUID_TEXT_BYTES 37 /* 36 characters and the end */

typedef struct {
  VkPhysicalDevice handle;
  YvDeviceInfo info;
  VkPhysicalDeviceType type;
  VkDriverId driver_id; /* 0 for a device older than Vulkan 1.2 */
  uint32_t api_version;
  char uuid[YV_UUID_TEXT_BYTES]; /* "6d657361-3232-..."; "" for a device older than 1.1 */
  char *missing;                 /* owned: features it lacks, or NULL */
  char **extensions;             /* owned; NULL for a device older than Vulkan 1.2, and where they
                                    could not be listed, which is what such a one lacks */
} YvChoice;

/* All devices in the loader's order; an array of YvChoice, perhaps empty. NULL with
 * YV_ERROR_OUT_OF_MEMORY and the like. */
GArray *yv_choice_list (const YvInstance *instance, GError **error);

/**
 * yv_choice_select:
 * @choices: of YvChoice
 * @selector: (nullable): see yv_device_new()
 *
 * Pure. A selector of digits alone is an index where there is such a device, else part of a name.
 * Without a selector a device that lacks features is passed over.
 *
 * Returns: (transfer none): or NULL with YV_ERROR_NO_DEVICE, listing @choices or naming what the
 * device lacks.
 */
const YvChoice *yv_choice_select (const GArray *choices, const char *selector, GError **error);

G_END_DECLS
