/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/outlet.c - analyses come back, and frames and events leave in their order. */
#include "gst/analysis-private.h"

#include "gst/found.h"
#include "gst/report.h"

#define GST_CAT_DEFAULT gst_yolov7_debug

/* ---- what was found ------------------------------------------------------------------------- */

typedef struct {
  const GstYolov7Frame *frame;
  const GstSegment *segment; /* that it was in */
  const YvDetections *found;
  GstYolov7Session *session;
} Result;

/* @buffer: (transfer full). Returns: (transfer full): it, or a writable copy of what describes it.
 */
static GstBuffer *
attach (GstYolov7Analysis *self, GstBuffer *buffer, const Result *result)
{
  g_mutex_lock (&self->mutex);
  const GstYolov7Policy policy = self->policy;
  g_mutex_unlock (&self->mutex);
  const GArray *found = self->scratch;

  gst_yolov7_found_convert (result->found, gst_yolov7_session_class_names (result->session),
                            self->scratch);
  buffer = gst_buffer_make_writable (buffer);
  gst_yolov7_detections_attach (buffer, result->frame,
                                (const GstYolov7Detection *) (gpointer) found->data, found->len,
                                policy.kinds);
  if (policy.posts_messages)
    gst_element_post_message (
        self->element, gst_message_new_element (
                           GST_OBJECT_CAST (self->element),
                           gst_yolov7_report_detections (
                               result->frame, result->segment,
                               (const GstYolov7Detection *) (gpointer) found->data, found->len)));
  return buffer;
}

static void
return_frame (GstYolov7Analysis *self, guint64 number, GstBuffer *frame, GstClockTime ready)
{
  g_mutex_lock (&self->mutex);
  GstYolov7Item *item = gst_yolov7_lineup_find (&self->lineup, number);
  item->object = GST_MINI_OBJECT_CAST (frame);
  item->state = GST_YOLOV7_ITEM_ANALYSED;
  item->ready = ready;
  g_mutex_unlock (&self->mutex);
}

static void
keep_late (GstYolov7Analysis *self, const Result *result)
{
  gst_yolov7_analysis_drop_late (self);
  g_array_set_size (self->late.detections, 0);
  g_array_append_vals (self->late.detections, result->found->detections,
                       result->found->n_detections);
  self->late.frame = *result->frame;
  self->late.segment = *result->segment;
  self->late.session = gst_yolov7_session_ref (result->session);
  self->late.is_there = TRUE;
}

static GstBuffer *
attach_late (GstYolov7Analysis *self, GstBuffer *frame)
{
  const YvDetections found = {
      .n_detections = self->late.detections->len,
      .detections = (const YvDetection *) (gpointer) self->late.detections->data,
  };
  const Result result = {
      .frame = &self->late.frame,
      .segment = &self->late.segment,
      .found = &found,
      .session = self->late.session,
  };

  frame = attach (self, frame, &result);
  gst_yolov7_analysis_drop_late (self);
  return frame;
}

static void
log_found (GstYolov7Analysis *self, const GstYolov7Flight *flight, const YvDetections *found)
{
  GST_LOG_OBJECT (
      self->element,
      "frame %" GST_TIME_FORMAT ": %u detections in %" G_GUINT64_FORMAT " us, in a batch of %u, %s",
      GST_TIME_ARGS (flight->frame.pts), found->n_detections, found->times.total_ns / GST_USECOND,
      found->n_batch, found->was_copied ? "copied" : "in place");
}

static void
deliver (GstYolov7Analysis *self, const GstYolov7Flight *flight, const YvDetections *found)
{
  const Result result = {
      .frame = &flight->frame,
      .segment = &flight->segment,
      .found = found,
      .session = flight->session,
  };
  GstBuffer *frame = gst_yolov7_analysis_borrow_frame (self, flight->number);

  if (frame)
    return_frame (self, flight->number, attach (self, frame, &result),
                  flight->submitted + found->times.total_ns);
  else
    keep_late (self, &result);
}

/* ---- out ------------------------------------------------------------------------------------ */

static gboolean
may_land_locked (GstYolov7Analysis *self)
{
  const GstYolov7Flight *oldest = gst_yolov7_lineup_oldest_flight (&self->lineup);

  if (!oldest || (self->is_replacing && gst_yolov7_lineup_n_flights (&self->lineup) == 1))
    return FALSE;
  return yv_stream_is_ready (oldest->session->stream);
}

/* The oldest analysis has come back. Its place is free as soon as it is out of the stream. */
static void
land (GstYolov7Analysis *self, GstYolov7Flight *flight)
{
  GError *error = NULL;
  const YvDetections *found = yv_stream_collect (flight->session->stream, NULL, &error);

  if (g_error_matches (error, YV_ERROR, YV_ERROR_DEVICE_LOST)) {
    gst_yolov7_analysis_note_lost (self, flight->session, error);
    return;
  }
  g_mutex_lock (&self->mutex);
  gst_yolov7_lineup_take_flight (&self->lineup);
  if (found)
    gst_yolov7_tally_found (&self->tally, found, flight->is_imported);
  else
    self->tally.stats.frames_dropped++;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);

  gst_yolov7_flight_unmap (flight);
  if (found) {
    log_found (self, flight, found);
    deliver (self, flight, found);
  } else {
    gst_yolov7_analysis_fail (self, "Could not analyse a frame", error);
  }
  gst_yolov7_analysis_drop_session (self, flight->session);
}

/* Needs the lock, and has it again. Returns: whether there is an item to take. */
static gboolean
wait_for_item_locked (GstYolov7Analysis *self)
{
  while (!self->is_flushing) {
    if (self->is_recovering && !self->is_restarting) {
      g_mutex_unlock (&self->mutex);
      gst_yolov7_analysis_recover (self);
      g_mutex_lock (&self->mutex);
    } else if (!self->is_recovering && may_land_locked (self)) {
      GstYolov7Flight flight = *gst_yolov7_lineup_oldest_flight (&self->lineup);

      g_mutex_unlock (&self->mutex);
      land (self, &flight);
      g_mutex_lock (&self->mutex);
    } else if (gst_yolov7_lineup_may_leave (&self->lineup)) {
      return TRUE;
    } else {
      g_cond_wait (&self->changed, &self->mutex);
    }
  }
  return FALSE;
}

/* From when it came until it could leave, behind those before it. How long downstream, for which
 * this thread may have waited meanwhile, then makes it wait is none of our latency: a sink that
 * waits for its time would wait for ever longer. Returns: whether the pipeline has to hear of it.
 */
static gboolean
measure_locked (GstYolov7Analysis *self, const GstYolov7Item *item)
{
  self->last_ready = MAX (self->last_ready, item->ready);
  if (self->n_unmeasured > 0) {
    self->n_unmeasured--;
    return FALSE;
  }
  return gst_yolov7_latency_update (
      &self->latency, self->last_ready > item->arrival ? self->last_ready - item->arrival : 0);
}

/* What was found in frames of before fits none behind it. */
static void
see_event_off (GstYolov7Analysis *self, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT || GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    gst_yolov7_analysis_drop_late (self);
}

/* Returns: (nullable): what is to be pushed of @item. */
static GstMiniObject *
see_off (GstYolov7Analysis *self, const GstYolov7Item *item, GstFlowReturn flow)
{
  if (GST_IS_EVENT (item->object)) {
    see_event_off (self, GST_EVENT_CAST (item->object));
    return item->object;
  }
  if (flow != GST_FLOW_OK) {
    gst_mini_object_unref (item->object);
    return NULL;
  }
  GstBuffer *frame = GST_BUFFER_CAST (item->object);
  if (item->state == GST_YOLOV7_ITEM_ANALYSED) /* what it carries is newer */
    gst_yolov7_analysis_drop_late (self);
  else if (self->late.is_there)
    frame = attach_late (self, frame);
  return GST_MINI_OBJECT_CAST (frame);
}

GstMiniObject *
gst_yolov7_analysis_next (GstYolov7Analysis *self)
{
  GstMiniObject *object = NULL;

  while (!object) {
    gboolean is_slower = FALSE;

    g_mutex_lock (&self->mutex);
    self->is_leaving = FALSE;
    g_cond_broadcast (&self->changed);
    if (!wait_for_item_locked (self)) {
      g_mutex_unlock (&self->mutex);
      return NULL;
    }
    const GstYolov7Item item = gst_yolov7_lineup_take (&self->lineup);
    if (gst_yolov7_lineup_restarts (item.object))
      self->is_past_end = FALSE;
    const GstFlowReturn flow = self->is_past_end ? GST_FLOW_EOS : self->flow;
    self->is_leaving = TRUE;
    if (GST_IS_BUFFER (item.object) && flow == GST_FLOW_OK)
      is_slower = measure_locked (self, &item);
    g_cond_broadcast (&self->changed);
    g_mutex_unlock (&self->mutex);

    if (is_slower)
      gst_element_post_message (self->element,
                                gst_message_new_latency (GST_OBJECT_CAST (self->element)));
    object = see_off (self, &item, flow);
  }
  return object;
}

gboolean
gst_yolov7_analysis_pushed (GstYolov7Analysis *self, GstFlowReturn flow)
{
  g_mutex_lock (&self->mutex);
  self->is_leaving = FALSE;
  if (flow == GST_FLOW_EOS)
    self->is_past_end = TRUE;
  if (flow != GST_FLOW_OK && !self->is_flushing &&
      !(flow == GST_FLOW_EOS && self->lineup.n_restarts > 0))
    self->flow = flow;
  const gboolean is_untold =
      (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS) && self->lineup.has_eos;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  return is_untold;
}

void
gst_yolov7_analysis_relinked (GstYolov7Analysis *self)
{
  g_mutex_lock (&self->mutex);
  if (self->flow == GST_FLOW_NOT_LINKED)
    self->flow = GST_FLOW_OK;
  g_mutex_unlock (&self->mutex);
}
