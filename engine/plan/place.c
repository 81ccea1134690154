/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/place.c - when steps run and, from that, where values lie. */
#include "engine/ops/op.h"
#include "engine/plan/draft.h"
#include "engine/plan/schedule.h"

static YvAccess
access_of (const YvOperand *operand)
{
  if (operand->memory != YV_MEMORY_ARENA)
    return (YvAccess){.value = YV_NO_VALUE};

  const uint64_t inside = operand->offset_bytes & (YV_VALUE_MAX_BYTES - 1);
  const uint32_t c_first =
      (uint32_t) (inside / yv_dtype_size_bytes (operand->dtype) % operand->cstride);

  return (YvAccess){
      .value = (uint32_t) (operand->offset_bytes >> YV_VALUE_SHIFT),
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

static void
schedule (YvDraft *draft)
{
  GArray *steps = draft->plan->steps;
  g_autofree YvTask *tasks = g_new (YvTask, steps->len);

  for (uint32_t i = 0; i < steps->len; i++)
    tasks[i] = task_of (&g_array_index (steps, YvStep, i));

  draft->plan->n_levels = yv_schedule_levels (tasks, steps->len);
  yv_schedule_lifetimes (tasks, steps->len, draft->slots, draft->n_values);
  for (uint32_t i = 0; i < steps->len; i++)
    g_array_index (steps, YvStep, i).level = tasks[i].level;
}

static void
keep (YvDraft *draft, const YvOperand *operand)
{
  if (operand->memory == YV_MEMORY_ARENA)
    draft->slots[operand->offset_bytes >> YV_VALUE_SHIFT].last_level = draft->plan->n_levels - 1;
}

static void
extend_lifetimes (YvDraft *draft)
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
move_to_arena (const YvDraft *draft, YvOperand *operand)
{
  if (operand->memory != YV_MEMORY_ARENA)
    return;
  operand->offset_bytes = draft->slots[operand->offset_bytes >> YV_VALUE_SHIFT].offset_bytes +
                          (operand->offset_bytes & (YV_VALUE_MAX_BYTES - 1));
}

static void
place_values (YvDraft *draft)
{
  YvPlan *plan = draft->plan;

  plan->arena_bytes = yv_arena_place (draft->slots, draft->n_values, draft->caps->align_bytes);
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

void
yv_draft_place (YvDraft *draft)
{
  schedule (draft);
  extend_lifetimes (draft);
  place_values (draft);
  order_steps (draft->plan);
}
