/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/web/test-stream.c - examples/web/stream.h and encoderinput.h: video of a camera
 * that a test plays, with times that it knows. */
#define _GNU_SOURCE /* memmem() */
#include "examples/web/stream.h"

#include <string.h>

#include "examples/common/encoder.h"

#define FRAME_MS 40
#define TIMESCALE 90000

/* A camera of moving grey, whose frames have the times at which they are made, in whole
 * milliseconds. */
typedef struct {
  GstClock *clock;
  GstClockTime base_time;
  EncoderInput *input;
  Stream *stream;
  int width, height;
  GstClockTime shift; /* by which its times are too small */
  bool is_silent;
  bool is_broken;
  bool is_noise;     /* no picture is like the one before */
  bool was_late;     /* for so long that a picture was repeated, at a time that is not ours */
  GstClockTime last; /* when a frame was made */
  guint timer, n_frames;
} Scene;

static GstSample *
make_sample (Scene *scene, GstClockTime pts)
{
  const gsize n_bytes = (gsize) (scene->width * scene->height * 3 / 2);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, n_bytes, NULL);
  g_autoptr (GstCaps) caps = gst_caps_new_simple (
      "video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, scene->width, "height",
      G_TYPE_INT, scene->height, "framerate", GST_TYPE_FRACTION, 25, 1, NULL);

  gst_buffer_memset (buffer, 0, (guint8) (16 + scene->n_frames++ % 200), n_bytes);
  for (gsize i = 0; scene->is_noise && i < n_bytes; i += sizeof (guint32)) {
    const guint32 noise = g_test_rand_int ();
    gst_buffer_fill (buffer, i, &noise, sizeof noise);
  }
  GST_BUFFER_PTS (buffer) = pts;
  if (scene->is_broken)
    gst_buffer_set_size (buffer, 16);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static gboolean
on_frame (gpointer user_data)
{
  Scene *scene = user_data;
  const GstClockTime now = gst_clock_get_time (scene->clock) - scene->base_time;

  if (scene->is_silent)
    return G_SOURCE_CONTINUE;
  scene->was_late |= scene->n_frames > 0 && now - scene->last >= GST_SECOND;
  scene->last = now;
  g_autoptr (GstSample) sample =
      make_sample (scene, now / GST_MSECOND * GST_MSECOND - scene->shift);
  encoder_input_give (scene->input, sample);
  return G_SOURCE_CONTINUE;
}

static void
scene_begin_limited (Scene *scene, const char *encoder, guint linger_s, StreamLimit *limit)
{
  *scene = (Scene){.clock = gst_system_clock_obtain (), .width = 64, .height = 48};
  scene->base_time = gst_clock_get_time (scene->clock) - 100 * GST_SECOND;
  scene->input = encoder_input_new (scene->clock);
  const StreamOptions options = {
      .name = "scene",
      .encoder = encoder,
      .bitrate_kbps = 200,
      .linger_s = linger_s,
      .run = "run",
      .clock = scene->clock,
      .base_time = scene->base_time,
      .limit = limit,
  };
  scene->stream = stream_new (scene->input, &options);
  scene->timer = g_timeout_add (FRAME_MS, on_frame, scene);
}

static void
scene_begin (Scene *scene, const char *encoder, guint linger_s)
{
  scene_begin_limited (scene, encoder, linger_s, NULL);
}

static void
scene_end (Scene *scene)
{
  g_source_remove (scene->timer);
  stream_free (scene->stream);
  encoder_input_free (scene->input);
  gst_object_unref (scene->clock);
}

static const char *
find_encoder (void)
{
  g_autoptr (GError) error = NULL;
  const char *encoder = encoder_choose (NULL, &error);

  g_assert_no_error (error);
  return encoder;
}

static StreamCounters
counters_of (Scene *scene)
{
  StreamCounters counters;

  stream_get_counters (scene->stream, &counters);
  return counters;
}

/* Watches until so many segments more were made, and @part is in the playlist. Returns: that */
static char *
watch (Scene *scene, guint n_segments, const char *part)
{
  const guint64 wanted = counters_of (scene).n_segments + n_segments;

  for (;;) {
    GString *text = g_string_new (NULL);
    const bool is_ready = stream_watch (scene->stream, text);
    g_assert_cmpint (is_ready, ==, text->len > 0);
    if (counters_of (scene).n_segments >= wanted && strstr (text->str, part))
      return g_string_free (text, FALSE);
    g_string_free (text, TRUE);
    g_main_context_iteration (NULL, TRUE);
  }
}

/* The media time of a segment, by its tfdt. */
static guint64
time_of (Scene *scene, const char *name)
{
  g_autoptr (GBytes) bytes = stream_get (scene->stream, name);
  gsize n;

  g_assert_nonnull (bytes);
  const guint8 *at = g_bytes_get_data (bytes, &n);
  const guint8 *tfdt = memmem (at, n, "tfdt", 4);
  g_assert_nonnull (tfdt);
  g_assert_cmpuint (tfdt[4], ==, 1);
  guint64 time;
  memcpy (&time, tfdt + 8, sizeof time);
  return GUINT64_FROM_BE (time);
}

static guint
n_moofs (Scene *scene, const char *name)
{
  g_autoptr (GBytes) bytes = stream_get (scene->stream, name);
  gsize n;
  const guint8 *at = g_bytes_get_data (bytes, &n);
  const guint8 *end = at + n;
  guint n_found = 0;

  while ((at = memmem (at, (gsize) (end - at), "moof", 4))) {
    n_found++;
    at += 4;
  }
  return n_found;
}

/* Those that are listed, each later than the one before. */
static guint
check_times (Scene *scene, const char *playlist)
{
  g_auto (GStrv) lines = g_strsplit (playlist, "\n", -1);
  guint64 last = 0;
  guint n = 0;

  for (guint i = 0; lines[i]; i++) {
    if (!g_str_has_suffix (lines[i], ".m4s"))
      continue;
    const guint64 time = time_of (scene, lines[i]);
    /* A key frame is asked for with the first frame of each second. */
    g_assert_cmpuint (time / TIMESCALE, >, last / TIMESCALE);
    /* That of a frame: a whole number of ms, and for our base time beyond 100 s. */
    if (!scene->was_late)
      g_assert_cmpuint (time % (TIMESCALE / 1000), ==, 0);
    g_assert_cmpuint (time, >=, 100 * TIMESCALE);
    last = time;
    n++;
  }
  return n;
}

static void
media_time_is_the_time_of_frames (void)
{
  Scene scene;

  scene_begin (&scene, find_encoder (), 60);
  g_assert_false (counters_of (&scene).is_running); /* nobody has asked */
  g_autofree char *playlist = watch (&scene, 3, "m4s");
  g_assert_cmpuint (check_times (&scene, playlist), >=, 3);
  scene_end (&scene);
}

/* Encoders like to make a key frame of each. */
static void
pictures_that_change_at_once_are_cut_by_seconds_too (void)
{
  Scene scene;

  scene_begin (&scene, find_encoder (), 60);
  scene.is_noise = true;
  g_autofree char *playlist = watch (&scene, 3, "m4s");
  g_assert_cmpuint (check_times (&scene, playlist), >=, 3);
  scene_end (&scene);
}

static void
what_an_encoder_makes_of_itself_is_joined (void)
{
  Scene scene;

  if (!gst_registry_check_feature_version (gst_registry_get (), "x264enc", 1, 0, 0)) {
    g_test_skip ("there is no x264enc");
    return;
  }
  /* A text that is in no table of ours gets no settings: a key frame every 280 ms. */
  scene_begin (&scene, "x264enc tune=zerolatency key-int-max=7", 60);
  g_autofree char *playlist = watch (&scene, 2, "m4s");
  g_assert_cmpuint (check_times (&scene, playlist), >=, 2);
  g_assert_cmpuint (n_moofs (&scene, "run-1.m4s"), >, 1);
  scene_end (&scene);
}

static void
another_size_is_another_beginning (void)
{
  Scene scene;

  scene_begin (&scene, find_encoder (), 60);
  g_autofree char *before = watch (&scene, 2, "run-0.mp4");
  scene.width = 96;
  scene.height = 64;
  g_autofree char *after = watch (&scene, 1, "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"run-1.mp4\"");
  check_times (&scene, after);
  g_assert_cmpuint (counters_of (&scene).n_failures, ==, 0);
  scene_end (&scene);
}

/* Where this thread waits for its turn it may have rested in between: no number is certain. */
static char *
first_segment (const char *playlist)
{
  g_auto (GStrv) lines = g_strsplit (playlist, "\n", -1);
  guint i = 0;

  while (!g_str_has_suffix (lines[i], ".m4s"))
    i++;
  return g_strdup (lines[i]);
}

static void
it_rests_when_nobody_watches (void)
{
  Scene scene;

  scene_begin (&scene, find_encoder (), 1);
  g_autofree char *before = watch (&scene, 2, "m4s");
  g_autofree char *name = first_segment (before);
  while (counters_of (&scene).is_running)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (stream_get (scene.stream, name));
  g_autofree char *after = watch (&scene, 1, "m4s");
  g_assert_null (strstr (after, name));
  check_times (&scene, after);
  scene_end (&scene);
}

static void
a_silent_camera_shows_its_last_picture (void)
{
  Scene scene;

  scene_begin (&scene, find_encoder (), 60);
  g_autofree char *before = watch (&scene, 2, "m4s");
  g_assert_cmpuint (encoder_input_interval (scene.input), >=, FRAME_MS * GST_MSECOND / 2);
  scene.is_silent = true;
  g_autofree char *silent = watch (&scene, 2, "m4s");
  /* Back, but with frames that are older than what was repeated: these are left out. */
  scene.shift = 2 * GST_SECOND;
  scene.is_silent = false;
  g_autofree char *after = watch (&scene, 2, "m4s");
  g_assert_null (strstr (after, "DISCONTINUITY\n"));
  scene_end (&scene);
}

static void
without_frames_there_is_no_video (void)
{
  Scene scene;
  GString *text = g_string_new (NULL);

  scene_begin (&scene, find_encoder (), 60);
  scene.is_silent = true;
  g_assert_false (stream_watch (scene.stream, text));
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (stream_watch (scene.stream, text));
  g_assert_cmpuint (text->len, ==, 0);
  scene_end (&scene);
  g_string_free (text, TRUE);
}

static void
assert_fails_with (Scene *scene, const char *part)
{
  const char *failure = stream_failure (scene->stream);

  if (!failure || !strstr (failure, part))
    g_error ("\"%s\" is not in \"%s\"", part, failure);
}

static void
more_than_may_be_are_refused (void)
{
  Scene one, other;
  StreamLimit limit = {.most = 1};
  GString *text = g_string_new (NULL);

  scene_begin_limited (&one, find_encoder (), 60, &limit);
  scene_begin_limited (&other, find_encoder (), 60, &limit);
  g_autofree char *playlist = watch (&one, 1, "m4s");
  g_assert_false (stream_watch (other.stream, text));
  assert_fails_with (&other, "as many cameras are watched as max-encoders allows (1)");
  g_assert_cmpuint (counters_of (&other).n_failures, ==, 0);
  g_assert_null (stream_failure (one.stream));
  /* Nobody asks for it any more, long before it is to end. */
  g_autofree char *later = watch (&other, 1, "m4s");
  g_assert_null (stream_failure (other.stream));
  g_assert_false (counters_of (&one).is_running);
  scene_end (&one);
  scene_end (&other);
  g_assert_true (g_queue_is_empty (&limit.running));
  g_string_free (text, TRUE);
}

/* It is said once, not tried again at once, and forgotten when nobody watches. */
static void
an_encoder_that_fails_is_told (void)
{
  Scene scene;
  GString *text = g_string_new (NULL);

  scene_begin (&scene, "no-such-encoder", 1);
  for (guint i = 0; i < 3; i++)
    g_assert_false (stream_watch (scene.stream, text));
  g_assert_cmpuint (counters_of (&scene).n_failures, ==, 1);
  g_assert_false (counters_of (&scene).is_running);
  assert_fails_with (&scene, "the video can't be encoded: no element \"no-such-encoder\"");
  while (stream_failure (scene.stream))
    g_main_context_iteration (NULL, TRUE);
  scene_end (&scene);
  g_string_free (text, TRUE);
}

/* A frame that is shorter than its caps say. */
static void
an_encoder_that_ends_leaves_no_old_video (void)
{
  Scene scene;
  GString *text = g_string_new (NULL);

  scene_begin (&scene, find_encoder (), 60);
  g_autofree char *before = watch (&scene, 2, "m4s");
  scene.is_broken = true;
  while (counters_of (&scene).n_failures == 0)
    g_main_context_iteration (NULL, TRUE);
  scene.is_broken = false;
  assert_fails_with (&scene, "Internal data stream error. streaming stopped, reason error");
  g_assert_false (stream_watch (scene.stream, text));
  g_assert_cmpuint (text->len, ==, 0);
  g_assert_null (stream_get (scene.stream, "run-0.m4s"));
  /* Another try begins: what was is told no more, though there is no video yet. */
  while (!counters_of (&scene).is_running) {
    g_main_context_iteration (NULL, TRUE);
    g_assert_false (stream_watch (scene.stream, text));
  }
  g_assert_null (stream_failure (scene.stream));
  g_autofree char *after = watch (&scene, 1, "m4s");
  scene_end (&scene);
  g_string_free (text, TRUE);
}

/* It has a frame for a minute, which nobody waits for. */
static void
an_encoder_that_hangs_is_replaced (void)
{
  Scene scene;

  if (!gst_registry_check_feature_version (gst_registry_get (), "x264enc", 1, 0, 0)) {
    g_test_skip ("there is no x264enc");
    return;
  }
  scene_begin (&scene, "x264enc tune=zerolatency ! identity sleep-time=60000000", 60);
  g_autofree char *playlist = watch (&scene, 1, "m4s");
  check_times (&scene, playlist);
  g_assert_cmpuint (counters_of (&scene).n_failures, ==, 1);
  scene_end (&scene);
}

/* A device whose one session somebody else has. */
static void
an_encoder_that_fails_is_replaced (void)
{
  Scene scene;
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPlugin) plugin = gst_plugin_load_file (g_getenv ("YV_FAKE_ENCODER_PLUGIN"), &error);

  g_assert_no_error (error);
  g_setenv ("YV_FAKE_ENCODER", "second", TRUE);
  const char *encoder = find_encoder ();
  g_assert_cmpstr (encoder, ==, "vah264enc");
  scene_begin (&scene, encoder, 60);
  g_autofree char *playlist = watch (&scene, 1, "m4s");
  check_times (&scene, playlist);
  g_assert_cmpuint (counters_of (&scene).n_failures, ==, 1);
  scene_end (&scene);
  g_unsetenv ("YV_FAKE_ENCODER");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stream/media_time_is_the_time_of_frames", media_time_is_the_time_of_frames);
  g_test_add_func ("/stream/pictures_that_change_at_once_are_cut_by_seconds_too",
                   pictures_that_change_at_once_are_cut_by_seconds_too);
  g_test_add_func ("/stream/another_size_is_another_beginning", another_size_is_another_beginning);
  g_test_add_func ("/stream/it_rests_when_nobody_watches", it_rests_when_nobody_watches);
  g_test_add_func ("/stream/a_silent_camera_shows_its_last_picture",
                   a_silent_camera_shows_its_last_picture);
  g_test_add_func ("/stream/what_an_encoder_makes_of_itself_is_joined",
                   what_an_encoder_makes_of_itself_is_joined);
  g_test_add_func ("/stream/more_than_may_be_are_refused", more_than_may_be_are_refused);
  g_test_add_func ("/stream/without_frames_there_is_no_video", without_frames_there_is_no_video);
  g_test_add_func ("/stream/an_encoder_that_fails_is_told", an_encoder_that_fails_is_told);
  g_test_add_func ("/stream/an_encoder_that_ends_leaves_no_old_video",
                   an_encoder_that_ends_leaves_no_old_video);
  g_test_add_func ("/stream/an_encoder_that_hangs_is_replaced", an_encoder_that_hangs_is_replaced);
  /* The last: from here on there is a vah264enc. */
  g_test_add_func ("/stream/an_encoder_that_fails_is_replaced", an_encoder_that_fails_is_replaced);
  return g_test_run ();
}
