/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/model.c - chooses where layers and tensors come from. */
#include "engine/model/model.h"

#include "engine/error.h"
#include "engine/model/agree.h"
#include "engine/model/check.h"
#include "engine/model/config.h"
#include "engine/model/from_checkpoint.h"
#include "engine/model/from_config.h"
#include "engine/model/locate.h"
#include "engine/model/state_dict.h"
#include "engine/model/tensorspec.h"

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

static bool
load_config (const YvConfig *config, YvModel *model, GError **error)
{
  model->layers = yv_layers_from_config (config, config->n_classes, error);
  if (!model->layers)
    return false;

  const YvLayer *head = g_ptr_array_index (model->layers, model->layers->len - 1);
  model->n_input_channels = config->n_input_channels;
  model->n_classes = (uint32_t) yv_module_number (head->module, "nc", 0, 0);
  model->class_names = yv_default_class_names (model->n_classes);
  model->source = g_strdup (config->file);
  model->weights_kind = g_strdup ("random");
  return true;
}

static bool
load_state_dict (const YvObject *dict, const YvConfig *config, YvModel *model, GError **error)
{
  if (!config) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "holds a state dict, tensors without the network they belong to; name its model "
                 "description, too: config-file (--config), e.g. cfg/deploy/yolov7.yaml");
    return false;
  }
  if (!yv_model_from_state_dict (dict, config, model, error))
    return false;
  model->class_names = yv_default_class_names (model->n_classes);
  return true;
}

static bool
load_modules (const YvObject *module, const YvConfig *config, YvModel *model, GError **error)
{
  if (!yv_model_from_modules (module, model, error))
    return false;
  if (config) {
    g_autoptr (GPtrArray) described = yv_layers_from_config (config, model->n_classes, error);
    if (!described || !yv_layers_agree (model->layers, described, config->file, error))
      return false;
  }
  return yv_check_tensors (model, NULL, error);
}

static bool
load_checkpoint (const YvCheckpoint *checkpoint, const YvConfig *config, YvModel *model,
                 GError **error)
{
  const char *path = yv_checkpoint_path (checkpoint);
  YvLocated located = {0};

  if (!yv_locate_weights (checkpoint, &located, error))
    return false;
  if (!(located.module ? load_modules (located.module, config, model, error)
                       : load_state_dict (located.state_dict, config, model, error))) {
    g_prefix_error (error, "%s: ", path);
    return false;
  }
  model->source = located.module ? g_strdup (path) : g_strconcat (path, " by ", config->file, NULL);
  model->weights_kind = g_strdup (located.kind);
  return true;
}

YvModel *
yv_model_load (const YvCheckpoint *checkpoint, const char *config_file, GError **error)
{
  g_autoptr (YvModel) model = g_new0 (YvModel, 1);
  g_autoptr (YvConfig) config = NULL;

  if (!checkpoint && !config_file) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "neither a checkpoint nor a model description; at least one is needed");
    return NULL;
  }
  if (config_file) {
    config = yv_config_read (config_file, error);
    if (!config)
      return NULL;
  }
  if (!(checkpoint ? load_checkpoint (checkpoint, config, model, error)
                   : load_config (config, model, error)))
    return NULL;
  return g_steal_pointer (&model);
}

uint64_t
yv_layer_n_params (const YvLayer *layer)
{
  return yv_module_n_params (layer->module);
}
