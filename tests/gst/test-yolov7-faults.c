/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-yolov7-faults.c - yolov7 in a pipeline while calls of Vulkan fail: every frame
 * comes through with its detections, or the pipeline ends with a message that names the call.
 *
 * The element is the one that the test is linked with, whose engine the layer of tests/faults/
 * watches. */
#include <gst/gst.h>
#include <string.h>

#include "gst/detectionmeta.h"
#include "gst/gstyolov7.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/faults/faultcase.h"

#define N_FRAMES 12
#define FIRST_FRAME 4 /* that comes with a fault armed */

/* A pipeline that plays once. */
typedef struct {
  const Fault *fault;
  bool is_at_start; /* armed before it starts, not with FIRST_FRAME */
  guint n_sent, n_shown, n_warnings;
  GArray *found;  /* of GstYolov7Detection, of the frame that is shown */
  GArray *n_uses; /* (nullable) in, of each call: until FIRST_FRAME; out: from there on */
} Play;

static guint n_expected[N_FRAMES]; /* detections */
static bool is_expected;

static GstPadProbeReturn
on_sent (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Play *play = data;

  (void) pad;
  (void) info;
  if (play->n_sent++ != FIRST_FRAME)
    return GST_PAD_PROBE_OK;
  for (guint i = 0; play->n_uses && fault_call_name (i); i++) {
    const uint32_t n = fault_count (fault_call_name (i));
    g_array_append_val (play->n_uses, n);
  }
  if (play->fault && !play->is_at_start)
    fault_arm (play->fault->call, play->fault->nth, play->fault->result, false);
  return GST_PAD_PROBE_OK;
}

static void
on_shown (GstElement *sink, GstBuffer *frame, GstPad *pad, gpointer data)
{
  Play *play = data;

  (void) sink;
  (void) pad;
  g_array_set_size (play->found, 0);
  g_assert_true (gst_yolov7_detections_read (frame, play->found));
  g_assert_cmpuint (play->n_shown, <, N_FRAMES);
  if (is_expected)
    g_assert_cmpuint (play->found->len, ==, n_expected[play->n_shown]);
  n_expected[play->n_shown++] = play->found->len;
}

static GstElement *
pipeline_new (Play *play)
{
  g_autofree char *model = yv_test_source_path ("tests/faults/model.yaml");
  g_autofree char *launch =
      g_strdup_printf ("videotestsrc name=source pattern=ball num-buffers=%d ! "
                       "video/x-raw,format=I420,width=64,height=48 ! fakesink name=sink sync=false "
                       "signal-handoffs=true",
                       N_FRAMES);
  GstElement *pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstPad) before = gst_pad_get_peer (sink_pad);
  GstElement *yolov7 = g_object_new (GST_TYPE_YOLOV7, "config-file", model, "precision", 1,
                                     "input-size", 64, "confidence-threshold", 0.001, NULL);
  g_autoptr (GstPad) in = gst_element_get_static_pad (yolov7, "sink");
  g_autoptr (GstPad) out = gst_element_get_static_pad (yolov7, "src");
  g_autoptr (GstPad) first = gst_element_get_static_pad (source, "src");

  gst_bin_add (GST_BIN (pipeline), yolov7);
  g_assert_true (gst_pad_unlink (before, sink_pad));
  g_assert_cmpint (gst_pad_link (before, in), ==, GST_PAD_LINK_OK);
  g_assert_cmpint (gst_pad_link (out, sink_pad), ==, GST_PAD_LINK_OK);
  gst_pad_add_probe (first, GST_PAD_PROBE_TYPE_BUFFER, on_sent, play, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_shown), play);
  return pipeline;
}

/* Who reads it finds the reason; "no Vulkan driver" and the like tell of a call that lists. */
static void
check_message (const Play *play, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  g_test_message ("%s (%s)", error->message, debug);
  g_assert_nonnull (play->fault);
  g_assert_true (error->domain == GST_RESOURCE_ERROR);
  g_assert_true (strstr (error->message, "failed: VK_ERROR_") ||
                 strstr (error->message, "no Vulkan device") ||
                 strstr (debug, "failed: VK_ERROR_") || strstr (debug, "no Vulkan device"));
}

/* Returns: whether it came to its end. */
static bool
wait_for_end (Play *play, GstBus *bus)
{
  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);

    switch ((guint) GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_EOS:
      return true;
    case GST_MESSAGE_ERROR:
      check_message (play, message);
      return false;
    default:
      play->n_warnings++;
    }
  }
}

static bool
play (Play *play)
{
  GstElement *pipeline = pipeline_new (play);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  play->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  if (play->fault && play->is_at_start)
    fault_arm (play->fault->call, play->fault->nth, play->fault->result, false);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  const bool has_ended = wait_for_end (play, bus);
  for (guint i = 0; play->n_uses && i < play->n_uses->len; i++)
    g_array_index (play->n_uses, uint32_t, i) =
        fault_count (fault_call_name (i)) - g_array_index (play->n_uses, uint32_t, i);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  fault_disarm ();
  if (has_ended)
    g_assert_cmpuint (play->n_shown, ==, N_FRAMES);
  g_assert_cmpuint (fault_n_live (), ==, 0);
  g_array_unref (play->found);
  return has_ended;
}

/* Random weights are a warning, which all of them have. */
static bool
is_ready (void)
{
  Play undisturbed = {0};

  if (!yv_test_needs_vulkan ())
    return false;
  if (!fault_is_loaded ()) {
    yv_test_lacks_vulkan ("the loader does not load the layer");
    return false;
  }
  g_assert_true (play (&undisturbed));
  g_assert_cmpuint (undisturbed.n_warnings, ==, 1);
  g_assert_cmpuint (n_expected[N_FRAMES - 1], >, 0);
  is_expected = true;
  return true;
}

/* A device that is lost is opened again. */
static void
play_with_fault (const Fault *fault, void *data)
{
  Play disturbed = {.fault = fault};

  (void) data;
  fault_disarm (); /* until FIRST_FRAME */
  const bool has_ended = play (&disturbed);
  if (fault->result != VK_ERROR_DEVICE_LOST)
    return;
  g_assert_true (has_ended);
}

static void
each_call_fails_while_playing (void)
{
  g_autoptr (GArray) n_uses = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  Play counted = {.n_uses = n_uses};

  if (!is_ready ())
    return;
  g_assert_true (play (&counted));
  fault_try_all (n_uses, play_with_fault, NULL);
  g_assert_true (play (&(Play){0}));
}

static void
start_with_fault (const Fault *fault, void *data)
{
  Play disturbed = {.fault = fault, .is_at_start = true};

  (void) data;
  fault_disarm ();
  play (&disturbed);
}

static void
play_undisturbed (void *data)
{
  (void) data;
  g_assert_true (play (&(Play){0}));
}

/* Each once: test-faults has the rest of what loading does. */
static void
each_call_fails_at_the_start (void)
{
  g_autoptr (GArray) n_uses = g_array_new (FALSE, FALSE, sizeof (uint32_t));

  if (!is_ready ())
    return;
  fault_count_uses (play_undisturbed, NULL, n_uses);
  for (guint i = 0; i < n_uses->len; i++) {
    const char *call = fault_call_name (i);

    if (g_array_index (n_uses, uint32_t, i) > 0)
      start_with_fault (&(Fault){call, 1, fault_call_result (call, i % 2)}, NULL);
  }
  play_undisturbed (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/faults/playing", each_call_fails_while_playing);
  g_test_add_func ("/faults/start", each_call_fails_at_the_start);
  return g_test_run ();
}
