/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/tally.h - counts what an element does, for its property "stats".
 *
 * Not thread safe: who counts has a lock. Allocates nothing but the report.
 */
#pragma once

#include "engine/yolov7.h"
#include "gst/latency.h"
#include "gst/meter.h"
#include "gst/report.h"

G_BEGIN_DECLS

/* All zero: nothing yet. */
typedef struct {
  GstYolov7Stats stats; /* of it the counts of frames; the rest is filled for a report */
  double n_runs;        /* of the device: each frame's share of its own */
  GstYolov7Meter meters[GST_YOLOV7_N_STAGES];
} GstYolov7Tally;

/* @is_imported: the frame lay in memory of others that the device can read. */
void gst_yolov7_tally_found (GstYolov7Tally *tally, const YvDetections *found,
                             gboolean is_imported);

/* What was counted, without what an engine knows. */
GstYolov7Stats gst_yolov7_tally_read (const GstYolov7Tally *tally);

/* @engine: (nullable). Returns: (transfer full): see gst_yolov7_report_stats(). */
GstStructure *gst_yolov7_tally_report (GstYolov7Stats *stats, YvEngine *engine);

G_END_DECLS
