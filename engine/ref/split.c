/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/split.c - the two parts of a convolution whose sum over K is cut up: sums over parts
 * of K, as kernels divide them, and the sum of these. */
#include <string.h>

#include "engine/align.h"
#include "engine/ref/refop.h"
#include "shaders/params.h"

/* How a kernel counts K. */
typedef struct {
  uint32_t n_taps, c_in; /* input channels of a tap, with padding */
  uint32_t k_step;
} Count;

static Count
count_of (const YvStep *step, const struct YvConvParams *params)
{
  const YvWeight *weight = step->weight_source;
  Count count = {.n_taps = weight->kernel_h * weight->kernel_w, .c_in = params->c_in};

  count.k_step = step->pack == YV_PACK_TILE ? YV_TILE_K : YV_COOPMAT_K;
  if (step->pack == YV_PACK_COOPMAT2) {
    count.c_in = yv_coopmat2_n_channels (weight);
    count.k_step = yv_coopmat2_k_step (weight);
  }
  return count;
}

/* Where in K part @part begins, and the one before it ends. */
static uint64_t
first_k (const YvStep *step, const Count *count, uint32_t part)
{
  const uint64_t k = (uint64_t) count->n_taps * count->c_in;

  return yv_pieces (k, count->k_step) * part / step->dst.n * count->k_step;
}

/* A copy of the weight as [c_out][tap][c_in], zero but for K from @first to before @end. */
static float *
cut_weight (const YvRefRun *run, const Count *count, uint64_t first, uint64_t end)
{
  const YvWeight *weight = run->step->weight_source;
  const size_t n_elems = (size_t) weight->c_out * count->n_taps * weight->c_in;
  float *cut = g_memdup2 (run->weight, n_elems * sizeof *cut);

  for (size_t i = 0; i < n_elems; i++) {
    const size_t k = i / weight->c_in % count->n_taps * count->c_in + i % weight->c_in;

    if (k < first || k >= end)
      cut[i] = 0;
  }
  return cut;
}

/* Each part is a convolution with the rest of the weight left out, into its own block of images;
 * the bias is in the first. */
void
yv_ref_split_product (const YvRefRun *run)
{
  struct YvConvParams params;
  YvStep step = *run->step;
  YvWeight weight = *(const YvWeight *) step.weight_source;
  g_autofree double *no_bias = g_new0 (double, weight.c_out);
  YvRefRun of_part = *run;

  memcpy (&params, step.push, sizeof params);
  const Count count = count_of (run->step, &params);
  of_part.step = &step;
  step.dst.n = params.n_images;
  step.dst.h = params.out_h;
  step.dst.w = params.out_w;
  for (uint32_t part = 0; part < run->step->dst.n; part++) {
    g_autofree float *cut = cut_weight (run, &count, first_k (run->step, &count, part),
                                        first_k (run->step, &count, part + 1));

    of_part.weight = cut;
    yv_ref_conv (&of_part);
    step.dst.offset_bytes += yv_operand_image_bytes (&run->step->dst);
    weight.bias = no_bias;
    step.weight_source = &weight;
  }
}

void
yv_ref_split_sum (const YvRefRun *run)
{
  const YvOperand *src = &run->step->src[0], *dst = &run->step->dst;
  const uint64_t n_pixels = src->w;
  g_autofree double *part = g_new (double, src->c);
  g_autofree double *sum = g_new (double, src->c);

  for (uint64_t pixel = 0; pixel < n_pixels; pixel++) {
    memset (sum, 0, src->c * sizeof *sum);
    for (uint32_t i = 0; i < src->n; i++) {
      yv_ref_load (run->arena, src, i * n_pixels + pixel, 0, src->c, part);
      for (uint32_t c = 0; c < src->c; c++)
        sum[c] += part[c];
    }
    for (uint32_t c = 0; c < src->c; c++)
      sum[c] = yv_act_apply (run->step->act, sum[c]);
    yv_ref_store (run->arena, dst, pixel, 0, dst->c, sum);
  }
}
