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
#define FIRST_FRAME 4 /* that comes with a fault armed; those behind it have another size */
#define CAPS(w, h) "video/x-raw,format=I420,width=" #w ",height=" #h

/* A pipeline that plays once. */
typedef struct {
  const Fault *fault;
  bool is_at_start; /* armed before it starts, not with FIRST_FRAME */
  GArray *n_uses;   /* (nullable) in, of each call: until FIRST_FRAME; out: from there on */

  GstElement *pipeline, *yolov7;
  GstElement *filter; /* borrowed from the pipeline */
  guint n_sent, n_shown, n_warnings;
  guint n_losses;     /* warnings that a device was lost */
  GArray *found;      /* of GstYolov7Detection, of the frame that is shown */
  uint32_t n_failed;  /* calls, until the end */
  guint n_recoveries; /* that the element counted until then */
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
  g_autoptr (GstCaps) caps = gst_caps_from_string (CAPS (64, 64));
  g_object_set (play->filter, "caps", caps, NULL); /* of the next frame */
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
  else
    n_expected[play->n_shown] = play->found->len;
  play->n_shown++;
}

/* From here to play_close() the fields are valid. */
static void
play_open (Play *play)
{
  g_autofree char *model = yv_test_source_path ("tests/faults/model.yaml");
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc pattern=ball num-buffers=%d ! capsfilter name=filter caps=" CAPS (
          64, 48) " ! fakesink name=sink sync=false signal-handoffs=true",
      N_FRAMES);
  GstElement *pipeline = play->pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "filter");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) sink_pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstPad) before = gst_pad_get_peer (sink_pad);
  GstElement *yolov7 = play->yolov7 =
      g_object_new (GST_TYPE_YOLOV7, "config-file", model, "precision", 1, "input-size", 64,
                    "confidence-threshold", 0.001, NULL);
  g_autoptr (GstPad) in = gst_element_get_static_pad (yolov7, "sink");
  g_autoptr (GstPad) out = gst_element_get_static_pad (yolov7, "src");

  play->filter = filter;
  gst_bin_add (GST_BIN (pipeline), yolov7);
  g_assert_true (gst_pad_unlink (before, sink_pad));
  g_assert_cmpint (gst_pad_link (before, in), ==, GST_PAD_LINK_OK);
  g_assert_cmpint (gst_pad_link (out, sink_pad), ==, GST_PAD_LINK_OK);
  gst_pad_add_probe (before, GST_PAD_PROBE_TYPE_BUFFER, on_sent, play, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_shown), play);
  play->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
}

static void
play_close (Play *play)
{
  gst_element_set_state (play->pipeline, GST_STATE_NULL);
  gst_object_unref (play->pipeline);
  g_array_unref (play->found);
}

static GstStructure *
read_stats (const Play *play)
{
  GstStructure *stats;

  g_object_get (play->yolov7, "stats", &stats, NULL);
  return stats;
}

static guint
stat_of (const Play *play, const char *name)
{
  g_autoptr (GstStructure) stats = read_stats (play);
  guint64 value;

  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return (guint) value;
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

static void
count_warning (Play *play, GstMessage *message)
{
  g_autoptr (GError) warning = NULL;

  gst_message_parse_warning (message, &warning, NULL);
  g_test_message ("%s", warning->message);
  play->n_warnings++;
  play->n_losses += g_str_has_prefix (warning->message, "The device was lost;");
}

/* Returns: whether it came to its end, not to an error. */
static bool
wait_for_message (Play *play)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (play->pipeline);

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
      count_warning (play, message);
    }
  }
}

static bool
play_to_the_end (Play *play)
{
  const bool has_ended = wait_for_message (play);

  play->n_failed = fault_n_failed ();
  play->n_recoveries = stat_of (play, "recoveries");
  for (guint i = 0; play->n_uses && i < play->n_uses->len; i++)
    g_array_index (play->n_uses, uint32_t, i) =
        fault_count (fault_call_name (i)) - g_array_index (play->n_uses, uint32_t, i);
  if (has_ended)
    g_assert_cmpuint (play->n_shown, ==, N_FRAMES);
  return has_ended;
}

static bool
play (Play *play)
{
  play_open (play);
  if (play->fault && play->is_at_start)
    fault_arm (play->fault->call, play->fault->nth, play->fault->result, false);
  gst_element_set_state (play->pipeline, GST_STATE_PLAYING);
  const bool has_ended = play_to_the_end (play);
  play_close (play);
  fault_disarm ();
  g_assert_cmpuint (fault_n_live (), ==, 0);
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

/* A device that is lost is opened again. What makes another size ready uses every call once, or
 * more often: that depends on time, as batches do. */
static void
play_with_fault (const Fault *fault, void *data)
{
  Play disturbed = {.fault = fault};

  (void) data;
  fault_disarm (); /* until FIRST_FRAME */
  const bool has_ended = play (&disturbed);
  if (fault->nth == 1)
    g_assert_cmpuint (disturbed.n_failed, ==, 1);
  if (fault->result != VK_ERROR_DEVICE_LOST)
    return;
  g_assert_true (has_ended);
  g_assert_cmpuint (disturbed.n_losses, ==, disturbed.n_failed);
  g_assert_cmpuint (disturbed.n_recoveries, ==, disturbed.n_failed);
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
  g_assert_cmpuint (disturbed.n_failed, ==, 1);
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

/* ---- several, and other models --------------------------------------------------------------- */

static void
wait_for_state (Play *play, GstState state)
{
  gst_element_set_state (play->pipeline, state);
  g_assert_cmpint (gst_element_get_state (play->pipeline, NULL, NULL, GST_CLOCK_TIME_NONE), ==,
                   GST_STATE_CHANGE_SUCCESS);
}

/* In PAUSED most frames of each are still to come, so that none ends before it notices. The model
 * is loaded once for both, at first and again. */
static void
elements_that_share_a_lost_device_go_on (void)
{
  Play plays[2] = {{0}, {0}};

  if (!is_ready ())
    return;
  const uint32_t n_devices = fault_count ("vkCreateDevice");
  for (guint i = 0; i < G_N_ELEMENTS (plays); i++) {
    play_open (&plays[i]);
    wait_for_state (&plays[i], GST_STATE_PAUSED);
  }
  g_assert_cmpuint (fault_count ("vkCreateDevice"), ==, n_devices + 1);
  fault_arm ("vkQueueSubmit", 1, VK_ERROR_DEVICE_LOST, false);
  for (guint i = 0; i < G_N_ELEMENTS (plays); i++)
    gst_element_set_state (plays[i].pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < G_N_ELEMENTS (plays); i++) {
    g_assert_true (play_to_the_end (&plays[i]));
    g_assert_cmpuint (plays[i].n_losses, ==, 1);
    g_assert_cmpuint (plays[i].n_recoveries, ==, 1);
  }
  g_assert_cmpuint (fault_n_failed (), ==, 1);
  g_assert_cmpuint (fault_count ("vkCreateDevice"), ==, n_devices + 2);
  for (guint i = 0; i < G_N_ELEMENTS (plays); i++)
    play_close (&plays[i]);
  fault_disarm ();
  g_assert_cmpuint (fault_n_live (), ==, 0);
}

/* Holds FIRST_FRAME back. */
static GstPadProbeReturn
on_gate (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  const Play *play = data;

  (void) pad;
  (void) info;
  return play->n_sent < FIRST_FRAME ? GST_PAD_PROBE_PASS : GST_PAD_PROBE_OK;
}

static void
wait_for_warning (Play *play, const char *start, const char *part)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (play->pipeline);
  g_autoptr (GError) warning = NULL;

  while (!warning || !g_str_has_prefix (warning->message, start)) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);

    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
    g_clear_error (&warning);
    gst_message_parse_warning (message, &warning, NULL);
    g_test_message ("%s", warning->message);
  }
  g_assert_nonnull (strstr (warning->message, part));
}

static void
fail_to_swap (const Fault *fault)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  Play play = {0};

  play_open (&play);
  g_autoptr (GstPad) in = gst_element_get_static_pad (play.yolov7, "sink");
  g_autoptr (GstPad) pad = gst_pad_get_peer (in);
  const gulong gate = gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER,
                                         on_gate, &play, NULL);
  wait_for_state (&play, GST_STATE_PLAYING);
  fault_arm (fault->call, fault->nth, fault->result, false);
  g_object_set (play.yolov7, "config-file", NULL, "model-file", model, NULL);
  wait_for_warning (&play, "The model stays as it was: ", fault->call);
  gst_pad_remove_probe (pad, gate);
  g_assert_true (play_to_the_end (&play));
  g_assert_cmpuint (play.n_failed, ==, 1);
  g_assert_cmpuint (stat_of (&play, "model-updates"), ==, 0);
  play_close (&play);
  fault_disarm ();
  g_assert_cmpuint (fault_n_live (), ==, 0);
}

/* By calls that frames make none of. */
static void
a_swap_that_fails_leaves_the_old_model (void)
{
  if (!is_ready ())
    return;
  fail_to_swap (&(Fault){"vkCreateDevice", 1, VK_ERROR_OUT_OF_HOST_MEMORY});
  fail_to_swap (&(Fault){"vkCreateDevice", 1, VK_ERROR_DEVICE_LOST});
  fail_to_swap (&(Fault){"vkCreatePipelineCache", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY});
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/faults/playing", each_call_fails_while_playing);
  g_test_add_func ("/faults/start", each_call_fails_at_the_start);
  g_test_add_func ("/faults/shared", elements_that_share_a_lost_device_go_on);
  g_test_add_func ("/faults/swap", a_swap_that_fails_leaves_the_old_model);
  return g_test_run ();
}
