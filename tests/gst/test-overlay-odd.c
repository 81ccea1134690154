/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay-odd.c - yolov7overlay: any boxes, as many as there may be, on any frame.
 */
#include <math.h>
#include <string.h>

#include "tests/gst/frames.h"
#include "tests/gst/player.h"

#define PADDING 16

/* One of a hundred: each of ten values with each, for x and w. */
static GstYolov7Detection
odd_box (guint i)
{
  static const double values[] = {NAN, INFINITY, -INFINITY, -1e300, 1e300, -1, 0, 0.4, 50, 1e6};

  return (GstYolov7Detection){.x = values[i % 10],
                              .y = values[(i + 3) % 10],
                              .w = values[i / 10],
                              .h = values[(i / 10 + i) % 10],
                              .confidence = values[i % 10],
                              .class_index = i % 3 ? -1 : G_MAXINT,
                              .id = i % 4 ? -1 : G_MAXINT64 - i,
                              .predicted = i % 5 == 0};
}

static void
assert_is_padding (const guint8 *bytes, gsize n_bytes, const char *format)
{
  for (gsize i = 0; i < n_bytes; i++)
    if (bytes[i] != 0x5a)
      g_error ("%s: a byte beside the picture is %02x", format, bytes[i]);
}

/* As yv_test_padded_frame() left it: before the first plane, and after each row and plane. */
static void
assert_padding_is_as_before (GstBuffer *frame, const char *format)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (frame);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (frame, &map, GST_MAP_READ));
  assert_is_padding (map.data, PADDING, format);
  for (guint i = 0; i < meta->n_planes; i++) {
    const gsize stride = (gsize) meta->stride[i];
    const gsize end = (i + 1 < meta->n_planes ? meta->offset[i + 1] : map.size) - PADDING;
    for (gsize row = meta->offset[i]; row < end; row += stride)
      assert_is_padding (map.data + row + stride - PADDING, PADDING, format);
    assert_is_padding (map.data + end, PADDING, format);
  }
  gst_buffer_unmap (frame, &map);
}

static void
assert_differs (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;

  g_assert_true (gst_buffer_map (b, &map, GST_MAP_READ));
  g_assert_cmpint (gst_buffer_memcmp (a, 0, map.data, map.size), !=, 0);
  gst_buffer_unmap (b, &map);
}

static void
any_boxes_on_any_frame_leave_what_is_beside_it (void)
{
  static const guint sizes[][2] = {{1, 1}, {1, 7}, {3, 1}, {17, 13}, {64, 48}};
  static const char *const formats[] = {"I420", "YUY2", "RGB", "NV12", "P010_10LE"};
  GstYolov7Detection found[100];

  for (guint i = 0; i < G_N_ELEMENTS (found); i++)
    found[i] = odd_box (i);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GstSample) paper = yv_test_plain (sizes[i][0], sizes[i][1], PAPER);
    g_autoptr (GstSample) frame = yv_test_convert (paper, formats[i], sizes[i][0], sizes[i][1]);
    g_autoptr (GstBuffer) before = yv_test_padded_frame (frame, PADDING);
    GstHarness *h = gst_harness_new_parse (
        "yolov7overlay pixelated-box=true filled-box=true draw-statistics=true "
        "tail-length=600000000000 line-width=100 font-size=500");
    gst_harness_set_caps (h, gst_caps_ref (gst_sample_get_caps (frame)),
                          gst_caps_ref (gst_sample_get_caps (frame)));
    for (guint k = 0; k < 3; k++) {
      GstBuffer *buffer = yv_test_padded_frame (frame, PADDING);
      yv_test_attach (buffer, sizes[i][0], sizes[i][1], found, G_N_ELEMENTS (found), 0);
      g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, buffer);
      g_assert_nonnull (out);
      assert_padding_is_as_before (out, formats[i]);
      assert_differs (out, before);
    }
    gst_harness_teardown (h);
  }
}

/* Ends are rounded; what is no number is 0, and a box has at least one pixel. */
static gboolean
reaches (double start, double size, guint px)
{
  const double first = isnan (start) ? 0 : start;
  const double end = isnan (start + size) ? 0 : start + size;

  return px >= first - 0.5 && px <= MAX (end, first + 1) - 0.5;
}

static void
an_odd_box_changes_the_pixels_it_reaches_and_no_others (void)
{
  static const guint8 paper[] = {PAPER >> 16, PAPER >> 8 & 0xff, PAPER & 0xff};
  Player p = player_start ("filled-box=true");
  guint n_reached = 0;

  for (guint i = 0; i < 100; i++) {
    GstYolov7Detection box = odd_box (i);
    box.predicted = FALSE; /* dashes have gaps */
    g_autoptr (GstSample) drawn = player_push_found (&p, i * 40, &box, 1);
    GstMapInfo map;
    g_assert_true (gst_buffer_map (gst_sample_get_buffer (drawn), &map, GST_MAP_READ));
    for (guint k = 0; k < W * H; k++) {
      const gboolean is_reached = reaches (box.x, box.w, k % W) && reaches (box.y, box.h, k / W);
      n_reached += is_reached;
      if ((memcmp (map.data + 3 * k, paper, 3) != 0) != is_reached)
        g_error ("box %g,%g %gx%g: pixel %u,%u is %s", box.x, box.y, box.w, box.h, k % W, k / W,
                 is_reached ? "as before" : "not as before");
    }
    gst_buffer_unmap (gst_sample_get_buffer (drawn), &map);
  }
  g_assert_cmpuint (n_reached, >, W * H);
  player_stop (&p);
}

static void
ten_thousand_boxes_are_drawn (void)
{
  g_autofree GstYolov7Detection *found = g_new0 (GstYolov7Detection, 10000);
  Player p = player_start ("pixelated-box=true tail-length=1000000000 draw-labels=true");

  for (guint i = 0; i < 10000; i++)
    found[i] = (GstYolov7Detection){
        .x = i * 37 % W, .y = i * 53 % H, .w = 20, .h = 20, .id = i, .label = "x"};
  for (guint frame = 0; frame < 3; frame++) {
    g_autoptr (GstSample) drawn = player_push_found (&p, frame * 40, found, 10000);
    g_assert_cmpuint (count_changed (drawn), >, W * H / 2);
  }
  player_stop (&p);
}

/* Others hold the same memory, and may only read it. */
static void
memory_that_may_only_be_read_is_copied (void)
{
  static guint8 bytes[W * H * 3];
  Player p = player_start ("");
  GstBuffer *frame = gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, bytes, sizeof (bytes),
                                                  0, sizeof (bytes), NULL, NULL);

  GST_BUFFER_PTS (frame) = 0;
  yv_test_attach (frame, W, H, &player_box, 1, 0);
  g_autoptr (GstSample) drawn = player_push (&p, frame);
  g_assert_true (is_red (drawn, 42, 60));
  for (guint i = 0; i < sizeof (bytes); i++)
    g_assert_cmpuint (bytes[i], ==, 0);
  player_stop (&p);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay-odd/any", any_boxes_on_any_frame_leave_what_is_beside_it);
  g_test_add_func ("/overlay-odd/reach", an_odd_box_changes_the_pixels_it_reaches_and_no_others);
  g_test_add_func ("/overlay-odd/many", ten_thousand_boxes_are_drawn);
  g_test_add_func ("/overlay-odd/read-only", memory_that_may_only_be_read_is_copied);
  return g_test_run ();
}
