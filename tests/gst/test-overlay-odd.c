/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay-odd.c - yolov7overlay: any boxes, as many as there may be, on any frame.
 */
#include <math.h>

#include "tests/gst/frames.h"
#include "tests/gst/player.h"

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
  g_test_add_func ("/overlay-odd/any", any_boxes_on_any_frame_are_harmless);
  g_test_add_func ("/overlay-odd/many", ten_thousand_boxes_are_drawn);
  g_test_add_func ("/overlay-odd/read-only", memory_that_may_only_be_read_is_copied);
  return g_test_run ();
}
