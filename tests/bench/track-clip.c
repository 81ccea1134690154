/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/bench/track-clip.c - what yolov7 ! yolov7tracker tell of each frame of a clip, in
 * MOTChallenge's text form: frame,id,x,y,w,h,confidence,-1,-1,-1, frames from 1 on.
 *
 * usage: track-clip MODEL CLIP */
#include <gst/gst.h>

#include "gst/detectionmeta.h"

typedef struct {
  guint frame;
  GArray *found; /* of GstYolov7Detection */
} Told;

static GstPadProbeReturn
tell_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Told *told = data;
  (void) pad;

  told->frame++;
  gst_yolov7_detections_read (GST_PAD_PROBE_INFO_BUFFER (info), told->found);
  for (guint i = 0; i < told->found->len; i++) {
    const GstYolov7Detection *d = &g_array_index (told->found, GstYolov7Detection, i);
    if (d->id >= 0)
      g_print ("%u,%" G_GINT64_FORMAT ",%.3f,%.3f,%.3f,%.3f,%.4f,-1,-1,-1\n", told->frame, d->id,
               d->x, d->y, d->w, d->h, d->confidence);
  }
  return GST_PAD_PROBE_OK;
}

static int
play (GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GError) error = NULL;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) last =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  if (GST_MESSAGE_TYPE (last) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (last, &error, NULL);
    g_printerr ("track-clip: %s\n", error->message);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return error ? 1 : 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Told told = {0};

  gst_init (&argc, &argv);
  if (argc != 3) {
    g_printerr ("usage: track-clip MODEL CLIP\n");
    return 2;
  }
  g_autofree char *launch =
      g_strdup_printf ("filesrc location=\"%s\" ! decodebin ! videoconvert ! yolov7 "
                       "model-file=\"%s\" input-size=640 ! yolov7tracker name=tracker ! fakesink",
                       argv[2], argv[1]);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, &error);
  if (!pipeline) {
    g_printerr ("track-clip: %s\n", error->message);
    return 1;
  }
  g_autoptr (GstElement) tracker = gst_bin_get_by_name (GST_BIN (pipeline), "tracker");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (tracker, "src");
  told.found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, tell_frame, &told, NULL);
  const int status = play (pipeline);
  g_array_unref (told.found);
  return status;
}
