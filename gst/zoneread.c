/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/zoneread.c - the zones and lines of a tracker, read to be drawn. */
#include "gst/zoneread.h"

#include <math.h>

#define META_NAME "GstYolov7Zones"
#define MAX_ZONES 64 /* as many as can be told apart */

static const GValue *
array_of (const GstStructure *s, const char *field)
{
  const GValue *value = gst_structure_get_value (s, field);

  return value && GST_VALUE_HOLDS_ARRAY (value) ? value : NULL;
}

/* Returns: how many pairs were added; 0, and nothing added, where they are no points. */
static guint
read_points (const GstStructure *s, GArray *points)
{
  const GValue *array = array_of (s, "points");
  const guint n = array ? gst_value_array_get_size (array) / 2 : 0;
  const guint first = points->len;

  for (guint i = 0; i < 2 * MIN (n, YV_ZONELINES_MAX_POINTS); i++) {
    const GValue *item = gst_value_array_get_value (array, i);
    const double share = G_VALUE_HOLDS_DOUBLE (item) ? g_value_get_double (item) : NAN;
    if (!isfinite (share)) {
      g_array_set_size (points, first);
      return 0;
    }
    g_array_append_val (points, share);
  }
  return MIN (n, YV_ZONELINES_MAX_POINTS);
}

static void
read_zone (const GstStructure *s, GArray *zones, GArray *points)
{
  const char *name = gst_structure_get_string (s, "name");
  const gboolean is_line = g_strcmp0 (gst_structure_get_string (s, "kind"), "line") == 0;
  YvZoneLines zone = {.name = name ? name : "", .is_line = is_line};

  zone.n_points = read_points (s, points);
  if (zone.n_points == 0)
    return;
  gst_structure_get_uint (s, "count", &zone.n_inside);
  gst_structure_get_uint64 (s, is_line ? "forward" : "entered", &zone.n_in);
  gst_structure_get_uint64 (s, is_line ? "backward" : "left", &zone.n_out);
  g_array_append_val (zones, zone);
}

/* Arrays move while they grow. */
static void
connect_points (GArray *zones, const GArray *points)
{
  const double *next = (const double *) (const void *) points->data;

  for (guint i = 0; i < zones->len; i++) {
    YvZoneLines *zone = &g_array_index (zones, YvZoneLines, i);
    zone->points = next;
    next += 2 * zone->n_points;
  }
}

void
gst_yolov7_zones_read (GstBuffer *buffer, GArray *zones, GArray *points)
{
  g_array_set_size (zones, 0);
  g_array_set_size (points, 0);
  if (!gst_meta_get_info (META_NAME))
    return;

  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, META_NAME);
  const GValue *array = meta ? array_of (gst_custom_meta_get_structure (meta), "zones") : NULL;
  const guint n = array ? gst_value_array_get_size (array) : 0;
  for (guint i = 0; i < n && zones->len < MAX_ZONES; i++) {
    const GValue *item = gst_value_array_get_value (array, i);
    if (GST_VALUE_HOLDS_STRUCTURE (item))
      read_zone (gst_value_get_structure (item), zones, points);
  }
  connect_points (zones, points);
}
