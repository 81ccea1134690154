/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/tunebands.c - random input for a convolution, and how far two ways are apart on it. */
#include "engine/tunebands.h"

#include <math.h>

#include "engine/error.h"
#include "engine/graph/random.h"
#include "engine/steptest.h"

/* Values that are compared where it has to be quick. */
#define BAND_ELEMS 32768

#define EPSILON_FP32 0x1p-23
#define EPSILON_FP16 0x1p-10
#define SMALLEST_FP16 0x1p-24

void
yv_tune_bands_init (YvTuneBands *bands, const YvNode *node, YvDType dtype)
{
  *bands = (YvTuneBands){.node = node, .absolute = g_new (double, node->c_out)};
  yv_step_test_bound_conv (node->conv.weight, dtype, node->n_inputs > 1, bands->absolute);
}

static void
drop_bands (YvTuneBands *bands)
{
  for (uint32_t i = 0; i < bands->n_bands; i++) {
    g_free (bands->bands[i].source);
    g_free (bands->bands[i].added);
    g_free (bands->bands[i].expected);
  }
  bands->n_bands = 0;
}

void
yv_tune_bands_clear (YvTuneBands *bands)
{
  drop_bands (bands);
  g_clear_pointer (&bands->absolute, g_free);
}

/* ---- the bands ------------------------------------------------------------------------------- */

static uint64_t
n_elems (const YvOperand *operand)
{
  return (uint64_t) operand->n * operand->c * operand->h * operand->w;
}

static YvOperand
rows_of (const YvOperand *operand, uint32_t image, const YvTuneRows *rows)
{
  const uint64_t elem_bytes = yv_dtype_size_bytes (operand->dtype);
  const uint64_t row_bytes = (uint64_t) operand->w * operand->cstride * elem_bytes;
  YvOperand part = *operand;

  part.offset_bytes += image * yv_operand_image_bytes (operand) + rows->first * row_bytes;
  part.size_bytes = rows->n * row_bytes - (operand->cstride - operand->c) * elem_bytes;
  part.n = 1;
  part.h = rows->n;
  return part;
}

static float *
new_values (const YvOperand *rows, GError **error)
{
  const uint64_t n = n_elems (rows);
  float *values = g_try_new (float, n);

  if (!values)
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY,
                 "no memory for %" G_GUINT64_FORMAT " floats; give a smaller size", n);
  return values;
}

/* Even from -1 to 1. */
static float *
new_random (const YvOperand *rows, uint64_t *random, GError **error)
{
  float *values = new_values (rows, error);

  for (uint64_t i = 0; values && i < n_elems (rows); i++)
    values[i] = (float) ((double) (yv_random_next (random) >> 11) * 0x1p-52 - 1);
  return values;
}

/* Before they are doubled. */
static YvTuneRows
computed_rows (const YvNode *node, const YvTuneRows *dst)
{
  const uint32_t factor = node->conv.is_doubled ? 2 : 1;
  const uint32_t first = dst->first / factor;

  return (YvTuneRows){first, (dst->first + dst->n - 1) / factor + 1 - first};
}

/* At least one row, also where all that is read is padding. */
static YvTuneRows
source_rows (const YvNode *node, const YvTuneRows *computed, uint32_t h)
{
  const uint32_t kernel = node->conv.weight->kernel_h, stride = node->conv.stride_h;
  const uint32_t pad = node->conv.pad_h, start = computed->first * stride;
  const uint32_t first = start > pad ? MIN (start - pad, h - 1) : 0;
  const uint32_t behind = (computed->first + computed->n - 1) * stride + kernel;
  const uint32_t end = MIN (behind > pad ? behind - pad : 1, h);

  return (YvTuneRows){first, MAX (end, first + 1) - first};
}

static bool
add_band (YvTuneBands *bands, const char *shape, const YvTuneOperands *operands, uint32_t image,
          YvTuneRows dst, GError **error)
{
  const YvTuneRows computed = computed_rows (bands->node, &dst);
  uint64_t random = yv_random_seed (bands->n_bands, shape);
  YvTuneBand *band = &bands->bands[bands->n_bands++];

  *band = (YvTuneBand){.image = image,
                       .dst = dst,
                       .src = source_rows (bands->node, &computed, operands->src->h),
                       .residual = computed};
  const YvOperand source = rows_of (operands->src, image, &band->src);
  band->source = new_random (&source, &random, error);
  if (!band->source || !operands->residual)
    return band->source != NULL;

  const YvOperand residual = rows_of (operands->residual, image, &computed);
  band->added = new_random (&residual, &random, error);
  return band->added != NULL;
}

/* Whole images, or the top, the middle and the bottom of the first, and the bottom of the last. */
static bool
add_bands (YvTuneBands *bands, const char *shape, const YvTuneOperands *operands, uint32_t n_rows,
           GError **error)
{
  const uint32_t h = operands->dst->h, n_images = operands->dst->n, bottom = h - n_rows;

  if (!add_band (bands, shape, operands, 0, (YvTuneRows){0, n_rows}, error))
    return false;
  if (n_rows < h &&
      (!add_band (bands, shape, operands, 0, (YvTuneRows){bottom / 2, n_rows}, error) ||
       !add_band (bands, shape, operands, 0, (YvTuneRows){bottom, n_rows}, error)))
    return false;
  return n_images == 1 ||
         add_band (bands, shape, operands, n_images - 1, (YvTuneRows){bottom, n_rows}, error);
}

bool
yv_tune_bands_fill (YvTuneBands *bands, const char *shape, const YvTuneOperands *operands,
                    bool is_whole, GError **error)
{
  const YvOperand *src = operands->src, *dst = operands->dst;
  const uint64_t row_elems =
      (uint64_t) dst->w * dst->c + (uint64_t) bands->node->conv.stride_h * src->w * src->c;
  const uint32_t n_rows = (uint32_t) MIN (MAX (BAND_ELEMS / row_elems, 1), dst->h);

  if (add_bands (bands, shape, operands, is_whole ? dst->h : n_rows, error))
    return true;
  drop_bands (bands);
  return false;
}

bool
yv_tune_bands_write (const YvTuneBands *bands, YvExecutor *executor, const YvTuneOperands *operands,
                     GError **error)
{
  for (uint32_t i = 0; i < bands->n_bands; i++) {
    const YvTuneBand *band = &bands->bands[i];
    const YvOperand source = rows_of (operands->src, band->image, &band->src);

    if (!executor->klass->write (executor, &source, band->source, error))
      return false;
    if (!band->added)
      continue;
    const YvOperand residual = rows_of (operands->residual, band->image, &band->residual);
    if (!executor->klass->write (executor, &residual, band->added, error))
      return false;
  }
  return true;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Two results, each with its sums' error, which Winograd makes twice as large (winograd.h), and
 * each rounded. */
static double
worst_share (const YvTuneBands *bands, const YvTuneBand *band, const YvOperand *dst,
             const YvWay *way, const float *got)
{
  const bool is_half = dst->dtype == YV_DTYPE_F16;
  const double n_errors = way->winograd ? 3 : 2;
  const double relative = 2 * (is_half ? EPSILON_FP16 : EPSILON_FP32);
  const uint64_t n_pixels = (uint64_t) band->dst.n * dst->w;
  double worst = 0;

  for (uint64_t i = 0; i < n_pixels * dst->c; i++) {
    const double expected = (double) band->expected[i], value = (double) got[i];
    const double allowed = n_errors * bands->absolute[i / n_pixels] + relative * fabs (expected) +
                           (is_half ? SMALLEST_FP16 : 0);

    if (value == expected || (isnan (value) && isnan (expected)))
      continue; /* not numbers, or too large, with either: of weights that are so, too */
    const double share = fabs (value - expected) / allowed;
    worst = isfinite (share) ? fmax (worst, share) : YV_STEP_TEST_MOST;
  }
  return worst;
}

bool
yv_tune_bands_compare (YvTuneBands *bands, YvExecutor *executor, const YvOperand *dst,
                       const YvWay *way, double *share, GError **error)
{
  *share = 0;
  for (uint32_t i = 0; i < bands->n_bands; i++) {
    YvTuneBand *band = &bands->bands[i];
    const YvOperand rows = rows_of (dst, band->image, &band->dst);
    g_autofree float *got = new_values (&rows, error);

    if (!got || !executor->klass->read (executor, &rows, got, error))
      return false;
    if (band->expected)
      *share = fmax (*share, worst_share (bands, band, dst, way, got));
    else
      band->expected = g_steal_pointer (&got);
  }
  bands->has_expected = true;
  return true;
}
