/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/overlaysettings.h - the properties of yolov7overlay: their names, ranges and defaults, and
 * what they are set to.
 *
 * The element keeps one GstYolov7OverlaySettings under its object lock, and copies it for a frame.
 */
#pragma once

#include <gst/gst.h>

#include "gst/draw/boxes.h"

G_BEGIN_DECLS

/* Whether what is drawn is attached for a sink that draws it, or changes the frame's pixels. */
typedef enum {
  GST_YOLOV7_COMPOSITION_AUTO,   /* attached where downstream says that it takes it */
  GST_YOLOV7_COMPOSITION_NEVER,  /* and memory that can't be mapped is not taken */
  GST_YOLOV7_COMPOSITION_ALWAYS, /* whatever downstream says */
} GstYolov7CompositionMode;

/* Plain data. */
typedef struct {
  YvBoxStyle style;
  bool pixelated;          /* what is in boxes is hidden */
  bool zones, statistics;  /* drawn */
  uint64_t expire_ns;      /* how long boxes stay on frames that nobody analysed */
  uint64_t tail_length_ns; /* 0: no tails */
  GstYolov7CompositionMode composition;
} GstYolov7OverlaySettings;

void gst_yolov7_overlay_settings_init (GstYolov7OverlaySettings *settings);

/* Installs all properties, and marks their enum for the plugin's documentation. */
void gst_yolov7_overlay_settings_install (GObjectClass *class);

/* For the element's set_property and get_property. Returns: false for an @id that is none. */
gboolean gst_yolov7_overlay_settings_set (GstYolov7OverlaySettings *settings, guint id,
                                          const GValue *value);
gboolean gst_yolov7_overlay_settings_get (const GstYolov7OverlaySettings *settings, guint id,
                                          GValue *value);

G_END_DECLS
