/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/diff.c - two models compared: settings, rows, tensors as stored, weights as deployed.
 *
 * Files of one model may hold it in different forms: batch-norms folded or not, auxiliary rows kept
 * or dropped, f32 or f16. So weights are compared as deployed, after the same passes, row by row;
 * what differs there decides. How the files store them is told besides.
 */
#include <math.h>
#include <string.h>

#include "engine/diff/align.h"
#include "engine/diff/changes.h"
#include "engine/diff/measure.h"
#include "engine/engine.h"
#include "engine/graph/build.h"
#include "engine/model/check.h"
#include "engine/model/locate.h"
#include "engine/passes/passes.h"

/* Folding a batch-norm multiplies and adds a few rounded numbers, and a bias may be the difference
 * of larger ones. */
#define FOLDED_ROUNDINGS 8

#define MAX_CHANGES 8 /* of a row; the rest is counted */

/* One of the two models. */
typedef struct {
  YvCheckpoint *checkpoint;
  bool has_names; /* of classes: a state dict has none */
  YvModel *model;
  YvGraph *graph; /* as deployed; sorted */
  YvModelInfo *info;
  GHashTable *tensors; /* name -> const YvTensor *: those the model needs */
  YvDType dtype;       /* the coarsest of them */
  GPtrArray **nodes;   /* by row, of YvNode * */
  uint32_t *place;     /* by node: which of its row's */
} Side;

/* What the caller sees, and what it is made of. */
typedef struct {
  YvModelDiff diff; /* first: the caller's pointer is ours */
  Side a, b;
  int32_t *b_of_a; /* by row of A */
  GStringChunk *strings;
  GArray *settings, *layers, *tensors;
} Diff;

/* Reading. */

/* A description is only for tensors without a model. */
static const char *
config_for (const YvCheckpoint *checkpoint, const char *config_file, bool *is_state_dict)
{
  YvLocated located = {0};

  *is_state_dict = yv_locate_weights (checkpoint, &located, NULL) && !located.module;
  return *is_state_dict ? config_file : NULL;
}

static void
list_tensors (Side *side, GHashTable *used)
{
  GHashTableIter iter;
  gpointer name;

  side->tensors = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_iter_init (&iter, side->model->tensors);
  gpointer tensor;
  while (g_hash_table_iter_next (&iter, &name, &tensor)) {
    if (!g_hash_table_contains (used, name))
      continue;
    const YvDType dtype = ((const YvTensor *) tensor)->dtype;
    g_hash_table_insert (side->tensors, name, tensor);
    if (g_hash_table_size (side->tensors) == 1 ||
        yv_dtype_rounding (dtype) > yv_dtype_rounding (side->dtype))
      side->dtype = dtype;
  }
}

static void
list_nodes (Side *side)
{
  side->nodes = g_new0 (GPtrArray *, side->graph->n_rows);
  side->place = g_new0 (uint32_t, side->graph->nodes->len);
  for (uint32_t row = 0; row < side->graph->n_rows; row++)
    side->nodes[row] = g_ptr_array_new ();
  for (guint i = 0; i < side->graph->nodes->len; i++) {
    YvNode *node = side->graph->nodes->pdata[i];

    if (node->op == YV_OP_INPUT)
      continue;
    side->place[i] = side->nodes[node->row]->len;
    g_ptr_array_add (side->nodes[node->row], node);
  }
}

static bool
read_model (Side *side, const char *file, const char *config_file, GError **error)
{
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  bool is_state_dict;

  side->checkpoint = yv_checkpoint_open (file, error);
  if (!side->checkpoint)
    return false;
  const char *config = config_for (side->checkpoint, config_file, &is_state_dict);
  side->has_names = !is_state_dict;
  side->model = yv_model_load (side->checkpoint, config, error);
  if (!side->model || !yv_check_tensors (side->model, used, error))
    return false;
  list_tensors (side, used);
  return true;
}

static bool
read_side (Side *side, const char *file, const char *config_file, GError **error)
{
  if (!read_model (side, file, config_file, error))
    return false;
  side->info = yv_engine_describe (side->model, side->checkpoint, 0, error);
  if (!side->info)
    return false;
  side->graph = yv_graph_build (side->model, 0, error);
  if (!side->graph) {
    g_prefix_error (error, "%s: ", side->model->source);
    return false;
  }
  yv_passes_run (side->graph, NULL);
  list_nodes (side);
  return true;
}

static void
clear_side (Side *side)
{
  for (uint32_t row = 0; side->nodes && row < side->graph->n_rows; row++)
    g_ptr_array_unref (side->nodes[row]);
  g_free (side->nodes);
  g_free (side->place);
  g_clear_pointer (&side->tensors, g_hash_table_unref);
  yv_model_info_free (side->info);
  yv_graph_free (side->graph);
  yv_model_free (side->model);
  yv_checkpoint_free (side->checkpoint);
}

static const char *
keep (Diff *diff, char *text)
{
  const char *kept = g_string_chunk_insert (diff->strings, text);

  g_free (text);
  return kept;
}

/* Settings. */

static char *
levels_text (const YvModelInfo *info, bool is_strides)
{
  GString *text = g_string_new (NULL);

  for (uint32_t level = 0; level < info->n_levels; level++) {
    if (level > 0)
      g_string_append (text, is_strides ? " " : " | ");
    if (is_strides)
      g_string_append_printf (text, "%u", info->strides[level]);
    for (uint32_t i = 0; !is_strides && i < info->n_anchors; i++) {
      const float *wh = &info->anchors_px[(level * info->n_anchors + i) * 2];
      g_string_append_printf (text, "%s%gx%g", i > 0 ? " " : "", (double) wh[0], (double) wh[1]);
    }
  }
  return g_string_free (text, FALSE);
}

static void
add_word (GPtrArray *words, char *word)
{
  if (!g_ptr_array_find_with_equal_func (words, word, g_str_equal, NULL))
    g_ptr_array_add (words, word);
  else
    g_free (word);
}

static char *
join_words (GPtrArray *words)
{
  g_ptr_array_add (words, NULL);
  return words->len == 1 ? g_strdup ("none") : g_strjoinv (", ", (char **) words->pdata);
}

/* Each activation that occurs: "silu", "leaky_relu 0.1". */
static char *
activations_text (const YvGraph *graph)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < graph->nodes->len; i++) {
    const YvAct *act = &((const YvNode *) graph->nodes->pdata[i])->act;

    if (act->kind == YV_ACT_LEAKY_RELU)
      add_word (words, g_strdup_printf ("leaky_relu %g", (double) act->slope));
    else if (act->kind != YV_ACT_NONE)
      add_word (words, g_strdup (yv_act_name (act->kind)));
  }
  return join_words (words);
}

static void
collect_eps (const YvModule *module, GPtrArray *words)
{
  if (yv_module_is (module, "BatchNorm2d"))
    add_word (words, g_strdup_printf ("%g", yv_module_number (module, "eps", 0, 0)));
  for (guint i = 0; i < module->children->len; i++)
    collect_eps (module->children->pdata[i], words);
}

/* "none" where all batch-norms are folded. */
static char *
eps_text (const YvModel *model)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < model->layers->len; i++)
    collect_eps (((const YvLayer *) model->layers->pdata[i])->module, words);
  return join_words (words);
}

/* Takes both texts. */
static void
add_setting (Diff *diff, const char *name, char *a, char *b)
{
  const bool equal = strcmp (a, b) == 0;
  const YvSettingDiff setting = {
      .name = name, .a = keep (diff, a), .b = keep (diff, b), .equal = equal};

  g_array_append_val (diff->settings, setting);
}

static char *
count_text (uint64_t count)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, count);
}

static char *
names_text (const Side *side)
{
  return side->has_names ? g_strjoinv (", ", side->model->class_names) : g_strdup ("not told");
}

static void
compare_settings (Diff *diff)
{
  const Side *a = &diff->a, *b = &diff->b;

  add_setting (diff, "classes", count_text (a->info->n_classes), count_text (b->info->n_classes));
  add_setting (diff, "class names", names_text (a), names_text (b));
  add_setting (diff, "strides", levels_text (a->info, true), levels_text (b->info, true));
  add_setting (diff, "anchors", levels_text (a->info, false), levels_text (b->info, false));
  add_setting (diff, "activation", activations_text (a->graph), activations_text (b->graph));
  add_setting (diff, "input channels", count_text (a->model->n_input_channels),
               count_text (b->model->n_input_channels));
  add_setting (diff, "layers", count_text (a->info->n_layers), count_text (b->info->n_layers));
  add_setting (diff, "parameters as deployed", count_text (a->info->n_params_deployed),
               count_text (b->info->n_params_deployed));
  add_setting (diff, "parameters as stored", count_text (a->info->n_params_trained),
               count_text (b->info->n_params_trained));
  add_setting (diff, "batch-norm eps", eps_text (a->model), eps_text (b->model));
  add_setting (diff, "stored as", g_strdup (yv_dtype_name (a->dtype)),
               g_strdup (yv_dtype_name (b->dtype)));
}

/* The network as deployed. */

static bool
is_near (double a, double b, double rounding)
{
  return fabs (a - b) <= 2 * rounding * fmax (fabs (a), fabs (b));
}

static bool
is_same_detect (const YvDetectSpec *a, const YvDetectSpec *b, double rounding)
{
  if (a->n_levels != b->n_levels || a->n_anchors != b->n_anchors || a->n_classes != b->n_classes)
    return false;
  for (uint32_t level = 0; level < a->n_levels; level++) {
    if (a->stride[level] != b->stride[level])
      return false;
    for (uint32_t i = 0; i < 2 * a->n_anchors; i++)
      if (!is_near ((double) a->anchor_px[level][i / 2][i % 2],
                    (double) b->anchor_px[level][i / 2][i % 2], rounding))
        return false;
  }
  return true;
}

static bool
is_same_conv (const YvNode *a, const YvNode *b)
{
  const YvWeight *aw = a->conv.weight, *bw = b->conv.weight;

  return aw->c_in == bw->c_in && aw->c_out == bw->c_out && aw->groups == bw->groups &&
         aw->kernel_h == bw->kernel_h && aw->kernel_w == bw->kernel_w &&
         a->conv.stride_h == b->conv.stride_h && a->conv.stride_w == b->conv.stride_w &&
         a->conv.pad_h == b->conv.pad_h && a->conv.pad_w == b->conv.pad_w;
}

static bool
is_same_operation (const YvNode *a, const YvNode *b, double rounding)
{
  if (a->op != b->op || a->c_out != b->c_out || a->n_inputs != b->n_inputs ||
      a->act.kind != b->act.kind || !is_near ((double) a->act.slope, (double) b->act.slope, 1e-6))
    return false;
  if (a->op == YV_OP_CONV)
    return is_same_conv (a, b);
  if (a->op == YV_OP_MAXPOOL)
    return a->maxpool.kernel == b->maxpool.kernel && a->maxpool.stride == b->maxpool.stride &&
           a->maxpool.pad == b->maxpool.pad;
  if (a->op == YV_OP_UPSAMPLE)
    return a->upsample.factor == b->upsample.factor;
  if (a->op == YV_OP_DETECT || a->op == YV_OP_DECODE)
    return is_same_detect (&a->detect, &b->detect, rounding);
  return true;
}

/* The same node of corresponding rows. */
static bool
is_same_input (const Diff *diff, uint32_t a_id, uint32_t b_id)
{
  const YvNode *a = diff->a.graph->nodes->pdata[a_id], *b = diff->b.graph->nodes->pdata[b_id];

  if (a->op == YV_OP_INPUT || b->op == YV_OP_INPUT)
    return a->op == b->op;
  return diff->b_of_a[a->row] == (int32_t) b->row && diff->a.place[a_id] == diff->b.place[b_id];
}

static double
coarser_rounding (const Diff *diff)
{
  return MAX (yv_dtype_rounding (diff->a.dtype), yv_dtype_rounding (diff->b.dtype));
}

static bool
is_same_row (const Diff *diff, const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return false;
  for (guint i = 0; i < a->len; i++) {
    const YvNode *a_node = a->pdata[i], *b_node = b->pdata[i];

    if (!is_same_operation (a_node, b_node, coarser_rounding (diff)))
      return false;
    for (uint32_t j = 0; j < a_node->n_inputs; j++)
      if (!is_same_input (diff, a_node->inputs[j], b_node->inputs[j]))
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
  if (a->op == YV_OP_CONV && is_same_conv (a, b))
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

/* Rows. */

static void
append_rows (GString *text, const int32_t *rows, uint32_t n_rows)
{
  for (uint32_t i = 0; i < n_rows; i++)
    g_string_append_printf (text, "%s%d", i > 0 ? "," : "", rows[i]);
}

static void
compare_sources (const Diff *diff, const YvLayerInfo *a, const YvLayerInfo *b, GPtrArray *changes)
{
  bool equal = a->n_sources_trained == b->n_sources_trained;

  for (uint32_t i = 0; equal && i < a->n_sources_trained; i++) {
    const int32_t row = a->sources_trained[i];
    const int32_t partner = row == YV_FROM_INPUT ? row : diff->b_of_a[row];

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
join_changes (Diff *diff, const GPtrArray *changes)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < MIN (changes->len, MAX_CHANGES); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "; " : "", (const char *) changes->pdata[i]);
  if (changes->len > MAX_CHANGES)
    g_string_append_printf (text, "; %u more", changes->len - MAX_CHANGES);
  return g_string_chunk_insert (diff->strings, text->str);
}

static const YvModule *
module_of (const Side *side, uint32_t row)
{
  return ((const YvLayer *) side->model->layers->pdata[row])->module;
}

/* A difference between files that store rows in one form and one type is no rounding. */
static double
rounding_of_row (const Diff *diff, const char *changes)
{
  const bool is_one_form = *changes == '\0' && diff->a.dtype == diff->b.dtype;

  return is_one_form ? 0 : FOLDED_ROUNDINGS * coarser_rounding (diff);
}

static YvLayerDiff
compare_pair (Diff *diff, uint32_t a_row, uint32_t b_row, YvMeasure *total)
{
  const YvLayerInfo *a = &diff->a.info->layers[a_row], *b = &diff->b.info->layers[b_row];
  const GPtrArray *a_nodes = diff->a.nodes[a_row], *b_nodes = diff->b.nodes[b_row];
  g_autoptr (GPtrArray) changes =
      yv_module_changes (module_of (&diff->a, a_row), module_of (&diff->b, b_row));
  YvMeasure measure = {0};

  compare_sources (diff, a, b, changes);
  measure_row (&measure, a_nodes, b_nodes);
  yv_measure_add (total, &measure);
  YvLayerDiff layer = {.a = a,
                       .b = b,
                       .changes = join_changes (diff, changes),
                       .same_network = is_same_row (diff, a_nodes, b_nodes)};
  layer.weights = yv_measure_result (&measure, rounding_of_row (diff, layer.changes));
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
add_rows_of_b (Diff *diff, uint32_t *next, uint32_t end)
{
  for (; *next < end; (*next)++) {
    const YvLayerDiff layer = one_sided (NULL, &diff->b.info->layers[*next]);
    g_array_append_val (diff->layers, layer);
  }
}

static void
compare_layers (Diff *diff)
{
  YvMeasure total = {0};
  uint32_t next_b = 0;
  YvEquality worst = YV_EQUAL;

  for (uint32_t row = 0; row < diff->a.info->n_layers; row++) {
    const int32_t partner = diff->b_of_a[row];

    if (partner != YV_NO_ROW)
      add_rows_of_b (diff, &next_b, (uint32_t) partner);
    const YvLayerDiff layer = partner == YV_NO_ROW ? one_sided (&diff->a.info->layers[row], NULL)
                                                   : compare_pair (diff, row, next_b++, &total);
    worst = MAX (worst, layer.weights.equality);
    g_array_append_val (diff->layers, layer);
  }
  add_rows_of_b (diff, &next_b, diff->b.info->n_layers);
  diff->diff.weights = yv_measure_result (&total, 0);
  diff->diff.weights.equality = worst;
}

/* Tensors as stored. */

/* The name that a tensor of A would have in B; NULL: its row has no partner. */
static char *
name_in_b (const Diff *diff, const char *name)
{
  char *rest;

  if (!g_str_has_prefix (name, "model."))
    return NULL;
  const guint64 row = g_ascii_strtoull (name + strlen ("model."), &rest, 10);
  if (row >= diff->a.info->n_layers || diff->b_of_a[row] == YV_NO_ROW)
    return NULL;
  return g_strdup_printf ("model.%d%s", diff->b_of_a[row], rest);
}

static bool
is_same_shape (const YvTensor *a, const YvTensor *b)
{
  return yv_tensor_has_shape (a, b->n_dims, b->shape);
}

static YvTensorDiff
compare_tensors (Diff *diff, const char *name, const YvTensor *a, const YvTensor *b)
{
  YvTensorDiff tensor = {.name = g_string_chunk_insert (diff->strings, name)};
  YvMeasure measure = {0};

  tensor.shape_a = a ? keep (diff, yv_tensor_shape_to_string (a)) : NULL;
  tensor.shape_b = b ? keep (diff, yv_tensor_shape_to_string (b)) : NULL;
  if (a && b && is_same_shape (a, b))
    yv_measure_tensors (&measure, a, b);
  const bool is_one_type = !a || !b || a->dtype == b->dtype;
  tensor.difference = yv_measure_result (
      &measure, is_one_type ? 0 : MAX (yv_dtype_rounding (a->dtype), yv_dtype_rounding (b->dtype)));
  return tensor;
}

/* "model.2.x" before "model.10.x". */
static int
compare_names (gconstpointer a_pointer, gconstpointer b_pointer)
{
  const char *a = ((const YvTensorDiff *) a_pointer)->name;
  const char *b = ((const YvTensorDiff *) b_pointer)->name;
  const guint64 a_row = g_ascii_strtoull (a + strlen ("model."), NULL, 10);
  const guint64 b_row = g_ascii_strtoull (b + strlen ("model."), NULL, 10);

  if (a_row != b_row)
    return a_row < b_row ? -1 : 1;
  return strcmp (a, b);
}

static void
compare_stored (Diff *diff)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name, tensor;

  g_hash_table_iter_init (&iter, diff->a.tensors);
  while (g_hash_table_iter_next (&iter, &name, &tensor)) {
    g_autofree char *partner_name = name_in_b (diff, name);
    const YvTensor *partner =
        partner_name ? g_hash_table_lookup (diff->b.tensors, partner_name) : NULL;
    const YvTensorDiff result = compare_tensors (diff, name, tensor, partner);

    g_array_append_val (diff->tensors, result);
    if (partner)
      g_hash_table_add (seen, g_steal_pointer (&partner_name));
  }
  g_hash_table_iter_init (&iter, diff->b.tensors);
  while (g_hash_table_iter_next (&iter, &name, &tensor))
    if (!g_hash_table_contains (seen, name)) {
      const YvTensorDiff result = compare_tensors (diff, name, NULL, tensor);
      g_array_append_val (diff->tensors, result);
    }
  g_array_sort (diff->tensors, compare_names);
}

/* All of it. */

static bool
has_same_classes (const Diff *diff)
{
  const Side *a = &diff->a, *b = &diff->b;

  if (!a->has_names || !b->has_names)
    return a->info->n_classes == b->info->n_classes;
  return g_strv_equal ((const char *const *) a->model->class_names,
                       (const char *const *) b->model->class_names);
}

static YvEquality
judge (const Diff *diff)
{
  if (!has_same_classes (diff) ||
      diff->a.model->n_input_channels != diff->b.model->n_input_channels)
    return YV_UNEQUAL;
  for (guint i = 0; i < diff->layers->len; i++)
    if (!g_array_index (diff->layers, YvLayerDiff, i).same_network)
      return YV_UNEQUAL;
  return diff->diff.weights.equality;
}

static void
publish (Diff *diff)
{
  diff->diff.a = diff->a.info;
  diff->diff.b = diff->b.info;
  diff->diff.n_settings = diff->settings->len;
  diff->diff.settings = (const YvSettingDiff *) (void *) diff->settings->data;
  diff->diff.n_layers = diff->layers->len;
  diff->diff.layers = (const YvLayerDiff *) (void *) diff->layers->data;
  diff->diff.n_tensors = diff->tensors->len;
  diff->diff.tensors = (const YvTensorDiff *) (void *) diff->tensors->data;
  diff->diff.deployed = judge (diff);
}

static Diff *
diff_new (void)
{
  Diff *diff = g_new0 (Diff, 1);

  diff->strings = g_string_chunk_new (4096);
  diff->settings = g_array_new (FALSE, FALSE, sizeof (YvSettingDiff));
  diff->layers = g_array_new (FALSE, FALSE, sizeof (YvLayerDiff));
  diff->tensors = g_array_new (FALSE, FALSE, sizeof (YvTensorDiff));
  return diff;
}

YvModelDiff *
yv_model_diff_new (const char *model_a, const char *model_b, const char *config_file,
                   GError **error)
{
  Diff *made = diff_new ();
  g_autoptr (YvModelDiff) diff = &made->diff;

  if (!read_side (&made->a, model_a, config_file, error) ||
      !read_side (&made->b, model_b, config_file, error))
    return NULL;
  made->b_of_a = g_new (int32_t, made->a.info->n_layers);
  if (!yv_align_rows (made->a.info->layers, made->a.info->n_layers, made->b.info->layers,
                      made->b.info->n_layers, made->b_of_a, error))
    return NULL;
  compare_settings (made);
  compare_layers (made);
  compare_stored (made);
  publish (made);
  return g_steal_pointer (&diff);
}

void
yv_model_diff_free (YvModelDiff *diff)
{
  Diff *made = (Diff *) diff;

  if (!made)
    return;
  g_array_unref (made->tensors);
  g_array_unref (made->layers);
  g_array_unref (made->settings);
  g_string_chunk_free (made->strings);
  g_free (made->b_of_a);
  clear_side (&made->b);
  clear_side (&made->a);
  g_free (made);
}
