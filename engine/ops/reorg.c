/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/reorg.c - REORG: space to depth by 2. */
#include "engine/error.h"
#include "engine/ops/op.h"
#include "shaders/params.h"

#define LOCAL 32

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  if (in->h % 2 || in->w % 2) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: its input is %ux%u, both sides must be even", node->name, in->h, in->w);
    return false;
  }
  *out = (YvShape){4 * in->c, in->h / 2, in->w / 2};
  return true;
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  YvStep *step = yv_lowering_add (lowering, node, lowering->inputs, 1, &lowering->output);
  const YvOperand *src = &step->src[0], *dst = &step->dst;

  if (lowering->caps->is_reference)
    return true;

  step->texel = yv_lowering_texel (lowering, step);
  const struct YvReorgParams params = {
      .out_w = dst->w,
      .out_h = dst->h,
      .in_cstride = src->cstride,
      .out_cstride = dst->cstride,
      .channels = src->c,
  };
  return yv_lowering_dispatch (lowering, step,
                               &(YvDispatch){
                                   .kernel = YV_KERNEL_REORG,
                                   .n_spec = 1,
                                   .spec = {LOCAL},
                                   .groups = {((uint64_t) dst->w * dst->h + LOCAL - 1) / LOCAL,
                                              (dst->c + 7) / 8, lowering->n},
                                   .push = &params,
                                   .n_push_bytes = sizeof params,
                                   .n_addresses = 2,
                                   .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_DST},
                               },
                               error);
}

const YvOp yv_op_reorg = {.shape = shape, .lower = lower, .channel_align = 8};
