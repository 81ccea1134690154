/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/measure.c - sums over pairs of numbers. */
#include "engine/diff/measure.h"

#include <math.h>

static void
measure_pair (YvMeasure *measure, double a, double b)
{
  const double d = a - b;

  measure->n_elems++;
  measure->n_unequal += a < b || a > b;
  measure->max_abs = fmax (measure->max_abs, fabs (d));
  measure->sum_aa += a * a;
  measure->sum_bb += b * b;
  measure->sum_ab += a * b;
  measure->sum_dd += d * d;
}

void
yv_measure_tensors (YvMeasure *measure, const YvTensor *a, const YvTensor *b)
{
  const uint64_t n_elems = yv_tensor_n_elems (a);

  g_assert (n_elems == yv_tensor_n_elems (b));
  for (uint64_t i = 0; i < n_elems; i++)
    measure_pair (measure, yv_tensor_get (a, i), yv_tensor_get (b, i));
}

void
yv_measure_numbers (YvMeasure *measure, const double *a, const double *b, uint64_t n)
{
  for (uint64_t i = 0; i < n; i++)
    measure_pair (measure, a[i], b[i]);
}

void
yv_measure_add (YvMeasure *measure, const YvMeasure *other)
{
  measure->n_elems += other->n_elems;
  measure->n_unequal += other->n_unequal;
  measure->max_abs = fmax (measure->max_abs, other->max_abs);
  measure->sum_aa += other->sum_aa;
  measure->sum_bb += other->sum_bb;
  measure->sum_ab += other->sum_ab;
  measure->sum_dd += other->sum_dd;
}

void
yv_measure_weights (YvMeasure *measure, const YvWeight *a, const YvWeight *b)
{
  const uint64_t row_elems = yv_weight_n_elems (a) / a->c_out;
  g_autofree double *a_row = g_new (double, row_elems);
  g_autofree double *b_row = g_new (double, row_elems);

  g_assert (yv_weight_n_elems (a) == yv_weight_n_elems (b) && a->c_out == b->c_out);
  for (uint32_t o = 0; o < a->c_out; o++) {
    yv_weight_row (a, o, a_row);
    yv_weight_row (b, o, b_row);
    yv_measure_numbers (measure, a_row, b_row, row_elems);
    measure_pair (measure, a->bias[o], b->bias[o]);
  }
}

YvDifference
yv_measure_result (const YvMeasure *measure, double rounding)
{
  const double norm = sqrt (fmax (measure->sum_aa, measure->sum_bb));
  const double norms = sqrt (measure->sum_aa) * sqrt (measure->sum_bb);
  YvDifference result = {
      .n_elems = measure->n_elems,
      .n_unequal = measure->n_unequal,
      .max_abs = measure->max_abs,
      .relative = norm > 0 ? sqrt (measure->sum_dd) / norm : 0,
      .cosine = norms > 0  ? fmin (measure->sum_ab / norms, 1)
                : norm > 0 ? 0
                           : 1,
  };

  if (result.n_unequal > 0)
    result.equality = result.relative <= rounding ? YV_EQUAL_ROUNDED : YV_UNEQUAL;
  return result;
}

double
yv_dtype_rounding (YvDType dtype)
{
  switch (dtype) {
  case YV_DTYPE_BF16:
    return 0x1p-9;
  case YV_DTYPE_F16:
    return 0x1p-11;
  case YV_DTYPE_F32:
    return 0x1p-24;
  case YV_DTYPE_F64:
    return 0x1p-53;
  case YV_DTYPE_U8:
  case YV_DTYPE_I8:
  case YV_DTYPE_I16:
  case YV_DTYPE_I32:
  case YV_DTYPE_I64:
  case YV_DTYPE_BOOL:
  case YV_N_DTYPES:
    break;
  }
  return 0;
}
