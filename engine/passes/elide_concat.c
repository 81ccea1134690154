/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/elide_concat.c - inputs of a concat are written where the concat is, so that it
 * copies nothing. */
#include "engine/passes/passes.h"

/* Pixels are stored in groups of eight channels (engine/ops/op.h). A value may begin only where a
 * group does, and, as it may fill its last group with zeros, must end there or be the last. */
#define CHANNEL_GROUP 8

static bool
may_be_placed (const YvGraph *graph, const YvNode *node, uint32_t c_offset, bool is_last)
{
  return node->op != YV_OP_INPUT && node->parent == YV_NO_PARENT && c_offset % CHANNEL_GROUP == 0 &&
         (is_last || node->c_out % CHANNEL_GROUP == 0) && !yv_graph_is_logits (graph, node->id);
}

static uint32_t
place_inputs (const YvGraph *graph, const YvNode *concat)
{
  uint32_t n_placed = 0;
  uint32_t c_offset = 0;

  for (uint32_t i = 0; i < concat->n_inputs; i++) {
    YvNode *node = yv_graph_node (graph, concat->inputs[i]);
    if (may_be_placed (graph, node, c_offset, i + 1 == concat->n_inputs)) {
      node->parent = concat->id;
      node->c_offset = c_offset;
      n_placed++;
    }
    c_offset += node->c_out;
  }
  return n_placed;
}

uint32_t
yv_pass_elide_concat (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->op == YV_OP_CONCAT)
      n_changes += place_inputs (graph, node);
  }
  return n_changes;
}
