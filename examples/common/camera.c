/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/camera.c - a thread that only waits: for what elements say, through one queue,
 * and for time to pass. It has the source played until it is lost, and again. */
#include "examples/common/camera.h"

#include "engine/error.h"
#include "examples/common/analysis.h"
#include "examples/common/feed.h"
#include "examples/common/inbox.h"
#include "examples/common/input.h"
#include "examples/common/news.h"

#define NO_FRAME_US (5 * G_USEC_PER_SEC)
#define NO_OUTPUT_US (15 * G_USEC_PER_SEC) /* longer than a batch takes on a CPU */
#define STEADY_US (10 * G_USEC_PER_SEC)    /* after which the next delay is the first again */
#define FIRST_DELAY_S 1
#define MAX_DELAY_S 30
#define MIN_LOOP_US (G_USEC_PER_SEC / 2) /* between two beginnings of a file */
#define CLOSE_US (5 * G_USEC_PER_SEC)    /* what takes longer hangs */
#define STOP_US (2 * G_USEC_PER_SEC)     /* the same when the camera ends, and somebody waits */
#define MAX_HANGING 3                    /* attempts, each with its threads and files */
#define WARNING_US (10 * G_USEC_PER_SEC) /* between two warnings of the source */
#define FREE_US (60 * G_USEC_PER_SEC)    /* more than CLOSE_US and the end of the analysis */

struct _Camera {
  CameraConfig *config;
  CameraCalls calls;
  News *news;
  GstClock *clock;
  GstClockTime base_time;
  GstCaps *input_caps;
  Inbox *inbox; /* what pipelines say */
  Analysis *analysis;
  Feed *feed; /* what the input gives to the analysis */
  GThread *thread;
  int is_stopped;    /* atomic */
  gint64 stopped_us; /* monotonic */
  int is_left;       /* atomic: camera_free() has given up */

  /* Of the thread. */
  Input *input;       /* NULL between two attempts */
  GPtrArray *hanging; /* of Input *: that were closed in vain */
  guint delay_s;
  gint64 silent_until_us; /* monotonic: about warnings of the source */

  GMutex lock; /* protects what follows */
  GCond over;
  bool is_over; /* the thread */
  CameraState state;
  gint64 since_us;
  guint64 n_losses;
  guint n_hanging;
};

const char *
camera_state_name (CameraState state)
{
  static const char *const names[] = {"connecting", "playing", "lost", "failed"};

  return names[state];
}

/* ---- state ---------------------------------------------------------------------------------- */

static void
set_state (Camera *camera, CameraState state, const char *reason)
{
  g_mutex_lock (&camera->lock);
  const bool is_new = camera->state != state;
  if (is_new) {
    camera->n_losses += camera->state == CAMERA_PLAYING ? 1 : 0;
    camera->since_us = g_get_monotonic_time ();
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

  if (camera->calls.state && !g_atomic_int_get (&camera->is_left))
    camera->calls.state (camera, state, reason, camera->calls.user_data);
}

static void
give_frame (GstSample *sample, gpointer user_data)
{
  Camera *camera = user_data;

  if (camera->calls.frame && !g_atomic_int_get (&camera->is_left))
    camera->calls.frame (camera, sample, camera->calls.user_data);
}

/* ---- what is said --------------------------------------------------------------------------- */

typedef enum {
  GOES_ON,
  IS_STOPPED,
  BEGINS_AGAIN, /* a file, from its start */
  IS_LOST,
  HAS_FAILED,
} Outcome;

/* Warnings of a source may come with each frame. */
static void
log_message (Camera *camera, GstMessage *message, bool is_input)
{
  const bool is_warning = GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING;
  const gint64 now_us = g_get_monotonic_time ();

  if (is_input && (!is_warning || now_us < camera->silent_until_us))
    return;
  if (is_input)
    camera->silent_until_us = now_us + WARNING_US;
  g_autofree char *text = inbox_describe (camera->inbox, message);
  g_log (G_LOG_DOMAIN, is_warning ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_MESSAGE, "camera %s: %s",
         camera->config->name, text);
}

/* What follows from @message. @reason: out: where it is IS_LOST or HAS_FAILED */
static Outcome
judge (Camera *camera, GstMessage *message, char **reason)
{
  GstElement *pipeline = camera->input ? input_pipeline (camera->input) : NULL;
  const bool is_input = inbox_is_from (message, pipeline);
  const bool is_analysis = inbox_is_from (message, analysis_pipeline (camera->analysis));
  FeedCounters fed;

  if (!is_input && !is_analysis)
    return GOES_ON;
  switch ((guint) GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    *reason = inbox_describe (camera->inbox, message);
    return is_input ? IS_LOST : HAS_FAILED;
  case GST_MESSAGE_WARNING:
  case GST_MESSAGE_INFO:
    log_message (camera, message, is_input);
    return GOES_ON;
  case GST_MESSAGE_EOS:
    if (GST_MESSAGE_SRC (message) != (GstObject *) pipeline)
      return GOES_ON;
    feed_get (camera->feed, &fed);
    if (*camera->config->source == '/' && fed.last_frame_us)
      return BEGINS_AGAIN;
    *reason = g_strdup ("the source has ended");
    return IS_LOST;
  default:
    return GOES_ON;
  }
}

/* Those that came back meanwhile hang no more. */
static void
count_hanging (Camera *camera)
{
  GPtrArray *hanging = camera->hanging;

  for (guint i = hanging->len; i > 0; i--)
    if (input_is_closed (hanging->pdata[i - 1]))
      g_ptr_array_remove_index_fast (hanging, i - 1);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&camera->lock);
  camera->n_hanging = hanging->len;
}

/* Until @until_us, or something is said. Returns: GOES_ON where nothing follows from it */
static Outcome
listen (Camera *camera, gint64 until_us, char **reason)
{
  g_autoptr (GstMessage) message = inbox_pop (camera->inbox, until_us);

  if (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_APPLICATION)
    count_hanging (camera);
  return message ? judge (camera, message, reason) : GOES_ON;
}

/* ---- between two attempts ------------------------------------------------------------------- */

static void
stop_analysis (Camera *camera)
{
  analysis_stop (camera->analysis);
  feed_forget (camera->feed);
}

/* As listen(), while no source plays: only the analysis can fail. The next attempt starts it. */
static void
wait_a_moment (Camera *camera, gint64 until_us)
{
  g_autofree char *reason = NULL;

  if (listen (camera, until_us, &reason) != HAS_FAILED || !analysis_is_running (camera->analysis))
    return;
  g_warning ("camera %s: %s", camera->config->name, reason);
  stop_analysis (camera);
}

/* Returns: false where the camera is stopped meanwhile. */
static bool
wait_until (Camera *camera, gint64 until_us)
{
  while (!g_atomic_int_get (&camera->is_stopped) && g_get_monotonic_time () < until_us)
    wait_a_moment (camera, until_us);
  return !g_atomic_int_get (&camera->is_stopped);
}

static void
ask_to_close (Camera *camera)
{
  feed_end (camera->feed);
  input_close (camera->input);
}

/* Until it is closed, or hangs. */
static void
close_input (Camera *camera)
{
  const gint64 asked_us = g_get_monotonic_time ();
  gint64 limit_us = CLOSE_US;

  ask_to_close (camera);
  Input *input = g_steal_pointer (&camera->input);
  while (input && !input_is_closed (input) && g_get_monotonic_time () < asked_us + limit_us) {
    limit_us = g_atomic_int_get (&camera->is_stopped) ? STOP_US : CLOSE_US;
    wait_a_moment (camera, asked_us + limit_us);
  }
  if (!input)
    return;
  if (!input_is_closed (input))
    g_warning ("camera %s: the source hangs: not closed within %d s, it is left behind",
               camera->config->name, (int) (limit_us / G_USEC_PER_SEC));
  g_ptr_array_add (camera->hanging, input);
  count_hanging (camera);
}

/* ---- an attempt ----------------------------------------------------------------------------- */

/* Whether there are too few frames, or too few come out of the analysis. */
static Outcome
look_at_frames (Camera *camera, const FeedCounters *fed, gint64 until_us, char **reason)
{
  AnalysisCounters analysed;

  if (g_get_monotonic_time () >= until_us) {
    *reason = g_strdup_printf ("no frame for %d s", (int) (NO_FRAME_US / G_USEC_PER_SEC));
    return IS_LOST;
  }
  analysis_get (camera->analysis, &analysed);
  if (fed->last_frame_us - MAX (fed->first_frame_us, analysed.last_frame_us) < NO_OUTPUT_US)
    return GOES_ON;
  *reason = g_strdup_printf ("frames come, but none has left the analysis for %d s",
                             (int) (NO_OUTPUT_US / G_USEC_PER_SEC));
  return HAS_FAILED;
}

/* Of the input that plays: until something is wrong. */
static Outcome
watch_input (Camera *camera, char **reason)
{
  const gint64 started_us = g_get_monotonic_time ();

  for (;;) {
    FeedCounters fed;
    feed_get (camera->feed, &fed);
    if (fed.last_frame_us)
      set_state (camera, CAMERA_PLAYING, NULL);
    const gint64 until_us = MAX (fed.last_frame_us, started_us) + NO_FRAME_US;
    Outcome outcome = look_at_frames (camera, &fed, until_us, reason);
    if (g_atomic_int_get (&camera->is_stopped))
      return IS_STOPPED;
    if (outcome == GOES_ON)
      outcome = listen (camera, until_us, reason);
    if (outcome != GOES_ON)
      return outcome;
  }
}

/* Until it is over. The source is still open then. */
static Outcome
play_once (Camera *camera, char **reason)
{
  g_autoptr (GError) error = NULL;

  if (camera->hanging->len >= MAX_HANGING) {
    *reason = g_strdup_printf ("the source hangs: %u attempts to close it have not come back",
                               camera->hanging->len);
    return IS_LOST;
  }
  if (!analysis_is_running (camera->analysis) && !analysis_start (camera->analysis, reason))
    return HAS_FAILED;
  camera->input =
      input_open (camera->config, camera->input_caps, camera->inbox, camera->feed, &error);
  if (!camera->input) {
    *reason = camera_config_redact (camera->config, error->message);
    return IS_LOST;
  }
  const Outcome outcome = watch_input (camera, reason);
  FeedCounters fed;
  feed_get (camera->feed, &fed);
  if (fed.last_frame_us - fed.first_frame_us >= STEADY_US)
    camera->delay_s = FIRST_DELAY_S;
  return outcome;
}

/* Clients are told before anything is closed, which may take its time. */
static void
have_lost (Camera *camera, Outcome outcome, const char *reason)
{
  const double delay_s = camera->delay_s * (1 - g_random_double () / 4);
  const gint64 until_us = g_get_monotonic_time () + (gint64) (delay_s * G_USEC_PER_SEC);

  set_state (camera, outcome == IS_LOST ? CAMERA_LOST : CAMERA_FAILED, reason);
  camera->delay_s = MIN (camera->delay_s * 2, MAX_DELAY_S);
  close_input (camera);
  if (outcome == HAS_FAILED && analysis_is_running (camera->analysis))
    stop_analysis (camera);
  if (wait_until (camera, until_us))
    set_state (camera, CAMERA_CONNECTING, NULL);
}

static gpointer
keep_alive (gpointer user_data)
{
  Camera *camera = user_data;

  while (!g_atomic_int_get (&camera->is_stopped)) {
    g_autofree char *reason = NULL;
    const gint64 again_us = g_get_monotonic_time () + MIN_LOOP_US;
    const Outcome outcome = play_once (camera, &reason);
    if (outcome == IS_LOST || outcome == HAS_FAILED)
      have_lost (camera, outcome, reason);
    if (outcome != BEGINS_AGAIN)
      continue;
    close_input (camera);
    wait_until (camera, again_us);
  }
  ask_to_close (camera); /* while the analysis ends */
  analysis_finish (camera->analysis);
  close_input (camera);
  g_mutex_lock (&camera->lock);
  camera->is_over = true;
  g_cond_signal (&camera->over);
  g_mutex_unlock (&camera->lock);
  return NULL;
}

/* ---- for users ------------------------------------------------------------------------------ */

Camera *
camera_new (CameraConfig *config, const CameraOptions *options, const CameraCalls *calls,
            GError **error)
{
  g_autoptr (Camera) camera = g_new0 (Camera, 1);

  options = options ? options : &(const CameraOptions){0};
  g_mutex_init (&camera->lock);
  g_cond_init (&camera->over);
  camera->config = config;
  camera->calls = *calls;
  camera->inbox = inbox_new (config);
  camera->news = news_new (tell_user, camera);
  camera->clock = gst_system_clock_obtain ();
  camera->base_time = gst_clock_get_time (camera->clock);
  camera->since_us = g_get_monotonic_time ();
  camera->delay_s = FIRST_DELAY_S;
  camera->hanging = g_ptr_array_new_with_free_func ((GDestroyNotify) input_unref);
  camera->input_caps = analysis_caps (options);
  const AnalysisLinks links = {camera->inbox, camera->clock, camera->base_time, give_frame, camera};
  camera->analysis = analysis_new (config, options, &links, error);
  if (!camera->analysis) {
    g_prefix_error (error, "camera %s: ", config->name);
    return NULL;
  }
  /* The thread has to see that an input plays. */
  camera->feed = feed_new (analysis_source (camera->analysis), camera->clock, camera->base_time,
                           (GDestroyNotify) inbox_wake, camera->inbox);
  return g_steal_pointer (&camera);
}

bool
camera_start (Camera *camera, GError **error)
{
  g_autofree char *reason = NULL;

  if (!analysis_start (camera->analysis, &reason)) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s:%u: camera %s: %s", camera->config->file,
                 camera->config->line, camera->config->name, reason);
    return false;
  }
  camera->thread = g_thread_try_new (camera->config->name, keep_alive, camera, error);
  if (!camera->thread)
    g_prefix_error (error, "camera %s: ", camera->config->name);
  return camera->thread != NULL;
}

void
camera_stop (Camera *camera)
{
  if (g_atomic_int_compare_and_exchange (&camera->is_stopped, 0, 1))
    camera->stopped_us = g_get_monotonic_time ();
  inbox_wake (camera->inbox);
}

bool
camera_end (Camera *camera)
{
  if (!camera->thread)
    return true;
  camera_stop (camera);
  g_mutex_lock (&camera->lock);
  while (!camera->is_over &&
         g_cond_wait_until (&camera->over, &camera->lock, camera->stopped_us + FREE_US))
    ;
  const bool is_over = camera->is_over;
  g_mutex_unlock (&camera->lock);
  if (is_over)
    g_thread_join (g_steal_pointer (&camera->thread));
  return is_over;
}

void
camera_free (Camera *camera)
{
  if (!camera)
    return;
  if (!camera_end (camera)) {
    g_atomic_int_set (&camera->is_left, 1);
    g_warning ("camera %s: the analysis hangs: not over within %d s, it is left behind",
               camera->config->name, (int) (FREE_US / G_USEC_PER_SEC));
    return;
  }
  feed_free (camera->feed);
  analysis_free (camera->analysis);
  gst_clear_object (&camera->clock);
  gst_clear_caps (&camera->input_caps);
  news_free (camera->news);
  inbox_free (camera->inbox);
  g_ptr_array_unref (camera->hanging);
  camera_config_free (camera->config);
  g_cond_clear (&camera->over);
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
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&camera->lock);

  return camera->state == CAMERA_PLAYING;
}

void
camera_get_counters (Camera *camera, CameraCounters *out)
{
  AnalysisCounters analysed;
  FeedCounters fed;

  analysis_get (camera->analysis, &analysed);
  feed_get (camera->feed, &fed);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&camera->lock);
  *out = (CameraCounters){
      .state = camera->state,
      .since_us = camera->since_us,
      .n_frames = fed.n_frames,
      .n_dropped = fed.n_dropped,
      .n_analysed = analysed.n_analysed,
      .n_losses = camera->n_losses,
      .n_hanging = camera->n_hanging,
      .latency_ns = analysed.latency_ns,
      .analysis_ns = analysed.mean_ns,
  };
}

GstElement *
camera_get_element (Camera *camera, const char *factory)
{
  return gst_bin_get_by_name (GST_BIN (analysis_pipeline (camera->analysis)), factory);
}
