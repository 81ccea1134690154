/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/place.c - operands to buffers, offsets and addresses. */
#include "engine/vulkan/place.h"

#include <string.h>

#include "engine/align.h"
#include "engine/plan/executor.h"
#include "shaders/params.h"

/* Each structure the host writes starts a cache line of its own. */
#define PARAMS_ALIGN_BYTES UINT64_C (64)

uint64_t
yv_places_frame_offset (uint32_t image)
{
  return image * yv_round_up (sizeof (struct YvFrameParams), PARAMS_ALIGN_BYTES);
}

uint64_t
yv_places_thresholds_offset (uint32_t n_images)
{
  return yv_places_frame_offset (n_images);
}

uint64_t
yv_places_params_bytes (const YvPlan *plan)
{
  return yv_places_thresholds_offset (plan->options.n) +
         yv_round_up (yv_thresholds_size_bytes (&plan->detect), PARAMS_ALIGN_BYTES);
}

YvPlace
yv_place_operand (const YvPlaces *places, const YvStep *step, const YvOperand *operand)
{
  const YvPlace inside = {.offset_bytes = operand->offset_bytes, .size_bytes = operand->size_bytes};
  YvPlace place = inside;

  switch (operand->memory) {
  case YV_MEMORY_ARENA:
    place.buffer = places->arena;
    return place;
  case YV_MEMORY_CANDIDATES:
    place.buffer = places->candidates;
    return place;
  case YV_MEMORY_PARAMS:
    place.buffer = places->params;
    return place;
  case YV_MEMORY_STAGING:
    return places->frame;
  case YV_MEMORY_WEIGHTS:
    return yv_weight_store_find (places->weights, step);
  case YV_MEMORY_NONE:
    break;
  }
  return (YvPlace){0};
}

static uint64_t
address_of (YvPlace place)
{
  return place.buffer ? place.buffer->address + place.offset_bytes : 0;
}

static uint64_t
resolve_address (const YvPlaces *places, const YvStep *step, YvAddress address)
{
  switch (address) {
  case YV_ADDRESS_NONE:
    return 0;
  case YV_ADDRESS_SRC0:
    return address_of (yv_place_operand (places, step, &step->src[0]));
  case YV_ADDRESS_SRC1:
    return address_of (yv_place_operand (places, step, &step->src[1]));
  case YV_ADDRESS_WEIGHT:
    return address_of (yv_weight_store_find (places->weights, step));
  case YV_ADDRESS_FRAME:
    return places->params->address + yv_places_frame_offset (step->image);
  case YV_ADDRESS_THRESHOLDS:
    return places->params->address + yv_places_thresholds_offset (places->n_images);
  case YV_ADDRESS_DST:
    return address_of (yv_place_operand (places, step, &step->dst));
  }
  g_assert_not_reached ();
}

void
yv_place_addresses (const YvPlaces *places, const YvStep *step, uint8_t push[YV_MAX_PUSH_BYTES])
{
  memcpy (push, step->push, step->n_push_bytes);
  for (uint32_t i = 0; i < step->n_addresses; i++) {
    const uint64_t address = resolve_address (places, step, (YvAddress) step->addresses[i]);
    memcpy (push + i * sizeof address, &address, sizeof address);
  }
}
