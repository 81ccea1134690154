/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7tracker.h - the element that follows detections; see its SECTION block. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_YOLOV7_TRACKER (gst_yolov7_tracker_get_type ())
G_DECLARE_FINAL_TYPE (GstYolov7Tracker, gst_yolov7_tracker, GST, YOLOV7_TRACKER, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (yolov7tracker)

G_END_DECLS
