/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/batcher.h - runs frames of several streams together.
 *
 * In:   requests (request.h), queued by the streams' shares (share.h).
 * Next: their results, or errors, in the requests.
 *
 * One per engine, while there are streams that share batches. Whoever queues a frame starts a batch
 * where the device has room for one; a thread finishes them in order, hands the results out, and
 * starts the next. Another makes sizes of batches ready that were wanted and are not, so that
 * nobody waits for these. No stream's user is ever waited for: results are copied to the requests.
 *
 * No lock is held while a batch starts, runs, or is suppressed, nor while anything is made or
 * freed.
 */
#pragma once

#include "engine/batchnet.h"
#include "engine/batchsize.h"
#include "engine/flight.h"

G_BEGIN_DECLS

/* One batch on its way. */
typedef struct {
  YvFlight flight;
  YvRequest **requests; /* [n_reserved], as are the images */
  YvImage *images;
  uint32_t n, n_reserved;
  GError *error; /* why it could not be started; its requests still have to be told */
} YvBatchRun;

typedef struct _YvBatcher {
  YvEngine *engine; /* borrowed: the streams' */
  GThread *finisher, *maker;
  YvNms *nms;                /* the finisher's, as the next */
  struct _YvShare **to_call; /* [n_calls_reserved] */
  uint32_t n_calls_reserved;

  GMutex mutex; /* of all that follows, and of the shares */
  GCond changed, wanted_size;
  GCond finished; /* a run has, or could not be started */
  bool quits;
  GPtrArray *nets;     /* of YvBatchNet *, owned */
  uint64_t n_requests; /* that there ever were */

  YvBatchRun runs[YV_MAX_RUNS]; /* a ring */
  uint32_t first_run, n_running;
  uint64_t n_finished; /* that there ever were */
  bool is_starting;    /* somebody starts the one behind those, unlocked */
  bool waits_for_run;  /* for lack of memory nothing starts until one of those is done */

  /* How far memory goes for batches that were started, and single frames that were made ready; both
   * only ever fall. */
  uint32_t max_batch, max_running;

  YvBatchNet *net_to_make; /* a use of it; NULL: the maker has nothing to do */
  uint32_t size_to_make;
} YvBatcher;

/* The engine's, made where there is none. NULL with YV_ERROR_OUT_OF_MEMORY: no more threads. Any
 * thread, as all that follow. */
YvBatcher *yv_batcher_join (YvEngine *engine, GError **error);

/* Freed with the last; may wait for a size that is being made. */
void yv_batcher_leave (YvBatcher *batcher);

/* From now on the share's frames go to the network that these fit. It is ready for one frame, and,
 * unless @batch_size is 0, for as many, if there is memory. False with the codes of
 * yv_engine_use_runner(). */
bool yv_batcher_enter_net (YvBatcher *batcher, struct _YvShare *share, YvSettings *settings,
                           const YvLetterbox *letterbox, uint32_t batch_size, GError **error);
void yv_batcher_leave_net (YvBatcher *batcher, struct _YvShare *share);

/* Into the queue of the share's network, and out of it. The mutex is held. */
void yv_batcher_queue_locked (YvRequest *request);
void yv_batcher_take_out_locked (YvRequest *request);

/* What the share has in flight, or may have, has changed. The mutex is held. */
void yv_batcher_recount_locked (struct _YvShare *share);

/* Out of memory: gives up the largest size of batches that is ready, and waits for what of it is in
 * flight. False: there is none but that of single frames. Not from a YvReadyFunc. */
bool yv_batcher_make_room (YvBatcher *batcher);

/* Starts what may start. */
void yv_batcher_start (YvBatcher *batcher);

G_END_DECLS
