/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-metrics.c - examples/common/metrics.c and encoder.c: texts that others read.
 */
#include "examples/common/metrics.h"

#include <string.h>

#include "examples/common/encoder.h"

static void
assert_sample (const char *value, const char *expected)
{
  GString *out = g_string_new (NULL);

  metrics_add (out, "x", 1.5, "camera", value, "state", "lost", NULL);
  g_assert_cmpstr (out->str, ==, expected);
  g_string_free (out, TRUE);
}

static void
values_of_labels_are_escaped (void)
{
  assert_sample ("street", "x{camera=\"street\",state=\"lost\"} 1.5\n");
  assert_sample ("a\"b", "x{camera=\"a\\\"b\",state=\"lost\"} 1.5\n");
  assert_sample ("a\\b", "x{camera=\"a\\\\b\",state=\"lost\"} 1.5\n");
  assert_sample ("a\nb 1", "x{camera=\"a\\nb 1\",state=\"lost\"} 1.5\n");
}

static void
a_family_has_a_head (void)
{
  GString *out = g_string_new (NULL);

  metrics_begin (out, "x_total", "counter", "What it is.");
  metrics_add (out, "x_total", 3, NULL);
  g_assert_cmpstr (out->str, ==, "# HELP x_total What it is.\n# TYPE x_total counter\nx_total 3\n");
  g_string_free (out, TRUE);
}

static void
no_cameras_are_no_samples (void)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  GString *out = g_string_new (NULL);

  metrics_add_cameras (out, none);
  g_assert_nonnull (strstr (out->str, "# TYPE yolov7_camera_up gauge\n"));
  g_assert_null (strstr (out->str, "\nyolov7"));
  g_string_free (out, TRUE);
}

static void
a_camera_that_does_not_run_is_down (void)
{
  const MetricsCamera cameras[] = {
      {.name = "a", .counters = {.state = CAMERA_PLAYING, .n_frames = 7}, .is_running = true},
      {.name = "b"},
  };
  GString *out = g_string_new (NULL);

  metrics_add_counted (out, cameras, G_N_ELEMENTS (cameras));
  g_assert_nonnull (strstr (out->str, "\nyolov7_camera_up{camera=\"a\"} 1\n"));
  g_assert_nonnull (strstr (out->str, "\nyolov7_camera_frames_total{camera=\"a\"} 7\n"));
  g_assert_nonnull (strstr (out->str, "{camera=\"a\",state=\"playing\"} "));
  const char *down = strstr (out->str, "camera=\"b\"");
  g_assert_nonnull (down);
  g_assert_true (g_str_has_prefix (down - strlen ("yolov7_camera_up{"), "yolov7_camera_up{"));
  g_assert_true (g_str_has_prefix (down, "camera=\"b\"} 0\n"));
  g_assert_null (strstr (down + 1, "camera=\"b\""));
  g_string_free (out, TRUE);
}

/* Plays 30 frames of this size through the encoder that was chosen. */
static void
encode (const char *caps, guint expected_width)
{
  g_autoptr (GError) error = NULL;
  const char *encoder = encoder_choose (NULL, &error);
  g_assert_no_error (error);
  g_autofree char *fragment = encoder_launch (encoder, 500, 10);
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=30 ! %s ! %s ! fakesink name=sink", caps, fragment);
  GstElement *pipeline = gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  g_assert_no_error (error);

  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  g_autoptr (GstCaps) found = gst_pad_get_current_caps (pad);
  const GstStructure *s = gst_caps_get_structure (found, 0);
  int width = 0;
  g_assert_cmpstr (gst_structure_get_string (s, "stream-format"), ==, "byte-stream");
  gst_structure_get_int (s, "width", &width);
  g_assert_cmpuint ((guint) width, ==, expected_width);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static void
any_size_is_encoded (void)
{
  encode ("video/x-raw,format=I420,width=320,height=240", 320);
  encode ("video/x-raw,format=NV12,width=320,height=240", 320);
  encode ("video/x-raw,format=BGRx,width=321,height=241", 320);
}

/* What a driver does with settings that it does not have, and with frames. */
static void
an_encoder_has_to_encode (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPlugin) plugin = gst_plugin_load_file (g_getenv ("YV_FAKE_ENCODER_PLUGIN"), &error);

  g_assert_no_error (error);
  const char *encoder = encoder_choose (NULL, &error);
  g_assert_cmpstr (encoder, ==, "vah264enc");
  g_autofree char *launch = encoder_launch (encoder, 500, 10);
  g_assert_nonnull (strstr (launch, "bitrate=\"500\""));
  g_assert_null (strstr (launch, "rate-control"));
  g_assert_null (strstr (launch, "key-int-max"));
  const char *next = encoder_choose (encoder, &error);
  g_assert_nonnull (next);
  g_assert_cmpstr (next, !=, encoder);

  g_setenv ("YV_FAKE_ENCODER", "frame", TRUE);
  g_assert_cmpstr (encoder_choose (NULL, &error), ==, next);
  g_unsetenv ("YV_FAKE_ENCODER");
}

static void
an_encoder_that_hangs_is_left_behind (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPlugin) plugin = gst_plugin_load_file (g_getenv ("YV_FAKE_ENCODER_PLUGIN"), &error);

  g_assert_no_error (error);
  g_assert_cmpstr (encoder_choose (NULL, &error), ==, "vah264enc");
  const char *next = encoder_choose ("vah264enc", &error);
  g_setenv ("YV_FAKE_ENCODER", "hang", TRUE);
  g_assert_cmpstr (encoder_choose (NULL, &error), ==, next); /* meson's timeout bounds it */
  g_unsetenv ("YV_FAKE_ENCODER");
}

static void
behind_the_last_there_is_none (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (encoder_choose ("openh264enc", &error));
  g_assert_nonnull (strstr (error->message, "apt-get install"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/escaped", values_of_labels_are_escaped);
  g_test_add_func ("/metrics/family", a_family_has_a_head);
  g_test_add_func ("/metrics/none", no_cameras_are_no_samples);
  g_test_add_func ("/metrics/down", a_camera_that_does_not_run_is_down);
  g_test_add_func ("/encoder/sizes", any_size_is_encoded);
  g_test_add_func ("/encoder/encodes", an_encoder_has_to_encode);
  g_test_add_func ("/encoder/hangs", an_encoder_that_hangs_is_left_behind);
  g_test_add_func ("/encoder/none", behind_the_last_there_is_none);
  return g_test_run ();
}
