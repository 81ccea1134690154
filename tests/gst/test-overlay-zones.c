/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay-zones.c - yolov7overlay: zones, and what may be wrong with them. */
#include <math.h>

#include "tests/gst/player.h"

static void
append (GValue *array, GValue *item)
{
  gst_value_array_append_and_take_value (array, item);
}

/* Points along row @y, or with another type of value. */
static void
add_zone (GValue *zones, const char *kind, double y, GType type)
{
  GstStructure *s = gst_structure_new ("zone", "name", G_TYPE_STRING, "door", "kind", G_TYPE_STRING,
                                       kind, "count", G_TYPE_UINT, 3, "entered", G_TYPE_UINT64,
                                       (guint64) 7, "left", G_TYPE_UINT64, (guint64) 4, NULL);
  const double shares[] = {0.1, y, 0.9, y};
  GValue points = G_VALUE_INIT, item = G_VALUE_INIT;

  gst_value_array_init (&points, 4);
  for (guint i = 0; i < 4; i++) {
    GValue point = G_VALUE_INIT;
    g_value_init (&point, type);
    if (type == G_TYPE_DOUBLE)
      g_value_set_double (&point, shares[i]);
    append (&points, &point);
  }
  gst_structure_take_value (s, "points", &points);
  g_value_init (&item, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&item, s);
  append (zones, &item);
}

static GstBuffer *
with_zones (GstBuffer *frame, GValue *zones)
{
  static const char *tags[] = {NULL};

  if (!gst_meta_get_info ("GstYolov7Zones"))
    gst_meta_register_custom ("GstYolov7Zones", tags, NULL, NULL, NULL);
  GstCustomMeta *meta = gst_buffer_add_custom_meta (frame, "GstYolov7Zones");
  gst_structure_take_value (gst_custom_meta_get_structure (meta), "zones", zones);
  return frame;
}

static void
zones_are_drawn_unless_turned_off (void)
{
  static const struct {
    const char *properties;
    gboolean is_drawn;
  } rows[] = {{"", TRUE}, {"draw-zones=false", FALSE}, {"draw-zones=true", TRUE}};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Player p = player_start (rows[i].properties);
    GValue zones = G_VALUE_INIT;
    gst_value_array_init (&zones, 1);
    add_zone (&zones, "line", 0.75, G_TYPE_DOUBLE);
    g_autoptr (GstSample) drawn = player_push (&p, with_zones (player_frame (&p, 0), &zones));
    g_assert_cmpint (changed_in_row (drawn, 90, W) > W / 2, ==, rows[i].is_drawn);
    player_stop (&p);
  }
}

/* What is wrong with one zone is no reason not to draw another. */
static void
zones_that_are_none_are_left_out (void)
{
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  Player p = player_start ("");
  GValue zones = G_VALUE_INIT, number = G_VALUE_INIT;

  gst_value_array_init (&zones, 1);
  g_value_init (&number, G_TYPE_INT);
  append (&zones, &number);
  g_autoptr (GstSample) numbers = player_push (&p, with_zones (player_frame (&p, 0), &zones));
  g_assert_cmpuint (count_changed (numbers), ==, 0);

  zones = (GValue) G_VALUE_INIT;
  gst_value_array_init (&zones, 4);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    add_zone (&zones, "zone", bad[i], G_TYPE_DOUBLE);
  add_zone (&zones, "zone", 0.25, G_TYPE_STRING);
  g_autoptr (GstSample) none = player_push (&p, with_zones (player_frame (&p, 0), &zones));
  g_assert_cmpuint (count_changed (none), ==, 0);

  zones = (GValue) G_VALUE_INIT;
  gst_value_array_init (&zones, 2);
  add_zone (&zones, "zone", NAN, G_TYPE_DOUBLE);
  add_zone (&zones, "line", 0.75, G_TYPE_DOUBLE);
  g_autoptr (GstSample) one = player_push (&p, with_zones (player_frame (&p, 40), &zones));
  g_assert_cmpuint (changed_in_row (one, 90, W), >, W / 2);

  zones = (GValue) G_VALUE_INIT;
  g_value_init (&zones, G_TYPE_STRING);
  g_autoptr (GstSample) text = player_push (&p, with_zones (player_frame (&p, 80), &zones));
  g_assert_cmpuint (count_changed (text), ==, 0);
  player_stop (&p);
}

static void
ten_thousand_zones_are_harmless (void)
{
  Player p = player_start ("");
  GValue zones = G_VALUE_INIT;

  gst_value_array_init (&zones, 10000);
  for (guint i = 0; i < 10000; i++)
    add_zone (&zones, i % 2 ? "zone" : "line", i % 90 / 90.0, G_TYPE_DOUBLE);
  g_autoptr (GstSample) drawn = player_push (&p, with_zones (player_frame (&p, 0), &zones));
  g_assert_cmpuint (count_changed (drawn), >, 0);
  player_stop (&p);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay-zones/drawn", zones_are_drawn_unless_turned_off);
  g_test_add_func ("/overlay-zones/bad", zones_that_are_none_are_left_out);
  g_test_add_func ("/overlay-zones/many", ten_thousand_zones_are_harmless);
  return g_test_run ();
}
