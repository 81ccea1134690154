/* SPDX-License-Identifier: LGPL-2.1-or-later
 * embed-appsink.c - a pipeline inside a program, which reads what was found from the samples that
 * come out.
 *
 *   make && ./embed-appsink 'filesrc location=street.mp4 ! decodebin ! videoconvert ! yolov7
 *     model-file=best.pt ! yolov7tracker'               prints a line for each object:
 *   0.320 person 0.961 at 643.758,236.315 40.633x91.735 id 3
 *
 * Built with pkg-config's gst-yolov7 and GStreamer's own (see Makefile). The launch line ends with
 * an element of ours, or any that keeps metadata; the program adds an appsink. Where the plugin is
 * in no folder that GStreamer knows: GST_PLUGIN_PATH=$(pkg-config --variable=pluginsdir gst-yolov7)
 *
 * Samples are read on the streaming thread, as they come, and messages on the main thread, which
 * waits for them meanwhile. SIGINT and SIGTERM end the stream, so that what elements hold back
 * still comes out; a second one ends the program. Exit status: 0 at the end of the stream, 1 where
 * something failed, 2 for wrong arguments. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib-unix.h>
#include <gst/app/gstappsink.h>
#include <yolov7/detectionmeta.h>

static void
print_detection (GstClockTime pts, const GstYolov7Detection *d)
{
  printf ("%.3f %s %.3f at %.3f,%.3f %.3fx%.3f",
          GST_CLOCK_TIME_IS_VALID (pts) ? (double) pts / GST_SECOND : -1,
          d->label ? d->label : "object", d->confidence, d->x, d->y, d->w, d->h);
  if (d->id >= 0)
    printf (" id %" G_GINT64_FORMAT, d->id);
  if (d->predicted)
    printf (" predicted");
  printf ("\n");
}

/* Labels belong to the buffer: what is kept for longer than the sample is copied. */
static GstFlowReturn
read_sample (GstAppSink *appsink, gpointer user_data)
{
  GArray *found = user_data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (appsink);

  if (!sample)
    return GST_FLOW_EOS;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  const GstClockTime pts = gst_yolov7_detections_frame_pts (buffer);
  /* FALSE: nobody analysed this frame, which is another thing than an empty one. */
  if (!gst_yolov7_detections_read (buffer, found))
    return GST_FLOW_OK;
  for (guint i = 0; i < found->len; i++)
    print_detection (pts, &g_array_index (found, GstYolov7Detection, i));
  if (fflush (stdout) != 0) { /* whoever reads along waits for no block to be full */
    GST_ELEMENT_ERROR (appsink, RESOURCE, WRITE, ("stdout: %s", g_strerror (errno)), (NULL));
    return GST_FLOW_ERROR;
  }
  return GST_FLOW_OK;
}

/* Returns: (transfer full) (nullable) */
static GstElement *
make_pipeline (const char *line, GArray *found, GError **error)
{
  /* As fast as frames are analysed; a live source sets its own pace. */
  g_autofree char *whole = g_strdup_printf ("%s ! appsink name=out sync=false", line);
  /* A line that is only mended, such as one with a property that is not there, is no success. */
  GstElement *pipeline = gst_parse_launch_full (whole, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!pipeline)
    return NULL;
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  GstAppSinkCallbacks callbacks = {.new_sample = read_sample};
  gst_app_sink_set_callbacks (GST_APP_SINK (out), &callbacks, found, NULL);
  return pipeline;
}

static gboolean
end_stream (gpointer pipeline)
{
  gst_element_send_event (pipeline, gst_event_new_eos ());
  return G_SOURCE_REMOVE;
}

/* A pipeline that plays. */
typedef struct {
  GMainLoop *loop;
  GError *error; /* the first, which is why it came to no end; NULL else */
} Playing;

static gboolean
read_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Playing *playing = user_data;
  g_autofree char *details = NULL; /* such as the name of a file */
  g_autoptr (GError) found = NULL;

  (void) bus;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    g_main_loop_quit (playing->loop);
  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR || playing->error)
    return G_SOURCE_CONTINUE;
  gst_message_parse_error (message, &found, &details);
  g_set_error (&playing->error, found->domain, found->code, "%s: %s\n%s",
               GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), found->message, details ? details : "");
  g_main_loop_quit (playing->loop);
  return G_SOURCE_CONTINUE;
}

/* Returns: whether it came to its end; else @error says why not. */
static gboolean
play (GstElement *pipeline, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Playing playing = {.loop = loop};

  gst_bus_add_watch (bus, read_message, &playing);
  g_unix_signal_add (SIGINT, end_stream, pipeline);
  g_unix_signal_add (SIGTERM, end_stream, pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING); /* where it fails the bus says why */
  g_main_loop_run (loop);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  if (!playing.error)
    return TRUE;
  g_propagate_error (error, playing.error);
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  gst_init (&argc, &argv);
  if (argc != 2) {
    fprintf (stderr, "usage: embed-appsink 'SOURCE ! ... ! yolov7 model-file=MODEL'\n");
    return 2;
  }
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  g_autoptr (GstElement) pipeline = make_pipeline (argv[1], found, &error);
  if (!pipeline || !play (pipeline, &error)) {
    fprintf (stderr, "embed-appsink: %s\n", error->message);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
