/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/from_config.c - walks the rows and keeps count of channels and strides. */
#include "engine/model/from_config.h"

#include <math.h>

#include "engine/error.h"
#include "engine/model/expand.h"
#include "engine/model/geometry.h"
#include "engine/model/layer.h"
#include "engine/model/tensorspec.h"

#define MAX_MODULES 20000 /* the largest of the family has some 2000 */

/* What the rows so far put out. */
typedef struct {
  const YvConfig *config;
  YvArgScope scope;
  GPtrArray *layers;
  GArray *channels; /* of uint32_t, by row */
  GArray *strides;  /* of double, by row */
  uint32_t n_modules;
  uint64_t n_params;
} Walk;

static uint32_t
count_modules (const YvModule *module)
{
  uint32_t n_modules = 1;

  for (guint i = 0; i < module->children->len; i++)
    n_modules += count_modules (g_ptr_array_index (module->children, i));
  return n_modules;
}

static uint32_t
scale_repeats (uint32_t number, double depth_multiple)
{
  return number > 1 ? (uint32_t) MAX (rint (number * depth_multiple), 1.0) : number;
}

static void
look_up_sources (const Walk *walk, const YvLayer *layer, uint32_t *channels, double *strides)
{
  for (uint32_t i = 0; i < layer->n_from; i++) {
    const bool is_input = layer->from[i] == YV_FROM_INPUT;
    channels[i] = is_input ? walk->config->n_input_channels
                           : g_array_index (walk->channels, uint32_t, layer->from[i]);
    strides[i] = is_input ? 1 : g_array_index (walk->strides, double, layer->from[i]);
  }
}

static bool
expand_layer (Walk *walk, const YvConfigRow *row, YvLayer *layer, GError **error)
{
  const YvConfig *config = walk->config;
  g_autofree uint32_t *channels = g_new (uint32_t, layer->n_from);
  g_autofree double *strides = g_new (double, layer->n_from);
  g_autoptr (YvArg) args = yv_args_new (row->args, &walk->scope);
  YvExpanded expanded = {0};

  look_up_sources (walk, layer, channels, strides);
  const YvExpandRow expand = {
      .row = layer->row,
      .module = row->module,
      .c_in = channels,
      .n_in = layer->n_from,
      .args = args,
      .n_repeats = scale_repeats (row->number, config->depth_multiple),
      .width_multiple = config->width_multiple,
      .c_head = config->n_anchors * (5 + walk->scope.n_classes),
      .stride_in = strides,
  };
  if (!yv_expand_row (&expand, &expanded, error))
    return false;
  layer->module = expanded.module;
  g_array_append_val (walk->channels, expanded.c_out);
  g_array_append_val (walk->strides, expanded.stride);
  return yv_geometry_check (layer->module, error);
}

static bool
add_layer (Walk *walk, const YvConfigRow *row, GError **error)
{
  YvLayer *layer = g_new0 (YvLayer, 1);

  layer->row = walk->layers->len;
  g_ptr_array_add (walk->layers, layer);
  if (!yv_layer_resolve_from (layer, row->from, row->n_from, walk->config->rows->len, error) ||
      !expand_layer (walk, row, layer, error))
    return false;

  walk->n_modules += count_modules (layer->module);
  walk->n_params += yv_layer_n_params (layer);
  if (walk->n_modules <= MAX_MODULES && walk->n_params <= YV_MAX_MODEL_PARAMS)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "the model has more than %d modules or 2^31 parameters, which is not supported",
               MAX_MODULES);
  return false;
}

static bool
add_layers (Walk *walk, GError **error)
{
  for (guint i = 0; i < walk->config->rows->len; i++) {
    const YvConfigRow *row = g_ptr_array_index (walk->config->rows, i);
    if (add_layer (walk, row, error))
      continue;
    g_prefix_error (error, "%s:%u: row %u (%s): ", walk->config->file, row->line, i, row->section);
    return false;
  }
  if (yv_layers_check_head (walk->layers, error))
    return true;
  g_prefix_error (error, "%s: ", walk->config->file);
  return false;
}

GPtrArray *
yv_layers_from_config (const YvConfig *config, uint32_t n_classes, GError **error)
{
  g_autoptr (GPtrArray) layers = yv_layers_new ();
  g_autoptr (GArray) channels = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  g_autoptr (GArray) strides = g_array_new (FALSE, FALSE, sizeof (double));
  Walk walk = {
      .config = config,
      .scope = {n_classes, config->anchors},
      .layers = layers,
      .channels = channels,
      .strides = strides,
  };

  return add_layers (&walk, error) ? g_steal_pointer (&layers) : NULL;
}
