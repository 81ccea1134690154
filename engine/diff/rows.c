/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/rows.c - rows of two models: modules as trained, network and weights as deployed. */
#include "engine/diff/rows.h"

#include "engine/diff/align.h"
#include "engine/diff/changes.h"
#include "engine/diff/measure.h"
#include "engine/diff/operation.h"

/* Folding a batch-norm multiplies and adds a few rounded numbers, and a bias may be the difference
 * of larger ones. */
#define FOLDED_ROUNDINGS 8

#define MAX_CHANGES 8 /* of a row; the rest is counted */

/* The same node of corresponding rows. */
static bool
is_same_input (const YvPair *pair, uint32_t a_id, uint32_t b_id)
{
  const YvNode *a = pair->a.graph->nodes->pdata[a_id], *b = pair->b.graph->nodes->pdata[b_id];

  if (a->op == YV_OP_INPUT || b->op == YV_OP_INPUT)
    return a->op == b->op;
  return pair->b_of_a[a->row] == (int32_t) b->row && pair->a.place[a_id] == pair->b.place[b_id];
}

static bool
is_same_row (const YvPair *pair, const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return false;
  for (guint i = 0; i < a->len; i++) {
    const YvNode *a_node = a->pdata[i], *b_node = b->pdata[i];

    if (!yv_is_same_operation (a_node, b_node, yv_pair_rounding (pair)))
      return false;
    for (uint32_t j = 0; j < a_node->n_inputs; j++)
      if (!is_same_input (pair, a_node->inputs[j], b_node->inputs[j]))
        return false;
  }
  return true;
}

/* An affine that is left has no convolution in front that could take it in. */
static void
measure_node (YvMeasure *measure, const YvNode *a, const YvNode *b)
{
  if (a->op != b->op)
    return;
  if (a->op == YV_OP_CONV && yv_is_same_conv (a, b))
    yv_measure_weights (measure, a->conv.weight, b->conv.weight);
  if (a->op == YV_OP_AFFINE && a->c_out == b->c_out) {
    yv_measure_numbers (measure, a->affine.scale, b->affine.scale, a->c_out);
    yv_measure_numbers (measure, a->affine.shift, b->affine.shift, a->c_out);
  }
}

/* Of nodes that are of one shape, in order, even where the rest of the row differs. */
static void
measure_row (YvMeasure *measure, const GPtrArray *a, const GPtrArray *b)
{
  for (guint i = 0; i < MIN (a->len, b->len); i++)
    measure_node (measure, a->pdata[i], b->pdata[i]);
}

static void
append_rows (GString *text, const int32_t *rows, uint32_t n_rows)
{
  for (uint32_t i = 0; i < n_rows; i++)
    g_string_append_printf (text, "%s%d", i > 0 ? "," : "", rows[i]);
}

static void
compare_sources (const YvPair *pair, const YvLayerInfo *a, const YvLayerInfo *b, GPtrArray *changes)
{
  bool equal = a->n_sources_trained == b->n_sources_trained;

  for (uint32_t i = 0; equal && i < a->n_sources_trained; i++) {
    const int32_t row = a->sources_trained[i];
    const int32_t partner = row == YV_FROM_INPUT ? row : pair->b_of_a[row];

    equal = partner == b->sources_trained[i] && (row == YV_FROM_INPUT || partner != YV_NO_ROW);
  }
  if (equal)
    return;
  GString *text = g_string_new ("from ");
  append_rows (text, a->sources_trained, a->n_sources_trained);
  g_string_append (text, " -> ");
  append_rows (text, b->sources_trained, b->n_sources_trained);
  g_ptr_array_add (changes, g_string_free (text, FALSE));
}

static const char *
join_changes (const GPtrArray *changes, GStringChunk *strings)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < MIN (changes->len, MAX_CHANGES); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "; " : "", (const char *) changes->pdata[i]);
  if (changes->len > MAX_CHANGES)
    g_string_append_printf (text, "; %u more", changes->len - MAX_CHANGES);
  return g_string_chunk_insert (strings, text->str);
}

static const YvModule *
module_of (const YvSide *side, uint32_t row)
{
  return ((const YvLayer *) side->model->layers->pdata[row])->module;
}

/* A difference between files that store rows in one form and one type is no rounding. */
static double
rounding_of_row (const YvPair *pair, const char *changes)
{
  const bool is_one_form = *changes == '\0' && pair->a.dtype == pair->b.dtype;

  return is_one_form ? 0 : FOLDED_ROUNDINGS * yv_pair_rounding (pair);
}

static YvLayerDiff
compare_pair (const YvPair *pair, uint32_t a_row, uint32_t b_row, GStringChunk *strings,
              YvMeasure *total)
{
  const YvLayerInfo *a = &pair->a.info->layers[a_row], *b = &pair->b.info->layers[b_row];
  const GPtrArray *a_nodes = pair->a.nodes[a_row], *b_nodes = pair->b.nodes[b_row];
  g_autoptr (GPtrArray) changes =
      yv_module_changes (module_of (&pair->a, a_row), module_of (&pair->b, b_row));
  YvMeasure measure = {0};

  compare_sources (pair, a, b, changes);
  measure_row (&measure, a_nodes, b_nodes);
  yv_measure_add (total, &measure);
  YvLayerDiff layer = {.a = a,
                       .b = b,
                       .changes = join_changes (changes, strings),
                       .same_network = is_same_row (pair, a_nodes, b_nodes)};
  layer.weights = yv_measure_result (&measure, rounding_of_row (pair, layer.changes));
  return layer;
}

/* A row that only one has makes no difference where deployment drops it. */
static YvLayerDiff
one_sided (const YvLayerInfo *a, const YvLayerInfo *b)
{
  return (YvLayerDiff){.a = a,
                       .b = b,
                       .changes = "",
                       .same_network = *(a ? a : b)->deployed == '\0',
                       .weights = {.cosine = 1}};
}

static void
add_rows_of_b (GArray *layers, const YvPair *pair, uint32_t *next, uint32_t end)
{
  for (; *next < end; (*next)++) {
    const YvLayerDiff layer = one_sided (NULL, &pair->b.info->layers[*next]);
    g_array_append_val (layers, layer);
  }
}

YvDifference
yv_rows_compare (const YvPair *pair, GStringChunk *strings, GArray *layers)
{
  YvMeasure total = {0};
  uint32_t next_b = 0;
  YvEquality worst = YV_EQUAL;

  for (uint32_t row = 0; row < pair->a.info->n_layers; row++) {
    const int32_t partner = pair->b_of_a[row];

    if (partner != YV_NO_ROW)
      add_rows_of_b (layers, pair, &next_b, (uint32_t) partner);
    const YvLayerDiff layer = partner == YV_NO_ROW
                                  ? one_sided (&pair->a.info->layers[row], NULL)
                                  : compare_pair (pair, row, next_b++, strings, &total);
    worst = MAX (worst, layer.weights.equality);
    g_array_append_val (layers, layer);
  }
  add_rows_of_b (layers, pair, &next_b, pair->b.info->n_layers);
  YvDifference weights = yv_measure_result (&total, 0);
  weights.equality = worst;
  return weights;
}
