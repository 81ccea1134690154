/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/cameracase.c - sees what a camera tells. */
#include "tests/examples/cameracase.h"

#include <glib/gstdio.h>
#include <string.h>

static void
see_frame (Camera *camera, GstSample *sample, gpointer user_data)
{
  Seen *seen = user_data;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  int width = 0;

  (void) camera;
  gst_structure_get_int (gst_caps_get_structure (gst_sample_get_caps (sample), 0), "width", &width);
  g_atomic_int_set (&seen->width, width);
  if (gst_buffer_get_custom_meta (buffer, "GstYolov7Detections"))
    g_atomic_int_set (&seen->had_detections, 1);
  seen->went_back |= seen->last_pts != 0 && GST_BUFFER_PTS (buffer) <= seen->last_pts;
  seen->last_pts = GST_BUFFER_PTS (buffer);
  g_atomic_int_inc (&seen->n_frames);
  g_main_context_wakeup (NULL);
}

/* As an element whose device is lost, once. */
static GstPadProbeReturn
fail_in_time (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Seen *seen = user_data;

  if (seen->has_failed || !g_atomic_int_get (&seen->had_detections) ||
      g_atomic_int_get (&seen->n_frames) < seen->fails_after)
    return GST_PAD_PROBE_OK;
  g_autoptr (GstElement) element = gst_pad_get_parent_element (pad);
  GST_ELEMENT_ERROR (element, STREAM, FAILED, ("it fails as it was asked to"), (NULL));
  seen->has_failed = true;
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_ERROR;
  return GST_PAD_PROBE_HANDLED;
}

static void
have_it_fail (Camera *camera, Seen *seen, int n_frames)
{
  g_autoptr (GstElement) tracker = camera_get_element (camera, "yolov7tracker");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (tracker, "src");

  seen->fails_after = n_frames;
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, fail_in_time, seen, NULL);
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

void
seen_clear (Seen *seen)
{
  g_string_free (seen->states, TRUE);
  g_free (seen->reason);
}

Camera *
camera_case_start (const char *source, const Wishes *wishes, Seen *seen, GError **error)
{
  const char *root = g_getenv ("YV_SOURCE_ROOT");
  g_autofree char *model = wishes->model ? g_strdup (wishes->model)
                                         : g_strdup_printf ("%s/tests/bench/quick.yaml", root);
  g_autofree char *text =
      g_strdup_printf ("{name: a, source: \"%s\", yolov7: {config-file: %s, input-size: 64}%s}",
                       source, model, wishes->more ? wishes->more : "");
  const CameraCalls calls = {.frame = see_frame, .state = see_state, .user_data = seen};
  const CameraOptions options = {.also = wishes->also};

  seen->states = g_string_new (NULL);
  g_autoptr (YvYaml) tree = config_parse (text, strlen (text), "c.yaml", error);
  g_assert_nonnull (tree);
  g_autoptr (CameraConfig) config = camera_config_new ("c.yaml", tree, NULL, NULL, error);
  g_assert_nonnull (config);
  if (!camera_config_check (config, error))
    return NULL;
  g_autoptr (Camera) camera = camera_new (g_steal_pointer (&config), &options, &calls, error);
  if (camera && wishes->fails_after)
    have_it_fail (camera, seen, wishes->fails_after);
  return camera && camera_start (camera, error) ? g_steal_pointer (&camera) : NULL;
}

void
seen_wait_for_frames (Seen *seen, int n_frames)
{
  while (g_atomic_int_get (&seen->n_frames) < n_frames)
    g_main_context_iteration (NULL, TRUE);
}

void
seen_wait_for_states (Seen *seen, const char *states)
{
  while (strlen (seen->states->str) < strlen (states))
    g_main_context_iteration (NULL, TRUE);
  g_autofree char *first = g_strndup (seen->states->str, strlen (states));
  g_assert_cmpstr (first, ==, states);
}

void
seen_assert_states (Seen *seen, const char *states)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (seen->states->str, ==, states);
}

void
camera_case_assert_counts (Camera *camera)
{
  CameraCounters counters;

  camera_get_counters (camera, &counters);
  while (counters.n_analysed == 0) { /* shaders may be compiled first */
    g_main_context_iteration (NULL, TRUE);
    camera_get_counters (camera, &counters);
  }
  g_assert_cmpuint (counters.n_analysed, <=, counters.n_frames);
}

void
play_launch_line (const char *launch)
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

void
video_write (const char *path, int width, const char *format)
{
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=10 pattern=ball ! video/x-raw,width=%d,height=48,framerate=25/1 ! "
      "%s ! avimux ! filesink location=%s",
      width, format, path);

  play_launch_line (launch);
}

Video
video_new (void)
{
  Video video = {.folder = g_dir_make_tmp ("camera-XXXXXX", NULL)};

  video.path = g_build_filename (video.folder, "ball.avi", NULL);
  video_write (video.path, 64, "jpegenc");
  return video;
}

void
video_clear (Video *video)
{
  g_unlink (video->path);
  g_assert_cmpint (g_rmdir (video->folder), ==, 0);
  g_free (video->path);
  g_free (video->folder);
}

void
video_replace (const Video *video, const char *other)
{
  g_autofree char *path = g_build_filename (video->folder, other, NULL);

  g_assert_cmpint (g_rename (path, video->path), ==, 0);
}
