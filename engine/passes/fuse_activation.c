/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/fuse_activation.c - a convolution or a sum applies the activation that follows it.
 */
#include "engine/passes/passes.h"

static bool
fuse_into_input (YvGraph *graph, const YvNode *act)
{
  YvNode *input = yv_graph_node (graph, act->inputs[0]);

  if ((input->op != YV_OP_CONV && input->op != YV_OP_ADD) || input->act.kind != YV_ACT_NONE ||
      yv_graph_n_readers (graph, input->id) != 1)
    return false;
  input->act = act->act;
  yv_graph_replace (graph, act->id, input->id);
  yv_graph_remove (graph, act->id);
  return true;
}

uint32_t
yv_pass_fuse_activation (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len;) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->op == YV_OP_ACT && fuse_into_input (graph, node))
      n_changes++;
    else
      i++;
  }
  return n_changes;
}
