/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/rowtext.c - what a row of a graph computes, in words. */
#include "engine/rowtext.h"

/* How often one kind of operation occurs in a row. */
typedef struct {
  char *label; /* owned */
  uint32_t n;
} Tally;

static void
clear_tally (gpointer tally)
{
  g_free (((Tally *) tally)->label);
}

static void
append_size (GString *text, const char *name, uint32_t h, uint32_t w, uint32_t stride)
{
  g_string_append_printf (text, "%s %ux%u", name, h, w);
  if (stride > 1)
    g_string_append_printf (text, "/%u", stride);
}

/* All inputs are written where the concat wants them. */
static bool
is_elided (const YvGraph *graph, const YvNode *concat)
{
  for (uint32_t i = 0; i < concat->n_inputs; i++) {
    if (yv_graph_node (graph, concat->inputs[i])->parent != concat->id)
      return false;
  }
  return true;
}

static void
append_operation (GString *text, const YvGraph *graph, const YvNode *node)
{
  switch (node->op) {
  case YV_OP_CONV:
    append_size (text, "conv", node->conv.weight->kernel_h, node->conv.weight->kernel_w,
                 node->conv.stride_h);
    if (node->conv.weight->groups > 1)
      g_string_append_printf (text, " g%u", node->conv.weight->groups);
    g_string_append (text, node->n_inputs > 1 ? " add" : "");
    g_string_append (text, node->conv.is_doubled ? " doubled" : "");
    break;
  case YV_OP_AFFINE:
    g_string_append (text, node->affine.role == YV_AFFINE_BATCHNORM ? "bn" : "implicit");
    break;
  case YV_OP_MAXPOOL:
    append_size (text, "maxpool", node->maxpool.kernel, node->maxpool.kernel, node->maxpool.stride);
    break;
  case YV_OP_UPSAMPLE:
    g_string_append_printf (text, "upsample x%u", node->upsample.factor);
    break;
  case YV_OP_CONCAT:
    g_string_append (text, is_elided (graph, node) ? "concat in place" : "concat");
    break;
  case YV_OP_ACT:
    break; /* its activation says it all */
  case YV_OP_INPUT:
  case YV_OP_ADD:
  case YV_OP_REORG:
  case YV_OP_DECODE:
  case YV_OP_DETECT:
  case YV_N_OPS:
    g_string_append (text, yv_op_name (node->op));
    break;
  }
}

/* "conv 3x3/2 silu" */
static char *
make_label (const YvGraph *graph, const YvNode *node)
{
  GString *text = g_string_new (NULL);

  append_operation (text, graph, node);
  if (node->act.kind != YV_ACT_NONE) {
    if (text->len > 0)
      g_string_append_c (text, ' ');
    g_string_append (text, yv_act_name (node->act.kind));
  }
  return g_string_free (text, FALSE);
}

static void
count_label (GArray *tallies, char *label)
{
  for (uint32_t i = 0; i < tallies->len; i++) {
    Tally *tally = &g_array_index (tallies, Tally, i);

    if (g_str_equal (tally->label, label)) {
      tally->n++;
      g_free (label);
      return;
    }
  }
  const Tally first = {.label = label, .n = 1};
  g_array_append_val (tallies, first);
}

static char *
join_tallies (const GArray *tallies)
{
  GString *text = g_string_new (NULL);

  for (uint32_t i = 0; i < tallies->len; i++) {
    const Tally *tally = &g_array_index (tallies, Tally, i);

    if (tally->n == 0)
      continue;
    if (text->len > 0)
      g_string_append (text, " + ");
    if (tally->n > 1)
      g_string_append_printf (text, "%u ", tally->n);
    g_string_append (text, tally->label);
  }
  return g_string_free (text, FALSE);
}

/* The same without what passes add to an operation: "conv 3x3/2". */
static char *
make_bare_label (const YvGraph *graph, const YvNode *node)
{
  GString *text = g_string_new (NULL);

  if (node->op == YV_OP_ACT)
    g_string_append (text, yv_act_name (node->act.kind));
  else if (node->op == YV_OP_CONCAT)
    g_string_append (text, yv_op_name (node->op));
  else
    append_operation (text, graph, node);
  return g_string_free (text, FALSE);
}

/* Each operation of a row where it first occurs. */
static GArray *
tally_row (const YvGraph *graph, uint32_t row,
           char *(*make) (const YvGraph *graph, const YvNode *node))
{
  GArray *tallies = g_array_new (FALSE, FALSE, sizeof (Tally));

  g_array_set_clear_func (tallies, clear_tally);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->row != row || node->op == YV_OP_INPUT)
      continue;
    g_autofree char *label = make (graph, node);
    if (*label)
      count_label (tallies, g_steal_pointer (&label));
  }
  return tallies;
}

char *
yv_row_text (const YvGraph *graph, uint32_t row)
{
  g_autoptr (GArray) tallies = tally_row (graph, row, make_label);

  return join_tallies (tallies);
}

GArray *
yv_row_operations (const YvGraph *graph, uint32_t row)
{
  return tally_row (graph, row, make_bare_label);
}

static uint32_t
count_of (const GArray *tallies, const char *label)
{
  for (uint32_t i = 0; i < tallies->len; i++) {
    const Tally *tally = &g_array_index (tallies, Tally, i);
    if (g_str_equal (tally->label, label))
      return tally->n;
  }
  return 0;
}

char *
yv_row_folded_text (const GArray *operations, const YvGraph *graph, uint32_t row)
{
  g_autoptr (GArray) folded = g_array_new (FALSE, FALSE, sizeof (Tally));
  g_autoptr (GArray) left = yv_row_operations (graph, row);

  for (uint32_t i = 0; i < operations->len; i++) {
    const Tally *before = &g_array_index (operations, Tally, i);
    const uint32_t n_left = MIN (before->n, count_of (left, before->label));
    const Tally gone = {.label = before->label, .n = before->n - n_left}; /* borrowed label */
    g_array_append_val (folded, gone);
  }
  return join_tallies (folded);
}
