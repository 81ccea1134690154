/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/bench.c - videotestsrc ! yolov7 ! fakesink. */
#include "examples/fleet/bench.h"

#include <gst/gst.h>

#include "engine/error.h"

#define MEASURE_US (3 * G_USEC_PER_SEC)
/* The first frames of a size are made ready for, which is no rate. */
#define N_WARM 3
#define START_TIMEOUT_US (300 * G_USEC_PER_SEC)
#define TRY_TIMEOUT_US (20 * G_USEC_PER_SEC) /* of a step of three */

struct _FleetBench {
  GstElement *pipeline, *yolov7;
};

void
fleet_bench_free (FleetBench *bench)
{
  if (!bench)
    return;
  if (bench->pipeline)
    gst_element_set_state (bench->pipeline, GST_STATE_NULL);
  gst_clear_object (&bench->yolov7);
  gst_clear_object (&bench->pipeline);
  g_free (bench);
}

static bool
set_up (FleetBench *bench, const CameraConfig *config, GError **error)
{
  bench->pipeline = gst_parse_launch_full (
      "videotestsrc ! video/x-raw,format=I420,width=640,height=360,framerate=25/1 "
      "! yolov7 name=yolov7 ! fakesink sync=false qos=false",
      NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!bench->pipeline)
    return false;
  gst_object_ref_sink (bench->pipeline);
  bench->yolov7 = gst_bin_get_by_name (GST_BIN (bench->pipeline), "yolov7");
  for (guint i = 0; i < config->settings->len; i++) {
    const CameraSetting *setting = config->settings->pdata[i];
    if (g_str_equal (setting->element, "yolov7"))
      gst_util_set_object_arg (G_OBJECT (bench->yolov7), setting->property, setting->text);
  }
  /* Every frame, one after the other: what is left out has no rate. */
  gst_util_set_object_arg (G_OBJECT (bench->yolov7), "leaky", "no");
  g_object_set (bench->yolov7, "inference-interval", 1, NULL);
  return true;
}

/* Returns: false with what the pipeline says, or that it takes too long. */
static bool
wait_for_state (FleetBench *bench, GstState state, gint64 timeout_us, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (bench->pipeline);

  if (gst_element_set_state (bench->pipeline, state) != GST_STATE_CHANGE_FAILURE &&
      gst_element_get_state (bench->pipeline, NULL, NULL,
                             (GstClockTime) timeout_us * GST_USECOND) == GST_STATE_CHANGE_SUCCESS)
    return true;
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message)
    gst_message_parse_error (message, error, NULL);
  else
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "the model is not ready in time");
  return false;
}

static guint64
n_analysed (FleetBench *bench)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (bench->yolov7, "stats", &stats, NULL);
  if (stats)
    gst_structure_get_uint64 (stats, "frames-analysed", &n);
  return n;
}

/* The bus wakes this where the analysis ends early; else it sleeps until time is up. */
static bool
run_for (FleetBench *bench, gint64 time_us, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (bench->pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, (GstClockTime) time_us * GST_USECOND, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);

  if (!message)
    return true;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, error, NULL);
  else
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "the analysis has ended by itself");
  return false;
}

static bool
wait_for_frames (FleetBench *bench, guint64 n_frames, GError **error)
{
  const gint64 end_us = g_get_monotonic_time () + START_TIMEOUT_US;

  while (n_analysed (bench) < n_frames) {
    if (!run_for (bench, G_USEC_PER_SEC / 20, error))
      return false;
    if (g_get_monotonic_time () > end_us) {
      g_set_error (error, YV_ERROR, YV_ERROR_IO, "no frame was analysed for minutes");
      return false;
    }
  }
  return true;
}

static bool
measure (FleetBench *bench, double *frames_per_s, GError **error)
{
  if (!wait_for_state (bench, GST_STATE_PLAYING, START_TIMEOUT_US, error))
    return false;
  if (!wait_for_frames (bench, N_WARM, error))
    return false;
  const guint64 n_before = n_analysed (bench);
  const gint64 start_us = g_get_monotonic_time ();
  if (!run_for (bench, MEASURE_US, error))
    return false;
  const double seconds = (double) (g_get_monotonic_time () - start_us) / G_USEC_PER_SEC;
  *frames_per_s = (double) (n_analysed (bench) - n_before) / seconds;
  return wait_for_state (bench, GST_STATE_PAUSED, START_TIMEOUT_US, error);
}

FleetBench *
fleet_bench_new (const FleetSettings *settings, double *frames_per_s, GError **error)
{
  g_autoptr (FleetBench) bench = g_new0 (FleetBench, 1);
  g_autoptr (CameraConfig) config = fleet_settings_sample (settings, error);

  if (!config || !set_up (bench, config, error) ||
      !wait_for_state (bench, GST_STATE_PAUSED, START_TIMEOUT_US, error) ||
      (frames_per_s && !measure (bench, frames_per_s, error))) {
    g_prefix_error (error, "%s: defaults: yolov7: ", settings->file);
    return NULL;
  }
  return g_steal_pointer (&bench);
}

bool
fleet_bench_try (FleetBench *bench, GError **error)
{
  return wait_for_state (bench, GST_STATE_READY, TRY_TIMEOUT_US, error) &&
         wait_for_state (bench, GST_STATE_PLAYING, TRY_TIMEOUT_US, error) &&
         wait_for_state (bench, GST_STATE_PAUSED, TRY_TIMEOUT_US, error);
}
