/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/fold_implicit.c - im * m (ia + x) is one convolution (spec 2.3). */
#include "engine/passes/affine.h"
#include "engine/passes/passes.h"

static bool
only_adds (const YvNode *affine)
{
  for (uint32_t c = 0; c < affine->c_out; c++)
    if (affine->affine.scale[c] != 1)
      return false;
  return true;
}

/* Exact only where no window reaches into the padding, where nothing is added. */
static bool
is_unpadded_1x1 (const YvNode *node)
{
  return node->op == YV_OP_CONV && node->conv.weight->kernel_h == 1 &&
         node->conv.weight->kernel_w == 1 && node->conv.pad_h == 0 && node->conv.pad_w == 0;
}

static bool
all_readers_are_1x1 (const YvGraph *graph, uint32_t id)
{
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    for (uint32_t j = 0; j < node->n_inputs; j++)
      if (node->inputs[j] == id && !is_unpadded_1x1 (node))
        return false;
  }
  return true;
}

/* W (x + a) + b = W x + (b + W a) */
static void
move_shift_into_bias (YvWeight *weight, const double *shift)
{
  const uint32_t c_in = weight->c_in / weight->groups;
  const uint32_t c_out = weight->c_out / weight->groups;
  g_autofree double *row = g_new (double, c_in);

  for (uint32_t o = 0; o < weight->c_out; o++) {
    const double *a = shift + (size_t) (o / c_out) * c_in;
    yv_weight_row (weight, o, row);
    for (uint32_t c = 0; c < c_in; c++)
      weight->bias[o] += row[c] * a[c];
  }
  weight->has_bias = true;
}

static bool
fold_into_readers (YvGraph *graph, const YvNode *affine)
{
  if (!only_adds (affine) || yv_graph_n_readers (graph, affine->id) == 0 ||
      !all_readers_are_1x1 (graph, affine->id))
    return false;
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    YvNode *node = graph->nodes->pdata[i];
    if (node->n_inputs == 1 && node->inputs[0] == affine->id)
      move_shift_into_bias (node->conv.weight, affine->affine.shift);
  }
  yv_graph_replace (graph, affine->id, affine->inputs[0]);
  yv_graph_remove (graph, affine->id);
  return true;
}

uint32_t
yv_pass_fold_implicit (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len;) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->op == YV_OP_AFFINE && node->affine.role == YV_AFFINE_IMPLICIT &&
        (fold_into_readers (graph, node) || yv_affine_fold_into_conv (graph, node)))
      n_changes++;
    else
      i++;
  }
  return n_changes;
}
