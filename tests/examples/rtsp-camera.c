/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/rtsp-camera.c - a camera for tests: an RTSP server on 127.0.0.1 whose picture has
 * the time in it (barcode.h). It is cut by ending or stopping the process.
 * usage: rtsp-camera PORT WIDTH HEIGHT RATE; prints its URI
 */
#include <gst/rtsp-server/rtsp-server.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/examples/barcode.h"

static GstPadProbeReturn
draw_time (GstPad *pad, GstPadProbeInfo *info, gpointer unused)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstBuffer *buffer = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GstVideoInfo video;
  GstVideoFrame frame;

  (void) unused;
  info->data = buffer;
  g_assert_true (gst_video_info_from_caps (&video, caps));
  g_assert_true (gst_video_frame_map (&frame, &video, buffer, GST_MAP_WRITE));
  barcode_draw (GST_VIDEO_FRAME_PLANE_DATA (&frame, 0), (uint32_t) GST_VIDEO_FRAME_WIDTH (&frame),
                (uint32_t) GST_VIDEO_FRAME_HEIGHT (&frame),
                (uint32_t) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0), barcode_now_ms ());
  gst_video_frame_unmap (&frame);
  return GST_PAD_PROBE_OK;
}

static void
add_time (GstRTSPMediaFactory *factory, GstRTSPMedia *media, gpointer unused)
{
  g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (bin), "frames");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (filter, "src");

  (void) factory;
  (void) unused;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, draw_time, NULL, NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  gst_init (&argc, &argv);
  if (argc != 5)
    return 2;

  g_autofree char *launch = g_strdup_printf (
      "( videotestsrc is-live=true pattern=ball ! capsfilter name=frames "
      "caps=video/x-raw,format=I420,width=%d,height=%d,framerate=%d/1 "
      "! x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max=25 "
      "! rtph264pay name=pay0 pt=96 config-interval=-1 aggregate-mode=zero-latency )",
      atoi (argv[2]), atoi (argv[3]), atoi (argv[4]));
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();
  gst_rtsp_media_factory_set_launch (factory, launch);
  gst_rtsp_media_factory_set_shared (factory, TRUE);
  g_signal_connect (factory, "media-configure", G_CALLBACK (add_time), NULL);

  GstRTSPServer *server = gst_rtsp_server_new ();
  g_autoptr (GstRTSPMountPoints) points = gst_rtsp_server_get_mount_points (server);
  gst_rtsp_mount_points_add_factory (points, "/clock", factory);
  gst_rtsp_server_set_address (server, "127.0.0.1");
  gst_rtsp_server_set_service (server, argv[1]);
  GSource *source = gst_rtsp_server_create_source (server, NULL, &error);
  if (!source) {
    g_printerr ("%s\n", error->message);
    return 1;
  }
  g_source_attach (source, NULL);
  g_print ("rtsp://127.0.0.1:%d/clock\n", gst_rtsp_server_get_bound_port (server));
  fflush (stdout);
  g_main_loop_run (g_main_loop_new (NULL, FALSE));
  return 0;
}
