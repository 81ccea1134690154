/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/fold_batchnorm.c - a batch-norm after a convolution is part of it (spec 2.1). */
#include "engine/passes/affine.h"
#include "engine/passes/passes.h"

uint32_t
yv_pass_fold_batchnorm (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len;) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->op == YV_OP_AFFINE && node->affine.role == YV_AFFINE_BATCHNORM &&
        yv_affine_fold_into_conv (graph, node))
      n_changes++;
    else
      i++;
  }
  return n_changes;
}
