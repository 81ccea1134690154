/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-yolov7-changes.c - the element yolov7 when properties, caps or segments change. */
#include "tests/common/device.h"
#include "tests/gst/detector.h"
#include "tests/gst/frames.h"

static guint
count (GstHarness *h, GstSample *picture)
{
  g_autoptr (GArray) found = detect (h, yv_test_frame (picture));

  return found->len;
}

static void
properties_take_effect_with_the_next_frame (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");

  set_caps (h, gst_sample_get_caps (clip));
  const guint n = count (h, clip);
  g_assert_cmpuint (n, >=, 2);
  g_object_set (yolov7, "confidence-threshold", 1.0, NULL);
  g_assert_cmpuint (count (h, clip), ==, 0);
  g_object_set (yolov7, "confidence-threshold", 0.25, "classes", "person", NULL);
  g_assert_cmpuint (count (h, clip), ==, n);
  g_object_set (yolov7, "classes", NULL, "iou-threshold", 1.0, NULL);
  g_assert_cmpuint (count (h, clip), >, n); /* nothing is suppressed */
  g_object_set (yolov7, "iou-threshold", 0.45, "class-agnostic-nms", TRUE, NULL);
  g_assert_cmpuint (count (h, clip), ==, n);
  gst_harness_teardown (h);
}

static void
a_wrong_class_while_playing_is_a_warning_and_changes_nothing (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *h = detector_new ("input-size=64");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  set_caps (h, gst_sample_get_caps (black));
  gst_element_set_bus (yolov7, bus);
  const guint n = count (h, black);
  g_object_set (yolov7, "classes", "unicorn", NULL);
  g_assert_cmpuint (count (h, black), ==, n);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "unicorn"));
  g_assert_nonnull (strstr (error->message, "person")); /* what there is */

  g_assert_cmpuint (count (h, black), ==, n);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)); /* once, not per frame */
  gst_element_set_bus (yolov7, NULL);
  gst_harness_teardown (h);
}

static void
a_wrong_class_keeps_no_other_property_from_changing (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE " classes=person");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  set_caps (h, gst_sample_get_caps (clip));
  gst_element_set_bus (yolov7, bus);
  const guint n = count (h, clip);
  g_assert_cmpuint (n, >=, 2);
  g_object_set (yolov7, "classes", "unicorn", "max-detections", 1, NULL);
  g_assert_cmpuint (count (h, clip), ==, 1);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_true (g_str_has_prefix (error->message, "The classes stay as they were: "));
  g_object_set (yolov7, "max-detections", 300, NULL);
  g_assert_cmpuint (count (h, clip), ==, n);
  g_object_set (yolov7, "confidence-threshold", 1.0, NULL);
  g_assert_cmpuint (count (h, clip), ==, 0);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)); /* once is enough */
  gst_element_set_bus (yolov7, NULL);
  gst_harness_teardown (h);
}

/* 1000x8 fits where the network's input is 640 wide; where it is 32, less than a row is left. */
static void
the_input_size_is_that_of_the_start (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (1000, 8, 0);
  GstHarness *h = detector_new ("input-size=640");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  guint size = 0;

  set_caps (h, gst_sample_get_caps (black));
  g_object_set (yolov7, "input-size", 32, NULL);
  gst_util_set_object_arg (G_OBJECT (yolov7), "letterbox-mode", "fixed");
  g_assert_cmpint (gst_harness_push (h, yv_test_frame (black)), ==, GST_FLOW_OK);
  g_object_set (yolov7, "confidence-threshold", 0.5, NULL);
  g_assert_cmpint (gst_harness_push (h, yv_test_frame (black)), ==, GST_FLOW_OK);
  g_object_get (yolov7, "input-size", &size, NULL);
  g_assert_cmpuint (size, ==, 32); /* of the next start */
  gst_harness_teardown (h);
}

static void
caps_may_change_in_the_middle (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  static const guint sizes[][2] = {{W, H}, {W / 2, H / 2}, {611, 459}, {W, H}};
  GstHarness *h = detector_new (SIZE);
  g_autoptr (GArray) first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const double scale_x = sizes[i][0] / (double) W, scale_y = sizes[i][1] / (double) H;
    g_autoptr (GstSample) picture = yv_test_convert (clip, "I420", sizes[i][0], sizes[i][1]);
    set_caps (h, gst_sample_get_caps (picture));
    g_autoptr (GArray) found = detect (h, yv_test_frame (picture));
    for (guint k = 0; k < found->len; k++) {
      GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, k);
      d->x /= scale_x;
      d->w /= scale_x;
      d->y /= scale_y;
      d->h /= scale_y;
    }
    if (!first)
      first = g_array_ref (found);
    g_assert_cmpuint (found->len, >=, 2);
    g_assert_cmpfloat (iou (nth (first, 0), nth (found, 0)), >, 0.5);
  }
  gst_harness_teardown (h);
}

static void
flushes_segments_and_the_end_of_stream_pass_in_order (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *h = detector_new ("input-size=64");
  GstSegment segment;

  set_caps (h, gst_sample_get_caps (black));
  count (h, black);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_cmpint (gst_harness_push (h, yv_test_frame (black)), ==, GST_FLOW_FLUSHING);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 7 * GST_SECOND;
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  GstBuffer *frame = yv_test_frame (black);
  GST_BUFFER_PTS (frame) = 8 * GST_SECOND;
  gst_buffer_unref (gst_harness_push_and_pull (h, frame));
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  g_assert_cmpint (gst_harness_push (h, yv_test_frame (black)), ==, GST_FLOW_EOS);

  GstEventType last = GST_EVENT_UNKNOWN;
  while (last != GST_EVENT_EOS) {
    g_autoptr (GstEvent) event = gst_harness_pull_event (h);
    g_assert_nonnull (event);
    last = GST_EVENT_TYPE (event);
  }
  g_assert_null (gst_harness_try_pull_event (h));
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/yolov7/properties", properties_take_effect_with_the_next_frame);
  g_test_add_func ("/yolov7/wrong-class",
                   a_wrong_class_while_playing_is_a_warning_and_changes_nothing);
  g_test_add_func ("/yolov7/wrong-class-alone",
                   a_wrong_class_keeps_no_other_property_from_changing);
  g_test_add_func ("/yolov7/input-size", the_input_size_is_that_of_the_start);
  g_test_add_func ("/yolov7/caps-change", caps_may_change_in_the_middle);
  g_test_add_func ("/yolov7/events", flushes_segments_and_the_end_of_stream_pass_in_order);
  return g_test_run ();
}
