/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/place.h - where the operands of a step are, for one slot of one executor.
 */
#pragma once

#include <stdint.h>

#include <glib.h>

#include "engine/plan/plan.h"
#include "engine/vulkan/buffer.h"
#include "engine/vulkan/weights.h"

G_BEGIN_DECLS

/* All borrowed from the executor and the slot. */
typedef struct {
  YvWeightStore *weights;
  const YvBuffer *arena;
  YvPlace frame;          /* of the image that is letterboxed */
  const YvBuffer *params; /* YvFrameParams of each image, then YvThresholds */
  const YvBuffer *candidates;
  uint32_t n_images;
} YvPlaces;

/* Offsets in YvPlaces.params. */
uint64_t yv_places_frame_offset (uint32_t image);
uint64_t yv_places_thresholds_offset (uint32_t n_images);
uint64_t yv_places_params_bytes (const YvPlan *plan);

/* The bytes of an operand; without a buffer where memory is NONE. */
YvPlace yv_place_operand (const YvPlaces *places, const YvStep *step, const YvOperand *operand);

/* The push block of @step with its addresses filled in. */
void yv_place_addresses (const YvPlaces *places, const YvStep *step,
                         uint8_t push[YV_MAX_PUSH_BYTES]);

G_END_DECLS
