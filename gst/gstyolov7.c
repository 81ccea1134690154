/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7.c - finds objects in video frames with a YOLOv7 checkpoint. */

/**
 * SECTION:element-yolov7
 * @title: yolov7
 * @short_description: finds objects with a YOLOv7 checkpoint, on any Vulkan device
 * @see_also: yolov7overlay
 *
 * yolov7 reads the checkpoint that YOLOv7 training wrote (best.pt), re-parameterises it while
 * loading, runs it on each frame and attaches what it found to the buffer. Pixels are neither
 * changed nor copied where the device can read them. The results are those of upstream's detect.py
 * with the same thresholds.
 *
 * What is attached, and how any application reads it, is told in gst/detectionmeta.h:
 * GstYolov7Detections (the whole result), and unless #GstYolov7:attach-roi-meta is off
 * GstVideoRegionOfInterestMeta as DL Streamer writes it. Hardware encoders behind this element may
 * spend more bits on such regions.
 *
 * Frames come in on one thread and leave on another, in their order, with up to
 * #GstYolov7:max-in-flight of them on the device, and events and queries between them where they
 * were. A live pipeline is told the latency that is measured, and again when it changes.
 *
 * Where the device is slower than the source:
 *
 * * #GstYolov7:leaky=no: each frame is analysed, and the source waits.
 * * #GstYolov7:leaky=upstream: frames that find the device busy go without an analysis. Each leaves
 *   behind those that came before, so all of them are late by the time of one analysis.
 * * #GstYolov7:leaky=downstream: a frame waits for its analysis only until the next one comes, so
 *   none is late by more than one frame. What is found later goes onto the next frame that leaves;
 *   "frame-pts" in its metadata says which frame was analysed. It is always the newest.
 *
 * Elements of one process with the same model, device and precision share it, without being told,
 * or by #GstYolov7:model-instance-id. Frames of all of them that wait while the device is busy run
 * together, up to #GstYolov7:batch-size. None waits for another's downstream.
 *
 * The model is loaded from READY to PAUSED; a file that can't be used fails that state change with
 * an error message that says what is wrong with it. #GstYolov7:model-file set while playing is
 * loaded beside the model in use, and takes over between two frames with #GstYolov7::model-updated;
 * one that can't be used is a warning, and the old model stays. A device that is lost is opened
 * again, with a warning, and the frames in flight are analysed once more.
 *
 * Woven interlaced frames are analysed as they are; put deinterlace in front where motion matters.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert \
 *   ! yolov7 model-file=best.pt ! yolov7overlay ! videoconvert ! autovideosink
 * ]|
 * Shows what a trained model finds in a file.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert \
 *   ! yolov7 model-file=best.pt leaky=downstream classes=person,2 confidence-threshold=0.5 \
 *   ! yolov7overlay ! videoconvert ! autovideosink
 * ]|
 * Only persons and class 2, from a camera, smooth however slow the device is.
 *
 * Since: 0.1
 */
#include "gst/gstyolov7.h"

#include <gst/video/video.h>

#include "engine/yolov7.h"
#include "gst/analysis.h"
#include "gst/frameview.h"
#include "gst/posterror.h"
#include "gst/settings.h"

GST_DEBUG_CATEGORY (gst_yolov7_debug);
#define GST_CAT_DEFAULT gst_yolov7_debug

/* ---- tables --------------------------------------------------------------------------------- */

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                             GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_YOLOV7_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_YOLOV7_FORMATS)));

enum { SIGNAL_MODEL_UPDATED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* Behind those of gst/settings.h. */
#define PROP_STATS 1000

struct _GstYolov7 {
  GstElement parent;
  GstPad *sink, *src;
  GstYolov7Analysis *analysis;
  GMutex loading; /* held while another model is loaded */

  /* protected by the object lock */
  GstYolov7Settings settings;
  gboolean options_changed; /* those that may change while playing, since they were last taken */
  gboolean classes_changed; /* among them */
  gboolean load_is_due;     /* model-file was set while playing, and nobody has looked yet */
  GstClockTime earliest;    /* running time; frames before it are too late, says a sink */

  /* streaming thread of the sink pad */
  GstYolov7Session *session; /* whose options were set; borrowed, perhaps gone: only compared */
  GstSegment segment;
  gboolean has_caps;
  gboolean refused_caps; /* an error was posted for: sticky caps come again and again */
  guint64 n_frames, n_late;
};

G_DEFINE_FINAL_TYPE (GstYolov7, gst_yolov7, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (yolov7, "yolov7", GST_RANK_NONE, GST_TYPE_YOLOV7)

/* ---- another model while playing ------------------------------------------------------------ */

/* Unless somebody has set another one meanwhile. */
static void
revert_model_file (GstYolov7 *self, const char *failed, const char *in_use)
{
  GST_OBJECT_LOCK (self);
  const gboolean is_same = g_strcmp0 (self->settings.model_file, failed) == 0;
  if (is_same) {
    g_free (self->settings.model_file);
    self->settings.model_file = g_strdup (in_use);
  }
  GST_OBJECT_UNLOCK (self);
  if (is_same)
    g_object_notify (G_OBJECT (self), "model-file");
}

/* On a thread of its own. */
static void
load_model (GstElement *element)
{
  GstYolov7 *self = GST_YOLOV7 (element);
  g_auto (GstYolov7Settings) settings = {0};
  g_autofree char *in_use = NULL;

  g_mutex_lock (&self->loading);
  GST_OBJECT_LOCK (self);
  self->load_is_due = FALSE;
  gst_yolov7_settings_copy (&self->settings, &settings);
  GST_OBJECT_UNLOCK (self);
  if (!gst_yolov7_analysis_load (self->analysis, &settings, &in_use))
    revert_model_file (self, settings.model_file, in_use);
  g_mutex_unlock (&self->loading);
}

static void
load_model_soon (GstYolov7 *self)
{
  GST_OBJECT_LOCK (self);
  const gboolean is_due = self->load_is_due;
  self->load_is_due = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (is_due || gst_yolov7_analysis_run_beside (self->analysis, load_model))
    return;
  GST_OBJECT_LOCK (self);
  self->load_is_due = FALSE;
  GST_OBJECT_UNLOCK (self);
}

/* ---- properties ----------------------------------------------------------------------------- */

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstYolov7 *self = GST_YOLOV7 (object);

  GST_OBJECT_LOCK (self);
  const gboolean known = gst_yolov7_settings_set (&self->settings, id, value);
  if (pspec->flags & GST_PARAM_MUTABLE_PLAYING)
    self->options_changed = TRUE;
  if (g_str_equal (pspec->name, "classes"))
    self->classes_changed = TRUE;
  gst_yolov7_analysis_set_policy (self->analysis, &self->settings);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  else if (g_str_equal (pspec->name, "model-file"))
    load_model_soon (self);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstYolov7 *self = GST_YOLOV7 (object);

  if (id == PROP_STATS) {
    g_value_take_boxed (value, gst_yolov7_analysis_stats (self->analysis));
    return;
  }
  GST_OBJECT_LOCK (self);
  const gboolean known = gst_yolov7_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* ---- caps ----------------------------------------------------------------------------------- */

/* Posts what is wrong with the caps, once: they are sticky, and come again with each buffer. */
static gboolean
accept_caps (GstYolov7 *self, GstCaps *caps)
{
  GstVideoInfo info;
  const char *why = NULL;
  GError *error = NULL;

  if (!gst_video_info_from_caps (&info, caps))
    why = "its caps can't be read";
  else
    gst_yolov7_frame_view_check (&info, &why);
  if (!why && gst_yolov7_analysis_prepare (self->analysis, &info, &error))
    return TRUE;

  if (self->refused_caps)
    g_clear_error (&error);
  else if (why)
    gst_yolov7_post_bad_caps (GST_ELEMENT (self), caps, why);
  else
    GST_YOLOV7_POST_ERROR (self, "Could not prepare for frames of this size", error);
  return FALSE;
}

static gboolean
take_caps (GstYolov7 *self, GstEvent *event)
{
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  self->has_caps = accept_caps (self, caps);
  self->refused_caps = !self->has_caps;
  if (self->has_caps)
    return TRUE;
  gst_event_unref (event);
  return FALSE;
}

/* ---- frames --------------------------------------------------------------------------------- */

/* With the next frame the stream has the options that were set before it. */
static void
update_options (GstYolov7 *self)
{
  g_auto (GstYolov7Settings) settings = {0};
  gboolean updated;
  GstYolov7Session *session = gst_yolov7_analysis_use_session (self->analysis, &updated);
  const gboolean is_new = updated || session != self->session;

  if (is_new && self->session) /* the next frames had better lie in memory of its engine */
    gst_pad_push_event (self->sink, gst_event_new_reconfigure ());
  self->session = session;
  GST_OBJECT_LOCK (self);
  const gboolean changed = self->options_changed || is_new;
  const gboolean classes_changed = self->classes_changed || is_new;
  if (changed)
    gst_yolov7_settings_copy (&self->settings, &settings);
  self->options_changed = self->classes_changed = FALSE;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    gst_yolov7_session_update (session, &settings, classes_changed);
  g_autofree char *model_file = updated ? g_strdup (session->settings.model_file) : NULL;
  gst_yolov7_analysis_end_use (self->analysis, session);
  if (updated)
    g_signal_emit (self, signals[SIGNAL_MODEL_UPDATED], 0, model_file);
}

/* When a frame is due, and how much later it may not be. */
typedef struct {
  GstClockTime pts, duration, running_time, stream_time, earliest;
} Timing;

static Timing
timing_of (GstYolov7 *self, GstBuffer *frame)
{
  Timing timing = {
      .pts = GST_BUFFER_PTS (frame),
      .duration = GST_BUFFER_DURATION (frame),
      .running_time = GST_CLOCK_TIME_NONE,
      .stream_time = GST_CLOCK_TIME_NONE,
  };

  GST_OBJECT_LOCK (self);
  timing.earliest = self->settings.qos ? self->earliest : GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
  if (self->segment.format != GST_FORMAT_TIME)
    return timing;
  timing.running_time = gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME, timing.pts);
  timing.stream_time = gst_segment_to_stream_time (&self->segment, GST_FORMAT_TIME, timing.pts);
  return timing;
}

static gboolean
is_late (const Timing *timing)
{
  return GST_CLOCK_TIME_IS_VALID (timing->earliest) &&
         GST_CLOCK_TIME_IS_VALID (timing->running_time) && timing->running_time <= timing->earliest;
}

/* As GstBaseTransform tells of frames that it drops; this one went on without an analysis. */
static void
post_qos (GstYolov7 *self, const Timing *timing)
{
  GstMessage *message = gst_message_new_qos (GST_OBJECT (self), FALSE, timing->running_time,
                                             timing->stream_time, timing->pts, timing->duration);

  gst_message_set_qos_values (message, GST_CLOCK_DIFF (timing->running_time, timing->earliest), 1.0,
                              1000000);
  gst_message_set_qos_stats (message, GST_FORMAT_BUFFERS, self->n_frames - self->n_late,
                             self->n_late);
  gst_element_post_message (GST_ELEMENT (self), message);
}

static GstFlowReturn
sink_chain (GstPad *pad, GstObject *parent, GstBuffer *frame)
{
  GstYolov7 *self = GST_YOLOV7 (parent);
  (void) pad;

  if (!self->has_caps) {
    gst_buffer_unref (frame);
    if (!self->refused_caps)
      GST_ELEMENT_ERROR (self, CORE, NEGOTIATION,
                         ("A frame came before its caps. Put a capsfilter, or an element that "
                          "knows the format, before this one."),
                         (NULL));
    self->refused_caps = TRUE;
    return GST_FLOW_NOT_NEGOTIATED;
  }
  update_options (self);
  const Timing timing = timing_of (self, frame);
  gboolean late = is_late (&timing);
  const GstFlowReturn flow = gst_yolov7_analysis_take_frame (self->analysis, frame, &late);
  self->n_frames++;
  self->n_late += late;
  if (late)
    post_qos (self, &timing);
  return flow;
}

/* The task of the source pad. */
static void
src_loop (gpointer user_data)
{
  GstYolov7 *self = user_data;
  GstMiniObject *object = gst_yolov7_analysis_next (self->analysis);
  GstFlowReturn flow = GST_FLOW_OK;

  if (!object) {
    gst_pad_pause_task (self->src);
    return;
  }
  if (GST_IS_EVENT (object))
    gst_pad_push_event (self->src, GST_EVENT_CAST (object));
  else
    flow = gst_pad_push (self->src, GST_BUFFER_CAST (object));
  if (gst_yolov7_analysis_pushed (self->analysis, flow))
    GST_ELEMENT_FLOW_ERROR (self, flow);
}

/* ---- events --------------------------------------------------------------------------------- */

static void
reset_stream (GstYolov7 *self)
{
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  GST_OBJECT_LOCK (self);
  self->earliest = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
start_flush (GstYolov7 *self, GstEvent *event)
{
  const gboolean done = gst_pad_push_event (self->src, event);

  gst_yolov7_analysis_set_flushing (self->analysis, TRUE);
  gst_pad_pause_task (self->src);
  return done;
}

/* Also where no FLUSH_START came before it, or the pad is being stopped. */
static gboolean
stop_flush (GstYolov7 *self, GstEvent *event)
{
  const gboolean done = gst_pad_push_event (self->src, event);

  gst_yolov7_analysis_set_flushing (self->analysis, TRUE);
  gst_pad_pause_task (self->src);
  gst_yolov7_analysis_flush (self->analysis, self->src);
  reset_stream (self);
  if (!gst_pad_is_active (self->src))
    return done;
  gst_yolov7_analysis_set_flushing (self->analysis, FALSE);
  gst_pad_start_task (self->src, src_loop, self, NULL);
  return done;
}

static GstFlowReturn
take_serialized (GstYolov7 *self, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS && !take_caps (self, event))
    return GST_FLOW_NOT_NEGOTIATED;
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    gst_event_copy_segment (event, &self->segment);
  const gboolean ends = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  const GstFlowReturn flow = gst_yolov7_analysis_take_event (self->analysis, event);
  /* Nothing comes after it that could return this. */
  if (ends && (flow == GST_FLOW_NOT_LINKED || flow < GST_FLOW_EOS) &&
      !gst_yolov7_analysis_has_failed (self->analysis))
    GST_ELEMENT_FLOW_ERROR (self, flow);
  return flow;
}

static gboolean
pass_event (GstYolov7 *self, GstPad *pad, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    return start_flush (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    return stop_flush (self, event);
  return gst_pad_event_default (pad, GST_OBJECT (self), event);
}

/* That it flushes, as while it stops, is no error to upstream. */
static GstFlowReturn
sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstYolov7 *self = GST_YOLOV7 (parent);
  const gboolean is_flush = GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP;

  if (GST_EVENT_IS_SERIALIZED (event) && !is_flush)
    return take_serialized (self, event);
  return pass_event (self, pad, event) ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* As gst_base_transform_update_qos(). */
static void
note_qos (GstYolov7 *self, GstEvent *event)
{
  GstClockTimeDiff jitter;
  GstClockTime timestamp;

  gst_event_parse_qos (event, NULL, NULL, &jitter, &timestamp);
  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    return;
  GST_OBJECT_LOCK (self);
  self->earliest = jitter > 0 || (GstClockTime) -jitter < timestamp
                       ? (GstClockTime) ((GstClockTimeDiff) timestamp + jitter)
                       : 0;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstYolov7 *self = GST_YOLOV7 (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS)
    note_qos (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    gst_yolov7_analysis_relinked (self->analysis);
  return gst_pad_event_default (pad, parent, event);
}

/* ---- queries -------------------------------------------------------------------------------- */

/* What is serialized is asked downstream when all that came before it is there. */
static gboolean
sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  GstYolov7 *self = GST_YOLOV7 (parent);

  if (GST_QUERY_IS_SERIALIZED (query) && !gst_yolov7_analysis_drain (self->analysis))
    return FALSE;
  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return gst_pad_query_default (pad, parent, query);
  return gst_yolov7_analysis_propose (self->analysis, self->src, query);
}

/* Frames are held until they are analysed: that long are they later, and that much is there to
 * bridge a sink that is late itself. */
static gboolean
answer_latency (GstYolov7 *self, GstQuery *query)
{
  GstClockTime min, max;
  gboolean live;

  if (!gst_pad_peer_query (self->sink, query))
    return FALSE;
  gst_query_parse_latency (query, &live, &min, &max);
  const GstClockTime own = gst_yolov7_analysis_latency (self->analysis);
  GST_DEBUG_OBJECT (self, "own latency %" GST_TIME_FORMAT, GST_TIME_ARGS (own));
  gst_query_set_latency (query, live, min + own,
                         GST_CLOCK_TIME_IS_VALID (max) ? max + own : GST_CLOCK_TIME_NONE);
  return TRUE;
}

static gboolean
src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_LATENCY)
    return answer_latency (GST_YOLOV7 (parent), query);
  return gst_pad_query_default (pad, parent, query);
}

/* ---- life ----------------------------------------------------------------------------------- */

static gboolean
sink_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstYolov7 *self = GST_YOLOV7 (parent);
  (void) pad;

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  gst_yolov7_analysis_set_flushing (self->analysis, !active);
  return TRUE;
}

static gboolean
src_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
  GstYolov7 *self = GST_YOLOV7 (parent);

  if (mode != GST_PAD_MODE_PUSH)
    return FALSE;
  gst_yolov7_analysis_set_flushing (self->analysis, !active);
  return active ? gst_pad_start_task (pad, src_loop, self, NULL) : gst_pad_stop_task (pad);
}

static gboolean
start (GstYolov7 *self)
{
  g_auto (GstYolov7Settings) settings = {0};

  GST_OBJECT_LOCK (self);
  gst_yolov7_settings_copy (&self->settings, &settings);
  self->options_changed = self->classes_changed = FALSE;
  GST_OBJECT_UNLOCK (self);
  reset_stream (self);
  self->session = NULL;
  self->has_caps = self->refused_caps = FALSE;
  self->n_frames = self->n_late = 0;
  if (!gst_yolov7_analysis_start (self->analysis, &settings))
    return FALSE;
  GST_OBJECT_LOCK (self);
  const gboolean is_other = g_strcmp0 (self->settings.model_file, settings.model_file) != 0;
  GST_OBJECT_UNLOCK (self);
  if (is_other) /* it was set while that one was loaded */
    load_model_soon (self);
  return TRUE;
}

static GstStateChangeReturn
change_state (GstElement *element, GstStateChange change)
{
  GstYolov7 *self = GST_YOLOV7 (element);

  if (change == GST_STATE_CHANGE_READY_TO_PAUSED && !start (self))
    return GST_STATE_CHANGE_FAILURE;
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS (gst_yolov7_parent_class)->change_state (element, change);
  const gboolean failed =
      change == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE;
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY || failed)
    gst_yolov7_analysis_stop (self->analysis);
  return result;
}

static void
finalize (GObject *object)
{
  GstYolov7 *self = GST_YOLOV7 (object);

  gst_yolov7_analysis_free (self->analysis);
  gst_yolov7_settings_clear (&self->settings);
  g_mutex_clear (&self->loading);
  G_OBJECT_CLASS (gst_yolov7_parent_class)->finalize (object);
}

static void
install_own_properties (GObjectClass *object)
{
  /**
   * GstYolov7:stats:
   *
   * What has been done since the start, and how long it takes: see gst/report.h.
   */
  g_object_class_install_property (
      object, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
                          "Frames, detections, times of each stage in ns, memory in bytes, since "
                          "the start",
                          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  /**
   * GstYolov7::model-updated:
   * @model_file: what is used from the next frame on
   *
   * A model-file that was set while playing has taken over. From the streaming thread.
   */
  signals[SIGNAL_MODEL_UPDATED] =
      g_signal_new ("model-updated", G_TYPE_FROM_CLASS (object), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
gst_yolov7_class_init (GstYolov7Class *class)
{
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (gst_yolov7_debug, "yolov7", 0, "finds objects in video frames");
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  gst_yolov7_settings_install (object);
  install_own_properties (object);

  gst_element_class_set_static_metadata (
      element, "YOLOv7 object detector", "Filter/Analyzer/Video",
      "Finds objects with a YOLOv7 checkpoint, on any Vulkan device", "The gst-yolov7 authors");
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  element->change_state = GST_DEBUG_FUNCPTR (change_state);
}

static void
make_pads (GstYolov7 *self)
{
  self->sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (self->sink, GST_DEBUG_FUNCPTR (sink_chain));
  gst_pad_set_event_full_function (self->sink, GST_DEBUG_FUNCPTR (sink_event));
  gst_pad_set_query_function (self->sink, GST_DEBUG_FUNCPTR (sink_query));
  gst_pad_set_activatemode_function (self->sink, GST_DEBUG_FUNCPTR (sink_activate));
  GST_PAD_SET_PROXY_CAPS (self->sink);
  gst_element_add_pad (GST_ELEMENT (self), self->sink);

  self->src = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_event_function (self->src, GST_DEBUG_FUNCPTR (src_event));
  gst_pad_set_query_function (self->src, GST_DEBUG_FUNCPTR (src_query));
  gst_pad_set_activatemode_function (self->src, GST_DEBUG_FUNCPTR (src_activate));
  GST_PAD_SET_PROXY_CAPS (self->src);
  gst_element_add_pad (GST_ELEMENT (self), self->src);
}

static void
gst_yolov7_init (GstYolov7 *self)
{
  g_mutex_init (&self->loading);
  self->earliest = GST_CLOCK_TIME_NONE;
  self->analysis = gst_yolov7_analysis_new (GST_ELEMENT (self));
  gst_yolov7_settings_init (&self->settings);
  gst_yolov7_analysis_set_policy (self->analysis, &self->settings);
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  make_pads (self);
}
