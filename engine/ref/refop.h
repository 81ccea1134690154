/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/refop.h - what the reference's ops share: a step with its memory, and its pixels.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "engine/plan/plan.h"
#include "shaders/params.h"

G_BEGIN_DECLS

/* One step and the memory that it works on. */
typedef struct {
  const YvPlan *plan;
  const YvStep *step;
  uint8_t *arena;
  const float *weight; /* of a convolution: see yv_ref_conv_weight(); else NULL */

  /* of the slot */
  const uint8_t *staging;
  const struct YvFrameParams *frames;    /* one an image */
  const struct YvThresholds *thresholds; /* and the classes wanted, see params.h */
  uint8_t *candidates;
} YvRefRun;

/* CONV, HEAD, FIRST: [c_out][kernel_h][kernel_w][c_in / groups], rounded to the dtype of the step
 * as a kernel would read it; so that the inner loop walks memory in order. Free with g_free(). */
float *yv_ref_conv_weight (const YvStep *step);

/* The product of a convolution by Winograd: [point][c_out][c_in]. Free with g_free(). */
float *yv_ref_winograd_weight (const YvStep *step);

/* What a convolution does with the sum of channel @c (its bias in it) of pixel (n, y, x), y and x
 * of what is computed: activation and residual, in the order of the node. */
double yv_ref_conv_finish (const YvRefRun *run, uint32_t n, uint32_t y, uint32_t x, uint32_t c,
                           double sum);

/* Stores channels [c_first, c_first + n_c) of that pixel: 2 x 2 times where the node doubles. */
void yv_ref_conv_store (const YvRefRun *run, uint32_t n, uint32_t y, uint32_t x, uint32_t c_first,
                        uint32_t n_c, const double *values);

void yv_ref_letterbox (const YvRefRun *run);
void yv_ref_conv (const YvRefRun *run);
void yv_ref_winograd_input (const YvRefRun *run);
void yv_ref_winograd_product (const YvRefRun *run);
void yv_ref_winograd_output (const YvRefRun *run);
void yv_ref_split_product (const YvRefRun *run);
void yv_ref_split_sum (const YvRefRun *run);
void yv_ref_affine (const YvRefRun *run);
void yv_ref_act (const YvRefRun *run);
void yv_ref_maxpool (const YvRefRun *run);
void yv_ref_upsample (const YvRefRun *run);
void yv_ref_concat (const YvRefRun *run);
void yv_ref_add (const YvRefRun *run);
void yv_ref_reorg (const YvRefRun *run);
void yv_ref_decode (const YvRefRun *run);
void yv_ref_detect (const YvRefRun *run);
void yv_ref_first (const YvRefRun *run); /* YV_PART_FIRST */
void yv_ref_head (const YvRefRun *run);  /* YV_PART_HEAD */

/* The rows of a level: one anchor of one cell of the logits, decoded (spec 3.1); 5 + nc floats. */
void yv_ref_decode_row (const YvDetectSpec *spec, uint32_t level, uint32_t anchor, uint32_t y,
                        uint32_t x, const double *logits, float *row);

/* Index of a pixel of an operand: image n, row y, column x. */
static inline uint64_t
yv_ref_pixel (const YvOperand *operand, uint32_t n, uint32_t y, uint32_t x)
{
  return ((uint64_t) n * operand->h + y) * operand->w + x;
}

/* Channels [c_first, c_first + n_c) of a pixel, to and from double. */
void yv_ref_load (const uint8_t *arena, const YvOperand *operand, uint64_t pixel, uint32_t c_first,
                  uint32_t n_c, double *dst);
void yv_ref_store (uint8_t *arena, const YvOperand *operand, uint64_t pixel, uint32_t c_first,
                   uint32_t n_c, const double *src);

G_END_DECLS
