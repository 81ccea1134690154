/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/recovery.c - what happens when an analysis fails, or its device is lost. */
#include "gst/analysis-private.h"

#include "gst/posterror.h"

#define GST_CAT_DEFAULT gst_yolov7_debug

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
  self->has_failed = TRUE;
  while (self->is_submitting)
    g_cond_wait (&self->changed, &self->mutex);
  self->is_recovering = self->restart_failed = FALSE;
  gst_yolov7_lineup_release (&self->lineup, gst_yolov7_latency_now ());
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

/* ---- the model once more --------------------------------------------------------------------- */

static GstYolov7Session *
renew (GstYolov7Analysis *self, GstYolov7Session *lost)
{
  const char *doing = "Could not go on";
  GError *error = NULL;

  g_mutex_lock (&self->mutex);
  const GstVideoInfo info = self->info;
  g_mutex_unlock (&self->mutex);
  g_autoptr (GstYolov7Session) session =
      gst_yolov7_session_renew (lost, gst_yolov7_analysis_on_ready, self, &doing, &error);
  if (session)
    doing = "Could not prepare for frames of this size again";
  if (session && gst_yolov7_session_prepare (session, &info, &error))
    return g_steal_pointer (&session);
  GST_YOLOV7_POST_ERROR (self->element, doing, error);
  return NULL;
}

/* On a thread of its own: frames that wait for nothing leave meanwhile, and a flush waits for
 * nothing. */
static void
restart (GstYolov7Analysis *self, GstYolov7Session *lost)
{
  GstYolov7Session *session = renew (self, lost), *old = NULL;

  g_mutex_lock (&self->mutex);
  if (session) {
    old = self->session; /* which is @lost: no other takes over meanwhile */
    self->session = session;
    self->tally.stats.recoveries++;
    self->n_unmeasured = GST_YOLOV7_N_UNMEASURED + self->lineup.n_frames;
  }
  self->restart_failed = !session;
  self->is_restarting = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  gst_yolov7_session_unref (old);
}

static void
start_restart (GstYolov7Analysis *self, GstYolov7Session *lost)
{
  if (!gst_yolov7_losses_add (&self->losses, gst_yolov7_latency_now ())) {
    gst_yolov7_analysis_fail (
        self, "Could not go on",
        g_error_new (YV_ERROR, YV_ERROR_DEVICE_LOST,
                     "the device was lost more than %d times in a minute; look into the kernel's "
                     "log, update the driver, or choose another device",
                     GST_YOLOV7_MAX_LOSSES));
    return;
  }
  GST_ELEMENT_WARNING (
      self->element, RESOURCE, FAILED,
      ("The device was lost; the model is loaded again, and frames go on."),
      ("the kernel's log says why; at most %d times a minute", GST_YOLOV7_MAX_LOSSES));
  g_mutex_lock (&self->mutex);
  self->is_restarting = TRUE;
  gst_yolov7_analysis_start_job_locked (self, restart, gst_yolov7_session_ref (lost));
  g_mutex_unlock (&self->mutex);
}

/* ---- the frames once more -------------------------------------------------------------------- */

static gboolean
is_waited_for (GstYolov7Analysis *self, guint64 number)
{
  g_mutex_lock (&self->mutex);
  const GstYolov7Item *item = gst_yolov7_lineup_find (&self->lineup, number);
  const gboolean waits = item && item->state == GST_YOLOV7_ITEM_WAITING;
  g_mutex_unlock (&self->mutex);
  return waits;
}

static void
count_one_more (GstYolov7Analysis *self, guint64 *count)
{
  g_mutex_lock (&self->mutex);
  (*count)++;
  g_mutex_unlock (&self->mutex);
}

/* False with an error posted. */
static gboolean
submit_again (GstYolov7Analysis *self, GstYolov7Flight *flight, GstYolov7Session *session)
{
  GstBuffer *frame = gst_yolov7_analysis_borrow_frame (self, flight->number);

  gst_yolov7_analysis_drop_session (self, flight->session);
  flight->session = gst_yolov7_session_ref (session);
  flight->is_lost = FALSE;
  return gst_yolov7_analysis_map (self, flight, frame) && gst_yolov7_analysis_submit (self, flight);
}

/* All flights, in their order: those of another device would come back before the ones that are
 * submitted again now. Frames that went on without theirs have nobody to wait for it. */
static gboolean
submit_all_again (GstYolov7Analysis *self, GstYolov7Session *session)
{
  for (guint i = gst_yolov7_lineup_n_flights (&self->lineup); i > 0; i--) {
    GstYolov7Flight flight = gst_yolov7_lineup_take_flight (&self->lineup);

    yv_stream_abandon (flight.session->stream);
    gst_yolov7_flight_unmap (&flight);
    if (!is_waited_for (self, flight.number)) {
      gst_yolov7_analysis_end_flight (self, &flight);
      count_one_more (self, &self->tally.stats.skipped_busy);
      continue;
    }
    if (!submit_again (self, &flight, session)) {
      gst_yolov7_analysis_end_flight (self, &flight);
      count_one_more (self, &self->tally.stats.frames_dropped);
      return FALSE;
    }
    gst_yolov7_lineup_add_flight (&self->lineup, &flight);
  }
  return TRUE;
}

static void
resubmit (GstYolov7Analysis *self, GstYolov7Session *session)
{
  const gboolean done = submit_all_again (self, session);

  g_mutex_lock (&self->mutex);
  self->is_resubmitting = FALSE;
  self->is_recovering = g_atomic_int_get (&session->is_lost);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  if (!done)
    give_up (self);
}

/* One step of it: loads the model again, or, once that is done, submits the frames again. */
void
gst_yolov7_analysis_recover (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  while (self->is_submitting || self->is_using)
    g_cond_wait (&self->changed, &self->mutex);
  g_autoptr (GstYolov7Session) session = gst_yolov7_session_ref (self->session);
  const gboolean has_failed = self->restart_failed;
  const gboolean is_lost = g_atomic_int_get (&session->is_lost);
  self->is_resubmitting = !has_failed && !is_lost;
  g_mutex_unlock (&self->mutex);

  if (has_failed)
    give_up (self);
  else if (is_lost)
    start_restart (self, session);
  else
    resubmit (self, session);
}
