/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/fuse.c - which values a plan never stores: logits, where candidates are taken
 * straight from the convolutions of the heads, and the picture, where the first convolution takes
 * it straight from frames. */
#include "engine/plan/draft.h"

/* Not on a CPU, where a tile in shared memory costs more than a value that is stored; not with
 * cooperative matrices, which these kernels don't use (docs/performance.md); and tests read values.
 */
static bool
may_fuse (const YvDraft *draft)
{
  const YvCaps *caps = draft->caps;
  const bool has_coopmat = caps->coopmat_m != 0 && draft->options->dtype == YV_DTYPE_F16;

  return !caps->is_reference && !caps->texel_lanes && !has_coopmat && !draft->options->keep_all;
}

/* ---- heads ----------------------------------------------------------------------------------- */

/* Neither kernel adds or enlarges as it stores. */
static bool
is_plain (const YvNode *node)
{
  return node->op == YV_OP_CONV && node->n_inputs == 1 && !node->conv.is_doubled;
}

/* Kernels go by 8 channels, the picture has 4. */
static bool
is_head (const YvDraft *draft, const YvNode *node)
{
  if (!is_plain (node) || yv_graph_n_readers (draft->graph, node->id) != 1)
    return false;

  const YvWeight *weight = node->conv.weight;
  const YvNode *source = yv_graph_node (draft->graph, node->inputs[0]);
  return weight->kernel_h == 1 && weight->kernel_w == 1 && weight->groups == 1 &&
         node->conv.stride_h == 1 && node->conv.stride_w == 1 && node->conv.pad_h == 0 &&
         node->conv.pad_w == 0 && node->act.kind == YV_ACT_NONE && source->op != YV_OP_INPUT;
}

/* All levels or none: they are of one kind. */
static void
fuse_heads (YvDraft *draft)
{
  const YvNode *detect = draft->output;

  if (draft->options->dense_rows || detect->detect.decoded)
    return;
  for (uint32_t i = 0; i < detect->n_inputs; i++)
    if (!is_head (draft, yv_graph_node (draft->graph, detect->inputs[i])))
      return;
  for (uint32_t i = 0; i < detect->n_inputs; i++)
    draft->heads[i] = yv_graph_node (draft->graph, detect->inputs[i]);
}

/* ---- the first convolution ------------------------------------------------------------------- */

/* NULL where others read it, too, or it is an input of a concat. */
static const YvNode *
only_reader (const YvDraft *draft, const YvNode *node)
{
  if (yv_graph_n_readers (draft->graph, node->id) != 1 || node->parent != YV_NO_PARENT)
    return NULL;
  for (uint32_t i = 0; i < draft->n_nodes; i++)
    for (uint32_t k = 0; k < yv_draft_node (draft, i)->n_inputs; k++)
      if (yv_draft_node (draft, i)->inputs[k] == node->id)
        return yv_draft_node (draft, i);
  return NULL;
}

/* 3 x 3 over 3 channels, or over the 12 of REORG. */
static bool
is_first (const YvDraft *draft, const YvNode *node, bool is_reorged)
{
  if (!node || !is_plain (node) || node->conv.merged || node->conv.by_sibling ||
      yv_graph_is_logits (draft->graph, node->id))
    return false;

  const YvWeight *weight = node->conv.weight;
  const uint32_t stride = node->conv.stride_h;
  return weight->c_in == (is_reorged ? 12 : 3) && weight->groups == 1 && weight->kernel_h == 3 &&
         weight->kernel_w == 3 && node->conv.stride_w == stride &&
         (stride == 1 || (stride == 2 && !is_reorged)) && node->conv.pad_h == 1 &&
         node->conv.pad_w == 1;
}

static void
fuse_first (YvDraft *draft)
{
  const YvNode *reader = only_reader (draft, yv_draft_node (draft, 0));
  const YvNode *reorg = reader && reader->op == YV_OP_REORG ? reader : NULL;
  const YvNode *conv = reorg ? only_reader (draft, reorg) : reader;

  if (draft->options->tensor_input || !is_first (draft, conv, reorg != NULL))
    return;
  draft->first = conv;
  draft->first_reorg = reorg;
}

void
yv_draft_fuse (YvDraft *draft)
{
  if (!may_fuse (draft))
    return;
  fuse_heads (draft);
  fuse_first (draft);
}

static bool
is_head_of (const YvDraft *draft, const YvNode *node)
{
  for (uint32_t i = 0; i < draft->output->n_inputs; i++)
    if (draft->heads[i] == node)
      return true;
  return false;
}

bool
yv_draft_is_fused (const YvDraft *draft, const YvNode *node)
{
  return node == draft->first || node == draft->first_reorg || is_head_of (draft, node);
}

bool
yv_draft_is_stored (const YvDraft *draft, const YvNode *node)
{
  const bool is_picture = node->op == YV_OP_INPUT || node == draft->first_reorg;

  return node->op != YV_OP_DETECT && !(draft->first && is_picture) && !is_head_of (draft, node);
}
