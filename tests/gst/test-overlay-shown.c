/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay-shown.c - yolov7overlay: what it shows over time: boxes that stay, tails,
 * statistics. */
#include "tests/gst/frames.h"
#include "tests/gst/player.h"

/* Of a frame that nobody analysed. */
static gboolean
shows_box_at (Player *p, guint ms)
{
  g_autoptr (GstSample) shown = player_push (p, player_frame (p, ms));

  return is_red (shown, 42, 60);
}

/* ---- how long boxes stay -------------------------------------------------------------------- */

static void
boxes_stay_until_they_are_too_old (void)
{
  static const struct {
    const char *properties;
    guint ms;
    gboolean is_shown;
  } rows[] = {
      {"", 40, TRUE},
      {"", 999, TRUE},
      {"", 1000, FALSE},
      {"expire-overlay=100000000", 99, TRUE},
      {"expire-overlay=100000000", 100, FALSE},
      {"expire-overlay=0", 0, FALSE},
      {"expire-overlay=0", 40, FALSE},
      {"expire-overlay=18446744073709551615", 3600000, TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Player p = player_start (rows[i].properties);
    g_autoptr (GstSample) first = player_push_found (&p, 0, &player_box, 1);
    g_assert_true (is_red (first, 42, 60));
    g_assert_cmpint (shows_box_at (&p, rows[i].ms), ==, rows[i].is_shown);
    player_stop (&p);
  }
}

static void
an_analysed_frame_without_objects_ends_them (void)
{
  Player p = player_start ("");
  g_autoptr (GstSample) first = player_push_found (&p, 0, &player_box, 1);
  g_autoptr (GstSample) none = player_push_found (&p, 40, NULL, 0);

  g_assert_false (is_red (none, 42, 60));
  g_assert_false (shows_box_at (&p, 80));
  player_stop (&p);
}

static void
frames_without_time_keep_them (void)
{
  Player p = player_start ("");
  g_autoptr (GstSample) first = player_push_found (&p, 0, &player_box, 1);
  GstBuffer *timeless = player_frame (&p, 0);

  GST_BUFFER_PTS (timeless) = GST_CLOCK_TIME_NONE;
  g_autoptr (GstSample) shown = player_push (&p, timeless);
  g_assert_true (is_red (shown, 42, 60));
  player_stop (&p);
}

static void
what_comes_is_not_what_was (void)
{
  static void (*const breaks[]) (Player *) = {player_flush_and_begin, player_begin_segment,
                                              player_change_rate};

  for (guint i = 0; i < G_N_ELEMENTS (breaks); i++) {
    Player p = player_start ("");
    g_autoptr (GstSample) first = player_push_found (&p, 0, &player_box, 1);
    g_assert_true (shows_box_at (&p, 20));
    breaks[i](&p);
    g_assert_false (shows_box_at (&p, 40));
    player_stop (&p);
  }
}

/* The label's own frame is gone when it is drawn again. */
static void
labels_live_as_long_as_boxes (void)
{
  g_autofree char *endless = g_strnfill (10000, 'W');
  const char *labels[] = {"dog", endless, "\xff\xfe", ""};

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++) {
    Player p = player_start ("draw-labels=true");
    GstYolov7Detection labelled = player_box;
    g_autofree char *label = g_utf8_make_valid (labels[i], -1);
    labelled.label = label;
    g_autoptr (GstSample) first = player_push_found (&p, 0, &labelled, 1);
    const guint n_changed = count_changed (first);
    g_clear_pointer (&first, gst_sample_unref);
    g_autoptr (GstSample) again = player_push (&p, player_frame (&p, 40));
    g_assert_cmpuint (count_changed (again), ==, n_changed);
    player_stop (&p);
  }
}

/* Also where a line lies on half a sample of chroma. */
static void
lines_have_their_color_where_chroma_is_subsampled (void)
{
  static const char *const formats[] = {"I420", "NV12", "YUY2", "P010_10LE", "RGB"};

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstCaps) caps = yv_test_caps (formats[i], W, H);
    GstHarness *h = gst_harness_new_parse (
        "yolov7overlay draw-labels=false object-detection-outline-color=0xffff2010");
    gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
    for (guint odd = 0; odd < 2; odd++) {
      g_autoptr (GstSample) rgb = yv_test_plain (W, H, 0x808080);
      g_autoptr (GstSample) paper = yv_test_convert (rgb, formats[i], W, H);
      GstBuffer *frame = yv_test_frame (paper);
      const GstYolov7Detection at = {.x = 40 + odd, .y = 30, .w = 60, .h = 60, .id = -1};
      yv_test_attach (frame, W, H, &at, 1, 0);
      g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
      g_autoptr (GstSample) drawn = gst_sample_new (out, caps, NULL, NULL);
      g_autoptr (GstSample) seen = yv_test_convert (drawn, "RGB", W, H);
      gint most = 0;
      for (guint x = 38; x < 46; x++) {
        const guint pixel = yv_test_rgb_at (seen, x, 60);
        most = MAX (most, (gint) (pixel >> 16 & 0xff) - (gint) (pixel & 0xff));
      }
      if (most < 100)
        g_error ("%s, x %u: red is only %d more than blue", formats[i], 40 + odd, most);
    }
    gst_harness_teardown (h);
  }
}

/* ---- tracks --------------------------------------------------------------------------------- */

/* Moves a tracked box right for half a second; returns the last frame. */
static GstSample *
move_right (Player *p, gboolean with_flush)
{
  GstSample *last = NULL;

  for (guint i = 0; i <= 10; i++) {
    GstYolov7Detection moving = {.x = 5 + i * 10, .y = 20, .w = 20, .h = 60, .id = 3};
    g_clear_pointer (&last, gst_sample_unref);
    if (with_flush && i == 10)
      player_flush_and_begin (p);
    last = player_push_found (p, with_flush && i == 10 ? 0 : i * 50, &moving, 1);
  }
  return last;
}

static void
tails_follow_tracks_but_not_across_a_flush (void)
{
  static const struct {
    const char *properties;
    gboolean with_flush, has_tail;
  } rows[] = {
      {"tail-length=1000000000", FALSE, TRUE},   {"tail-length=1000000000", TRUE, FALSE},
      {"tail-length=0", FALSE, FALSE},           {"", FALSE, FALSE},
      {"tail-length=600000000000", FALSE, TRUE},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Player p = player_start (rows[i].properties);
    g_autoptr (GstSample) last = move_right (&p, rows[i].with_flush);
    g_assert_cmpint (changed_in_row (last, 80, 95) > 50, ==, rows[i].has_tail);
    player_stop (&p);
  }
}

static void
tracks_have_colors_unless_told_not_to (void)
{
  GstYolov7Detection tracked = player_box;
  Player colored = player_start (""), plain = player_start ("tracking-outline-colors=false");

  tracked.id = 4;
  g_autoptr (GstSample) a = player_push_found (&colored, 0, &tracked, 1);
  g_autoptr (GstSample) b = player_push_found (&plain, 0, &tracked, 1);
  g_assert_false (is_red (a, 42, 60));
  g_assert_cmphex (yv_test_rgb_at (a, 42, 60), !=, PAPER);
  g_assert_true (is_red (b, 42, 60));
  player_stop (&colored);
  player_stop (&plain);
}

static void
predicted_boxes_are_dashed (void)
{
  GstYolov7Detection predicted = player_box;
  Player p = player_start ("line-width=2");

  predicted.predicted = TRUE;
  g_autoptr (GstSample) solid = player_push_found (&p, 0, &player_box, 1);
  g_autoptr (GstSample) dashed = player_push_found (&p, 40, &predicted, 1);
  g_assert_cmpuint (count_changed (dashed), <, count_changed (solid) * 7 / 10);
  g_assert_cmpuint (count_changed (dashed), >, count_changed (solid) * 3 / 10);
  player_stop (&p);
}

/* ---- statistics ----------------------------------------------------------------------------- */

static void
statistics_stand_in_the_corner (void)
{
  Player p = player_start ("draw-statistics=true");
  g_autoptr (GstSample) empty = player_push (&p, player_frame (&p, 0));

  g_assert_cmpuint (changed_in_row (empty, 6, W), >, 20);
  g_assert_cmpuint (changed_in_row (empty, 60, W), ==, 0);
  player_stop (&p);
}

static void
tags_are_drawn_over_statistics (void)
{
  const GstYolov7Detection high = {.x = 0, .y = 0, .w = 60, .h = 60, .id = -1, .label = "dog"};
  Player with = player_start ("draw-labels=true draw-statistics=true"),
         without = player_start ("draw-labels=true");
  g_autoptr (GstSample) a = player_push_found (&with, 0, &high, 1);
  g_autoptr (GstSample) b = player_push_found (&without, 0, &high, 1);

  for (guint y = 4; y < 8; y++)
    for (guint x = 4; x < 20; x++)
      g_assert_cmphex (yv_test_rgb_at (a, x, y), ==, yv_test_rgb_at (b, x, y));
  player_stop (&with);
  player_stop (&without);
}

/* The last of half a second of frames, whose first is shown at running time 0. */
static guint
statistics_width (gdouble rate)
{
  Player p = player_start ("draw-statistics=true");
  GstSegment segment;
  guint n = 0;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.stop = 10 * GST_SECOND;
  gst_harness_push_event (p.h, gst_event_new_segment (&segment));
  for (guint ms = 0; ms < 500; ms += 40) {
    g_autoptr (GstSample) shown = player_push (&p, player_frame (&p, rate > 0 ? ms : 10000 - ms));
    n = changed_in_row (shown, 6, W);
  }
  player_stop (&p);
  return n;
}

static void
the_frame_rate_is_shown_in_reverse_too (void)
{
  g_assert_cmpuint (statistics_width (-1), ==, statistics_width (1));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay-shown/expire", boxes_stay_until_they_are_too_old);
  g_test_add_func ("/overlay-shown/empty", an_analysed_frame_without_objects_ends_them);
  g_test_add_func ("/overlay-shown/timeless", frames_without_time_keep_them);
  g_test_add_func ("/overlay-shown/breaks", what_comes_is_not_what_was);
  g_test_add_func ("/overlay-shown/labels", labels_live_as_long_as_boxes);
  g_test_add_func ("/overlay-shown/color", lines_have_their_color_where_chroma_is_subsampled);
  g_test_add_func ("/overlay-shown/tails", tails_follow_tracks_but_not_across_a_flush);
  g_test_add_func ("/overlay-shown/track-colors", tracks_have_colors_unless_told_not_to);
  g_test_add_func ("/overlay-shown/predicted", predicted_boxes_are_dashed);
  g_test_add_func ("/overlay-shown/statistics", statistics_stand_in_the_corner);
  g_test_add_func ("/overlay-shown/statistics-tags", tags_are_drawn_over_statistics);
  g_test_add_func ("/overlay-shown/statistics-reverse", the_frame_rate_is_shown_in_reverse_too);
  return g_test_run ();
}
