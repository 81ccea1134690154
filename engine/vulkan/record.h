/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/record.h - a plan as command buffers, recorded once and submitted for every batch:
 * a start, a letterbox for each image, and the network in one piece or more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/plan/plan.h"
#include "engine/vulkan/bind.h"
#include "engine/vulkan/place.h"

G_BEGIN_DECLS

/* Timestamps, in this order. */
enum { YV_TICK_START, YV_TICK_NETWORK, YV_TICK_DECODE, YV_TICK_END, YV_N_TICKS };

/* How fast a device runs a plan. */
typedef struct {
  GMutex mutex;
  uint64_t piece_flops; /* of what is recorded next (plan/cut.h) */
  bool is_measured;     /* piece_flops is what this device does, and stays */
} YvPace;

/* What all slots of an executor share; borrowed, the executor outlives its slots. */
typedef struct {
  YvDevice *device;
  const YvPlan *plan;
  YvWeightStore *weights;
  const YvBuffer *arena;
  const YvBindings *network;   /* of all steps but the letterboxes */
  const VkPipeline *pipelines; /* [n steps] */
  YvPace *pace;
} YvShared;

/* All borrowed. */
typedef struct {
  const YvShared *shared;
  YvPlaces places;
  VkQueryPool queries;      /* YV_N_TICKS timestamps; null where the queue has none */
  VkQueryPool step_queries; /* n steps + 1: one before each step and one behind the last, which
                               then run one after the other; null: not wanted */
  const YvBuffer *ticks; /* (nullable): where all of them are copied to, uint64_t, queries first */
} YvRecording;

/* How one image is read, at recording.places.frame. */
typedef struct {
  uint32_t image;
  const YvBindings *bindings; /* of its step alone; NULL where the plan has none, or by address */
  VkPipeline by_address;      /* where the frame is no texel buffer; null: as the plan has it */
} YvLetterboxing;

/* Each records into @commands, which is fresh. False with the code of yv_vk_check(). */

/* Waits for everything submitted before. */
bool yv_record_start (const YvRecording *recording, VkCommandBuffer commands, GError **error);

bool yv_record_letterbox (const YvRecording *recording, const YvLetterboxing *letterboxing,
                          VkCommandBuffer commands, GError **error);

/* Steps [first, end), barriers before them and between levels; the last piece also makes the
 * results visible to the host. */
bool yv_record_piece (const YvRecording *recording, uint32_t first, uint32_t end,
                      VkCommandBuffer commands, GError **error);

G_END_DECLS
