/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/info.c - a model told for people: each row as trained and as deployed, no device needed.
 */
#include "engine/align.h"
#include "engine/engine.h"
#include "engine/graph/build.h"
#include "engine/ops/op.h"
#include "engine/passes/passes.h"
#include "engine/rowtext.h"

#define MAX_SIZE 8192

/* What the caller sees, and what it is made of. */
typedef struct {
  YvModelInfo info; /* first: the caller's pointer is ours */
  GStringChunk *strings;
  GPtrArray *arrays; /* of int32_t *: sources of rows */
  YvLayerInfo *layers;
  YvPassInfo *passes;
  char **class_names;
  uint32_t *strides;
  float *anchors_px;
} Info;

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

/* The text, kept. */
static const char *
keep_text (Info *info, char *text)
{
  const char *kept = g_string_chunk_insert (info->strings, text);

  g_free (text);
  return kept;
}

static const int32_t *
keep_rows (Info *info, const int32_t *rows, uint32_t n_rows)
{
  int32_t *kept = g_memdup2 (rows, n_rows * sizeof *rows);

  g_ptr_array_add (info->arrays, kept);
  return kept;
}

static const char *
join_from (const YvLayer *layer, GStringChunk *strings)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (uint32_t i = 0; i < layer->n_from; i++)
    g_string_append_printf (text, "%s%d", i > 0 ? "," : "", layer->from[i]);
  return g_string_chunk_insert (strings, text->str);
}

/* FLOPs of each row go to the field at @offset of its info. Returns their sum. */
static uint64_t
sum_flops (Info *info, const YvGraph *graph, size_t offset)
{
  g_autofree uint64_t *flops = g_new0 (uint64_t, graph->nodes->len);
  const uint64_t total = yv_graph_flops (graph, info->info.height, info->info.width, flops);

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    G_STRUCT_MEMBER (uint64_t, &info->layers[node->row], offset) += flops[i];
  }
  return total;
}

/* "RepConv"; "8 x Bottleneck" for a row that repeats one. */
static char *
module_text (const YvModule *module)
{
  const guint n = module->children->len;

  if (!yv_module_is (module, "Sequential") || n == 0)
    return g_strdup (module->class_name);
  return g_strdup_printf ("%u x %s", n,
                          ((const YvModule *) module->children->pdata[0])->class_name);
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
        .n_sources_trained = layer->n_from,
        .sources_trained = keep_rows (info, layer->from, layer->n_from),
        .module = keep_text (info, module_text (layer->module)),
        .trained = keep_text (info, yv_row_text (graph, layer->row)),
        .n_params_trained = yv_layer_n_params (layer),
    };
    info->info.n_params_trained += info->layers[i].n_params_trained;
  }
  info->info.flops_trained = sum_flops (info, graph, G_STRUCT_OFFSET (YvLayerInfo, flops_trained));
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

/* The row of a node, or of the picture itself. */
static int32_t
source_row (const YvNode *node)
{
  return node->op == YV_OP_INPUT ? YV_FROM_INPUT : (int32_t) node->row;
}

static bool
contains_row (const GArray *rows, int32_t row)
{
  for (guint i = 0; i < rows->len; i++)
    if (g_array_index (rows, int32_t, i) == row)
      return true;
  return false;
}

/* The other rows that the nodes of a row read, in the order in which they do. */
static void
find_sources (Info *info, const YvGraph *graph, YvLayerInfo *layer)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (int32_t));

  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    for (uint32_t j = 0; node->row == layer->row && j < node->n_inputs; j++) {
      const int32_t row = source_row (graph->nodes->pdata[node->inputs[j]]);
      if (row != (int32_t) layer->row && !contains_row (rows, row))
        g_array_append_val (rows, row);
    }
  }
  layer->n_sources_deployed = rows->len;
  layer->sources_deployed = keep_rows (info, (const int32_t *) (void *) rows->data, rows->len);
}

static void
describe_deployed (Info *info, const YvGraph *graph, GArray *const *operations)
{
  info->info.flops = sum_flops (info, graph, G_STRUCT_OFFSET (YvLayerInfo, flops));
  for (uint32_t i = 0; i < info->info.n_layers; i++) {
    YvLayerInfo *layer = &info->layers[i];

    layer->deployed = keep_text (info, yv_row_text (graph, layer->row));
    layer->folded = keep_text (info, yv_row_folded_text (operations[i], graph, layer->row));
    find_sources (info, graph, layer);
  }
  for (uint32_t i = 0; i < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];
    const uint64_t n_params = yv_node_n_params (node);

    info->layers[node->row].n_params_deployed += n_params;
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

/* What each row does as trained; of GArray *. */
static GPtrArray *
list_operations (const YvGraph *graph, uint32_t n_rows)
{
  GPtrArray *operations = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);

  for (uint32_t row = 0; row < n_rows; row++)
    g_ptr_array_add (operations, yv_row_operations (graph, row));
  return operations;
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
  g_autoptr (GPtrArray) operations = list_operations (graph, info->info.n_layers);
  run_passes (info, graph);
  describe_deployed (info, graph, (GArray *const *) operations->pdata);
  describe_head (info, graph);
  return true;
}

YvModelInfo *
yv_engine_describe (const YvModel *model, const YvCheckpoint *checkpoint, uint32_t size,
                    GError **error)
{
  Info *made = g_new0 (Info, 1);
  g_autoptr (YvModelInfo) info = &made->info;

  made->strings = g_string_chunk_new (4096);
  made->arrays = g_ptr_array_new_with_free_func (g_free);
  describe_model (made, model, checkpoint);
  if (!describe (made, model, size, error)) {
    g_prefix_error (error, "%s: ", model->source);
    return NULL;
  }
  return g_steal_pointer (&info);
}

YvModelInfo *
yv_model_info_new (const char *model_file, const char *config_file, uint32_t size, GError **error)
{
  g_autoptr (YvCheckpoint) checkpoint = NULL;
  g_autoptr (YvModel) model = yv_engine_read_model (model_file, config_file, &checkpoint, error);

  return model ? yv_engine_describe (model, checkpoint, size, error) : NULL;
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
  g_ptr_array_unref (made->arrays);
  g_string_chunk_free (made->strings);
  g_free (made);
}
