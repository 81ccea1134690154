/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/bench/publish-speed.c - what yolov7publish takes from a fast pipeline: frames a second of
 * two pipelines that run at the same time, one with it, so that what else the machine does is the
 * same for both.
 *
 * usage: publish-speed SECONDS OBJECTS file|mqtt|away
 * away: to a broker that is not there; mqtt: to a mosquitto on this machine.
 * Frames of 4K in one color, each with OBJECTS detections, as fast as they come. Prints a line a
 * second, and the medians; the exit status is 1 where that of the ratios is below what is asked. */
#include <gst/gst.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gst/detectionmeta.h"
#include "tests/gst/mosquittoprocess.h"

#define ASKED 0.97 /* of the frames a second without it */
#define W 3840
#define H 2160

/* What was seen, or how that differs from an earlier time. */
typedef struct {
  guint n_frames;   /* at the end */
  gint64 inside_ns; /* that the streaming thread has used inside of yolov7publish */
} Count;

typedef struct {
  GstElement *pipeline;
  guint n_objects;

  GMutex lock;
  Count count;

  /* streaming thread only */
  gint64 entered_ns; /* on its own clock, when the frame came to yolov7publish */
} Stream;

static gint64
thread_time_ns (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * G_GINT64_CONSTANT (1000000000) + time.tv_nsec;
}

static GstPadProbeReturn
attach (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  static const char *const labels[] = {"person", "car", "dog", "traffic light"};
  const Stream *stream = data;
  const GstYolov7Frame frame = {.width = W, .height = H};
  g_autofree GstYolov7Detection *found = g_new (GstYolov7Detection, stream->n_objects);
  (void) pad;

  for (guint i = 0; i < stream->n_objects; i++)
    found[i] = (GstYolov7Detection){.x = 13.7 * i,
                                    .y = 7.3 * i,
                                    .w = 81.4,
                                    .h = 132.9,
                                    .confidence = 0.9 - 0.001 * i,
                                    .objectness = 0.95,
                                    .class_index = (gint) (i % 4),
                                    .id = i,
                                    .label = labels[i % 4]};
  GST_PAD_PROBE_INFO_DATA (info) = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  gst_yolov7_detections_attach (GST_PAD_PROBE_INFO_BUFFER (info), &frame, found, stream->n_objects,
                                0);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
enter (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  (void) pad;
  (void) info;
  ((Stream *) data)->entered_ns = thread_time_ns ();
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
leave (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stream *stream = data;
  const gint64 now_ns = thread_time_ns ();
  (void) pad;
  (void) info;

  g_mutex_lock (&stream->lock);
  stream->count.inside_ns += now_ns - stream->entered_ns;
  g_mutex_unlock (&stream->lock);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
see (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stream *stream = data;
  (void) pad;
  (void) info;

  g_mutex_lock (&stream->lock);
  stream->count.n_frames++;
  g_mutex_unlock (&stream->lock);
  return GST_PAD_PROBE_OK;
}

static Count
count (Stream *stream)
{
  g_mutex_lock (&stream->lock);
  const Count now = stream->count;
  g_mutex_unlock (&stream->lock);
  return now;
}

static Count
difference (Count after, Count before)
{
  return (Count){after.n_frames - before.n_frames, after.inside_ns - before.inside_ns};
}

static void
add_probe (Stream *stream, const char *element, const char *pad_name, GstPadProbeCallback probe)
{
  g_autoptr (GstElement) found = gst_bin_get_by_name (GST_BIN (stream->pipeline), element);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (found, pad_name);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, probe, stream, NULL);
}

static void
stream_init (Stream *stream, guint n_objects, const char *publish)
{
  g_autofree char *line = g_strdup_printf ("videotestsrc name=source pattern=black ! "
                                           "video/x-raw,format=NV12,width=%d,height=%d %s ! "
                                           "fakesink name=sink",
                                           W, H, publish);
  g_autoptr (GError) error = NULL;

  *stream = (Stream){.n_objects = n_objects};
  stream->pipeline = gst_parse_launch (line, &error);
  if (error) {
    g_printerr ("%s\n", error->message);
    exit (1);
  }
  add_probe (stream, "source", "src", attach);
  add_probe (stream, "sink", "sink", see);
  if (*publish) {
    add_probe (stream, "publish", "sink", enter);
    add_probe (stream, "publish", "src", leave);
  }
}

/* Until the first frame is there. */
static void
stream_start (Stream *stream)
{
  gst_element_set_state (stream->pipeline, GST_STATE_PLAYING);
  if (gst_element_get_state (stream->pipeline, NULL, NULL, GST_CLOCK_TIME_NONE) ==
      GST_STATE_CHANGE_SUCCESS)
    return;
  g_printerr ("a pipeline does not play\n");
  exit (1);
}

/* All records have to have arrived: what was dropped costs nothing. None can where nobody is. */
static gboolean
has_arrived_what_can (Stream *stream, gboolean is_away)
{
  g_autoptr (GstElement) publish = gst_bin_get_by_name (GST_BIN (stream->pipeline), "publish");
  g_autoptr (GstStructure) stats = NULL;
  guint64 n_records = 0, n_arrived = 0;

  gst_element_set_state (stream->pipeline, GST_STATE_NULL);
  g_object_get (publish, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "records", &n_records);
  gst_structure_get_uint64 (stats, "arrived", &n_arrived);
  g_print ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " records arrived\n", n_arrived,
           n_records);
  return n_records > 0 && n_arrived == (is_away ? 0 : n_records);
}

static void
stream_clear (Stream *stream)
{
  gst_element_set_state (stream->pipeline, GST_STATE_NULL);
  gst_object_unref (stream->pipeline);
  g_mutex_clear (&stream->lock);
}

static int
compare (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare);
  return values[n / 2];
}

/* Returns: the median of the ratios */
static double
measure (Stream *without, Stream *with, guint n_rounds)
{
  g_autofree double *ratios = g_new (double, n_rounds);
  g_autofree double *costs = g_new (double, n_rounds);

  for (guint i = 0; i < n_rounds; i++) {
    const Count before = count (without), before_with = count (with);
    g_usleep (G_USEC_PER_SEC);
    const Count a = difference (count (without), before);
    const Count b = difference (count (with), before_with);
    ratios[i] = (double) b.n_frames / MAX (a.n_frames, 1);
    costs[i] = (double) b.inside_ns / 1000 / MAX (b.n_frames, 1);
    g_print ("%u frames/s without, %u with: %.3f; %.1f us a record\n", a.n_frames, b.n_frames,
             ratios[i], costs[i]);
  }
  const double ratio = median (ratios, n_rounds);
  g_print ("median: %.3f of the frames a second without it (asked: %.2f); %.1f us of the streaming "
           "thread inside of it a record of %u objects\n",
           ratio, ASKED, median (costs, n_rounds), with->n_objects);
  return ratio;
}

/* Returns: how the element shall publish; NULL for a way that is none */
static char *
properties_of (const char *way, const char *path, Mosquitto *mosquitto)
{
  if (g_str_equal (way, "file"))
    return g_strdup_printf ("drain-timeout=60000000000 file-path=%s", path);
  if (g_str_equal (way, "away")) /* nobody listens at port 1 */
    return g_strdup ("drain-timeout=0 method=mqtt topic=speed address=127.0.0.1:1");
  if (!g_str_equal (way, "mqtt"))
    return NULL;
  mosquitto_process_start (mosquitto);
  return g_strdup_printf ("drain-timeout=60000000000 method=mqtt topic=speed address=127.0.0.1:%u",
                          mosquitto->port);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "yv-publish-speed.json", NULL);
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (NULL);
  g_autofree char *properties = argc == 4 ? properties_of (argv[3], path, mosquitto) : NULL;
  if (!properties) {
    g_printerr ("usage: publish-speed SECONDS OBJECTS file|mqtt|away\n");
    return 2;
  }
  g_autofree char *publish = g_strdup_printf (
      "! yolov7publish name=publish queue-size=100000 queue-bytes=1000000000 %s", properties);
  Stream without, with;

  stream_init (&without, (guint) atoi (argv[2]), "");
  stream_init (&with, (guint) atoi (argv[2]), publish);
  stream_start (&without);
  stream_start (&with);
  const double ratio = measure (&without, &with, (guint) MAX (1, atoi (argv[1])));
  const gboolean all = has_arrived_what_can (&with, g_str_equal (argv[3], "away"));
  stream_clear (&with);
  stream_clear (&without);
  unlink (path);
  return ratio >= ASKED && all ? 0 : 1;
}
