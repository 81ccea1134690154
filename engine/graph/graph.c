/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/graph.c - the list of nodes, and the few edits that passes are made of. */
#include "engine/graph/graph.h"

#include <math.h>
#include <string.h>

static void
free_node (gpointer data)
{
  YvNode *node = data;

  if (node->op == YV_OP_CONV) {
    yv_weight_free (node->conv.weight);
    if (node->conv.merged)
      free_node (node->conv.merged);
  } else if (node->op == YV_OP_AFFINE) {
    g_free (node->affine.scale);
    g_free (node->affine.shift);
  }
  g_free (node->inputs);
  g_free (node->name);
  g_free (node);
}

YvGraph *
yv_graph_new (void)
{
  YvGraph *graph = g_new0 (YvGraph, 1);

  graph->nodes = g_ptr_array_new_with_free_func (free_node);
  return graph;
}

void
yv_graph_free (YvGraph *graph)
{
  if (!graph)
    return;
  g_ptr_array_unref (graph->nodes);
  g_free (graph);
}

YvNode *
yv_graph_add (YvGraph *graph, YvOpKind op, const char *name, uint32_t row, const uint32_t *inputs,
              uint32_t n_inputs, uint32_t c_out)
{
  YvNode *node = g_new0 (YvNode, 1);

  node->id = graph->next_id++;
  node->op = op;
  node->name = g_strdup (name);
  node->row = row;
  node->inputs = g_memdup2 (inputs, n_inputs * sizeof *inputs);
  node->n_inputs = n_inputs;
  node->c_out = c_out;
  node->parent = YV_NO_PARENT;
  g_ptr_array_add (graph->nodes, node);
  return node;
}

YvNode *
yv_graph_node (const YvGraph *graph, uint32_t id)
{
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    YvNode *node = graph->nodes->pdata[i];
    if (node->id == id)
      return node;
  }
  return NULL;
}

YvNode *
yv_graph_output (const YvGraph *graph)
{
  g_assert (graph->nodes->len > 0);
  return graph->nodes->pdata[graph->nodes->len - 1];
}

uint32_t
yv_graph_max_stride (const YvGraph *graph)
{
  const YvDetectSpec *detect = &yv_graph_output (graph)->detect;
  uint32_t stride = 1;

  for (uint32_t i = 0; i < detect->n_levels; i++)
    stride = MAX (stride, detect->stride[i]);
  return stride;
}

uint32_t
yv_graph_n_readers (const YvGraph *graph, uint32_t id)
{
  uint32_t n_readers = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    for (uint32_t j = 0; j < node->n_inputs; j++)
      n_readers += node->inputs[j] == id;
  }
  return n_readers;
}

bool
yv_graph_is_logits (const YvGraph *graph, uint32_t id)
{
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->op != YV_OP_DECODE && node->op != YV_OP_DETECT)
      continue;
    for (uint32_t j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] == id)
        return true;
  }
  return false;
}

void
yv_graph_replace (YvGraph *graph, uint32_t old_id, uint32_t new_id)
{
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    YvNode *node = graph->nodes->pdata[i];
    for (uint32_t j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] == old_id)
        node->inputs[j] = new_id;
  }
}

void
yv_graph_remove (YvGraph *graph, uint32_t id)
{
  YvNode *node = yv_graph_node (graph, id);

  g_assert (node && yv_graph_n_readers (graph, id) == 0);
  g_ptr_array_remove (graph->nodes, node);
}

void
yv_graph_move_behind (YvGraph *graph, YvNode *node, const YvNode *other)
{
  guint i = graph->nodes->len - 1;

  g_assert (graph->nodes->pdata[i] == node && other != node);
  for (; graph->nodes->pdata[i - 1] != other; i--)
    graph->nodes->pdata[i] = graph->nodes->pdata[i - 1];
  graph->nodes->pdata[i] = node;
}

static bool
inputs_are_placed (const YvNode *node, GHashTable *placed)
{
  for (uint32_t i = 0; i < node->n_inputs; i++)
    if (!g_hash_table_contains (placed, GUINT_TO_POINTER (node->inputs[i])))
      return false;
  return true;
}

/* Again and again the first node that may come now; all of them in one round where the order is
 * right already. A DETECT waits until nothing else is left. */
static GPtrArray *
sorted_nodes (const YvGraph *graph, GHashTable *placed)
{
  const uint32_t n_nodes = graph->nodes->len;
  GPtrArray *sorted = g_ptr_array_new_full (n_nodes, free_node);

  while (sorted->len < n_nodes) {
    const uint32_t n_before = sorted->len;
    for (uint32_t i = 0; i < n_nodes; i++) {
      YvNode *node = graph->nodes->pdata[i];
      if (g_hash_table_contains (placed, GUINT_TO_POINTER (node->id)) ||
          !inputs_are_placed (node, placed) ||
          (node->op == YV_OP_DETECT && sorted->len + 1 < n_nodes))
        continue;
      g_hash_table_insert (placed, GUINT_TO_POINTER (node->id), GUINT_TO_POINTER (sorted->len));
      g_ptr_array_add (sorted, node);
    }
    g_assert (sorted->len > n_before); /* no cycles, no lost inputs */
  }
  return sorted;
}

static uint32_t
index_in (GHashTable *index_of, uint32_t id)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (index_of, GUINT_TO_POINTER (id)));
}

static void
renumber (YvNode *node, GHashTable *index_of)
{
  node->id = index_in (index_of, node->id);
  for (uint32_t j = 0; j < node->n_inputs; j++)
    node->inputs[j] = index_in (index_of, node->inputs[j]);
  if (node->parent != YV_NO_PARENT)
    node->parent = index_in (index_of, node->parent);
  if (node->op == YV_OP_CONV && node->conv.merged)
    renumber (node->conv.merged, index_of);
}

void
yv_graph_sort (YvGraph *graph)
{
  g_autoptr (GHashTable) index_of = g_hash_table_new (NULL, NULL);
  GPtrArray *sorted = sorted_nodes (graph, index_of);

  for (uint32_t i = 0; i < sorted->len; i++)
    renumber (sorted->pdata[i], index_of);
  g_ptr_array_set_free_func (graph->nodes, NULL);
  g_ptr_array_unref (graph->nodes);
  graph->nodes = sorted;
  graph->next_id = sorted->len;
}

/* ---- invariants ---- */

static const YvNode *
input_node (const YvGraph *graph, const YvNode *node, uint32_t i)
{
  const YvNode *input = yv_graph_node (graph, node->inputs[i]);

  g_assert (input);
  return input;
}

static void
assert_merged (const YvNode *node)
{
  const YvNode *merged = node->conv.merged;

  g_assert (!node->conv.by_sibling && node->parent != YV_NO_PARENT);
  g_assert (merged->id == node->id && merged->inputs[0] == node->inputs[0]);
  g_assert (merged->conv.weight->c_out == merged->c_out && merged->parent == node->parent);
  g_assert (merged->c_offset <= node->c_offset);
  g_assert (merged->c_offset + merged->c_out >= node->c_offset + node->c_out);
  g_assert (!merged->conv.merged);
}

static void
assert_conv (const YvGraph *graph, const YvNode *node, const YvNode *input)
{
  const YvWeight *weight = node->conv.weight;
  const bool is_plain = node->n_inputs == 1;

  g_assert (weight && weight->terms->len > 0 && weight->bias);
  g_assert (weight->c_out == node->c_out && weight->c_in == input->c_out);
  g_assert (node->conv.stride_h > 0 && node->conv.stride_w > 0);
  g_assert (is_plain || (node->n_inputs == 2 && input_node (graph, node, 1)->c_out == node->c_out));
  g_assert (!is_plain || !node->conv.act_last);
  if (node->conv.merged)
    assert_merged (node);
}

static void
assert_affine (const YvNode *node, const YvNode *input)
{
  g_assert (node->affine.scale && node->affine.shift && node->c_out == input->c_out);
}

static void
assert_maxpool (const YvNode *node, const YvNode *input)
{
  g_assert (node->maxpool.kernel > 0 && node->maxpool.stride > 0);
  g_assert (node->maxpool.pad <= node->maxpool.kernel / 2 && node->c_out == input->c_out);
  if (node->maxpool.pyramid != YV_PYRAMID_NONE)
    g_assert (node->maxpool.kernel == 5 && node->maxpool.stride == 1 && node->maxpool.pad == 2 &&
              node->c_out % 8 == 0 && node->parent != YV_NO_PARENT);
}

static void
assert_concat (const YvGraph *graph, const YvNode *node)
{
  uint32_t c = 0;

  for (uint32_t i = 0; i < node->n_inputs; i++)
    c += input_node (graph, node, i)->c_out;
  g_assert (c == node->c_out);
}

static void
assert_add (const YvGraph *graph, const YvNode *node)
{
  for (uint32_t i = 0; i < node->n_inputs; i++)
    g_assert (input_node (graph, node, i)->c_out == node->c_out);
}

static void
assert_detect (const YvGraph *graph, const YvNode *node)
{
  const YvDetectSpec *spec = &node->detect;
  const uint32_t row = 5 + spec->n_classes;

  g_assert (spec->n_levels == node->n_inputs && spec->n_levels <= YV_MAX_LEVELS);
  g_assert (spec->n_anchors > 0 && spec->n_anchors <= YV_MAX_ANCHORS && node->c_out == row);
  for (uint32_t i = 0; i < node->n_inputs; i++) {
    const YvNode *input = input_node (graph, node, i);
    g_assert ((input->op == YV_OP_DECODE) == (node->op == YV_OP_DETECT && spec->decoded));
    if (input->op != YV_OP_DECODE)
      g_assert (input->c_out == spec->n_anchors * row);
    g_assert (spec->stride[i] > 0);
  }
}

static void
assert_op (const YvGraph *graph, const YvNode *node)
{
  const bool one_input = node->op != YV_OP_INPUT && node->op != YV_OP_CONV &&
                         node->op != YV_OP_CONCAT && node->op != YV_OP_ADD &&
                         node->op != YV_OP_DETECT;
  const YvNode *input = node->n_inputs > 0 ? input_node (graph, node, 0) : NULL;

  g_assert (one_input ? node->n_inputs == 1 : (node->op == YV_OP_INPUT) == (node->n_inputs == 0));
  switch (node->op) {
  case YV_OP_CONV:
    assert_conv (graph, node, input);
    return;
  case YV_OP_AFFINE:
    assert_affine (node, input);
    return;
  case YV_OP_MAXPOOL:
    assert_maxpool (node, input);
    return;
  case YV_OP_CONCAT:
    assert_concat (graph, node);
    return;
  case YV_OP_ADD:
    assert_add (graph, node);
    return;
  case YV_OP_DECODE:
  case YV_OP_DETECT:
    assert_detect (graph, node);
    return;
  case YV_OP_UPSAMPLE:
    g_assert (node->upsample.factor > 0 && node->c_out == input->c_out);
    return;
  case YV_OP_ACT:
    g_assert (node->c_out == input->c_out);
    return;
  case YV_OP_REORG:
    g_assert (node->c_out == 4 * input->c_out);
    return;
  case YV_OP_INPUT:
    return;
  case YV_N_OPS:
    break;
  }
  g_assert_not_reached ();
}

/* The node is the input of @parent that lies at its c_offset. */
static void
assert_parent (const YvGraph *graph, const YvNode *node, const YvNode *parent)
{
  uint32_t c_offset = 0;

  g_assert (parent && parent->op == YV_OP_CONCAT);
  for (uint32_t i = 0; i < parent->n_inputs; i++) {
    if (parent->inputs[i] == node->id && c_offset == node->c_offset)
      return;
    c_offset += input_node (graph, parent, i)->c_out;
  }
  g_assert_not_reached ();
}

void
yv_graph_assert_valid (const YvGraph *graph)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  g_assert (graph->nodes->len > 1);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    g_assert ((node->op == YV_OP_INPUT) == (i == 0));
    g_assert ((node->op == YV_OP_DETECT) == (i + 1 == graph->nodes->len));
    g_assert (node->name && node->c_out > 0 && node->id < graph->next_id);
    g_assert (node->row < graph->n_rows || node->op == YV_OP_INPUT);
    g_assert (inputs_are_placed (node, seen));
    assert_op (graph, node);
    if (node->parent != YV_NO_PARENT)
      assert_parent (graph, node, yv_graph_node (graph, node->parent));
    g_assert (g_hash_table_add (seen, GUINT_TO_POINTER (node->id)));
  }
}

/* ---- values ---- */

double
yv_act_apply (YvAct act, double x)
{
  switch (act.kind) {
  case YV_ACT_NONE:
    return x;
  case YV_ACT_SILU:
    return x / (1 + exp (-x));
  case YV_ACT_LEAKY_RELU:
    return x < 0 ? (double) act.slope * x : x;
  case YV_ACT_RELU:
    return fmax (x, 0);
  case YV_ACT_RELU6:
    return fmin (fmax (x, 0), 6);
  case YV_ACT_HARDSWISH:
    return x * fmin (fmax (x + 3, 0), 6) / 6;
  case YV_ACT_MISH:
    return x * tanh (x > 30 ? x : log1p (exp (x)));
  case YV_ACT_SIGMOID:
    return 1 / (1 + exp (-x));
  case YV_N_ACTS:
    break;
  }
  g_assert_not_reached ();
}

/* A shift that a pass folds into a weight without a bias becomes a bias, as in training's own
 * fused models, so the counts before and after folding are those that upstream prints. */
uint64_t
yv_node_n_params (const YvNode *node)
{
  if (node->op == YV_OP_AFFINE)
    return node->affine.n_params;
  if (node->op != YV_OP_CONV)
    return 0;
  return yv_weight_n_elems (node->conv.weight) + (node->conv.weight->has_bias ? node->c_out : 0);
}
