/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-zones.c - gst/track/zones.h: what is inside of a zone, and whose track counts. */
#include <math.h>

#include "tests/gst/zonescene.h"

/* An U: open above, between x 400 and 600. */
#define CONCAVE                                                                                    \
  "{'zones': [{'name': 'z', 'polygon': [[0.2,0.2],[0.4,0.2],[0.4,0.6],[0.6,0.6],[0.6,0.2],"        \
  "[0.8,0.2],[0.8,0.8],[0.2,0.8]]}]}"

/* ---- zones ---------------------------------------------------------------------------------- */

static void
an_object_enters_stays_and_leaves (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 100, 500);
  ASSERT_TOTALS (&scene, 0, 0, 0);
  show_at (&scene, 300, 500);
  ASSERT_TOTALS (&scene, 1, 1, 0);
  show_at (&scene, 500, 500);
  show_at (&scene, 700, 500);
  ASSERT_TOTALS (&scene, 1, 1, 0);
  show_at (&scene, 900, 500);
  ASSERT_TOTALS (&scene, 0, 1, 1);
  g_assert_cmpstr (scene.log->str, ==, "+1 -1/3");
  g_assert_cmpuint (first (&scene)->dwell_sum_ns, ==, 3ull * SECOND_NS);
  g_assert_cmpuint (first (&scene)->dwell_max_ns, ==, 3ull * SECOND_NS);
}

static void
each_visit_counts_and_the_longest_dwell_stays (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  for (int frame = 0; frame < 10; frame++)
    show_at (&scene, frame == 3 || frame == 6 ? 900 : 500, 500);
  show_at (&scene, 900, 500);
  g_assert_cmpstr (scene.log->str, ==, "+1 -1/3 +1 -1/2 +1 -1/3");
  ASSERT_TOTALS (&scene, 0, 3, 3);
  g_assert_cmpuint (first (&scene)->dwell_sum_ns, ==, 8ull * SECOND_NS);
  g_assert_cmpuint (first (&scene)->dwell_max_ns, ==, 3ull * SECOND_NS);
}

static void
a_track_that_begins_inside_enters (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 500, 500);
  g_assert_cmpstr (scene.log->str, ==, "+1");
}

static void
the_hollow_of_a_concave_zone_is_outside (void)
{
  static const double points[][3] = {
      {300, 300, 1}, {700, 300, 1}, {500, 700, 1}, {500, 300, 0}, {500, 599, 0}, {500, 601, 1},
      {401, 500, 0}, {399, 500, 1}, {601, 500, 1}, {599, 500, 0}, {500, 100, 0}, {500, 900, 0},
  };

  check_points (CONCAVE, points, G_N_ELEMENTS (points));
}

static void
edges_and_corners_are_inside (void)
{
  static const double points[][3] = {
      {200, 200, 1},   {400, 200, 1},   {400, 600, 1},   {600, 600, 1},
      {600, 200, 1},   {800, 200, 1},   {800, 800, 1},   {200, 800, 1}, /* corners */
      {300, 200, 1},   {400, 400, 1},   {500, 600, 1},   {600, 400, 1},
      {700, 200, 1},   {800, 500, 1},   {500, 800, 1},   {200, 500, 1}, /* edges */
      {500, 200, 0},   {100, 200, 0},   {900, 200, 0},   {100, 600, 0},
      {900, 800, 0}, /* in line */
      {199.9, 500, 0}, {800.1, 500, 0}, {300, 199.9, 0}, {500, 599.9, 0},
      {500, 800.1, 0},
  };
  static const double slanted[][3] = {{500, 500, 1}, {300, 500, 1}, {500, 300, 1},
                                      {400, 400, 1}, {399, 400, 0}, {401, 400, 1}};

  check_points (CONCAVE, points, G_N_ELEMENTS (points));
  check_points ("{'zones': [{'name': 'z', 'polygon': [[0.3,0.5],[0.5,0.3],[0.7,0.5],[0.5,0.7]]}]}",
                slanted, G_N_ELEMENTS (slanted));
}

static void
a_box_that_jitters_on_an_edge_enters_once (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  for (int frame = 0; frame < 100; frame++)
    show_at (&scene, frame % 2 ? 250.0 + frame % 5 : 250.0 - frame % 3 * 0.9, 500);
  g_assert_cmpstr (scene.log->str, ==, "+1");
  show_at (&scene, 246, 500); /* the margin still */
  g_assert_cmpstr (scene.log->str, ==, "+1");
  show_at (&scene, 245.9, 500);
  ASSERT_TOTALS (&scene, 0, 1, 1);
}

static void
without_a_margin_each_change_counts (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, "{'zones': [{'name': 'z', 'margin': 0,"
                      "'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.75]]}]}");
  for (int frame = 0; frame < 4; frame++)
    show_at (&scene, frame % 2 ? 251 : 249, 500);
  show_at (&scene, 250, 500); /* the edge is inside */
  g_assert_cmpstr (scene.log->str, ==, "+1 -1/1 +1");
}

static void
a_zone_at_the_end_of_the_frame_has_what_stands_there (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, "{'zones': [{'name': 'z', 'polygon': [[0,0.9],[1,0.9],[1,1],[0,1]]}]}");
  for (int frame = 0; frame < 5; frame++)
    show_at (&scene, 500, 1000); /* its feet are cut off */
  show (&scene, NULL, 0);
  g_assert_cmpstr (scene.log->str, ==, "+1 -1/4");
}

static void
an_object_that_jumps_through_a_zone_was_not_in_it (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 100, 500);
  show_at (&scene, 900, 500);
  ASSERT_TOTALS (&scene, 0, 0, 0);
}

static void
the_anchor_is_the_bottom_or_the_center (void)
{
  const YvZoneObject tall = {
      .id = 1, .seen = true, .x = 400, .y = 300, .w = 100, .h = 400, .class_index = -1};
  g_auto (Scene) scene = {0};

  scene_init (&scene, "{'zones': [{'name': 'at the feet', 'polygon': [[0.449,0.69],[0.451,0.69],"
                      "[0.451,0.71],[0.449,0.71]]}, {'name': 'in the middle', 'anchor': 'center',"
                      "'polygon': [[0.449,0.49],[0.451,0.49],[0.451,0.51],[0.449,0.51]]}]}");
  show (&scene, &tall, 1);
  g_assert_cmpuint (yv_zones_get (scene.zones, 0)->count, ==, 1);
  g_assert_cmpuint (yv_zones_get (scene.zones, 1)->count, ==, 1);
}

static void
only_the_classes_asked_for_are_counted (void)
{
  YvZoneObject objects[4];
  g_auto (Scene) scene = {0};

  scene_init (&scene, "{'zones': [{'name': 'z', 'classes': ['Person', 7],"
                      "'polygon': [[0,0],[1,0],[1,1],[0,1]]}]}");
  for (uint32_t i = 0; i < G_N_ELEMENTS (objects); i++)
    objects[i] = object_at (i, 500, 500);
  objects[0].label = "person";
  objects[1].label = "car";
  objects[1].class_index = 7;
  objects[2].label = "dog"; /* neither */
  objects[2].class_index = 8;
  show (&scene, objects, G_N_ELEMENTS (objects)); /* the last one's class is not known */
  g_assert_cmpstr (scene.log->str, ==, "+0 +1");
}

static void
an_event_tells_of_its_object (void)
{
  YvZoneObject objects[] = {object_at (4, 500, 500), object_at (G_MAXINT64, 600, 600)};
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  objects[1].label = "person";
  objects[1].class_index = 3;
  const YvZoneEvent *event = &g_array_index (show (&scene, objects, 2), YvZoneEvent, 1);
  g_assert_cmpint (event->id, ==, G_MAXINT64);
  g_assert_cmpint (event->class_index, ==, 3);
  g_assert_cmpstr (event->label, ==, "person");
  g_assert_cmpuint (event->count, ==, 2);
  g_assert_true (event->zone == first (&scene));

  event = &g_array_index (show (&scene, objects, 1), YvZoneEvent, 0); /* its track has ended */
  g_assert_cmpint (event->kind, ==, YV_ZONE_LEAVE);
  g_assert_cmpstr (event->label, ==, "person");
  g_assert_cmpint (event->class_index, ==, 3);
  g_assert_cmpuint (event->count, ==, 1);
}

/* ---- tracks --------------------------------------------------------------------------------- */

static void
a_lost_track_stays_inside_until_it_is_given_up (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 500, 500);
  show_at (&scene, 500, 500);
  for (int frame = 0; frame < 10; frame++)
    show_unseen (&scene);
  ASSERT_TOTALS (&scene, 1, 1, 0);
  show (&scene, NULL, 0);
  g_assert_cmpstr (scene.log->str, ==, "+1 -1/1"); /* until it was seen last */
}

static void
a_lost_track_that_is_found_goes_on (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 500, 500);
  show_unseen (&scene);
  show_at (&scene, 500, 500);
  show_unseen (&scene);
  show_at (&scene, 900, 500);
  g_assert_cmpstr (scene.log->str, ==, "+1 -1/4");
}

static void
a_predicted_box_neither_enters_nor_crosses (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 100, 500);
  show_unseen (&scene); /* its box is inside */
  show (&scene, NULL, 0);
  g_assert_cmpstr (scene.log->str, ==, "");

  const YvZoneObject unknown = {.id = 2, .x = 500, .y = 500, .w = 1, .h = 1};
  show (&scene, &unknown, 1);
  show (&scene, NULL, 0);
  g_assert_cmpstr (scene.log->str, ==, "");
}

static void
tracks_without_an_id_are_not_counted (void)
{
  g_auto (Scene) scene = {0};
  const YvZoneObject objects[] = {object_at (-1, 500, 500), object_at (G_MININT64, 500, 500)};

  scene_init (&scene, SQUARE);
  show (&scene, objects, 2);
  ASSERT_TOTALS (&scene, 0, 0, 0);
}

static void
of_two_objects_with_one_id_the_first_counts (void)
{
  g_auto (Scene) scene = {0};
  const YvZoneObject objects[] = {object_at (1, 500, 500), object_at (1, 900, 500)};

  scene_init (&scene, SQUARE);
  for (int frame = 0; frame < 3; frame++)
    show (&scene, objects, 2);
  g_assert_cmpstr (scene.log->str, ==, "+1");
}

static void
boxes_from_anywhere_are_harmless (void)
{
  static const double values[] = {NAN, INFINITY, -INFINITY, -1e308, 1e308, -1, 0, 500, 1e6};
  const uint32_t n = G_N_ELEMENTS (values);
  g_auto (Scene) scene = {0};

  scene_init (&scene, "{'zones': [{'name': 'z', 'polygon': [[0.3,0.5],[0.5,0.3],[0.7,0.5]]}],"
                      "'lines': [{'name': 'l', 'from': [0.2,0.4], 'to': [0.8,0.6]}]}");
  for (uint32_t i = 0; i < n * n * n * n; i++) {
    const YvZoneObject object = {.id = 1,
                                 .seen = true,
                                 .x = values[i % n],
                                 .y = values[i / n % n],
                                 .w = values[i / n / n % n],
                                 .h = values[i / n / n / n]};
    show (&scene, &object, 1);
    g_assert_cmpuint (first (&scene)->count, <=, 1);
    g_assert_cmpuint (first (&scene)->entered, ==, first (&scene)->left + first (&scene)->count);
  }
}

static void
a_box_that_is_no_number_moves_nothing (void)
{
  YvZoneObject object = object_at (1, 900, 500);
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 500, 500);
  object.h = NAN;
  show (&scene, &object, 1);
  ASSERT_TOTALS (&scene, 1, 1, 0);
}

static void
every_object_is_counted_among_many (void)
{
  enum { N_OBJECTS = 10000 };
  g_autofree YvZoneObject *objects = g_new (YvZoneObject, N_OBJECTS);
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  for (int i = 0; i < N_OBJECTS; i++)
    objects[i] = object_at (N_OBJECTS - i, 500, i % 2 ? 500 : 900);
  for (int frame = 0; frame < 10; frame++)
    show (&scene, objects, N_OBJECTS);
  ASSERT_TOTALS (&scene, N_OBJECTS / 2, N_OBJECTS / 2, 0);
  show (&scene, objects, N_OBJECTS / 2);
  ASSERT_TOTALS (&scene, N_OBJECTS / 4, N_OBJECTS / 2, N_OBJECTS / 4);
  show (&scene, objects + N_OBJECTS / 2, N_OBJECTS / 2);
  ASSERT_TOTALS (&scene, N_OBJECTS / 4, 3 * N_OBJECTS / 4, N_OBJECTS / 2);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (void);
  } tests[] = {
      {"/zones/visit", an_object_enters_stays_and_leaves},
      {"/zones/visits", each_visit_counts_and_the_longest_dwell_stays},
      {"/zones/begin-inside", a_track_that_begins_inside_enters},
      {"/zones/concave", the_hollow_of_a_concave_zone_is_outside},
      {"/zones/edges", edges_and_corners_are_inside},
      {"/zones/jitter", a_box_that_jitters_on_an_edge_enters_once},
      {"/zones/no-margin", without_a_margin_each_change_counts},
      {"/zones/end-of-frame", a_zone_at_the_end_of_the_frame_has_what_stands_there},
      {"/zones/jump", an_object_that_jumps_through_a_zone_was_not_in_it},
      {"/zones/anchor", the_anchor_is_the_bottom_or_the_center},
      {"/zones/classes", only_the_classes_asked_for_are_counted},
      {"/zones/event", an_event_tells_of_its_object},
      {"/zones/track/lost", a_lost_track_stays_inside_until_it_is_given_up},
      {"/zones/track/found", a_lost_track_that_is_found_goes_on},
      {"/zones/track/predicted", a_predicted_box_neither_enters_nor_crosses},
      {"/zones/track/no-id", tracks_without_an_id_are_not_counted},
      {"/zones/track/same-id", of_two_objects_with_one_id_the_first_counts},
      {"/zones/track/anywhere", boxes_from_anywhere_are_harmless},
      {"/zones/track/nan", a_box_that_is_no_number_moves_nothing},
      {"/zones/track/many", every_object_is_counted_among_many},
  };

  g_test_init (&argc, &argv, NULL);
  for (uint32_t i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_func (tests[i].path, tests[i].test);
  return g_test_run ();
}
