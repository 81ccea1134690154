/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/affine.c - scaling and shifting what a convolution gives is another convolution. */
#include "engine/passes/affine.h"

bool
yv_affine_fold_into_conv (YvGraph *graph, const YvNode *affine)
{
  YvNode *conv = yv_graph_node (graph, affine->inputs[0]);

  if (conv->op != YV_OP_CONV || conv->act.kind != YV_ACT_NONE ||
      yv_graph_n_readers (graph, conv->id) != 1)
    return false;
  yv_weight_scale (conv->conv.weight, affine->affine.scale, affine->affine.shift);
  yv_graph_replace (graph, affine->id, conv->id);
  yv_graph_remove (graph, affine->id);
  return true;
}
