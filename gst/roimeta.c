/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/roimeta.c - detections as GstVideoRegionOfInterestMeta, with what DL Streamer writes into it.
 */
#include "gst/detectionmeta-private.h"

static GstStructure *
dlstreamer_structure (const GstYolov7Detection *d, guint frame_w, guint frame_h)
{
  GstStructure *s = gst_structure_new ("detection", "x_min", G_TYPE_DOUBLE, d->x / frame_w, "x_max",
                                       G_TYPE_DOUBLE, (d->x + d->w) / frame_w, "y_min",
                                       G_TYPE_DOUBLE, d->y / frame_h, "y_max", G_TYPE_DOUBLE,
                                       (d->y + d->h) / frame_h, "rotation", G_TYPE_DOUBLE, 0.0,
                                       "label", G_TYPE_STRING, d->label ? d->label : "", NULL);

  if (d->class_index >= 0)
    gst_structure_set (s, "label_id", G_TYPE_INT, d->class_index, NULL);
  if (d->confidence >= 0)
    gst_structure_set (s, "confidence", G_TYPE_DOUBLE, d->confidence, NULL);
  if (d->predicted)
    gst_structure_set (s, "predicted", G_TYPE_BOOLEAN, TRUE, NULL);
  return s;
}

static void
set_object_id (GstVideoRegionOfInterestMeta *roi, gint64 id)
{
  GstStructure *s = gst_video_region_of_interest_meta_get_param (roi, "object_id");

  if (id > G_MAXINT) /* DL Streamer's field has no room for it */
    return;
  if (s)
    gst_structure_set (s, "id", G_TYPE_INT, (gint) id, NULL);
  else
    gst_video_region_of_interest_meta_add_param (
        roi, gst_structure_new ("object_id", "id", G_TYPE_INT, (gint) id, NULL));
}

void
gst_yolov7_roi_attach (GstBuffer *buffer, guint frame_w, guint frame_h, const GstYolov7Detection *d,
                       gint id)
{
  guint x, y, w, h;

  gst_yolov7_round_side (d->x, d->w, frame_w, &x, &w);
  gst_yolov7_round_side (d->y, d->h, frame_h, &y, &h);
  GstVideoRegionOfInterestMeta *roi =
      gst_buffer_add_video_region_of_interest_meta (buffer, d->label ? d->label : "", x, y, w, h);
  roi->id = id;
  roi->parent_id = -1;
  gst_video_region_of_interest_meta_add_param (roi, dlstreamer_structure (d, frame_w, frame_h));
  if (d->id >= 0)
    set_object_id (roi, d->id);
}

/* What DL Streamer, our own elements and GStreamer 1.22's onnxobjectdetector write. */
static void
read_roi_params (GstVideoRegionOfInterestMeta *roi, GstYolov7Detection *out)
{
  const GstStructure *s = gst_video_region_of_interest_meta_get_param (roi, "detection");
  if (s) {
    gst_structure_get_double (s, "confidence", &out->confidence);
    gst_structure_get_int (s, "label_id", &out->class_index);
    gst_structure_get_boolean (s, "predicted", &out->predicted);
  }

  s = gst_video_region_of_interest_meta_get_param (roi, "extra-data");
  if (s)
    gst_structure_get_double (s, "score", &out->confidence);

  gint id = -1;
  s = gst_video_region_of_interest_meta_get_param (roi, "object_id");
  if (s && gst_structure_get_int (s, "id", &id))
    out->id = id;
}

gboolean
gst_yolov7_roi_read (GstBuffer *buffer, GArray *found)
{
  gboolean analysed = FALSE;
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
                                                   GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    GstVideoRegionOfInterestMeta *roi = (GstVideoRegionOfInterestMeta *) meta;
    GstYolov7Detection d = {
        .x = roi->x,
        .y = roi->y,
        .w = roi->w,
        .h = roi->h,
        .confidence = -1,
        .objectness = -1,
        .class_index = -1,
        .id = -1,
        .label = g_quark_to_string (roi->roi_type),
    };
    read_roi_params (roi, &d);
    g_array_append_val (found, d);
    analysed = TRUE;
  }
  return analysed;
}

void
gst_yolov7_roi_set_ids (GstBuffer *buffer, const GArray *found)
{
  gpointer state = NULL;
  guint next = 0;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
                                                   GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    GstVideoRegionOfInterestMeta *roi = (GstVideoRegionOfInterestMeta *) meta;
    const GstYolov7Described object = {roi->x, roi->y, roi->w, roi->h,
                                       g_quark_to_string (roi->roi_type)};
    const GstYolov7Detection *d = gst_yolov7_find_described (found, &next, &object);
    if (d && d->id >= 0)
      set_object_id (roi, d->id);
  }
}
