/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/hoist_upsample.c - a 1x1 convolution of enlarged pixels computes the same sums for
 * all copies of a pixel: it is done before they are made.
 */
#include "engine/passes/passes.h"

static bool
is_point (const YvNode *node)
{
  const YvWeight *weight = node->op == YV_OP_CONV ? node->conv.weight : NULL;

  return weight && weight->kernel_h == 1 && weight->kernel_w == 1 && node->conv.stride_h == 1 &&
         node->conv.stride_w == 1 && node->conv.pad_h == 0 && node->conv.pad_w == 0;
}

/* Sums become fewer in any case. What is read and written, for each pixel of the source, may
 * become more where the upsample is needed by others, too, or the result is much wider. */
static bool
moves_less (const YvGraph *graph, const YvNode *upsample, const YvNode *conv)
{
  const uint64_t copies = (uint64_t) upsample->upsample.factor * upsample->upsample.factor;
  const uint64_t c_in = upsample->c_out, c_out = conv->c_out;
  const bool goes = yv_graph_n_readers (graph, upsample->id) == 1;
  const uint64_t before = copies * (c_in + c_out) + (goes ? c_in + copies * c_in : 0);
  const uint64_t after = c_in + 2 * c_out + copies * c_out;

  return after <= before;
}

/* Readers of @conv read the upsample of it that comes behind it. */
static void
enlarge_behind (YvGraph *graph, YvNode *conv, uint32_t factor)
{
  g_autofree char *name = g_strdup_printf ("%s.upsample", conv->name);
  YvNode *upsample =
      yv_graph_add (graph, YV_OP_UPSAMPLE, name, conv->row, &conv->id, 1, conv->c_out);

  upsample->upsample.factor = factor;
  yv_graph_replace (graph, conv->id, upsample->id);
  upsample->inputs[0] = conv->id;
  yv_graph_move_behind (graph, upsample, conv);
}

/* From the first node to the last, so that a second convolution moves in front of the new upsample,
 * too. */
uint32_t
yv_pass_hoist_upsample (YvGraph *graph)
{
  uint32_t n_changes = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    YvNode *conv = graph->nodes->pdata[i];
    const YvNode *upsample = is_point (conv) ? yv_graph_node (graph, conv->inputs[0]) : NULL;

    if (!upsample || upsample->op != YV_OP_UPSAMPLE || yv_graph_is_logits (graph, conv->id) ||
        !moves_less (graph, upsample, conv))
      continue;
    conv->inputs[0] = upsample->inputs[0];
    enlarge_behind (graph, conv, upsample->upsample.factor);
    if (yv_graph_n_readers (graph, upsample->id) == 0)
      yv_graph_remove (graph, upsample->id);
    n_changes++;
  }
  return n_changes;
}
