/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7overlay.c - draws detections onto the frames that carry them. */

/**
 * SECTION:element-yolov7overlay
 * @title: yolov7overlay
 * @short_description: draws detections onto video frames
 * @see_also: yolov7
 *
 * yolov7overlay draws each detection that a frame carries: an outline in the color of its class, or
 * of its track, and a tag with class name, id and confidence. Boxes that a tracker predicts,
 * because nobody saw the object in this frame, are dashed. It reads what `yolov7` attaches, and
 * where a frame has none of that, the objects of GStreamer's analytics elements (since 1.24), or
 * any GstVideoRegionOfInterestMeta. Frames with nothing to draw pass untouched, without being
 * mapped.
 *
 * On frames that nobody analysed (inference-interval, leaky) the last boxes stay until they are
 * older than #GstYolov7Overlay:expire-overlay. An analysed frame without objects has none at once,
 * and a flush, a new segment and new caps end them.
 *
 * Drawing happens in the frame's own format, 4:2:0 included, so no conversion is needed around the
 * element. Where downstream says that it draws attached overlays, pixels stay as they are, and what
 * is drawn is attached as a GstVideoOverlayComposition; so it always is in memory that can't be
 * mapped, such as a GPU's (#GstYolov7Overlay:composition). Lines and text grow with the frame
 * unless #GstYolov7Overlay:line-width and #GstYolov7Overlay:font-size say otherwise.
 *
 * #GstYolov7Overlay:pixelated-box hides what is in boxes, before anything is drawn, and the whole
 * frame until the first one that was analysed, also after a flush, a new segment and new caps. It
 * hides what was detected: an object that the model misses stays visible, and so is one in frames
 * that nobody analysed once expire-overlay is over. #GstYolov7Overlay:filled-box hides nothing.
 *
 * Draw before elements that turn, mirror or crop the picture: older versions of GStreamer do not
 * move regions with it.
 *
 * All properties but #GstYolov7Overlay:composition may be changed while playing and take effect
 * with the next frame.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert \
 *   ! yolov7 model-file=best.pt ! yolov7overlay ! videoconvert ! autovideosink
 * ]|
 * Shows what a trained model finds in a file.
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert \
 *   ! yolov7 model-file=best.pt inference-interval=3 \
 *   ! yolov7overlay pixelated-box=true draw-statistics=true ! videoconvert ! autovideosink
 * ]|
 * Hides what it finds, counts it, and looks at every third frame only.
 *
 * Since: 0.1
 */
#include "gst/gstyolov7overlay.h"

#include <gst/video/video.h>

#include "gst/composition.h"
#include "gst/framepool.h"
#include "gst/frameview.h"
#include "gst/overlaycaps.h"
#include "gst/overlaysettings.h"
#include "gst/posterror.h"
#include "gst/shown.h"

GST_DEBUG_CATEGORY_STATIC (yolov7_overlay_debug);
#define GST_CAT_DEFAULT yolov7_overlay_debug

/* ---- tables --------------------------------------------------------------------------------- */

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_YOLOV7_OVERLAY_CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_YOLOV7_OVERLAY_CAPS));

struct _GstYolov7Overlay {
  GstBaseTransform parent;

  /* protected by the object lock */
  GstYolov7OverlaySettings settings;

  /* streaming thread only, from start() to stop() */
  GstVideoInfo info;      /* of frames that can be mapped */
  guint frame_w, frame_h; /* px */
  gboolean is_mappable;
  gboolean attaches;     /* what is drawn, rather than drawing it into frames */
  GstCaps *caps;         /* of the sink pad */
  gboolean refused_caps; /* an error was posted for: sticky caps come again and again */
  YvFont *font;
  GstYolov7Shown *shown;
  YvShapes *shapes;
  GstYolov7Composition *composition;
};

G_DEFINE_FINAL_TYPE (GstYolov7Overlay, gst_yolov7_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (yolov7overlay, "yolov7overlay", GST_RANK_NONE, GST_TYPE_YOLOV7_OVERLAY)

/* ---- properties ----------------------------------------------------------------------------- */

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  const gboolean is_known = gst_yolov7_overlay_settings_set (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!is_known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  const gboolean is_known = gst_yolov7_overlay_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!is_known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static GstYolov7OverlaySettings
get_settings (GstYolov7Overlay *self)
{
  GST_OBJECT_LOCK (self);
  const GstYolov7OverlaySettings settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  return settings;
}

/* ---- life ----------------------------------------------------------------------------------- */

static gboolean
start (GstBaseTransform *base)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);

  self->refused_caps = FALSE;
  self->font = yv_font_new ("Sans Bold");
  self->shown = gst_yolov7_shown_new ();
  self->shapes = yv_shapes_new ();
  self->composition = gst_yolov7_composition_new ();
  return TRUE;
}

static gboolean
stop (GstBaseTransform *base)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);

  gst_clear_caps (&self->caps);
  g_clear_pointer (&self->font, yv_font_free);
  g_clear_pointer (&self->shown, gst_yolov7_shown_free);
  g_clear_pointer (&self->shapes, yv_shapes_free);
  g_clear_pointer (&self->composition, gst_yolov7_composition_free);
  return TRUE;
}

/* ---- caps ----------------------------------------------------------------------------------- */

static GstCaps *
transform_caps (GstBaseTransform *base, GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);
  const gboolean may_attach = get_settings (self).composition != GST_YOLOV7_COMPOSITION_NEVER;
  g_autoptr (GstCaps) result = direction == GST_PAD_SINK
                                   ? gst_yolov7_overlay_caps_out (caps, may_attach)
                                   : gst_yolov7_overlay_caps_in (caps, may_attach);

  return filter ? gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST)
                : g_steal_pointer (&result);
}

/* Returns: what is wrong, or NULL. */
static const char *
read_caps (GstYolov7Overlay *self, GstCaps *caps)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const char *why = NULL;
  gint w = 0, h = 0;

  self->is_mappable = gst_yolov7_overlay_caps_are_mappable (caps);
  if (self->is_mappable && !gst_video_info_from_caps (&self->info, caps))
    return "its caps can't be read";
  if (self->is_mappable && !gst_yolov7_frame_view_check (&self->info, &why))
    return why;
  if (!gst_structure_get_int (s, "width", &w) || !gst_structure_get_int (s, "height", &h) ||
      w < 1 || h < 1)
    return "its caps have no size";
  self->frame_w = (guint) w;
  self->frame_h = (guint) h;
  return NULL;
}

/* Whether @caps differ from those before them: they may be set again because downstream changed. */
static gboolean
replace_caps (GstYolov7Overlay *self, GstCaps *caps)
{
  const gboolean is_new = !self->caps || !gst_caps_is_equal (self->caps, caps);

  gst_caps_replace (&self->caps, caps);
  return is_new;
}

static gboolean
set_caps (GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);
  const GstYolov7CompositionMode mode = get_settings (self).composition;
  const char *why = read_caps (self, in);

  if (why && !self->refused_caps)
    gst_yolov7_post_bad_caps (GST_ELEMENT (self), in, why);
  self->refused_caps = why != NULL;
  self->attaches =
      !self->is_mappable || mode == GST_YOLOV7_COMPOSITION_ALWAYS ||
      (mode == GST_YOLOV7_COMPOSITION_AUTO && gst_yolov7_overlay_caps_have_composition (out, 0));
  GST_DEBUG_OBJECT (self, "what is drawn is %s", self->attaches ? "attached" : "in the frame");
  if (replace_caps (self, in))
    gst_yolov7_shown_forget (self->shown);
  return why == NULL;
}

static gboolean
propose_allocation (GstBaseTransform *base, GstQuery *decided, GstQuery *query)
{
  (void) decided;
  return gst_yolov7_propose_allocation (GST_BASE_TRANSFORM_SRC_PAD (base), query, NULL, 0);
}

/* Pushes @caps, as an element that is not negotiated answers no ALLOCATION query, and one between
 * us and who draws answers for itself where it converts. */
static gboolean
downstream_takes_compositions (GstBaseTransform *base, GstCaps *caps)
{
  GstPad *pad = GST_BASE_TRANSFORM_SRC_PAD (base);
  g_autoptr (GstCaps) current = gst_pad_get_current_caps (pad);
  const gboolean has_caps = current && gst_caps_is_equal (current, caps);

  if (!has_caps && !gst_pad_push_event (pad, gst_event_new_caps (caps)))
    return FALSE;
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, FALSE);
  return gst_pad_peer_query (pad, query) &&
         gst_query_find_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
}

/* The caps' feature keeps elements that scale away from between us and who draws: they would leave
 * what is attached where it was. But sinks that take anything take it, too, and draw nothing: hence
 * the query. */
static GstCaps *
fixate_caps (GstBaseTransform *base, GstPadDirection direction, GstCaps *caps, GstCaps *other)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);
  const GstYolov7CompositionMode mode = get_settings (self).composition;
  g_autoptr (GstCaps) candidates = other;
  g_autoptr (GstCaps) attached = gst_yolov7_overlay_caps_first (candidates, TRUE);
  g_autoptr (GstCaps) plain = gst_yolov7_overlay_caps_first (candidates, FALSE);
  (void) caps;

  if (direction == GST_PAD_SRC || !attached)
    return gst_caps_fixate (g_steal_pointer (&candidates));
  if (plain && mode != GST_YOLOV7_COMPOSITION_ALWAYS &&
      !downstream_takes_compositions (base, attached))
    return g_steal_pointer (&plain);
  if (mode == GST_YOLOV7_COMPOSITION_AUTO)
    self->attaches = TRUE; /* set_caps() is left out where downstream has these caps already */
  return g_steal_pointer (&attached);
}

/* ---- events --------------------------------------------------------------------------------- */

/* No frame follows a flush without a segment. */
static gboolean
sink_event (GstBaseTransform *base, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT)
    gst_yolov7_shown_forget (GST_YOLOV7_OVERLAY (base)->shown);
  return GST_BASE_TRANSFORM_CLASS (gst_yolov7_overlay_parent_class)->sink_event (base, event);
}

/* ---- a frame -------------------------------------------------------------------------------- */

/* One pixel is half a sample of subsampled chroma: such a line has little color. */
static guint
line_px_of (const GstYolov7Overlay *self, const YvBoxStyle *style)
{
  const gboolean is_subsampled =
      self->is_mappable && GST_VIDEO_INFO_IS_YUV (&self->info) &&
      GST_VIDEO_FORMAT_INFO_W_SUB (self->info.finfo, GST_VIDEO_COMP_U) > 0;

  if (style->line_px)
    return style->line_px;
  return MAX (yv_boxes_line_px (self->frame_w, self->frame_h), is_subsampled ? 2 : 1);
}

static GstClockTime
running_time_of (GstYolov7Overlay *self, GstBuffer *buffer)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;

  if (segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
}

/* Draws the shapes that are to be pixels; @all: not only those that hide something. */
static gboolean
draw_in_frame (GstYolov7Overlay *self, GstBuffer *buffer, gboolean all)
{
  GstYolov7FrameView view;
  YvCanvas canvas;

  if (!gst_yolov7_frame_view_map (&view, &self->info, buffer, GST_MAP_READWRITE)) {
    gst_yolov7_post_bad_frame (GST_ELEMENT (self), &self->info, buffer);
    return FALSE;
  }
  yv_canvas_init (&canvas, &view.image);
  for (guint i = 0; i < self->shapes->shapes->len; i++)
    if (all || g_array_index (self->shapes->shapes, YvShape, i).kind == YV_SHAPE_PIXELATED)
      yv_shapes_draw (self->shapes, i, self->font, &canvas);
  gst_yolov7_frame_view_unmap (&view);
  return TRUE;
}

static GstFlowReturn
refuse_to_hide (GstYolov7Overlay *self)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (GST_BASE_TRANSFORM_SINK_PAD (self));

  GST_ELEMENT_ERROR (self, STREAM, FORMAT,
                     ("pixelated-box can't hide anything in memory that can't be mapped. Put an "
                      "element before this one that copies frames to system memory, such as "
                      "gldownload, or turn pixelated-box off."),
                     ("caps %" GST_PTR_FORMAT, (void *) caps));
  return GST_FLOW_ERROR;
}

static GstFlowReturn
transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);
  const guint w = self->frame_w, h = self->frame_h;
  GstYolov7OverlaySettings settings = get_settings (self);

  if (settings.pixelated && !self->is_mappable)
    return refuse_to_hide (self);
  settings.style.line_px = line_px_of (self, &settings.style);
  gst_yolov7_shown_read (self->shown, buffer, running_time_of (self, buffer), w, h, &settings);
  gst_yolov7_shown_lay_out (self->shown, w, h, &settings, self->font, self->shapes);
  if (self->shapes->shapes->len == 0)
    return GST_FLOW_OK;

  const gboolean hides = settings.pixelated && gst_yolov7_shown_may_hide (self->shown);
  if ((!self->attaches || hides) && !draw_in_frame (self, buffer, !self->attaches))
    return GST_FLOW_ERROR;
  GST_LOG_OBJECT (self, "%u boxes in %u shapes", gst_yolov7_shown_n_boxes (self->shown),
                  self->shapes->shapes->len);
  if (self->attaches)
    gst_yolov7_composition_attach (self->composition, self->shapes, self->font, w, h, buffer);
  return GST_FLOW_OK;
}

static void
gst_yolov7_overlay_class_init (GstYolov7OverlayClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (yolov7_overlay_debug, "yolov7overlay", 0, "draws detections");
  object->set_property = set_property;
  object->get_property = get_property;
  gst_yolov7_overlay_settings_install (object);

  gst_element_class_set_static_metadata (element, "YOLOv7 overlay", "Analyzer/Visualization/Video",
                                         "Draws detections onto the frames that carry them",
                                         "The gst-yolov7 authors");
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);

  transform->start = GST_DEBUG_FUNCPTR (start);
  transform->transform_caps = GST_DEBUG_FUNCPTR (transform_caps);
  transform->fixate_caps = GST_DEBUG_FUNCPTR (fixate_caps);
  transform->set_caps = GST_DEBUG_FUNCPTR (set_caps);
  transform->propose_allocation = GST_DEBUG_FUNCPTR (propose_allocation);
  transform->sink_event = GST_DEBUG_FUNCPTR (sink_event);
  transform->transform_ip = GST_DEBUG_FUNCPTR (transform_ip);
  transform->stop = GST_DEBUG_FUNCPTR (stop);
}

static void
gst_yolov7_overlay_init (GstYolov7Overlay *self)
{
  gst_yolov7_overlay_settings_init (&self->settings);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}
