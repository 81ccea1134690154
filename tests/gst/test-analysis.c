/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-analysis.c - yolov7 between its pads, with analyses that end when the test says so
 * (fakestream.h): order, room, flows, flushes, skipped and late frames. */
#include <gst/check/gstharness.h>
#include <string.h>

#include "gst/detectionmeta.h"
#include "gst/gstyolov7.h"
#include "tests/common/paths.h"
#include "tests/gst/fakestream.h"
#include "tests/gst/frames.h"

#define W 64
#define H 48
#define T (GST_SECOND / 25)

/* ---- a harness ------------------------------------------------------------------------------ */

static GstHarness *
harness_new (const char *properties)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *launch = g_strdup_printf (
      "yolov7 name=d model-file=\"%s\" device=reference input-size=64 %s", model, properties);
  g_autoptr (GstCaps) caps = yv_test_caps ("GRAY8", W, H);

  fake_reset ();
  GstHarness *h = gst_harness_new_parse (launch);
  gst_harness_set_src_caps (h, gst_caps_ref (caps));
  return h;
}

/* Its number is its first pixel, and its time. */
static GstBuffer *
frame_new (guint8 number)
{
  GstBuffer *frame = gst_buffer_new_allocate (NULL, W * H, NULL);

  gst_buffer_memset (frame, 0, number, W * H);
  GST_BUFFER_PTS (frame) = number * T;
  GST_BUFFER_DURATION (frame) = T;
  return frame;
}

static void
push (GstHarness *h, guint8 number)
{
  g_assert_cmpint (gst_harness_push (h, frame_new (number)), ==, GST_FLOW_OK);
}

/* -1: not analysed; else the number of the frame that its detections are of. */
static int
found_in (GstBuffer *frame)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  if (!gst_yolov7_detections_read (frame, found))
    return -1;
  g_assert_cmpuint (found->len, ==, 1);
  return (int) g_array_index (found, GstYolov7Detection, 0).x;
}

/* Waits for the next frame, which has @number and detections of the frame @found, or none (-1). */
static void
pull (GstHarness *h, guint number, int found)
{
  g_autoptr (GstBuffer) frame = gst_harness_pull (h);

  g_assert_nonnull (frame);
  g_assert_cmpuint (GST_BUFFER_PTS (frame), ==, number * T);
  g_assert_cmpint (found_in (frame), ==, found);
}

static guint64
stat_of (GstHarness *h, const char *name)
{
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  if (!gst_structure_get_uint64 (stats, name, &value))
    g_error ("no %s in %" GST_PTR_FORMAT, name, (void *) stats);
  return value;
}

/* Pushes frames on a thread of its own, as many as come out of the queue. */
typedef struct {
  GstHarness *h;
  guint8 first, n;
  GstFlowReturn flow; /* of the last one */
} Pusher;

static gpointer
push_all (gpointer user_data)
{
  Pusher *pusher = user_data;

  pusher->flow = GST_FLOW_OK;
  for (guint8 i = 0; i < pusher->n && pusher->flow == GST_FLOW_OK; i++)
    pusher->flow = gst_harness_push (pusher->h, frame_new ((guint8) (pusher->first + i)));
  return NULL;
}

/* ---- order and room ------------------------------------------------------------------------- */

static void
frames_and_events_leave_in_the_order_they_came (void)
{
  GstHarness *h = harness_new ("max-in-flight=3");

  while (gst_harness_events_in_queue (h) > 0)
    gst_event_unref (gst_harness_pull_event (h));
  push (h, 1);
  gst_harness_push_event (h, gst_event_new_gap (1 * T, T));
  push (h, 2);
  gst_harness_push_event (
      h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty ("mark")));
  push (h, 3);
  g_assert_cmpuint (gst_harness_buffers_received (h), ==, 0);
  fake_finish (3);
  pull (h, 1, 1);
  pull (h, 2, 2);
  pull (h, 3, 3);
  for (guint i = 0; i < 2; i++) {
    static const GstEventType expected[] = {GST_EVENT_GAP, GST_EVENT_CUSTOM_DOWNSTREAM};
    g_autoptr (GstEvent) event = NULL;
    do {
      gst_clear_event (&event);
      event = gst_harness_pull_event (h);
      g_assert_nonnull (event);
    } while (GST_EVENT_TYPE (event) != expected[i] &&
             GST_EVENT_TYPE (event) < GST_EVENT_GAP); /* those of the start */
    g_assert_cmpint (GST_EVENT_TYPE (event), ==, expected[i]);
  }
  gst_harness_teardown (h);
}

static void
no_more_frames_are_in_flight_than_allowed (void)
{
  static const guint max[] = {1, 2, 5};

  for (guint i = 0; i < G_N_ELEMENTS (max); i++) {
    g_autofree char *properties = g_strdup_printf ("max-in-flight=%u", max[i]);
    GstHarness *h = harness_new (properties);
    Pusher pusher = {.h = h, .first = 1, .n = 20};
    GThread *thread = g_thread_new ("push", push_all, &pusher);

    for (guint8 k = 1; k <= 20; k++) {
      fake_wait_for_submits (MIN (k + max[i] - 1, 20));
      fake_finish (1);
      pull (h, k, k);
    }
    g_thread_join (thread);
    g_assert_cmpint (pusher.flow, ==, GST_FLOW_OK);
    g_assert_cmpuint (fake_max_under_way (), ==, max[i]);
    gst_harness_teardown (h);
  }
}

static void
nothing_is_lost_at_the_end (void)
{
  GstHarness *h = harness_new ("max-in-flight=4");

  for (guint8 i = 1; i <= 4; i++)
    push (h, i);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  fake_finish (4);
  for (guint8 i = 1; i <= 4; i++)
    pull (h, i, i);
  g_autoptr (GstEvent) event = NULL;
  do {
    gst_clear_event (&event);
    event = gst_harness_pull_event (h);
    g_assert_nonnull (event);
  } while (GST_EVENT_TYPE (event) != GST_EVENT_EOS);
  gst_harness_teardown (h);
}

static void
caps_may_change_while_frames_are_in_flight (void)
{
  GstHarness *h = harness_new ("max-in-flight=4");
  g_autoptr (GstCaps) small = yv_test_caps ("GRAY8", W / 2, H / 2);

  push (h, 1);
  push (h, 2);
  g_assert_true (gst_harness_push_event (h, gst_event_new_caps (small)));
  push (h, 3); /* larger than its caps say, which is allowed */
  fake_finish (3);
  pull (h, 1, 1);
  pull (h, 2, 2);
  pull (h, 3, 3);
  g_autoptr (GstCaps) last = gst_pad_get_current_caps (h->sinkpad);
  g_assert_true (gst_caps_is_equal (last, small));
  gst_harness_teardown (h);
}

/* ---- flows ---------------------------------------------------------------------------------- */

static GstFlowReturn sink_flow;

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  (void) pad;
  (void) parent;

  gst_buffer_unref (buffer);
  return sink_flow;
}

/* What downstream returns for a frame is returned for one of the next. */
static void
the_result_of_a_push_reaches_upstream (void)
{
  static const GstFlowReturn flows[] = {GST_FLOW_ERROR, GST_FLOW_EOS, GST_FLOW_NOT_NEGOTIATED,
                                        GST_FLOW_CUSTOM_ERROR, GST_FLOW_NOT_LINKED};

  for (guint i = 0; i < G_N_ELEMENTS (flows); i++) {
    GstHarness *h = harness_new ("max-in-flight=1");
    Pusher pusher = {.h = h, .first = 1, .n = 10};

    sink_flow = flows[i];
    gst_pad_set_chain_function (h->sinkpad, sink_chain);
    fake_set_quick (TRUE);
    push_all (&pusher);
    g_assert_cmpint (pusher.flow, ==, flows[i]);
    g_assert_cmpuint (fake_n_under_way (), ==, 0);
    gst_harness_teardown (h);
  }
}

static void
an_error_before_the_end_is_told (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  sink_flow = GST_FLOW_NOT_NEGOTIATED;
  gst_pad_set_chain_function (h->sinkpad, sink_chain);
  push (h, 1);
  gst_harness_push_event (h, gst_event_new_eos ()); /* nobody pushes after it who could be told */
  fake_finish (1);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_element_set_bus (element, NULL);
  gst_harness_teardown (h);
}

static void
a_pad_that_is_linked_again_gets_frames (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");
  g_autoptr (GstPad) peer = gst_pad_get_peer (src);
  Pusher pusher = {.h = h, .first = 1, .n = 10};

  fake_set_quick (TRUE);
  push (h, 0);
  pull (h, 0, 0);
  g_assert_true (gst_pad_unlink (src, peer));
  push_all (&pusher);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_NOT_LINKED);
  g_assert_cmpint (gst_pad_link (src, peer), ==, GST_PAD_LINK_OK);
  gst_pad_send_event (src, gst_event_new_reconfigure ());
  push (h, 11);
  pull (h, 11, 11);
  gst_harness_teardown (h);
}

static void
a_failed_analysis_is_an_error_with_a_message (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  Pusher pusher = {.h = h, .first = 3, .n = 10};
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  push (h, 1);
  push (h, 2);
  fake_fail (YV_ERROR_OUT_OF_MEMORY);
  fake_finish (1);
  push_all (&pusher);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR)); /* once */
  gst_element_set_bus (element, NULL);
  gst_harness_teardown (h);
}

/* ---- another model ------------------------------------------------------------------------- */

static void
count_update (GstElement *element, const char *model_file, gpointer n_updates)
{
  (void) element;
  (void) model_file;

  ++*(guint *) n_updates;
}

/* A query for memory that comes before the next frame is answered by the new model already. */
static void
a_new_model_is_told_of_with_the_next_frame (void)
{
  GstHarness *h = harness_new ("");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstCaps) caps = yv_test_caps ("GRAY8", W, H);
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  guint n_updates = 0;

  g_signal_connect (element, "model-updated", G_CALLBACK (count_update), &n_updates);
  fake_set_quick (TRUE);
  push (h, 0);
  pull (h, 0, 0);
  g_object_set (element, "model-file", model, NULL); /* the same once more is another session */
  while (stat_of (h, "model-updates") == 0) {
    g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
    g_assert_true (gst_pad_peer_query (h->srcpad, query));
  }
  g_assert_cmpuint (n_updates, ==, 0);
  push (h, 1);
  g_assert_cmpuint (n_updates, ==, 1);
  pull (h, 1, 1);
  push (h, 2);
  g_assert_cmpuint (n_updates, ==, 1);
  pull (h, 2, 2);
  gst_harness_teardown (h);
}

/* ---- flushes and states --------------------------------------------------------------------- */

static void
a_flush_drops_what_is_in_flight (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");
  GstSegment segment;

  push (h, 1);
  push (h, 2);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  g_assert_cmpuint (fake_n_under_way (), ==, 0);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  push (h, 7);
  fake_finish (1);
  pull (h, 7, 7);
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 0);
  g_assert_cmpuint (stat_of (h, "frames-dropped"), ==, 2);
  gst_harness_teardown (h);
}

/* A stop begins at the source pad; what upstream still sends then has not failed. */
static void
an_event_that_comes_while_it_stops_is_no_error (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");
  g_autoptr (GstCaps) caps = yv_test_caps ("GRAY8", W, H / 2);

  g_assert_true (gst_pad_set_active (src, FALSE));
  gst_harness_set_src_caps (h, gst_caps_ref (caps)); /* waits for the next frame */
  g_assert_cmpint (gst_harness_push (h, frame_new (1)), ==, GST_FLOW_FLUSHING);
  gst_harness_teardown (h);
}

static void
a_flush_wakes_who_waits_for_room (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  Pusher pusher = {.h = h, .first = 1, .n = 2};
  GThread *thread = g_thread_new ("push", push_all, &pusher);

  fake_wait_for_submits (1);
  gst_harness_push_event (h, gst_event_new_flush_start ());
  g_thread_join (thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_FLUSHING);
  gst_harness_push_event (h, gst_event_new_flush_stop (TRUE));
  gst_harness_teardown (h);
}

static void
a_stop_with_frames_in_flight_does_not_hang (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  Pusher pusher = {.h = h, .first = 1, .n = 2};
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  GThread *thread = g_thread_new ("push", push_all, &pusher);

  fake_wait_for_submits (1);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  g_thread_join (thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_FLUSHING);
  gst_harness_teardown (h);
}

static void
a_query_waits_for_what_came_before_it (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");
  g_autoptr (GstQuery) query = gst_query_new_drain ();

  fake_set_quick (TRUE);
  push (h, 1);
  push (h, 2);
  gst_pad_peer_query (h->srcpad, query);
  g_assert_cmpuint (gst_harness_buffers_received (h), ==, 2);
  gst_harness_teardown (h);
}

/* ---- frames that are not analysed ------------------------------------------------------------ */

static void
one_frame_of_an_interval_is_analysed (void)
{
  GstHarness *h = harness_new ("inference-interval=3");

  fake_set_quick (TRUE);
  for (guint8 i = 0; i < 7; i++) {
    push (h, i);
    pull (h, i, i % 3 == 0 ? i : -1);
  }
  g_assert_cmpuint (stat_of (h, "frames-in"), ==, 7);
  g_assert_cmpuint (stat_of (h, "frames-analysed"), ==, 3);
  g_assert_cmpuint (stat_of (h, "skipped-interval"), ==, 4);
  gst_harness_teardown (h);
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
  gst_harness_teardown (h);
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
    const int found = found_in (passed);
    g_assert_true (found == -1 || found == 1);
  }
  fake_finish (1);
  pull (h, next, next); /* in time */
  gst_harness_teardown (h);
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
  gst_harness_teardown (h);
}

static void
late_frames_are_not_analysed_where_qos_is_on (void)
{
  GstHarness *h = harness_new ("qos=true");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
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
  gst_element_set_bus (element, NULL);
  gst_harness_teardown (h);
}

/* ---- a lost device --------------------------------------------------------------------------- */

static void
frames_of_a_lost_device_are_analysed_again (void)
{
  GstHarness *h = harness_new ("max-in-flight=3");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  for (guint8 i = 1; i <= 3; i++)
    push (h, i);
  fake_fail (YV_ERROR_DEVICE_LOST);
  fake_finish (1);
  fake_wait_for_submits (6);
  fake_finish (3);
  for (guint8 i = 1; i <= 3; i++)
    pull (h, i, i);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR));
  g_assert_cmpuint (stat_of (h, "recoveries"), ==, 1);
  gst_element_set_bus (element, NULL);
  gst_harness_teardown (h);
}

static void
a_device_that_is_lost_again_and_again_is_given_up (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  Pusher pusher = {.h = h, .first = 2, .n = 5};
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  push (h, 1);
  for (guint i = 1; i <= 4; i++) {
    fake_wait_for_submits (i);
    fake_fail (YV_ERROR_DEVICE_LOST);
    fake_finish (1);
  }
  push_all (&pusher);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_nonnull (strstr (error->message, "more than 3 times in a minute"));
  g_assert_cmpuint (stat_of (h, "recoveries"), ==, 3);
  gst_element_set_bus (element, NULL);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  gst_yolov7_detections_register ();
  GST_ELEMENT_REGISTER (yolov7, NULL);
  g_test_add_func ("/analysis/order", frames_and_events_leave_in_the_order_they_came);
  g_test_add_func ("/analysis/room", no_more_frames_are_in_flight_than_allowed);
  g_test_add_func ("/analysis/end", nothing_is_lost_at_the_end);
  g_test_add_func ("/analysis/caps", caps_may_change_while_frames_are_in_flight);
  g_test_add_func ("/analysis/flow", the_result_of_a_push_reaches_upstream);
  g_test_add_func ("/analysis/flow-at-the-end", an_error_before_the_end_is_told);
  g_test_add_func ("/analysis/linked-again", a_pad_that_is_linked_again_gets_frames);
  g_test_add_func ("/analysis/failure", a_failed_analysis_is_an_error_with_a_message);
  g_test_add_func ("/analysis/new-model", a_new_model_is_told_of_with_the_next_frame);
  g_test_add_func ("/analysis/flush", a_flush_drops_what_is_in_flight);
  g_test_add_func ("/analysis/stop-event", an_event_that_comes_while_it_stops_is_no_error);
  g_test_add_func ("/analysis/flush-wakes", a_flush_wakes_who_waits_for_room);
  g_test_add_func ("/analysis/stop", a_stop_with_frames_in_flight_does_not_hang);
  g_test_add_func ("/analysis/query", a_query_waits_for_what_came_before_it);
  g_test_add_func ("/analysis/interval", one_frame_of_an_interval_is_analysed);
  g_test_add_func ("/analysis/leaky-upstream",
                   leaky_upstream_passes_frames_behind_the_one_that_waits);
  g_test_add_func ("/analysis/leaky-downstream",
                   leaky_downstream_holds_no_frame_longer_than_the_next_one);
  g_test_add_func ("/analysis/newest",
                   the_newest_frame_takes_the_place_of_one_that_has_not_started);
  g_test_add_func ("/analysis/qos", late_frames_are_not_analysed_where_qos_is_on);
  g_test_add_func ("/analysis/lost", frames_of_a_lost_device_are_analysed_again);
  g_test_add_func ("/analysis/lost-again", a_device_that_is_lost_again_and_again_is_given_up);
  return g_test_run ();
}
