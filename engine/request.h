/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/request.h - one frame of a stream that shares batches, from submit until it is collected.
 *
 * In:   a frame, fitted (stream.c).
 * Next: the batcher (batcher.h) queues and runs it, the stream's share (share.h) hands it out.
 *
 * Its memory grows to the largest frame and the busiest one seen, and stays.
 */
#pragma once

#include "engine/engine.h"
#include "engine/settings.h"

G_BEGIN_DECLS

typedef enum {
  YV_REQUEST_IDLE,    /* the thread's that submits */
  YV_REQUEST_QUEUED,  /* the batcher's */
  YV_REQUEST_RUNNING, /* the batcher's, and nobody takes it out */
  YV_REQUEST_DONE,    /* the thread's that collects */
} YvRequestState;

typedef struct _YvRequest YvRequest;
struct _YvRequest {
  /* Under the batcher's mutex. */
  YvRequestState state;
  struct _YvShare *share;  /* borrowed: whose it is */
  struct _YvBatchNet *net; /* a use of it, while queued; else NULL */
  YvRequest *next;         /* in the queue: the younger one */
  uint64_t index;          /* of all requests of the batcher: the smaller, the older */
  int64_t queued_us;       /* since when its place in the queue is taken */

  /* Of whom the state says. */
  YvSettings *settings; /* a reference, unless idle; else NULL */
  YvImage image;        /* the caller's where the device reads it in place, else a packed copy */
  YvLetterbox letterbox;
  YvFrameMemory *memory; /* for that copy; NULL: none was needed yet */
  size_t memory_bytes;
  bool was_copied;
  uint64_t copy_ns;
  int64_t submit_us;

  YvDetections result; /* once done, unless it failed */
  YvDetection *detections;
  uint32_t n_detections_reserved;
  GError *error; /* why it failed; NULL: it didn't */
};

/* Takes a frame over: settings, fit, and its pixels, unless the device reads them where they are.
 * False, and still idle, with YV_ERROR_OUT_OF_MEMORY. */
bool yv_request_fill (YvRequest *request, YvEngine *engine, YvSettings *settings,
                      const YvImage *image, const YvLetterbox *letterbox, GError **error);

/* Copies what a batch found in the frame. */
void yv_request_take_result (YvRequest *request, const YvDetections *found, int64_t start_us);

/* Becomes idle: drops settings and error. What is in result stays. */
void yv_request_reset (YvRequest *request);
void yv_request_clear (YvRequest *request); /* zeroed ok */

G_END_DECLS
