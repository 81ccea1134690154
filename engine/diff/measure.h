/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/measure.h - how far two sets of numbers are apart.
 */
#pragma once

#include "engine/graph/weight.h"
#include "engine/tensor.h"
#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

/* What has been seen of two sets so far; start with zeros. */
typedef struct {
  uint64_t n_elems, n_unequal;
  double max_abs;
  double sum_aa, sum_bb, sum_ab, sum_dd; /* d = a - b */
} YvMeasure;

/* Two tensors of one shape; two arrays of one length; the sum of both measures; two convolutions of
 * one shape, weight and bias. */
void yv_measure_tensors (YvMeasure *measure, const YvTensor *a, const YvTensor *b);
void yv_measure_numbers (YvMeasure *measure, const double *a, const double *b, uint64_t n);
void yv_measure_add (YvMeasure *measure, const YvMeasure *other);
void yv_measure_weights (YvMeasure *measure, const YvWeight *a, const YvWeight *b);

/* @rounding: relative differences up to this are no more than rounding; 0: any is real. */
YvDifference yv_measure_result (const YvMeasure *measure, double rounding);

/* Half the distance of 1 to the next number: the largest relative error of rounding to the type. 0
 * for integers. */
double yv_dtype_rounding (YvDType dtype);

G_END_DECLS
