/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7publish.h - the element that tells others what was found; see its SECTION block. */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_YOLOV7_PUBLISH (gst_yolov7_publish_get_type ())
G_DECLARE_FINAL_TYPE (GstYolov7Publish, gst_yolov7_publish, GST, YOLOV7_PUBLISH, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (yolov7publish)

G_END_DECLS
