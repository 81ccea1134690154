/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-flows.c - yolov7 when streams end, flush and change while frames are in flight,
 * and what latency it tells, by a clock of the test's. */
#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"
#include "gst/gstyolov7.h"
#include "tests/common/paths.h"
#include "tests/gst/fakestream.h"
#include "tests/gst/frames.h"

#define W 64
#define H 48
#define T (GST_SECOND / 25)

/* In the place of the element's clock. */
static gint now_ms;
GstClockTime __wrap_gst_yolov7_latency_now (void);

GstClockTime
__wrap_gst_yolov7_latency_now (void)
{
  return (GstClockTime) g_atomic_int_get (&now_ms) * GST_MSECOND;
}

static GstHarness *
harness_new (const char *properties)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *launch = g_strdup_printf (
      "yolov7 model-file=\"%s\" device=reference input-size=64 %s", model, properties);

  fake_reset ();
  g_atomic_int_set (&now_ms, 1000);
  GstHarness *h = gst_harness_new_parse (launch);
  gst_harness_set_src_caps (h, yv_test_caps ("GRAY8", W, H));
  return h;
}

static GstFlowReturn
push (GstHarness *h, guint8 number)
{
  GstBuffer *frame = gst_buffer_new_allocate (NULL, W * H, NULL);

  gst_buffer_memset (frame, 0, number, W * H);
  GST_BUFFER_PTS (frame) = number * T;
  return gst_harness_push (h, frame);
}

static void
pull (GstHarness *h, guint number, gboolean analysed)
{
  g_autoptr (GstBuffer) frame = gst_harness_pull (h);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  g_assert_nonnull (frame);
  g_assert_cmpuint (GST_BUFFER_PTS (frame), ==, number * T);
  g_assert_cmpint (gst_yolov7_detections_read (frame, found), ==, analysed);
}

static void
push_segment (GstHarness *h)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
}

/* Upstream would not send them again. */
static void
a_flush_keeps_sticky_events_that_have_not_left (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");
  g_autoptr (GstCaps) small = yv_test_caps ("GRAY8", W / 2, H / 2);

  g_assert_cmpint (push (h, 1), ==, GST_FLOW_OK);
  g_assert_true (gst_harness_push_event (h, gst_event_new_caps (small)));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  push_segment (h);
  g_assert_cmpint (push (h, 2), ==, GST_FLOW_OK);
  fake_finish (1);
  pull (h, 2, TRUE);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (h->sinkpad);
  g_assert_true (gst_caps_is_equal (caps, small));
  gst_harness_teardown (h);
}

static void
the_end_of_a_flush_may_come_alone (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");

  g_assert_cmpint (push (h, 1), ==, GST_FLOW_OK);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  push_segment (h);
  g_assert_cmpint (push (h, 2), ==, GST_FLOW_OK);
  fake_finish (1);
  pull (h, 2, TRUE);
  gst_harness_teardown (h);
}

/* ---- downstream's end ------------------------------------------------------------------------ */

static gint n_past_10;

static GstFlowReturn
end_until_10 (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  const gboolean ends = GST_BUFFER_PTS (buffer) < 10 * T;
  (void) pad;
  (void) parent;

  gst_buffer_unref (buffer);
  if (ends)
    return GST_FLOW_EOS;
  g_atomic_int_inc (&n_past_10);
  return GST_FLOW_OK;
}

/* Frames before it in the line are dropped, those behind it are not. */
static void
a_segment_in_the_line_goes_on_after_an_end (void)
{
  GstHarness *h = harness_new ("max-in-flight=4");
  g_autoptr (GstQuery) drained = gst_query_new_drain ();

  g_atomic_int_set (&n_past_10, 0);
  gst_pad_set_chain_function (h->sinkpad, end_until_10);
  g_assert_cmpint (push (h, 1), ==, GST_FLOW_OK);
  g_assert_cmpint (push (h, 2), ==, GST_FLOW_OK);
  push_segment (h);
  g_assert_cmpint (push (h, 11), ==, GST_FLOW_OK);
  fake_finish (3);
  gst_pad_peer_query (h->srcpad, drained);
  g_assert_cmpint (g_atomic_int_get (&n_past_10), ==, 1);
  g_assert_cmpint (push (h, 12), ==, GST_FLOW_OK);
  fake_finish (1);
  gst_pad_peer_query (h->srcpad, drained);
  g_assert_cmpint (g_atomic_int_get (&n_past_10), ==, 2);
  gst_harness_teardown (h);
}

/* ---- leaky, set while a frame waits ---------------------------------------------------------- */

static gpointer
push_second (gpointer h)
{
  g_assert_cmpint (push (h, 2), ==, GST_FLOW_OK);
  return NULL;
}

static void
a_frame_whose_place_is_taken_does_not_wait_any_more (void)
{
  GstHarness *h = harness_new ("max-in-flight=1");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");

  fake_set_replaceable (TRUE);
  g_assert_cmpint (push (h, 1), ==, GST_FLOW_OK);
  GThread *thread = g_thread_new ("push", push_second, h);
  gst_util_set_object_arg (G_OBJECT (element), "leaky", "downstream");
  g_thread_join (thread);
  pull (h, 1, FALSE);
  fake_finish (1);
  pull (h, 2, TRUE);
  gst_harness_teardown (h);
}

/* ---- latency --------------------------------------------------------------------------------- */

static GstClockTime
latency_of (GstHarness *h)
{
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstStructure) stats = NULL;
  guint64 latency = 0;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, "latency", &latency));
  return latency;
}

static GMutex gate_mutex;
static GCond gate_changed;
static gboolean gate_is_open;
static guint n_at_gate;

static GstFlowReturn
wait_at_gate (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  (void) pad;
  (void) parent;

  g_mutex_lock (&gate_mutex);
  n_at_gate++;
  g_cond_broadcast (&gate_changed);
  while (!gate_is_open)
    g_cond_wait (&gate_changed, &gate_mutex);
  g_mutex_unlock (&gate_mutex);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

/* 3 ms of analysis are told, ten minutes in which a sink is paused are not. */
static void
what_downstream_waits_is_no_latency (void)
{
  GstHarness *h = harness_new ("max-in-flight=2");
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstQuery) drained = gst_query_new_drain ();

  fake_set_quick (TRUE);
  for (guint8 i = 1; i <= 2; i++) { /* which do not count */
    g_assert_cmpint (push (h, i), ==, GST_FLOW_OK);
    pull (h, i, TRUE);
  }
  fake_set_quick (FALSE);
  gst_pad_set_chain_function (h->sinkpad, wait_at_gate);
  gate_is_open = FALSE;
  n_at_gate = 0;
  g_assert_cmpint (push (h, 3), ==, GST_FLOW_OK);
  g_assert_cmpint (push (h, 4), ==, GST_FLOW_OK);
  g_atomic_int_add (&now_ms, 3);
  fake_set_total (3 * GST_MSECOND);
  fake_finish (1);
  g_mutex_lock (&gate_mutex);
  while (n_at_gate == 0)
    g_cond_wait (&gate_changed, &gate_mutex);
  g_mutex_unlock (&gate_mutex);
  const GstClockTime latency = latency_of (h);
  g_assert_cmpuint (latency, >=, 3 * GST_MSECOND);
  g_assert_cmpuint (latency, <, 4 * GST_MSECOND);

  /* Frames without an analysis could leave when they came. */
  gst_util_set_object_arg (G_OBJECT (element), "inference-interval", "1000");
  for (guint8 i = 5; i <= 8; i++)
    g_assert_cmpint (push (h, i), ==, GST_FLOW_OK);
  fake_finish (1);
  g_atomic_int_add (&now_ms, 600000);
  g_mutex_lock (&gate_mutex);
  gate_is_open = TRUE;
  g_cond_broadcast (&gate_changed);
  g_mutex_unlock (&gate_mutex);
  gst_pad_peer_query (h->srcpad, drained);
  g_assert_cmpuint (n_at_gate, ==, 6);
  g_assert_cmpuint (latency_of (h), ==, latency);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  gst_yolov7_detections_register ();
  GST_ELEMENT_REGISTER (yolov7, NULL);
  g_test_add_func ("/flows/sticky", a_flush_keeps_sticky_events_that_have_not_left);
  g_test_add_func ("/flows/flush-stop", the_end_of_a_flush_may_come_alone);
  g_test_add_func ("/flows/end", a_segment_in_the_line_goes_on_after_an_end);
  g_test_add_func ("/flows/leaky", a_frame_whose_place_is_taken_does_not_wait_any_more);
  g_test_add_func ("/flows/latency", what_downstream_waits_is_no_latency);
  return g_test_run ();
}
