/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/split.c - a convolution whose sum over K is cut into parts: workgroups for all cores
 * where the output has few tiles, as the late layers of a network have.
 *
 * Each part writes its sums in fp32 to scratch, then conv_sum adds them in their order. The last
 * workgroup could do that instead, found by a counter, and save a dispatch; but then a step would
 * leave the counter behind for the next frame, and the reference could not run it. */
#include "engine/align.h"
#include "engine/ops/conv.h"
#include "shaders/params.h"

#define SUM_LOCAL 64

/* A part shorter than this, in steps of K, is mostly beginning and end. */
#define LEAST_STEPS 16

uint32_t
yv_split_n_parts (const YvCaps *caps, uint64_t n_groups, uint32_t n_steps)
{
  if (caps->conv_parts || caps->is_cpu)
    return CLAMP (caps->conv_parts, 1, n_steps);

  /* Two workgroups for a core: one computes while the other waits. */
  const uint64_t n_parts = MIN (2 * yv_caps_n_cores (caps) / n_groups, n_steps / LEAST_STEPS);
  return (uint32_t) CLAMP (n_parts, 1, YV_SPLIT_MAX_PARTS);
}

static bool
add_sum (YvLowering *lowering, const YvStep *product, const YvOperand *dst, YvAct act,
         GError **error)
{
  const YvOperand *sums = &product->dst;
  const YvDType dtype = product->dtype;
  const struct YvConvSumParams params = {
      .n_pixels = sums->w,
      .n_parts = sums->n,
      .in_cstride = sums->cstride,
      .out_cstride = dst->cstride,
      .channels = (uint32_t) yv_round_up (dst->c, 8),
      .slope = act.slope,
  };
  const YvOperand src = *sums; /* @product moves when a step is added */
  const YvWay way = product->way;
  YvStep *step = yv_lowering_add (lowering, product->node, &src, 1, dst);

  step->part = YV_PART_SPLIT_SUM;
  step->act = act;
  step->way = way;
  step->dtype = dtype;
  return yv_lowering_dispatch (
      lowering, step,
      &(YvDispatch){
          .kernel = YV_KERNEL_CONV_SUM,
          .n_spec = 3,
          .spec = {SUM_LOCAL, act.kind, dst->dtype == YV_DTYPE_F32 && dtype != YV_DTYPE_F32},
          .groups = {yv_pieces ((uint64_t) params.n_pixels * params.channels / 8, SUM_LOCAL), 1, 1},
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 2,
          .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_DST},
      },
      error);
}

bool
yv_split_lower (YvLowering *lowering, YvStep *step, const YvDispatch *whole, uint32_t n_parts,
                GError **error)
{
  const YvOperand dst = step->dst;
  const YvAct act = step->act;
  struct YvConvParams params = *(const struct YvConvParams *) whole->push;
  YvDispatch d = *whole;

  step->part = YV_PART_SPLIT_PRODUCT;
  step->act = (YvAct){.kind = YV_ACT_NONE};
  step->dst = yv_lowering_scratch (lowering, YV_DTYPE_F32, n_parts, dst.c, dst.n * dst.h * dst.w);
  params.out_cstride = step->dst.cstride;
  d.push = &params;
  d.spec[1] = YV_ACT_NONE;
  d.spec[2] = step->dtype != YV_DTYPE_F32;
  d.groups[2] *= n_parts;
  return yv_lowering_dispatch (lowering, step, &d, error) &&
         add_sum (lowering, step, &dst, act, error);
}
