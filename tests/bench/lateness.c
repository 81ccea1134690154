/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/bench/lateness.c - how late video is that passes through yolov7 on a device that is five
 * times slower than the source, with leaky=downstream, and how old detections are.
 *
 * usage: lateness SECONDS PROPERTIES
 * PROPERTIES are those of yolov7 in a launch line, of a model that takes some 100 ms a frame. How
 * long it takes is measured first, and the source's rate follows from it. The exit status is 1
 * where a figure is not as it should be. */
#include <gst/gst.h>

#define MIN_SLOWER 5  /* frame durations that an analysis takes */
#define MAX_LATENCY 2 /* frame durations that video may be late */
#define SLOWER 6      /* what is aimed at: analyses may be faster than those measured before */
#define N_MEASURED 8
#define N_WARMUP 3

/* Detections leave with the first frame that does after they are there: the newest frame there was
 * when the device was free is as old as its analysis, and a frame to wait for on either side. */
#define MAX_WAIT 2

typedef struct {
  GMutex mutex;
  GstClockTime duration;
  GArray *pushed_us; /* gint64, by frame */
  guint n_arrived, n_too_late, n_detected, n_out_of_order;
  gint64 max_late_us;
  double sum_of_ages; /* frames */
  GstClockTime newest;
} Video;

/* ---- a pipeline ----------------------------------------------------------------------------- */

static GstElement *
pipeline_new (guint n_frames, const char *rate, const char *properties)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc name=source num-buffers=%u %s,format=I420,width=640,height=480 ! "
      "yolov7 name=yolov7 %s ! fakesink name=sink sync=false",
      n_frames, rate, properties);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);

  if (error)
    g_error ("%s", error->message);
  return pipeline;
}

static void
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_error ("%s", error->message);
  }
}

static void
probe (GstElement *pipeline, const char *name, const char *pad_name, GstPadProbeCallback callback,
       gpointer user_data)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, user_data, NULL);
}

/* ---- how long an analysis takes ------------------------------------------------------------- */

static GstPadProbeReturn
note_time (GstPad *pad, GstPadProbeInfo *info, gpointer times_us)
{
  const gint64 now_us = g_get_monotonic_time ();
  (void) pad;
  (void) info;

  g_array_append_val (times_us, now_us);
  return GST_PAD_PROBE_OK;
}

static GstClockTime
measure_analysis (const char *properties)
{
  g_autofree char *own = g_strconcat (properties, " max-in-flight=1", NULL);
  g_autoptr (GstElement) pipeline =
      pipeline_new (N_WARMUP + N_MEASURED + 1, "! video/x-raw,framerate=25/1", own);
  g_autoptr (GArray) times_us = g_array_new (FALSE, FALSE, sizeof (gint64));

  probe (pipeline, "sink", "sink", note_time, times_us);
  play (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  const gint64 *at_us = (const gint64 *) (gpointer) times_us->data;
  return (GstClockTime) (at_us[N_WARMUP + N_MEASURED] - at_us[N_WARMUP]) * 1000 / N_MEASURED;
}

/* ---- how late video is ---------------------------------------------------------------------- */

static double
in_frames (const Video *video, gint64 ns)
{
  return (double) ns / (double) video->duration;
}

static GstPadProbeReturn
note_push (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Video *video = user_data;

  g_mutex_lock (&video->mutex);
  note_time (pad, info, video->pushed_us);
  g_mutex_unlock (&video->mutex);
  return GST_PAD_PROBE_OK;
}

static void
note_detections (Video *video, GstBuffer *frame)
{
  GstCustomMeta *meta = gst_buffer_get_custom_meta (frame, "GstYolov7Detections");
  guint64 analysed;

  if (!meta)
    return;
  gst_structure_get_uint64 (gst_custom_meta_get_structure (meta), "frame-pts", &analysed);
  video->n_out_of_order += video->n_detected > 0 && analysed <= video->newest;
  video->newest = analysed;
  video->n_detected++;
  video->sum_of_ages += in_frames (video, GST_CLOCK_DIFF (analysed, GST_BUFFER_PTS (frame)));
}

static GstPadProbeReturn
note_arrival (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Video *video = user_data;
  const gint64 now_us = g_get_monotonic_time ();
  (void) pad;

  g_mutex_lock (&video->mutex);
  const gint64 late_us = now_us - g_array_index (video->pushed_us, gint64, video->n_arrived);
  video->n_arrived++;
  video->max_late_us = MAX (video->max_late_us, late_us);
  video->n_too_late += in_frames (video, late_us * 1000) >= MAX_LATENCY;
  note_detections (video, GST_PAD_PROBE_INFO_BUFFER (info));
  g_mutex_unlock (&video->mutex);
  return GST_PAD_PROBE_OK;
}

static GstClockTime
mean_analysis (GstElement *pipeline)
{
  g_autoptr (GstElement) yolov7 = gst_bin_get_by_name (GST_BIN (pipeline), "yolov7");
  g_autoptr (GstStructure) stats = NULL;
  guint64 mean = 0;

  g_object_get (yolov7, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "total-mean", &mean);
  return mean;
}

/* @analysis: what one took, which may be more than before on a machine that does other things.
 * Returns: whether all is as it should be. */
static gboolean
report (const Video *video, GstClockTime analysis)
{
  const double latency = in_frames (video, video->max_late_us * 1000);
  const double age = video->sum_of_ages / video->n_detected;
  const double slower = in_frames (video, (gint64) analysis);
  const double max_age = slower + MAX_WAIT;
  const gboolean is_good = slower >= MIN_SLOWER && latency < MAX_LATENCY && video->n_detected > 1 &&
                           age <= max_age && video->n_out_of_order == 0;

  g_print ("%u frames of %.0f ms, an analysis took %.1f of them on average (asked: >= %d): latest "
           "arrival %.2f frame durations after its push (asked: < %d; %u were later); %u analysed, "
           "on average %.1f frames old when they leave (asked: <= %.1f), %u out of order: %s\n",
           video->n_arrived, (double) video->duration / 1e6, slower, MIN_SLOWER, latency,
           MAX_LATENCY, video->n_too_late, video->n_detected, age, max_age, video->n_out_of_order,
           is_good ? "reached" : "MISSED");
  return is_good;
}

static gboolean
watch (guint seconds, const char *properties, GstClockTime analysis)
{
  Video video = {.duration = analysis / SLOWER};
  const guint rate_milli = (guint) (GST_SECOND * 1000 / video.duration);
  g_autofree char *own = g_strconcat (properties, " leaky=downstream", NULL);
  g_autofree char *rate =
      g_strdup_printf ("is-live=true ! video/x-raw,framerate=%u/1000", rate_milli);
  g_autoptr (GstElement) pipeline = pipeline_new (seconds * rate_milli / 1000, rate, own);

  g_mutex_init (&video.mutex);
  video.pushed_us = g_array_new (FALSE, FALSE, sizeof (gint64));
  probe (pipeline, "source", "src", note_push, &video);
  probe (pipeline, "sink", "sink", note_arrival, &video);
  play (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  const gboolean is_good = report (&video, mean_analysis (pipeline));
  g_array_unref (video.pushed_us);
  g_mutex_clear (&video.mutex);
  return is_good;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc != 3) {
    g_printerr ("usage: %s SECONDS PROPERTIES\n", argv[0]);
    return 2;
  }
  return watch ((guint) atoi (argv[1]), argv[2], measure_analysis (argv[2])) ? 0 : 1;
}
