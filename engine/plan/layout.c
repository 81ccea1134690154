/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/layout.c - how each value is stored, before it is known where. */
#include "engine/align.h"
#include "engine/error.h"
#include "engine/ops/op.h"
#include "engine/plan/cstride.h"
#include "engine/plan/draft.h"
#include "shaders/params.h"

#define MAX_ELEMS (1ull << 31) /* shaders count elements in 32 bits, lavapipe's with a sign */
#define LIST_CAPACITY 65536u   /* with multi-label: 2 MiB an image */

static uint32_t
cstride_of (const YvDraft *draft, uint32_t root)
{
  const uint32_t align = yv_op (yv_draft_node (draft, root)->op)->channel_align;

  const YvLayout *layout = &draft->layouts[root];

  return yv_cstride (draft->caps, layout->shape.c, align, yv_dtype_size_bytes (layout->dtype));
}

static void
find_root (YvDraft *draft, uint32_t index)
{
  YvLayout *layout = &draft->layouts[index];
  const YvNode *node = yv_draft_node (draft, index);

  layout->root = index;
  while (node->parent != YV_NO_PARENT) {
    layout->c_first += node->c_offset;
    layout->root = draft->index_of_id[node->parent];
    node = yv_draft_node (draft, layout->root);
  }
}

static void
mark_logits (YvDraft *draft)
{
  for (uint32_t i = 0; i < draft->n_nodes; i++) {
    const YvNode *node = yv_draft_node (draft, i);

    if (node->op != YV_OP_DECODE && node->op != YV_OP_DETECT)
      continue;
    for (uint32_t k = 0; k < node->n_inputs; k++)
      draft->layouts[draft->index_of_id[node->inputs[k]]].is_logits = true;
  }
}

/* True where the last input of a concat is copied one channel at a time, which leaves the padding
 * up to cstride unwritten. A convolution reads it (times zero), so it must never hold what was a
 * NaN in other hands. */
static bool
has_stale_padding (const YvDraft *draft, uint32_t index)
{
  const YvNode *node = yv_draft_node (draft, index);

  if (node->op != YV_OP_CONCAT || draft->layouts[index].shape.c % 8 == 0)
    return false;
  const YvNode *last = yv_draft_node (draft, draft->index_of_id[node->inputs[node->n_inputs - 1]]);
  return (draft->layouts[index].shape.c - last->c_out) % 8 != 0;
}

/* Elements from the first to behind the last that may be touched: kernels go by 8 channels. */
static uint64_t
touched_elems (const YvDraft *draft, const YvLayout *layout)
{
  const uint64_t cstride = cstride_of (draft, layout->root);
  const uint64_t n_pixels = (uint64_t) draft->options->n * layout->shape.h * layout->shape.w;
  const uint64_t c = MIN (yv_round_up (layout->shape.c, 8), cstride - layout->c_first);

  return (n_pixels - 1) * cstride + c;
}

static bool
check_size (const YvDraft *draft, uint32_t index, GError **error)
{
  const YvLayout *layout = &draft->layouts[index];
  const double n_elems =
      (double) draft->options->n * layout->shape.h * layout->shape.w * (layout->shape.c + 8.0);

  if (n_elems < (double) MAX_ELEMS)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s: its output [%u,%u,%u,%u] has more than 2^31 elements; use a smaller input or "
               "batch",
               yv_draft_node (draft, index)->name, draft->options->n, layout->shape.c,
               layout->shape.h, layout->shape.w);
  return false;
}

static bool
set_layouts (YvDraft *draft, GError **error)
{
  mark_logits (draft);
  for (uint32_t i = 0; i < draft->n_nodes; i++) {
    YvLayout *layout = &draft->layouts[i];
    const bool is_rows = yv_draft_node (draft, i)->op == YV_OP_DECODE;

    layout->dtype = layout->is_logits || is_rows ? YV_DTYPE_F32 : draft->options->dtype;
    find_root (draft, i);
    if (!check_size (draft, i, error))
      return false;
  }
  return true;
}

static void
set_sizes (YvDraft *draft)
{
  for (uint32_t i = 0; i < draft->n_nodes; i++) {
    const YvLayout *layout = &draft->layouts[i];

    g_assert (layout->dtype == draft->layouts[layout->root].dtype);
    g_assert (layout->c_first + layout->shape.c <= draft->layouts[layout->root].shape.c);
    if (layout->root == i && yv_draft_is_stored (draft, yv_draft_node (draft, i)))
      draft->slots[i].size_bytes =
          touched_elems (draft, layout) * yv_dtype_size_bytes (layout->dtype);
    if (has_stale_padding (draft, i))
      draft->is_pinned[layout->root] = true;
  }
}

static YvOperand
operand_of (const YvDraft *draft, const YvLayout *layout)
{
  const uint64_t elem_bytes = yv_dtype_size_bytes (layout->dtype);

  return (YvOperand){
      .memory = YV_MEMORY_ARENA,
      .dtype = layout->dtype,
      .offset_bytes = (uint64_t) layout->root << YV_VALUE_SHIFT | layout->c_first * elem_bytes,
      .size_bytes = touched_elems (draft, layout) * elem_bytes,
      .n = draft->options->n,
      .c = layout->shape.c,
      .h = layout->shape.h,
      .w = layout->shape.w,
      .cstride = cstride_of (draft, layout->root),
  };
}

YvOperand
yv_draft_operand (const YvDraft *draft, uint32_t index)
{
  return operand_of (draft, &draft->layouts[index]);
}

YvOperand
yv_draft_output (const YvDraft *draft, uint32_t index)
{
  const YvNode *node = yv_draft_node (draft, index);
  const YvNode *merged = node->op == YV_OP_CONV ? node->conv.merged : NULL;
  const YvPyramid pyramid = yv_draft_pyramid (draft, node);
  YvLayout layout = draft->layouts[index];

  if (pyramid == YV_PYRAMID_FALLING)
    layout.c_first -= (YV_PYRAMID_LEVELS - 1) * node->c_out;
  if (pyramid != YV_PYRAMID_NONE)
    layout.shape.c = YV_PYRAMID_LEVELS * node->c_out;
  if (merged) {
    layout.c_first -= node->c_offset - merged->c_offset;
    layout.shape.c = merged->c_out;
  }
  return operand_of (draft, &layout);
}

/* Where the logits are: DETECT's inputs, or those of the DECODE nodes that it reads. */
static uint32_t
logits_index (const YvDraft *draft, uint32_t level)
{
  const uint32_t index = draft->index_of_id[draft->output->inputs[level]];
  const YvNode *node = yv_draft_node (draft, index);

  return node->op == YV_OP_DECODE ? draft->index_of_id[node->inputs[0]] : index;
}

static bool
set_heads (YvDraft *draft, GError **error)
{
  YvPlan *plan = draft->plan;

  for (uint32_t i = 0; i < plan->detect.n_levels; i++) {
    const uint32_t index = logits_index (draft, i);
    const YvLayout *layout = &draft->layouts[index];
    const uint64_t stride = plan->detect.stride[i];

    if (layout->shape.h * stride != plan->options.h ||
        layout->shape.w * stride != plan->options.w) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                   "%s: head %u is %ux%u for an input of %ux%u, which contradicts its stride %u",
                   draft->output->name, i, layout->shape.h, layout->shape.w, plan->options.h,
                   plan->options.w, plan->detect.stride[i]);
      return false;
    }
    plan->heads[i] = yv_draft_operand (draft, index);
    if (draft->heads[0])
      plan->heads[i].memory = YV_MEMORY_NONE;
  }
  return true;
}

/* Every row may be a candidate; with multi-label every class of it, but there is only room for
 * twice as many as suppression looks at. */
static uint32_t
list_capacity (const YvPlan *plan)
{
  const uint64_t n_pairs = (uint64_t) plan->n_rows * plan->detect.n_classes;

  if (!plan->options.multi_label)
    return plan->n_rows;
  return (uint32_t) MIN (n_pairs, MAX (plan->n_rows, LIST_CAPACITY));
}

static void
set_rows (YvDraft *draft)
{
  YvPlan *plan = draft->plan;
  const YvShape rows = draft->layouts[draft->n_nodes - 1].shape;

  plan->n_rows = rows.h;
  plan->capacity = list_capacity (plan);
  plan->list_bytes = (uint32_t) yv_round_up (sizeof (struct YvCandidateList) +
                                                 plan->capacity * sizeof (struct YvCandidate),
                                             draft->caps->align_bytes);
  if (!plan->options.dense_rows)
    return;

  plan->rows = (YvOperand){
      .memory = YV_MEMORY_ARENA,
      .dtype = YV_DTYPE_F32,
      .offset_bytes = (uint64_t) draft->n_nodes << YV_VALUE_SHIFT,
      .size_bytes = (uint64_t) plan->options.n * rows.h * rows.c * sizeof (float),
      .n = plan->options.n,
      .c = rows.c,
      .h = rows.h,
      .w = 1,
      .cstride = rows.c,
  };
  draft->slots[draft->n_nodes].size_bytes = plan->rows.size_bytes;
}

static void
set_values (YvDraft *draft)
{
  YvPlan *plan = draft->plan;

  plan->input = yv_draft_operand (draft, 0);
  if (draft->first)
    plan->input.memory = YV_MEMORY_NONE;
  for (uint32_t i = 0; i < draft->n_nodes; i++)
    if (yv_draft_is_stored (draft, yv_draft_node (draft, i)))
      plan->values[yv_draft_node (draft, i)->id] = yv_draft_operand (draft, i);
}

bool
yv_draft_lay_out (YvDraft *draft, GError **error)
{
  if (!set_layouts (draft, error))
    return false;
  set_sizes (draft);
  set_values (draft);
  if (!set_heads (draft, error))
    return false;
  set_rows (draft);
  return true;
}
