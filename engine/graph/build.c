/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/graph/build.c - row after row through the forward rules. */
#include "engine/graph/build.h"

#include "engine/graph/builder.h"
#include "engine/graph/forward.h"

static YvNode *
add_input (YvBuilder *builder)
{
  const double stride = 1;
  YvNode *node = yv_graph_add (builder->graph, YV_OP_INPUT, "images", 0, NULL, 0,
                               builder->model->n_input_channels);

  g_array_append_val (builder->strides, stride);
  return node;
}

/* @values: the input, then the output of each row so far. */
static YvNode *
run_layer (YvBuilder *builder, const YvLayer *layer, const GPtrArray *values)
{
  g_autoptr (GPtrArray) in = g_ptr_array_new ();

  builder->row = layer->row;
  for (uint32_t i = 0; i < layer->n_from; i++) {
    g_assert (layer->from[i] >= YV_FROM_INPUT && layer->from[i] + 1 < (int32_t) values->len);
    g_ptr_array_add (in, values->pdata[layer->from[i] + 1]);
  }
  return yv_forward (builder, layer->module, (YvNode *const *) in->pdata, in->len);
}

static void
run_layers (YvBuilder *builder)
{
  const GPtrArray *layers = builder->model->layers;
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  YvNode *value = add_input (builder);

  g_ptr_array_add (values, value);
  for (uint32_t i = 0; i < layers->len && value; i++) {
    value = run_layer (builder, layers->pdata[i], values);
    g_ptr_array_add (values, value);
  }
  if (value && value->op != YV_OP_DETECT) {
    const YvLayer *last = layers->len > 0 ? layers->pdata[layers->len - 1] : NULL;
    if (last)
      yv_builder_fail (builder, last->module, YV_ERROR_UNSUPPORTED,
                       "is the last layer, expected Detect, IDetect or IAuxDetect");
    else
      g_set_error (&builder->error, YV_ERROR, YV_ERROR_MALFORMED, "%s: has no layers",
                   builder->model->source);
  }
}

YvGraph *
yv_graph_build (const YvModel *model, uint64_t seed, GError **error)
{
  g_autoptr (YvGraph) graph = yv_graph_new ();
  g_autoptr (GArray) strides = g_array_new (FALSE, FALSE, sizeof (double));
  YvBuilder builder = {.model = model, .graph = graph, .seed = seed, .strides = strides};

  graph->n_rows = model->layers->len;
  run_layers (&builder);
  if (builder.error) {
    g_propagate_error (error, builder.error);
    return NULL;
  }
  yv_graph_assert_valid (graph);
  return g_steal_pointer (&graph);
}
