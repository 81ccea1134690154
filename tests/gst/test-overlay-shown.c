/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay-shown.c - yolov7overlay: what it shows over time, and of whom: boxes that
 * stay, tails, hidden pixels, zones, statistics; and all that may be wrong with them. */
#include <gst/check/gstharness.h>

#include <math.h>

#include "gst/detectionmeta.h"
#include "tests/gst/frames.h"

#define W 160
#define H 120
#define PAPER 0x204080
#define RED 0xff2010
#define PLAIN "draw-labels=false line-width=6 object-detection-outline-color=0xffff2010 "

static const GstYolov7Detection box = {.x = 40,
                                       .y = 30,
                                       .w = 60,
                                       .h = 60,
                                       .confidence = 0.9,
                                       .class_index = 1,
                                       .id = -1,
                                       .label = "dog"};

typedef struct {
  GstHarness *h;
  GstSample *paper;
} Player;

static Player
play (const char *properties)
{
  g_autofree char *launch = g_strdup_printf ("yolov7overlay " PLAIN "%s", properties);
  Player p = {gst_harness_new_parse (launch), yv_test_plain (W, H, PAPER)};
  GstCaps *caps = gst_sample_get_caps (p.paper);

  gst_harness_set_caps (p.h, gst_caps_ref (caps), gst_caps_ref (caps));
  return p;
}

static void
stop (Player *p)
{
  gst_harness_teardown (p->h);
  gst_sample_unref (p->paper);
}

static GstBuffer *
frame_at (Player *p, guint ms)
{
  GstBuffer *frame = yv_test_frame (p->paper);

  GST_BUFFER_PTS (frame) = ms * GST_MSECOND;
  return frame;
}

/* Takes @frame. */
static GstSample *
push (Player *p, GstBuffer *frame)
{
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (p->h, frame);

  g_assert_nonnull (out);
  return gst_sample_new (out, gst_sample_get_caps (p->paper), NULL, NULL);
}

/* A frame that was analysed. */
static GstSample *
push_found (Player *p, guint ms, const GstYolov7Detection *found, guint n_found)
{
  GstBuffer *frame = frame_at (p, ms);

  yv_test_attach (frame, W, H, found, n_found, 0);
  return push (p, frame);
}

static gboolean
is_red (GstSample *picture, guint x, guint y)
{
  return yv_test_rgb_at (picture, x, y) == RED;
}

/* Of a frame that nobody analysed. */
static gboolean
shows_box_at (Player *p, guint ms)
{
  g_autoptr (GstSample) shown = push (p, frame_at (p, ms));

  return is_red (shown, 42, 60);
}

static guint
count_changed (GstSample *picture)
{
  guint n = 0;

  for (guint i = 0; i < W * H; i++)
    n += yv_test_rgb_at (picture, i % W, i / W) != PAPER;
  return n;
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
    Player p = play (rows[i].properties);
    g_autoptr (GstSample) first = push_found (&p, 0, &box, 1);
    g_assert_true (is_red (first, 42, 60));
    g_assert_cmpint (shows_box_at (&p, rows[i].ms), ==, rows[i].is_shown);
    stop (&p);
  }
}

static void
an_analysed_frame_without_objects_ends_them (void)
{
  Player p = play ("");
  g_autoptr (GstSample) first = push_found (&p, 0, &box, 1);
  g_autoptr (GstSample) none = push_found (&p, 40, NULL, 0);

  g_assert_false (is_red (none, 42, 60));
  g_assert_false (shows_box_at (&p, 80));
  stop (&p);
}

static void
frames_without_time_keep_them (void)
{
  Player p = play ("");
  g_autoptr (GstSample) first = push_found (&p, 0, &box, 1);
  GstBuffer *timeless = frame_at (&p, 0);

  GST_BUFFER_PTS (timeless) = GST_CLOCK_TIME_NONE;
  g_autoptr (GstSample) shown = push (&p, timeless);
  g_assert_true (is_red (shown, 42, 60));
  stop (&p);
}

static void
flush (Player *p)
{
  gst_harness_push_event (p->h, gst_event_new_flush_start ());
  gst_harness_push_event (p->h, gst_event_new_flush_stop (TRUE));
}

static void
begin_segment (Player *p)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (p->h, gst_event_new_segment (&segment));
}

static void
flush_and_begin (Player *p)
{
  flush (p);
  begin_segment (p);
}

static void
change_rate (Player *p)
{
  g_autoptr (GstCaps) caps = gst_caps_copy (gst_sample_get_caps (p->paper));

  gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, 30, 1, NULL);
  gst_harness_set_caps (p->h, gst_caps_ref (caps), gst_caps_ref (caps));
}

static void
what_comes_is_not_what_was (void)
{
  static void (*const breaks[]) (Player *) = {flush_and_begin, begin_segment, change_rate};

  for (guint i = 0; i < G_N_ELEMENTS (breaks); i++) {
    Player p = play ("");
    g_autoptr (GstSample) first = push_found (&p, 0, &box, 1);
    g_assert_true (shows_box_at (&p, 20));
    breaks[i](&p);
    g_assert_false (shows_box_at (&p, 40));
    stop (&p);
  }
}

/* The label's own frame is gone when it is drawn again. */
static void
labels_live_as_long_as_boxes (void)
{
  g_autofree char *endless = g_strnfill (10000, 'W');
  const char *labels[] = {"dog", endless, "\xff\xfe", ""};

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++) {
    Player p = play ("draw-labels=true");
    GstYolov7Detection labelled = box;
    g_autofree char *label = g_utf8_make_valid (labels[i], -1);
    labelled.label = label;
    g_autoptr (GstSample) first = push_found (&p, 0, &labelled, 1);
    const guint n_changed = count_changed (first);
    g_clear_pointer (&first, gst_sample_unref);
    g_autoptr (GstSample) again = push (&p, frame_at (&p, 40));
    g_assert_cmpuint (count_changed (again), ==, n_changed);
    stop (&p);
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

static guint
changed_in_row (GstSample *picture, guint y, guint until_x)
{
  guint n = 0;

  for (guint x = 0; x < until_x; x++)
    n += yv_test_rgb_at (picture, x, y) != PAPER;
  return n;
}

/* Moves a tracked box right for half a second; returns the last frame. */
static GstSample *
move_right (Player *p, gboolean with_flush)
{
  GstSample *last = NULL;

  for (guint i = 0; i <= 10; i++) {
    GstYolov7Detection moving = {.x = 5 + i * 10, .y = 20, .w = 20, .h = 60, .id = 3};
    g_clear_pointer (&last, gst_sample_unref);
    if (with_flush && i == 10)
      flush_and_begin (p);
    last = push_found (p, with_flush && i == 10 ? 0 : i * 50, &moving, 1);
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
    Player p = play (rows[i].properties);
    g_autoptr (GstSample) last = move_right (&p, rows[i].with_flush);
    g_assert_cmpint (changed_in_row (last, 80, 95) > 50, ==, rows[i].has_tail);
    stop (&p);
  }
}

static void
tracks_have_colors_unless_told_not_to (void)
{
  GstYolov7Detection tracked = box;
  Player colored = play (""), plain = play ("tracking-outline-colors=false");

  tracked.id = 4;
  g_autoptr (GstSample) a = push_found (&colored, 0, &tracked, 1);
  g_autoptr (GstSample) b = push_found (&plain, 0, &tracked, 1);
  g_assert_false (is_red (a, 42, 60));
  g_assert_cmphex (yv_test_rgb_at (a, 42, 60), !=, PAPER);
  g_assert_true (is_red (b, 42, 60));
  stop (&colored);
  stop (&plain);
}

static void
predicted_boxes_are_dashed (void)
{
  GstYolov7Detection predicted = box;
  Player p = play ("line-width=2");

  predicted.predicted = TRUE;
  g_autoptr (GstSample) solid = push_found (&p, 0, &box, 1);
  g_autoptr (GstSample) dashed = push_found (&p, 40, &predicted, 1);
  g_assert_cmpuint (count_changed (dashed), <, count_changed (solid) * 7 / 10);
  g_assert_cmpuint (count_changed (dashed), >, count_changed (solid) * 3 / 10);
  stop (&p);
}

/* ---- what is hidden ------------------------------------------------------------------------- */

/* Stripes, one pixel wide. */
static GstBuffer *
striped (GstCaps *caps, guint ms)
{
  g_autoptr (GstSample) rgb = yv_test_plain (W, H, 0);
  GstBuffer *frame = gst_sample_get_buffer (rgb);
  GstMapInfo map;

  gst_buffer_map (frame, &map, GST_MAP_WRITE);
  for (guint i = 0; i < W * H; i++)
    memset (map.data + 3 * i, i % 2 ? 0xf0 : 0x10, 3);
  gst_buffer_unmap (frame, &map);
  const char *format = gst_structure_get_string (gst_caps_get_structure (caps, 0), "format");
  g_autoptr (GstSample) converted = yv_test_convert (rgb, format, W, H);
  GstBuffer *buffer = yv_test_frame (converted);
  GST_BUFFER_PTS (buffer) = ms * GST_MSECOND;
  return buffer;
}

static gboolean
has_stripes (GstSample *picture, guint x, guint y)
{
  const gint a = yv_test_rgb_at (picture, x, y) & 0xff;
  const gint b = yv_test_rgb_at (picture, x + 1, y) & 0xff;

  return ABS (a - b) > 100;
}

static void
assert_hidden (GstBuffer *buffer, GstCaps *caps, gboolean is_hidden, const char *what)
{
  g_autoptr (GstSample) drawn = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (GstSample) rgb = yv_test_convert (drawn, "RGB", W, H);

  for (guint y = 38; y < 82; y++)
    for (guint x = 48; x < 92; x++)
      if (has_stripes (rgb, x, y) == is_hidden)
        g_error ("%s: pixel %u,%u is %s", what, x, y, is_hidden ? "not hidden" : "hidden");
  g_assert_true (has_stripes (rgb, 30, 60));
  g_assert_true (has_stripes (rgb, 106, 60));
}

/* Also what a tracker predicts, and frames that nobody analysed, until the boxes are too old. */
static void
what_is_in_boxes_is_hidden_in_every_format (void)
{
  GstYolov7Detection predicted = box;

  predicted.predicted = TRUE;
  for (guint i = 0; yv_test_formats[i]; i++) {
    const char *format = yv_test_formats[i];
    g_autoptr (GstCaps) caps = yv_test_caps (format, W, H);
    GstHarness *h = gst_harness_new_parse ("yolov7overlay pixelated-box=true draw-labels=false");
    gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
    for (guint frame = 0; frame < 4; frame++) {
      GstBuffer *in = striped (caps, frame == 3 ? 2000 : frame * 40);
      if (frame < 2)
        yv_test_attach (in, W, H, frame ? &predicted : &box, 1, 0);
      g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, in);
      assert_hidden (out, caps, frame < 3, format);
    }
    gst_harness_teardown (h);
  }
}

static void
go_on (Player *p)
{
  (void) p;
}

/* Whose boxes nobody knows yet, or any more. */
static void
frames_before_an_analysis_are_hidden (void)
{
  static void (*const breaks[]) (Player *) = {flush_and_begin, begin_segment, change_rate, go_on};

  for (guint i = 0; i < G_N_ELEMENTS (breaks); i++) {
    Player p = play ("pixelated-box=true");
    GstCaps *caps = gst_sample_get_caps (p.paper);
    g_autoptr (GstSample) before = push (&p, striped (caps, 0));
    for (guint x = 0; x < W - 1; x++)
      g_assert_false (has_stripes (before, x, H / 2));
    g_autoptr (GstSample) analysed = push_found (&p, 40, NULL, 0);
    breaks[i](&p);
    g_autoptr (GstSample) after = push (&p, striped (caps, 80));
    g_assert_cmpint (has_stripes (after, 30, 60), ==, breaks[i] == go_on);
    stop (&p);
  }
}

/* ---- zones ---------------------------------------------------------------------------------- */

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
    Player p = play (rows[i].properties);
    GValue zones = G_VALUE_INIT;
    gst_value_array_init (&zones, 1);
    add_zone (&zones, "line", 0.75, G_TYPE_DOUBLE);
    g_autoptr (GstSample) drawn = push (&p, with_zones (frame_at (&p, 0), &zones));
    g_assert_cmpint (changed_in_row (drawn, 90, W) > W / 2, ==, rows[i].is_drawn);
    stop (&p);
  }
}

/* What is wrong with one zone is no reason not to draw another. */
static void
zones_that_are_none_are_left_out (void)
{
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  Player p = play ("");
  GValue zones = G_VALUE_INIT, number = G_VALUE_INIT;

  gst_value_array_init (&zones, 1);
  g_value_init (&number, G_TYPE_INT);
  append (&zones, &number);
  g_autoptr (GstSample) numbers = push (&p, with_zones (frame_at (&p, 0), &zones));
  g_assert_cmpuint (count_changed (numbers), ==, 0);

  zones = (GValue) G_VALUE_INIT;
  gst_value_array_init (&zones, 4);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    add_zone (&zones, "zone", bad[i], G_TYPE_DOUBLE);
  add_zone (&zones, "zone", 0.25, G_TYPE_STRING);
  g_autoptr (GstSample) none = push (&p, with_zones (frame_at (&p, 0), &zones));
  g_assert_cmpuint (count_changed (none), ==, 0);

  zones = (GValue) G_VALUE_INIT;
  gst_value_array_init (&zones, 2);
  add_zone (&zones, "zone", NAN, G_TYPE_DOUBLE);
  add_zone (&zones, "line", 0.75, G_TYPE_DOUBLE);
  g_autoptr (GstSample) one = push (&p, with_zones (frame_at (&p, 40), &zones));
  g_assert_cmpuint (changed_in_row (one, 90, W), >, W / 2);

  zones = (GValue) G_VALUE_INIT;
  g_value_init (&zones, G_TYPE_STRING);
  g_autoptr (GstSample) text = push (&p, with_zones (frame_at (&p, 80), &zones));
  g_assert_cmpuint (count_changed (text), ==, 0);
  stop (&p);
}

static void
ten_thousand_zones_are_harmless (void)
{
  Player p = play ("");
  GValue zones = G_VALUE_INIT;

  gst_value_array_init (&zones, 10000);
  for (guint i = 0; i < 10000; i++)
    add_zone (&zones, i % 2 ? "zone" : "line", i % 90 / 90.0, G_TYPE_DOUBLE);
  g_autoptr (GstSample) drawn = push (&p, with_zones (frame_at (&p, 0), &zones));
  g_assert_cmpuint (count_changed (drawn), >, 0);
  stop (&p);
}

/* ---- statistics ------------------------------------------------------------------------------ */

static void
statistics_stand_in_the_corner (void)
{
  Player p = play ("draw-statistics=true");
  g_autoptr (GstSample) empty = push (&p, frame_at (&p, 0));

  g_assert_cmpuint (changed_in_row (empty, 6, W), >, 20);
  g_assert_cmpuint (changed_in_row (empty, 60, W), ==, 0);
  stop (&p);
}

static void
tags_are_drawn_over_statistics (void)
{
  const GstYolov7Detection high = {.x = 0, .y = 0, .w = 60, .h = 60, .id = -1, .label = "dog"};
  Player with = play ("draw-labels=true draw-statistics=true"), without = play ("draw-labels=true");
  g_autoptr (GstSample) a = push_found (&with, 0, &high, 1);
  g_autoptr (GstSample) b = push_found (&without, 0, &high, 1);

  for (guint y = 4; y < 8; y++)
    for (guint x = 4; x < 20; x++)
      g_assert_cmphex (yv_test_rgb_at (a, x, y), ==, yv_test_rgb_at (b, x, y));
  stop (&with);
  stop (&without);
}

/* The last of half a second of frames, whose first is shown at running time 0. */
static guint
statistics_width (gdouble rate)
{
  Player p = play ("draw-statistics=true");
  GstSegment segment;
  guint n = 0;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.stop = 10 * GST_SECOND;
  gst_harness_push_event (p.h, gst_event_new_segment (&segment));
  for (guint ms = 0; ms < 500; ms += 40) {
    g_autoptr (GstSample) shown = push (&p, frame_at (&p, rate > 0 ? ms : 10000 - ms));
    n = changed_in_row (shown, 6, W);
  }
  stop (&p);
  return n;
}

static void
the_frame_rate_is_shown_in_reverse_too (void)
{
  g_assert_cmpuint (statistics_width (-1), ==, statistics_width (1));
}

/* ---- anything at all ------------------------------------------------------------------------- */

static void
any_boxes_on_any_frame_are_harmless (void)
{
  static const double values[] = {NAN, INFINITY, -INFINITY, -1e300, 1e300, -1, 0, 0.4, 50, 1e6};
  static const guint sizes[][2] = {{1, 1}, {1, 7}, {3, 1}, {17, 13}, {64, 48}};
  static const char *const formats[] = {"I420", "YUY2", "RGB", "NV12", "P010_10LE"};
  GstYolov7Detection found[100];

  for (guint i = 0; i < G_N_ELEMENTS (found); i++)
    found[i] = (GstYolov7Detection){.x = values[i % 10],
                                    .y = values[(i + 3) % 10],
                                    .w = values[i / 10],
                                    .h = values[(i / 10 + i) % 10],
                                    .confidence = values[i % 10],
                                    .class_index = i % 3 ? -1 : G_MAXINT,
                                    .id = i % 4 ? -1 : G_MAXINT64 - i,
                                    .predicted = i % 5 == 0};
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GstSample) paper = yv_test_plain (sizes[i][0], sizes[i][1], PAPER);
    g_autoptr (GstSample) frame = yv_test_convert (paper, formats[i], sizes[i][0], sizes[i][1]);
    GstHarness *h = gst_harness_new_parse (
        "yolov7overlay pixelated-box=true filled-box=true draw-statistics=true "
        "tail-length=600000000000 line-width=100 font-size=500");
    gst_harness_set_caps (h, gst_caps_ref (gst_sample_get_caps (frame)),
                          gst_caps_ref (gst_sample_get_caps (frame)));
    for (guint k = 0; k < 3; k++) {
      GstBuffer *buffer = yv_test_frame (frame);
      yv_test_attach (buffer, sizes[i][0], sizes[i][1], found, G_N_ELEMENTS (found), 0);
      g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, buffer);
      g_assert_nonnull (out);
    }
    gst_harness_teardown (h);
  }
}

static void
ten_thousand_boxes_are_drawn (void)
{
  g_autofree GstYolov7Detection *found = g_new0 (GstYolov7Detection, 10000);
  Player p = play ("pixelated-box=true tail-length=1000000000 draw-labels=true");

  for (guint i = 0; i < 10000; i++)
    found[i] = (GstYolov7Detection){
        .x = i * 37 % W, .y = i * 53 % H, .w = 20, .h = 20, .id = i, .label = "x"};
  for (guint frame = 0; frame < 3; frame++) {
    g_autoptr (GstSample) drawn = push_found (&p, frame * 40, found, 10000);
    g_assert_cmpuint (count_changed (drawn), >, W * H / 2);
  }
  stop (&p);
}

/* Others hold the same memory, and may only read it. */
static void
memory_that_may_only_be_read_is_copied (void)
{
  static guint8 bytes[W * H * 3];
  Player p = play ("");
  GstBuffer *frame = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, bytes, sizeof (bytes),
                                                  0, sizeof (bytes), NULL, NULL);

  GST_BUFFER_PTS (frame) = 0;
  yv_test_attach (frame, W, H, &box, 1, 0);
  g_autoptr (GstSample) drawn = push (&p, frame);
  g_assert_true (is_red (drawn, 42, 60));
  for (guint i = 0; i < sizeof (bytes); i++)
    g_assert_cmpuint (bytes[i], ==, 0);
  stop (&p);
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
  g_test_add_func ("/overlay-shown/hidden", what_is_in_boxes_is_hidden_in_every_format);
  g_test_add_func ("/overlay-shown/unknown", frames_before_an_analysis_are_hidden);
  g_test_add_func ("/overlay-shown/zones", zones_are_drawn_unless_turned_off);
  g_test_add_func ("/overlay-shown/bad-zones", zones_that_are_none_are_left_out);
  g_test_add_func ("/overlay-shown/many-zones", ten_thousand_zones_are_harmless);
  g_test_add_func ("/overlay-shown/statistics", statistics_stand_in_the_corner);
  g_test_add_func ("/overlay-shown/statistics-tags", tags_are_drawn_over_statistics);
  g_test_add_func ("/overlay-shown/statistics-reverse", the_frame_rate_is_shown_in_reverse_too);
  g_test_add_func ("/overlay-shown/odd", any_boxes_on_any_frame_are_harmless);
  g_test_add_func ("/overlay-shown/many", ten_thousand_boxes_are_drawn);
  g_test_add_func ("/overlay-shown/read-only", memory_that_may_only_be_read_is_copied);
  return g_test_run ();
}
