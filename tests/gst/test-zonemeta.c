/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-zonemeta.c - gst/zonemeta.h: what is told of zones, and what is left of it behind
 * the elements that a pipeline may hold. */
#include "gst/zonemeta.h"

#include <gst/check/gstharness.h>
#include <math.h>

#include "gst/zonewatch.h"
#include "tests/gst/zonescene.h"

#define BOTH                                                                                       \
  "{'zones': [{'name': 'z\xc3\xb6ne', 'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75]]}],"         \
  "'lines': [{'name': 'l', 'from': [0.6,0], 'to': [0.6,1]}]}"

/* After two visits of the zone, of 1 s and 2 s, while a third goes on, and three crossings. */
static void
make_scene (Scene *scene)
{
  static const double xs[] = {500, 700, 900, 700, 700, 500, 800, 700};

  scene_init (scene, BOTH);
  for (guint i = 0; i < G_N_ELEMENTS (xs); i++)
    show_at (scene, xs[i], 400);
  g_assert_cmpstr (scene->log->str, ==, "+1 <1 -1/2 +1 >1 -1/3 <1 +1");
}

static GstBuffer *
told_buffer_new (void)
{
  g_auto (Scene) scene = {0};
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 320 * 240 * 3 / 2, NULL);

  make_scene (&scene);
  gst_buffer_memset (buffer, 0, 0x80, 320 * 240 * 3 / 2);
  g_autoptr (GArray) told = g_array_new (FALSE, FALSE, sizeof (GstYolov7Zone));
  gst_yolov7_zones_list (scene.zones, told);
  gst_yolov7_zones_attach (buffer, (const GstYolov7Zone *) told->data, told->len);
  return buffer;
}

static GArray *
read_new (GstBuffer *buffer, gboolean *is_there)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Zone));

  *is_there = gst_yolov7_zones_read (buffer, found);
  return found;
}

static void
assert_is_told (GstBuffer *buffer)
{
  gboolean is_there;
  g_autoptr (GArray) found = read_new (buffer, &is_there);

  g_assert_true (is_there);
  g_assert_cmpuint (found->len, ==, 2);
  const GstYolov7Zone *zone = &g_array_index (found, GstYolov7Zone, 0);
  const GstYolov7Zone *line = &g_array_index (found, GstYolov7Zone, 1);
  g_assert_cmpstr (zone->name, ==, "z\xc3\xb6ne");
  g_assert_true (zone->kind == GST_YOLOV7_ZONE_POLYGON && line->kind == GST_YOLOV7_ZONE_LINE);
  g_assert_cmpuint (zone->n_points, ==, 3);
  g_assert_cmpfloat (zone->points[2].x, ==, 0.75);
  g_assert_cmpfloat (zone->points[2].y, ==, 0.75);
  g_assert_cmpuint (zone->count, ==, 1);
  g_assert_cmpuint (zone->entered, ==, 3);
  g_assert_cmpuint (zone->left, ==, 2);
  g_assert_cmpuint (zone->dwell_mean, ==, 5 * GST_SECOND / 2);
  g_assert_cmpuint (zone->dwell_max, ==, 3 * GST_SECOND);
  g_assert_cmpstr (line->name, ==, "l");
  g_assert_cmpuint (line->n_points, ==, 2);
  g_assert_cmpfloat (line->points[0].x, ==, 0.6);
  g_assert_cmpfloat (line->points[1].y, ==, 1);
  g_assert_cmpuint (line->forward, ==, 1);
  g_assert_cmpuint (line->backward, ==, 2);
}

static void
what_is_attached_is_read_back (void)
{
  g_autoptr (GstBuffer) buffer = told_buffer_new ();

  assert_is_told (buffer);
}

/* As an application reads it, without our header. */
static void
the_structure_is_as_documented (void)
{
  g_autoptr (GstBuffer) buffer = told_buffer_new ();
  const GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstYolov7Zones");
  const GstStructure *s = gst_custom_meta_get_structure ((GstCustomMeta *) meta);
  g_autofree char *text = gst_structure_to_string (s);

  g_assert_cmpuint (gst_value_array_get_size (gst_structure_get_value (s, "zones")), ==, 2);
  const GstStructure *zone =
      gst_value_get_structure (gst_value_array_get_value (gst_structure_get_value (s, "zones"), 0));
  const GstStructure *line =
      gst_value_get_structure (gst_value_array_get_value (gst_structure_get_value (s, "zones"), 1));
  static const struct {
    const char *name;
    GType type;
  } of_zone[] = {{"name", G_TYPE_STRING},     {"kind", G_TYPE_STRING},
                 {"count", G_TYPE_UINT},      {"entered", G_TYPE_UINT64},
                 {"left", G_TYPE_UINT64},     {"dwell-mean", G_TYPE_UINT64},
                 {"dwell-max", G_TYPE_UINT64}},
    of_line[] = {{"name", G_TYPE_STRING},
                 {"kind", G_TYPE_STRING},
                 {"forward", G_TYPE_UINT64},
                 {"backward", G_TYPE_UINT64}};
  g_assert_true (gst_structure_has_name (zone, "zone") && gst_structure_has_name (line, "zone"));
  for (guint i = 0; i < G_N_ELEMENTS (of_zone); i++)
    g_assert_true (gst_structure_has_field_typed (zone, of_zone[i].name, of_zone[i].type));
  for (guint i = 0; i < G_N_ELEMENTS (of_line); i++)
    g_assert_true (gst_structure_has_field_typed (line, of_line[i].name, of_line[i].type));
  g_assert_false (gst_structure_has_field (line, "count"));
  g_assert_false (gst_structure_has_field (zone, "forward"));
  g_assert_true (gst_structure_has_field_typed (zone, "points", GST_TYPE_ARRAY));
  g_assert_cmpuint (gst_value_array_get_size (gst_structure_get_value (zone, "points")), ==, 6);
  g_assert_cmpuint (gst_value_array_get_size (gst_structure_get_value (line, "points")), ==, 4);
  g_assert_nonnull (text); /* it can be written, as to a log */
}

static void
it_survives_what_keeps_or_scales_the_picture (void)
{
  static const struct {
    const char *launch, *format;
    guint w, h;
  } rows[] = {
      {"queue", "I420", 320, 240},
      {"videoconvert", "RGB", 320, 240},
      {"videoconvert n-threads=2", "NV12", 320, 240},
      {"videoscale", "I420", 640, 480},
      {"videoscale", "I420", 100, 300},
      {"videoconvert ! videoscale ! queue ! videoconvert", "GRAY8", 64, 64},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstHarness *h = gst_harness_new_parse (rows[i].launch);
    g_autofree char *caps =
        g_strdup_printf ("video/x-raw, format=%s, width=%u, height=%u, framerate=25/1",
                         rows[i].format, rows[i].w, rows[i].h);
    gst_harness_set_caps_str (h, "video/x-raw, format=I420, width=320, height=240, framerate=25/1",
                              caps);
    GstBuffer *buffer = told_buffer_new ();
    GST_BUFFER_PTS (buffer) = 0;
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, buffer);
    assert_is_told (out);
    gst_harness_teardown (h);
  }
}

static void
a_deep_copy_keeps_it_and_a_part_loses_it (void)
{
  g_autoptr (GstBuffer) buffer = told_buffer_new ();
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (buffer);
  g_autoptr (GstBuffer) part =
      gst_buffer_copy_region (buffer, GST_BUFFER_COPY_META | GST_BUFFER_COPY_MEMORY, 16, 160);

  assert_is_told (copy);
  g_assert_null (gst_buffer_get_custom_meta (part, GST_YOLOV7_ZONES_META_NAME));
}

static void
a_buffer_without_it_says_nothing (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  gboolean is_there;
  g_autoptr (GArray) found = read_new (buffer, &is_there);

  g_assert_false (is_there);
  g_assert_cmpuint (found->len, ==, 0);
}

static void
attach_is_refused (GstBuffer *buffer, const GstYolov7Zone *zones, guint n_zones)
{
  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "gst_yolov7_zones_attach: assertion*");
  gst_yolov7_zones_attach (buffer, zones, n_zones);
  g_test_assert_expected_messages ();
  g_assert_null (gst_buffer_get_custom_meta (buffer, GST_YOLOV7_ZONES_META_NAME));
}

/* The function is public: nothing may be read behind the end of an array. */
static void
what_cannot_be_told_is_not_attached (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autofree GstYolov7Zone *zones = g_new0 (GstYolov7Zone, GST_YOLOV7_MAX_ZONES + 1);

  for (guint i = 0; i <= GST_YOLOV7_MAX_ZONES; i++)
    zones[i].name = "z";
  gst_yolov7_zones_register ();
  attach_is_refused (buffer, zones, GST_YOLOV7_MAX_ZONES + 1);
  zones[1].n_points = GST_YOLOV7_MAX_ZONE_POINTS + 1;
  attach_is_refused (buffer, zones, 2);
  zones[1].n_points = G_MAXUINT;
  attach_is_refused (buffer, zones, 2);
  zones[0].name = NULL;
  attach_is_refused (buffer, zones, 1);
  g_autoptr (GstBuffer) shared = gst_buffer_ref (buffer);
  attach_is_refused (shared, NULL, 0);
}

/* Others may write what they like under our name. */
static void
what_is_no_zone_is_left_out (void)
{
  static const char *const texts[] = {
      "m",
      "m, zones=(int)7",
      "m, zones=(structure)<>",
      "m, zones=<(int)1, (string)text>",
      "m, zones=<[zone, name=(string)z]>",
      "m, zones=<[zone, name=(string)z, kind=(string)circle, points=<0.0, 0.0, 1.0, 0.0, 1.0, "
      "1.0>]>",
      "m, zones=<[zone, kind=(string)zone, points=<0.0, 0.0, 1.0, 0.0, 1.0, 1.0>]>",
      "m, zones=<[zone, name=(string)z, kind=(string)zone, points=(double)0.5]>",
      "m, zones=<[zone, name=(string)z, kind=(string)zone, points=<0.0, 0.0, 1.0, 0.0, 1.0>]>",
      "m, zones=<[zone, name=(string)z, kind=(string)zone, points=<0.0, 0.0, 1.0, 0.0, 1.0, 1.5>]>",
      "m, zones=<[zone, name=(string)z, kind=(string)zone, points=<0.0, 0.0, 1.0, 0.0, 1.0, "
      "-1.0>]>",
      "m, zones=<[zone, name=(string)z, kind=(string)zone, points=<0.0, 0.0, 1.0, 0.0, 1.0, nan>]>",
      "m, zones=<[zone, name=(string)z, kind=(string)zone, points=<(string)a, 0.0, 1.0, 0.0, 1.0, "
      "1.0>]>",
      "m, zones=<[zone, name=(string)l, kind=(string)line, points=<0.0, 0.0, 1.0, 0.0, 1.0, 1.0>]>",
  };
  gst_yolov7_zones_register ();
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new ();
    g_autoptr (GstStructure) s = gst_structure_from_string (texts[i], NULL);
    GstStructure *own = gst_custom_meta_get_structure (
        gst_buffer_add_custom_meta (buffer, GST_YOLOV7_ZONES_META_NAME));
    gboolean is_there;

    if (!s)
      g_error ("not read: %s", texts[i]);
    if (gst_structure_has_field (s, "zones"))
      gst_structure_set_value (own, "zones", gst_structure_get_value (s, "zones"));
    g_autoptr (GArray) found = read_new (buffer, &is_there);
    g_assert_true (is_there);
    g_assert_cmpuint (found->len, ==, 0);
  }
}

static void
missing_totals_are_zero (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstStructure) s = gst_structure_from_string (
      "m, zones=<[zone, name=(string)z, kind=(string)zone, count=(string)many,"
      "points=<0.0, 0.0, 1.0, 0.0, 1.0, 1.0>]>",
      NULL);
  gboolean is_there;

  g_assert_nonnull (s);
  gst_yolov7_zones_register ();
  gst_structure_set_value (gst_custom_meta_get_structure (
                               gst_buffer_add_custom_meta (buffer, GST_YOLOV7_ZONES_META_NAME)),
                           "zones", gst_structure_get_value (s, "zones"));
  g_autoptr (GArray) found = read_new (buffer, &is_there);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpuint (g_array_index (found, GstYolov7Zone, 0).count, ==, 0);
  g_assert_cmpuint (g_array_index (found, GstYolov7Zone, 0).entered, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/zonemeta/round-trip", what_is_attached_is_read_back);
  g_test_add_func ("/zonemeta/structure", the_structure_is_as_documented);
  g_test_add_func ("/zonemeta/survives", it_survives_what_keeps_or_scales_the_picture);
  g_test_add_func ("/zonemeta/copies", a_deep_copy_keeps_it_and_a_part_loses_it);
  g_test_add_func ("/zonemeta/none", a_buffer_without_it_says_nothing);
  g_test_add_func ("/zonemeta/foreign", what_is_no_zone_is_left_out);
  g_test_add_func ("/zonemeta/missing", missing_totals_are_zero);
  g_test_add_func ("/zonemeta/refused", what_cannot_be_told_is_not_attached);
  const int failed = g_test_run ();
  gst_deinit ();
  return failed;
}
