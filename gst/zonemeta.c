/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/zonemeta.c - zones as a custom meta. */
#include "gst/zonemeta.h"

#include <gst/video/video.h>

/* ---- writing -------------------------------------------------------------------------------- */

static void
append_double (GValue *array, double number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_value_set_double (&value, number);
  gst_value_array_append_and_take_value (array, &value);
}

static GstStructure *
structure_of_zone (const GstYolov7Zone *zone)
{
  const gboolean is_line = zone->kind == GST_YOLOV7_ZONE_LINE;
  GstStructure *s = gst_structure_new ("zone", "name", G_TYPE_STRING, zone->name, "kind",
                                       G_TYPE_STRING, is_line ? "line" : "zone", NULL);
  GValue points = G_VALUE_INIT;

  gst_value_array_init (&points, 2 * zone->n_points);
  for (guint i = 0; i < zone->n_points; i++) {
    append_double (&points, zone->points[i].x);
    append_double (&points, zone->points[i].y);
  }
  gst_structure_take_value (s, "points", &points);
  if (is_line)
    gst_structure_set (s, "forward", G_TYPE_UINT64, zone->forward, "backward", G_TYPE_UINT64,
                       zone->backward, NULL);
  else
    gst_structure_set (s, "count", G_TYPE_UINT, zone->count, "entered", G_TYPE_UINT64,
                       zone->entered, "left", G_TYPE_UINT64, zone->left, "dwell-mean",
                       G_TYPE_UINT64, zone->dwell_mean, "dwell-max", G_TYPE_UINT64, zone->dwell_max,
                       NULL);
  return s;
}

static gboolean
can_be_told (const GstYolov7Zone *zones, guint n_zones)
{
  if (n_zones > GST_YOLOV7_MAX_ZONES || (n_zones > 0 && !zones))
    return FALSE;
  for (guint i = 0; i < n_zones; i++)
    if (!zones[i].name || zones[i].n_points > GST_YOLOV7_MAX_ZONE_POINTS)
      return FALSE;
  return TRUE;
}

void
gst_yolov7_zones_attach (GstBuffer *buffer, const GstYolov7Zone *zones, guint n_zones)
{
  GValue array = G_VALUE_INIT;

  g_return_if_fail (gst_buffer_is_writable (buffer));
  g_return_if_fail (can_be_told (zones, n_zones));
  gst_yolov7_zones_register ();
  gst_value_array_init (&array, n_zones);
  for (guint i = 0; i < n_zones; i++) {
    GValue value = G_VALUE_INIT;
    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, structure_of_zone (&zones[i]));
    gst_value_array_append_and_take_value (&array, &value);
  }
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, GST_YOLOV7_ZONES_META_NAME);
  gst_structure_take_value (gst_custom_meta_get_structure (meta), "zones", &array);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Returns: (nullable): where it is missing or of another type */
static const GValue *
array_of (const GstStructure *s, const char *field)
{
  const GValue *array = gst_structure_get_value (s, field);

  return array && GST_VALUE_HOLDS_ARRAY (array) ? array : NULL;
}

static gboolean
read_share (const GValue *array, guint i, double *out)
{
  const GValue *value = gst_value_array_get_value (array, i);

  *out = G_VALUE_HOLDS_DOUBLE (value) ? g_value_get_double (value) : -1;
  return *out >= 0 && *out <= 1;
}

static gboolean
read_points (const GstStructure *s, GstYolov7Zone *zone)
{
  const GValue *array = array_of (s, "points");
  const guint n = array ? gst_value_array_get_size (array) / 2 : 0;
  const gboolean is_line = zone->kind == GST_YOLOV7_ZONE_LINE;

  if (n < (is_line ? 2 : 3) || n > (is_line ? 2 : GST_YOLOV7_MAX_ZONE_POINTS))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!read_share (array, 2 * i, &zone->points[i].x) ||
        !read_share (array, 2 * i + 1, &zone->points[i].y))
      return FALSE;
  zone->n_points = n;
  return TRUE;
}

static gboolean
read_zone (const GstStructure *s, GstYolov7Zone *zone)
{
  const char *kind = gst_structure_get_string (s, "kind");
  const gboolean is_line = g_strcmp0 (kind, "line") == 0;

  *zone = (GstYolov7Zone){.name = gst_structure_get_string (s, "name"),
                          .kind = is_line ? GST_YOLOV7_ZONE_LINE : GST_YOLOV7_ZONE_POLYGON};
  if (!zone->name || (!is_line && g_strcmp0 (kind, "zone") != 0) || !read_points (s, zone))
    return FALSE;
  gst_structure_get_uint (s, "count", &zone->count);
  gst_structure_get_uint64 (s, "entered", &zone->entered);
  gst_structure_get_uint64 (s, "left", &zone->left);
  gst_structure_get_uint64 (s, "dwell-mean", &zone->dwell_mean);
  gst_structure_get_uint64 (s, "dwell-max", &zone->dwell_max);
  gst_structure_get_uint64 (s, "forward", &zone->forward);
  gst_structure_get_uint64 (s, "backward", &zone->backward);
  return TRUE;
}

gboolean
gst_yolov7_zones_read (GstBuffer *buffer, GArray *found)
{
  gpointer state = NULL;
  gboolean is_there = FALSE;
  GstMeta *meta;

  gst_yolov7_zones_register ();
  g_array_set_size (found, 0);
  const GType api = gst_meta_get_info (GST_YOLOV7_ZONES_META_NAME)->api;
  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, api))) {
    const GValue *array =
        array_of (gst_custom_meta_get_structure ((GstCustomMeta *) meta), "zones");
    is_there = TRUE;
    const guint n = array ? gst_value_array_get_size (array) : 0;
    for (guint i = 0; i < n && found->len < GST_YOLOV7_MAX_ZONES; i++) {
      const GValue *item = gst_value_array_get_value (array, i);
      GstYolov7Zone zone;
      if (GST_VALUE_HOLDS_STRUCTURE (item) && read_zone (gst_value_get_structure (item), &zone))
        g_array_append_val (found, zone);
    }
  }
  return is_there;
}

/* ---- travelling ----------------------------------------------------------------------------- */

static void
copy_fields (const GstStructure *from, GstStructure *to)
{
  for (gint i = 0; i < gst_structure_n_fields (from); i++) {
    const char *name = gst_structure_nth_field_name (from, i);
    gst_structure_set_value (to, name, gst_structure_get_value (from, name));
  }
}

/* A part of the bytes is not the frame, and what turns or crops it says nothing that we could
 * follow: there the meta is not copied. */
static gboolean
transform_meta (GstBuffer *to, GstCustomMeta *meta, GstBuffer *from, GQuark type, gpointer data,
                gpointer user_data)
{
  const gboolean is_copy = GST_META_TRANSFORM_IS_COPY (type);
  (void) from;
  (void) user_data;

  if (!is_copy && !GST_VIDEO_META_TRANSFORM_IS_SCALE (type))
    return FALSE;
  if (is_copy && ((const GstMetaTransformCopy *) data)->region)
    return FALSE;
  GstCustomMeta *copy = gst_buffer_add_custom_meta (to, GST_YOLOV7_ZONES_META_NAME);
  copy_fields (gst_custom_meta_get_structure (meta), gst_custom_meta_get_structure (copy));
  return TRUE;
}

void
gst_yolov7_zones_register (void)
{
  static gsize registered = 0;
  static const char *tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
                               GST_META_TAG_VIDEO_ORIENTATION_STR, NULL};

  g_return_if_fail (gst_is_initialized ()); /* else it would fail, and for good */
  if (!g_once_init_enter (&registered))
    return;
  /* It is there already where a process holds this code twice: an application and the plugin. */
  if (!gst_meta_get_info (GST_YOLOV7_ZONES_META_NAME))
    gst_meta_register_custom (GST_YOLOV7_ZONES_META_NAME, tags, transform_meta, NULL, NULL);
  g_once_init_leave (&registered, 1);
}
