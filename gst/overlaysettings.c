/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/overlaysettings.c - the properties of yolov7overlay. */
#include "gst/overlaysettings.h"

#include <stddef.h>

enum {
  PROP_0,
  PROP_OBJECT_DETECTION_OUTLINE_COLOR,
  PROP_TRACKING_OUTLINE_COLORS,
  PROP_DRAW_LABELS,
  PROP_DRAW_TRACKING_LABELS,
  PROP_LABELS_COLOR,
  PROP_FILLED_BOX,
  PROP_PIXELATED_BOX,
  PROP_LINE_WIDTH,
  PROP_FONT_SIZE,
  PROP_EXPIRE_OVERLAY,
  PROP_TAIL_LENGTH,
  PROP_DRAW_ZONES,
  PROP_DRAW_STATISTICS,
  PROP_COMPOSITION,
  N_PROPS
};

#define MAX_TAIL_LENGTH_NS (600 * GST_SECOND)

static const GEnumValue composition_modes[] = {
    {GST_YOLOV7_COMPOSITION_AUTO,
     "Attach what is drawn where downstream says that it draws attached overlays; else change the "
     "frame's pixels",
     "auto"},
    {GST_YOLOV7_COMPOSITION_NEVER, "Change the frame's pixels", "never"},
    {GST_YOLOV7_COMPOSITION_ALWAYS, "Attach what is drawn, whatever downstream says", "always"},
    {0, NULL, NULL},
};

#define GST_TYPE_YOLOV7_COMPOSITION_MODE (composition_mode_get_type ())
static GType
composition_mode_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
                       g_enum_register_static ("GstYolov7CompositionMode", composition_modes));
  return type;
}

/* Where a property's value is kept; its type is the property's own. */
static const gsize offsets[N_PROPS] = {
    [PROP_OBJECT_DETECTION_OUTLINE_COLOR] = offsetof (GstYolov7OverlaySettings, style.outline_argb),
    [PROP_TRACKING_OUTLINE_COLORS] = offsetof (GstYolov7OverlaySettings, style.id_colors),
    [PROP_DRAW_LABELS] = offsetof (GstYolov7OverlaySettings, style.tags),
    [PROP_DRAW_TRACKING_LABELS] = offsetof (GstYolov7OverlaySettings, style.ids),
    [PROP_LABELS_COLOR] = offsetof (GstYolov7OverlaySettings, style.text_argb),
    [PROP_FILLED_BOX] = offsetof (GstYolov7OverlaySettings, style.filled),
    [PROP_PIXELATED_BOX] = offsetof (GstYolov7OverlaySettings, pixelated),
    [PROP_LINE_WIDTH] = offsetof (GstYolov7OverlaySettings, style.line_px),
    [PROP_FONT_SIZE] = offsetof (GstYolov7OverlaySettings, style.font_px),
    [PROP_EXPIRE_OVERLAY] = offsetof (GstYolov7OverlaySettings, expire_ns),
    [PROP_TAIL_LENGTH] = offsetof (GstYolov7OverlaySettings, tail_length_ns),
    [PROP_DRAW_ZONES] = offsetof (GstYolov7OverlaySettings, zones),
    [PROP_DRAW_STATISTICS] = offsetof (GstYolov7OverlaySettings, statistics),
    [PROP_COMPOSITION] = offsetof (GstYolov7OverlaySettings, composition),
};
_Static_assert(sizeof (GstYolov7CompositionMode) == sizeof (int),
               "enums are stored through an int pointer");

/* ---- values --------------------------------------------------------------------------------- */

void
gst_yolov7_overlay_settings_init (GstYolov7OverlaySettings *settings)
{
  *settings = (GstYolov7OverlaySettings){
      .style = {.tags = true, .ids = true, .id_colors = true},
      .zones = true,
      .expire_ns = GST_SECOND,
  };
}

gboolean
gst_yolov7_overlay_settings_set (GstYolov7OverlaySettings *settings, guint id, const GValue *value)
{
  if (id == PROP_0 || id >= N_PROPS)
    return FALSE;

  void *field = (char *) settings + offsets[id];
  if (G_VALUE_HOLDS_UINT (value))
    *(uint32_t *) field = g_value_get_uint (value);
  else if (G_VALUE_HOLDS_UINT64 (value))
    *(uint64_t *) field = g_value_get_uint64 (value);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    *(bool *) field = g_value_get_boolean (value);
  else
    *(int *) field = g_value_get_enum (value);
  return TRUE;
}

gboolean
gst_yolov7_overlay_settings_get (const GstYolov7OverlaySettings *settings, guint id, GValue *value)
{
  if (id == PROP_0 || id >= N_PROPS)
    return FALSE;

  const void *field = (const char *) settings + offsets[id];
  if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, *(const uint32_t *) field);
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_value_set_uint64 (value, *(const uint64_t *) field);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, *(const bool *) field);
  else
    g_value_set_enum (value, *(const int *) field);
  return TRUE;
}

/* ---- specifications ------------------------------------------------------------------------- */

#define PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

/* What a box looks like. */
static void
init_box_properties (GParamSpec **properties)
{
  properties[PROP_OBJECT_DETECTION_OUTLINE_COLOR] = g_param_spec_uint (
      "object-detection-outline-color", "Outline color",
      "Color of outlines and tags, 0xAARRGGBB; 0: each class its own", 0, G_MAXUINT, 0, PLAYING);
  properties[PROP_TRACKING_OUTLINE_COLORS] = g_param_spec_boolean (
      "tracking-outline-colors", "Tracking outline colors",
      "Draw each tracked object in a color of its own, whatever object-detection-outline-color is",
      TRUE, PLAYING);
  properties[PROP_DRAW_LABELS] = g_param_spec_boolean (
      "draw-labels", "Draw labels", "Draw class name and confidence on a tag", TRUE, PLAYING);
  properties[PROP_DRAW_TRACKING_LABELS] =
      g_param_spec_boolean ("draw-tracking-labels", "Draw tracking labels",
                            "Draw the ids of tracked objects on their tags", TRUE, PLAYING);
  properties[PROP_LABELS_COLOR] =
      g_param_spec_uint ("labels-color", "Labels color",
                         "Color of the text on tags, 0xAARRGGBB; 0: black or white by contrast", 0,
                         G_MAXUINT, 0, PLAYING);
  properties[PROP_FILLED_BOX] = g_param_spec_boolean (
      "filled-box", "Filled box", "Tint the inside of boxes, a quarter opaque; hides nothing",
      FALSE, PLAYING);
  properties[PROP_PIXELATED_BOX] = g_param_spec_boolean (
      "pixelated-box", "Pixelated box",
      "Hide what is in boxes behind large squares, and all of the frame until one was analysed; "
      "what was not detected stays visible",
      FALSE, PLAYING);
  properties[PROP_LINE_WIDTH] =
      g_param_spec_uint ("line-width", "Line width",
                         "Width of lines in pixels; 0: grows with the frame", 0, 100, 0, PLAYING);
  properties[PROP_FONT_SIZE] =
      g_param_spec_uint ("font-size", "Font size",
                         "Size of text in pixels; 0: grows with the frame", 0, 500, 0, PLAYING);
}

/* What else is drawn, for how long, and into what. */
static void
init_scene_properties (GParamSpec **properties)
{
  properties[PROP_EXPIRE_OVERLAY] = g_param_spec_uint64 (
      "expire-overlay", "Expire overlay",
      "How long the last boxes stay on frames that nobody analysed, in ns; 0: not at all, the "
      "largest number: until the next analysis",
      0, G_MAXUINT64, GST_SECOND, PLAYING);
  properties[PROP_TAIL_LENGTH] =
      g_param_spec_uint64 ("tail-length", "Tail length",
                           "Draw where tracked objects were in the last so many ns; 0: no tails", 0,
                           MAX_TAIL_LENGTH_NS, 0, PLAYING);
  properties[PROP_DRAW_ZONES] = g_param_spec_boolean (
      "draw-zones", "Draw zones", "Draw the zones and lines of a tracker, with their counts", TRUE,
      PLAYING);
  properties[PROP_DRAW_STATISTICS] = g_param_spec_boolean (
      "draw-statistics", "Draw statistics",
      "Draw frames a second of running time, and the number of objects in a corner", FALSE,
      PLAYING);
  properties[PROP_COMPOSITION] =
      g_param_spec_enum ("composition", "Composition",
                         "Whether what is drawn is attached to frames for a sink to draw",
                         GST_TYPE_YOLOV7_COMPOSITION_MODE, GST_YOLOV7_COMPOSITION_AUTO,
                         G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
}

void
gst_yolov7_overlay_settings_install (GObjectClass *class)
{
  GParamSpec *properties[N_PROPS] = {NULL};

  init_box_properties (properties);
  init_scene_properties (properties);
  g_object_class_install_properties (class, N_PROPS, properties);
  gst_type_mark_as_plugin_api (GST_TYPE_YOLOV7_COMPOSITION_MODE, 0);
}
