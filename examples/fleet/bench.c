/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/bench.c - videotestsrc ! yolov7 ! fakesink, and a thread for what may hang. */
#include "examples/fleet/bench.h"

#include <gst/gst.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/error.h"

#define MEASURE_US (3 * G_USEC_PER_SEC)
/* The first frames of a size are made ready for, which is no rate. */
#define N_WARM 3
/* What waits gives up after so long; a CPU takes minutes for the first frames of a big model. */
#define START_US (600 * G_USEC_PER_SEC)
#define TRY_US (50 * G_USEC_PER_SEC)
/* What has not come back so long after that hangs in a driver. */
#define GRACE_US (10 * G_USEC_PER_SEC)
/* The same, once nobody needs it: systemd waits for 30 s. */
#define CLOSE_US (10 * G_USEC_PER_SEC)

/* To set a state waits for the streaming thread, without a limit. So that is done, one thing at a
 * time, by a thread that nobody has to wait for. */
typedef bool (*Work) (FleetBench *bench, GError **error);

struct _FleetBench {
  GstElement *pipeline, *yolov7;
  GThread *thread; /* NULL: nothing is done */

  /* Of the thread, while there is one. */
  Work work;
  gint64 until_us; /* it gives up */
  bool is_measured;
  double frames_per_s;
  GError *error; /* (nullable): what came of it */

  GMutex lock; /* protects what follows */
  GCond over;
  bool is_over; /* the work */
};

/* ---- the thread ------------------------------------------------------------------------------ */

static gpointer
run (gpointer bench_)
{
  FleetBench *bench = bench_;

  bench->work (bench, &bench->error);
  g_mutex_lock (&bench->lock);
  bench->is_over = true;
  g_cond_signal (&bench->over);
  g_mutex_unlock (&bench->lock);
  return NULL;
}

static void
begin (FleetBench *bench, Work work, gint64 time_us)
{
  bench->work = work;
  bench->until_us = g_get_monotonic_time () + time_us;
  bench->is_over = false;
  bench->thread = g_thread_new ("bench", run, bench);
}

/* Where it is not over by @until_us it hangs, and nothing in this process can help it. */
static bool
has_come_back (FleetBench *bench, gint64 until_us)
{
  g_mutex_lock (&bench->lock);
  const bool is_over = bench->is_over;
  g_mutex_unlock (&bench->lock);
  if (is_over || g_get_monotonic_time () < until_us)
    return is_over;
  g_printerr ("yolov7-fleet: a test picture hangs in the device, or its driver, so this process "
              "ends\n");
  _exit (EXIT_FAILURE);
}

static void
wait_until_over (FleetBench *bench, gint64 until_us)
{
  g_mutex_lock (&bench->lock);
  while (!bench->is_over && g_cond_wait_until (&bench->over, &bench->lock, until_us))
    ;
  g_mutex_unlock (&bench->lock);
  has_come_back (bench, until_us);
}

/* Of work that is over. */
static bool
collect (FleetBench *bench, GError **error)
{
  g_clear_pointer (&bench->thread, g_thread_join);
  if (!bench->error)
    return true;
  g_propagate_error (error, g_steal_pointer (&bench->error));
  return false;
}

/* ---- its work -------------------------------------------------------------------------------- */

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

static GstClockTime
time_left (const FleetBench *bench)
{
  return (GstClockTime) MAX (bench->until_us - g_get_monotonic_time (), 0) * GST_USECOND;
}

/* Returns: false with what the pipeline says, or that it takes too long. */
static bool
wait_for_state (FleetBench *bench, GstState state, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (bench->pipeline);

  if (gst_element_set_state (bench->pipeline, state) != GST_STATE_CHANGE_FAILURE &&
      gst_element_get_state (bench->pipeline, NULL, NULL, time_left (bench)) ==
          GST_STATE_CHANGE_SUCCESS)
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
  while (n_analysed (bench) < n_frames) {
    if (!run_for (bench, G_USEC_PER_SEC / 20, error))
      return false;
    if (time_left (bench) == 0) {
      g_set_error (error, YV_ERROR, YV_ERROR_IO, "no frame was analysed for minutes");
      return false;
    }
  }
  return true;
}

static bool
measure (FleetBench *bench, GError **error)
{
  if (!wait_for_state (bench, GST_STATE_PLAYING, error) || !wait_for_frames (bench, N_WARM, error))
    return false;
  const guint64 n_before = n_analysed (bench);
  const gint64 start_us = g_get_monotonic_time ();
  if (!run_for (bench, MEASURE_US, error))
    return false;
  const double seconds = (double) (g_get_monotonic_time () - start_us) / G_USEC_PER_SEC;
  bench->frames_per_s = (double) (n_analysed (bench) - n_before) / seconds;
  return wait_for_state (bench, GST_STATE_PAUSED, error);
}

static bool
start (FleetBench *bench, GError **error)
{
  return wait_for_state (bench, GST_STATE_PAUSED, error) &&
         (!bench->is_measured || measure (bench, error));
}

static bool
try_again (FleetBench *bench, GError **error)
{
  return wait_for_state (bench, GST_STATE_READY, error) &&
         wait_for_state (bench, GST_STATE_PLAYING, error) &&
         wait_for_state (bench, GST_STATE_PAUSED, error);
}

static bool
stop (FleetBench *bench, GError **error G_GNUC_UNUSED)
{
  gst_element_set_state (bench->pipeline, GST_STATE_NULL); /* which never fails */
  return true;
}

/* ---- for users ------------------------------------------------------------------------------- */

static bool
start_and_wait (FleetBench *bench, GError **error)
{
  begin (bench, start, START_US);
  wait_until_over (bench, bench->until_us + GRACE_US);
  return collect (bench, error);
}

FleetBench *
fleet_bench_new (const FleetSettings *settings, double *frames_per_s, GError **error)
{
  g_autoptr (FleetBench) bench = g_new0 (FleetBench, 1);
  g_autoptr (CameraConfig) config = fleet_settings_sample (settings, error);

  g_mutex_init (&bench->lock);
  g_cond_init (&bench->over);
  bench->is_measured = frames_per_s != NULL;
  if (!config || !set_up (bench, config, error) || !start_and_wait (bench, error)) {
    g_prefix_error (error, "%s: defaults: yolov7: ", settings->file);
    return NULL;
  }
  if (frames_per_s)
    *frames_per_s = bench->frames_per_s;
  return g_steal_pointer (&bench);
}

void
fleet_bench_try (FleetBench *bench)
{
  if (!bench->thread)
    begin (bench, try_again, TRY_US);
}

bool
fleet_bench_has_tried (FleetBench *bench, GError **error)
{
  if (!bench->thread || !has_come_back (bench, bench->until_us + GRACE_US))
    return false;
  collect (bench, error);
  return true;
}

static void
close_pipeline (FleetBench *bench)
{
  if (bench->thread) {
    wait_until_over (bench, g_get_monotonic_time () + CLOSE_US);
    collect (bench, NULL);
  }
  begin (bench, stop, CLOSE_US);
  wait_until_over (bench, bench->until_us);
  collect (bench, NULL);
}

void
fleet_bench_free (FleetBench *bench)
{
  if (!bench)
    return;
  if (bench->pipeline)
    close_pipeline (bench);
  gst_clear_object (&bench->yolov7);
  gst_clear_object (&bench->pipeline);
  g_cond_clear (&bench->over);
  g_mutex_clear (&bench->lock);
  g_free (bench);
}
