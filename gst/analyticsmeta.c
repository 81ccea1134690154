/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/analyticsmeta.c - detections as objects of a GstAnalyticsRelationMeta, since GStreamer 1.24.
 */
#include "gst/detectionmeta-private.h"

#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>

/* An empty one on an analysed frame clears the boxes of upstream's overlay. Both sizes are also the
 * steps by which it grows when a tracker adds to it, so neither may be 0. */
GstAnalyticsRelationMeta *
gst_yolov7_analytics_add (GstBuffer *buffer, guint n_detections)
{
  GstAnalyticsRelationMetaInitParams params = {
      .initial_relation_order = MAX (5, 2 * n_detections),
      .initial_buf_size = MAX (1024, 128 * n_detections),
  };

  return gst_buffer_add_analytics_relation_meta_full (buffer, &params);
}

/* Says which track the object @od_id belongs to. A detection does not tell when its track began:
 * the time of this frame is what we know, and 0, not NONE, where it has none, because bindings of
 * other languages take this time for a valid one. */
static void
attach_track (GstAnalyticsRelationMeta *relations, guint od_id, const GstYolov7Detection *d,
              GstClockTime pts)
{
  const GstClockTime seen = GST_CLOCK_TIME_IS_VALID (pts) ? pts : 0;
  GstAnalyticsTrackingMtd track;

  if (!gst_analytics_relation_meta_add_tracking_mtd (relations, (guint64) d->id, seen, &track))
    return;
  gst_analytics_relation_meta_set_relation (relations, GST_ANALYTICS_REL_TYPE_RELATE_TO, od_id,
                                            track.id);
  if (d->predicted)
    gst_analytics_tracking_mtd_set_lost (&track);
}

/* No entry for the class: readers take the object's type for its name, and upstream's overlay would
 * print the first class of a class entry instead. A confidence cannot be said to be unknown. */
gint
gst_yolov7_analytics_attach (GstAnalyticsRelationMeta *relations, guint frame_w, guint frame_h,
                             const GstYolov7Detection *d, GstClockTime pts)
{
  GstAnalyticsODMtd od;
  guint x, y, w, h;

  if (!relations)
    return -1;
  gst_yolov7_round_side (d->x, d->w, frame_w, &x, &w);
  gst_yolov7_round_side (d->y, d->h, frame_h, &y, &h);
  const GQuark label = g_quark_from_string (d->label ? d->label : "");
  if (!gst_analytics_relation_meta_add_od_mtd (relations, label, (gint) x, (gint) y, (gint) w,
                                               (gint) h, (gfloat) MAX (d->confidence, 0), &od))
    return -1;
  if (d->id >= 0)
    attach_track (relations, od.id, d, pts);
  return (gint) od.id;
}

/* Returns: the id of the track that the object belongs to, or -1. */
static gint64
read_track (GstAnalyticsRelationMeta *relations, guint od_id, gboolean *is_lost)
{
  GstAnalyticsTrackingMtd track;
  GstClockTime first_seen, last_seen;
  guint64 id;

  *is_lost = FALSE;
  if (!gst_analytics_relation_meta_get_direct_related (
          relations, od_id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
          gst_analytics_tracking_mtd_get_mtd_type (), NULL, &track) ||
      !gst_analytics_tracking_mtd_get_info (&track, &id, &first_seen, &last_seen, is_lost))
    return -1;
  return (gint64) MIN (id, (guint64) G_MAXINT64);
}

/* Returns: FALSE behind the last object. */
static gboolean
next_object (GstAnalyticsRelationMeta *relations, gpointer *state, GstAnalyticsODMtd *od)
{
  return relations && gst_analytics_relation_meta_iterate (
                          relations, state, gst_analytics_od_mtd_get_mtd_type (), od);
}

gboolean
gst_yolov7_analytics_read (GstBuffer *buffer, GArray *found)
{
  GstAnalyticsRelationMeta *relations = gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL;
  GstAnalyticsODMtd od;

  while (next_object (relations, &state, &od)) {
    gint x, y, w, h;
    gfloat confidence;
    if (!gst_analytics_od_mtd_get_location (&od, &x, &y, &w, &h, &confidence))
      continue;

    GstYolov7Detection d = {
        .x = x,
        .y = y,
        .w = w,
        .h = h,
        .confidence = (double) confidence,
        .objectness = -1,
        .class_index = -1,
        .label = g_quark_to_string (gst_analytics_od_mtd_get_obj_type (&od)),
    };
    d.id = read_track (relations, od.id, &d.predicted);
    g_array_append_val (found, d);
  }
  return relations != NULL;
}

void
gst_yolov7_analytics_set_ids (GstBuffer *buffer, const GArray *found)
{
  GstAnalyticsRelationMeta *relations = gst_buffer_get_analytics_relation_meta (buffer);
  gpointer state = NULL;
  guint next = 0;
  GstAnalyticsODMtd od;

  while (next_object (relations, &state, &od)) {
    gint x, y, w, h;
    gfloat confidence;
    gboolean is_lost;
    if (!gst_analytics_od_mtd_get_location (&od, &x, &y, &w, &h, &confidence))
      continue;
    const GstYolov7Described object = {x, y, w, h,
                                       g_quark_to_string (gst_analytics_od_mtd_get_obj_type (&od))};
    const GstYolov7Detection *d = gst_yolov7_find_described (found, &next, &object);
    if (d && d->id >= 0 && read_track (relations, od.id, &is_lost) < 0)
      attach_track (relations, od.id, d, GST_BUFFER_PTS (buffer));
  }
}

gboolean
gst_yolov7_analytics_is_on (GstBuffer *buffer)
{
  return gst_buffer_get_analytics_relation_meta (buffer) != NULL;
}

#else

struct _GstAnalyticsRelationMeta *
gst_yolov7_analytics_add (GstBuffer *buffer G_GNUC_UNUSED, guint n_detections G_GNUC_UNUSED)
{
  return NULL;
}

gint
gst_yolov7_analytics_attach (struct _GstAnalyticsRelationMeta *relations G_GNUC_UNUSED,
                             guint frame_w G_GNUC_UNUSED, guint frame_h G_GNUC_UNUSED,
                             const GstYolov7Detection *d G_GNUC_UNUSED,
                             GstClockTime pts G_GNUC_UNUSED)
{
  return -1;
}

gboolean
gst_yolov7_analytics_read (GstBuffer *buffer G_GNUC_UNUSED, GArray *found G_GNUC_UNUSED)
{
  return FALSE;
}

void
gst_yolov7_analytics_set_ids (GstBuffer *buffer G_GNUC_UNUSED, const GArray *found G_GNUC_UNUSED)
{
}

gboolean
gst_yolov7_analytics_is_on (GstBuffer *buffer G_GNUC_UNUSED)
{
  return FALSE;
}

#endif
