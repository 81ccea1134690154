/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/bench/element-speed.c - frames a second of pipelines with the element yolov7, whose source
 * costs nothing: the same few frames of noise come again and again.
 *
 * usage: element-speed STREAMS FRAMES SIZE PROPERTIES
 * Each stream has FRAMES of SIZE x SIZE px, RGB. PROPERTIES are those of yolov7 in a launch line;
 * where %u stands in them each stream puts its number. A tenth of the frames is to warm up. Prints
 * a line of JSON. */
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <string.h>

#define FRAME_TIME (GST_SECOND / 25)
#define N_BUFFERS 8

typedef struct {
  GstElement *source, *yolov7;
  GThread *thread;
  GstBuffer *buffers[N_BUFFERS];
  guint n_frames;
} Stream;

/* Of all streams, counted at their sinks. */
static struct {
  GMutex mutex;
  guint n, n_warmup;
  gint64 start_us, end_us; /* when the last one to warm up was there, and the last of all */
} seen;

static GstPadProbeReturn
see_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  (void) pad;
  (void) info;
  (void) user_data;

  g_mutex_lock (&seen.mutex);
  seen.n++;
  seen.end_us = g_get_monotonic_time ();
  if (seen.n == seen.n_warmup)
    seen.start_us = seen.end_us;
  g_mutex_unlock (&seen.mutex);
  return GST_PAD_PROBE_OK;
}

/* As `yolov7 bench` does it. */
static GstBuffer *
make_noise (gsize n)
{
  guint8 *pixels = g_malloc (n);
  guint32 state = 1;

  for (gsize i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u; /* Numerical Recipes' generator */
    pixels[i] = (guint8) (state >> 24);
  }
  return gst_buffer_new_wrapped (pixels, n);
}

static gpointer
push_frames (gpointer user_data)
{
  const Stream *stream = user_data;

  for (guint i = 0; i < stream->n_frames; i++) {
    GstBuffer *frame = gst_buffer_copy (stream->buffers[i % N_BUFFERS]); /* of the same memory */
    GST_BUFFER_PTS (frame) = i * FRAME_TIME;
    GST_BUFFER_DURATION (frame) = FRAME_TIME;
    if (gst_app_src_push_buffer (GST_APP_SRC (stream->source), frame) != GST_FLOW_OK)
      return NULL; /* the bus says why */
  }
  gst_app_src_end_of_stream (GST_APP_SRC (stream->source));
  return NULL;
}

static GstElement *
get_element (GstElement *pipeline, const char *name, guint i)
{
  g_autofree char *full_name = g_strdup_printf ("%s%u", name, i);
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), full_name);

  g_assert_nonnull (element);
  return element;
}

static char *
launch_line (guint n_streams, guint size, const char *properties)
{
  g_auto (GStrv) parts = g_strsplit (properties, "%u", -1);
  GString *line = g_string_new (NULL);

  for (guint i = 0; i < n_streams; i++) {
    g_autofree char *number = g_strdup_printf ("%u", i);
    g_autofree char *own = g_strjoinv (number, parts);
    g_string_append_printf (line,
                            "appsrc name=source%u format=time block=true max-buffers=%u "
                            "max-bytes=0 caps=\"video/x-raw,format=RGB,width=%u,height=%u,"
                            "framerate=25/1\" ! yolov7 name=yolov7-%u %s ! "
                            "fakesink name=sink%u sync=false ",
                            i, N_BUFFERS, size, size, i, own, i);
  }
  return g_string_free (line, FALSE);
}

static void
stream_init (Stream *stream, GstElement *pipeline, guint i, guint n_frames, guint size)
{
  g_autoptr (GstElement) sink = get_element (pipeline, "sink", i);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");

  stream->source = get_element (pipeline, "source", i);
  stream->yolov7 = get_element (pipeline, "yolov7-", i);
  stream->n_frames = n_frames;
  for (guint k = 0; k < N_BUFFERS; k++)
    stream->buffers[k] = make_noise ((gsize) GST_ROUND_UP_4 (size * 3) * size);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, see_frame, NULL, NULL);
}

static void
stream_clear (Stream *stream)
{
  g_thread_join (stream->thread);
  for (guint k = 0; k < N_BUFFERS; k++)
    gst_buffer_unref (stream->buffers[k]);
  gst_object_unref (stream->yolov7);
  gst_object_unref (stream->source);
}

/* Returns: whether it came to its end. */
static gboolean
play (GstElement *pipeline, Stream *streams, guint n_streams)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < n_streams; i++)
    streams[i].thread = g_thread_new ("source", push_frames, &streams[i]);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return TRUE;
  gst_message_parse_error (message, &error, NULL);
  g_printerr ("%s\n", error->message);
  return FALSE;
}

static void
print_result (GstElement *yolov7)
{
  const double seconds = (double) (seen.end_us - seen.start_us) / 1e6;
  g_autoptr (GstStructure) stats = NULL;
  guint64 n_in_place = 0, n_copied = 0, total = 0, network = 0, wait = 0;
  double batch_fill = 0;

  g_object_get (yolov7, "stats", &stats, NULL);
  gst_structure_get (stats, "batch-fill", G_TYPE_DOUBLE, &batch_fill, "frames-imported",
                     G_TYPE_UINT64, &n_in_place, "frames-copied", G_TYPE_UINT64, &n_copied,
                     "total-mean", G_TYPE_UINT64, &total, "network-mean", G_TYPE_UINT64, &network,
                     "wait-mean", G_TYPE_UINT64, &wait, NULL);
  g_print ("{\"frames_per_s\": %.2f, \"batch_fill\": %.2f, \"in_place\": %" G_GUINT64_FORMAT
           ", \"copied\": %" G_GUINT64_FORMAT
           ", \"total_ms\": %.3f, \"network_ms\": %.3f, \"wait_ms\": %.3f}\n",
           (seen.n - seen.n_warmup) / seconds, batch_fill, n_in_place, n_copied, total / 1e6,
           network / 1e6, wait / 1e6);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc != 5) {
    g_printerr ("usage: %s STREAMS FRAMES SIZE PROPERTIES\n", argv[0]);
    return 2;
  }

  const guint n_streams = (guint) atoi (argv[1]), n_frames = (guint) atoi (argv[2]);
  const guint size = (guint) atoi (argv[3]);
  g_autofree char *line = launch_line (n_streams, size, argv[4]);
  g_autofree Stream *streams = g_new0 (Stream, n_streams);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  if (error) {
    g_printerr ("%s\n", error->message);
    return 1;
  }

  seen.n_warmup = MAX (n_streams * n_frames / 10, 1);
  for (guint i = 0; i < n_streams; i++)
    stream_init (&streams[i], pipeline, i, n_frames, size);
  const gboolean is_done = play (pipeline, streams, n_streams);
  if (is_done)
    print_result (streams[0].yolov7);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  for (guint i = 0; i < n_streams; i++)
    stream_clear (&streams[i]);
  return is_done ? 0 : 1;
}
