/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/record.h - a plan as one command buffer, recorded once and submitted for every
 * batch.
 */
#pragma once

#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/plan/plan.h"
#include "engine/vulkan/bind.h"
#include "engine/vulkan/place.h"

G_BEGIN_DECLS

/* Timestamps, in this order. */
enum { YV_TICK_START, YV_TICK_NETWORK, YV_TICK_DECODE, YV_TICK_END, YV_N_TICKS };

/* All borrowed. */
typedef struct {
  YvDevice *device;
  const YvPlan *plan;
  const VkPipeline *pipelines; /* [n steps] */
  YvPlaces places;
  const YvBindings *letterbox; /* steps [0, first_network_step), the slot's; NULL while it has no
                                  staging memory */
  const YvBindings *network;   /* the other steps */
  VkPipeline letterbox_by_address; /* for all LETTERBOX steps, whose frames are then no texel
                                      buffers; null: as the plan has them */
  VkQueryPool queries;             /* YV_N_TICKS timestamps; null where the queue has none */
  VkQueryPool step_queries; /* n steps + 1: one before each step and one behind the last, which
                               then run one after the other; null: not wanted */
} YvRecording;

/* Records into @commands, which is fresh or of a pool just reset: waits for everything submitted
 * before, all steps, a barrier between levels, results visible to the host. */
bool yv_record (const YvRecording *recording, VkCommandBuffer commands, GError **error);

G_END_DECLS
