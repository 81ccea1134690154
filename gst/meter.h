/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/meter.h - how long one stage of the work took, over the last frames.
 *
 * Pure. Threads: one at a time; who shares a meter has a lock.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define GST_YOLOV7_METER_LENGTH 512 /* durations that are kept: 20 s of 25 frames each */

/* All zero: nothing measured yet. */
typedef struct {
  guint64 n_added; /* durations, from the first on */
  guint64 durations_ns[GST_YOLOV7_METER_LENGTH];
} GstYolov7Meter;

/* Of the durations that are kept; 0 while there are none. */
typedef struct {
  guint64 mean_ns; /* rounded down */
  guint64 p99_ns;  /* at least 99 of 100 are no longer: one that was measured, not between two */
} GstYolov7Measured;

/* @duration_ns: at most 2^54, which is half a year. Allocates nothing. */
void gst_yolov7_meter_add (GstYolov7Meter *meter, guint64 duration_ns);

/* Looks at each duration that is kept; a few us. Allocates nothing. */
GstYolov7Measured gst_yolov7_meter_read (const GstYolov7Meter *meter);

G_END_DECLS
