/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-cameralosses.c - examples/common/camera.c: losses that take their time, all
 * at once. */
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/examples/cameracase.h"

typedef struct {
  Seen seen;
  Camera *camera;
  gint64 begun_us; /* monotonic */
  Video video;
  char *fifo;
} SlowCase;

/* Some have no video. */
static SlowCase hanging, stopped, failing, stuck, silent;

static void
begin (SlowCase *slow, const char *source, const Wishes *wishes)
{
  g_autoptr (GError) error = NULL;

  slow->begun_us = g_get_monotonic_time ();
  slow->camera = camera_case_start (source, wishes, &slow->seen, &error);
  g_assert_no_error (error);
}

static void
begin_with_video (SlowCase *slow)
{
  slow->video = video_new ();
  slow->fifo = g_build_filename (slow->video.folder, "fifo", NULL);
  begin (slow, slow->video.path, &(Wishes){0});
}

#define SLOW_BALL "test:ball,width=64,height=48,framerate=5/1"

/* Its model is gone when it starts again, after more than 10 s. */
static void
begin_to_fail (void)
{
  const char *root = g_getenv ("YV_SOURCE_ROOT");
  g_autofree char *quick = g_build_filename (root, "tests/bench/quick.yaml", NULL);
  g_autofree char *folder = g_dir_make_tmp ("camera-XXXXXX", NULL);
  g_autofree char *model = g_build_filename (folder, "model.yaml", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (quick, &text, NULL, NULL));
  g_assert_true (g_file_set_contents (model, text, -1, NULL));
  begin (&failing, SLOW_BALL, &(Wishes){.model = model, .fails_after = 55});
  g_unlink (model);
  g_rmdir (folder);
}

static GSocketListener *
begin_in_silence (void)
{
  GSocketListener *listener = g_socket_listener_new ();
  const guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *source = g_strdup_printf ("rtsp://127.0.0.1:%u/x", port);

  begin (&silent, source, &(Wishes){0});
  return listener;
}

/* Whoever opens its source next waits until somebody writes. */
static void
make_it_hang (const SlowCase *slow)
{
  g_autofree char *other = g_build_filename (slow->video.folder, "other", NULL);

  g_assert_cmpint (mkfifo (slow->fifo, 0600), ==, 0);
  g_assert_cmpint (link (slow->fifo, other), ==, 0);
  video_replace (&slow->video, "other");
}

static bool
somebody_reads (const SlowCase *slow)
{
  const int fd = g_open (slow->fifo, O_WRONLY | O_NONBLOCK, 0);

  if (fd >= 0)
    g_close (fd, NULL);
  return fd >= 0;
}

static guint
n_hanging (const SlowCase *slow)
{
  CameraCounters counters;

  camera_get_counters (slow->camera, &counters);
  return counters.n_hanging;
}

static void
a_source_that_hangs_is_left_behind (void)
{
  g_autofree char *other = g_build_filename (hanging.video.folder, "other", NULL);

  seen_wait_for_states (&hanging.seen, "playing ");
  make_it_hang (&hanging);
  seen_wait_for_states (&stopped.seen, "playing ");
  make_it_hang (&stopped);
  seen_wait_for_states (&hanging.seen, "playing lost ");
  g_assert_cmpstr (hanging.seen.reason, ==, "no frame for 5 s");
  video_write (other, 64, "jpegenc");
  video_replace (&hanging.video, "other");
  seen_wait_for_states (&hanging.seen, "playing lost connecting playing ");
  g_assert_cmpuint (n_hanging (&hanging), ==, 1);
  g_assert_true (somebody_reads (&hanging)); /* which is what it waited for */
  while (n_hanging (&hanging) > 0)
    g_main_context_iteration (NULL, TRUE);
  seen_assert_states (&hanging.seen, "playing lost connecting playing ");
  seen_wait_for_states (&stopped.seen, "playing lost ");
  camera_stop (stopped.camera);
}

/* meson's timeout would end a test that waits. What comes back later finds nothing of the camera.
 */
static void
a_camera_ends_though_its_source_hangs (void)
{
  g_clear_pointer (&stopped.camera, camera_free);
  g_assert_true (somebody_reads (&stopped));
  while (somebody_reads (&stopped))
    g_usleep (1000);
}

/* The first failure is after 54 intervals of 0.2 s at least, then the delays are at least 3/4 of 1,
 * 2, 4. */
static void
delays_grow_while_an_analysis_cannot_start (void)
{
  seen_wait_for_states (&failing.seen, "playing failed connecting failed ");
  g_assert_nonnull (strstr (failing.seen.reason, "model.yaml"));
  seen_wait_for_states (&failing.seen,
                        "playing failed connecting failed connecting failed connecting failed ");
  g_assert_cmpint (g_get_monotonic_time () - failing.begun_us, >=, 16 * G_USEC_PER_SEC);
  camera_case_assert_counts (failing.camera);
}

static void
an_analysis_that_gives_nothing_has_failed (void)
{
  seen_wait_for_states (&stuck.seen, "playing failed ");
  g_assert_nonnull (strstr (stuck.seen.reason, "none has left the analysis"));
  g_assert_cmpint (g_atomic_int_get (&stuck.seen.n_frames), ==, 0);
}

/* A server that accepts connections, and never answers. */
static void
a_source_that_says_nothing_is_lost (void)
{
  seen_wait_for_states (&silent.seen, "lost ");
  g_assert_cmpstr (silent.seen.reason, ==, "no frame for 5 s");
}

static void
end_slow_case (SlowCase *slow)
{
  camera_free (slow->camera);
  seen_clear (&slow->seen);
  if (!slow->fifo)
    return;
  g_unlink (slow->fifo);
  g_free (slow->fifo);
  video_clear (&slow->video);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK |
                          G_LOG_LEVEL_CRITICAL); /* random weights are warned of */
  begin_to_fail ();
  begin (&stuck, SLOW_BALL, &(Wishes){.also = "identity drop-probability=1"});
  g_autoptr (GSocketListener) listener = begin_in_silence ();
  begin_with_video (&hanging);
  begin_with_video (&stopped);
  g_test_add_func ("/camera/hangs", a_source_that_hangs_is_left_behind);
  g_test_add_func ("/camera/silent", a_source_that_says_nothing_is_lost);
  g_test_add_func ("/camera/delays", delays_grow_while_an_analysis_cannot_start);
  g_test_add_func ("/camera/stuck", an_analysis_that_gives_nothing_has_failed);
  g_test_add_func ("/camera/hangs-and-ends", a_camera_ends_though_its_source_hangs);
  const int result = g_test_run ();
  end_slow_case (&hanging);
  end_slow_case (&stopped);
  end_slow_case (&failing);
  end_slow_case (&stuck);
  end_slow_case (&silent);
  return result;
}
