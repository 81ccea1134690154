/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/found.h - what the engine found goes onto the buffer that it was found in.
 *
 * In:    YvDetections of yv_stream_detect(), the class names, the size of the frame.
 * Out:   the metas of gst/detectionmeta.h.
 */
#pragma once

#include "engine/yolov7.h"
#include "gst/detectionmeta.h"

G_BEGIN_DECLS

/**
 * gst_yolov7_found_attach:
 * @buffer: writable
 * @frame_w: px, >= 1
 * @frame_h: px, >= 1
 * @class_names: one for each class of the model; copied
 * @kinds: what to attach besides GstYolov7Detections
 * @scratch: (element-type GstYolov7Detection): its content is replaced, its memory is used again
 */
void gst_yolov7_found_attach (GstBuffer *buffer, guint frame_w, guint frame_h,
                              const YvDetections *found, const char *const *class_names,
                              GstYolov7MetaKinds kinds, GArray *scratch);

G_END_DECLS
