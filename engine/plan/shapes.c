/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/shapes.c - the shape and the cost of every node, for an input of one size. */
#include <string.h>

#include "engine/ops/op.h"
#include "engine/plan/draft.h"

uint32_t *
yv_draft_index_nodes (const YvGraph *graph)
{
  uint32_t *index_of_id = g_new (uint32_t, graph->next_id);

  memset (index_of_id, 0xff, graph->next_id * sizeof *index_of_id);
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    index_of_id[((const YvNode *) g_ptr_array_index (graph->nodes, i))->id] = i;
  return index_of_id;
}

static bool
infer_shape (const YvGraph *graph, const uint32_t *index_of_id, uint32_t index, YvShape *shapes,
             uint64_t *flops, GError **error)
{
  const YvNode *node = g_ptr_array_index (graph->nodes, index);
  const YvOp *op = yv_op (node->op);
  g_autofree YvShape *in = g_new (YvShape, MAX (node->n_inputs, 1));

  for (uint32_t i = 0; i < node->n_inputs; i++) {
    g_assert (index_of_id[node->inputs[i]] < index);
    in[i] = shapes[index_of_id[node->inputs[i]]];
  }
  if (!op->shape (node, in, &shapes[index], error))
    return false;
  *flops = op->flops ? op->flops (node, in, &shapes[index]) : 0;
  return true;
}

/* Shapes of all nodes, and what they cost, for an input of h x w. */
static bool
infer_shapes (const YvGraph *graph, const uint32_t *index_of_id, uint32_t h, uint32_t w,
              YvShape *shapes, uint64_t *node_flops, GError **error)
{
  const YvNode *input = g_ptr_array_index (graph->nodes, 0);

  g_assert (input->op == YV_OP_INPUT);
  shapes[0] = (YvShape){input->c_out, h, w};
  node_flops[0] = 0;
  for (uint32_t i = 1; i < graph->nodes->len; i++)
    if (!infer_shape (graph, index_of_id, i, shapes, &node_flops[i], error))
      return false;
  return true;
}

bool
yv_draft_shapes (YvDraft *draft, GError **error)
{
  g_autofree YvShape *shapes = g_new (YvShape, draft->n_nodes);
  g_autofree uint64_t *flops = g_new (uint64_t, draft->n_nodes);

  if (!infer_shapes (draft->graph, draft->index_of_id, draft->options->h, draft->options->w, shapes,
                     flops, error))
    return false;
  for (uint32_t i = 0; i < draft->n_nodes; i++)
    draft->layouts[i].shape = shapes[i];
  return true;
}

uint64_t
yv_graph_flops (const YvGraph *graph, uint32_t h, uint32_t w, uint64_t *node_flops)
{
  g_autofree uint32_t *index_of_id = yv_draft_index_nodes (graph);
  g_autofree YvShape *shapes = g_new (YvShape, graph->nodes->len);
  g_autofree uint64_t *own = g_new0 (uint64_t, graph->nodes->len);
  uint64_t *flops = node_flops ? node_flops : own;
  uint64_t total = 0;

  memset (flops, 0, graph->nodes->len * sizeof *flops);
  if (!infer_shapes (graph, index_of_id, h, w, shapes, flops, NULL))
    return 0;
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    total += flops[i];
  return total;
}
