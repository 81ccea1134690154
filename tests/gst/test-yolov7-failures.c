/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-yolov7-failures.c - what the element yolov7 posts where something is wrong: once,
 * with a message that helps. */
#include <glib/gstdio.h>

#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/common/wrongsum.h"
#include "tests/gst/detector.h"
#include "tests/gst/frames.h"

static void
a_checkpoint_of_wrong_checksums_is_a_warning (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yolov7-XXXXXX", NULL);
  g_autofree char *good = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *path = yv_test_write_wrong_sum (good, folder);
  GstElement *yolov7 = gst_element_factory_make ("yolov7", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  g_object_set (yolov7, "model-file", path, "device", "reference", NULL);
  gst_element_set_bus (yolov7, bus);
  g_assert_cmpint (gst_element_set_state (yolov7, GST_STATE_PAUSED), !=, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_nonnull (strstr (error->message, "checksum"));
  gst_element_set_state (yolov7, GST_STATE_NULL);
  gst_element_set_bus (yolov7, NULL);
  gst_object_unref (gst_object_ref_sink (yolov7));
  g_remove (path);
  g_rmdir (folder);
}

static void
a_buffer_that_is_no_frame_is_an_error_with_a_message (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstCaps) caps = yv_test_caps ("NV12", 64, 48);
  GstHarness *h = detector_new ("input-size=64");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  set_caps (h, caps);
  gst_element_set_bus (yolov7, bus);
  GstBuffer *frame = gst_buffer_new_allocate (NULL, 64 * 48, NULL);
  g_assert_cmpint (gst_harness_push (h, frame), ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "64x48 NV12"));
  gst_element_set_bus (yolov7, NULL);
  gst_harness_teardown (h);
}

static void
video_that_is_not_one_picture_a_buffer_is_refused_with_a_message (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const char *const refused[] = {
      "video/x-raw, format=I420, width=64, height=48, framerate=25/1, interlace-mode=fields",
      "video/x-raw, format=I420, width=64, height=48, framerate=25/1, multiview-mode=separated, "
      "views=2",
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    GstHarness *h = detector_new ("input-size=64");
    g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
    g_autoptr (GstBus) bus = gst_bus_new ();
    g_autoptr (GstCaps) caps = gst_caps_from_string (refused[i]);
    g_autoptr (GError) error = NULL;

    gst_element_set_bus (yolov7, bus);
    set_caps (h, caps);
    GstBuffer *frame = gst_buffer_new_allocate (NULL, 64 * 48 * 3, NULL);
    g_assert_cmpint (gst_harness_push (h, frame), ==, GST_FLOW_NOT_NEGOTIATED);
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    gst_message_parse_error (message, &error, NULL);
    g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
    gst_element_set_bus (yolov7, NULL);
    gst_harness_teardown (h);
  }
}

/* Plays until the source gives up, which is after all its tries. */
static guint
count_errors_of (const char *name, const char *launch)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean ended = FALSE;
  guint n = 0;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!ended) {
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
    n += g_str_equal (GST_MESSAGE_SRC_NAME (message), name);
    ended = g_str_equal (GST_MESSAGE_SRC_NAME (message), "source");
  }
  gst_element_set_state (pipeline, GST_STATE_READY); /* waits for the streaming thread */
  g_autoptr (GstMessage) message = NULL;
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    n += g_str_equal (GST_MESSAGE_SRC_NAME (message), name);
    g_clear_pointer (&message, gst_message_unref);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return n;
}

static void
video_that_is_refused_ends_the_pipeline_with_one_message (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const char *const refused[] = {
      "width=4000,height=8",
      "width=64,height=48,interlace-mode=fields",
  };
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autofree char *launch =
        g_strdup_printf ("videotestsrc name=source num-buffers=5 ! "
                         "video/x-raw,format=I420,framerate=25/1,%s ! yolov7 name=yolov7 "
                         "model-file=\"%s\" input-size=64 ! fakesink",
                         refused[i], model);
    g_assert_cmpuint (count_errors_of ("yolov7", launch), ==, 1);
  }
  g_assert_cmpuint (
      count_errors_of ("overlay",
                       "videotestsrc name=source num-buffers=5 ! video/x-raw,format=I420,width=64,"
                       "height=48,interlace-mode=fields ! yolov7overlay name=overlay ! fakesink"),
      ==, 1);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/yolov7/wrong-checksum", a_checkpoint_of_wrong_checksums_is_a_warning);
  g_test_add_func ("/yolov7/bad-frame", a_buffer_that_is_no_frame_is_an_error_with_a_message);
  g_test_add_func ("/yolov7/refused-video",
                   video_that_is_not_one_picture_a_buffer_is_refused_with_a_message);
  g_test_add_func ("/yolov7/one-message", video_that_is_refused_ends_the_pipeline_with_one_message);
  return g_test_run ();
}
