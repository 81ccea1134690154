/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/upsample.c - UPSAMPLE: nearest, by an integer factor. */
#include "engine/error.h"
#include "engine/ops/op.h"
#include "shaders/params.h"

#define LOCAL 32
#define MAX_SIDE_PX 65536 /* far beyond any picture; keeps products of a hostile factor small */

static bool
shape (const YvNode *node, const YvShape *in, YvShape *out, GError **error)
{
  const uint64_t factor = node->upsample.factor;

  if (in->h * factor > MAX_SIDE_PX || in->w * factor > MAX_SIDE_PX) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %ux%u enlarged by %u is more than %d px a side", node->name, in->h, in->w,
                 node->upsample.factor, MAX_SIDE_PX);
    return false;
  }
  *out = (YvShape){in->c, (uint32_t) (in->h * factor), (uint32_t) (in->w * factor)};
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
  const struct YvResampleParams params = {
      .in_w = src->w,
      .in_h = src->h,
      .out_w = dst->w,
      .out_h = dst->h,
      .in_cstride = src->cstride,
      .out_cstride = dst->cstride,
      .channels = dst->c,
      .factor = node->upsample.factor,
  };
  return yv_lowering_dispatch (lowering, step,
                               &(YvDispatch){
                                   .kernel = YV_KERNEL_UPSAMPLE,
                                   .n_spec = 1,
                                   .spec = {LOCAL},
                                   .groups = {((uint64_t) src->w * src->h + LOCAL - 1) / LOCAL,
                                              (dst->c + 7) / 8, lowering->n},
                                   .push = &params,
                                   .n_push_bytes = sizeof params,
                                   .n_addresses = 2,
                                   .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_DST},
                               },
                               error);
}

const YvOp yv_op_upsample = {.shape = shape, .lower = lower, .channel_align = 8};
