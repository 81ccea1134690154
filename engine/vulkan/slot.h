/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/slot.h - what one batch in flight needs for itself: frame bytes, parameters,
 * candidate lists, and its recorded commands.
 *
 * In steady state a submit copies frames, writes parameters and calls vkQueueSubmit(): it allocates
 * nothing, writes no descriptor and records nothing. Only a frame larger than any before makes the
 * slot grow; one larger than a texel buffer can be is from then on read by its address.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/plan/executor.h"
#include "engine/vulkan/bind.h"
#include "engine/vulkan/buffer.h"
#include "engine/vulkan/timeline.h"

G_BEGIN_DECLS

/* What all slots of an executor share; borrowed, the executor outlives its slots. */
typedef struct {
  YvDevice *device;
  const YvPlan *plan;
  YvWeightStore *weights;
  const YvBuffer *arena;
  const YvBindings *network;
  const VkPipeline *pipelines;
} YvShared;

typedef struct {
  const YvShared *shared;
  uint32_t index; /* for names */
  YvBuffer *params, *candidates;
  YvBuffer *staging; /* NULL until the first frame, and with tensor_input for ever */
  uint64_t image_bytes;
  YvBindings *letterbox;           /* goes with staging */
  VkPipeline letterbox_by_address; /* null while a frame fits into a texel buffer; the device's */

  VkCommandPool pool;
  VkCommandBuffer commands;
  bool is_recorded;         /* commands do what a submit needs; else it records them first */
  VkQueryPool queries;      /* null where the queue has no timestamps */
  VkQueryPool step_queries; /* null unless profiled */
  uint64_t *step_ticks;     /* [n steps + 1], while profiled; then ns */
  YvTimeline timeline;

  bool running;
  uint32_t n_images; /* of the batch that runs */
  uint64_t upload_ns;
} YvSlot;

/* NULL with the code of yv_vk_check(). */
YvSlot *yv_slot_new (const YvShared *shared, uint32_t index, GError **error);
void yv_slot_free (YvSlot *slot); /* NULL ok; waits where it runs */

/* See YvExecutorClass. On failure the slot is idle. */
bool yv_slot_submit (YvSlot *slot, const YvBatch *batch, GError **error);
bool yv_slot_wait (YvSlot *slot, const struct YvCandidate **lists, uint32_t *n, YvTiming *timing,
                   GError **error);

/* See YvExecutorClass. */
bool yv_slot_profile (YvSlot *slot, bool is_wanted, GError **error);

uint64_t yv_slot_size_bytes (const YvSlot *slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvSlot, yv_slot_free)

G_END_DECLS
