/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/fuse_upsample.c - a convolution that is only there to be enlarged by 2 writes each
 * pixel four times, and the small value is never stored.
 */
#include "engine/passes/passes.h"

static bool
fuse_into_input (YvGraph *graph, const YvNode *upsample)
{
  YvNode *conv = yv_graph_node (graph, upsample->inputs[0]);

  if (conv->op != YV_OP_CONV || conv->conv.is_doubled || upsample->upsample.factor != 2 ||
      yv_graph_n_readers (graph, conv->id) != 1 || yv_graph_is_logits (graph, upsample->id))
    return false;
  conv->conv.is_doubled = true;
  yv_graph_replace (graph, upsample->id, conv->id);
  yv_graph_remove (graph, upsample->id);
  return true;
}

uint32_t
yv_pass_fuse_upsample (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len;) {
    const YvNode *node = graph->nodes->pdata[i];

    if (node->op == YV_OP_UPSAMPLE && fuse_into_input (graph, node))
      n_changes++;
    else
      i++;
  }
  return n_changes;
}
