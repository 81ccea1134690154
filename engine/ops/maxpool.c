/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/maxpool.c - MAXPOOL: the largest of a window, cut at the border. */
#include "engine/error.h"
#include "engine/ops/op.h"

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
