/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7overlay.h - the element that draws detections; see its SECTION block. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_YOLOV7_OVERLAY (gst_yolov7_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstYolov7Overlay, gst_yolov7_overlay, GST, YOLOV7_OVERLAY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (yolov7overlay)

G_END_DECLS
