/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-camera.c - examples/common/camera.c: a camera goes on after losses, and tells
 * of them. */
#include "examples/common/camera.h"

#include <gio/gio.h>
#include <string.h>

#include "tests/examples/cameracase.h"

static Camera *
start_camera (const char *source, Seen *seen, GError **error)
{
  return camera_case_start (source, &(Wishes){0}, seen, error);
}

static void
frames_come_with_detections (void)
{
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (Camera) camera = start_camera ("test:ball", &seen, &error);
  CameraCounters counters;

  g_assert_no_error (error);
  seen_wait_for_frames (&seen, 10);
  seen_wait_for_states (&seen, "playing ");
  while (!g_atomic_int_get (&seen.had_detections)) /* shaders may be compiled first */
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (seen.went_back);
  camera_get_counters (camera, &counters);
  g_assert_cmpint (counters.state, ==, CAMERA_PLAYING);
  g_assert_true (camera_has_signal (camera));
  g_assert_cmpuint (counters.n_frames, >=, 10);
  g_assert_cmpuint (counters.n_analysed, >=, 1);
  g_assert_cmpuint (counters.n_losses, ==, 0);
  g_assert_cmpuint (counters.latency_ns, >, 0);
  g_assert_cmpuint (counters.n_hanging, ==, 0);
  g_assert_cmpint (counters.since_us, <=, g_get_monotonic_time ());
}

static void
a_file_begins_again (void)
{
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  g_auto (Video) video = video_new ();
  g_autoptr (Camera) camera = start_camera (video.path, &seen, &error);

  g_assert_no_error (error);
  seen_wait_for_frames (&seen, 35);
  g_assert_false (seen.went_back);
  seen_assert_states (&seen, "playing ");
}

static void
size_and_codec_may_change (void)
{
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  g_auto (Video) video = video_new ();
  g_autofree char *other = g_build_filename (video.folder, "other", NULL);
  g_autoptr (Camera) camera = start_camera (video.path, &seen, &error);

  g_assert_no_error (error);
  video_write (other, 96, "videoconvert ! video/x-raw,format=YUY2");
  seen_wait_for_frames (&seen, 5);
  g_assert_cmpint (g_atomic_int_get (&seen.width), ==, 64);
  video_replace (&video, "other");
  while (g_atomic_int_get (&seen.width) != 96)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (seen.went_back);
  seen_assert_states (&seen, "playing ");
  camera_case_assert_counts (camera);
}

static void
a_picture_is_played_twice_a_second (void)
{
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  g_auto (Video) video = video_new ();
  g_autofree char *launch =
      g_strdup_printf ("videotestsrc num-buffers=1 ! jpegenc ! filesink location=%s", video.path);

  play_launch_line (launch);
  g_autoptr (Camera) camera = start_camera (video.path, &seen, &error);
  g_assert_no_error (error);
  seen_wait_for_frames (&seen, 1);
  const gint64 start_us = g_get_monotonic_time ();
  seen_wait_for_frames (&seen, g_atomic_int_get (&seen.n_frames) + 3);
  g_assert_cmpint (g_get_monotonic_time () - start_us, >, G_USEC_PER_SEC);
  seen_assert_states (&seen, "playing ");
}

static void
a_file_that_is_none_is_lost (void)
{
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  const char *root = g_getenv ("YV_SOURCE_ROOT");
  g_autofree char *path = g_build_filename (root, "README.md", NULL);
  g_autoptr (Camera) camera = start_camera (path, &seen, &error);

  g_assert_no_error (error);
  seen_wait_for_states (&seen, "lost connecting lost ");
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
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  g_autofree char *source =
      g_strdup_printf ("rtsp://user:s3cret@127.0.0.1:%u/s3cret", free_port ());
  g_autoptr (Camera) camera = start_camera (source, &seen, &error);
  CameraCounters counters;

  g_assert_no_error (error);
  seen_wait_for_states (&seen, "lost connecting lost ");
  g_assert_nonnull (strstr (seen.reason, "connect"));
  g_assert_null (strstr (seen.reason, "s3cret"));
  camera_get_counters (camera, &counters);
  g_assert_cmpint (counters.state, !=, CAMERA_PLAYING);
  g_assert_false (camera_has_signal (camera));
  g_assert_cmpuint (counters.n_losses, ==, 0); /* it never played */
}

static void
a_camera_stops_while_its_source_blocks (void)
{
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  const guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *source = g_strdup_printf ("rtsp://127.0.0.1:%u/x", port);
  Camera *camera = start_camera (source, &seen, &error);
  g_autoptr (GSocketConnection) peer = NULL;

  g_assert_no_error (error);
  peer = g_socket_listener_accept (listener, NULL, NULL, &error); /* it waits for our answer now */
  g_assert_no_error (error);
  camera_free (camera); /* meson's timeout would end a test that waits */
  seen_assert_states (&seen, "");
}

static void
zones_that_are_none_fail_the_start (void)
{
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  const char *root = g_getenv ("YV_SOURCE_ROOT");
  g_autofree char *more = g_strdup_printf (", yolov7tracker: {zones: \"%s/README.md\"}", root);

  g_assert_null (camera_case_start ("test:ball", &(Wishes){.more = more}, &seen, &error));
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "c.yaml:1: camera a: "));
  g_assert_nonnull (strstr (error->message, "README.md"));
}

static void
an_analysis_that_fails_starts_again (void)
{
  g_auto (Seen) seen = {0};
  g_autoptr (GError) error = NULL;
  g_autoptr (Camera) camera =
      camera_case_start ("test:ball", &(Wishes){.fails_after = 20}, &seen, &error);

  g_assert_no_error (error);
  seen_wait_for_states (&seen, "playing failed ");
  g_assert_nonnull (strstr (seen.reason, "it fails as it was asked to"));
  g_assert_false (camera_has_signal (camera));
  camera_case_assert_counts (camera);
  seen_wait_for_states (&seen, "playing failed connecting playing ");
  seen_wait_for_frames (&seen, g_atomic_int_get (&seen.n_frames) + 10);
  g_assert_false (seen.went_back);
  camera_case_assert_counts (camera);
}

#define N_MANY 16

static void
many_cameras_share_a_process (void)
{
  Seen seen[N_MANY] = {0};
  Camera *cameras[N_MANY];
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < N_MANY; i++) {
    cameras[i] = start_camera ("test:ball,width=64,height=48,framerate=10/1", &seen[i], &error);
    g_assert_no_error (error);
  }
  for (int i = 0; i < N_MANY; i++) {
    seen_wait_for_frames (&seen[i], 5);
    seen_assert_states (&seen[i], "playing ");
  }
  for (int i = 0; i < N_MANY; i++)
    camera_case_assert_counts (cameras[i]);
  for (int i = 0; i < N_MANY; i++)
    camera_stop (cameras[i]);
  for (int i = 0; i < N_MANY; i++) {
    camera_free (cameras[i]);
    seen_clear (&seen[i]);
  }
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
  g_test_add_func ("/camera/change", size_and_codec_may_change);
  g_test_add_func ("/camera/picture", a_picture_is_played_twice_a_second);
  g_test_add_func ("/camera/no-video", a_file_that_is_none_is_lost);
  g_test_add_func ("/camera/unreachable", an_unreachable_source_is_tried_again);
  g_test_add_func ("/camera/stop", a_camera_stops_while_its_source_blocks);
  g_test_add_func ("/camera/bad-zones", zones_that_are_none_fail_the_start);
  g_test_add_func ("/camera/fails", an_analysis_that_fails_starts_again);
  g_test_add_func ("/camera/many", many_cameras_share_a_process);
  return g_test_run ();
}
