/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/detectionmeta-private.h - what the files behind gst/detectionmeta.h share: it is one thing to
 * everybody else, and one file for each kind of meta inside. */
#pragma once

#include <gst/video/video.h>

#include "gst/detectionmeta.h"

G_BEGIN_DECLS

/* One side in whole pixels: at least one, inside a frame that has @limit of them. */
void gst_yolov7_round_side (double start, double size, guint limit, guint *out_start,
                            guint *out_size);

/* An object that some meta describes. */
typedef struct {
  double x, y, w, h; /* frame px */
  const char *label; /* (nullable) */
} GstYolov7Described;

/* Finds the detection that @object describes, too: same label, and but for rounding same box.
 * Objects come in the order of the detections; some detections may have none, and some objects no
 * detection.
 * @found: (element-type GstYolov7Detection)
 * @next: (inout): where to begin; 0 for the first object
 * Returns: (nullable): */
const GstYolov7Detection *gst_yolov7_find_described (const GArray *found, guint *next,
                                                     const GstYolov7Described *object);

/* ---- GstYolov7Detections: one of them ------------------------------------------------------- */

/* Returns: (transfer full): */
GstStructure *gst_yolov7_structure_of (const GstYolov7Detection *d);

/* All of @out is set; fields that are missing, or of another type, are not known, and those of
 * others are left alone. The label is borrowed from @s. */
void gst_yolov7_structure_read (const GstStructure *s, GstYolov7Detection *out);

/* ---- GstVideoRegionOfInterestMeta ----------------------------------------------------------- */

void gst_yolov7_roi_attach (GstBuffer *buffer, guint frame_w, guint frame_h,
                            const GstYolov7Detection *d, gint id);

/* Appends to @found. Returns: whether there is any. */
gboolean gst_yolov7_roi_read (GstBuffer *buffer, GArray *found);

/* The ids of @found onto the regions of the same detections. */
void gst_yolov7_roi_set_ids (GstBuffer *buffer, const GArray *found);

/* ---- GstAnalyticsRelationMeta: none of these does anything where built without -------------- */

/* Returns: (nullable): for n_detections ODs; NULL where built without. */
struct _GstAnalyticsRelationMeta *gst_yolov7_analytics_add (GstBuffer *buffer, guint n_detections);

/* @relations: (nullable). Returns: the id that a region of the same box must have, or -1. */
gint gst_yolov7_analytics_attach (struct _GstAnalyticsRelationMeta *relations, guint frame_w,
                                  guint frame_h, const GstYolov7Detection *d, GstClockTime pts);

/* Appends to @found. Returns: whether there is a relation meta, with objects or without. */
gboolean gst_yolov7_analytics_read (GstBuffer *buffer, GArray *found);

/* The ids of @found onto the ODs of the same detections that have none. */
void gst_yolov7_analytics_set_ids (GstBuffer *buffer, const GArray *found);

/* Returns: whether @buffer has a relation meta. */
gboolean gst_yolov7_analytics_is_on (GstBuffer *buffer);

G_END_DECLS
