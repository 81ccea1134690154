/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-policy.c - which frames yolov7 passes on without an analysis, and what is found
 * too late, with analyses that end when the test says so (fakestream.h). */
#include "tests/gst/fakeharness.h"

static const char *const metas[] = {
    GST_YOLOV7_DETECTIONS_META_NAME, "GstVideoRegionOfInterestMeta",
    "GstAnalyticsRelationMeta", /* where built so */
};

static gboolean
has_meta (GstBuffer *frame, const char *name)
{
  const GstMetaInfo *info = gst_meta_get_info (name);

  return info && gst_buffer_get_meta (frame, info->api) != NULL;
}

/* And has all metadata; one that is skipped has none. */
static void
one_frame_of_an_interval_is_analysed (void)
{
  GstHarness *h = harness_new ("inference-interval=3");
  g_autoptr (GstElement) element = element_of (h);
  const guint n_metas =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), "attach-analytics-meta") ? 3 : 2;

  fake_set_quick (TRUE);
  for (guint8 i = 0; i < 7; i++) {
    push (h, i);
    g_autoptr (GstBuffer) frame = gst_harness_pull (h);
    const int expected = i % 3 == 0 ? i : -1;
    g_assert_cmpint (found_in (frame).number, ==, expected);
    for (guint k = 0; k < n_metas; k++)
      g_assert_cmpint (has_meta (frame, metas[k]), ==, expected >= 0);
  }
  g_assert_cmpuint (stat_of (h, "frames-in"), ==, 7);
  g_assert_cmpuint (stat_of (h, "frames-analysed"), ==, 3);
  g_assert_cmpuint (stat_of (h, "skipped-interval"), ==, 4);
  assert_adds_up (h);
  harness_end (h);
}

static void
leaky_upstream_passes_frames_behind_the_one_that_waits (void)
{
  GstHarness *h = harness_new ("leaky=upstream");

  for (guint8 i = 1; i <= 4; i++)
    push (h, i);
  g_assert_cmpuint (fake_n_submits (), ==, 1);
  g_assert_cmpuint (gst_harness_buffers_received (h), ==, 0);
  fake_finish (1);
  pull (h, 1, 1);
  for (guint8 i = 2; i <= 4; i++)
    pull (h, i, -1);
  push (h, 5); /* the newest, once there is room */
  fake_finish (1);
  pull (h, 5, 5);
  g_assert_cmpuint (stat_of (h, "skipped-busy"), ==, 3);
  assert_adds_up (h);
  harness_end (h);
}

/* What the device is not done with when the next one comes leaves at once, and what was found in it
 * goes onto a later one, which says so. */
static void
leaky_downstream_holds_no_frame_longer_than_the_next_one (void)
{
  GstHarness *h = harness_new ("leaky=downstream");

  push (h, 1);
  g_assert_cmpuint (gst_harness_buffers_received (h), ==, 0);
  push (h, 2); /* finds the device busy */
  pull (h, 1, -1);
  pull (h, 2, -1);
  push (h, 3);
  pull (h, 3, -1);
  fake_finish (1); /* of frame 1, when a frame no longer waits */
  fake_wait_for_submits (1);
  guint8 next = 4;
  /* Its detections are collected by another thread: until then frames pass as before. */
  for (;; next++) {
    push (h, next);
    if (fake_n_submits () == 2)
      break; /* the device is free again: this one is analysed */
    g_autoptr (GstBuffer) passed = gst_harness_pull (h);
    const int found = found_in (passed).number;
    g_assert_true (found == -1 || found == 1);
  }
  fake_finish (1);
  pull (h, next, next); /* in time */
  assert_adds_up (h);
  harness_end (h);
}

/* What was found late is of no use once a later frame has left with its own. */
static void
late_detections_are_dropped_where_newer_ones_have_left (void)
{
  GstHarness *h = harness_new ("leaky=downstream max-in-flight=2");

  push (h, 1);
  push (h, 2);
  pull (h, 1, -1);
  fake_finish (2); /* 1 too late, 2 in time */
  pull (h, 2, 2);
  push (h, 3);
  push (h, 4);
  pull (h, 3, -1); /* not what was found in 1 */
  fake_finish (2);
  pull (h, 4, 4); /* nor what was found in 3 */
  push (h, 5);
  push (h, 6);
  pull (h, 5, -1);
  fake_finish (2);
  pull (h, 6, 6);
  g_assert_cmpuint (stat_of (h, "frames-analysed"), ==, 6);
  assert_adds_up (h);
  harness_end (h);
}

static void
the_newest_frame_takes_the_place_of_one_that_has_not_started (void)
{
  GstHarness *h = harness_new ("leaky=downstream");

  fake_set_replaceable (TRUE);
  push (h, 1);
  push (h, 2);
  pull (h, 1, -1);
  push (h, 3);
  pull (h, 2, -1);
  fake_finish (1);
  pull (h, 3, 3);
  g_assert_cmpuint (stat_of (h, "frames-analysed"), ==, 1);
  g_assert_cmpuint (stat_of (h, "skipped-busy"), ==, 2);
  assert_adds_up (h);
  harness_end (h);
}

static void
late_frames_are_not_analysed_where_qos_is_on (void)
{
  GstHarness *h = harness_new ("qos=true");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstBus) bus = gst_bus_new ();
  guint64 processed, dropped;
  GstFormat format;

  gst_element_set_bus (element, bus);
  fake_set_quick (TRUE);
  push (h, 1);
  pull (h, 1, 1);
  gst_harness_push_upstream_event (h,
                                   gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, 2 * T, 1 * T));
  push (h, 2); /* earliest is 3 T */
  push (h, 3);
  push (h, 4);
  pull (h, 2, -1);
  pull (h, 3, -1);
  pull (h, 4, 4);
  for (guint i = 1; i <= 2; i++) {
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_QOS);
    guint64 running_time;
    g_assert_nonnull (message);
    gst_message_parse_qos (message, NULL, &running_time, NULL, NULL, NULL);
    gst_message_parse_qos_stats (message, &format, &processed, &dropped);
    g_assert_cmpuint (running_time, ==, (i + 1) * T);
    g_assert_cmpint (format, ==, GST_FORMAT_BUFFERS);
    g_assert_cmpuint (dropped, ==, i);
    g_assert_cmpuint (processed, ==, 1);
  }
  g_assert_cmpuint (stat_of (h, "skipped-late"), ==, 2);
  assert_adds_up (h);
  harness_end (h);
}

/* Frames that would not be analysed anyway are no matter of quality. */
static void
only_frames_of_the_interval_are_late (void)
{
  GstHarness *h = harness_new ("qos=true inference-interval=3");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  fake_set_quick (TRUE);
  push (h, 0);
  pull (h, 0, 0);
  gst_harness_push_upstream_event (h,
                                   gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, 5 * T, 1 * T));
  for (guint8 i = 1; i <= 9; i++) { /* those until 6 are late; 3, 6, 9 are due */
    push (h, i);
    pull (h, i, i == 9 ? 9 : -1);
  }
  for (guint i = 3; i <= 6; i += 3) {
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_QOS);
    guint64 running_time;
    g_assert_nonnull (message);
    gst_message_parse_qos (message, NULL, &running_time, NULL, NULL, NULL);
    g_assert_cmpuint (running_time, ==, i * T);
  }
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_QOS));
  g_assert_cmpuint (stat_of (h, "skipped-late"), ==, 2);
  g_assert_cmpuint (stat_of (h, "skipped-interval"), ==, 6);
  g_assert_cmpuint (stat_of (h, "frames-analysed"), ==, 2);
  assert_adds_up (h);
  harness_end (h);
}

/* ---- changed while playing ------------------------------------------------------------------- */

/* Whoever waits for room already no longer does. */
static void
leaky_may_change (void)
{
  GstHarness *h = harness_new ("leaky=no max-in-flight=1");
  g_autoptr (GstElement) element = element_of (h);
  Pusher pusher = {.h = h, .first = 2, .n = 2};

  push (h, 1);
  GThread *thread = g_thread_new ("push", push_all, &pusher);
  gst_util_set_object_arg (G_OBJECT (element), "leaky", "upstream");
  g_thread_join (thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_OK);
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 0);
  gst_util_set_object_arg (G_OBJECT (element), "leaky", "downstream");
  push (h, 4); /* lets the first one go */
  pull (h, 1, -1);
  for (guint8 i = 2; i <= 4; i++)
    pull (h, i, -1);
  fake_finish (1);
  gst_util_set_object_arg (G_OBJECT (element), "leaky", "no");
  fake_set_quick (TRUE);
  for (guint8 i = 5; i <= 8; i++) { /* all are analysed */
    push (h, i);
    pull (h, i, i);
  }
  g_assert_cmpuint (stat_of (h, "frames-analysed"), ==, 5);
  g_assert_cmpuint (stat_of (h, "skipped-busy"), ==, 3);
  assert_adds_up (h);
  harness_end (h);
}

static void
inference_interval_may_change (void)
{
  static const guint intervals[] = {1, 3, 2, 6, 1};
  GstHarness *h = harness_new ("");
  g_autoptr (GstElement) element = element_of (h);
  guint8 number = 0;

  fake_set_quick (TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (intervals); i++) {
    guint n_analysed = 0;
    g_object_set (element, "inference-interval", intervals[i], NULL);
    for (guint k = 0; k < 12; k++) {
      push (h, number++);
      g_autoptr (GstBuffer) frame = gst_harness_pull (h);
      n_analysed += found_in (frame).number >= 0;
    }
    g_assert_cmpuint (n_analysed, ==, 12 / intervals[i]);
  }
  assert_adds_up (h);
  harness_end (h);
}

static void
qos_may_change (void)
{
  GstHarness *h = harness_new ("qos=false");
  g_autoptr (GstElement) element = element_of (h);

  fake_set_quick (TRUE);
  gst_harness_push_upstream_event (h,
                                   gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0, 9 * T, 1 * T));
  push (h, 1);
  pull (h, 1, 1);
  g_object_set (element, "qos", TRUE, NULL);
  push (h, 2);
  pull (h, 2, -1);
  g_object_set (element, "qos", FALSE, NULL);
  push (h, 3);
  pull (h, 3, 3);
  g_assert_cmpuint (stat_of (h, "skipped-late"), ==, 1);
  assert_adds_up (h);
  harness_end (h);
}

int
main (int argc, char **argv)
{
  fake_init (&argc, &argv);
  g_test_add_func ("/policy/interval", one_frame_of_an_interval_is_analysed);
  g_test_add_func ("/policy/leaky-upstream",
                   leaky_upstream_passes_frames_behind_the_one_that_waits);
  g_test_add_func ("/policy/leaky-downstream",
                   leaky_downstream_holds_no_frame_longer_than_the_next_one);
  g_test_add_func ("/policy/late", late_detections_are_dropped_where_newer_ones_have_left);
  g_test_add_func ("/policy/newest", the_newest_frame_takes_the_place_of_one_that_has_not_started);
  g_test_add_func ("/policy/qos", late_frames_are_not_analysed_where_qos_is_on);
  g_test_add_func ("/policy/qos-interval", only_frames_of_the_interval_are_late);
  g_test_add_func ("/policy/leaky-changes", leaky_may_change);
  g_test_add_func ("/policy/interval-changes", inference_interval_may_change);
  g_test_add_func ("/policy/qos-changes", qos_may_change);
  return g_test_run ();
}
