/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-trackerzones.c - yolov7tracker with zones: what it tells, and of whom. */
#include "tests/gst/walk.h"

/* ---- what is told --------------------------------------------------------------------------- */

static void
a_walk_through_a_zone_is_told (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  go (&walk, 100, 240, &told);
  expect_no_event (&walk);
  g_assert_cmpuint (told.entered, ==, 0);
  go (&walk, 260, 260, &told);
  gst_message_unref (expect (&walk, "square", "enter", 1));
  g_assert_cmpuint (told.count, ==, 1);
  go (&walk, 280, 760, &told); /* 760 is within the margin */
  expect_no_event (&walk);
  go (&walk, 780, 780, &told);
  g_autoptr (GstMessage) left = expect (&walk, "square", "leave", 0);
  g_assert_cmpuint (uint64_of (gst_message_get_structure (left), "dwell"), ==, 26 * FRAME_NS);
  g_assert_cmpuint (told.count, ==, 0);
  g_assert_cmpuint (told.left, ==, 1);
  g_assert_cmpuint (told.dwell_mean, ==, 26 * FRAME_NS);
  g_assert_cmpuint (told.dwell_max, ==, 26 * FRAME_NS);
  expect_no_event (&walk);
}

static void
crossings_are_told (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, LINES);
  go (&walk, 400, 600, &told);
  gst_message_unref (expect (&walk, "gate", "forward", 1));
  go (&walk, 580, 400, &told);
  gst_message_unref (expect (&walk, "gate", "backward", 1));
  go (&walk, 420, 600, &told);
  gst_message_unref (expect (&walk, "gate", "forward", 2));
  expect_no_event (&walk);
  g_assert_cmpuint (told.forward, ==, 2);
  g_assert_cmpuint (told.backward, ==, 1);
}

static void
a_message_has_times_and_the_object (void)
{
  g_auto (Walk) walk = {0};
  GstSegment segment;
  GstYolov7Zone told;
  gint64 id;
  guint class_index;

  walk_init (&walk, ZONES);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = GST_SECOND;
  segment.time = 10 * GST_SECOND;
  segment.base = 100 * GST_SECOND;
  gst_harness_push_event (walk.h, gst_event_new_segment (&segment));
  walk.n_frames = 25; /* 1 s */
  go (&walk, 220, 260, &told);
  g_autoptr (GstMessage) message = expect (&walk, "square", "enter", 1);
  const GstStructure *s = gst_message_get_structure (message);
  g_assert_true (GST_MESSAGE_SRC (message) == GST_OBJECT (walk.h->element));
  g_assert_cmpstr (gst_structure_get_string (s, "kind"), ==, "zone");
  g_assert_cmpstr (gst_structure_get_string (s, "label"), ==, "person");
  g_assert_true (gst_structure_get_int64 (s, "id", &id) && id >= 0);
  g_assert_true (gst_structure_get_uint (s, "class-index", &class_index));
  g_assert_cmpuint (class_index, ==, 3);
  g_assert_cmpuint (uint64_of (s, "timestamp"), ==, GST_SECOND + 2 * FRAME_NS);
  g_assert_cmpuint (uint64_of (s, "stream-time"), ==, 10 * GST_SECOND + 2 * FRAME_NS);
  g_assert_cmpuint (uint64_of (s, "running-time"), ==, 100 * GST_SECOND + 2 * FRAME_NS);
  g_assert_false (gst_structure_has_field (s, "dwell"));
}

static void
only_the_classes_asked_for_are_told (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, "{\"zones\": [{\"name\": \"cars\", \"classes\": [\"car\"],"
                    "\"polygon\": [[0,0],[1,0],[1,1],[0,1]]}]}");
  go (&walk, 100, 900, &told);
  expect_no_event (&walk);
  g_assert_cmpuint (told.entered, ==, 0);
}

static void
what_was_seen_once_is_no_object (void)
{
  g_auto (Walk) walk = {0};

  walk_init (&walk, ZONES);
  g_object_set (walk.h->element, "min-frame-count-for-new-track", 2, NULL);
  push_empty (&walk, 3);
  GstYolov7Detection doubtful = person_at (500, 500);
  doubtful.confidence = 0.75;
  gst_buffer_unref (push_walk (&walk, analysed_frame (&walk, &doubtful, 1)));
  push_empty (&walk, 3);
  expect_no_event (&walk);
}

static void
without_zones_nothing_is_told (void)
{
  static const char *const none[] = {NULL, ""};

  for (guint i = 0; i < G_N_ELEMENTS (none); i++) {
    g_auto (Walk) walk = {0};
    walk_init (&walk, none[i]);
    g_autoptr (GstBuffer) buffer = push_person (&walk, 500, 500);
    g_assert_null (gst_buffer_get_custom_meta (buffer, GST_YOLOV7_ZONES_META_NAME));
    expect_no_event (&walk);
  }
}

/* ---- tracks --------------------------------------------------------------------------------- */

static void
who_is_lost_for_a_while_stays_inside (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  g_object_set (walk.h->element, "min-frame-count-for-lost-track", 10, NULL);
  go (&walk, 400, 500, &told);
  for (guint i = 0; i < 10; i++)
    gst_buffer_unref (push_person (&walk, 500, 500));
  gst_message_unref (expect (&walk, "square", "enter", 1));
  push_empty (&walk, 9);
  gst_buffer_unref (push_person (&walk, 500, 500)); /* the tenth */
  expect_no_event (&walk);
}

static void
who_is_given_up_has_left_when_seen_last (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  g_object_set (walk.h->element, "min-frame-count-for-lost-track", 10, NULL);
  go (&walk, 200, 500, &told); /* enters with 260, 12 frames before the last */
  gst_message_unref (expect (&walk, "square", "enter", 1));
  push_empty (&walk, 10);
  expect_no_event (&walk);
  push_empty (&walk, 1);
  g_autoptr (GstMessage) left = expect (&walk, "square", "leave", 0);
  const GstStructure *s = gst_message_get_structure (left);
  g_assert_cmpuint (uint64_of (s, "dwell"), ==, 12 * FRAME_NS);
  g_assert_cmpstr (gst_structure_get_string (s, "label"), ==, "person");
}

/* Up to the line at a steady pace, and not seen any more: predictions go on over it. */
static void
a_prediction_does_not_cross (void)
{
  g_auto (Walk) walk = {0};
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  double x = 0;
  GstYolov7Zone told;

  walk_init (&walk, LINES);
  go (&walk, 300, 480, &told);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (GstBuffer) buffer = push_walk (&walk, gst_buffer_new ()); /* not analysed */
    g_assert_nonnull (gst_buffer_get_custom_meta (buffer, GST_YOLOV7_ZONES_META_NAME));
    gst_yolov7_detections_read (buffer, found);
    g_assert_cmpuint (found->len, ==, 1);
    x = g_array_index (found, GstYolov7Detection, 0).x + 50;
  }
  g_assert_cmpfloat (x, >, 520);
  expect_no_event (&walk);
  gst_buffer_unref (push_person (&walk, 600, 500));
  gst_message_unref (expect (&walk, "gate", "forward", 1));
}

/* ---- the end --------------------------------------------------------------------------------- */

static void
the_end_of_the_stream_ends_visits (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  go (&walk, 200, 500, &told); /* enters with 260, 12 frames before the last */
  gst_message_unref (expect (&walk, "square", "enter", 1));
  gst_harness_push_event (walk.h, gst_event_new_eos ());
  g_autoptr (GstMessage) left = expect (&walk, "square", "leave", 0);
  const GstStructure *s = gst_message_get_structure (left);
  g_assert_cmpuint (uint64_of (s, "dwell"), ==, 12 * FRAME_NS);
  g_assert_cmpuint (uint64_of (s, "timestamp"), ==, 15 * FRAME_NS);
  expect_no_event (&walk);
}

/* Over the line, but not yet out of its margin. */
static void
the_end_of_the_stream_ends_crossings (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, LINES);
  go (&walk, 400, 520, &told);
  expect_no_event (&walk);
  gst_harness_push_event (walk.h, gst_event_new_eos ());
  gst_message_unref (expect (&walk, "gate", "forward", 1));
  expect_no_event (&walk);
}

static void
the_end_of_a_stream_without_frames_is_nothing (void)
{
  g_auto (Walk) walk = {0};

  walk_init (&walk, ZONES);
  gst_harness_push_event (walk.h, gst_event_new_eos ());
  expect_no_event (&walk);
}

/* Enters at 740, where it left in truth, and leaves at 220: the visit is as long. */
static void
backwards_a_visit_is_as_long (void)
{
  g_auto (Walk) walk = {0};
  GstSegment segment;

  walk_init (&walk, ZONES);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  segment.stop = 10 * GST_SECOND;
  gst_harness_push_event (walk.h, gst_event_new_segment (&segment));
  for (guint i = 0; i < 40; i++) {
    walk.n_frames = 100 - i;
    gst_buffer_unref (push_person (&walk, 780 - 20.0 * i, 500));
  }
  gst_message_unref (expect (&walk, "square", "enter", 1));
  g_autoptr (GstMessage) left = expect (&walk, "square", "leave", 0);
  g_assert_cmpuint (uint64_of (gst_message_get_structure (left), "dwell"), ==, 26 * FRAME_NS);
  expect_no_event (&walk);
}

/* ---- seeks and states ----------------------------------------------------------------------- */

static void
a_flush_keeps_totals_and_ends_visits (void)
{
  g_auto (Walk) walk = {0};
  GstSegment segment;
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  go (&walk, 100, 900, &told);
  go (&walk, 880, 500, &told);
  g_assert_cmpuint (told.count, ==, 1);
  gst_harness_push_event (walk.h, gst_event_new_flush_start ());
  gst_harness_push_event (walk.h, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (walk.h, gst_event_new_segment (&segment));
  walk.n_frames = 0;
  go (&walk, 100, 140, &told);
  g_assert_cmpuint (told.count, ==, 0);
  g_assert_cmpuint (told.entered, ==, 2);
  g_assert_cmpuint (told.left, ==, 1);
  g_assert_cmpuint (told.dwell_max, ==, 26 * FRAME_NS);
}

static void
a_new_start_begins_with_nothing (void)
{
  g_auto (Walk) walk = {0};
  GstYolov7Zone told;

  walk_init (&walk, ZONES);
  go (&walk, 100, 500, &told);
  g_assert_cmpuint (told.entered, ==, 1);
  gst_element_set_state (walk.h->element, GST_STATE_READY);
  gst_element_set_state (walk.h->element, GST_STATE_PLAYING);
  gst_harness_push_event (walk.h, gst_event_new_stream_start ("again"));
  gst_harness_set_src_caps_str (
      walk.h, "video/x-raw, format=GRAY8, width=1000, height=1000, framerate=25/1");
  go (&walk, 100, 120, &told);
  g_assert_cmpuint (told.entered, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/trackerzones/zone", a_walk_through_a_zone_is_told);
  g_test_add_func ("/trackerzones/line", crossings_are_told);
  g_test_add_func ("/trackerzones/message", a_message_has_times_and_the_object);
  g_test_add_func ("/trackerzones/classes", only_the_classes_asked_for_are_told);
  g_test_add_func ("/trackerzones/seen-once", what_was_seen_once_is_no_object);
  g_test_add_func ("/trackerzones/none", without_zones_nothing_is_told);
  g_test_add_func ("/trackerzones/lost", who_is_lost_for_a_while_stays_inside);
  g_test_add_func ("/trackerzones/given-up", who_is_given_up_has_left_when_seen_last);
  g_test_add_func ("/trackerzones/predicted", a_prediction_does_not_cross);
  g_test_add_func ("/trackerzones/end-of-visit", the_end_of_the_stream_ends_visits);
  g_test_add_func ("/trackerzones/end-of-crossing", the_end_of_the_stream_ends_crossings);
  g_test_add_func ("/trackerzones/end-of-nothing", the_end_of_a_stream_without_frames_is_nothing);
  g_test_add_func ("/trackerzones/backwards", backwards_a_visit_is_as_long);
  g_test_add_func ("/trackerzones/flush", a_flush_keeps_totals_and_ends_visits);
  g_test_add_func ("/trackerzones/restart", a_new_start_begins_with_nothing);
  const int failed = g_test_run ();
  gst_deinit ();
  return failed;
}
