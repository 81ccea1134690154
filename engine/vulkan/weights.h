/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/weights.h - packed weights on the device, for the executor (vulkan.h has the rest).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "engine/plan/plan.h"
#include "engine/vulkan/buffer.h"
#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

/* A run of bytes on the device. */
typedef struct {
  const YvBuffer *buffer; /* borrowed */
  uint64_t offset_bytes, size_bytes;
} YvPlace;

/* Packs and uploads every weight of @plan that the store lacks. Any thread; others wait meanwhile.
 * On failure the store keeps what it had and perhaps a part of the new. */
bool yv_weight_store_fill (YvWeightStore *store, const YvPlan *plan, GError **error);

/* Where the weight of a step of a filled plan lies, for as long as the store lives. Any thread. */
YvPlace yv_weight_store_find (YvWeightStore *store, const YvStep *step);

G_END_DECLS
