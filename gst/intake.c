/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/intake.c - frames and events go in, each to be analysed or not. */
#include "gst/analysis-private.h"

#include "gst/framepool.h"
#define GST_CAT_DEFAULT gst_yolov7_debug

/* Frames that may stand in line: few enough for the pools of decoders and cameras. */
#define MAX_FRAMES 64

/* A device that was lost is no failure: the first frame finds it so, and has it opened again. */
static gboolean
prepare_or_lose (GstYolov7Analysis *self, const GstVideoInfo *info, GError **error)
{
  GstYolov7Session *session = gst_yolov7_analysis_use_session (self, NULL);
  GError *why = NULL;
  const gboolean done = gst_yolov7_session_prepare (session, info, &why);

  gst_yolov7_analysis_end_use (self, session);
  if (done)
    return TRUE;
  if (!g_error_matches (why, YV_ERROR, YV_ERROR_DEVICE_LOST)) {
    g_propagate_error (error, why);
    return FALSE;
  }
  GST_WARNING_OBJECT (self->element, "%s", why->message);
  g_error_free (why);
  return TRUE;
}

gboolean
gst_yolov7_analysis_prepare (GstYolov7Analysis *self, const GstVideoInfo *info, GError **error)
{
  if (!prepare_or_lose (self, info, error))
    return FALSE;
  GST_DEBUG_OBJECT (self->element, "ready for %dx%d", GST_VIDEO_INFO_WIDTH (info),
                    GST_VIDEO_INFO_HEIGHT (info));
  g_mutex_lock (&self->mutex);
  self->info = *info;
  self->n_unmeasured = GST_YOLOV7_N_UNMEASURED + self->lineup.n_frames;
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

/* What becomes of a frame. */
typedef enum { FATE_ANALYSED, FATE_REPLACES, FATE_OFF_INTERVAL, FATE_BUSY, FATE_LATE } Fate;

static guint
max_in_flight_locked (const GstYolov7Analysis *self)
{
  const guint max = self->session->settings.stream.max_in_flight;

  if (max > 0)
    return max;
  return self->policy.leaky == GST_YOLOV7_LEAKY_NO ? 2 : 1;
}

static gboolean
is_busy_locked (const GstYolov7Analysis *self)
{
  return gst_yolov7_lineup_n_flights (&self->lineup) >= max_in_flight_locked (self);
}

/* Those in flight with what lies between them, and one that is done. Behind more of them frames
 * would only be late, and hold memory. With leaky=upstream those behind one in flight are as many
 * as come. */
static guint
max_frames_locked (const GstYolov7Analysis *self)
{
  const guint64 interval =
      self->policy.leaky == GST_YOLOV7_LEAKY_DOWNSTREAM ? 1 : self->policy.interval;

  if (self->policy.leaky == GST_YOLOV7_LEAKY_UPSTREAM)
    return MAX_FRAMES;
  return (guint) MIN (max_in_flight_locked (self) * interval + 1, MAX_FRAMES);
}

/* A frame that goes without an analysis needs no more than a place in the line. */
static gboolean
has_room_locked (const GstYolov7Analysis *self, gboolean is_wanted)
{
  if (self->lineup.n_frames >= max_frames_locked (self))
    return FALSE;
  if (self->policy.leaky != GST_YOLOV7_LEAKY_NO)
    return TRUE;
  return !self->is_recovering && (!is_wanted || !is_busy_locked (self));
}

static GstFlowReturn
wait_for_room_locked (GstYolov7Analysis *self, gboolean is_wanted)
{
  while (!self->is_flushing && self->flow == GST_FLOW_OK && !has_room_locked (self, is_wanted))
    g_cond_wait (&self->changed, &self->mutex);
  return self->is_flushing ? GST_FLOW_FLUSHING : self->flow;
}

/* The newest flight may be replaced where its frame went on without it and its stream is the one
 * that is used. */
static Fate
fate_when_busy_locked (GstYolov7Analysis *self)
{
  const GstYolov7Flight *newest = gst_yolov7_lineup_newest_flight (&self->lineup);

  return self->policy.leaky == GST_YOLOV7_LEAKY_DOWNSTREAM && newest->session == self->session &&
                 !newest->is_lost
             ? FATE_REPLACES
             : FATE_BUSY;
}

static Fate
choose_fate_locked (GstYolov7Analysis *self, gboolean is_due, gboolean is_late)
{
  if (!is_due)
    return FATE_OFF_INTERVAL;
  if (is_late)
    return FATE_LATE;
  if (self->is_recovering)
    return FATE_BUSY;
  return is_busy_locked (self) ? fate_when_busy_locked (self) : FATE_ANALYSED;
}

static void
count_fate_locked (GstYolov7Analysis *self, Fate fate)
{
  self->tally.stats.frames_in++;
  self->tally.stats.skipped_interval += fate == FATE_OFF_INTERVAL;
  self->tally.stats.skipped_busy += fate == FATE_BUSY;
  self->tally.stats.skipped_late += fate == FATE_LATE;
}

static void
add_free_locked (GstYolov7Analysis *self, GstBuffer *frame, GstClockTime arrival)
{
  gst_yolov7_lineup_add_frame (&self->lineup, frame, GST_YOLOV7_ITEM_FREE, arrival);
}

/* What the "in" thread does without the lock, between these two, may use the session's stream. */
static void
begin_submitting_locked (GstYolov7Analysis *self, Fate fate)
{
  self->is_submitting = TRUE;
  self->is_replacing = fate == FATE_REPLACES;
}

static void
end_submitting_locked (GstYolov7Analysis *self)
{
  self->is_submitting = self->is_replacing = FALSE;
  g_cond_broadcast (&self->changed);
}

static void
add_flight_locked (GstYolov7Analysis *self, GstYolov7Flight *flight, GstBuffer *frame,
                   GstClockTime arrival)
{
  flight->number =
      gst_yolov7_lineup_add_frame (&self->lineup, frame, GST_YOLOV7_ITEM_WAITING, arrival);
  gst_yolov7_lineup_add_flight (&self->lineup, flight);
  if (flight->is_lost)
    self->is_recovering = TRUE;
}

static GstFlowReturn
refuse (GstYolov7Analysis *self, GstYolov7Flight *flight, GstBuffer *frame)
{
  gst_yolov7_analysis_end_flight (self, flight);
  gst_buffer_unref (frame);
  g_mutex_lock (&self->mutex);
  self->tally.stats.frames_dropped++;
  end_submitting_locked (self);
  g_mutex_unlock (&self->mutex);
  return GST_FLOW_ERROR;
}

static GstFlowReturn
analyse (GstYolov7Analysis *self, GstYolov7Flight *flight, GstBuffer *frame, GstClockTime arrival)
{
  if (!gst_yolov7_analysis_map (self, flight, frame) || !gst_yolov7_analysis_submit (self, flight))
    return refuse (self, flight, frame);
  g_mutex_lock (&self->mutex);
  add_flight_locked (self, flight, frame, arrival);
  end_submitting_locked (self);
  g_mutex_unlock (&self->mutex);
  return GST_FLOW_OK;
}

/* In the place of the newest flight. Its frame has left, or goes on without an analysis. */
static void
replace_locked (GstYolov7Analysis *self, GstYolov7Flight *flight, GstBuffer *frame,
                GstClockTime arrival)
{
  GstYolov7Flight *newest = gst_yolov7_lineup_newest_flight (&self->lineup);

  gst_yolov7_lineup_release (&self->lineup, arrival);

  flight->number =
      gst_yolov7_lineup_add_frame (&self->lineup, frame, GST_YOLOV7_ITEM_WAITING, arrival);
  self->tally.stats.skipped_busy++; /* the other one */
  const GstYolov7Flight other = *newest;
  *newest = *flight;
  *flight = other;
}

static GstFlowReturn
replace_or_pass (GstYolov7Analysis *self, GstYolov7Flight *flight, GstBuffer *frame,
                 GstClockTime arrival)
{
  g_autoptr (GError) error = NULL;
  bool replaced = false;

  if (!gst_yolov7_analysis_map (self, flight, frame))
    return refuse (self, flight, frame);
  flight->submitted = gst_yolov7_latency_now ();
  if (!yv_stream_replace (flight->session->stream, &flight->view.image, &replaced, &error))
    GST_WARNING_OBJECT (self->element, "frame not taken: %s", error->message);
  if (!replaced)
    gst_yolov7_flight_unmap (flight);
  else
    gst_yolov7_flight_unmap_copied (flight);
  g_mutex_lock (&self->mutex);
  if (replaced) {
    replace_locked (self, flight, frame, arrival);
  } else {
    add_free_locked (self, frame, arrival);
    self->tally.stats.skipped_busy++;
  }
  end_submitting_locked (self);
  g_mutex_unlock (&self->mutex);
  gst_yolov7_analysis_end_flight (self, flight);
  return GST_FLOW_OK;
}

static void
log_fate (GstYolov7Analysis *self, Fate fate, GstBuffer *frame)
{
  static const char *const names[] = {
      [FATE_ANALYSED] = "is analysed",
      [FATE_REPLACES] = "may take the place of the one that waits",
      [FATE_OFF_INTERVAL] = "is not due",
      [FATE_BUSY] = "finds the device busy",
      [FATE_LATE] = "is late",
  };

  GST_LOG_OBJECT (self->element, "frame %" GST_TIME_FORMAT " %s, %u in flight",
                  GST_TIME_ARGS (GST_BUFFER_PTS (frame)), names[fate],
                  gst_yolov7_lineup_n_flights (&self->lineup));
}

/* Needs the lock, and gives it back. */
static GstFlowReturn
dispatch_and_unlock (GstYolov7Analysis *self, Fate fate, GstBuffer *frame, GstClockTime arrival)
{
  if (fate != FATE_ANALYSED && fate != FATE_REPLACES) {
    add_free_locked (self, frame, arrival);
    g_cond_broadcast (&self->changed);
    g_mutex_unlock (&self->mutex);
    return GST_FLOW_OK;
  }

  GstYolov7Flight flight = {
      .session = gst_yolov7_session_ref (self->session),
      .info = self->info,
      .segment = self->segment,
  };
  begin_submitting_locked (self, fate);
  g_mutex_unlock (&self->mutex);
  return fate == FATE_ANALYSED ? analyse (self, &flight, frame, arrival)
                               : replace_or_pass (self, &flight, frame, arrival);
}

GstFlowReturn
gst_yolov7_analysis_take_frame (GstYolov7Analysis *self, GstBuffer *frame, gboolean *is_late)
{
  g_mutex_lock (&self->mutex);
  const gboolean is_due = self->n_counted % self->policy.interval == 0;
  if (self->policy.leaky == GST_YOLOV7_LEAKY_DOWNSTREAM &&
      gst_yolov7_lineup_release (&self->lineup, gst_yolov7_latency_now ()) > 0)
    g_cond_broadcast (&self->changed);
  const GstFlowReturn flow = wait_for_room_locked (self, is_due && !*is_late);
  if (flow != GST_FLOW_OK) {
    g_mutex_unlock (&self->mutex);
    gst_buffer_unref (frame);
    *is_late = FALSE;
    return flow;
  }
  const GstClockTime arrival = gst_yolov7_latency_now (); /* what it waited for was upstream's */
  const Fate fate = choose_fate_locked (self, is_due, *is_late);
  if (fate != FATE_BUSY) /* else the next one is due */
    self->n_counted++;
  count_fate_locked (self, fate);
  *is_late = fate == FATE_LATE;
  log_fate (self, fate, frame);
  return dispatch_and_unlock (self, fate, frame, arrival);
}

/* A new stream, or a new segment of it, begins after an end: its frames are taken, while those
 * before it in the line are still dropped. */
static void
forget_end_locked (GstYolov7Analysis *self, const GstEvent *event)
{
  if (self->flow == GST_FLOW_EOS && gst_yolov7_lineup_restarts (GST_MINI_OBJECT_CAST (event)))
    self->flow = GST_FLOW_OK;
}

/* Sticky events are taken even then: they matter when downstream is linked again. */
static GstFlowReturn
check_event_locked (const GstYolov7Analysis *self, const GstEvent *event)
{
  const gboolean ends = GST_EVENT_TYPE (event) == GST_EVENT_EOS;

  if (self->is_flushing)
    return GST_FLOW_FLUSHING;
  if (self->flow == GST_FLOW_EOS || (GST_EVENT_IS_STICKY (event) && !ends))
    return GST_FLOW_OK;
  return self->flow;
}

GstFlowReturn
gst_yolov7_analysis_take_event (GstYolov7Analysis *self, GstEvent *event)
{
  g_mutex_lock (&self->mutex);
  forget_end_locked (self, event);
  const GstFlowReturn flow = check_event_locked (self, event);
  if (flow == GST_FLOW_OK && GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    gst_event_copy_segment (event, &self->segment);
  if (flow == GST_FLOW_OK)
    gst_yolov7_lineup_add_event (&self->lineup, event);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  if (flow != GST_FLOW_OK)
    gst_event_unref (event);
  return flow;
}

gboolean
gst_yolov7_analysis_drain (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  while (!self->is_flushing && (self->is_leaving || !gst_yolov7_lineup_is_empty (&self->lineup)))
    g_cond_wait (&self->changed, &self->mutex);
  const gboolean is_drained = !self->is_flushing;
  g_mutex_unlock (&self->mutex);
  return is_drained;
}

gboolean
gst_yolov7_analysis_propose (GstYolov7Analysis *self, GstPad *src, GstQuery *query)
{
  GstYolov7Session *session = gst_yolov7_analysis_use_session (self, NULL);
  g_autoptr (GstYolov7Session) kept = gst_yolov7_session_ref (session);

  g_mutex_lock (&self->mutex);
  const guint n_held = max_in_flight_locked (self) + 1; /* and the one that is being pushed */
  g_mutex_unlock (&self->mutex);
  gst_yolov7_analysis_end_use (self, session);
  return gst_yolov7_propose_allocation (src, query, kept->engine, n_held);
}
