/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/recovery.c - what happens when an analysis fails, or its device is lost. */
#include "gst/analysis-private.h"

#include "gst/posterror.h"

#define GST_CAT_DEFAULT gst_yolov7_debug

#define RECOVERIES_WITHIN (60 * GST_SECOND)

void
gst_yolov7_analysis_note_lost (GstYolov7Analysis *self, GstYolov7Session *session, GError *error)
{
  GST_WARNING_OBJECT (self->element, "%s", error->message);
  g_error_free (error);
  g_atomic_int_set (&session->is_lost, TRUE);
  g_mutex_lock (&self->mutex);
  self->is_recovering = TRUE;
  g_mutex_unlock (&self->mutex);
}

/* An error was posted. */
static void
give_up (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  self->flow = GST_FLOW_ERROR;
  while (self->is_submitting)
    g_cond_wait (&self->changed, &self->mutex);
  self->is_recovering = FALSE;
  gst_yolov7_lineup_release (&self->lineup);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  gst_yolov7_analysis_drop_flights (self);
}

void
gst_yolov7_analysis_fail (GstYolov7Analysis *self, const char *doing, GError *error)
{
  GST_YOLOV7_POST_ERROR (self->element, doing, error);
  give_up (self);
}

/* Returns: whether another recovery is within bounds; it is counted then. */
static gboolean
count_recovery (GstYolov7Analysis *self)
{
  GstClockTime *oldest = &self->recoveries[0];
  const GstClockTime time = gst_yolov7_analysis_now ();

  if (GST_CLOCK_TIME_IS_VALID (*oldest) && time - *oldest < RECOVERIES_WITHIN)
    return FALSE;
  memmove (oldest, oldest + 1, sizeof self->recoveries - sizeof *oldest);
  self->recoveries[GST_YOLOV7_MAX_RECOVERIES - 1] = time;
  return TRUE;
}

static gboolean
restart_session (GstYolov7Analysis *self, GstYolov7Session *lost, const GstVideoInfo *info)
{
  const char *doing = "Could not go on";
  GError *error = NULL;

  if (!count_recovery (self)) {
    g_set_error (&error, YV_ERROR, YV_ERROR_DEVICE_LOST,
                 "the device was lost more than %d times in a minute; look into the kernel's log, "
                 "update the driver, or choose another device",
                 GST_YOLOV7_MAX_RECOVERIES);
    gst_yolov7_analysis_fail (self, doing, error);
    return FALSE;
  }
  GST_ELEMENT_WARNING (
      self->element, RESOURCE, FAILED,
      ("The device was lost; the model is loaded again, and frames go on."),
      ("the kernel's log says why; at most %d times a minute", GST_YOLOV7_MAX_RECOVERIES));
  GstYolov7Session *session =
      gst_yolov7_session_renew (lost, gst_yolov7_analysis_on_ready, self, &doing, &error);
  if (!session || !gst_yolov7_session_prepare (session, info, &error)) {
    gst_yolov7_session_unref (session);
    gst_yolov7_analysis_fail (self, doing, error);
    return FALSE;
  }
  g_mutex_lock (&self->mutex);
  self->session = session;
  self->tally.stats.recoveries++;
  self->n_unmeasured = GST_YOLOV7_N_UNMEASURED + self->lineup.n_frames;
  g_mutex_unlock (&self->mutex);
  gst_yolov7_analysis_drop_session (self, lost);
  return TRUE;
}

/* One that was in flight on a device that was lost; of a frame that did not go on without it. */
static gboolean
submit_again (GstYolov7Analysis *self, GstYolov7Flight *flight)
{
  GstBuffer *frame = gst_yolov7_analysis_borrow_frame (self, flight->number);

  gst_yolov7_analysis_drop_session (self, flight->session);
  flight->session = gst_yolov7_session_ref (self->session);
  flight->is_lost = FALSE;
  return gst_yolov7_analysis_map (self, flight, frame) && gst_yolov7_analysis_submit (self, flight);
}

static gboolean
is_waited_for (GstYolov7Analysis *self, guint64 number)
{
  g_mutex_lock (&self->mutex);
  const GstYolov7Item *item = gst_yolov7_lineup_find (&self->lineup, number);
  const gboolean waits = item && item->state == GST_YOLOV7_ITEM_WAITING;
  g_mutex_unlock (&self->mutex);
  return waits;
}

/* Its frame went on without it, and nobody has it any more. */
static void
skip_flight (GstYolov7Analysis *self, GstYolov7Flight *flight)
{
  gst_yolov7_analysis_end_flight (self, flight);
  g_mutex_lock (&self->mutex);
  self->tally.stats.skipped_busy++;
  g_mutex_unlock (&self->mutex);
}

static void
drop_flight (GstYolov7Analysis *self, GstYolov7Flight *flight)
{
  gst_yolov7_analysis_end_flight (self, flight);
  g_mutex_lock (&self->mutex);
  self->tally.stats.frames_dropped++;
  g_mutex_unlock (&self->mutex);
}

/* Each flight once, in their order; nobody adds one meanwhile. */
static gboolean
submit_all_again (GstYolov7Analysis *self)
{
  for (guint i = gst_yolov7_lineup_n_flights (&self->lineup); i > 0; i--) {
    GstYolov7Flight flight = gst_yolov7_lineup_take_flight (&self->lineup);
    const gboolean is_lost = g_atomic_int_get (&flight.session->is_lost);

    if (is_lost) {
      yv_stream_abandon (flight.session->stream);
      gst_yolov7_flight_unmap (&flight);
    }
    if (is_lost && !is_waited_for (self, flight.number)) {
      skip_flight (self, &flight);
      continue;
    }
    if (is_lost && !submit_again (self, &flight)) {
      drop_flight (self, &flight);
      return FALSE;
    }
    gst_yolov7_lineup_add_flight (&self->lineup, &flight);
  }
  return TRUE;
}

void
gst_yolov7_analysis_recover (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  while (self->is_submitting)
    g_cond_wait (&self->changed, &self->mutex);
  GstYolov7Session *session = self->session;
  const GstVideoInfo info = self->info;
  g_mutex_unlock (&self->mutex);

  if (g_atomic_int_get (&session->is_lost) && !restart_session (self, session, &info))
    return;
  if (!submit_all_again (self)) {
    give_up (self);
    return;
  }
  g_mutex_lock (&self->mutex);
  self->is_recovering = g_atomic_int_get (&self->session->is_lost);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
}
