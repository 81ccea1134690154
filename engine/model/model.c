/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/model.c - chooses where layers and tensors come from. */
#include "engine/model/model.h"

#include "engine/error.h"
#include "engine/model/config.h"
#include "engine/model/from_config.h"
#include "engine/model/params.h"

void
yv_model_free (YvModel *model)
{
  if (!model)
    return;
  g_clear_pointer (&model->layers, g_ptr_array_unref);
  g_clear_pointer (&model->tensors, g_hash_table_unref);
  g_strfreev (model->class_names);
  g_free (model->source);
  g_free (model->weights_kind);
  g_free (model);
}

static char **
make_class_names (uint32_t n_classes)
{
  char **names = g_new0 (char *, n_classes + 1);

  for (uint32_t i = 0; i < n_classes; i++)
    names[i] = g_strdup_printf ("class%u", i);
  return names;
}

static YvModel *
load_config (const char *config_file, GError **error)
{
  g_autoptr (YvConfig) config = yv_config_read (config_file, error);
  g_autoptr (YvModel) model = g_new0 (YvModel, 1);

  if (!config)
    return NULL;
  model->layers = yv_layers_from_config (config, config->n_classes, error);
  if (!model->layers)
    return NULL;
  model->n_input_channels = config->n_input_channels;
  model->n_classes = config->n_classes;
  model->class_names = make_class_names (config->n_classes);
  model->source = g_strdup (config_file);
  model->weights_kind = g_strdup ("random");
  return g_steal_pointer (&model);
}

YvModel *
yv_model_load (const YvCheckpoint *checkpoint, const char *config_file, GError **error)
{
  if (!checkpoint && !config_file) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "neither a checkpoint nor a config file; at least one is needed");
    return NULL;
  }
  return load_config (config_file, error);
}

uint64_t
yv_layer_n_params (const YvLayer *layer)
{
  return yv_module_n_params (layer->module);
}
