/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/camera.c - a thread plays the source until it is lost, waits, and plays it again;
 * what elements say comes to it through one queue. */
#include "examples/common/camera.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include "engine/error.h"
#include "examples/common/analysis.h"
#include "examples/common/feed.h"
#include "examples/common/inbox.h"
#include "examples/common/input.h"
#include "examples/common/news.h"

#define NO_FRAME_US (5 * G_USEC_PER_SEC)
#define STEADY_US (10 * G_USEC_PER_SEC) /* after which the next delay is the first again */
#define FIRST_DELAY_S 1
#define MAX_DELAY_S 30
#define END_US (30 * G_USEC_PER_SEC) /* longer than publishers take for their last records */

struct _Camera {
  CameraConfig *config;
  CameraOptions options;
  CameraCalls calls;
  News *news;
  GstClock *clock;
  GstClockTime base_time;
  GstElement *analysis, *in, *yolov7;
  GstCaps *input_caps;
  Inbox *inbox; /* what both pipelines say */
  Feed *feed;   /* what the input gives to the analysis */
  GThread *thread;
  int is_stopped; /* atomic */

  /* Of the thread, and before it of camera_start(). */
  GstElement *input; /* NULL between two attempts */
  bool is_analysing;

  GMutex lock; /* protects what follows */
  CameraState state;
  gint64 since_us;
  guint64 n_losses, n_analysed_before;
  guint64 latency_ns;
};

const char *
camera_state_name (CameraState state)
{
  static const char *const names[] = {"connecting", "playing", "lost", "failed"};

  return names[state];
}

/* ---- state ------------------------------------------------------------------------------------
 */

static void
log_message (const Camera *camera, GstMessage *message)
{
  g_autofree char *text = inbox_describe (camera->inbox, message);
  const bool is_warning = GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING;

  g_log (G_LOG_DOMAIN, is_warning ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_MESSAGE, "camera %s: %s",
         camera->config->name, text);
}

static void
set_state (Camera *camera, CameraState state, const char *reason)
{
  g_mutex_lock (&camera->lock);
  const bool is_new = camera->state != state;
  if (is_new) {
    camera->n_losses += camera->state == CAMERA_PLAYING ? 1 : 0;
    camera->since_us = g_get_real_time ();
    camera->state = state;
  }
  g_mutex_unlock (&camera->lock);
  if (is_new)
    news_add (camera->news, state, reason);
}

static void
tell_user (CameraState state, const char *reason, gpointer user_data)
{
  Camera *camera = user_data;

  if (camera->calls.state)
    camera->calls.state (camera, state, reason, camera->calls.user_data);
}

/* ---- frames -----------------------------------------------------------------------------------
 */

static GstFlowReturn
take_output (GstAppSink *sink, gpointer user_data)
{
  Camera *camera = user_data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);

  if (!sample)
    return GST_FLOW_EOS;
  const GstClockTime pts = GST_BUFFER_PTS (gst_sample_get_buffer (sample));
  const GstClockTime now = gst_clock_get_time (camera->clock);
  g_mutex_lock (&camera->lock);
  camera->latency_ns = now - MIN (now, camera->base_time + pts);
  g_mutex_unlock (&camera->lock);
  if (camera->calls.frame)
    camera->calls.frame (camera, sample, camera->calls.user_data);
  return GST_FLOW_OK;
}

static void
listen_for_frames (Camera *camera)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (camera->analysis), "out");
  GstAppSinkCallbacks calls = {.new_sample = take_output};

  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &calls, camera, NULL);
}

/* The thread has to see that the input plays. */
static void
wake (gpointer inbox)
{
  inbox_wake (inbox);
}

/* ---- the analysis -----------------------------------------------------------------------------
 */

static guint64
read_stat (Camera *camera, const char *name)
{
  GstStructure *stats = NULL;
  guint64 value = 0;

  g_object_get (camera->yolov7, "stats", &stats, NULL);
  if (stats)
    gst_structure_get_uint64 (stats, name, &value);
  g_clear_pointer (&stats, gst_structure_free);
  return value;
}

static bool
start_analysis (Camera *camera, char **reason)
{
  if (gst_element_set_state (camera->analysis, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) {
    camera->is_analysing = true;
    return true;
  }
  *reason = inbox_take_error (camera->inbox, camera->analysis, "the analysis can't be started");
  gst_element_set_state (camera->analysis, GST_STATE_NULL);
  return false;
}

/* Its counts begin anew with the next start. */
static void
stop_analysis (Camera *camera)
{
  const guint64 n_analysed = read_stat (camera, "frames-analysed");

  gst_element_set_state (camera->analysis, GST_STATE_NULL);
  camera->is_analysing = false;
  feed_forget (camera->feed);
  g_mutex_lock (&camera->lock);
  camera->n_analysed_before += n_analysed;
  g_mutex_unlock (&camera->lock);
}

/* The last records of publishers, then its end. */
static void
finish_analysis (Camera *camera)
{
  const gint64 until_us = g_get_monotonic_time () + END_US;
  bool is_over = !camera->is_analysing;

  if (!is_over)
    gst_app_src_end_of_stream (GST_APP_SRC (camera->in));
  while (!is_over) {
    GstMessage *message = inbox_pop (camera->inbox, until_us);
    is_over = !message ||
              (inbox_is_from (message, camera->analysis) &&
               GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) ||
              (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS &&
               GST_MESSAGE_SRC (message) == GST_OBJECT (camera->analysis));
    g_clear_pointer (&message, gst_message_unref);
  }
  gst_element_set_state (camera->analysis, GST_STATE_NULL);
}

/* ---- the thread -------------------------------------------------------------------------------
 */

typedef enum {
  GOES_ON,
  IS_STOPPED,
  BEGINS_AGAIN, /* a file, from its start */
  IS_LOST,
  HAS_FAILED,
} Outcome;

/* 0: there was none of this input. */
static gint64
last_frame_us (Camera *camera)
{
  FeedCounters counters;

  feed_get (camera->feed, &counters);
  return counters.last_frame_us;
}

static bool
was_steady (Camera *camera)
{
  FeedCounters counters;

  feed_get (camera->feed, &counters);
  return counters.last_frame_us - counters.first_frame_us >= STEADY_US;
}

/* What follows from @message. @reason: out: where it is IS_LOST or HAS_FAILED */
static Outcome
judge (Camera *camera, GstMessage *message, char **reason)
{
  const bool is_input = inbox_is_from (message, camera->input);
  const bool is_analysis = inbox_is_from (message, camera->analysis);

  switch ((guint) GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    if (!is_input && !is_analysis)
      return GOES_ON;
    *reason = inbox_describe (camera->inbox, message);
    return is_input ? IS_LOST : HAS_FAILED;
  case GST_MESSAGE_WARNING:
  case GST_MESSAGE_INFO:
    if (is_analysis)
      log_message (camera, message);
    return GOES_ON;
  case GST_MESSAGE_EOS:
    if (!camera->input || GST_MESSAGE_SRC (message) != GST_OBJECT (camera->input))
      return GOES_ON;
    if (*camera->config->source == '/' && last_frame_us (camera))
      return BEGINS_AGAIN;
    *reason = g_strdup ("the source has ended");
    return IS_LOST;
  default:
    return GOES_ON;
  }
}

/* Until @until_us, or something happens. Returns: GOES_ON where nothing of consequence did */
static Outcome
wait_for_message (Camera *camera, gint64 until_us, char **reason)
{
  g_autoptr (GstMessage) message = inbox_pop (camera->inbox, until_us);

  if (g_atomic_int_get (&camera->is_stopped))
    return IS_STOPPED;
  return message ? judge (camera, message, reason) : GOES_ON;
}

/* Of the input that plays: until there is no frame for too long, or something is said. */
static Outcome
watch_input (Camera *camera, gint64 started_us, char **reason)
{
  for (;;) {
    const gint64 last_us = last_frame_us (camera);
    if (last_us)
      set_state (camera, CAMERA_PLAYING, NULL);

    const gint64 until_us = MAX (last_us, started_us) + NO_FRAME_US;
    const Outcome outcome = wait_for_message (camera, until_us, reason);
    if (outcome != GOES_ON)
      return outcome;
    if (last_frame_us (camera) == last_us && g_get_monotonic_time () >= until_us) {
      *reason = g_strdup_printf ("no frame for %d s", (int) (NO_FRAME_US / G_USEC_PER_SEC));
      return IS_LOST;
    }
  }
}

/* One attempt, until it is over; the source is closed then. */
static Outcome
play_once (Camera *camera, char **reason)
{
  g_autoptr (GError) error = NULL;

  if (!camera->is_analysing && !start_analysis (camera, reason))
    return HAS_FAILED;
  camera->input = input_new (camera->config, camera->input_caps, &error);
  if (!camera->input) {
    *reason = camera_config_redact (camera->config, error->message);
    return IS_LOST;
  }
  inbox_listen (camera->inbox, camera->input);
  feed_begin (camera->feed, camera->input);
  gst_pipeline_use_clock (GST_PIPELINE (camera->input), camera->clock);

  const gint64 started_us = g_get_monotonic_time ();
  Outcome outcome = IS_LOST;
  if (gst_element_set_state (camera->input, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    *reason = inbox_take_error (camera->inbox, camera->input, "the source can't be opened");
  else
    outcome = watch_input (camera, started_us, reason);
  gst_element_set_state (camera->input, GST_STATE_NULL);
  gst_clear_object (&camera->input);
  return outcome;
}

/* Returns: false where the camera is stopped meanwhile. */
static bool
wait_before_next (Camera *camera, guint delay_s)
{
  const gint64 delay_us = (gint64) (delay_s * (1 - g_random_double () / 4) * G_USEC_PER_SEC);
  const gint64 until_us = g_get_monotonic_time () + delay_us;

  while (g_get_monotonic_time () < until_us) {
    g_autofree char *reason = NULL;
    const Outcome outcome = wait_for_message (camera, until_us, &reason);
    if (outcome == IS_STOPPED)
      return false;
    if (outcome == HAS_FAILED && camera->is_analysing)
      stop_analysis (camera); /* the next attempt starts it */
  }
  return true;
}

static gpointer
keep_alive (gpointer user_data)
{
  Camera *camera = user_data;
  guint delay_s = FIRST_DELAY_S;
  bool goes_on = !g_atomic_int_get (&camera->is_stopped);

  while (goes_on) {
    g_autofree char *reason = NULL;
    const Outcome outcome = play_once (camera, &reason);
    goes_on = outcome != IS_STOPPED;
    if (!goes_on || outcome == BEGINS_AGAIN)
      continue;
    if (outcome == HAS_FAILED && camera->is_analysing)
      stop_analysis (camera);
    set_state (camera, outcome == IS_LOST ? CAMERA_LOST : CAMERA_FAILED, reason);
    if (was_steady (camera))
      delay_s = FIRST_DELAY_S;
    goes_on = wait_before_next (camera, delay_s);
    delay_s = MIN (delay_s * 2, MAX_DELAY_S);
    if (goes_on)
      set_state (camera, CAMERA_CONNECTING, NULL);
  }
  finish_analysis (camera);
  return NULL;
}

/* ---- for users --------------------------------------------------------------------------------
 */

Camera *
camera_new (CameraConfig *config, const CameraOptions *options, const CameraCalls *calls,
            GError **error)
{
  g_autoptr (Camera) camera = g_new0 (Camera, 1);

  g_mutex_init (&camera->lock);
  camera->config = config;
  camera->options = options ? *options : (CameraOptions){0};
  camera->calls = *calls;
  camera->inbox = inbox_new (config);
  camera->news = news_new (tell_user, camera);
  camera->clock = gst_system_clock_obtain ();
  camera->base_time = gst_clock_get_time (camera->clock);
  camera->since_us = g_get_real_time ();
  camera->input_caps = analysis_caps (&camera->options);
  camera->analysis = analysis_new (config, &camera->options, error);
  if (!camera->analysis) {
    g_prefix_error (error, "camera %s: ", config->name);
    return NULL;
  }
  camera->in = gst_bin_get_by_name (GST_BIN (camera->analysis), "in");
  camera->yolov7 = gst_bin_get_by_name (GST_BIN (camera->analysis), "yolov7");
  inbox_listen (camera->inbox, camera->analysis);
  listen_for_frames (camera);
  camera->feed = feed_new (camera->in, camera->clock, camera->base_time, wake, camera->inbox);
  gst_pipeline_use_clock (GST_PIPELINE (camera->analysis), camera->clock);
  gst_element_set_start_time (camera->analysis, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (camera->analysis, camera->base_time);
  return g_steal_pointer (&camera);
}

bool
camera_start (Camera *camera, GError **error)
{
  g_autofree char *reason = NULL;

  if (!start_analysis (camera, &reason)) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s:%u: camera %s: %s", camera->config->file,
                 camera->config->line, camera->config->name, reason);
    return false;
  }
  camera->thread = g_thread_new (camera->config->name, keep_alive, camera);
  return true;
}

void
camera_stop (Camera *camera)
{
  g_atomic_int_set (&camera->is_stopped, 1);
  inbox_wake (camera->inbox);
}

void
camera_free (Camera *camera)
{
  if (!camera)
    return;
  if (camera->thread) {
    camera_stop (camera);
    g_thread_join (camera->thread);
  }
  if (camera->analysis)
    gst_element_set_state (camera->analysis, GST_STATE_NULL);
  gst_clear_object (&camera->yolov7);
  gst_clear_object (&camera->in);
  gst_clear_object (&camera->analysis);
  gst_clear_object (&camera->clock);
  gst_clear_caps (&camera->input_caps);
  news_free (camera->news);
  feed_free (camera->feed);
  inbox_free (camera->inbox);
  camera_config_free (camera->config);
  g_mutex_clear (&camera->lock);
  g_free (camera);
}

const CameraConfig *
camera_config (const Camera *camera)
{
  return camera->config;
}

GstClock *
camera_clock (const Camera *camera)
{
  return camera->clock;
}

GstClockTime
camera_base_time (const Camera *camera)
{
  return camera->base_time;
}

bool
camera_has_signal (Camera *camera)
{
  g_mutex_lock (&camera->lock);
  const bool has_signal = camera->state == CAMERA_PLAYING;
  g_mutex_unlock (&camera->lock);
  return has_signal;
}

void
camera_get_counters (Camera *camera, CameraCounters *out)
{
  const guint64 n_analysed = read_stat (camera, "frames-analysed");
  const guint64 analysis_ns = read_stat (camera, "total-mean");
  FeedCounters fed;

  feed_get (camera->feed, &fed);
  g_mutex_lock (&camera->lock);
  *out = (CameraCounters){
      .state = camera->state,
      .since_us = camera->since_us,
      .n_frames = fed.n_frames,
      .n_dropped = fed.n_dropped,
      .n_analysed = camera->n_analysed_before + n_analysed,
      .n_losses = camera->n_losses,
      .latency_ns = camera->latency_ns,
      .analysis_ns = analysis_ns,
  };
  g_mutex_unlock (&camera->lock);
}

GstElement *
camera_get_element (Camera *camera, const char *factory)
{
  return gst_bin_get_by_name (GST_BIN (camera->analysis), factory);
}
