/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/detections.h - what is on a frame, as one line of JSON.
 *
 *   {"timestamp":1040000000,"signal":true,"resolution":{"width":640,"height":480},"objects":[
 *    {"detection":{"bounding_box":{"x_min":0.1,"y_min":0.2,"x_max":0.3,"y_max":0.4},
 *     "confidence":0.875,"label":"dog","label_id":16},"x":64,"y":96,"w":128,"h":96,"id":7}]}
 *
 * timestamp  PTS of the picture that it belongs to, ns
 * signal     false: the camera, or its analysis, is lost; the picture is a repeated one, and there
 *            are no objects
 * objects    missing for a picture that is repeated and was not analysed
 * The rest is as yolov7publish writes it; label_id, id and predicted only where there is one.
 *
 * Pure. Threads: any.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

G_BEGIN_DECLS

/**
 * detections_to_json:
 * @has_signal: whether the camera plays
 *
 * Returns: (transfer full) (nullable): NULL for a frame that nobody has analysed, unless it is a
 * repeated one (GST_BUFFER_FLAG_GAP): a stream begins with one of those, and needs a record.
 */
char *detections_to_json (GstBuffer *frame, bool has_signal);

G_END_DECLS
