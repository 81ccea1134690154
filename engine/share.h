/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/share.h - one stream's share of the batcher: its frames in flight, in order.
 *
 * In:   frames that stream.c has checked and fitted.
 * Next: the batcher (batcher.h), which runs them with those of other streams.
 *
 * One thread submits and replaces; another may collect and abandon meanwhile.
 */
#pragma once

#include "engine/batcher.h"
#include "engine/request.h"

G_BEGIN_DECLS

/* Beside those in flight: the one that was collected last, and one to replace another with. */
#define YV_SHARE_REQUESTS (YV_MAX_IN_FLIGHT + 2)

typedef struct _YvShare YvShare;
struct _YvShare {
  YvBatcher *batcher;                    /* a use of it */
  YvRequest requests[YV_SHARE_REQUESTS]; /* the lowest that is idle is taken, so that no more have
                                             memory than are ever needed at once */

  /* Under the batcher's mutex. */
  YvBatchNet *net;                        /* a use of it: where the last frame went; or NULL */
  YvRequest *in_flight[YV_MAX_IN_FLIGHT]; /* the oldest first; none is idle */
  uint32_t n_in_flight, max_in_flight;
  YvRequest *collected; /* whose result the caller may be reading; or NULL */
  uint32_t n_running;
  bool is_waiting;  /* counted in net->n_streams_waiting */
  bool is_expected; /* counted in net->n_expected */
  uint64_t epoch;   /* counted in net->n_active where it is the same */

  YvReadyFunc ready;
  void *ready_data;
  uint32_t n_calls; /* of it, that are going on or will come */
  GCond changed;    /* a frame is done, n_running or n_calls fell */
};

/* NULL with YV_ERROR_OUT_OF_MEMORY: no more threads. The engine outlives it. */
YvShare *yv_share_new (YvEngine *engine, GError **error);
void yv_share_free (YvShare *share); /* NULL ok; see yv_stream_free() */

/* See the functions of yolov7.h of these names. */
bool yv_share_prepare (YvShare *share, YvSettings *settings, const YvLetterbox *letterbox,
                       GError **error);
bool yv_share_submit (YvShare *share, YvSettings *settings, const YvImage *image,
                      const YvLetterbox *letterbox, GError **error);
bool yv_share_replace (YvShare *share, YvSettings *settings, const YvImage *image,
                       const YvLetterbox *letterbox, bool *replaced, GError **error);
const YvDetections *yv_share_collect (YvShare *share, GError **error);
bool yv_share_is_ready (YvShare *share);
uint32_t yv_share_n_in_flight (YvShare *share);
void yv_share_abandon (YvShare *share);
void yv_share_set_ready_func (YvShare *share, YvReadyFunc ready, void *user_data);

G_END_DECLS
