/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/found.c - what the engine found, with the names of its classes. */
#include "gst/found.h"

void
gst_yolov7_found_convert (const YvDetections *found, const char *const *class_names,
                          GArray *detections)
{
  g_array_set_size (detections, 0);
  for (guint i = 0; i < found->n_detections; i++) {
    const YvDetection *d = &found->detections[i];
    const GstYolov7Detection detection = {
        .x = (double) d->x,
        .y = (double) d->y,
        .w = (double) d->w,
        .h = (double) d->h,
        .confidence = (double) d->confidence,
        .objectness = (double) d->objectness,
        .class_index = (gint) d->class_index,
        .id = -1,
        .label = class_names[d->class_index],
    };
    g_array_append_val (detections, detection);
  }
}
