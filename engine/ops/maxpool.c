/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/maxpool.c - MAXPOOL: the largest of a window, cut at the border. */
#include "engine/align.h"
#include "engine/error.h"
#include "engine/ops/op.h"
#include "shaders/params.h"

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

/* All levels of a pyramid from one source. */
static bool
lower_pyramid (YvLowering *lowering, YvStep *step, GError **error)
{
  const YvOperand *src = &step->src[0], *dst = &step->dst;
  const uint64_t n_tiles =
      yv_pieces (src->w, YV_PYRAMID_TILE) * yv_pieces (src->h, YV_PYRAMID_TILE);

  if (lowering->caps->is_reference)
    return true;

  const struct YvResampleParams params = {
      .in_w = src->w,
      .in_h = src->h,
      .out_w = dst->w,
      .out_h = dst->h,
      .in_cstride = src->cstride,
      .out_cstride = dst->cstride,
      .channels = src->c,
      .kernel = YV_PYRAMID_KERNEL,
      .stride = 1,
      .pad = YV_PYRAMID_KERNEL / 2,
  };
  return yv_lowering_dispatch (
      lowering, step,
      &(YvDispatch){
          .kernel = YV_KERNEL_MAXPOOL_PYRAMID,
          .n_spec = 2,
          .spec = {YV_PYRAMID_LOCAL, step->node->maxpool.pyramid == YV_PYRAMID_FALLING},
          .groups = {n_tiles, src->c / 4, lowering->n},
          .push = &params,
          .n_push_bytes = sizeof params,
          .n_addresses = 2,
          .addresses = {YV_ADDRESS_SRC0, YV_ADDRESS_DST},
      },
      error);
}

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  YvStep *step = yv_lowering_add (lowering, node, lowering->inputs, 1, &lowering->output);

  if (step->dst.c > step->src[0].c)
    return lower_pyramid (lowering, step, error);

  return yv_lowering_resample (lowering, step,
                               &(YvResample){
                                   .kernel = YV_KERNEL_MAXPOOL,
                                   .walked = &step->dst,
                                   .window = node->maxpool.kernel,
                                   .stride = node->maxpool.stride,
                                   .pad = node->maxpool.pad,
                               },
                               error);
}

const YvOp yv_op_maxpool = {.shape = shape, .lower = lower, .channel_align = 8};
