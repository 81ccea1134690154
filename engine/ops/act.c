/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/act.c - ACT: an activation that no other op took in. */
#include "engine/ops/op.h"

static bool
lower (const YvNode *node, YvLowering *lowering, GError **error)
{
  YvStep *step = yv_lowering_add (lowering, node, lowering->inputs, 1, &lowering->output);

  step->act = node->act;
  return yv_lowering_eltwise (lowering, step, error);
}

const YvOp yv_op_act = {.shape = yv_op_shape_same, .lower = lower, .channel_align = 8};
