/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/label.h - an object as a person marked it, and how much of it a detection covers.
 *
 * In:    a data set's labels (dataset.h) and what the engine detected (YvDetection).
 * Next:  metric.h, coco.h and confusion.h compare the two. All of them are pure: no files, no
 *        device, one thread at a time per object.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/yolov7.h"

G_BEGIN_DECLS

typedef struct {
  double x, y, w, h; /* px of the picture, top left corner and size */
  double area_px;    /* of the outline where one was drawn, else w * h: COCO's sizes go by it */
  uint32_t class_index;
  bool is_crowd; /* many objects in one box (COCO's iscrowd): finding it is neither right nor wrong
                  */
} EvalLabel;

/* What one picture shows and what was found in it. */
typedef struct {
  uint32_t index; /* of the picture; with equal confidences the smaller one comes first */
  const YvDetection *detections; /* by falling confidence; borrowed */
  uint32_t n_detections;
  const EvalLabel *labels; /* borrowed */
  uint32_t n_labels;
} EvalImage;

/* Cuts the boxes off at the edges of the picture, as test.py does; their area_px stays that of the
 * whole object. COCO's protocol takes them as they were drawn. */
void eval_clip_labels (EvalLabel *labels, uint32_t n_labels, uint32_t width, uint32_t height);

/* Intersection over union; 0 where neither has an area. */
double eval_iou (const YvDetection *detection, const EvalLabel *label);

/* The part of the detection that lies in the label: for crowds. */
double eval_covered (const YvDetection *detection, const EvalLabel *label);

G_END_DECLS
