/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/fuse_shortcut.c - a convolution that is only there to be added to another value
 * adds it itself, before it stores anything: a residual costs one read instead of two and a write.
 */
#include "engine/passes/passes.h"

/* One activation at most: the kernel applies it before the sum or after it. A head's logits are
 * left to the convolution alone; the picture has pixels of another size. */
static bool
may_take (const YvGraph *graph, const YvNode *add, const YvNode *conv, const YvNode *other)
{
  return conv->op == YV_OP_CONV && conv->n_inputs == 1 && !conv->conv.is_doubled &&
         yv_graph_n_readers (graph, conv->id) == 1 && other->op != YV_OP_INPUT &&
         (conv->act.kind == YV_ACT_NONE || add->act.kind == YV_ACT_NONE) &&
         !yv_graph_is_logits (graph, add->id);
}

/* The later of the two inputs: by then the other is there. */
static YvNode *
find_conv (const YvGraph *graph, const YvNode *add, uint32_t *other_id)
{
  for (uint32_t i = graph->nodes->len; i-- > 0;) {
    YvNode *node = graph->nodes->pdata[i];

    if (node->id != add->inputs[0] && node->id != add->inputs[1])
      continue;
    *other_id = node->id == add->inputs[0] ? add->inputs[1] : add->inputs[0];
    return may_take (graph, add, node, yv_graph_node (graph, *other_id)) ? node : NULL;
  }
  g_assert_not_reached ();
}

static void
take (YvGraph *graph, const YvNode *add, YvNode *conv, uint32_t other_id)
{
  conv->inputs = g_renew (uint32_t, conv->inputs, 2);
  conv->inputs[1] = other_id;
  conv->n_inputs = 2;
  if (add->act.kind != YV_ACT_NONE) {
    conv->act = add->act;
    conv->conv.act_last = true;
  }
  yv_graph_replace (graph, add->id, conv->id);
  yv_graph_remove (graph, add->id);
}

uint32_t
yv_pass_fuse_shortcut (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len;) {
    const YvNode *add = graph->nodes->pdata[i];
    uint32_t other_id = 0;
    YvNode *conv =
        add->op == YV_OP_ADD && add->n_inputs == 2 ? find_conv (graph, add, &other_id) : NULL;

    if (conv) {
      take (graph, add, conv, other_id);
      n_changes++;
    } else {
      i++;
    }
  }
  return n_changes;
}
