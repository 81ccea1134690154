/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7tracker.c - gives detections the ids of the objects that they are. */

/**
 * SECTION:element-yolov7tracker
 * @title: yolov7tracker
 * @short_description: follows detections from frame to frame
 * @see_also: yolov7, yolov7overlay
 *
 * yolov7tracker gives each object that `yolov7` finds an id, which it keeps from frame to frame,
 * also where it is hidden for a while. The ids go onto the detections that are there, in all their
 * descriptions; detections that may be a mistake have none. No id is given twice between start and
 * stop of the element.
 *
 * Frames that nobody analysed (`yolov7` with #GstYolov7:inference-interval or #GstYolov7:leaky)
 * get the boxes of all objects where they should be by now, and so do objects that a detector
 * missed for #GstYolov7Tracker:max-predicted-frame-count frames. Such detections are marked
 * "predicted".
 *
 * In zones and over lines (#GstYolov7Tracker:zones) objects are counted: each frame carries the
 * totals as GstYolov7Zones, and an element message "yolov7-zone" tells each object that enters or
 * leaves a zone, or crosses a line.
 *
 * Pixels are not looked at: any video/x-raw in any memory passes. All properties may be changed
 * while playing and take effect with the next frame.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert \
 *   ! yolov7 model-file=best.pt ! yolov7tracker ! yolov7overlay ! videoconvert ! autovideosink
 * ]|
 * Shows what a trained model finds in a file, and follows it.
 * |[
 * gst-launch-1.0 -m filesrc location=street.mp4 ! decodebin ! videoconvert \
 *   ! yolov7 model-file=best.pt ! yolov7tracker zones=street.json ! fakesink
 * ]|
 * Prints a message for each object that enters, leaves or crosses what the file describes.
 *
 * Since: 0.1
 */
#include "gst/gstyolov7tracker.h"

#include <gst/video/video.h>

#include "gst/detectionmeta.h"
#include "gst/posterror.h"
#include "gst/sightings.h"
#include "gst/track/tracker.h"
#include "gst/zonewatch.h"

GST_DEBUG_CATEGORY_STATIC (yolov7_tracker_debug);
#define GST_CAT_DEFAULT yolov7_tracker_debug

/* ---- tables --------------------------------------------------------------------------------- */

#define CAPS "video/x-raw(ANY)"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

/* Where the caps do not say how long a frame lasts, or name the unit of a clock, as those of some
 * containers and of RTP do (1000/1, 90000/1). */
#define USUAL_DURATION (GST_SECOND / 25)
#define LEAST_DURATION (GST_SECOND / 240)

enum {
  PROP_0,
  PROP_IOU_SCORE_THRESHOLD,
  PROP_HIGH_CONFIDENCE_THRESHOLD,
  PROP_NEW_TRACK_CONFIDENCE_THRESHOLD,
  PROP_MIN_FRAME_COUNT_FOR_NEW_TRACK,
  PROP_MIN_FRAME_COUNT_FOR_LOST_TRACK,
  PROP_MAX_PREDICTED_FRAME_COUNT,
  PROP_ZONES,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

struct _GstYolov7Tracker {
  GstBaseTransform parent;

  /* protected by the object lock */
  YvTrackerSettings settings;

  GstYolov7ZoneWatch *zones; /* has rules of its own */

  /* streaming thread only, from start() to stop() */
  YvTracker *tracker;
  guint frame_w, frame_h; /* px; 0: no caps yet */
  GstClockTime frame_duration;
  gboolean refused_caps;    /* an error was posted for: sticky caps come again and again */
  gboolean has_new_segment; /* since the last buffer */
  GstClockTime seen_pts;    /* of the last analysed frame; NONE: none, or it has none */
  gboolean has_seen;        /* any frame that was analysed */
  guint64 n_since_seen;     /* buffers */
  GstYolov7MetaKinds kinds; /* that the last frame with detections carried */
  GstYolov7Sightings *sightings;
  GArray *found; /* of GstYolov7Detection; kept for its memory */
};

G_DEFINE_FINAL_TYPE (GstYolov7Tracker, gst_yolov7_tracker, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (yolov7tracker, "yolov7tracker", GST_RANK_NONE, GST_TYPE_YOLOV7_TRACKER)

/* ---- properties ----------------------------------------------------------------------------- */

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstYolov7Tracker *self = GST_YOLOV7_TRACKER (object);

  if (id == PROP_ZONES) { /* takes the lock itself, but not while it reads */
    gst_yolov7_zone_watch_set_text (self->zones, g_value_get_string (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_IOU_SCORE_THRESHOLD:
    self->settings.min_overlap = (double) g_value_get_float (value);
    break;
  case PROP_HIGH_CONFIDENCE_THRESHOLD:
    self->settings.high_confidence = (double) g_value_get_float (value);
    break;
  case PROP_NEW_TRACK_CONFIDENCE_THRESHOLD:
    self->settings.birth_confidence = (double) g_value_get_float (value);
    break;
  case PROP_MIN_FRAME_COUNT_FOR_NEW_TRACK:
    self->settings.min_sightings = g_value_get_uint (value);
    break;
  case PROP_MIN_FRAME_COUNT_FOR_LOST_TRACK:
    self->settings.max_unseen = g_value_get_uint (value);
    break;
  case PROP_MAX_PREDICTED_FRAME_COUNT:
    self->settings.max_predicted = g_value_get_uint (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstYolov7Tracker *self = GST_YOLOV7_TRACKER (object);

  if (id == PROP_ZONES) {
    g_value_take_string (value, gst_yolov7_zone_watch_get_text (self->zones));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_IOU_SCORE_THRESHOLD:
    g_value_set_float (value, (gfloat) self->settings.min_overlap);
    break;
  case PROP_HIGH_CONFIDENCE_THRESHOLD:
    g_value_set_float (value, (gfloat) self->settings.high_confidence);
    break;
  case PROP_NEW_TRACK_CONFIDENCE_THRESHOLD:
    g_value_set_float (value, (gfloat) self->settings.birth_confidence);
    break;
  case PROP_MIN_FRAME_COUNT_FOR_NEW_TRACK:
    g_value_set_uint (value, self->settings.min_sightings);
    break;
  case PROP_MIN_FRAME_COUNT_FOR_LOST_TRACK:
    g_value_set_uint (value, (guint) self->settings.max_unseen);
    break;
  case PROP_MAX_PREDICTED_FRAME_COUNT:
    g_value_set_uint (value, (guint) self->settings.max_predicted);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static GParamSpec *
share_param (const char *name, const char *nick, const char *blurb, double usual)
{
  return g_param_spec_float (name, nick, blurb, 0, 1, (gfloat) usual,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                 GST_PARAM_MUTABLE_PLAYING);
}

static GParamSpec *
frames_param (const char *name, const char *nick, const char *blurb, guint least, double usual)
{
  return g_param_spec_uint (name, nick, blurb, least, 1000000, (guint) usual,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
}

static void
install_properties (GObjectClass *class)
{
  const YvTrackerSettings *usual = &yv_tracker_defaults;

  properties[PROP_IOU_SCORE_THRESHOLD] = share_param (
      "iou-score-threshold", "IoU score threshold",
      "Likeness that a detection and the box predicted for a track need to be the same object: "
      "intersection over union less a share of the difference in height; 0.2 at least where only "
      "boxes with a margin overlap, 0.58 for detections that are not of high confidence",
      usual->min_overlap);
  properties[PROP_HIGH_CONFIDENCE_THRESHOLD] = share_param (
      "high-confidence-threshold", "High confidence threshold",
      "Detections from here on are matched first; others only continue tracks that were just seen",
      usual->high_confidence);
  properties[PROP_NEW_TRACK_CONFIDENCE_THRESHOLD] =
      share_param ("new-track-confidence-threshold", "New track confidence threshold",
                   "Confidence that a detection needs to begin a track", usual->birth_confidence);
  properties[PROP_MIN_FRAME_COUNT_FOR_NEW_TRACK] =
      frames_param ("min-frame-count-for-new-track", "Min frame count for new track",
                    "Analysed frames in a row that an object is seen in before it has an id", 1,
                    usual->min_sightings);
  properties[PROP_MIN_FRAME_COUNT_FOR_LOST_TRACK] =
      frames_param ("min-frame-count-for-lost-track", "Min frame count for lost track",
                    "Frames after which an object that an analysed frame missed is forgotten", 0,
                    usual->max_unseen);
  properties[PROP_MAX_PREDICTED_FRAME_COUNT] = frames_param (
      "max-predicted-frame-count", "Max predicted frame count",
      "Frames for which an object that the detector does not find is attached where it should be",
      0, usual->max_predicted);
  properties[PROP_ZONES] = g_param_spec_string (
      "zones", "Zones",
      "Zones and lines, in which objects are counted: a JSON file, or JSON that begins with {; not "
      "set: none",
      NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  g_object_class_install_properties (class, N_PROPS, properties);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void
forget (GstYolov7Tracker *self)
{
  yv_tracker_reset (self->tracker);
  gst_yolov7_zone_watch_flush (self->zones);
  self->has_seen = FALSE;
}

static gboolean
start (GstBaseTransform *base)
{
  GstYolov7Tracker *self = GST_YOLOV7_TRACKER (base);

  if (!gst_yolov7_zone_watch_start (self->zones))
    return FALSE;
  self->tracker = yv_tracker_new ();
  self->frame_w = self->frame_h = 0;
  self->refused_caps = self->has_new_segment = FALSE;
  self->kinds = 0;
  self->sightings = gst_yolov7_sightings_new ();
  self->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  forget (self);
  return TRUE;
}

/* Read by hand: a GstVideoInfo knows only formats in memory that can be mapped. */
static gboolean
set_caps (GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
  GstYolov7Tracker *self = GST_YOLOV7_TRACKER (base);
  const GstStructure *s = gst_caps_get_structure (in, 0);
  gint w = 0, h = 0, n = 0, d = 1;
  (void) out;

  if (!gst_structure_get_int (s, "width", &w) || !gst_structure_get_int (s, "height", &h) ||
      w <= 0 || h <= 0) {
    if (!self->refused_caps)
      gst_yolov7_post_bad_caps (GST_ELEMENT (self), in, "they do not tell width and height");
    self->refused_caps = TRUE;
    return FALSE;
  }
  self->refused_caps = FALSE;
  self->frame_duration = USUAL_DURATION;
  if (gst_structure_get_fraction (s, "framerate", &n, &d) && n > 0)
    self->frame_duration = gst_util_uint64_scale_int (GST_SECOND, d, n);
  if (self->frame_duration < LEAST_DURATION)
    self->frame_duration = USUAL_DURATION;
  if (self->frame_w != (guint) w || self->frame_h != (guint) h)
    forget (self); /* its boxes are px of another frame */
  self->frame_w = (guint) w;
  self->frame_h = (guint) h;
  return TRUE;
}

/* Nothing here needs memory of any kind: the elements around settle that. */
static gboolean
propose_allocation (GstBaseTransform *base, GstQuery *decided, GstQuery *query)
{
  (void) decided;
  return gst_pad_peer_query (GST_BASE_TRANSFORM_SRC_PAD (base), query);
}

static gboolean
sink_event (GstBaseTransform *base, GstEvent *event)
{
  GstYolov7Tracker *self = GST_YOLOV7_TRACKER (base);

  switch ((gint) GST_EVENT_TYPE (event)) {
  case GST_EVENT_FLUSH_STOP:
  case GST_EVENT_STREAM_START:
    forget (self);
    break;
  case GST_EVENT_SEGMENT:
    self->has_new_segment = TRUE;
    break;
  case GST_EVENT_EOS:
    gst_yolov7_zone_watch_end (self->zones, self->has_seen ? self->seen_pts : GST_CLOCK_TIME_NONE,
                               &base->segment);
    forget (self);
    break;
  default:
    break;
  }
  return GST_BASE_TRANSFORM_CLASS (gst_yolov7_tracker_parent_class)->sink_event (base, event);
}

/* Frames between the last analysed frame and one with this PTS, in the direction that is played;
 * negative: it goes back. Buffers, where PTS say nothing: there are none, or they stand still. */
static double
frames_since_seen (const GstYolov7Tracker *self, GstClockTime pts)
{
  if (!self->has_seen)
    return 0;
  if (!GST_CLOCK_TIME_IS_VALID (pts) || !GST_CLOCK_TIME_IS_VALID (self->seen_pts) ||
      pts == self->seen_pts)
    return (double) self->n_since_seen;
  const double frames =
      (double) GST_CLOCK_DIFF (self->seen_pts, pts) / (double) self->frame_duration;
  return self->parent.segment.rate < 0 ? -frames : frames;
}

/* What another detector found would not be read any more once predicted boxes are attached. */
static void
adopt_found (GstYolov7Tracker *self, GstBuffer *buffer, GstClockTime pts)
{
  const GstYolov7Frame frame = {self->frame_w, self->frame_h, pts, GST_CLOCK_TIME_NONE};

  if (!gst_yolov7_detections_are_ours (buffer))
    gst_yolov7_detections_attach (buffer, &frame, (const GstYolov7Detection *) self->found->data,
                                  self->found->len, 0);
}

static void
see (GstYolov7Tracker *self, const YvTrackerSettings *settings, GstBuffer *buffer)
{
  const GstClockTime pts = gst_yolov7_detections_frame_pts (buffer);
  const double frames = frames_since_seen (self, pts);

  if (frames < 0) {
    GST_DEBUG_OBJECT (self, "time goes back by %.1f frames: starting anew", -frames);
    forget (self);
  }
  GArray *seen = gst_yolov7_sightings_of (self->sightings, self->found);
  yv_tracker_see (self->tracker, settings, MAX (frames, 0), (YvSighting *) seen->data, seen->len);
  for (guint i = 0; i < seen->len; i++)
    g_array_index (self->found, GstYolov7Detection, i).id = g_array_index (seen, YvSighting, i).id;
  gst_yolov7_detections_set_ids (buffer, self->found);
  adopt_found (self, buffer, pts);
  self->has_seen = TRUE;
  self->seen_pts = pts;
  self->n_since_seen = 0;
  if (self->found->len > 0) /* without a detection there is no region */
    self->kinds = gst_yolov7_detections_kinds (buffer);

  const YvZoneFrame frame = {self->frame_w, self->frame_h,
                             GST_CLOCK_TIME_IS_VALID (pts) ? (int64_t) pts : -1};
  gst_yolov7_zone_watch_see (self->zones, &frame, &GST_BASE_TRANSFORM (self)->segment, self->found,
                             self->tracker);
}

/* Returns: whether there is anything to tell. */
static gboolean
skip (GstYolov7Tracker *self, const YvTrackerSettings *settings, GstBuffer *buffer)
{
  const double frames = frames_since_seen (self, GST_BUFFER_PTS (buffer));

  if (!self->has_seen || frames < 0)
    return FALSE;
  yv_tracker_skip (self->tracker, settings, frames);
  return TRUE;
}

/* What another tracker foretold was seen by nobody. */
static gboolean
are_all_predicted (const GArray *found)
{
  for (guint i = 0; i < found->len; i++)
    if (!g_array_index (found, GstYolov7Detection, i).predicted)
      return FALSE;
  return found->len > 0;
}

/* @pts: of the frame that the boxes are foretold for */
static void
attach_predicted (GstYolov7Tracker *self, GstBuffer *buffer, GstClockTime pts)
{
  const GstYolov7Frame frame = {self->frame_w, self->frame_h, pts, GST_CLOCK_TIME_NONE};
  const GArray *predicted =
      gst_yolov7_sightings_predicted (self->sightings, self->tracker, self->frame_w, self->frame_h);

  if (predicted->len > 0)
    gst_yolov7_detections_attach (buffer, &frame, (const GstYolov7Detection *) predicted->data,
                                  predicted->len, self->kinds);
}

static YvTrackerSettings
get_settings (GstYolov7Tracker *self)
{
  GST_OBJECT_LOCK (self);
  const YvTrackerSettings settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  return settings;
}

static GstFlowReturn
transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  GstYolov7Tracker *self = GST_YOLOV7_TRACKER (base);
  const YvTrackerSettings settings = get_settings (self);

  if (self->has_new_segment && GST_BUFFER_IS_DISCONT (buffer))
    forget (self);
  self->has_new_segment = FALSE;
  self->n_since_seen++;

  const gboolean is_analysed =
      gst_yolov7_detections_read_scaled (buffer, self->frame_w, self->frame_h, self->found) &&
      !are_all_predicted (self->found);
  if (is_analysed) {
    see (self, &settings, buffer);
    attach_predicted (self, buffer, self->seen_pts);
  } else if (skip (self, &settings, buffer)) {
    attach_predicted (self, buffer, GST_BUFFER_PTS (buffer));
  }
  gst_yolov7_zone_watch_tell (self->zones, buffer);
  return GST_FLOW_OK;
}

static gboolean
stop (GstBaseTransform *base)
{
  GstYolov7Tracker *self = GST_YOLOV7_TRACKER (base);

  gst_yolov7_zone_watch_stop (self->zones);
  g_clear_pointer (&self->tracker, yv_tracker_free);
  g_clear_pointer (&self->found, g_array_unref);
  g_clear_pointer (&self->sightings, gst_yolov7_sightings_free);
  return TRUE;
}

static void
finalize (GObject *object)
{
  gst_yolov7_zone_watch_free (GST_YOLOV7_TRACKER (object)->zones);
  G_OBJECT_CLASS (gst_yolov7_tracker_parent_class)->finalize (object);
}

static void
gst_yolov7_tracker_class_init (GstYolov7TrackerClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (yolov7_tracker_debug, "yolov7tracker", 0, "follows detections");
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  install_properties (object);

  gst_element_class_set_static_metadata (element, "YOLOv7 tracker", "Analyzer/Video",
                                         "Gives detections the ids of the objects that they are",
                                         "The gst-yolov7 authors");
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);

  transform->start = GST_DEBUG_FUNCPTR (start);
  transform->set_caps = GST_DEBUG_FUNCPTR (set_caps);
  transform->propose_allocation = GST_DEBUG_FUNCPTR (propose_allocation);
  transform->sink_event = GST_DEBUG_FUNCPTR (sink_event);
  transform->transform_ip = GST_DEBUG_FUNCPTR (transform_ip);
  transform->stop = GST_DEBUG_FUNCPTR (stop);
}

static void
gst_yolov7_tracker_init (GstYolov7Tracker *self)
{
  self->settings = yv_tracker_defaults;
  self->zones = gst_yolov7_zone_watch_new (GST_ELEMENT (self));
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}
