/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/merge_siblings.c - 1x1 convolutions of one value whose results lie side by side in
 * a concat are computed as one, which reads the value once and leaves fewer channels of a block
 * idle.
 *
 * Each output channel stays the same sum. The order of the channels is that of the concat, whatever
 * the order of the nodes: a row of a weight can go anywhere. The nodes stay, too, so that each can
 * be read, and described, by itself. */
#include "engine/passes/passes.h"

static bool
may_be_merged (const YvNode *node)
{
  if (node->op != YV_OP_CONV || node->parent == YV_NO_PARENT || node->conv.merged ||
      node->conv.by_sibling || node->n_inputs > 1 || node->conv.is_doubled)
    return false;
  return node->conv.weight->kernel_h == 1 && node->conv.weight->kernel_w == 1 &&
         node->conv.weight->groups == 1;
}

static bool
has_same_act (const YvNode *a, const YvNode *b)
{
  return a->act.kind == b->act.kind &&
         (a->act.kind != YV_ACT_LEAKY_RELU ||
          (a->act.slope <= b->act.slope && a->act.slope >= b->act.slope));
}

static bool
are_siblings (const YvNode *a, const YvNode *b)
{
  return may_be_merged (b) && a->inputs[0] == b->inputs[0] && a->parent == b->parent &&
         a->conv.stride_h == b->conv.stride_h && a->conv.stride_w == b->conv.stride_w &&
         a->conv.pad_h == b->conv.pad_h && a->conv.pad_w == b->conv.pad_w && has_same_act (a, b);
}

/* A later sibling of the node at @index that ends at channel c_first, or starts at c_end, of the
 * concat; NULL: none. */
static YvNode *
find_sibling (const YvGraph *graph, uint32_t index, uint32_t c_first, uint32_t c_end)
{
  const YvNode *node = graph->nodes->pdata[index];

  for (uint32_t i = index + 1; i < graph->nodes->len; i++) {
    YvNode *other = graph->nodes->pdata[i];
    if (are_siblings (node, other) &&
        (other->c_offset == c_end || other->c_offset + other->c_out == c_first))
      return other;
  }
  return NULL;
}

/* What lies side by side with the node, and it, in the order of their channels. */
static GPtrArray *
find_siblings (const YvGraph *graph, uint32_t index)
{
  GPtrArray *siblings = g_ptr_array_new ();
  YvNode *node = graph->nodes->pdata[index];
  uint32_t c_first = node->c_offset, c_end = node->c_offset + node->c_out;

  g_ptr_array_add (siblings, node);
  for (YvNode *other; (other = find_sibling (graph, index, c_first, c_end));) {
    const bool is_before = other->c_offset < c_first;

    other->conv.by_sibling = true; /* so that it is found once */
    g_ptr_array_insert (siblings, is_before ? 0 : -1, other);
    c_first = MIN (c_first, other->c_offset);
    c_end = MAX (c_end, other->c_offset + other->c_out);
  }
  return siblings;
}

/* The convolution that has the outputs of all. */
static YvNode *
merge (const YvNode *node, const GPtrArray *siblings)
{
  const YvNode *first = siblings->pdata[0];
  g_autoptr (GPtrArray) weights = g_ptr_array_new ();
  g_autoptr (GString) name = g_string_new (NULL);
  YvNode *merged = g_memdup2 (node, sizeof *node);

  for (uint32_t i = 0; i < siblings->len; i++) {
    const YvNode *sibling = siblings->pdata[i];
    g_ptr_array_add (weights, sibling->conv.weight);
    g_string_append_printf (name, "%s%s", i ? "+" : "", sibling->name);
  }
  merged->name = g_strdup (name->str);
  merged->inputs = g_memdup2 (node->inputs, sizeof *node->inputs);
  merged->conv.weight =
      yv_weight_stack ((const YvWeight *const *) (void *) weights->pdata, weights->len);
  merged->c_out = merged->conv.weight->c_out;
  merged->c_offset = first->c_offset;
  return merged;
}

uint32_t
yv_pass_merge_siblings (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    YvNode *node = graph->nodes->pdata[i];
    if (!may_be_merged (node))
      continue;
    g_autoptr (GPtrArray) siblings = find_siblings (graph, i);
    if (siblings->len < 2)
      continue;
    node->conv.merged = merge (node, siblings);
    n_changes++;
  }
  return n_changes;
}
