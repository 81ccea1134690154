/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/layer.c - layers, their sources, and the last of them. */
#include "engine/model/layer.h"

#include "engine/error.h"
#include "engine/model/expand.h"

static void
free_layer (gpointer layer_pointer)
{
  YvLayer *layer = layer_pointer;

  yv_module_free (layer->module);
  g_free (layer->from);
  g_free (layer);
}

GPtrArray *
yv_layers_new (void)
{
  return g_ptr_array_new_with_free_func (free_layer);
}

static bool
resolve_one (uint32_t row, int32_t from, uint32_t n_rows, int32_t *resolved, GError **error)
{
  if (row == 0 && from == -1) {
    *resolved = YV_FROM_INPUT;
    return true;
  }

  const int64_t source = from < 0 ? (int64_t) row + from : from;
  if (source < 0)
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "from %d reaches back beyond row 0", from);
  else if (source >= n_rows)
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "from %d is out of range, there are %u rows (0 to %u)", from, n_rows, n_rows - 1);
  else if (source >= row)
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "from %d is a forward reference; a row can only take the output of an earlier one",
                 from);
  *resolved = (int32_t) source;
  return source >= 0 && source < row;
}

bool
yv_layer_resolve_from (YvLayer *layer, const int32_t *from, uint32_t n_from, uint32_t n_rows,
                       GError **error)
{
  layer->from = g_new0 (int32_t, n_from);
  layer->n_from = n_from;
  for (uint32_t i = 0; i < n_from; i++)
    if (!resolve_one (layer->row, from[i], n_rows, &layer->from[i], error))
      return false;
  return true;
}

static bool
check_head_sources (const YvLayer *head, GError **error)
{
  const uint32_t n_levels = (uint32_t) yv_module_number (head->module, "nl", 0, 0);
  const uint32_t n_wanted = yv_module_is (head->module, "IAuxDetect") ? 2 * n_levels : n_levels;

  if (head->n_from == n_wanted)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "row %u: %s of %u levels has %u sources, expected %u", head->row,
               head->module->class_name, n_levels, head->n_from, n_wanted);
  return false;
}

bool
yv_layers_check_head (const GPtrArray *layers, GError **error)
{
  const guint last = layers->len - 1;

  for (guint i = 0; i < layers->len; i++) {
    const YvLayer *layer = g_ptr_array_index (layers, i);
    const bool is_head = yv_is_head_class (layer->module->class_name);
    if (is_head == (i == last))
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 is_head ? "row %u: %s is not the last row; a detection head must be"
                         : "row %u: the last row is %s, expected Detect, IDetect or IAuxDetect",
                 layer->row, layer->module->class_name);
    return false;
  }
  return check_head_sources (g_ptr_array_index (layers, last), error);
}
