/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/chain_pools.c - a large max-pool reads a smaller one of the same value.
 *
 * With stride 1 and padding that keeps the size, the largest of k x k values is the largest of
 * (k - j + 1) x (k - j + 1) neighbours' largest of j x j: at the border too, since padding is minus
 * infinity. A pyramid of 5, 9 and 13 becomes 5 after 5 after 5, 75 reads a value instead of 275. */
#include "engine/passes/passes.h"

static bool
keeps_size (const YvNode *node)
{
  return node->op == YV_OP_MAXPOOL && node->maxpool.stride == 1 && node->maxpool.kernel % 2 == 1 &&
         node->maxpool.pad == node->maxpool.kernel / 2;
}

/* The largest that comes before @node (in @graph's order) and is smaller than it; NULL: none. */
static const YvNode *
find_smaller (const YvGraph *graph, const YvNode *node)
{
  const YvNode *best = NULL;

  for (uint32_t i = 0; graph->nodes->pdata[i] != node; i++) {
    const YvNode *other = graph->nodes->pdata[i];

    if (keeps_size (other) && other->inputs[0] == node->inputs[0] && other->maxpool.kernel > 1 &&
        other->maxpool.kernel < node->maxpool.kernel &&
        (!best || other->maxpool.kernel > best->maxpool.kernel))
      best = other;
  }
  return best;
}

/* Nodes from the last to the first, so that those before still read what they share. */
uint32_t
yv_pass_chain_pools (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = graph->nodes->len; i-- > 0;) {
    YvNode *node = graph->nodes->pdata[i];
    const YvNode *smaller = keeps_size (node) ? find_smaller (graph, node) : NULL;

    if (!smaller)
      continue;
    node->inputs[0] = smaller->id;
    node->maxpool.kernel -= smaller->maxpool.kernel - 1;
    node->maxpool.pad = node->maxpool.kernel / 2;
    n_changes++;
  }
  return n_changes;
}
