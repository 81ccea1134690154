/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/overlaycaps.h - which video yolov7overlay takes, and what becomes of its caps.
 *
 * The caps feature meta:GstVideoOverlayComposition says that frames may carry overlays that are
 * still to be drawn. Into system memory we can draw ourselves, so it may be there or not; other
 * memory needs it on what comes out.
 */
#pragma once

#include <gst/video/video.h>

#include "gst/frameview.h"

G_BEGIN_DECLS

#define GST_YOLOV7_IN_MEMORY(name)                                                                 \
  "; video/x-raw(memory:" name "); video/x-raw(memory:" name                                       \
  ", " GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION ")"

/* In memory that can't be mapped nothing is drawn, so there any format is good. The kinds of memory
 * are named: "any feature" would promise system memory of any format, too. */
#define GST_YOLOV7_OVERLAY_CAPS                                                                    \
  GST_VIDEO_CAPS_MAKE (GST_YOLOV7_FORMATS)                                                         \
  ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (                                                          \
      "memory:SystemMemory, " GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,                 \
      GST_YOLOV7_FORMATS) GST_YOLOV7_IN_MEMORY ("GLMemory") GST_YOLOV7_IN_MEMORY ("DMABuf")        \
      GST_YOLOV7_IN_MEMORY ("VAMemory") GST_YOLOV7_IN_MEMORY ("CUDAMemory")                        \
          GST_YOLOV7_IN_MEMORY ("VulkanImage") GST_YOLOV7_IN_MEMORY ("NVMM")

/* Whether frames of these caps are in system memory. @caps: their first structure counts. */
gboolean gst_yolov7_overlay_caps_are_mappable (const GstCaps *caps);

/* Whether frames of structure @i may carry overlays that are still to be drawn. */
gboolean gst_yolov7_overlay_caps_have_composition (const GstCaps *caps, guint i);

/* The first structure of @caps that may, or may not, fixated. (transfer full) (nullable) */
GstCaps *gst_yolov7_overlay_caps_first (const GstCaps *caps, gboolean with_composition);

/* What may come out for what comes in, and the other way round. @may_attach: overlays that are
 * still to be drawn. (transfer full) */
GstCaps *gst_yolov7_overlay_caps_out (const GstCaps *in, gboolean may_attach);
GstCaps *gst_yolov7_overlay_caps_in (const GstCaps *out, gboolean may_attach);

G_END_DECLS
