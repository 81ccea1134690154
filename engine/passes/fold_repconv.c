/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/fold_repconv.c - a sum of convolutions of one value is one convolution (spec 2.2).
 */
#include <string.h>

#include "engine/passes/passes.h"

/* The input of @add with the largest kernel: the others come to lie in it. NULL: no CONV. */
static YvNode *
largest_conv (const YvGraph *graph, const YvNode *add)
{
  YvNode *largest = NULL;

  for (uint32_t i = 0; i < add->n_inputs; i++) {
    YvNode *node = yv_graph_node (graph, add->inputs[i]);
    if (node->op == YV_OP_CONV &&
        (!largest || node->conv.weight->kernel_h > largest->conv.weight->kernel_h))
      largest = node;
  }
  return largest;
}

/* A kernel of @size padded by @pad sees the same pixels as the centre of @base_size's. */
static bool
is_centred (uint32_t size, uint32_t pad, uint32_t base_size, uint32_t base_pad)
{
  return size <= base_size && pad <= base_pad && (base_size - size) % 2 == 0 &&
         base_pad - pad == (base_size - size) / 2;
}

static bool
conv_fits (const YvNode *node, const YvNode *base)
{
  const YvWeight *weight = node->conv.weight;
  const YvWeight *base_weight = base->conv.weight;

  return node->act.kind == YV_ACT_NONE && weight->groups == base_weight->groups &&
         node->conv.stride_h == base->conv.stride_h && node->conv.stride_w == base->conv.stride_w &&
         is_centred (weight->kernel_h, node->conv.pad_h, base_weight->kernel_h, base->conv.pad_h) &&
         is_centred (weight->kernel_w, node->conv.pad_w, base_weight->kernel_w, base->conv.pad_w);
}

/* An AFFINE is the 1x1 convolution with a diagonal kernel. */
static bool
affine_fits (const YvNode *base)
{
  return base->conv.stride_h == 1 && base->conv.stride_w == 1 &&
         base->conv.weight->c_in == base->conv.weight->c_out &&
         is_centred (1, 0, base->conv.weight->kernel_h, base->conv.pad_h) &&
         is_centred (1, 0, base->conv.weight->kernel_w, base->conv.pad_w);
}

static bool
all_inputs_fit (const YvGraph *graph, const YvNode *add, const YvNode *base)
{
  for (uint32_t i = 0; i < add->n_inputs; i++) {
    const YvNode *node = yv_graph_node (graph, add->inputs[i]);
    const bool fits = node->op == YV_OP_CONV     ? conv_fits (node, base)
                      : node->op == YV_OP_AFFINE ? affine_fits (base)
                                                 : false;
    if (!fits || node->inputs[0] != base->inputs[0] || yv_graph_n_readers (graph, node->id) != 1)
      return false;
  }
  return true;
}

/* The weight of @node, which is left without one. */
static YvWeight *
take_weight (YvNode *node, uint32_t groups)
{
  if (node->op == YV_OP_CONV)
    return g_steal_pointer (&node->conv.weight);

  YvWeight *weight = yv_weight_new (node->c_out, node->c_out, groups, 1, 1);
  yv_weight_add_identity (weight);
  yv_weight_scale (weight, node->affine.scale, node->affine.shift);
  return weight;
}

/* "model.104.add" was the sum; the convolution that takes its place is "model.104". */
static void
rename_after (YvNode *conv, const YvNode *add)
{
  g_free (conv->name);
  conv->name = g_strdup (add->name);
  if (g_str_has_suffix (conv->name, ".add"))
    conv->name[strlen (conv->name) - strlen (".add")] = '\0';
}

static void
merge_inputs (YvGraph *graph, YvNode *add, YvNode *base)
{
  g_autofree uint32_t *inputs = g_memdup2 (add->inputs, add->n_inputs * sizeof *inputs);
  const uint32_t n_inputs = add->n_inputs;

  base->act = add->act;
  rename_after (base, add);
  yv_graph_replace (graph, add->id, base->id);
  yv_graph_remove (graph, add->id);
  for (uint32_t i = 0; i < n_inputs; i++) {
    if (inputs[i] == base->id)
      continue;
    YvNode *node = yv_graph_node (graph, inputs[i]);
    yv_weight_merge (base->conv.weight, take_weight (node, base->conv.weight->groups));
    yv_graph_remove (graph, node->id);
  }
}

uint32_t
yv_pass_fold_repconv (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    YvNode *add = graph->nodes->pdata[i];
    YvNode *base = add->op == YV_OP_ADD ? largest_conv (graph, add) : NULL;
    if (!base || !all_inputs_fit (graph, add, base))
      continue;
    i -= add->n_inputs; /* the nodes that go lie before the next one: the sum, all but one input */
    merge_inputs (graph, add, base);
    n_changes++;
  }
  return n_changes;
}
