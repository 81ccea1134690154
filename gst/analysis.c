/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/analysis.c - what yolov7 does between its pads. */
#include "gst/analysis-private.h"

#include "gst/framepool.h"
#include "gst/posterror.h"

#define GST_CAT_DEFAULT gst_yolov7_debug

GstClockTime
gst_yolov7_analysis_now (void)
{
  return (GstClockTime) g_get_monotonic_time () * 1000;
}

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

typedef struct {
  GstYolov7Analysis *self;
  void (*func) (GstElement *element);
  GstYolov7Session *session;
} Job;

static void
run_job (GstElement *element, gpointer user_data)
{
  const Job *job = user_data;
  GstYolov7Analysis *self = job->self;

  if (job->func)
    job->func (element);
  gst_yolov7_session_unref (job->session);
  g_mutex_lock (&self->mutex);
  self->n_jobs--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
}

gboolean
gst_yolov7_analysis_run_beside (GstYolov7Analysis *self, void (*func) (GstElement *element))
{
  const Job job = {.self = self, .func = func};

  g_mutex_lock (&self->mutex);
  const gboolean is_started = self->session != NULL;
  self->n_jobs += is_started;
  g_mutex_unlock (&self->mutex);
  if (is_started)
    gst_element_call_async (self->element, run_job, g_memdup2 (&job, sizeof job), g_free);
  return is_started;
}

void
gst_yolov7_analysis_drop_session (GstYolov7Analysis *self, GstYolov7Session *session)
{
  const Job job = {.self = self, .session = session};

  g_mutex_lock (&self->mutex);
  const gboolean is_in_use = session == self->session;
  self->n_jobs += !is_in_use;
  g_mutex_unlock (&self->mutex);
  if (is_in_use)
    gst_yolov7_session_unref (session);
  else
    gst_element_call_async (self->element, run_job, g_memdup2 (&job, sizeof job), g_free);
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

  if (yv_stream_submit (flight->session->stream, &flight->view.image, 1, &error)) {
    gst_yolov7_flight_unmap_copied (flight);
    return TRUE;
  }
  gst_yolov7_flight_unmap (flight);
  flight->is_lost = g_error_matches (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
  if (flight->is_lost) {
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
  self->is_recovering = FALSE;
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
  self->is_update_untold = FALSE;
  gst_video_info_init (&self->info);
  memset (&self->tally, 0, sizeof self->tally);
  self->latency = (GstYolov7Latency){0};
  reset_counts (self);
  g_mutex_unlock (&self->mutex);
  for (guint i = 0; i < GST_YOLOV7_MAX_RECOVERIES; i++)
    self->recoveries[i] = GST_CLOCK_TIME_NONE;
  return TRUE;
}

void
gst_yolov7_analysis_drop_late (GstYolov7Analysis *self)
{
  self->late.is_there = FALSE;
  g_clear_pointer (&self->late.session, gst_yolov7_session_unref);
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

void
gst_yolov7_analysis_flush (GstYolov7Analysis *self)
{
  GST_DEBUG_OBJECT (self->element, "dropping what has not left");
  gst_yolov7_analysis_drop_flights (self);
  gst_yolov7_analysis_drop_late (self);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  g_mutex_lock (&self->mutex);
  while (!gst_yolov7_lineup_is_empty (&self->lineup))
    gst_mini_object_unref (gst_yolov7_lineup_take (&self->lineup).object);
  reset_counts (self);
  g_mutex_unlock (&self->mutex);
}

void
gst_yolov7_analysis_stop (GstYolov7Analysis *self)
{
  gst_yolov7_analysis_flush (self);
  g_mutex_lock (&self->mutex);
  while (self->n_jobs > 0)
    g_cond_wait (&self->changed, &self->mutex);
  g_mutex_unlock (&self->mutex);
  g_clear_pointer (&self->next_session, gst_yolov7_session_unref);
  g_clear_pointer (&self->session, gst_yolov7_session_unref);
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
  const char *doing;

  if (settings->model_instance_id)
    gst_yolov7_model_forget (old->model);
  g_autoptr (GstYolov7Session) session = gst_yolov7_session_new (
      self->element, settings, gst_yolov7_analysis_on_ready, self, &doing, error);
  if (session && gst_yolov7_session_prepare (session, info, error))
    return g_steal_pointer (&session);
  g_clear_pointer (&session, gst_yolov7_session_unref);
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

GstYolov7Session *
gst_yolov7_analysis_use_session (GstYolov7Analysis *self, gboolean *updated)
{
  GstYolov7Session *old = NULL;

  g_mutex_lock (&self->mutex);
  if (self->next_session) {
    old = self->session;
    self->is_update_untold = TRUE;
    self->session = g_steal_pointer (&self->next_session);
    self->n_unmeasured = GST_YOLOV7_N_UNMEASURED + self->lineup.n_frames;
    self->tally.stats.model_updates++;
  }
  if (updated) {
    *updated = self->is_update_untold;
    self->is_update_untold = FALSE;
  }
  GstYolov7Session *session = gst_yolov7_session_ref (self->session);
  g_mutex_unlock (&self->mutex);
  if (old) {
    GST_INFO_OBJECT (self->element, "%s takes over",
                     yv_engine_info (session->engine)->model_source);
    gst_yolov7_analysis_drop_session (self, old);
  }
  return session;
}

/* ---- what is known of it -------------------------------------------------------------------- */

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
