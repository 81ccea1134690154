/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/plan.c - from a graph to a plan: shapes, layout, lowering, schedule, placement. */
#include "engine/plan/plan.h"

#include "engine/error.h"
#include "engine/plan/draft.h"

static void
draft_clear (YvDraft *draft)
{
  g_free (draft->index_of_id);
  g_free (draft->layouts);
  g_free (draft->slots);
  g_free (draft->is_pinned);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (YvDraft, draft_clear)

static bool
check_options (const YvDraft *draft, GError **error)
{
  const YvPlanOptions *options = draft->options;
  const uint32_t stride = yv_graph_max_stride (draft->graph);

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

static void
clear_step (void *step)
{
  g_free (((YvStep *) step)->name);
}

static YvPlan *
new_plan (const YvDraft *draft)
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

YvPlan *
yv_plan_new (const YvGraph *graph, const YvCaps *caps, const YvPlanOptions *options, GError **error)
{
  g_auto (YvDraft) draft = {
      .graph = graph,
      .caps = caps,
      .options = options,
      .output = yv_graph_output (graph),
      .n_nodes = graph->nodes->len,
      .index_of_id = yv_draft_index_nodes (graph),
      .layouts = g_new0 (YvLayout, graph->nodes->len),
      .slots = g_new0 (YvArenaSlot, graph->nodes->len + 1),
      .n_values = graph->nodes->len + 1,
      .is_pinned = g_new0 (bool, graph->nodes->len + 1),
  };
  g_autoptr (YvPlan) plan = new_plan (&draft);

  draft.plan = plan;
  yv_draft_fuse (&draft);
  if (!check_options (&draft, error) || !yv_draft_shapes (&draft, error) ||
      !yv_draft_lay_out (&draft, error) || !yv_draft_lower (&draft, error))
    return NULL;
  yv_draft_place (&draft);
  plan->options.ways = NULL;
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
