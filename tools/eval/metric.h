/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/metric.h - average precision as upstream's test.py computes it (spec 4.4).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/eval/label.h"

G_BEGIN_DECLS

#define METRIC_N_IOUS 10     /* 0.50, 0.55 .. 0.95 */
#define METRIC_N_POINTS 1000 /* of a curve */

typedef struct {
  uint32_t n_labels;        /* 0: nothing else of this class means anything */
  double precision, recall; /* at MetricResult.confidence, IoU 0.5 */
  double ap[METRIC_N_IOUS];
  float curve[METRIC_N_POINTS]; /* precision where recall is i / (METRIC_N_POINTS - 1), IoU 0.5 */
} MetricClass;

typedef struct {
  uint32_t n_images, n_labels, n_classes;
  MetricClass *classes; /* [n_classes] */

  /* Means over the classes that have labels; 0 where none has. */
  double precision, recall, map50, map50_95;
  double confidence; /* the threshold where F1 is best on average: precision and recall are its */
} MetricResult;

typedef struct _Metric Metric;

Metric *metric_new (uint32_t n_classes);
void metric_free (Metric *metric); /* NULL ok */

/* Compares and keeps what came of it; the image may go. Crowds are not looked at. Class indices are
 * below n_classes. */
void metric_add (Metric *metric, const EvalImage *image);

/* Returns: (transfer full): what all images together give. */
MetricResult *metric_finish (Metric *metric);
void metric_result_free (MetricResult *result); /* NULL ok */

/* Of one class over all IoU thresholds: what test.py calls mAP@.5:.95. */
double metric_class_ap (const MetricClass *c);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Metric, metric_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricResult, metric_result_free)

G_END_DECLS
