/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/maxpool.c - MAXPOOL: the largest of a window, cut at the border. */
#include "engine/error.h"
#include "engine/ops/op.h"
#include "shaders/params.h"

#define LOCAL 32

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  const uint32_t kernel = node->maxpool.kernel, stride = node->maxpool.stride,
                 pad = node->maxpool.pad;

  out->c = in->c;
  if (pad < kernel && yv_op_window (in->h, kernel, stride, pad, &out->h) &&
      yv_op_window (in->w, kernel, stride, pad, &out->w))
    return true;

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: a %ux%u window does not fit into its input of %ux%u with padding %u; use a "
               "larger input size",
               node->name, kernel, kernel, in->h, in->w, pad);
  return false;
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  YvStep *step = yv_lowering_add (lowering, node, lowering->inputs, 1, &lowering->output);
  const YvOperand *src = &step->src[0], *dst = &step->dst;

  if (lowering->caps->is_reference)
    return true;

  step->texel = yv_lowering_texel (lowering, step);
  const struct YvResampleParams params = {
      .in_w = src->w,
      .in_h = src->h,
      .out_w = dst->w,
      .out_h = dst->h,
      .in_cstride = src->cstride,
      .out_cstride = dst->cstride,
      .channels = dst->c,
      .kernel = node->maxpool.kernel,
      .stride = node->maxpool.stride,
      .pad = node->maxpool.pad,
  };
  return yv_lowering_dispatch (lowering, step,
                               &(YvDispatch){
                                   .kernel = YV_KERNEL_MAXPOOL,
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

const YvOp yv_op_maxpool = {.shape = shape, .lower = lower, .channel_align = 8};
