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
 * sleeps meanwhile. Exit status: 0 at the end of the stream, 1 where something failed, 2 for wrong
 * arguments. */
#include <stdio.h>
#include <stdlib.h>

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

/* Returns: whether it came to its end; else @error says why not. */
static gboolean
play (GstElement *pipeline, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_element_set_state (pipeline, GST_STATE_PLAYING); /* where it fails the bus says why */
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return TRUE;

  g_autofree char *details = NULL; /* such as the name of a file */
  g_autoptr (GError) found = NULL;
  gst_message_parse_error (message, &found, &details);
  g_set_error (error, found->domain, found->code, "%s: %s\n%s",
               GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), found->message, details ? details : "");
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
