/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/rtsp-watch.c - a client for tests: plays a URI through rtspsrc, and writes a line
 * for each frame: "NOW_MS CODE_MS" of the monotonic clock; CODE_MS is "-" where the picture has no
 * time that can be read (barcode.h). An error, or the end, ends it with status 1.
 * usage: rtsp-watch URI tcp|udp
 */
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>

#include "tests/examples/barcode.h"

static GstFlowReturn
read_time (GstAppSink *sink, gpointer unused)
{
  const uint32_t now_ms = barcode_now_ms ();
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  GstVideoInfo video;
  GstVideoFrame frame;
  uint32_t ms;

  (void) unused;
  if (!sample)
    return GST_FLOW_EOS;
  g_assert_true (gst_video_info_from_caps (&video, gst_sample_get_caps (sample)));
  g_assert_true (
      gst_video_frame_map (&frame, &video, gst_sample_get_buffer (sample), GST_MAP_READ));
  if (barcode_read (GST_VIDEO_FRAME_PLANE_DATA (&frame, 0), (uint32_t) video.width,
                    (uint32_t) video.height, (uint32_t) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
                    &ms))
    printf ("%u %u\n", now_ms, ms);
  else
    printf ("%u -\n", now_ms);
  fflush (stdout);
  gst_video_frame_unmap (&frame);
  return GST_FLOW_OK;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  gst_init (&argc, &argv);
  if (argc != 3)
    return 2;
  g_autofree char *launch = g_strdup_printf (
      "rtspsrc location=\"%s\" protocols=%s latency=0 ! rtph264depay ! h264parse ! avdec_h264 "
      "! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=frames sync=false",
      argv[1], argv[2]);
  GstElement *pipeline = gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!pipeline) {
    g_printerr ("%s\n", error->message);
    return 2;
  }
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "frames");
  GstAppSinkCallbacks calls = {.new_sample = read_time};
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &calls, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);

  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s\n", error->message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return 1;
}
