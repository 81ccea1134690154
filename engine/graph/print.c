/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/print.c - a graph as text, one line a node. */
#include "engine/graph/graph.h"

static const char *const op_names[YV_N_OPS] = {
    [YV_OP_INPUT] = "input",   [YV_OP_CONV] = "conv",       [YV_OP_AFFINE] = "affine",
    [YV_OP_ACT] = "act",       [YV_OP_MAXPOOL] = "maxpool", [YV_OP_UPSAMPLE] = "upsample",
    [YV_OP_CONCAT] = "concat", [YV_OP_ADD] = "add",         [YV_OP_REORG] = "reorg",
    [YV_OP_DECODE] = "decode", [YV_OP_DETECT] = "detect",
};

static const char *const act_names[YV_N_ACTS] = {
    [YV_ACT_NONE] = "none", [YV_ACT_SILU] = "silu",       [YV_ACT_LEAKY_RELU] = "leaky_relu",
    [YV_ACT_RELU] = "relu", [YV_ACT_RELU6] = "relu6",     [YV_ACT_HARDSWISH] = "hardswish",
    [YV_ACT_MISH] = "mish", [YV_ACT_SIGMOID] = "sigmoid",
};

static const char *const pyramid_names[] = {
    [YV_PYRAMID_NONE] = "",
    [YV_PYRAMID_RISING] = " pyramid rising",
    [YV_PYRAMID_FALLING] = " pyramid falling",
    [YV_PYRAMID_UPPER] = " by pyramid",
};

const char *
yv_op_name (YvOpKind op)
{
  g_assert (op < YV_N_OPS);
  return op_names[op];
}

const char *
yv_act_name (YvActKind act)
{
  g_assert (act < YV_N_ACTS);
  return act_names[act];
}

/* "3" where both are 3, else "3x1". */
static void
print_pair (GString *text, const char *label, uint32_t h, uint32_t w)
{
  g_string_append_printf (text, h == w ? " %s%u" : " %s%ux%u", label, h, w);
}

static void
print_conv (GString *text, const YvNode *node)
{
  const YvWeight *weight = node->conv.weight;

  print_pair (text, "k", weight->kernel_h, weight->kernel_w);
  print_pair (text, "s", node->conv.stride_h, node->conv.stride_w);
  print_pair (text, "p", node->conv.pad_h, node->conv.pad_w);
  if (weight->groups > 1)
    g_string_append_printf (text, " g%u", weight->groups);
  if (weight->terms->len > 1)
    g_string_append_printf (text, " terms %u", weight->terms->len);
  if (node->n_inputs > 1)
    g_string_append (text, node->conv.act_last ? " add before act" : " add after act");
  if (node->conv.is_doubled)
    g_string_append (text, " doubled");
  if (node->conv.merged)
    g_string_append_printf (text, " as %s", node->conv.merged->name);
  if (node->conv.by_sibling)
    g_string_append (text, " by sibling");
}

static void
print_detect (GString *text, const YvNode *node)
{
  const YvDetectSpec *spec = &node->detect;

  g_string_append_printf (text, " classes %u anchors %u", spec->n_classes, spec->n_anchors);
  if (node->op == YV_OP_DETECT)
    g_string_append (text, spec->decoded ? " of decoded" : " of logits");
  g_string_append (text, " strides");
  for (uint32_t i = 0; i < spec->n_levels; i++)
    g_string_append_printf (text, " %u", spec->stride[i]);
}

static void
print_attributes (GString *text, const YvNode *node)
{
  switch (node->op) {
  case YV_OP_CONV:
    print_conv (text, node);
    break;
  case YV_OP_AFFINE:
    g_string_append (text, node->affine.role == YV_AFFINE_BATCHNORM ? " batchnorm" : " implicit");
    break;
  case YV_OP_MAXPOOL:
    g_string_append_printf (text, " k%u s%u p%u", node->maxpool.kernel, node->maxpool.stride,
                            node->maxpool.pad);
    g_string_append (text, pyramid_names[node->maxpool.pyramid]);
    break;
  case YV_OP_UPSAMPLE:
    g_string_append_printf (text, " x%u", node->upsample.factor);
    break;
  case YV_OP_DECODE:
  case YV_OP_DETECT:
    print_detect (text, node);
    break;
  case YV_OP_INPUT:
  case YV_OP_ACT:
  case YV_OP_CONCAT:
  case YV_OP_ADD:
  case YV_OP_REORG:
  case YV_N_OPS:
    break;
  }
  if (node->act.kind != YV_ACT_NONE)
    g_string_append_printf (text, " %s", yv_act_name (node->act.kind));
  if (node->act.kind == YV_ACT_LEAKY_RELU)
    g_string_append_printf (text, " %g", (double) node->act.slope);
}

static void
print_node (GString *text, const YvNode *node)
{
  g_string_append_printf (text, "%4u %-8s %s <-", node->id, yv_op_name (node->op), node->name);
  for (uint32_t i = 0; i < node->n_inputs; i++)
    g_string_append_printf (text, " %u", node->inputs[i]);
  g_string_append_printf (text, " : c%u", node->c_out);
  print_attributes (text, node);
  if (node->parent != YV_NO_PARENT)
    g_string_append_printf (text, " in %u+%u", node->parent, node->c_offset);
  g_string_append_c (text, '\n');
}

char *
yv_graph_print (const YvGraph *graph)
{
  GString *text = g_string_new (NULL);

  for (uint32_t i = 0; i < graph->nodes->len; i++)
    print_node (text, graph->nodes->pdata[i]);
  return g_string_free (text, FALSE);
}
