/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-analysis.c - yolov7 between its pads, with analyses that end when the test says so
 * (fakestream.h): order, room, flows, flushes. */
#include "tests/gst/fakeharness.h"

/* ---- order and room ------------------------------------------------------------------------- */

/* What arrives at the sink, in one line: a frame's number, an event's name. */
typedef struct {
  GMutex mutex;
  GString *line;
} Record;

static GstPadProbeReturn
note (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Record *record = user_data;
  (void) pad;

  g_mutex_lock (&record->mutex);
  if (GST_IS_BUFFER (info->data))
    g_string_append_printf (record->line, "%u ",
                            (guint) (GST_BUFFER_PTS (GST_BUFFER_CAST (info->data)) / T));
  else
    g_string_append_printf (record->line, "%s ", GST_EVENT_TYPE_NAME (GST_EVENT_CAST (info->data)));
  g_mutex_unlock (&record->mutex);
  return GST_PAD_PROBE_OK;
}

/* Begins behind frame 0, and so behind all that a start sends. */
static void
record_begin (Record *record, GstHarness *h)
{
  push (h, 0);
  fake_finish (1);
  pull (h, 0, 0);
  g_mutex_init (&record->mutex);
  record->line = g_string_new (NULL);
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                     note, record, NULL);
}

/* Stops the element first, so that nobody writes any more. */
static void
record_end (Record *record, GstHarness *h, const char *expected)
{
  drain (h);
  assert_adds_up (h);
  harness_end (h);
  g_assert_cmpstr (record->line->str, ==, expected);
  g_string_free (record->line, TRUE);
  g_mutex_clear (&record->mutex);
}

static void
frames_and_events_leave_in_the_order_they_came (void)
{
  GstHarness *h = harness_new ("max-in-flight=3");
  Record record;

  record_begin (&record, h);
  push (h, 1);
  gst_harness_push_event (h, gst_event_new_gap (1 * T, T));
  push (h, 2);
  gst_harness_push_event (
      h, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty ("mark")));
  push (h, 3);
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 0);
  fake_finish (3);
  pull (h, 1, 1);
  pull (h, 2, 2);
  pull (h, 3, 3);
  record_end (&record, h, "1 gap 2 custom-downstream 3 ");
}

static void
sticky_events_leave_in_the_order_they_came (void)
{
  GstHarness *h = harness_new ("max-in-flight=4");
  g_autoptr (GstCaps) small = yv_test_caps ("GRAY8", W / 2, H / 2);
  GstSegment segment;
  Record record;

  record_begin (&record, h);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  push (h, 1);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  push (h, 2);
  g_assert_true (gst_harness_push_event (h, gst_event_new_caps (small)));
  push (h, 3); /* larger than its caps say, which is allowed */
  g_assert_true (gst_harness_push_event (
      h, gst_event_new_tag (gst_tag_list_new (GST_TAG_TITLE, "street", NULL))));
  push (h, 4);
  g_assert_cmpuint (gst_harness_buffers_in_queue (h), ==, 0);
  fake_finish (4);
  for (guint8 i = 1; i <= 4; i++)
    pull (h, i, i);
  g_autoptr (GstCaps) last = gst_pad_get_current_caps (h->sinkpad);
  g_assert_true (gst_caps_is_equal (last, small));
  record_end (&record, h, "1 segment 2 caps 3 tag 4 ");
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
    assert_adds_up (h);
    harness_end (h);
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
  assert_adds_up (h);
  harness_end (h);
}

/* Holds the frame that leaves until it is opened, and with it all that is behind. */
typedef struct {
  GMutex mutex;
  GCond changed;
  gboolean is_held, is_open;
} Gate;

static GstPadProbeReturn
hold (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Gate *gate = user_data;
  (void) pad;
  (void) info;

  g_mutex_lock (&gate->mutex);
  gate->is_held = TRUE;
  g_cond_broadcast (&gate->changed);
  while (!gate->is_open)
    g_cond_wait (&gate->changed, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
  return GST_PAD_PROBE_REMOVE;
}

static void
push_held (GstHarness *h, guint8 number, Gate *gate)
{
  gst_pad_add_probe (h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, hold, gate, NULL);
  push (h, number);
  g_mutex_lock (&gate->mutex);
  while (!gate->is_held)
    g_cond_wait (&gate->changed, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
}

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->is_open = TRUE;
  g_cond_broadcast (&gate->changed);
  g_mutex_unlock (&gate->mutex);
}

/* The times in a frame's message are of its own segment, whichever has left when it is posted. */
static void
a_segment_is_that_of_the_frames_behind_it (void)
{
  GstHarness *h = harness_new ("max-in-flight=3 post-messages=true");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstBus) bus = gst_bus_new ();
  static Gate gate;
  GstSegment segment;

  gst_element_set_bus (element, bus);
  fake_set_quick (TRUE);
  push_held (h, 0, &gate);
  push (h, 1);
  push (h, 2);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.time = 100 * GST_SECOND;
  segment.base = 3 * T;
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  push (h, 3);
  open_gate (&gate); /* all have been analysed */
  for (guint8 i = 0; i <= 3; i++) {
    pull (h, i, i);
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
    guint64 stream_time, running_time;
    g_assert_nonnull (message);
    g_assert_true (gst_structure_get (gst_message_get_structure (message), "stream-time",
                                      G_TYPE_UINT64, &stream_time, "running-time", G_TYPE_UINT64,
                                      &running_time, NULL));
    g_assert_cmpuint (stream_time, ==, i * T + (i == 3 ? 100 * GST_SECOND : 0));
    g_assert_cmpuint (running_time, ==, i * T + (i == 3 ? 3 * T : 0));
  }
  assert_adds_up (h);
  harness_end (h);
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

/* What downstream returns for a frame is returned for the next. */
static void
the_result_of_a_push_reaches_upstream (void)
{
  static const GstFlowReturn flows[] = {GST_FLOW_ERROR, GST_FLOW_EOS, GST_FLOW_NOT_NEGOTIATED,
                                        GST_FLOW_CUSTOM_ERROR, GST_FLOW_NOT_LINKED};

  for (guint i = 0; i < G_N_ELEMENTS (flows); i++) {
    GstHarness *h = harness_new ("max-in-flight=1");

    sink_flow = flows[i];
    gst_pad_set_chain_function (h->sinkpad, sink_chain);
    fake_set_quick (TRUE);
    push (h, 1);
    drain (h);
    g_assert_cmpint (gst_harness_push (h, frame_new (2)), ==, flows[i]);
    g_assert_cmpuint (fake_n_under_way (), ==, 0);
    harness_end (h);
  }
}

static void
an_error_before_the_end_is_told (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  g_autoptr (GstElement) element = element_of (h);
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
  harness_end (h);
}

static void
a_pad_that_is_linked_again_gets_frames (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");
  g_autoptr (GstPad) peer = gst_pad_get_peer (src);

  push (h, 1);
  push (h, 2);
  g_assert_true (gst_pad_unlink (src, peer)); /* while both are in flight */
  fake_finish (2);
  drain (h);
  g_assert_cmpint (gst_harness_push (h, frame_new (3)), ==, GST_FLOW_NOT_LINKED);
  g_assert_cmpint (gst_pad_link (src, peer), ==, GST_PAD_LINK_OK); /* which tells the element */
  push (h, 4);
  fake_finish (1);
  pull (h, 4, 4);
  g_assert_cmpuint (gst_harness_buffers_received (h), ==, 1);
  g_assert_cmpuint (stat_of (h, "frames-in"), ==, 3);
  g_assert_cmpuint (stat_of (h, "frames-analysed"), ==, 3);
  assert_adds_up (h);
  harness_end (h);
}

static void
a_failed_analysis_is_an_error_with_a_message (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  gst_element_set_bus (element, bus);
  push (h, 1);
  push (h, 2);
  fake_fail (YV_ERROR_OUT_OF_MEMORY);
  fake_finish (1);
  g_assert_cmpint (push_some (h, 3, 10), ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR)); /* once */
  g_assert_cmpuint (stat_of (h, "frames-analysed"), ==, 0);
  harness_end (h); /* which looks whether the one that failed is counted */
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
  assert_adds_up (h);
  harness_end (h);
}

/* A stop begins at the source pad; what upstream still sends then has not failed. */
static void
an_event_that_comes_while_it_stops_is_no_error (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  g_autoptr (GstElement) element = element_of (h);
  g_autoptr (GstPad) src = gst_element_get_static_pad (element, "src");
  g_autoptr (GstCaps) caps = yv_test_caps ("GRAY8", W, H / 2);

  g_assert_true (gst_pad_set_active (src, FALSE));
  gst_harness_set_src_caps (h, gst_caps_ref (caps)); /* waits for the next frame */
  g_assert_cmpint (gst_harness_push (h, frame_new (1)), ==, GST_FLOW_FLUSHING);
  harness_end (h);
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
  harness_end (h);
}

static void
a_stop_with_frames_in_flight_does_not_hang (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  Pusher pusher = {.h = h, .first = 1, .n = 2};
  g_autoptr (GstElement) element = element_of (h);
  GThread *thread = g_thread_new ("push", push_all, &pusher);

  fake_wait_for_submits (1);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_NULL), ==, GST_STATE_CHANGE_SUCCESS);
  g_thread_join (thread);
  g_assert_cmpint (pusher.flow, ==, GST_FLOW_FLUSHING);
  harness_end (h);
}

static void
a_query_waits_for_what_came_before_it (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");

  fake_set_quick (TRUE);
  push (h, 1);
  push (h, 2);
  drain (h);
  g_assert_cmpuint (gst_harness_buffers_received (h), ==, 2);
  assert_adds_up (h);
  harness_end (h);
}

int
main (int argc, char **argv)
{
  fake_init (&argc, &argv);
  g_test_add_func ("/analysis/order", frames_and_events_leave_in_the_order_they_came);
  g_test_add_func ("/analysis/order-sticky", sticky_events_leave_in_the_order_they_came);
  g_test_add_func ("/analysis/room", no_more_frames_are_in_flight_than_allowed);
  g_test_add_func ("/analysis/end", nothing_is_lost_at_the_end);
  g_test_add_func ("/analysis/segment", a_segment_is_that_of_the_frames_behind_it);
  g_test_add_func ("/analysis/flow", the_result_of_a_push_reaches_upstream);
  g_test_add_func ("/analysis/flow-at-the-end", an_error_before_the_end_is_told);
  g_test_add_func ("/analysis/linked-again", a_pad_that_is_linked_again_gets_frames);
  g_test_add_func ("/analysis/failure", a_failed_analysis_is_an_error_with_a_message);
  g_test_add_func ("/analysis/flush", a_flush_drops_what_is_in_flight);
  g_test_add_func ("/analysis/stop-event", an_event_that_comes_while_it_stops_is_no_error);
  g_test_add_func ("/analysis/flush-wakes", a_flush_wakes_who_waits_for_room);
  g_test_add_func ("/analysis/stop", a_stop_with_frames_in_flight_does_not_hang);
  g_test_add_func ("/analysis/query", a_query_waits_for_what_came_before_it);
  return g_test_run ();
}
