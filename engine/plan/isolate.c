/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/isolate.c - one step of a plan as a plan of its own. */
#include "engine/align.h"
#include "engine/plan/plan.h"

/* A multiple of every alignment that Vulkan lets a device ask for. What lies between two multiples
 * is kept, so that a kernel meets the alignments that it was chosen for. */
#define PLACE_BYTES 256

static void
place (YvPlan *alone, YvOperand *operand)
{
  if (operand->memory != YV_MEMORY_ARENA)
    return;
  operand->offset_bytes = alone->arena_bytes + operand->offset_bytes % PLACE_BYTES;
  alone->arena_bytes = yv_round_up (operand->offset_bytes + operand->size_bytes, PLACE_BYTES);
}

static void
clear_step (void *step)
{
  g_free (((YvStep *) step)->name);
}

YvPlan *
yv_plan_isolate (const YvPlan *plan, uint32_t step_index)
{
  YvPlan *alone = g_memdup2 (plan, sizeof *plan);
  YvStep step = g_array_index (plan->steps, YvStep, step_index);

  alone->steps = g_array_new (FALSE, FALSE, sizeof (YvStep));
  g_array_set_clear_func (alone->steps, clear_step);
  alone->values = NULL;
  alone->n_values = 0;
  alone->n_levels = 1;
  alone->flops = step.flops;
  alone->options.tensor_input = step.op != YV_OP_INPUT;
  alone->first_network_step = step.op == YV_OP_INPUT;
  alone->first_decode_step = step.op != YV_OP_DETECT;

  alone->arena_bytes = PLACE_BYTES;
  step.name = g_strdup (step.name);
  step.level = 0;
  for (uint32_t i = 0; i < step.n_srcs; i++)
    place (alone, &step.src[i]);
  place (alone, &step.dst);
  g_array_append_val (alone->steps, step);
  return alone;
}
