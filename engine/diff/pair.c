/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/pair.c - two models, read, deployed, and their rows aligned. */
#include "engine/diff/pair.h"

#include "engine/diff/align.h"
#include "engine/diff/measure.h"
#include "engine/engine.h"
#include "engine/graph/build.h"
#include "engine/model/check.h"
#include "engine/model/locate.h"
#include "engine/passes/passes.h"

/* A description is only for tensors without a model. */
static const char *
config_for (const YvCheckpoint *checkpoint, const char *config_file, bool *is_state_dict)
{
  YvLocated located = {0};

  *is_state_dict = yv_locate_weights (checkpoint, &located, NULL) && !located.module;
  return *is_state_dict ? config_file : NULL;
}

static void
list_tensors (YvSide *side, GHashTable *used)
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
list_nodes (YvSide *side)
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
read_model (YvSide *side, const char *file, const char *config_file, GError **error)
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
read_side (YvSide *side, const char *file, const char *config_file, GError **error)
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
clear_side (YvSide *side)
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

bool
yv_pair_read (YvPair *pair, const char *model_a, const char *config_a, const char *model_b,
              const char *config_b, GError **error)
{
  if (!read_side (&pair->a, model_a, config_a, error) ||
      !read_side (&pair->b, model_b, config_b, error))
    return false;
  pair->b_of_a = g_new (int32_t, pair->a.info->n_layers);
  return yv_align_rows (pair->a.info->layers, pair->a.info->n_layers, pair->b.info->layers,
                        pair->b.info->n_layers, pair->b_of_a, error);
}

void
yv_pair_clear (YvPair *pair)
{
  g_free (pair->b_of_a);
  clear_side (&pair->b);
  clear_side (&pair->a);
}

double
yv_pair_rounding (const YvPair *pair)
{
  return MAX (yv_dtype_rounding (pair->a.dtype), yv_dtype_rounding (pair->b.dtype));
}
