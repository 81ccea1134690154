/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/operation.c - whether two nodes compute the same, but for their weights. */
#include "engine/diff/operation.h"

#include <math.h>

static bool
is_near (double a, double b, double rounding)
{
  return fabs (a - b) <= 2 * rounding * fmax (fabs (a), fabs (b));
}

static bool
is_same_detect (const YvDetectSpec *a, const YvDetectSpec *b, double rounding)
{
  if (a->n_levels != b->n_levels || a->n_anchors != b->n_anchors || a->n_classes != b->n_classes)
    return false;
  for (uint32_t level = 0; level < a->n_levels; level++) {
    if (a->stride[level] != b->stride[level])
      return false;
    for (uint32_t i = 0; i < 2 * a->n_anchors; i++)
      if (!is_near ((double) a->anchor_px[level][i / 2][i % 2],
                    (double) b->anchor_px[level][i / 2][i % 2], rounding))
        return false;
  }
  return true;
}

bool
yv_is_same_conv (const YvNode *a, const YvNode *b)
{
  const YvWeight *aw = a->conv.weight, *bw = b->conv.weight;

  return aw->c_in == bw->c_in && aw->c_out == bw->c_out && aw->groups == bw->groups &&
         aw->kernel_h == bw->kernel_h && aw->kernel_w == bw->kernel_w &&
         a->conv.stride_h == b->conv.stride_h && a->conv.stride_w == b->conv.stride_w &&
         a->conv.pad_h == b->conv.pad_h && a->conv.pad_w == b->conv.pad_w &&
         a->conv.act_last == b->conv.act_last && a->conv.is_doubled == b->conv.is_doubled;
}

bool
yv_is_same_operation (const YvNode *a, const YvNode *b, double rounding)
{
  if (a->op != b->op || a->c_out != b->c_out || a->n_inputs != b->n_inputs ||
      a->act.kind != b->act.kind || !is_near ((double) a->act.slope, (double) b->act.slope, 1e-6))
    return false;
  if (a->op == YV_OP_CONV)
    return yv_is_same_conv (a, b);
  if (a->op == YV_OP_MAXPOOL)
    return a->maxpool.kernel == b->maxpool.kernel && a->maxpool.stride == b->maxpool.stride &&
           a->maxpool.pad == b->maxpool.pad;
  if (a->op == YV_OP_UPSAMPLE)
    return a->upsample.factor == b->upsample.factor;
  if (a->op == YV_OP_DETECT || a->op == YV_OP_DECODE)
    return is_same_detect (&a->detect, &b->detect, rounding);
  return true;
}
