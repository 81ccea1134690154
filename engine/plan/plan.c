/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/plan.c - from a graph to a plan: shapes, layout, lowering, schedule, placement.
 *
 * Steps are made before it is known where values lie, because where depends on when they are
 * needed, and only steps know that. Until then each value has a terabyte of its own: an operand's
 * offset is value << 40 | the offset inside it. move_to_arena() replaces the upper part.
 */
#include "engine/plan/plan.h"

#include <string.h>

#include "engine/error.h"
#include "engine/ops/op.h"
#include "engine/plan/schedule.h"
#include "shaders/params.h"

#define VALUE_SHIFT 40
#define VALUE_MAX_BYTES (1ull << VALUE_SHIFT)
#define MAX_ELEMS (1ull << 31) /* shaders count elements in 32 bits, lavapipe's with a sign */

/* What is known of a node's output. */
typedef struct {
  YvShape shape;
  YvDType dtype;
  uint32_t root;    /* the value it lies in: its own index, or that of a (grand) parent */
  uint32_t c_first; /* there */
  bool is_logits;   /* read by DETECT or DECODE */
} Layout;

/* Everything on the way to a plan. Values are numbered like the nodes; dense rows come after. */
typedef struct {
  const YvGraph *graph;
  const YvCaps *caps;
  const YvPlanOptions *options;
  const YvNode *output; /* the DETECT */
  uint32_t n_nodes;
  uint32_t *index_of_id; /* [next_id] */
  Layout *layouts;       /* [n_nodes] */
  YvArenaSlot *slots;    /* [n_nodes + 1] */
  bool *is_pinned;       /* [n_nodes + 1]: alive from the first level to the last */
  YvPlan *plan;
} Draft;

static void
draft_clear (Draft *draft)
{
  g_free (draft->index_of_id);
  g_free (draft->layouts);
  g_free (draft->slots);
  g_free (draft->is_pinned);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Draft, draft_clear)

static const YvNode *
node_at (const Draft *draft, uint32_t index)
{
  return g_ptr_array_index (draft->graph->nodes, index);
}

static uint32_t *
index_nodes (const YvGraph *graph)
{
  uint32_t *index_of_id = g_new (uint32_t, graph->next_id);

  memset (index_of_id, 0xff, graph->next_id * sizeof *index_of_id);
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    index_of_id[((const YvNode *) g_ptr_array_index (graph->nodes, i))->id] = i;
  return index_of_id;
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static bool
infer_shape (const YvGraph *graph, const uint32_t *index_of_id, uint32_t index, YvShape *shapes,
             uint64_t *flops, GError **error)
{
  const YvNode *node = g_ptr_array_index (graph->nodes, index);
  const YvOp *op = yv_op (node->op);
  g_autofree YvShape *in = g_new (YvShape, MAX (node->n_inputs, 1));

  for (uint32_t i = 0; i < node->n_inputs; i++) {
    g_assert (index_of_id[node->inputs[i]] < index);
    in[i] = shapes[index_of_id[node->inputs[i]]];
  }
  if (!op->shape (node, in, &shapes[index], error))
    return false;
  *flops = op->flops ? op->flops (node, in, &shapes[index]) : 0;
  return true;
}

/* Shapes of all nodes, and what they cost, for an input of h x w. */
static bool
infer_shapes (const YvGraph *graph, const uint32_t *index_of_id, uint32_t h, uint32_t w,
              YvShape *shapes, uint64_t *node_flops, GError **error)
{
  const YvNode *input = g_ptr_array_index (graph->nodes, 0);

  g_assert (input->op == YV_OP_INPUT);
  shapes[0] = (YvShape){input->c_out, h, w};
  node_flops[0] = 0;
  for (uint32_t i = 1; i < graph->nodes->len; i++)
    if (!infer_shape (graph, index_of_id, i, shapes, &node_flops[i], error))
      return false;
  return true;
}

static uint32_t
max_stride (const YvDetectSpec *spec)
{
  uint32_t stride = 1;

  for (uint32_t i = 0; i < spec->n_levels; i++)
    stride = MAX (stride, spec->stride[i]);
  return stride;
}

static bool
check_options (const Draft *draft, GError **error)
{
  const YvPlanOptions *options = draft->options;
  const uint32_t stride = max_stride (&draft->output->detect);

  g_assert (options->n > 0);
  g_assert (options->dtype == YV_DTYPE_F32 || options->dtype == YV_DTYPE_F16);
  if (options->h == 0 || options->w == 0 || options->h % stride || options->w % stride) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "input size %ux%u: both sides must be multiples of %u, the model's largest stride",
                 options->w, options->h, stride);
    return false;
  }
  if (options->dtype == YV_DTYPE_F16 && !draft->caps->fp16_storage) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%s has no 16-bit storage; use precision fp32", draft->caps->name);
    return false;
  }
  return true;
}

/* ---- layout ---------------------------------------------------------------------------------- */

static uint32_t
cstride_of (const Draft *draft, uint32_t root)
{
  const uint32_t align = yv_op (node_at (draft, root)->op)->channel_align;

  return (draft->layouts[root].shape.c + align - 1) / align * align;
}

static void
find_root (Draft *draft, uint32_t index)
{
  Layout *layout = &draft->layouts[index];
  const YvNode *node = node_at (draft, index);

  layout->root = index;
  while (node->parent != YV_NO_PARENT) {
    layout->c_first += node->c_offset;
    layout->root = draft->index_of_id[node->parent];
    node = node_at (draft, layout->root);
  }
}

static void
mark_logits (Draft *draft)
{
  for (uint32_t i = 0; i < draft->n_nodes; i++) {
    const YvNode *node = node_at (draft, i);

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
has_stale_padding (const Draft *draft, uint32_t index)
{
  const YvNode *node = node_at (draft, index);

  if (node->op != YV_OP_CONCAT || draft->layouts[index].shape.c % 8 == 0)
    return false;
  const YvNode *last = node_at (draft, draft->index_of_id[node->inputs[node->n_inputs - 1]]);
  return (draft->layouts[index].shape.c - last->c_out) % 8 != 0;
}

/* Elements from the first to behind the last that may be touched: kernels go by 8 channels. */
static uint64_t
touched_elems (const Draft *draft, const Layout *layout)
{
  const uint64_t cstride = cstride_of (draft, layout->root);
  const uint64_t n_pixels = (uint64_t) draft->options->n * layout->shape.h * layout->shape.w;
  const uint64_t c = MIN ((layout->shape.c + 7) / 8 * 8, cstride - layout->c_first);

  return (n_pixels - 1) * cstride + c;
}

static bool
check_size (const Draft *draft, uint32_t index, GError **error)
{
  const Layout *layout = &draft->layouts[index];
  const double n_elems =
      (double) draft->options->n * layout->shape.h * layout->shape.w * (layout->shape.c + 8.0);

  if (n_elems < (double) MAX_ELEMS)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s: its output [%u,%u,%u,%u] has more than 2^31 elements; use a smaller input or "
               "batch",
               node_at (draft, index)->name, draft->options->n, layout->shape.c, layout->shape.h,
               layout->shape.w);
  return false;
}

static bool
lay_out (Draft *draft, GError **error)
{
  mark_logits (draft);
  for (uint32_t i = 0; i < draft->n_nodes; i++) {
    Layout *layout = &draft->layouts[i];
    const bool is_rows = node_at (draft, i)->op == YV_OP_DECODE;

    layout->dtype = layout->is_logits || is_rows ? YV_DTYPE_F32 : draft->options->dtype;
    find_root (draft, i);
    if (!check_size (draft, i, error))
      return false;
  }
  for (uint32_t i = 0; i < draft->n_nodes; i++) {
    Layout *layout = &draft->layouts[i];

    g_assert (layout->dtype == draft->layouts[layout->root].dtype);
    g_assert (layout->c_first + layout->shape.c <= draft->layouts[layout->root].shape.c);
    if (layout->root == i && node_at (draft, i)->op != YV_OP_DETECT)
      draft->slots[i].size_bytes =
          touched_elems (draft, layout) * yv_dtype_size_bytes (layout->dtype);
    if (has_stale_padding (draft, i))
      draft->is_pinned[layout->root] = true;
  }
  return true;
}

/* A node's value before it is placed. */
static YvOperand
operand_of (const Draft *draft, uint32_t index)
{
  const Layout *layout = &draft->layouts[index];
  const uint64_t elem_bytes = yv_dtype_size_bytes (layout->dtype);

  return (YvOperand){
      .memory = YV_MEMORY_ARENA,
      .dtype = layout->dtype,
      .offset_bytes = (uint64_t) layout->root << VALUE_SHIFT | layout->c_first * elem_bytes,
      .size_bytes = touched_elems (draft, layout) * elem_bytes,
      .n = draft->options->n,
      .c = layout->shape.c,
      .h = layout->shape.h,
      .w = layout->shape.w,
      .cstride = cstride_of (draft, layout->root),
  };
}

/* ---- lowering -------------------------------------------------------------------------------- */

/* Where the logits are: DETECT's inputs, or those of the DECODE nodes that it reads. */
static uint32_t
logits_index (const Draft *draft, uint32_t level)
{
  const uint32_t index = draft->index_of_id[draft->output->inputs[level]];
  const YvNode *node = node_at (draft, index);

  return node->op == YV_OP_DECODE ? draft->index_of_id[node->inputs[0]] : index;
}

static bool
set_heads (Draft *draft, GError **error)
{
  YvPlan *plan = draft->plan;

  for (uint32_t i = 0; i < plan->detect.n_levels; i++) {
    const uint32_t index = logits_index (draft, i);
    const Layout *layout = &draft->layouts[index];
    const uint64_t stride = plan->detect.stride[i];

    if (layout->shape.h * stride != plan->options.h ||
        layout->shape.w * stride != plan->options.w) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                   "%s: head %u is %ux%u for an input of %ux%u, which contradicts its stride %u",
                   draft->output->name, i, layout->shape.h, layout->shape.w, plan->options.h,
                   plan->options.w, plan->detect.stride[i]);
      return false;
    }
    plan->heads[i] = operand_of (draft, index);
  }
  return true;
}

static void
set_rows (Draft *draft)
{
  YvPlan *plan = draft->plan;
  const YvShape rows = draft->layouts[draft->n_nodes - 1].shape;

  plan->n_rows = plan->capacity = rows.h;
  plan->list_bytes =
      (uint32_t) (sizeof (struct YvCandidateList) + plan->capacity * sizeof (struct YvCandidate));
  plan->list_bytes =
      (plan->list_bytes + draft->caps->align_bytes - 1) & ~(draft->caps->align_bytes - 1);
  if (!plan->options.dense_rows)
    return;

  plan->rows = (YvOperand){
      .memory = YV_MEMORY_ARENA,
      .dtype = YV_DTYPE_F32,
      .offset_bytes = (uint64_t) draft->n_nodes << VALUE_SHIFT,
      .size_bytes = (uint64_t) plan->options.n * rows.h * rows.c * sizeof (float),
      .n = plan->options.n,
      .c = rows.c,
      .h = rows.h,
      .w = 1,
      .cstride = rows.c,
  };
  draft->slots[draft->n_nodes].size_bytes = plan->rows.size_bytes;
}

static bool
lower_node (Draft *draft, uint32_t index, GError **error)
{
  YvPlan *plan = draft->plan;
  const YvNode *node = node_at (draft, index);
  g_autofree YvOperand *inputs = g_new (YvOperand, MAX (node->n_inputs, 1));
  YvLowering lowering = {
      .caps = draft->caps,
      .dtype = plan->options.dtype,
      .n = plan->options.n,
      .inputs = inputs,
      .output = operand_of (draft, index),
      .steps = plan->steps,
      .tensor_input = plan->options.tensor_input,
      .candidates = {.memory = YV_MEMORY_CANDIDATES,
                     .n = plan->options.n,
                     .size_bytes = (uint64_t) plan->options.n * plan->list_bytes},
      .rows = plan->options.dense_rows ? &plan->rows : NULL,
      .list_bytes = plan->list_bytes,
      .capacity = plan->capacity,
  };

  for (uint32_t i = 0; i < node->n_inputs; i++)
    inputs[i] = operand_of (draft, draft->index_of_id[node->inputs[i]]);
  return yv_op (node->op)->lower (node, &lowering, error);
}

/* Kernels have one element type; only a convolution may write f32 from f16, and only decode and
 * letterbox have types of their own. */
static bool
check_types (const Draft *draft, const YvStep *step, GError **error)
{
  const YvDType dtype = draft->options->dtype;
  bool is_ok = step->dst.dtype == dtype || step->op == YV_OP_CONV;

  for (uint32_t i = 0; i < step->n_srcs; i++)
    is_ok = is_ok && step->src[i].dtype == dtype;
  if (is_ok || step->op == YV_OP_DETECT || step->op == YV_OP_INPUT || draft->caps->is_reference)
    return true;

  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s: reads or writes a head's logits, which are f32, in %s; use precision fp32",
               step->name, yv_dtype_name (dtype));
  return false;
}

/* Kernels go by 8 channels, the input has 4: only what reads it by pixels or quads can. */
static bool
check_input_readers (const Draft *draft, const YvStep *step, GError **error)
{
  const bool takes_any =
      step->op == YV_OP_CONV || step->op == YV_OP_REORG || step->op == YV_OP_CONCAT;

  if (draft->caps->is_reference || takes_any || step->n_srcs == 0 ||
      step->src[0].memory != YV_MEMORY_ARENA || step->src[0].offset_bytes >> VALUE_SHIFT != 0)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s: %s directly on the picture is not supported", step->name,
               yv_op_name (step->op));
  return false;
}

static bool
lower_all (Draft *draft, GError **error)
{
  YvPlan *plan = draft->plan;

  for (uint32_t i = 0; i < draft->n_nodes; i++)
    if (!lower_node (draft, i, error))
      return false;
  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    plan->flops += step->flops;
    if (!check_types (draft, step, error) || !check_input_readers (draft, step, error))
      return false;
  }
  return true;
}

/* ---- schedule and placement ------------------------------------------------------------------ */

static YvAccess
access_of (const YvOperand *operand)
{
  if (operand->memory != YV_MEMORY_ARENA)
    return (YvAccess){.value = YV_NO_VALUE};

  const uint64_t inside = operand->offset_bytes & (VALUE_MAX_BYTES - 1);
  const uint32_t c_first =
      (uint32_t) (inside / yv_dtype_size_bytes (operand->dtype) % operand->cstride);

  return (YvAccess){
      .value = (uint32_t) (operand->offset_bytes >> VALUE_SHIFT),
      .c_first = c_first,
      .c_end = c_first + operand->c,
  };
}

static YvTask
task_of (const YvStep *step)
{
  YvTask task = {
      .n_reads = step->n_srcs,
      .write = access_of (&step->dst),
      .group = step->op == YV_OP_INPUT, /* each writes another image */
      .is_last = step->op == YV_OP_DETECT,
  };

  G_STATIC_ASSERT (YV_MAX_TASK_READS == YV_MAX_STEP_SRCS);
  for (uint32_t i = 0; i < step->n_srcs; i++)
    task.reads[i] = access_of (&step->src[i]);
  return task;
}

static uint32_t
schedule (Draft *draft)
{
  GArray *steps = draft->plan->steps;
  g_autofree YvTask *tasks = g_new (YvTask, steps->len);

  for (uint32_t i = 0; i < steps->len; i++)
    tasks[i] = task_of (&g_array_index (steps, YvStep, i));

  const uint32_t n_levels = yv_schedule_levels (tasks, steps->len);
  yv_schedule_lifetimes (tasks, steps->len, draft->slots, draft->n_nodes + 1);
  for (uint32_t i = 0; i < steps->len; i++)
    g_array_index (steps, YvStep, i).level = tasks[i].level;
  return n_levels;
}

static void
keep (Draft *draft, const YvOperand *operand)
{
  draft->slots[operand->offset_bytes >> VALUE_SHIFT].last_level = draft->plan->n_levels - 1;
}

static void
extend_lifetimes (Draft *draft)
{
  YvPlan *plan = draft->plan;

  for (uint32_t i = 0; i < plan->detect.n_levels; i++)
    keep (draft, &plan->heads[i]);
  if (plan->options.dense_rows)
    keep (draft, &plan->rows);
  /* The host wrote it before the first level and may run the plan again without writing. */
  if (plan->options.tensor_input)
    draft->is_pinned[0] = true;

  for (uint32_t i = 0; i <= draft->n_nodes; i++) {
    if (draft->is_pinned[i])
      draft->slots[i].first_level = 0;
    if (draft->is_pinned[i] || plan->options.keep_all)
      draft->slots[i].last_level = plan->n_levels - 1;
  }
}

static void
move_to_arena (const Draft *draft, YvOperand *operand)
{
  if (operand->memory != YV_MEMORY_ARENA)
    return;
  operand->offset_bytes = draft->slots[operand->offset_bytes >> VALUE_SHIFT].offset_bytes +
                          (operand->offset_bytes & (VALUE_MAX_BYTES - 1));
}

static void
place (Draft *draft)
{
  YvPlan *plan = draft->plan;

  extend_lifetimes (draft);
  plan->arena_bytes = yv_arena_place (draft->slots, draft->n_nodes + 1, draft->caps->align_bytes);
  for (uint32_t i = 0; i < plan->steps->len; i++) {
    YvStep *step = &g_array_index (plan->steps, YvStep, i);

    for (uint32_t k = 0; k < step->n_srcs; k++)
      move_to_arena (draft, &step->src[k]);
    move_to_arena (draft, &step->dst);
  }
  move_to_arena (draft, &plan->input);
  move_to_arena (draft, &plan->rows);
  for (uint32_t i = 0; i < plan->detect.n_levels; i++)
    move_to_arena (draft, &plan->heads[i]);
  for (uint32_t i = 0; i < plan->n_values; i++)
    move_to_arena (draft, &plan->values[i]);
}

static int
compare_level (const void *a, const void *b)
{
  const YvStep *x = a, *y = b;

  return x->level < y->level ? -1 : x->level > y->level;
}

/* Letterbox comes first and decode last: everything else depends on the one and is before the
 * other. */
static void
order_steps (YvPlan *plan)
{
  g_array_sort (plan->steps, compare_level); /* stable */
  while (plan->first_network_step < plan->steps->len &&
         g_array_index (plan->steps, YvStep, plan->first_network_step).op == YV_OP_INPUT)
    plan->first_network_step++;
  plan->first_decode_step = plan->first_network_step;
  while (plan->first_decode_step < plan->steps->len &&
         g_array_index (plan->steps, YvStep, plan->first_decode_step).op != YV_OP_DETECT)
    plan->first_decode_step++;
}

/* ---- the plan -------------------------------------------------------------------------------- */

static void
clear_step (void *step)
{
  g_free (((YvStep *) step)->name);
}

static YvPlan *
new_plan (const Draft *draft)
{
  YvPlan *plan = g_new0 (YvPlan, 1);

  plan->options = *draft->options;
  plan->steps = g_array_new (FALSE, FALSE, sizeof (YvStep));
  g_array_set_clear_func (plan->steps, clear_step);
  plan->detect = draft->output->detect;
  plan->values = g_new0 (YvOperand, draft->graph->next_id);
  plan->n_values = draft->graph->next_id;
  return plan;
}

static void
set_values (Draft *draft)
{
  YvPlan *plan = draft->plan;

  plan->input = operand_of (draft, 0);
  for (uint32_t i = 0; i < draft->n_nodes; i++)
    if (node_at (draft, i)->op != YV_OP_DETECT)
      plan->values[node_at (draft, i)->id] = operand_of (draft, i);
}

static bool
draft_shapes (Draft *draft, GError **error)
{
  g_autofree YvShape *shapes = g_new (YvShape, draft->n_nodes);
  g_autofree uint64_t *flops = g_new (uint64_t, draft->n_nodes);

  if (!infer_shapes (draft->graph, draft->index_of_id, draft->options->h, draft->options->w, shapes,
                     flops, error))
    return false;
  for (uint32_t i = 0; i < draft->n_nodes; i++)
    draft->layouts[i].shape = shapes[i];
  return true;
}

YvPlan *
yv_plan_new (const YvGraph *graph, const YvCaps *caps, const YvPlanOptions *options, GError **error)
{
  g_auto (Draft) draft = {
      .graph = graph,
      .caps = caps,
      .options = options,
      .output = yv_graph_output (graph),
      .n_nodes = graph->nodes->len,
      .index_of_id = index_nodes (graph),
      .layouts = g_new0 (Layout, graph->nodes->len),
      .slots = g_new0 (YvArenaSlot, graph->nodes->len + 1),
      .is_pinned = g_new0 (bool, graph->nodes->len + 1),
  };
  g_autoptr (YvPlan) plan = new_plan (&draft);

  draft.plan = plan;
  if (!check_options (&draft, error) || !draft_shapes (&draft, error) || !lay_out (&draft, error))
    return NULL;
  set_values (&draft);
  if (!set_heads (&draft, error))
    return NULL;
  set_rows (&draft);
  if (!lower_all (&draft, error))
    return NULL;

  plan->n_levels = schedule (&draft);
  place (&draft);
  order_steps (plan);
  return g_steal_pointer (&plan);
}

void
yv_plan_free (YvPlan *plan)
{
  if (!plan)
    return;
  g_array_unref (plan->steps);
  g_free (plan->values);
  g_free (plan);
}

const YvOperand *
yv_plan_value (const YvPlan *plan, uint32_t node_id)
{
  if (node_id >= plan->n_values || plan->values[node_id].memory == YV_MEMORY_NONE)
    return NULL;
  return &plan->values[node_id];
}

uint64_t
yv_graph_flops (const YvGraph *graph, uint32_t h, uint32_t w, uint64_t *node_flops)
{
  g_autofree uint32_t *index_of_id = index_nodes (graph);
  g_autofree YvShape *shapes = g_new (YvShape, graph->nodes->len);
  g_autofree uint64_t *own = g_new0 (uint64_t, graph->nodes->len);
  uint64_t *flops = node_flops ? node_flops : own;
  uint64_t total = 0;

  memset (flops, 0, graph->nodes->len * sizeof *flops);
  if (!infer_shapes (graph, index_of_id, h, w, shapes, flops, NULL))
    return 0;
  for (uint32_t i = 0; i < graph->nodes->len; i++)
    total += flops[i];
  return total;
}
