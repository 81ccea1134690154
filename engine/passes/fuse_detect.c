/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/fuse_detect.c - candidates are taken from logits, and rows that lead to none are
 * never decoded. */
#include "engine/passes/passes.h"

uint32_t
yv_pass_fuse_detect (YvGraph *graph)
{
  YvNode *detect = yv_graph_output (graph);

  if (detect->op != YV_OP_DETECT || !detect->detect.decoded)
    return 0;
  for (uint32_t i = 0; i < detect->n_inputs; i++) {
    const YvNode *decode = yv_graph_node (graph, detect->inputs[i]);
    if (yv_graph_n_readers (graph, decode->id) != 1)
      return 0; /* all levels are of one kind */
  }
  for (uint32_t i = 0; i < detect->n_inputs; i++) {
    const YvNode *decode = yv_graph_node (graph, detect->inputs[i]);
    detect->inputs[i] = decode->inputs[0];
    yv_graph_remove (graph, decode->id);
  }
  detect->detect.decoded = false;
  return detect->n_inputs;
}
