/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-overlay.c - yolov7overlay: boxes where they belong, in every format. */
#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"
#include "tests/gst/frames.h"

#define PAPER 0x204080
#define LINE 0xff2010

static const GstYolov7Detection box = {.x = 41,
                                       .y = 31,
                                       .w = 60,
                                       .h = 83,
                                       .confidence = 0.9,
                                       .objectness = 0.9,
                                       .class_index = 1,
                                       .id = -1,
                                       .label = "dog"};

/* Takes @buffer. Returns what comes out, as RGB. */
static GstSample *
draw (const char *properties, GstCaps *caps, GstBuffer *buffer)
{
  g_autofree char *launch = g_strdup_printf ("yolov7overlay %s", properties);
  GstHarness *h = gst_harness_new_parse (launch);
  GstVideoInfo info;

  gst_video_info_from_caps (&info, caps);
  gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, buffer);
  g_assert_nonnull (out);
  gst_harness_teardown (h);
  g_autoptr (GstSample) drawn = gst_sample_new (out, caps, NULL, NULL);
  return yv_test_convert (drawn, "RGB", (guint) info.width, (guint) info.height);
}

/* Chroma at half resolution and limited range change colors a little; gray loses all of it. */
static void
assert_color (GstSample *picture, guint x, guint y, guint32 rgb, gboolean gray, const char *what)
{
  const guint32 got = yv_test_rgb_at (picture, x, y);
  const gint r = rgb >> 16 & 0xff, g = rgb >> 8 & 0xff, b = rgb & 0xff;
  const gint luma = (299 * r + 587 * g + 114 * b) / 1000;
  const gint expected[] = {gray ? luma : r, gray ? luma : g, gray ? luma : b};

  for (gint i = 0; i < 3; i++) {
    const gint value = got >> (16 - 8 * i) & 0xff;
    if (ABS (value - expected[i]) > 8)
      g_error ("%s: pixel %u,%u is %06x, expected about %06x", what, x, y, got, rgb);
  }
}

/* In the middle of lines: converters mix chroma across their edges. */
static void
assert_box_is_drawn (GstSample *picture, gboolean gray, const char *what)
{
  static const struct {
    guint x, y;
    guint32 rgb;
  } rows[] = {
      {44, 70, LINE},   {70, 34, LINE},   {44, 34, LINE},  {98, 111, LINE},   {97, 70, LINE},
      {70, 111, LINE},  {36, 70, PAPER},  {70, 26, PAPER}, {70, 70, PAPER},   {52, 42, PAPER},
      {106, 70, PAPER}, {70, 119, PAPER}, {2, 2, PAPER},   {150, 115, PAPER},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_color (picture, rows[i].x, rows[i].y, rows[i].rgb, gray, what);
}

#define PLAIN_BOX "draw-labels=false line-width=6 object-detection-outline-color=0xffff2010"

static void
boxes_are_drawn_in_every_format_with_any_stride (void)
{
  g_autoptr (GstSample) rgb = yv_test_plain (161, 121, PAPER);

  for (guint i = 0; yv_test_formats[i]; i++)
    for (guint padding = 0; padding <= 36; padding += 12) {
      g_autoptr (GstSample) picture = yv_test_convert (rgb, yv_test_formats[i], 161, 121);
      GstBuffer *frame =
          padding ? yv_test_padded_frame (picture, padding) : yv_test_frame (picture);
      yv_test_attach (frame, 161, 121, &box, 1, 0);
      g_autoptr (GstSample) drawn = draw (PLAIN_BOX, gst_sample_get_caps (picture), frame);
      assert_box_is_drawn (drawn, g_str_equal (yv_test_formats[i], "GRAY8"), yv_test_formats[i]);
    }
}

static void
regions_of_interest_are_drawn_too (void)
{
  g_autoptr (GstSample) picture = yv_test_plain (161, 121, PAPER);
  GstBuffer *frame = yv_test_frame (picture);

  gst_buffer_add_video_region_of_interest_meta (frame, "dog", 41, 31, 60, 83);
  g_autoptr (GstSample) drawn = draw (PLAIN_BOX, gst_sample_get_caps (picture), frame);
  assert_box_is_drawn (drawn, FALSE, "ROI");
}

static void
the_analysis_counts_before_regions_of_interest (void)
{
  g_autoptr (GstSample) picture = yv_test_plain (161, 121, PAPER);
  GstBuffer *frame = yv_test_frame (picture);

  yv_test_attach (frame, 161, 121, NULL, 0, 0);
  gst_buffer_add_video_region_of_interest_meta (frame, "dog", 41, 31, 60, 83);
  g_autoptr (GstSample) drawn = draw (PLAIN_BOX, gst_sample_get_caps (picture), frame);
  assert_color (drawn, 44, 70, PAPER, FALSE, "nothing");
}

static void
boxes_follow_a_scaler (void)
{
  g_autoptr (GstSample) picture = yv_test_plain (161 * 2, 121 * 2, PAPER);
  g_autoptr (GstCaps) small = yv_test_caps ("RGB", 161, 121);
  const GstYolov7Detection twice = {.x = 82, .y = 62, .w = 120, .h = 166, .id = -1, .label = "dog"};
  GstHarness *h = gst_harness_new_parse ("videoscale ! yolov7overlay " PLAIN_BOX);

  gst_harness_set_caps (h, gst_caps_ref (gst_sample_get_caps (picture)), gst_caps_ref (small));
  GstBuffer *frame = yv_test_frame (picture);
  yv_test_attach (frame, 161 * 2, 121 * 2, &twice, 1, GST_YOLOV7_META_ROI);
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
  g_autoptr (GstSample) drawn = gst_sample_new (out, small, NULL, NULL);
  assert_box_is_drawn (drawn, FALSE, "scaled");
  gst_harness_teardown (h);
}

/* An element that scales the picture and copies metas as they are. */
static void
boxes_of_another_frame_size_are_scaled (void)
{
  g_autoptr (GstSample) picture = yv_test_plain (161, 121, PAPER);
  const GstYolov7Detection other = {.x = 82, .y = 93, .w = 120, .h = 249, .id = -1, .label = "dog"};
  GstBuffer *frame = yv_test_frame (picture);

  yv_test_attach (frame, 161 * 2, 121 * 3, &other, 1, 0);
  g_autoptr (GstSample) drawn = draw (PLAIN_BOX, gst_sample_get_caps (picture), frame);
  assert_box_is_drawn (drawn, FALSE, "of another size");
}

static void
a_tag_is_drawn_unless_turned_off (void)
{
  g_autoptr (GstSample) picture = yv_test_plain (161, 121, PAPER);
  GstBuffer *frame = yv_test_frame (picture);

  yv_test_attach (frame, 161, 121, &box, 1, 0);
  g_autoptr (GstSample) drawn =
      draw ("object-detection-outline-color=0xffff2010 labels-color=0xff00ff00",
            gst_sample_get_caps (picture), frame);
  assert_color (drawn, 41, 30, LINE, FALSE, "tag");
  guint n_green = 0;
  for (guint x = 41; x < 100; x++)
    for (guint y = 16; y < 31; y++)
      n_green += (yv_test_rgb_at (drawn, x, y) >> 8 & 0xff) > 0xc0;
  g_assert_cmpuint (n_green, >, 20);
}

/* The other branch of a tee holds the same memory. */
static void
pixels_that_others_hold_stay_as_they_are (void)
{
  g_autoptr (GstSample) picture = yv_test_plain (161, 121, PAPER);
  GstBuffer *frame = yv_test_frame (picture);

  yv_test_attach (frame, 161, 121, &box, 1, 0);
  g_autoptr (GstSample) other =
      gst_sample_new (frame, gst_sample_get_caps (picture), NULL, NULL); /* a second owner */
  g_autoptr (GstSample) drawn = draw (PLAIN_BOX, gst_sample_get_caps (picture), frame);
  assert_box_is_drawn (drawn, FALSE, "drawn");
  assert_color (other, 44, 70, PAPER, FALSE, "other branch");
}

static void
a_frame_without_detections_passes_untouched (void)
{
  g_autoptr (GstSample) picture = yv_test_plain (161, 121, PAPER);
  GstHarness *h = gst_harness_new ("yolov7overlay");
  GstBuffer *frame = yv_test_frame (picture);
  GstMemory *memory = gst_buffer_peek_memory (frame, 0);
  g_autoptr (GstBuffer) held = gst_buffer_ref (frame); /* drawing would have to copy */

  gst_harness_set_caps (h, gst_caps_ref (gst_sample_get_caps (picture)),
                        gst_caps_ref (gst_sample_get_caps (picture)));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
  g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
  gst_harness_teardown (h);
}

static void
properties_take_effect_with_the_next_frame (void)
{
  g_autoptr (GstSample) picture = yv_test_plain (161, 121, PAPER);
  GstHarness *h = gst_harness_new_parse ("yolov7overlay name=overlay " PLAIN_BOX);
  g_autoptr (GstElement) overlay = gst_harness_find_element (h, "yolov7overlay");
  static const guint colors[] = {0xffff2010, 0xff10ff20, 0xff1020ff};

  gst_harness_set_caps (h, gst_caps_ref (gst_sample_get_caps (picture)),
                        gst_caps_ref (gst_sample_get_caps (picture)));
  for (guint i = 0; i < G_N_ELEMENTS (colors); i++) {
    GstBuffer *frame = yv_test_frame (picture);
    yv_test_attach (frame, 161, 121, &box, 1, 0);
    g_object_set (overlay, "object-detection-outline-color", colors[i], NULL);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
    g_autoptr (GstSample) drawn = gst_sample_new (out, gst_sample_get_caps (picture), NULL, NULL);
    assert_color (drawn, 44, 70, colors[i] & 0xffffff, FALSE, "next frame");
  }
  gst_harness_teardown (h);
}

static void
a_buffer_that_is_no_frame_is_an_error_with_a_message (void)
{
  g_autoptr (GstCaps) caps = yv_test_caps ("I420", 161, 121);
  g_autoptr (GstBus) bus = gst_bus_new ();
  GstHarness *h = gst_harness_new ("yolov7overlay");
  GstBuffer *frame = gst_buffer_new_allocate (NULL, 100, NULL);
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (h->element, bus);
  gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
  yv_test_attach (frame, 161, 121, &box, 1, 0);
  g_assert_cmpint (gst_harness_push (h, frame), ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "100 bytes"));
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

/* Else those who do not know it would show padded rows. */
static void
padded_rows_are_asked_for_where_downstream_reads_them (void)
{
  for (guint knows = 0; knows < 2; knows++) {
    GstHarness *h = gst_harness_new ("yolov7overlay");
    g_autoptr (GstCaps) caps = yv_test_caps ("RGB", 64, 48);
    g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);

    if (knows)
      gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
    gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
    g_assert_true (gst_pad_peer_query (h->srcpad, query));
    g_assert_cmpint (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL), ==,
                     knows);
    gst_harness_teardown (h);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay/formats", boxes_are_drawn_in_every_format_with_any_stride);
  g_test_add_func ("/overlay/regions", regions_of_interest_are_drawn_too);
  g_test_add_func ("/overlay/empty", the_analysis_counts_before_regions_of_interest);
  g_test_add_func ("/overlay/scaled", boxes_follow_a_scaler);
  g_test_add_func ("/overlay/other-size", boxes_of_another_frame_size_are_scaled);
  g_test_add_func ("/overlay/tag", a_tag_is_drawn_unless_turned_off);
  g_test_add_func ("/overlay/shared-memory", pixels_that_others_hold_stay_as_they_are);
  g_test_add_func ("/overlay/untouched", a_frame_without_detections_passes_untouched);
  g_test_add_func ("/overlay/properties", properties_take_effect_with_the_next_frame);
  g_test_add_func ("/overlay/bad-frame", a_buffer_that_is_no_frame_is_an_error_with_a_message);
  g_test_add_func ("/overlay/padded-rows", padded_rows_are_asked_for_where_downstream_reads_them);
  return g_test_run ();
}
