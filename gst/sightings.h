/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/sightings.h - detections as a tracker takes them, and what it foretells as detections again.
 *
 * In:    what was found on a buffer (gst/detectionmeta.h); the predictions of a YvTracker.
 * Out:   sightings, whose class keys stand for labels, and detections with those labels.
 * Next:  gst/gstyolov7tracker.c. Threads: one at a time per object.
 */
#pragma once

#include "gst/detectionmeta.h"
#include "gst/track/tracker.h"

G_BEGIN_DECLS

/* Every label that was met, and memory that is used again. */
typedef struct _GstYolov7Sightings GstYolov7Sightings;

GstYolov7Sightings *gst_yolov7_sightings_new (void);
void gst_yolov7_sightings_free (GstYolov7Sightings *sightings);

/* @found: (element-type GstYolov7Detection). Predicted ones are sightings that never count.
 * Returns: (element-type YvSighting) (transfer none): one each, in order, until the next call */
GArray *gst_yolov7_sightings_of (GstYolov7Sightings *sightings, const GArray *found);

/* Returns: (element-type GstYolov7Detection) (transfer none): what @tracker predicts inside of a
 * frame of this size, clipped to it; until the next call */
const GArray *gst_yolov7_sightings_predicted (GstYolov7Sightings *sightings,
                                              const YvTracker *tracker, guint frame_w,
                                              guint frame_h);

G_END_DECLS
