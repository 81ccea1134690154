/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/batchnet.h - frames that may run together: their queue, and the runners that are ready for
 * them, one for each size of batch.
 *
 * All under the batcher's mutex, which owns these; nothing here blocks but yv_batch_net_free().
 */
#pragma once

#include "engine/request.h"

G_BEGIN_DECLS

typedef struct _YvBatchNet {
  uint32_t width, height; /* network px */
  YvSettings *settings;   /* a reference: those of all others run together with these */
  GPtrArray *runners;     /* of YvRunner *, a use of each */
  uint32_t max_batch;     /* larger ones could not be made ready; only ever falls */

  YvRequest *first; /* the oldest that waits; NULL: none does */
  uint32_t n_waiting;

  /* Of streams whose frames come here, see YvBatchCase; what one left behind when it moved on
   * counts for none. They are active unless one that waited gave up waiting for them: their epoch
   * is the network's. */
  uint32_t n_streams_waiting;
  uint32_t n_active;
  uint64_t epoch;
  uint32_t n_expected;
  uint32_t n_users; /* streams, frames that wait, and who uses it unlocked */
} YvBatchNet;

/* Returns: (transfer full). */
YvBatchNet *yv_batch_net_new (YvSettings *settings, const YvLetterbox *letterbox);

/* Nobody uses it. May free runners. */
void yv_batch_net_free (YvBatchNet *net, YvEngine *engine);

bool yv_batch_net_fits (const YvBatchNet *net, const YvSettings *settings,
                        const YvLetterbox *letterbox);

/* The plan for batches of @n. */
YvPlanOptions yv_batch_net_plan (const YvBatchNet *net, uint32_t n);

/* The one for the largest batches of at most @n. NULL: there is none. */
YvRunner *yv_batch_net_find_runner (const YvBatchNet *net, uint32_t n);

/* Whether one waits. */
bool yv_batch_net_has_frame_of (const YvBatchNet *net, const struct _YvShare *share);

/* Into the queue by age, and out of it, from anywhere. */
void yv_batch_net_queue (YvBatchNet *net, YvRequest *request);
void yv_batch_net_take_out (YvBatchNet *net, YvRequest *request);

G_END_DECLS
