/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/info.c - a model told for people: each row as trained and as deployed, no device needed.
 */
#include "engine/align.h"
#include "engine/engine.h"
#include "engine/graph/build.h"
#include "engine/ops/op.h"
#include "engine/passes/passes.h"

#define MAX_SIZE 8192

/* What the caller sees, and what it is made of. */
typedef struct {
  YvModelInfo info; /* first: the caller's pointer is ours */
  GStringChunk *strings;
  YvLayerInfo *layers;
  YvPassInfo *passes;
  char **class_names;
  uint32_t *strides;
  float *anchors_px;
} Info;

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

static const char *
join_tallies (const GArray *tallies, GStringChunk *strings)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (uint32_t i = 0; i < tallies->len; i++) {
    const Tally *tally = &g_array_index (tallies, Tally, i);

    if (i > 0)
      g_string_append (text, " + ");
    if (tally->n > 1)
      g_string_append_printf (text, "%u ", tally->n);
    g_string_append (text, tally->label);
  }
  return g_string_chunk_insert (strings, text->str);
}

/* "conv 3x3 + 2 bn + conv 1x1 + add + silu": each operation where it first occurs. */
static const char *
describe_row (const YvGraph *graph, uint32_t row, GStringChunk *strings)
{
  g_autoptr (GArray) tallies = g_array_new (FALSE, FALSE, sizeof (Tally));

  g_array_set_clear_func (tallies, clear_tally);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    if (node->row != row || node->op == YV_OP_INPUT)
      continue;
    g_autofree char *label = make_label (graph, node);
    if (*label)
      count_label (tallies, g_steal_pointer (&label));
  }
  return join_tallies (tallies, strings);
}

static bool
infer_node (const YvNode *node, YvShape *shapes, GError **error)
{
  g_autofree YvShape *in = g_new0 (YvShape, MAX (node->n_inputs, 1));

  for (uint32_t i = 0; i < node->n_inputs; i++)
    in[i] = shapes[node->inputs[i]];
  return yv_op (node->op)->shape (node, in, &shapes[node->id], error);
}

/* Shapes of all nodes of a sorted graph, by id. */
static YvShape *
infer_shapes (const YvGraph *graph, uint32_t side, GError **error)
{
  g_autofree YvShape *shapes = g_new0 (YvShape, graph->nodes->len);

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];

    if (node->op == YV_OP_INPUT)
      shapes[i] = (YvShape){node->c_out, side, side};
    else if (!infer_node (node, shapes, error))
      return NULL;
  }
  return g_steal_pointer (&shapes);
}

static const char *
join_from (const YvLayer *layer, GStringChunk *strings)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (uint32_t i = 0; i < layer->n_from; i++)
    g_string_append_printf (text, "%s%d", i > 0 ? "," : "", layer->from[i]);
  return g_string_chunk_insert (strings, text->str);
}

/* The graph as it was trained: what every row does, and the shape of what it gives. */
static bool
describe_trained (Info *info, const YvModel *model, const YvGraph *graph, GError **error)
{
  g_autofree YvShape *shapes = infer_shapes (graph, info->info.width, error);

  if (!shapes)
    return false;
  for (uint32_t i = 0; i < info->info.n_layers; i++) {
    const YvLayer *layer = g_ptr_array_index (model->layers, i);

    info->layers[i] = (YvLayerInfo){
        .row = layer->row,
        .from = join_from (layer, info->strings),
        .module = g_string_chunk_insert (info->strings, layer->module->class_name),
        .trained = describe_row (graph, layer->row, info->strings),
        .n_params_trained = yv_layer_n_params (layer),
    };
    info->info.n_params_trained += info->layers[i].n_params_trained;
  }
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    YvLayerInfo *layer = &info->layers[node->row];

    if (node->op == YV_OP_INPUT)
      continue;
    layer->c_out = node->c_out; /* the last of a row is what others read */
    layer->h_out = node->op == YV_OP_DETECT ? 0 : shapes[i].h;
    layer->w_out = node->op == YV_OP_DETECT ? 0 : shapes[i].w;
  }
  return true;
}

static void
describe_deployed (Info *info, const YvGraph *graph)
{
  g_autofree uint64_t *flops = g_new0 (uint64_t, graph->nodes->len);

  info->info.flops = yv_graph_flops (graph, info->info.height, info->info.width, flops);
  for (uint32_t i = 0; i < info->info.n_layers; i++)
    info->layers[i].deployed = describe_row (graph, info->layers[i].row, info->strings);
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    const uint64_t n_params = yv_node_n_params (node);

    info->layers[node->row].n_params_deployed += n_params;
    info->layers[node->row].flops += flops[i];
    info->info.n_params_deployed += n_params;
  }
}

static void
run_passes (Info *info, YvGraph *graph)
{
  uint32_t n_passes;

  yv_passes (&n_passes);
  g_autofree YvPassReport *reports = g_new0 (YvPassReport, n_passes);
  yv_passes_run (graph, reports);

  info->info.passes = info->passes = g_new0 (YvPassInfo, n_passes);
  info->info.n_passes = n_passes;
  for (uint32_t i = 0; i < n_passes; i++) {
    info->passes[i] = (YvPassInfo){
        .name = reports[i].pass->name,
        .summary = reports[i].pass->summary,
        .n_changes = reports[i].n_changes,
        .n_nodes_before = reports[i].n_nodes_before,
        .n_nodes_after = reports[i].n_nodes_after,
        .n_params_before = reports[i].n_params_before,
        .n_params_after = reports[i].n_params_after,
    };
  }
}

static void
describe_head (Info *info, const YvGraph *graph)
{
  const YvDetectSpec *detect = &yv_graph_output (graph)->detect;

  info->strides = g_new (uint32_t, detect->n_levels);
  info->anchors_px = g_new (float, (gsize) detect->n_levels * detect->n_anchors * 2);
  float *anchor = info->anchors_px;
  for (uint32_t level = 0; level < detect->n_levels; level++) {
    info->strides[level] = detect->stride[level];
    for (uint32_t a = 0; a < detect->n_anchors; a++) {
      *anchor++ = detect->anchor_px[level][a][0];
      *anchor++ = detect->anchor_px[level][a][1];
    }
  }
  info->info.n_levels = detect->n_levels;
  info->info.n_anchors = detect->n_anchors;
  info->info.strides = info->strides;
  info->info.anchors_px = info->anchors_px;
}

static void
describe_model (Info *info, const YvModel *model, const YvCheckpoint *checkpoint)
{
  const char *format = checkpoint ? yv_checkpoint_format (checkpoint) : "yaml";
  g_autofree char *warning = yv_engine_warning_of (checkpoint, model);

  info->info.source = g_string_chunk_insert (info->strings, model->source);
  info->info.weights_kind = g_string_chunk_insert (info->strings, model->weights_kind);
  info->info.format = g_string_chunk_insert (info->strings, format);
  info->info.warning = warning ? g_string_chunk_insert (info->strings, warning) : NULL;
  info->info.n_classes = model->n_classes;
  info->class_names = g_strdupv (model->class_names);
  info->info.class_names = (const char *const *) info->class_names;
  info->info.n_layers = model->layers->len;
  info->info.layers = info->layers = g_new0 (YvLayerInfo, model->layers->len);
}

/* Sizes are raised to a multiple of the stride, as everywhere. */
static bool
choose_size (Info *info, const YvGraph *graph, uint32_t size, GError **error)
{
  const uint32_t stride = yv_graph_max_stride (graph);

  if (size > MAX_SIZE) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "size is %u px, expected at most %d", size,
                 MAX_SIZE);
    return false;
  }
  if (size == 0)
    size = yv_engine_default_size (stride);
  info->info.width = info->info.height = (uint32_t) yv_round_up (size, stride);
  return true;
}

static bool
describe (Info *info, const YvModel *model, uint32_t size, GError **error)
{
  g_autoptr (YvGraph) graph = yv_graph_build (model, 0, error);

  if (!graph || !choose_size (info, graph, size, error))
    return false;
  yv_graph_sort (graph);
  if (!describe_trained (info, model, graph, error))
    return false;
  run_passes (info, graph);
  describe_deployed (info, graph);
  describe_head (info, graph);
  return true;
}

YvModelInfo *
yv_model_info_new (const char *model_file, const char *config_file, uint32_t size, GError **error)
{
  g_autoptr (YvCheckpoint) checkpoint = NULL;
  g_autoptr (YvModel) model = yv_engine_read_model (model_file, config_file, &checkpoint, error);
  g_autoptr (YvModelInfo) info = NULL;

  if (!model)
    return NULL;
  Info *made = g_new0 (Info, 1);
  info = &made->info;
  made->strings = g_string_chunk_new (4096);
  describe_model (made, model, checkpoint);
  if (!describe (made, model, size, error)) {
    g_prefix_error (error, "%s: ", model->source);
    return NULL;
  }
  return g_steal_pointer (&info);
}

void
yv_model_info_free (YvModelInfo *info)
{
  Info *made = (Info *) info;

  if (!made)
    return;
  g_free (made->anchors_px);
  g_free (made->strides);
  g_strfreev (made->class_names);
  g_free (made->passes);
  g_free (made->layers);
  g_string_chunk_free (made->strings);
  g_free (made);
}
