/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/lower.c - the steps of each node, and whether kernels can run them. */
#include "engine/error.h"
#include "engine/ops/op.h"
#include "engine/plan/draft.h"

static void
add_scratch (YvDraft *draft, const GArray *scratch_bytes)
{
  const uint32_t first = draft->n_values;

  draft->n_values += scratch_bytes->len;
  draft->slots = g_renew (YvArenaSlot, draft->slots, draft->n_values);
  for (uint32_t i = 0; i < scratch_bytes->len; i++)
    draft->slots[first + i] =
        (YvArenaSlot){.size_bytes = g_array_index (scratch_bytes, uint64_t, i)};
}

/* Images that kernels with texel buffers take at once: a buffer's range is limited, and what kernel
 * runs must not depend on how many images there are. (Into how many parts a sum is cut may, on a
 * GPU: docs/numerics.md.) */
static uint32_t
images_at_once (const YvDraft *draft, const YvNode *node, const YvLowering *lowering)
{
  const YvCaps *caps = draft->caps;
  uint64_t n = lowering->n;

  if (!caps->texel_lanes || node->op == YV_OP_INPUT || node->op == YV_OP_DECODE ||
      node->op == YV_OP_DETECT)
    return lowering->n;
  for (uint32_t i = 0; i <= node->n_inputs; i++) {
    const YvOperand *operand = i < node->n_inputs ? &lowering->inputs[i] : &lowering->output;
    const uint64_t elem_bytes = yv_dtype_size_bytes (operand->dtype);
    const uint64_t most_bytes =
        MIN (caps->max_storage_range_bytes, caps->max_texels * 4 * elem_bytes);

    n = MIN (n, most_bytes / yv_operand_image_bytes (operand));
  }
  return (uint32_t) MAX (n, 1);
}

/* Images [first, first + n) of an operand. */
static YvOperand
slice_images (const YvOperand *operand, uint32_t first, uint32_t n)
{
  YvOperand slice = *operand;

  slice.offset_bytes += first * yv_operand_image_bytes (operand);
  slice.size_bytes -= (operand->n - n) * yv_operand_image_bytes (operand);
  slice.n = n;
  return slice;
}

static bool
lower_images (const YvNode *node, YvLowering whole, uint32_t first, uint32_t n, GError **error)
{
  g_autofree YvOperand *inputs = g_new (YvOperand, MAX (node->n_inputs, 1));
  YvLowering part = whole;

  for (uint32_t i = 0; i < node->n_inputs; i++)
    inputs[i] = slice_images (&whole.inputs[i], first, n);
  part.inputs = inputs;
  part.output = slice_images (&whole.output, first, n);
  part.n = n;
  return yv_op (node->op)->lower (node, &part, error);
}

/* The node itself, or what computes it and its siblings; NULL where the steps of another do. */
static const YvNode *
node_to_lower (const YvDraft *draft, uint32_t index)
{
  const YvNode *node = yv_draft_node (draft, index);

  if (yv_draft_pyramid (draft, node) == YV_PYRAMID_UPPER || yv_draft_is_fused (draft, node))
    return NULL;
  if (node->op != YV_OP_CONV)
    return node;
  if (node->conv.by_sibling)
    return NULL;
  return node->conv.merged ? node->conv.merged : node;
}

/* What its steps read: of DETECT with heads what those do. */
static uint32_t
index_of_input (const YvDraft *draft, const YvNode *node, uint32_t i)
{
  const YvNode *head = node->op == YV_OP_DETECT ? draft->heads[i] : NULL;

  return draft->index_of_id[head ? head->inputs[0] : node->inputs[i]];
}

/* What its steps write: of INPUT with a first convolution what that does. */
static uint32_t
index_of_output (const YvDraft *draft, uint32_t index)
{
  return index == 0 && draft->first ? draft->index_of_id[draft->first->id] : index;
}

static bool
lower_node (YvDraft *draft, uint32_t index, const YvNode *node, GError **error)
{
  YvPlan *plan = draft->plan;
  g_autofree YvOperand *inputs = g_new (YvOperand, MAX (node->n_inputs, 1));
  g_autoptr (GArray) scratch_bytes = g_array_new (FALSE, FALSE, sizeof (uint64_t));
  YvLowering lowering = {
      .caps = draft->caps,
      .ways = plan->options.ways,
      .dtype = plan->options.dtype,
      .n = plan->options.n,
      .inputs = inputs,
      .output = yv_draft_output (draft, index_of_output (draft, index)),
      .steps = plan->steps,
      .scratch_bytes = scratch_bytes,
      .first_scratch = draft->n_values,
      .tensor_input = plan->options.tensor_input,
      .candidates = {.memory = YV_MEMORY_CANDIDATES,
                     .n = plan->options.n,
                     .size_bytes = (uint64_t) plan->options.n * plan->list_bytes},
      .rows = plan->options.dense_rows ? &plan->rows : NULL,
      .first = draft->first,
      .h = plan->options.h,
      .w = plan->options.w,
      .heads = draft->heads[0] ? draft->heads : NULL,
      .list_bytes = plan->list_bytes,
      .capacity = plan->capacity,
  };

  for (uint32_t i = 0; i < node->n_inputs; i++)
    inputs[i] = yv_draft_operand (draft, index_of_input (draft, node, i));
  const uint32_t at_once = images_at_once (draft, node, &lowering);

  if (at_once == lowering.n && !yv_op (node->op)->lower (node, &lowering, error))
    return false;
  for (uint32_t first = 0; at_once < lowering.n && first < lowering.n; first += at_once)
    if (!lower_images (node, lowering, first, MIN (at_once, lowering.n - first), error))
      return false;
  add_scratch (draft, scratch_bytes);
  return true;
}

/* Kernels have one element type; only a convolution may write f32 from f16, and only decode,
 * letterbox and the sum of a convolution's parts have types of their own. */
static bool
check_types (const YvDraft *draft, const YvStep *step, GError **error)
{
  const YvDType dtype = draft->options->dtype;
  bool is_ok = step->dst.dtype == dtype || step->op == YV_OP_CONV;

  for (uint32_t i = 0; i < step->n_srcs; i++)
    is_ok = is_ok && step->src[i].dtype == dtype;
  if (is_ok || step->part == YV_PART_SPLIT_SUM || step->op == YV_OP_DETECT ||
      step->op == YV_OP_INPUT || draft->caps->is_reference)
    return true;

  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s: reads or writes a head's logits, which are f32, in %s; use precision fp32",
               step->name, yv_dtype_name (dtype));
  return false;
}

/* Kernels go by 8 channels, the input has 4: only what reads it by pixels or quads can. */
static bool
check_input_readers (const YvDraft *draft, const YvStep *step, GError **error)
{
  const bool takes_any =
      step->op == YV_OP_CONV || step->op == YV_OP_REORG || step->op == YV_OP_CONCAT;

  if (draft->caps->is_reference || takes_any || step->n_srcs == 0 ||
      step->src[0].memory != YV_MEMORY_ARENA || step->src[0].offset_bytes >> YV_VALUE_SHIFT != 0)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s: %s directly on the picture is not supported", step->name,
               yv_op_name (step->op));
  return false;
}

bool
yv_draft_lower (YvDraft *draft, GError **error)
{
  YvPlan *plan = draft->plan;

  for (uint32_t i = 0; i < draft->n_nodes; i++) {
    const YvNode *node = node_to_lower (draft, i);

    if (node && !lower_node (draft, i, node, error))
      return false;
  }
  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    plan->flops += step->flops;
    if (!check_types (draft, step, error) || !check_input_readers (draft, step, error))
      return false;
  }
  return true;
}
