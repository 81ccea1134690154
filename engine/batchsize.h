/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/batchsize.h - how many frames that wait run together, and when.
 *
 * In:   what the batcher (batcher.h) sees of the frames that wait for one network.
 * Out:  a number of frames, or how long to wait for more of them.
 *
 * Pure arithmetic.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Batches in flight at a time: one on the device, one behind it so that it never idles. */
#define YV_MAX_RUNS 2

typedef struct {
  uint32_t limit;             /* most frames of a batch, >= 1 */
  uint32_t n_waiting;         /* frames */
  uint32_t n_streams_waiting; /* streams that have a frame waiting */
  uint32_t n_expected;        /* these, and those that have one running and may submit more */
  uint32_t n_active;  /* streams but those that were waited for in vain and sent nothing since */
  uint32_t n_running; /* batches in flight, of any network */
  uint32_t max_running;
  uint64_t waited_ns; /* the oldest frame */
  uint64_t timeout_ns;
} YvBatchCase;

/**
 * yv_batch_delay_ns:
 *
 * On an idle device frames wait for a full batch, or one of each active stream, as long as their
 * timeout says. Behind a batch that runs they wait until all that are expected are there: should
 * these not come, the next batch starts when that one is done.
 *
 * Returns: 0: start now; UINT64_MAX: not before a batch is done or another frame is there; else
 * start after so long, if nothing happens before.
 */
uint64_t yv_batch_delay_ns (const YvBatchCase *batch);

/* Whether all frames are there that it waits for. One that starts and isn't complete has waited for
 * some stream in vain. */
bool yv_batch_is_complete (const YvBatchCase *batch);

/* How many of @n_waiting frames, at least 1, make the next batch: the limit, or the largest power
 * of two below it, so that few sizes are ever made ready and none is padded. */
uint32_t yv_batch_take (uint32_t n_waiting, uint32_t limit);

/* The limit where nobody asked for one. */
uint32_t yv_batch_usual_limit (bool is_cpu);

G_END_DECLS
