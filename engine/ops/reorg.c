/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/reorg.c - REORG: space to depth by 2. */
#include "engine/error.h"
#include "engine/ops/op.h"

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

  return yv_lowering_resample (lowering, step,
                               &(YvResample){
                                   .kernel = YV_KERNEL_REORG,
                                   .walked = &step->dst,
                               },
                               error);
}

const YvOp yv_op_reorg = {.shape = shape, .lower = lower, .channel_align = 8};
