/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-camera.c - examples/common/camera.c: a camera goes on after losses, and tells
 * of them. */
#include "examples/common/camera.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "engine/error.h"

typedef struct {
  GMainLoop *loop;
  GString *states; /* "playing lost ..." */
  char *reason;    /* the last one */
  int n_frames;    /* atomic */
  bool had_detections, went_back;
  GstClockTime last_pts;
  guint n_states_wanted;
} Seen;

static void
see_frame (Camera *camera, GstSample *sample, gpointer user_data)
{
  Seen *seen = user_data;
  GstBuffer *buffer = gst_sample_get_buffer (sample);

  (void) camera;
  seen->had_detections |= gst_buffer_get_custom_meta (buffer, "GstYolov7Detections") != NULL;
  seen->went_back |= seen->last_pts != 0 && GST_BUFFER_PTS (buffer) <= seen->last_pts;
  seen->last_pts = GST_BUFFER_PTS (buffer);
  g_atomic_int_inc (&seen->n_frames);
  g_main_context_wakeup (NULL);
}

static void
see_state (Camera *camera, CameraState state, const char *reason, gpointer user_data)
{
  Seen *seen = user_data;

  (void) camera;
  g_string_append_printf (seen->states, "%s ", camera_state_name (state));
  g_test_message ("%s%s%s", camera_state_name (state), reason ? ": " : "", reason ? reason : "");
  if (!reason)
    return;
  g_free (seen->reason);
  seen->reason = g_strdup (reason);
}

static void
seen_clear (Seen *seen)
{
  g_string_free (seen->states, TRUE);
  g_free (seen->reason);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Seen, seen_clear)

/* @more: further lines of the camera */
static Camera *
start_camera (const char *source, const char *more, Seen *seen, GError **error)
{
  const char *root = g_getenv ("YV_SOURCE_ROOT");
  g_autofree char *text = g_strdup_printf ("{name: a, source: \"%s\", yolov7: {config-file: "
                                           "%s/tests/bench/quick.yaml, input-size: 64}%s}",
                                           source, root, more);
  const CameraCalls calls = {.frame = see_frame, .state = see_state, .user_data = seen};
  g_autoptr (YvYaml) tree = config_parse (text, strlen (text), "c.yaml", error);
  g_assert_nonnull (tree);
  g_autoptr (CameraConfig) config = camera_config_new ("c.yaml", tree, NULL, NULL, error);
  g_assert_nonnull (config);
  if (!camera_config_check (config, error))
    return NULL;
  g_autoptr (Camera) camera = camera_new (g_steal_pointer (&config), NULL, &calls, error);
  return camera && camera_start (camera, error) ? g_steal_pointer (&camera) : NULL;
}

static void
wait_for_frames (Seen *seen, int n_frames)
{
  while (g_atomic_int_get (&seen->n_frames) < n_frames)
    g_main_context_iteration (NULL, TRUE);
}

static void
wait_for_states (Seen *seen, const char *states)
{
  while (strlen (seen->states->str) < strlen (states))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (seen->states->str, ==, states);
}

static void
frames_come_with_detections (void)
{
  g_auto (Seen) seen = {.states = g_string_new (NULL)};
  g_autoptr (GError) error = NULL;
  g_autoptr (Camera) camera = start_camera ("test:ball", "", &seen, &error);
  CameraCounters counters;

  g_assert_no_error (error);
  wait_for_frames (&seen, 10);
  wait_for_states (&seen, "playing ");
  g_assert_true (seen.had_detections);
  g_assert_false (seen.went_back);
  camera_get_counters (camera, &counters);
  g_assert_cmpint (counters.state, ==, CAMERA_PLAYING);
  g_assert_true (camera_has_signal (camera));
  g_assert_cmpuint (counters.n_frames, >=, 10);
  g_assert_cmpuint (counters.n_analysed, >=, 1);
  g_assert_cmpuint (counters.n_losses, ==, 0);
  g_assert_cmpuint (counters.latency_ns, >, 0);
}

static void
play (const char *launch)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (launch, &error);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static void
a_file_begins_again (void)
{
  g_auto (Seen) seen = {.states = g_string_new (NULL)};
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("camera-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "ball.avi", NULL);
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=10 pattern=ball ! video/x-raw,width=64,height=48,framerate=25/1 ! "
      "jpegenc ! avimux ! filesink location=%s",
      path);

  play (launch);
  g_autoptr (Camera) camera = start_camera (path, "", &seen, &error);
  g_assert_no_error (error);
  wait_for_frames (&seen, 35);
  g_assert_false (seen.went_back);
  wait_for_states (&seen, "playing ");
  g_unlink (path);
  g_rmdir (folder);
}

static void
a_file_that_is_none_is_lost (void)
{
  g_auto (Seen) seen = {.states = g_string_new (NULL)};
  g_autoptr (GError) error = NULL;
  const char *root = g_getenv ("YV_SOURCE_ROOT");
  g_autofree char *path = g_build_filename (root, "README.md", NULL);
  g_autoptr (Camera) camera = start_camera (path, "", &seen, &error);

  g_assert_no_error (error);
  wait_for_states (&seen, "lost connecting lost ");
  g_assert_nonnull (seen.reason);
  g_assert_cmpint (g_atomic_int_get (&seen.n_frames), ==, 0);
}

/* Nobody listens there, but for us while we look for a free port. */
static guint16
free_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  const guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_socket_listener_close (listener);
  return port;
}

static void
an_unreachable_source_is_tried_again (void)
{
  g_auto (Seen) seen = {.states = g_string_new (NULL)};
  g_autoptr (GError) error = NULL;
  g_autofree char *source =
      g_strdup_printf ("rtsp://user:s3cret@127.0.0.1:%u/s3cret", free_port ());
  g_autoptr (Camera) camera = start_camera (source, "", &seen, &error);
  CameraCounters counters;

  g_assert_no_error (error);
  wait_for_states (&seen, "lost connecting lost ");
  g_assert_nonnull (strstr (seen.reason, "connect"));
  g_assert_null (strstr (seen.reason, "s3cret"));
  camera_get_counters (camera, &counters);
  g_assert_cmpint (counters.state, !=, CAMERA_PLAYING);
  g_assert_false (camera_has_signal (camera));
  g_assert_cmpuint (counters.n_losses, ==, 0); /* it never played */
}

/* A server that accepts connections, and never answers. */
static void
a_source_that_says_nothing_is_lost (void)
{
  g_auto (Seen) seen = {.states = g_string_new (NULL)};
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  const guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *source = g_strdup_printf ("rtsp://127.0.0.1:%u/x", port);
  g_autoptr (Camera) camera = start_camera (source, "", &seen, &error);

  g_assert_no_error (error);
  wait_for_states (&seen, "lost ");
  g_assert_cmpstr (seen.reason, ==, "no frame for 5 s");
}

static void
a_camera_stops_while_its_source_blocks (void)
{
  g_auto (Seen) seen = {.states = g_string_new (NULL)};
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  const guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *source = g_strdup_printf ("rtsp://127.0.0.1:%u/x", port);
  Camera *camera = start_camera (source, "", &seen, &error);
  g_autoptr (GSocketConnection) peer = NULL;

  g_assert_no_error (error);
  peer = g_socket_listener_accept (listener, NULL, NULL, &error); /* it waits for our answer now */
  g_assert_no_error (error);
  camera_free (camera); /* meson's timeout would end a test that waits */
  g_assert_cmpstr (seen.states->str, ==, "");
}

static void
zones_that_are_none_fail_the_start (void)
{
  g_auto (Seen) seen = {.states = g_string_new (NULL)};
  g_autoptr (GError) error = NULL;
  const char *root = g_getenv ("YV_SOURCE_ROOT");
  g_autofree char *more = g_strdup_printf (", yolov7tracker: {zones: \"%s/README.md\"}", root);

  g_assert_null (start_camera ("test:ball", more, &seen, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "c.yaml:1: camera a: "));
  g_assert_nonnull (strstr (error->message, "README.md"));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK |
                          G_LOG_LEVEL_CRITICAL); /* random weights are warned of */
  g_test_add_func ("/camera/frames", frames_come_with_detections);
  g_test_add_func ("/camera/file", a_file_begins_again);
  g_test_add_func ("/camera/no-video", a_file_that_is_none_is_lost);
  g_test_add_func ("/camera/unreachable", an_unreachable_source_is_tried_again);
  g_test_add_func ("/camera/silent", a_source_that_says_nothing_is_lost);
  g_test_add_func ("/camera/stop", a_camera_stops_while_its_source_blocks);
  g_test_add_func ("/camera/bad-zones", zones_that_are_none_fail_the_start);
  return g_test_run ();
}
