/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/print.c - a plan as text, for people and golden files. */
#include "engine/plan/plan.h"

/* "f32[1,32,320,320]/32@4096": dtype, shape, elements a pixel, offset in the arena. */
static void
print_operand (GString *text, const YvOperand *operand)
{
  switch (operand->memory) {
  case YV_MEMORY_STAGING:
    g_string_append (text, "frame");
    break;
  case YV_MEMORY_CANDIDATES:
    g_string_append (text, "candidates");
    break;
  case YV_MEMORY_ARENA:
    g_string_append_printf (text, "%s[%u,%u,%u,%u]/%u@%" G_GUINT64_FORMAT,
                            yv_dtype_name (operand->dtype), operand->n, operand->c, operand->h,
                            operand->w, operand->cstride, operand->offset_bytes);
    break;
  case YV_MEMORY_NONE:
  case YV_MEMORY_WEIGHTS:
  case YV_MEMORY_PARAMS:
    g_assert_not_reached ();
  }
}

static const char *const part_names[] = {
    [YV_PART_WHOLE] = "",
    [YV_PART_WINOGRAD_INPUT] = " winograd input",
    [YV_PART_WINOGRAD_PRODUCT] = " winograd product",
    [YV_PART_WINOGRAD_OUTPUT] = " winograd output",
    [YV_PART_HEAD] = " after conv 1x1/1",
    [YV_PART_SPLIT_PRODUCT] = " split product",
    [YV_PART_SPLIT_SUM] = " split sum",
    [YV_PART_FIRST] = "",
};

void
yv_step_print_what (GString *text, const YvStep *step)
{
  const YvNode *node = step->node;

  g_string_append (text, step->op == YV_OP_INPUT ? "letterbox" : yv_op_name (step->op));
  if (step->part == YV_PART_FIRST)
    g_string_append (text,
                     yv_first_is_reorged (node->conv.weight) ? ", reorg and conv" : " and conv");
  if (step->op == YV_OP_CONV || step->part == YV_PART_FIRST)
    g_string_append_printf (text, " %ux%u/%u", node->conv.weight->kernel_h,
                            node->conv.weight->kernel_w, node->conv.stride_h);
  g_string_append (text, part_names[step->part]);
  if (step->op == YV_OP_MAXPOOL)
    g_string_append_printf (text, " %u/%u", node->maxpool.kernel, node->maxpool.stride);
  if (step->op == YV_OP_UPSAMPLE)
    g_string_append_printf (text, " %u", node->upsample.factor);
  if (step->act.kind != YV_ACT_NONE)
    g_string_append_printf (text, " %s", yv_act_name (step->act.kind));
}

/* "conv_lanes64 texel f32 (8,1,0,0) x [1,800,1]": how, with specialization constants and groups. */
static void
print_how (GString *text, const YvStep *step)
{
  g_string_append_printf (text, "; %s%s %s (", yv_kernel_name (step->kernel),
                          step->texel ? " texel" : "", yv_dtype_name (step->dtype));
  for (uint32_t i = 0; i < step->n_spec; i++)
    g_string_append_printf (text, "%s%u", i ? "," : "", step->spec[i]);
  g_string_append_printf (text, ") x [%u,%u,%u]", step->groups[0], step->groups[1],
                          step->groups[2]);
}

static void
print_step (GString *text, const YvStep *step)
{
  g_string_append_printf (text, "%3u %s: ", step->level, step->name);
  yv_step_print_what (text, step);
  g_string_append_c (text, ' ');
  for (uint32_t i = 0; i < step->n_srcs; i++) {
    g_string_append (text, i ? " + " : "");
    print_operand (text, &step->src[i]);
  }
  g_string_append (text, " -> ");
  print_operand (text, &step->dst);
  if (step->kernel != YV_KERNEL_NONE)
    print_how (text, step);
  g_string_append_c (text, '\n');
}

static void
print_shape (GString *text, const YvOperand *operand)
{
  if (operand->memory == YV_MEMORY_ARENA)
    g_string_append_printf (text, "[%u,%u,%u,%u]", operand->n, operand->c, operand->h, operand->w);
  else
    print_operand (text, operand);
}

char *
yv_plan_describe_step (const YvStep *step)
{
  GString *text = g_string_new (NULL);

  yv_step_print_what (text, step);
  for (uint32_t i = 0; i < step->n_srcs; i++) {
    g_string_append (text, i ? " + " : " ");
    print_shape (text, &step->src[i]);
  }
  g_string_append (text, " -> ");
  print_shape (text, &step->dst);
  return g_string_free (text, FALSE);
}

char *
yv_plan_print (const YvPlan *plan)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (
      text,
      "plan [%u,%u,%u,%u] %s: %u steps in %u levels, %.2f GFLOP, arena %" G_GUINT64_FORMAT
      " bytes, %u rows\n",
      plan->options.n, plan->input.c, plan->options.h, plan->options.w,
      yv_dtype_name (plan->options.dtype), plan->steps->len, plan->n_levels,
      (double) plan->flops / 1e9, plan->arena_bytes, plan->n_rows);
  for (uint32_t i = 0; i < plan->steps->len; i++)
    print_step (text, &g_array_index (plan->steps, YvStep, i));
  return g_string_free (text, FALSE);
}
