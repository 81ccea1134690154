/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-posterror.c - gst/posterror.h: which message each failure of the engine becomes.
 */
#include <gst/gst.h>
#include <string.h>

#include "gst/posterror.h"

static GError *
take_error (GstBus *bus, char **debug)
{
  GError *posted = NULL;
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

  g_assert_nonnull (message);
  gst_message_parse_error (message, &posted, debug);
  return posted;
}

/* Posts it as an error and gives back what an application sees. */
static GError *
post (GError *error, char **debug)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (gst_bin_new (NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  GST_YOLOV7_POST_ERROR (element, "Could not test", error);
  gst_element_set_bus (element, NULL);
  return take_error (bus, debug);
}

/* @crop_x: of a GstVideoCropMeta of 32x24; 0: there is none */
static GError *
post_bad_frame (guint crop_x, char **debug)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (gst_bin_new (NULL));
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 100, NULL);
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 32, 24);
  if (crop_x > 0) {
    GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta (buffer);
    *crop = (GstVideoCropMeta){.meta = crop->meta, .x = crop_x, .width = 32, .height = 24};
  }
  gst_element_set_bus (element, bus);
  gst_yolov7_post_bad_frame (element, &info, buffer);
  gst_element_set_bus (element, NULL);
  return take_error (bus, debug);
}

static void
each_code_of_the_engine_has_its_own_message (void)
{
  const struct {
    YvError code;
    const char *name;
    GQuark domain;
    int gst_code;
  } rows[] = {
      {YV_ERROR_IO, "IO (0): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ},
      {YV_ERROR_MALFORMED, "MALFORMED (1): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
      {YV_ERROR_UNSUPPORTED, "UNSUPPORTED (2): ", GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE},
      {YV_ERROR_INVALID, "INVALID (3): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS},
      {YV_ERROR_NO_DEVICE, "NO_DEVICE (4): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
      {YV_ERROR_OUT_OF_MEMORY, "OUT_OF_MEMORY (5): ", GST_RESOURCE_ERROR,
       GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {YV_ERROR_DEVICE_LOST, "DEVICE_LOST (6): ", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *debug = NULL;
    g_autoptr (GError) posted =
        post (g_error_new (YV_ERROR, (int) rows[i].code, "best.pt: because"), &debug);
    g_assert_error (posted, rows[i].domain, rows[i].gst_code);
    g_assert_cmpstr (posted->message, ==, "Could not test: best.pt: because.");
    g_assert_nonnull (strstr (debug, rows[i].name));
  }
}

static void
other_errors_are_failures_too (void)
{
  g_autofree char *debug = NULL;
  g_autoptr (GError) posted =
      post (g_error_new (G_FILE_ERROR, G_FILE_ERROR_NOENT, "It is gone."), &debug);

  g_assert_error (posted, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED);
  g_assert_cmpstr (posted->message, ==, "Could not test: It is gone.");
  g_assert_nonnull (strstr (debug, "g-file-error-quark"));
}

static void
a_bad_frame_is_told_by_what_is_wrong_with_it (void)
{
  g_autofree char *debug = NULL, *crop_debug = NULL;
  g_autoptr (GError) small = post_bad_frame (0, &debug);
  g_autoptr (GError) crop = post_bad_frame (3, &crop_debug);

  g_assert_error (small, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_assert_cmpstr (small->message, ==,
                   "A buffer of 100 bytes does not hold the 32x24 I420 frame that the caps "
                   "promise. The element before this one is wrong about its caps or its "
                   "GstVideoMeta.");
  g_assert_error (crop, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_assert_cmpstr (crop->message, ==,
                   "A frame can't be used: its GstVideoCropMeta begins within a sample of chroma; "
                   "crop at even x and y.");
  g_assert_nonnull (strstr (crop_debug, "32x24 at 3, 0; I420 32x24 by the caps"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/posterror/codes", each_code_of_the_engine_has_its_own_message);
  g_test_add_func ("/posterror/others", other_errors_are_failures_too);
  g_test_add_func ("/posterror/frames", a_bad_frame_is_told_by_what_is_wrong_with_it);
  return g_test_run ();
}
