/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/facts.c - what a buffer's metadata says, as plain facts. */
#include "gst/facts.h"

#include "gst/detectionmeta.h"
#include "gst/zonemeta.h"

/* Seconds from NTP's epoch, 1900, to 1970: RFC 5905, figure 4. */
#define NTP_TO_UNIX_NS (G_GUINT64_CONSTANT (2208988800) * GST_SECOND)

void
gst_yolov7_facts_init (GstYolov7Facts *facts)
{
  facts->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  facts->objects = g_array_new (FALSE, FALSE, sizeof (YvObjectFacts));
  facts->zones = g_array_new (FALSE, FALSE, sizeof (YvZoneFacts));
  facts->read = g_array_new (FALSE, FALSE, sizeof (GstYolov7Zone));
  facts->ntp = gst_caps_new_empty_simple ("timestamp/x-ntp");
}

void
gst_yolov7_facts_clear (GstYolov7Facts *facts)
{
  g_clear_pointer (&facts->found, g_array_unref);
  g_clear_pointer (&facts->objects, g_array_unref);
  g_clear_pointer (&facts->zones, g_array_unref);
  g_clear_pointer (&facts->read, g_array_unref);
  gst_clear_caps (&facts->ntp);
}

static void
read_objects (GstYolov7Facts *facts)
{
  g_array_set_size (facts->objects, 0);
  for (guint i = 0; i < facts->found->len; i++) {
    const GstYolov7Detection *d = &g_array_index (facts->found, GstYolov7Detection, i);
    const YvObjectFacts object = {
        .x = d->x,
        .y = d->y,
        .w = d->w,
        .h = d->h,
        .confidence = d->confidence,
        .label = d->label,
        .label_id = d->class_index,
        .id = d->id,
        .is_predicted = d->predicted,
    };
    g_array_append_val (facts->objects, object);
  }
}

/* ---- zones ---------------------------------------------------------------------------------- */

_Static_assert(sizeof (GstYolov7ZonePoint) == 2 * sizeof (double), "points are x, y, x, y, ...");

static void
read_zones (GstYolov7Facts *facts, GstBuffer *buffer)
{
  gst_yolov7_zones_read (buffer, facts->read);
  g_array_set_size (facts->zones, 0);
  for (guint i = 0; i < facts->read->len; i++) {
    const GstYolov7Zone *zone = &g_array_index (facts->read, GstYolov7Zone, i);
    const YvZoneFacts told = {
        .name = zone->name,
        .is_line = zone->kind == GST_YOLOV7_ZONE_LINE,
        .points = &zone->points[0].x,
        .n_points = zone->n_points,
        .count = zone->count,
        .entered = zone->entered,
        .left = zone->left,
        .dwell_mean_ns = zone->dwell_mean,
        .dwell_max_ns = zone->dwell_max,
        .forward = zone->forward,
        .backward = zone->backward,
    };
    g_array_append_val (facts->zones, told);
  }
}

/* ---- all of it ------------------------------------------------------------------------------ */

static gint64
sender_time (const GstYolov7Facts *facts, GstBuffer *buffer)
{
  const GstReferenceTimestampMeta *meta =
      gst_buffer_get_reference_timestamp_meta (buffer, facts->ntp);

  if (!meta || meta->timestamp < NTP_TO_UNIX_NS || !GST_CLOCK_TIME_IS_VALID (meta->timestamp))
    return -1;
  const guint64 ns = meta->timestamp - NTP_TO_UNIX_NS;
  return ns <= G_MAXINT64 ? (gint64) ns : -1;
}

gboolean
gst_yolov7_facts_read (GstYolov7Facts *facts, GstBuffer *buffer, guint frame_w, guint frame_h,
                       YvFrameFacts *out)
{
  const gboolean has_objects =
      frame_w > 0 && frame_h > 0
          ? gst_yolov7_detections_read_scaled (buffer, frame_w, frame_h, facts->found)
          : gst_yolov7_detections_read (buffer, facts->found);

  read_objects (facts);
  read_zones (facts, buffer);
  out->objects = (const YvObjectFacts *) facts->objects->data;
  out->n_objects = facts->objects->len;
  out->zones = (const YvZoneFacts *) facts->zones->data;
  out->n_zones = facts->zones->len;
  out->width = frame_w;
  out->height = frame_h;
  out->sender_ns = sender_time (facts, buffer);
  return has_objects && !gst_yolov7_detections_are_predicted (buffer);
}
