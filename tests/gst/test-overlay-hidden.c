/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay-hidden.c - yolov7overlay: what it hides. */
#include "tests/gst/frames.h"
#include "tests/gst/player.h"

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
  GstYolov7Detection predicted = player_box;

  predicted.predicted = TRUE;
  for (guint i = 0; yv_test_formats[i]; i++) {
    const char *format = yv_test_formats[i];
    g_autoptr (GstCaps) caps = yv_test_caps (format, W, H);
    GstHarness *h = gst_harness_new_parse ("yolov7overlay pixelated-box=true draw-labels=false");
    gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
    for (guint frame = 0; frame < 4; frame++) {
      GstBuffer *in = striped (caps, frame == 3 ? 2000 : frame * 40);
      if (frame < 2)
        yv_test_attach (in, W, H, frame ? &predicted : &player_box, 1, 0);
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
  static void (*const breaks[]) (Player *) = {player_flush_and_begin, player_begin_segment,
                                              player_change_rate, go_on};

  for (guint i = 0; i < G_N_ELEMENTS (breaks); i++) {
    Player p = player_start ("pixelated-box=true");
    GstCaps *caps = gst_sample_get_caps (p.paper);
    g_autoptr (GstSample) before = player_push (&p, striped (caps, 0));
    for (guint x = 0; x < W - 1; x++)
      g_assert_false (has_stripes (before, x, H / 2));
    g_autoptr (GstSample) analysed = player_push_found (&p, 40, NULL, 0);
    breaks[i](&p);
    g_autoptr (GstSample) after = player_push (&p, striped (caps, 80));
    g_assert_cmpint (has_stripes (after, 30, 60), ==, breaks[i] == go_on);
    player_stop (&p);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay-hidden/formats", what_is_in_boxes_is_hidden_in_every_format);
  g_test_add_func ("/overlay-hidden/unknown", frames_before_an_analysis_are_hidden);
  return g_test_run ();
}
