/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/slot.h - what one batch in flight needs for itself: frames, parameters, candidate
 * lists, and its recorded commands.
 *
 * In steady state a submit copies frames, if it has to, writes parameters and calls
 * vkQueueSubmit(): it allocates nothing, writes no descriptor and records nothing. Only a frame
 * larger than any before makes the slot grow, and memory seen for the first time is bound
 * (intake.h).
 *
 * On a device that is no CPU a batch is several pieces, so that none trips its watchdog
 * (plan/cut.h): at first as for a weak one, then as the time of the executor's first run says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/plan/executor.h"
#include "engine/vulkan/buffer.h"
#include "engine/vulkan/intake.h"
#include "engine/vulkan/record.h"
#include "engine/vulkan/timeline.h"

G_BEGIN_DECLS

typedef struct {
  const YvShared *shared;
  uint32_t index; /* for names */
  YvBuffer *params, *candidates;
  YvIntake intake; /* idle where the plan has no LETTERBOX */

  /* The start, a letterbox for each image, which the intake has recorded, and for each piece that
   * is more than letterboxes its part of the network. */
  VkCommandBuffer *commands; /* [1 + first_network_step + at most n_pieces] */
  uint32_t *ends;            /* [n_pieces]: what is submitted together, see yv_timeline_submit() */
  uint32_t n_pieces;         /* 0: start and network are not recorded */
  bool is_measured;          /* they are recorded as the measured device wants them */
  VkCommandPool pool;        /* of start and network; null where they are not recorded */

  VkQueryPool queries;      /* null where the queue has no timestamps */
  VkQueryPool step_queries; /* null unless profiled */
  YvBuffer *ticks;          /* of both, see YvRecording; NULL where there are none */
  uint64_t *step_ns;        /* [n steps], while profiled */
  YvTimeline timeline;

  bool running;
  bool has_frames;                  /* those of the last submit can be run once more */
  uint32_t n_images;                /* of the batch that runs, or ran last */
  uint64_t upload_ns, submitted_ns; /* the latter on the host's clock */
} YvSlot;

/* NULL with the code of yv_vk_check(). */
YvSlot *yv_slot_new (const YvShared *shared, uint32_t index, GError **error);
void yv_slot_free (YvSlot *slot); /* NULL ok; waits where it runs */

/* See YvExecutorClass. On failure the slot is idle. */
bool yv_slot_submit (YvSlot *slot, const YvBatch *batch, GError **error);
bool yv_slot_wait (YvSlot *slot, const struct YvCandidate **lists, uint32_t *n, YvTiming *timing,
                   GError **error);

/* See YvExecutorClass. */
void yv_slot_forget_frames (YvSlot *slot);
bool yv_slot_profile (YvSlot *slot, bool is_wanted, GError **error);

/* Of what yv_vulkan_executor_new() made; for tests. */
YvSlot *yv_vulkan_executor_slot (YvExecutor *executor, uint32_t slot);

uint64_t yv_slot_size_bytes (const YvSlot *slot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvSlot, yv_slot_free)

G_END_DECLS
