/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/facts.c - what a buffer's metadata says, as plain facts. */
#include "gst/facts.h"

#include <string.h>

#include "gst/detectionmeta.h"

#define ZONES_META_NAME "GstYolov7Zones"

/* Seconds from NTP's epoch, 1900, to 1970: RFC 5905, figure 4. */
#define NTP_TO_UNIX_NS (G_GUINT64_CONSTANT (2208988800) * GST_SECOND)

void
gst_yolov7_facts_init (GstYolov7Facts *facts)
{
  facts->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  facts->objects = g_array_new (FALSE, FALSE, sizeof (YvObjectFacts));
  facts->zones = g_array_new (FALSE, FALSE, sizeof (YvZoneFacts));
  facts->points = g_array_new (FALSE, FALSE, sizeof (double));
  facts->ntp = gst_caps_new_empty_simple ("timestamp/x-ntp");
}

void
gst_yolov7_facts_clear (GstYolov7Facts *facts)
{
  g_clear_pointer (&facts->found, g_array_unref);
  g_clear_pointer (&facts->objects, g_array_unref);
  g_clear_pointer (&facts->zones, g_array_unref);
  g_clear_pointer (&facts->points, g_array_unref);
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

static guint64
get_uint64 (const GstStructure *s, const char *name)
{
  guint64 value = 0;

  gst_structure_get_uint64 (s, name, &value);
  return value;
}

/* Returns: how many points there are; 0 where they are no numbers, or not in pairs. */
static guint
read_points (GstYolov7Facts *facts, const GstStructure *s)
{
  const GValue *points = gst_structure_get_value (s, "points");
  const guint before = facts->points->len;

  if (!points || !GST_VALUE_HOLDS_ARRAY (points))
    return 0;
  const guint n = gst_value_array_get_size (points);
  for (guint i = 0; i < n; i++) {
    const GValue *value = gst_value_array_get_value (points, i);
    if (n % 2 != 0 || !G_VALUE_HOLDS_DOUBLE (value) || !(g_value_get_double (value) >= 0)) {
      g_array_set_size (facts->points, before);
      return 0;
    }
    const double share = g_value_get_double (value);
    g_array_append_val (facts->points, share);
  }
  return n / 2;
}

static void
read_zone (GstYolov7Facts *facts, const GstStructure *s)
{
  const char *name = gst_structure_get_string (s, "name");
  const char *kind = gst_structure_get_string (s, "kind");
  guint count = 0;

  if (!name || !kind)
    return;
  const guint n_points = read_points (facts, s);
  if (n_points == 0)
    return;
  gst_structure_get_uint (s, "count", &count);
  const YvZoneFacts zone = {
      .name = name,
      .is_line = strcmp (kind, "line") == 0,
      .n_points = n_points,
      .count = count,
      .entered = get_uint64 (s, "entered"),
      .left = get_uint64 (s, "left"),
      .dwell_mean_ns = get_uint64 (s, "dwell-mean"),
      .dwell_max_ns = get_uint64 (s, "dwell-max"),
      .forward = get_uint64 (s, "forward"),
      .backward = get_uint64 (s, "backward"),
  };
  g_array_append_val (facts->zones, zone);
}

/* The array of points moves while it grows, so zones are shown theirs at the end. */
static void
show_points (GstYolov7Facts *facts)
{
  const double *points = (const double *) facts->points->data;

  for (guint i = 0; i < facts->zones->len; i++) {
    YvZoneFacts *zone = &g_array_index (facts->zones, YvZoneFacts, i);
    zone->points = points;
    points += 2 * zone->n_points;
  }
}

static void
read_zones (GstYolov7Facts *facts, GstBuffer *buffer)
{
  g_array_set_size (facts->zones, 0);
  g_array_set_size (facts->points, 0);
  /* Before any tracker made one there is no such kind of meta, and GStreamer minds the question. */
  GstCustomMeta *meta = gst_meta_get_info (ZONES_META_NAME)
                            ? gst_buffer_get_custom_meta (buffer, ZONES_META_NAME)
                            : NULL;
  const GValue *zones =
      meta ? gst_structure_get_value (gst_custom_meta_get_structure (meta), "zones") : NULL;

  if (!zones || !GST_VALUE_HOLDS_ARRAY (zones))
    return;
  for (guint i = 0; i < gst_value_array_get_size (zones); i++) {
    const GValue *value = gst_value_array_get_value (zones, i);
    if (GST_VALUE_HOLDS_STRUCTURE (value))
      read_zone (facts, gst_value_get_structure (value));
  }
  show_points (facts);
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
  const gboolean is_analysed =
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
  return is_analysed || facts->zones->len > 0;
}
