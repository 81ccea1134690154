/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/heads.c - which plans take candidates straight from the convolutions of the heads,
 * and never store their logits. */
#include "engine/plan/draft.h"

/* On a CPU the tiles of conv_lanes are faster than what could be skipped, with cooperative matrices
 * the whole convolution is (docs/performance.md). */
static bool
has_head_kernel (const YvDraft *draft)
{
  const YvCaps *caps = draft->caps;
  const bool has_coopmat = caps->coopmat_m != 0 && draft->options->dtype == YV_DTYPE_F16;

  return !caps->is_reference && !caps->texel_lanes && !has_coopmat;
}

/* Kernels go by 8 channels, the picture has 4. */
static bool
is_head (const YvDraft *draft, const YvNode *node)
{
  if (node->op != YV_OP_CONV || yv_graph_n_readers (draft->graph, node->id) != 1)
    return false;

  const YvWeight *weight = node->conv.weight;
  const YvNode *source = yv_graph_node (draft->graph, node->inputs[0]);
  return weight->kernel_h == 1 && weight->kernel_w == 1 && weight->groups == 1 &&
         node->conv.stride_h == 1 && node->conv.stride_w == 1 && node->conv.pad_h == 0 &&
         node->conv.pad_w == 0 && node->act.kind == YV_ACT_NONE && source->op != YV_OP_INPUT;
}

/* All levels or none: they are of one kind. */
void
yv_draft_fuse_heads (YvDraft *draft)
{
  const YvNode *detect = draft->output;

  if (!has_head_kernel (draft) || draft->options->keep_all || draft->options->dense_rows ||
      detect->detect.decoded)
    return;
  for (uint32_t i = 0; i < detect->n_inputs; i++)
    if (!is_head (draft, yv_graph_node (draft->graph, detect->inputs[i])))
      return;
  for (uint32_t i = 0; i < detect->n_inputs; i++)
    draft->heads[i] = yv_graph_node (draft->graph, detect->inputs[i]);
}
