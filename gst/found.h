/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/found.h - what the engine found, with the names of its classes.
 *
 * In:    YvDetections, the class names.
 * Out:   GstYolov7Detection, for gst/detectionmeta.h and gst/report.h.
 */
#pragma once

#include "engine/yolov7.h"
#include "gst/detectionmeta.h"

G_BEGIN_DECLS

/* @class_names: one for each class of the model; borrowed by what is in @detections
 * @detections: (element-type GstYolov7Detection): its content is replaced, its memory is used
 * again */
void gst_yolov7_found_convert (const YvDetections *found, const char *const *class_names,
                               GArray *detections);

G_END_DECLS
