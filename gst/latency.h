/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/latency.h - which latency an element reports, from those that it measures.
 *
 * Each new value makes the whole pipeline agree on a latency again, and sinks wait for it; so there
 * are few of them: 1 ms, and then each a quarter more than the one before. The value rises at once
 * when a frame took longer, because frames that come later than reported are dropped by sinks. It
 * falls when it was more than twice too high for GST_YOLOV7_LATENCY_FRAMES frames on end.
 *
 * Pure. Threads: one at a time; who shares it has a lock.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

G_BEGIN_DECLS

#define GST_YOLOV7_LATENCY_FRAMES 512

/* All zero: no frame yet. */
typedef struct {
  GstClockTime reported; /* what to answer the LATENCY query with; 0 before the first frame */
  GstClockTime largest;  /* of the frames since the last that took half of it or longer */
  guint n_frames;        /* of these, < GST_YOLOV7_LATENCY_FRAMES */
} GstYolov7Latency;

/* @measured: of one frame, from its arrival until it is given on; any time but
 * GST_CLOCK_TIME_NONE.
 * Returns: whether reported has changed: post a LATENCY message. */
bool gst_yolov7_latency_update (GstYolov7Latency *latency, GstClockTime measured);

/* The monotonic clock that is measured with. */
GstClockTime gst_yolov7_latency_now (void);

G_END_DECLS
