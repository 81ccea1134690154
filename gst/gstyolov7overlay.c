/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7overlay.c - draws detections onto the frames that carry them. */

/**
 * SECTION:element-yolov7overlay
 * @title: yolov7overlay
 * @short_description: draws detections onto video frames
 * @see_also: yolov7
 *
 * yolov7overlay draws each detection that a frame carries: an outline in the color of its class and
 * a tag with the class name and the confidence. It reads what `yolov7` attaches, and where a frame
 * has none of that, the objects of GStreamer's analytics elements (since 1.24), or any
 * GstVideoRegionOfInterestMeta. Frames without any pass untouched, without being mapped.
 *
 * Drawing happens in the frame's own format, 4:2:0 included, so no conversion is needed around the
 * element. Lines and text grow with the frame unless #GstYolov7Overlay:line-width and
 * #GstYolov7Overlay:font-size say otherwise.
 *
 * Draw before elements that turn, mirror or crop the picture: older versions of GStreamer do not
 * move regions with it.
 *
 * All properties may be changed while playing and take effect with the next frame.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert \
 *   ! yolov7 model-file=best.pt ! yolov7overlay ! videoconvert ! autovideosink
 * ]|
 * Shows what a trained model finds in a file.
 *
 * Since: 0.1
 */
#include "gst/gstyolov7overlay.h"

#include <gst/video/video.h>

#include "gst/detectionmeta.h"
#include "gst/draw/boxes.h"
#include "gst/framepool.h"
#include "gst/frameview.h"
#include "gst/posterror.h"

GST_DEBUG_CATEGORY_STATIC (yolov7_overlay_debug);
#define GST_CAT_DEFAULT yolov7_overlay_debug

/* ---- tables --------------------------------------------------------------------------------- */

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                             GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_YOLOV7_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_YOLOV7_FORMATS)));

enum {
  PROP_0,
  PROP_OBJECT_DETECTION_OUTLINE_COLOR,
  PROP_DRAW_LABELS,
  PROP_LABELS_COLOR,
  PROP_FILLED_BOX,
  PROP_LINE_WIDTH,
  PROP_FONT_SIZE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

struct _GstYolov7Overlay {
  GstBaseTransform parent;

  /* protected by the object lock */
  YvBoxStyle style;

  /* streaming thread only, from start() to stop() */
  GstVideoInfo info;
  gboolean refused_caps; /* an error was posted for: sticky caps come again and again */
  YvFont *font;
  GArray *found; /* of GstYolov7Detection; kept for its memory */
  GArray *boxes; /* of YvBox; kept for its memory */
  YvShapes *shapes;
};

G_DEFINE_FINAL_TYPE (GstYolov7Overlay, gst_yolov7_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (yolov7overlay, "yolov7overlay", GST_RANK_NONE, GST_TYPE_YOLOV7_OVERLAY)

/* ---- properties ----------------------------------------------------------------------------- */

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_OBJECT_DETECTION_OUTLINE_COLOR:
    self->style.outline_argb = g_value_get_uint (value);
    break;
  case PROP_DRAW_LABELS:
    self->style.tags = g_value_get_boolean (value);
    break;
  case PROP_LABELS_COLOR:
    self->style.text_argb = g_value_get_uint (value);
    break;
  case PROP_FILLED_BOX:
    self->style.filled = g_value_get_boolean (value);
    break;
  case PROP_LINE_WIDTH:
    self->style.line_px = g_value_get_uint (value);
    break;
  case PROP_FONT_SIZE:
    self->style.font_px = g_value_get_uint (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
  case PROP_OBJECT_DETECTION_OUTLINE_COLOR:
    g_value_set_uint (value, self->style.outline_argb);
    break;
  case PROP_DRAW_LABELS:
    g_value_set_boolean (value, self->style.tags);
    break;
  case PROP_LABELS_COLOR:
    g_value_set_uint (value, self->style.text_argb);
    break;
  case PROP_FILLED_BOX:
    g_value_set_boolean (value, self->style.filled);
    break;
  case PROP_LINE_WIDTH:
    g_value_set_uint (value, self->style.line_px);
    break;
  case PROP_FONT_SIZE:
    g_value_set_uint (value, self->style.font_px);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
install_properties (GObjectClass *class)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  properties[PROP_OBJECT_DETECTION_OUTLINE_COLOR] = g_param_spec_uint (
      "object-detection-outline-color", "Outline color",
      "Color of outlines and tags, 0xAARRGGBB; 0: each class its own", 0, G_MAXUINT, 0, flags);
  properties[PROP_DRAW_LABELS] = g_param_spec_boolean (
      "draw-labels", "Draw labels", "Draw a tag with class name and confidence", TRUE, flags);
  properties[PROP_LABELS_COLOR] =
      g_param_spec_uint ("labels-color", "Labels color",
                         "Color of the text on tags, 0xAARRGGBB; 0: black or white by contrast", 0,
                         G_MAXUINT, 0, flags);
  properties[PROP_FILLED_BOX] = g_param_spec_boolean (
      "filled-box", "Filled box", "Tint the inside of boxes, a quarter opaque", FALSE, flags);
  properties[PROP_LINE_WIDTH] =
      g_param_spec_uint ("line-width", "Line width",
                         "Width of outlines in pixels; 0: grows with the frame", 0, 100, 0, flags);
  properties[PROP_FONT_SIZE] =
      g_param_spec_uint ("font-size", "Font size",
                         "Size of text in pixels; 0: grows with the frame", 0, 500, 0, flags);
  g_object_class_install_properties (class, N_PROPS, properties);
}

/* ---- life ----------------------------------------------------------------------------------- */

static gboolean
start (GstBaseTransform *base)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);

  self->refused_caps = FALSE;
  self->font = yv_font_new ("Sans Bold");
  self->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  self->boxes = g_array_new (FALSE, FALSE, sizeof (YvBox));
  self->shapes = yv_shapes_new ();
  return TRUE;
}

static gboolean
set_caps (GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);
  const char *why = NULL;
  (void) out;

  if (!gst_video_info_from_caps (&self->info, in))
    why = "its caps can't be read";
  else
    gst_yolov7_frame_view_check (&self->info, &why);
  if (why && !self->refused_caps)
    gst_yolov7_post_bad_caps (GST_ELEMENT (self), in, why);
  self->refused_caps = why != NULL;
  return why == NULL;
}

static gboolean
propose_allocation (GstBaseTransform *base, GstQuery *decided, GstQuery *query)
{
  (void) decided;
  return gst_yolov7_propose_allocation (GST_BASE_TRANSFORM_SRC_PAD (base), query, NULL, 0);
}

static void
boxes_of_detections (const GArray *found, GArray *boxes)
{
  g_array_set_size (boxes, 0);
  for (guint i = 0; i < found->len; i++) {
    const GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, i);
    const YvBox box = {
        .x = d->x,
        .y = d->y,
        .w = d->w,
        .h = d->h,
        .confidence = d->confidence,
        .label = d->label,
        .class_index = d->class_index,
        .id = d->id,
        .predicted = d->predicted,
    };
    g_array_append_val (boxes, box);
  }
}

static YvBoxStyle
get_style (GstYolov7Overlay *self)
{
  GST_OBJECT_LOCK (self);
  const YvBoxStyle style = self->style;
  GST_OBJECT_UNLOCK (self);
  return style;
}

static GstFlowReturn
transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);

  gst_yolov7_detections_read_scaled (buffer, (guint) GST_VIDEO_INFO_WIDTH (&self->info),
                                     (guint) GST_VIDEO_INFO_HEIGHT (&self->info), self->found);
  if (self->found->len == 0)
    return GST_FLOW_OK;

  GstYolov7FrameView view;
  if (!gst_yolov7_frame_view_map (&view, &self->info, buffer, GST_MAP_READWRITE)) {
    gst_yolov7_post_bad_frame (GST_ELEMENT (self), &self->info, buffer);
    return GST_FLOW_ERROR;
  }
  const YvBoxStyle style = get_style (self);
  YvCanvas canvas;
  boxes_of_detections (self->found, self->boxes);
  yv_canvas_init (&canvas, &view.image);
  yv_shapes_clear (self->shapes);
  yv_boxes_lay_out (self->shapes, self->font, (const YvBox *) self->boxes->data, self->boxes->len,
                    &style, canvas.width, canvas.height);
  for (guint i = 0; i < self->shapes->shapes->len; i++)
    yv_shapes_draw (self->shapes, i, self->font, &canvas);
  gst_yolov7_frame_view_unmap (&view);
  GST_LOG_OBJECT (self, "drew %u boxes", self->boxes->len);
  return GST_FLOW_OK;
}

static gboolean
stop (GstBaseTransform *base)
{
  GstYolov7Overlay *self = GST_YOLOV7_OVERLAY (base);

  g_clear_pointer (&self->font, yv_font_free);
  g_clear_pointer (&self->found, g_array_unref);
  g_clear_pointer (&self->boxes, g_array_unref);
  g_clear_pointer (&self->shapes, yv_shapes_free);
  return TRUE;
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
  install_properties (object);

  gst_element_class_set_static_metadata (element, "YOLOv7 overlay", "Analyzer/Visualization/Video",
                                         "Draws detections onto the frames that carry them",
                                         "The gst-yolov7 authors");
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);

  transform->start = GST_DEBUG_FUNCPTR (start);
  transform->set_caps = GST_DEBUG_FUNCPTR (set_caps);
  transform->propose_allocation = GST_DEBUG_FUNCPTR (propose_allocation);
  transform->transform_ip = GST_DEBUG_FUNCPTR (transform_ip);
  transform->stop = GST_DEBUG_FUNCPTR (stop);
}

static void
gst_yolov7_overlay_init (GstYolov7Overlay *self)
{
  self->style = (YvBoxStyle){.tags = true};
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}
