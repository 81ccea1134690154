/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/coco.h - average precision and recall as COCO defines them: 101 recall points, 10 IoU
 * thresholds, three sizes of object, at most 1, 10 or 100 detections of a class in a picture.
 *
 * The protocol is that of https://cocodataset.org/#detection-eval; a detection takes the best label
 * that is still free, and one that meets a crowd, or has no label and another size than is being
 * measured, is left out.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "tools/eval/label.h"

G_BEGIN_DECLS

typedef enum { COCO_ALL, COCO_SMALL, COCO_MEDIUM, COCO_LARGE, COCO_N_AREAS } CocoArea;

/* One line of COCO's summary. */
typedef struct {
  bool is_recall;
  double iou; /* 0: the mean of 0.50, 0.55 .. 0.95 */
  CocoArea area;
  uint32_t max_detections;
} CocoFigure;

#define COCO_N_FIGURES 12
extern const CocoFigure coco_figures[COCO_N_FIGURES];

typedef struct _Coco Coco;

Coco *coco_new (uint32_t n_classes);
void coco_free (Coco *coco); /* NULL ok */

/* Compares and keeps what came of it; the image may go. Class indices are below n_classes. */
void coco_add (Coco *coco, const EvalImage *image);

/* @values: (out): one for each of coco_figures; -1 where no class has a label of that size. */
void coco_finish (Coco *coco, double values[COCO_N_FIGURES]);

/* " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]", as COCO's own tool
 * writes it. Free with g_free(). */
char *coco_figure_name (const CocoFigure *figure);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Coco, coco_free)

G_END_DECLS
