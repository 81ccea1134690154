/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/fuse_pool_pyramid.c - the three max-pools of a spatial pyramid (SPPCSPC, tiny's SP)
 * become one step, which reads their source once instead of three times in a row.
 *
 * chain_pools has made them windows of 5 x 5, each of the one before; elide_concat has put them
 * side by side. The nodes stay, so that each can be read, and described, by itself. */
#include "engine/passes/passes.h"

#define CHANNEL_GROUP 8 /* kernels go by 8 channels */

static bool
may_be_level (const YvNode *node)
{
  return node->op == YV_OP_MAXPOOL && node->maxpool.kernel == 5 && node->maxpool.stride == 1 &&
         node->maxpool.pad == 2 && node->maxpool.pyramid == YV_PYRAMID_NONE &&
         node->parent != YV_NO_PARENT && node->c_out % CHANNEL_GROUP == 0;
}

/* The pool of @node's value that lies where @pyramid says; NULL: none. */
static YvNode *
find_next (const YvGraph *graph, const YvNode *node, YvPyramid pyramid)
{
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    YvNode *next = graph->nodes->pdata[i];

    if (!may_be_level (next) || next->inputs[0] != node->id || next->parent != node->parent)
      continue;
    if (pyramid == YV_PYRAMID_RISING ? next->c_offset == node->c_offset + node->c_out
                                     : next->c_offset + node->c_out == node->c_offset)
      return next;
  }
  return NULL;
}

static bool
fuse (const YvGraph *graph, YvNode *first, YvPyramid pyramid)
{
  YvNode *second = find_next (graph, first, pyramid);
  YvNode *third = second ? find_next (graph, second, pyramid) : NULL;

  if (!third)
    return false;
  first->maxpool.pyramid = pyramid;
  second->maxpool.pyramid = third->maxpool.pyramid = YV_PYRAMID_UPPER;
  return true;
}

uint32_t
yv_pass_fuse_pool_pyramid (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    YvNode *node = graph->nodes->pdata[i];

    if (may_be_level (node) &&
        (fuse (graph, node, YV_PYRAMID_RISING) || fuse (graph, node, YV_PYRAMID_FALLING)))
      n_changes++;
  }
  return n_changes;
}
