/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/isolate.c - one step of a plan as a plan of its own. */
#include "engine/align.h"
#include "engine/plan/plan.h"

/* A multiple of every alignment that Vulkan lets a device ask for. What lies between two multiples
 * is kept, so that a kernel meets the alignments that it was chosen for. */
#define PLACE_BYTES 256

/* Bytes of the plan's arena and where they went. */
typedef struct {
  uint64_t from_bytes, size_bytes, to_bytes;
} Moved;

static bool
contains (const Moved *moved, const YvOperand *operand)
{
  return operand->offset_bytes >= moved->from_bytes &&
         operand->offset_bytes + operand->size_bytes <= moved->from_bytes + moved->size_bytes;
}

/* What an earlier step had goes where that is. */
static void
place (YvPlan *alone, GArray *all_moved, YvOperand *operand)
{
  if (operand->memory != YV_MEMORY_ARENA)
    return;
  for (uint32_t i = 0; i < all_moved->len; i++) {
    const Moved *moved = &g_array_index (all_moved, Moved, i);

    if (contains (moved, operand)) {
      operand->offset_bytes += moved->to_bytes - moved->from_bytes;
      return;
    }
  }

  const Moved moved = {operand->offset_bytes, operand->size_bytes,
                       alone->arena_bytes + operand->offset_bytes % PLACE_BYTES};

  g_array_append_val (all_moved, moved);
  operand->offset_bytes = moved.to_bytes;
  alone->arena_bytes = yv_round_up (operand->offset_bytes + operand->size_bytes, PLACE_BYTES);
}

static void
clear_step (void *step)
{
  g_free (((YvStep *) step)->name);
}

static YvPlan *
new_alone (const YvPlan *plan)
{
  YvPlan *alone = g_memdup2 (plan, sizeof *plan);

  alone->steps = g_array_new (FALSE, FALSE, sizeof (YvStep));
  g_array_set_clear_func (alone->steps, clear_step);
  alone->values = NULL;
  alone->n_values = 0;
  alone->n_levels = 0;
  alone->flops = 0;
  alone->arena_bytes = PLACE_BYTES;
  return alone;
}

/* Steps that ran side by side still do. */
static void
add_step (YvPlan *alone, GArray *all_moved, const YvStep *original, bool is_new_level)
{
  YvStep step = *original;

  alone->n_levels += is_new_level;
  alone->flops += step.flops;
  step.name = g_strdup (step.name);
  step.level = alone->n_levels - 1;
  for (uint32_t i = 0; i < step.n_srcs; i++)
    place (alone, all_moved, &step.src[i]);
  place (alone, all_moved, &step.dst);
  g_array_append_val (alone->steps, step);
}

YvPlan *
yv_plan_isolate (const YvPlan *plan, uint32_t step_index)
{
  const YvStep *step = &g_array_index (plan->steps, YvStep, step_index);
  g_autoptr (GArray) all_moved = g_array_new (FALSE, FALSE, sizeof (Moved));
  YvPlan *alone = new_alone (plan);

  g_assert (step->op != YV_OP_INPUT || plan->options.n == 1); /* a letterbox for each image */
  add_step (alone, all_moved, step, true);
  alone->options.tensor_input = step->op != YV_OP_INPUT;
  alone->first_network_step = step->op == YV_OP_INPUT;
  alone->first_decode_step = step->op != YV_OP_DETECT;
  return alone;
}

YvPlan *
yv_plan_isolate_node (const YvPlan *plan, const YvNode *node)
{
  g_autoptr (GArray) all_moved = g_array_new (FALSE, FALSE, sizeof (Moved));
  g_autoptr (YvPlan) alone = new_alone (plan);
  uint32_t level = UINT32_MAX;

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    if (step->node != node)
      continue;
    add_step (alone, all_moved, step, step->level != level);
    level = step->level;
  }
  alone->options.tensor_input = true;
  alone->first_network_step = 0;
  alone->first_decode_step = alone->steps->len;
  return alone->steps->len > 0 ? g_steal_pointer (&alone) : NULL;
}
