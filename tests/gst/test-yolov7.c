/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-yolov7.c - the element yolov7 on frames: what it attaches, in every format, and
 * that buffers stay as they are. */
#include <math.h>

#include "tests/common/device.h"
#include "tests/gst/detector.h"
#include "tests/gst/frames.h"

/* Every detection of @a well above the threshold has its like in @b. */
static void
assert_contained (GArray *a, GArray *b, double conf_tolerance, const char *what)
{
  for (guint i = 0; i < a->len; i++) {
    gboolean matched = nth (a, i)->confidence < 0.25 + conf_tolerance;
    for (guint k = 0; k < b->len && !matched; k++)
      matched = iou (nth (a, i), nth (b, k)) > 0.9 &&
                fabs (nth (a, i)->confidence - nth (b, k)->confidence) < conf_tolerance;
    if (!matched)
      g_error ("%s: no match for %.1f,%.1f %.1fx%.1f %.3f", what, nth (a, i)->x, nth (a, i)->y,
               nth (a, i)->w, nth (a, i)->h, nth (a, i)->confidence);
  }
}

static void
assert_same (GArray *a, GArray *b, double conf_tolerance, const char *what)
{
  assert_contained (a, b, conf_tolerance, what);
  assert_contained (b, a, conf_tolerance, what);
}

static void
pedestrians_are_found_where_they_walk (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  /* Frame 0, seen by eye. */
  static const GstYolov7Detection persons[] = {
      {.x = 643, .y = 239, .w = 42, .h = 84},
      {.x = 253, .y = 219, .w = 31, .h = 90},
      {.x = 503, .y = 161, .w = 27, .h = 71},
  };
  GstHarness *h = detector_new ("confidence-threshold=0.5");

  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GArray) found = detect (h, yv_test_frame (clip));
  for (guint i = 0; i < found->len; i++)
    g_test_message ("%.1f,%.1f %.1fx%.1f %.3f", nth (found, i)->x, nth (found, i)->y,
                    nth (found, i)->w, nth (found, i)->h, nth (found, i)->confidence);
  g_assert_cmpuint (found->len, ==, G_N_ELEMENTS (persons));
  for (guint i = 0; i < G_N_ELEMENTS (persons); i++) {
    double best = 0;
    for (guint k = 0; k < found->len; k++)
      best = MAX (best, iou (&persons[i], nth (found, k)));
    g_assert_cmpfloat (best, >, 0.6);
  }
  for (guint i = 0; i < found->len; i++) {
    g_assert_cmpfloat (nth (found, i)->confidence, >, 0.5);
    g_assert_cmpfloat (nth (found, i)->objectness, >=, nth (found, i)->confidence - 1e-6);
    g_assert_cmpint (nth (found, i)->class_index, ==, 0);
    g_assert_cmpint (nth (found, i)->id, ==, -1);
    g_assert_true (i == 0 || nth (found, i)->confidence <= nth (found, i - 1)->confidence);
  }
  gst_harness_teardown (h);
}

static void
every_format_gives_the_same_detections (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE);

  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GArray) expected = detect (h, yv_test_frame (clip));
  g_assert_cmpuint (expected->len, >=, 2);
  for (guint i = 0; yv_test_formats[i]; i++) {
    const gboolean gray = g_str_equal (yv_test_formats[i], "GRAY8");
    g_autoptr (GstSample) picture = yv_test_convert (clip, yv_test_formats[i], W, H);
    set_caps (h, gst_sample_get_caps (picture));
    g_autoptr (GArray) found = detect (h, yv_test_padded_frame (picture, 28));
    if (!gray) /* another picture: only that it is analysed can be said */
      assert_same (expected, found, 0.05, yv_test_formats[i]);
  }
  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GArray) padded = detect (h, yv_test_padded_frame (clip, 28));
  assert_same (expected, padded, 1e-4, "padded");
  gst_harness_teardown (h);
}

static void
gray_is_the_same_as_a_gray_picture_in_color (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  g_autoptr (GstSample) gray = yv_test_convert (clip, "GRAY8", W, H);
  g_autoptr (GstSample) rgb = yv_test_convert (gray, "RGB", W, H);
  GstHarness *h = detector_new (SIZE);

  set_caps (h, gst_sample_get_caps (gray));
  g_autoptr (GArray) a = detect (h, yv_test_frame (gray));
  set_caps (h, gst_sample_get_caps (rgb));
  g_autoptr (GArray) b = detect (h, yv_test_frame (rgb));
  assert_same (a, b, 0.02, "GRAY8");
  gst_harness_teardown (h);
}

static void
a_frame_with_nothing_on_it_is_marked_as_analysed (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (97, 61, 0);
  GstHarness *h = detector_new ("input-size=64 confidence-threshold=1");

  set_caps (h, gst_sample_get_caps (black));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, yv_test_frame (black));
  GstCustomMeta *meta = gst_buffer_get_custom_meta (out, GST_YOLOV7_DETECTIONS_META_NAME);
  const GstStructure *s = gst_custom_meta_get_structure (meta);
  guint width, height;
  g_assert_true (
      gst_structure_get (s, "width", G_TYPE_UINT, &width, "height", G_TYPE_UINT, &height, NULL));
  g_assert_cmpuint (width, ==, 97);
  g_assert_cmpuint (height, ==, 61);
  g_assert_cmpuint (gst_value_array_get_size (gst_structure_get_value (s, "detections")), ==, 0);
  g_assert_cmpuint (gst_buffer_get_n_meta (out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==, 0);
  gst_harness_teardown (h);
}

static void
the_most_confident_are_kept (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");

  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GArray) all = detect (h, yv_test_frame (clip));
  g_object_set (yolov7, "max-detections", 1, NULL);
  g_autoptr (GArray) one = detect (h, yv_test_frame (clip));
  g_assert_cmpuint (one->len, ==, 1);
  g_assert_cmpfloat (iou (nth (one, 0), nth (all, 0)), >, 0.999);
  gst_harness_teardown (h);
}

static void
regions_of_interest_say_the_same (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, yv_test_frame (clip));
  gst_yolov7_detections_read (out, found);
  for (guint i = 0; i < found->len; i++) {
    GstVideoRegionOfInterestMeta *roi =
        gst_buffer_get_video_region_of_interest_meta_id (out, (gint) i);
    g_assert_cmpstr (g_quark_to_string (roi->roi_type), ==, "person");
    g_assert_cmpfloat_with_epsilon (roi->x, nth (found, i)->x, 0.5);
    g_assert_cmpfloat_with_epsilon (roi->h, nth (found, i)->h, 1);
  }
  g_object_set (yolov7, "attach-roi-meta", FALSE, NULL);
  g_autoptr (GstBuffer) bare = gst_harness_push_and_pull (h, yv_test_frame (clip));
  g_assert_null (gst_buffer_get_video_region_of_interest_meta_id (bare, 0));
  g_assert_nonnull (gst_buffer_get_custom_meta (bare, GST_YOLOV7_DETECTIONS_META_NAME));
  gst_harness_teardown (h);
}

static void
pixels_are_neither_changed_nor_copied (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) picture = yv_test_plain (64, 48, 0x123456);
  GstHarness *h = detector_new ("input-size=64");
  GstBuffer *frame = yv_test_frame (picture);
  GstMemory *memory = gst_buffer_peek_memory (frame, 0);
  g_autoptr (GstBuffer) held = gst_buffer_ref (frame); /* as the other branch of a tee does */

  set_caps (h, gst_sample_get_caps (picture));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
  g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
  g_assert_null (gst_buffer_get_custom_meta (held, GST_YOLOV7_DETECTIONS_META_NAME));
  g_assert_nonnull (gst_buffer_get_custom_meta (out, GST_YOLOV7_DETECTIONS_META_NAME));
  gst_harness_teardown (h);
}

static void
times_and_flags_stay (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) picture = yv_test_plain (64, 48, 0x123456);
  GstHarness *h = detector_new ("input-size=64");
  GstBuffer *frame = yv_test_frame (picture);

  GST_BUFFER_PTS (frame) = 3 * GST_SECOND;
  GST_BUFFER_DTS (frame) = 2 * GST_SECOND;
  GST_BUFFER_OFFSET (frame) = 75;
  GST_BUFFER_FLAG_SET (frame, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_DELTA_UNIT);
  set_caps (h, gst_sample_get_caps (picture));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 3 * GST_SECOND);
  g_assert_cmpuint (GST_BUFFER_DTS (out), ==, 2 * GST_SECOND);
  g_assert_cmpuint (GST_BUFFER_DURATION (out), ==, GST_SECOND / 25);
  g_assert_cmpuint (GST_BUFFER_OFFSET (out), ==, 75);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_DISCONT));
  g_assert_true (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_DELTA_UNIT));
  gst_harness_teardown (h);
}

static void
padded_buffers_are_asked_for_where_downstream_reads_them (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  GstHarness *h = detector_new ("input-size=64");
  g_autoptr (GstCaps) caps = yv_test_caps ("I420", 64, 48);

  set_caps (h, caps);
  g_autoptr (GstQuery) plain = gst_query_new_allocation (caps, TRUE);
  g_assert_true (gst_pad_peer_query (h->srcpad, plain));
  g_assert_false (gst_query_find_allocation_meta (plain, GST_VIDEO_META_API_TYPE, NULL));
  g_assert_cmpuint (gst_query_get_n_allocation_pools (plain), ==, 1); /* ours */

  gst_harness_add_propose_allocation_meta (h, GST_VIDEO_META_API_TYPE, NULL);
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, FALSE);
  g_assert_true (gst_pad_peer_query (h->srcpad, query));
  g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/yolov7/pedestrians", pedestrians_are_found_where_they_walk);
  g_test_add_func ("/yolov7/formats", every_format_gives_the_same_detections);
  g_test_add_func ("/yolov7/gray", gray_is_the_same_as_a_gray_picture_in_color);
  g_test_add_func ("/yolov7/nothing", a_frame_with_nothing_on_it_is_marked_as_analysed);
  g_test_add_func ("/yolov7/max-detections", the_most_confident_are_kept);
  g_test_add_func ("/yolov7/regions", regions_of_interest_say_the_same);
  g_test_add_func ("/yolov7/in-place", pixels_are_neither_changed_nor_copied);
  g_test_add_func ("/yolov7/times", times_and_flags_stay);
  g_test_add_func ("/yolov7/allocation", padded_buffers_are_asked_for_where_downstream_reads_them);
  return g_test_run ();
}
