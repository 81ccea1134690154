/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-zonechanges.c - gst/track/zones.h: times and sizes that change, seeks, and zones
 * that take the place of others. */
#include "tests/gst/zonescene.h"

static void
unknown_times_are_those_of_the_frame_before (void)
{
  const YvZoneObject inside = object_at (1, 500, 500), outside = object_at (1, 900, 500);
  YvZoneFrame frame = {1000, 1000, 5 * (int64_t) SECOND_NS};
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  yv_zones_update (scene.zones, &frame, &inside, 1);
  frame.pts_ns = 7 * (int64_t) SECOND_NS;
  yv_zones_update (scene.zones, &frame, &inside, 1);
  frame.pts_ns = -1;
  yv_zones_update (scene.zones, &frame, &outside, 1);
  g_assert_cmpuint (first (&scene)->dwell_sum_ns, ==, 2ull * SECOND_NS);
}

static void
times_that_run_backwards_make_the_same_dwell (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  scene.pts_ns = 100LL * SECOND_NS;
  show_at (&scene, 500, 500);
  scene.pts_ns = 93LL * SECOND_NS;
  show_at (&scene, 900, 500);
  g_assert_cmpstr (scene.log->str, ==, "+1 -1/7");
}

static void
endless_dwells_do_not_overflow (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  for (int visit = 0; visit < 4; visit++) {
    scene.pts_ns = 0;
    show_at (&scene, 500, 500);
    scene.pts_ns = G_MAXINT64 - SECOND_NS;
    show_at (&scene, 900, 500);
  }
  g_assert_cmpuint (first (&scene)->dwell_sum_ns, ==, G_MAXUINT64);
  g_assert_cmpuint (first (&scene)->dwell_max_ns, ==, G_MAXINT64 - SECOND_NS);
}

static void
zones_and_ways_scale_with_the_frame (void)
{
  const YvZoneFrame large = {2000, 500, 0};
  YvZoneObject object = object_at (1, 500, 400);
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show (&scene, &object, 1); /* 0.5, 0.4 */
  object = object_at (1, 1500, 240);
  const GArray *events = yv_zones_update (scene.zones, &large, &object, 1);
  g_assert_cmpuint (events->len, ==, 0); /* 0.75, 0.48: above the line still */
  object = object_at (1, 1500, 255);
  events = yv_zones_update (scene.zones, &large, &object, 1);
  g_assert_cmpuint (events->len, ==, 1);
  ASSERT_CROSSINGS (&scene, 1, 0);
}

static void
pixels_are_those_of_the_frame_they_were_said_for (void)
{
  static const double points[][3] = {
      {250, 400, 1}, {500, 800, 1}, {249, 400, 0}, {251, 401, 1}, {501, 800, 0}};

  check_points ("{'units': 'px', 'width': 400, 'height': 200, 'zones': [{'name': 'z',"
                "'polygon': [[100,80],[200,80],[200,160],[100,160]]}]}",
                points, G_N_ELEMENTS (points));
}

static void
a_flush_ends_dwells_without_counting_them (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 500, 500);
  show_at (&scene, 900, 500);
  show_at (&scene, 500, 500);
  yv_zones_flush (scene.zones);
  ASSERT_TOTALS (&scene, 0, 2, 1);
  show (&scene, NULL, 0);
  ASSERT_TOTALS (&scene, 0, 2, 1);
  show_at (&scene, 500, 500);
  ASSERT_TOTALS (&scene, 1, 3, 1);
  g_assert_cmpuint (first (&scene)->dwell_sum_ns, ==, SECOND_NS);
}

static void
a_flush_is_not_crossed (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show_at (&scene, 500, 400);
  yv_zones_flush (scene.zones);
  show_at (&scene, 500, 600);
  ASSERT_CROSSINGS (&scene, 0, 0);
}

static void
zones_that_stay_the_same_go_on (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, SQUARE);
  show_at (&scene, 500, 500);
  show_at (&scene, 900, 500);
  show_at (&scene, 500, 500);
  scene_change (
      &scene,
      "{'zones': [{'name': 'new', 'polygon': [[0,0],[1,0],[1,1],[0,1]]}, {'name': 'z', 'polygon': "
      "[[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.75]]}]}");

  const YvZone *kept = yv_zones_get (scene.zones, 1);
  g_assert_cmpuint (kept->count, ==, 1);
  g_assert_cmpuint (kept->dwell_sum_ns, ==, SECOND_NS);
  show_at (&scene, 500, 500); /* it has not entered once more, but into the new one */
  show (&scene, NULL, 0);
  g_assert_cmpstr (scene.log->str, ==, "+1 -1/1 +1 +1 -1/0 -1/1");
  g_assert_cmpuint (kept->entered, ==, 2);
  g_assert_cmpuint (kept->left, ==, 2);
  ASSERT_TOTALS (&scene, 0, 1, 1);
}

static void
zones_that_differ_begin_anew (void)
{
  static const char *const others[] = {
      "{'zones': [{'name': 'y', 'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.75]]}]}",
      "{'zones': [{'name': 'z', 'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.7]]}]}",
      "{'zones': [{'name': 'z', 'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75]]}]}",
      "{'zones': [{'name': 'z', 'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.75]],"
      "'anchor': 'center'}]}",
      "{'zones': [{'name': 'z', 'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.75]],"
      "'margin': 0.1}]}",
      "{'zones': [{'name': 'z', 'polygon': [[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.75]],"
      "'classes': [0]}]}",
      "{'lines': [{'name': 'z', 'from': [0.25,0.25], 'to': [0.75,0.25]}]}",
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (others); i++) {
    g_auto (Scene) scene = {0};
    scene_init (&scene, SQUARE);
    show_at (&scene, 500, 500);
    show_at (&scene, 900, 500);
    show_at (&scene, 500, 500);
    scene_change (&scene, others[i]);
    ASSERT_TOTALS (&scene, 0, 0, 0);
  }
}

static void
lines_that_stay_the_same_remember_who_is_on_them (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show_at (&scene, 500, 400);
  show_at (&scene, 500, 501);
  scene_change (&scene, LINE);
  show_at (&scene, 500, 550);
  g_assert_cmpstr (scene.log->str, ==, ">1");
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (void);
  } tests[] = {
      {"/zonechanges/time/unknown", unknown_times_are_those_of_the_frame_before},
      {"/zonechanges/time/backwards", times_that_run_backwards_make_the_same_dwell},
      {"/zonechanges/time/endless", endless_dwells_do_not_overflow},
      {"/zonechanges/size/changes", zones_and_ways_scale_with_the_frame},
      {"/zonechanges/size/px", pixels_are_those_of_the_frame_they_were_said_for},
      {"/zonechanges/flush/dwell", a_flush_ends_dwells_without_counting_them},
      {"/zonechanges/flush/line", a_flush_is_not_crossed},
      {"/zonechanges/inherit/same", zones_that_stay_the_same_go_on},
      {"/zonechanges/inherit/different", zones_that_differ_begin_anew},
      {"/zonechanges/inherit/line", lines_that_stay_the_same_remember_who_is_on_them},
  };

  g_test_init (&argc, &argv, NULL);
  for (uint32_t i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_func (tests[i].path, tests[i].test);
  return g_test_run ();
}
