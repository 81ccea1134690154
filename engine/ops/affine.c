/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/affine.c - AFFINE: x * scale + shift per channel, where no convolution took it in. */
#include "engine/ops/op.h"

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  YvStep *step = yv_lowering_add (lowering, node, lowering->inputs, 1, &lowering->output);

  step->weight_source = node;
  step->pack = lowering->caps->is_reference ? YV_PACK_NONE : YV_PACK_AFFINE;
  return yv_lowering_eltwise (lowering, step, error);
}

const YvOp yv_op_affine = {.shape = yv_op_shape_same, .lower = lower, .channel_align = 8};
