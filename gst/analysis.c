/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/analysis.c - what yolov7 does between its pads. */
#include "gst/analysis-private.h"

#include "gst/framepool.h"
#include "gst/posterror.h"

#define GST_CAT_DEFAULT gst_yolov7_debug

void
gst_yolov7_analysis_on_ready (gpointer user_data)
{
  GstYolov7Analysis *self = user_data;

  g_mutex_lock (&self->mutex);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
}

GstYolov7Analysis *
gst_yolov7_analysis_new (GstElement *element)
{
  GstYolov7Analysis *self = g_new0 (GstYolov7Analysis, 1);

  self->element = element;
  self->scratch = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  self->late.detections = g_array_new (FALSE, FALSE, sizeof (YvDetection));
  self->is_flushing = TRUE;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  gst_yolov7_lineup_init (&self->lineup);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  return self;
}

void
gst_yolov7_analysis_free (GstYolov7Analysis *self)
{
  gst_yolov7_lineup_clear (&self->lineup);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->mutex);
  g_array_unref (self->late.detections);
  g_array_unref (self->scratch);
  g_free (self);
}

void
gst_yolov7_analysis_set_policy (GstYolov7Analysis *self, const GstYolov7Settings *settings)
{
  g_mutex_lock (&self->mutex);
  self->policy = (GstYolov7Policy){
      .leaky = settings->leaky,
      .interval = settings->inference_interval,
      .posts_messages = settings->post_messages,
      .kinds = (settings->attach_roi_meta ? GST_YOLOV7_META_ROI : 0) |
               (settings->attach_analytics_meta ? GST_YOLOV7_META_ANALYTICS : 0),
  };
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
}

/* ---- threads of our own --------------------------------------------------------------------- */

typedef void (*JobFunc) (GstYolov7Analysis *self, GstYolov7Session *session);

typedef struct {
  GstYolov7Analysis *self;
  JobFunc func;
  GstYolov7Session *session;
  void (*element_func) (GstElement *element);
} Job;

static void
run_job (GstElement *element, gpointer user_data)
{
  const Job *job = user_data;
  GstYolov7Analysis *self = job->self;

  if (job->func)
    job->func (self, job->session);
  if (job->element_func)
    job->element_func (element);
  gst_yolov7_session_unref (job->session);
  g_mutex_lock (&self->mutex);
  self->n_jobs--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
}

static void
start_locked (GstYolov7Analysis *self, const Job *job)
{
  self->n_jobs++;
  gst_element_call_async (self->element, run_job, g_memdup2 (job, sizeof *job), g_free);
}

void
gst_yolov7_analysis_start_job_locked (GstYolov7Analysis *self, JobFunc func,
                                      GstYolov7Session *session)
{
  const Job job = {.self = self, .func = func, .session = session};

  start_locked (self, &job);
}

gboolean
gst_yolov7_analysis_run_beside (GstYolov7Analysis *self, void (*func) (GstElement *element))
{
  const Job job = {.self = self, .element_func = func};

  g_mutex_lock (&self->mutex);
  const gboolean is_started = self->session != NULL;
  if (is_started)
    start_locked (self, &job);
  g_mutex_unlock (&self->mutex);
  return is_started;
}

void
gst_yolov7_analysis_drop_session (GstYolov7Analysis *self, GstYolov7Session *session)
{
  g_mutex_lock (&self->mutex);
  if (session == self->session)
    gst_yolov7_session_unref (session); /* not the last one */
  else
    gst_yolov7_analysis_start_job_locked (self, NULL, session);
  g_mutex_unlock (&self->mutex);
}

/* ---- flights ------------------------------------------------------------------------------- */

void
gst_yolov7_flight_unmap (GstYolov7Flight *flight)
{
  if (flight->is_mapped)
    gst_yolov7_frame_view_unmap (&flight->view);
  flight->is_mapped = FALSE;
}

void
gst_yolov7_analysis_end_flight (GstYolov7Analysis *self, GstYolov7Flight *flight)
{
  gst_yolov7_flight_unmap (flight);
  gst_yolov7_analysis_drop_session (self, flight->session);
}

GstBuffer *
gst_yolov7_analysis_borrow_frame (GstYolov7Analysis *self, guint64 number)
{
  g_mutex_lock (&self->mutex);
  GstYolov7Item *item = gst_yolov7_lineup_find (&self->lineup, number);
  GstBuffer *frame = item ? GST_BUFFER_CAST (item->object) : NULL;
  g_mutex_unlock (&self->mutex);
  return frame;
}

gboolean
gst_yolov7_analysis_map (GstYolov7Analysis *self, GstYolov7Flight *flight, GstBuffer *frame)
{
  const GstVideoInfo *info = &flight->info;

  flight->frame = (GstYolov7Frame){
      .width = (guint) GST_VIDEO_INFO_WIDTH (info),
      .height = (guint) GST_VIDEO_INFO_HEIGHT (info),
      .pts = GST_BUFFER_PTS (frame),
      .duration = GST_BUFFER_DURATION (frame),
  };
  flight->is_mapped = gst_yolov7_frame_view_map (&flight->view, info, frame, GST_MAP_READ);
  if (!flight->is_mapped) {
    gst_yolov7_post_bad_frame (self->element, info, frame);
    return FALSE;
  }
  flight->view.image.memory = gst_yolov7_frame_memory_of (frame, flight->session->engine);
  flight->is_imported = flight->view.image.memory && !gst_yolov7_frame_memory_is_ours (frame);
  return TRUE;
}

void
gst_yolov7_flight_unmap_copied (GstYolov7Flight *flight)
{
  if (!flight->view.image.memory)
    gst_yolov7_flight_unmap (flight);
}

gboolean
gst_yolov7_analysis_submit (GstYolov7Analysis *self, GstYolov7Flight *flight)
{
  GError *error = NULL;

  flight->submitted = gst_yolov7_latency_now ();
  if (yv_stream_submit (flight->session->stream, &flight->view.image, 1, &error)) {
    gst_yolov7_flight_unmap_copied (flight);
    return TRUE;
  }
  gst_yolov7_flight_unmap (flight);
  flight->is_lost = g_error_matches (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
  if (flight->is_lost) {
    g_atomic_int_set (&flight->session->is_lost, TRUE);
    GST_WARNING_OBJECT (self->element, "%s", error->message);
    g_error_free (error);
    return TRUE;
  }
  GST_YOLOV7_POST_ERROR (self->element, "Could not analyse a frame", error);
  return FALSE;
}

/* ---- start and stop ------------------------------------------------------------------------- */

static void
reset_counts (GstYolov7Analysis *self)
{
  self->n_counted = 0;
  self->flow = GST_FLOW_OK;
  self->is_past_end = self->has_failed = FALSE;
  self->is_recovering = self->is_restarting || self->restart_failed;
  self->n_unmeasured = GST_YOLOV7_N_UNMEASURED;
}

gboolean
gst_yolov7_analysis_start (GstYolov7Analysis *self, const GstYolov7Settings *settings)
{
  const char *doing = NULL;
  GError *error = NULL;
  GstYolov7Session *session = gst_yolov7_session_new (
      self->element, settings, gst_yolov7_analysis_on_ready, self, &doing, &error);

  if (!session) {
    GST_YOLOV7_POST_ERROR (self->element, doing, error);
    return FALSE;
  }
  g_mutex_lock (&self->mutex);
  self->session = session;
  self->is_update_untold = self->restart_failed = FALSE;
  gst_video_info_init (&self->info);
  memset (&self->tally, 0, sizeof self->tally);
  self->latency = (GstYolov7Latency){0};
  reset_counts (self);
  g_mutex_unlock (&self->mutex);
  self->losses = (GstYolov7Losses){0};
  return TRUE;
}

void
gst_yolov7_analysis_drop_late (GstYolov7Analysis *self)
{
  self->late.is_there = FALSE;
  if (self->late.session)
    gst_yolov7_analysis_drop_session (self, g_steal_pointer (&self->late.session));
}

void
gst_yolov7_analysis_drop_flights (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  self->tally.stats.frames_dropped += gst_yolov7_lineup_n_flights (&self->lineup);
  g_mutex_unlock (&self->mutex);
  while (gst_yolov7_lineup_n_flights (&self->lineup) > 0) {
    GstYolov7Flight flight = gst_yolov7_lineup_take_flight (&self->lineup);

    yv_stream_abandon (flight.session->stream);
    gst_yolov7_analysis_end_flight (self, &flight);
  }
}

/* @src: (nullable): upstream sends no sticky event a second time, so what has not left is put
 * there, as queue does. */
static void
drop_item (const GstYolov7Item *item, GstPad *src)
{
  if (src && GST_IS_EVENT (item->object) && GST_EVENT_IS_STICKY (item->object) &&
      GST_EVENT_TYPE (item->object) != GST_EVENT_SEGMENT &&
      GST_EVENT_TYPE (item->object) != GST_EVENT_EOS)
    gst_pad_store_sticky_event (src, GST_EVENT_CAST (item->object));
  gst_mini_object_unref (item->object);
}

void
gst_yolov7_analysis_flush (GstYolov7Analysis *self, GstPad *src)
{
  GST_DEBUG_OBJECT (self->element, "dropping what has not left");
  gst_yolov7_analysis_drop_flights (self);
  gst_yolov7_analysis_drop_late (self);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->last_ready = 0;
  while (!gst_yolov7_lineup_is_empty (&self->lineup)) {
    const GstYolov7Item item = gst_yolov7_lineup_take (&self->lineup);

    drop_item (&item, src);
  }
  g_mutex_lock (&self->mutex);
  reset_counts (self);
  g_mutex_unlock (&self->mutex);
}

void
gst_yolov7_analysis_stop (GstYolov7Analysis *self)
{
  gst_yolov7_analysis_flush (self, NULL);
  g_mutex_lock (&self->mutex);
  while (self->n_jobs > 0)
    g_cond_wait (&self->changed, &self->mutex);
  GstYolov7Session *session = g_steal_pointer (&self->session);
  GstYolov7Session *next = g_steal_pointer (&self->next_session);
  g_mutex_unlock (&self->mutex);
  gst_yolov7_session_unref (next);
  gst_yolov7_session_unref (session);
}

void
gst_yolov7_analysis_set_flushing (GstYolov7Analysis *self, gboolean is_flushing)
{
  g_mutex_lock (&self->mutex);
  self->is_flushing = is_flushing;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
}

/* ---- another model -------------------------------------------------------------------------- */

gboolean
gst_yolov7_session_prepare (GstYolov7Session *session, const GstVideoInfo *info, GError **error)
{
  return GST_VIDEO_INFO_FORMAT (info) == GST_VIDEO_FORMAT_UNKNOWN ||
         yv_stream_prepare (session->stream, (uint32_t) GST_VIDEO_INFO_WIDTH (info),
                            (uint32_t) GST_VIDEO_INFO_HEIGHT (info), error);
}

static GstYolov7Session *
load_beside (GstYolov7Analysis *self, const GstYolov7Settings *settings, GstYolov7Session *old,
             const GstVideoInfo *info, GError **error)
{
  const gboolean is_named = settings->model_instance_id != NULL;
  const char *doing;

  if (is_named)
    gst_yolov7_model_supersede (old->model);
  g_autoptr (GstYolov7Session) session = gst_yolov7_session_new (
      self->element, settings, gst_yolov7_analysis_on_ready, self, &doing, error);
  if (session && gst_yolov7_session_prepare (session, info, error))
    return g_steal_pointer (&session);
  g_clear_pointer (&session, gst_yolov7_session_unref);
  if (is_named)
    gst_yolov7_model_keep (old->model);
  return NULL;
}

gboolean
gst_yolov7_analysis_load (GstYolov7Analysis *self, const GstYolov7Settings *settings, char **in_use)
{
  GError *error = NULL;

  g_mutex_lock (&self->mutex);
  const GstVideoInfo info = self->info;
  g_autoptr (GstYolov7Session) old =
      gst_yolov7_session_ref (self->next_session ? self->next_session : self->session);
  g_mutex_unlock (&self->mutex);

  GstYolov7Session *session = load_beside (self, settings, old, &info, &error);
  if (!session) {
    GST_YOLOV7_POST_WARNING (self->element, "The model stays as it was", error);
    *in_use = g_strdup (old->settings.model_file);
    return FALSE;
  }
  g_mutex_lock (&self->mutex);
  GstYolov7Session *never_used = self->next_session;
  self->next_session = session;
  g_mutex_unlock (&self->mutex);
  gst_yolov7_session_unref (never_used);
  return TRUE;
}

static GstYolov7Session *
take_next_session_locked (GstYolov7Analysis *self)
{
  GstYolov7Session *old = self->session;

  self->session = g_steal_pointer (&self->next_session);
  self->is_update_untold = TRUE;
  self->n_unmeasured = GST_YOLOV7_N_UNMEASURED + self->lineup.n_frames;
  self->tally.stats.model_updates++;
  GST_INFO_OBJECT (self->element, "%s takes over",
                   yv_engine_info (self->session->engine)->model_source);
  return old;
}

GstYolov7Session *
gst_yolov7_analysis_use_session (GstYolov7Analysis *self, gboolean *updated)
{
  GstYolov7Session *old = NULL;

  g_mutex_lock (&self->mutex);
  while (self->is_resubmitting)
    g_cond_wait (&self->changed, &self->mutex);
  if (self->next_session && !self->is_recovering)
    old = take_next_session_locked (self);
  if (updated) {
    *updated = self->is_update_untold;
    self->is_update_untold = FALSE;
  }
  self->is_using = TRUE;
  GstYolov7Session *session = gst_yolov7_session_ref (self->session);
  g_mutex_unlock (&self->mutex);
  if (old)
    gst_yolov7_analysis_drop_session (self, old);
  return session;
}

void
gst_yolov7_analysis_end_use (GstYolov7Analysis *self, GstYolov7Session *session)
{
  g_mutex_lock (&self->mutex);
  self->is_using = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  gst_yolov7_analysis_drop_session (self, session);
}

/* ---- what is known of it -------------------------------------------------------------------- */

gboolean
gst_yolov7_analysis_has_failed (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  const gboolean has_failed = self->has_failed;
  g_mutex_unlock (&self->mutex);
  return has_failed;
}

GstClockTime
gst_yolov7_analysis_latency (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  const GstClockTime latency = self->latency.reported;
  g_mutex_unlock (&self->mutex);
  return latency;
}

GstStructure *
gst_yolov7_analysis_stats (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  g_autoptr (GstYolov7Session) session =
      self->session ? gst_yolov7_session_ref (self->session) : NULL;
  GstYolov7Stats stats = gst_yolov7_tally_read (&self->tally);
  stats.latency = self->latency.reported;
  g_mutex_unlock (&self->mutex);
  return gst_yolov7_tally_report (&stats, session ? session->engine : NULL);
}
