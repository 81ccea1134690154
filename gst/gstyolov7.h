/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7.h - the element that detects; see its SECTION block. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_YOLOV7 (gst_yolov7_get_type ())
G_DECLARE_FINAL_TYPE (GstYolov7, gst_yolov7, GST, YOLOV7, GstElement)

GST_ELEMENT_REGISTER_DECLARE (yolov7)

G_END_DECLS
