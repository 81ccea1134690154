/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-zonelines.c - gst/track/zones.h: what crosses a line, and which way. */
#include "tests/gst/zonescene.h"

static void
forward_is_from_the_left_of_the_line_to_its_right (void)
{
  static const struct {
    const char *ends;
    double from[2], to[2];
  } cases[] = {
      {"'from': [0.2,0.5], 'to': [0.8,0.5]", {500, 400}, {500, 600}},
      {"'from': [0.8,0.5], 'to': [0.2,0.5]", {500, 600}, {500, 400}},
      {"'from': [0.5,0.2], 'to': [0.5,0.8]", {600, 500}, {400, 500}},
      {"'from': [0.5,0.8], 'to': [0.5,0.2]", {400, 500}, {600, 500}},
      {"'from': [0.2,0.2], 'to': [0.8,0.8]", {600, 400}, {400, 600}},
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *text = g_strdup_printf ("{'lines': [{'name': 'l', %s}]}", cases[i].ends);
    g_auto (Scene) scene = {0};
    scene_init (&scene, text);
    show_at (&scene, cases[i].from[0], cases[i].from[1]);
    show_at (&scene, cases[i].to[0], cases[i].to[1]);
    show_at (&scene, cases[i].from[0], cases[i].from[1]);
    g_assert_cmpstr (scene.log->str, ==, ">1 <1");
    ASSERT_CROSSINGS (&scene, 1, 1);
  }
}

static void
a_jump_over_a_line_counts_in_its_frame (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show_at (&scene, 300, 20);
  show_at (&scene, 700, 1000);
  g_assert_cmpstr (scene.log->str, ==, ">1");
}

static void
who_passes_by_the_ends_does_not_cross (void)
{
  static const struct {
    double from[2], to[2];
    const char *log;
  } cases[] = {
      {{100, 400}, {100, 600}, ""},     {{900, 600}, {900, 400}, ""},
      {{200, 400}, {200, 600}, ">1"},   {{800, 600}, {800, 400}, "<1"}, /* the ends belong to it */
      {{199.9, 400}, {199.9, 600}, ""}, {{100, 450}, {250, 600}, ""},
      {{150, 400}, {350, 600}, ">1"},   {{300, 400}, {700, 400}, ""},
      {{100, 500}, {900, 500}, ""}, /* along it */
  };

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Scene) scene = {0};
    scene_init (&scene, LINE);
    show_at (&scene, cases[i].from[0], cases[i].from[1]);
    show_at (&scene, cases[i].to[0], cases[i].to[1]);
    g_assert_cmpstr (scene.log->str, ==, cases[i].log);
  }
}

static void
jitter_on_a_line_crosses_once_or_not_at_all (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show_at (&scene, 500, 490);
  for (int frame = 0; frame < 101; frame++)
    show_at (&scene, 500, frame % 2 ? 498.5 : 501.5);
  ASSERT_CROSSINGS (&scene, 0, 0);
  show_at (&scene, 500, 504); /* the margin still */
  ASSERT_CROSSINGS (&scene, 0, 0);
  show_at (&scene, 500, 504.1);
  ASSERT_CROSSINGS (&scene, 1, 0);

  for (int frame = 0; frame < 101; frame++)
    show_at (&scene, 500, frame % 2 ? 501.5 : 498.5);
  show_at (&scene, 500, 510); /* turned back */
  ASSERT_CROSSINGS (&scene, 1, 0);
}

static void
who_stops_on_a_line_and_goes_on_crosses_once (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  for (int y = 490; y <= 500; y += 5)
    show_at (&scene, 500, y);
  show_at (&scene, 500, 500);
  for (int y = 500; y <= 510; y += 5)
    show_at (&scene, 500, y);
  for (int y = 510; y >= 490; y -= 5)
    show_at (&scene, 500, y);
  g_assert_cmpstr (scene.log->str, ==, ">1 <1");
}

static void
circling_around_an_end_within_the_margin_is_one_crossing (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show_at (&scene, 799.5, 490);
  for (int round = 0; round < 5; round++) {
    show_at (&scene, 799.5, 501); /* through */
    show_at (&scene, 801, 501);
    show_at (&scene, 801, 499); /* and back around the end */
    show_at (&scene, 799.5, 499);
  }
  show_at (&scene, 799.5, 510);
  g_assert_cmpstr (scene.log->str, ==, ">1");
}

static void
who_turns_back_around_an_end_has_not_crossed (void)
{
  static const double last[][2] = {{799.5, 490}, {810, 495}};

  for (uint32_t i = 0; i < 2 * G_N_ELEMENTS (last); i++) {
    g_auto (Scene) scene = {0};
    scene_init (&scene, LINE);
    show_at (&scene, 799.5, 490);
    show_at (&scene, 799.5, 501); /* through */
    show_at (&scene, 801, 501);
    show_at (&scene, 801, 499); /* and back around the end */
    if (i % 2)
      show_at (&scene, last[i / 2][0], last[i / 2][1]);
    show (&scene, NULL, 0);
    g_assert_cmpstr (scene.log->str, ==, "");
  }
}

static void
a_track_that_ends_behind_a_line_has_crossed_it (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show_at (&scene, 500, 490);
  show_at (&scene, 500, 501);
  show (&scene, NULL, 0);
  g_assert_cmpstr (scene.log->str, ==, ">1");
}

static void
a_track_that_begins_on_a_line_has_not_crossed_it (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show_at (&scene, 500, 500);
  show_at (&scene, 500, 400);
  show (&scene, NULL, 0);
  g_assert_cmpstr (scene.log->str, ==, "");
}

static void
a_track_that_is_found_behind_a_line_has_crossed_it (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene, LINE);
  show_at (&scene, 500, 400);
  for (int frame = 0; frame < 10; frame++)
    show_unseen (&scene);
  g_assert_cmpstr (scene.log->str, ==, "");
  show_at (&scene, 500, 600);
  g_assert_cmpstr (scene.log->str, ==, ">1");
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (void);
  } tests[] = {
      {"/zonelines/directions", forward_is_from_the_left_of_the_line_to_its_right},
      {"/zonelines/jump", a_jump_over_a_line_counts_in_its_frame},
      {"/zonelines/ends", who_passes_by_the_ends_does_not_cross},
      {"/zonelines/jitter", jitter_on_a_line_crosses_once_or_not_at_all},
      {"/zonelines/stop", who_stops_on_a_line_and_goes_on_crosses_once},
      {"/zonelines/circle", circling_around_an_end_within_the_margin_is_one_crossing},
      {"/zonelines/around", who_turns_back_around_an_end_has_not_crossed},
      {"/zonelines/track-ends", a_track_that_ends_behind_a_line_has_crossed_it},
      {"/zonelines/track-begins", a_track_that_begins_on_a_line_has_not_crossed_it},
      {"/zonelines/found-behind-line", a_track_that_is_found_behind_a_line_has_crossed_it},
  };

  g_test_init (&argc, &argv, NULL);
  for (uint32_t i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_func (tests[i].path, tests[i].test);
  return g_test_run ();
}
