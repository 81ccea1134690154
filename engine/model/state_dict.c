/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/state_dict.c - matches names of tensors with the modules of a description. */
#include "engine/model/state_dict.h"

#include <string.h>

#include "common/excerpt.h"
#include "engine/error.h"
#include "engine/model/blocks.h"
#include "engine/model/check.h"
#include "engine/model/from_config.h"
#include "engine/model/limits.h"

#define MAX_KEY_BYTES 256

/* Names. */

static const char *
strip_prefixes (const char *key)
{
  while (g_str_has_prefix (key, "module."))
    key += strlen ("module.");
  if (g_str_has_prefix (key, "model.model."))
    key += strlen ("model.");
  return key;
}

static bool
fail_at_key (const char *key, const char *problem, GError **error)
{
  g_autofree char *name = yv_excerpt (key);

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "state dict: \"%s\" %s", name, problem);
  return false;
}

static bool
collect (const YvObject *dict, GHashTable *tensors, GError **error)
{
  for (uint32_t i = 0; i + 1 < dict->sequence.n_items; i += 2) {
    const char *key = yv_object_get_string (dict->sequence.items[i]);
    const YvObject *value = dict->sequence.items[i + 1];
    if (!key || strlen (key) > MAX_KEY_BYTES)
      return fail_at_key (key, "is no name of a tensor", error);
    if (value->kind != YV_OBJECT_TENSOR)
      return fail_at_key (key, "is no tensor", error);
    if (!g_hash_table_insert (tensors, g_strdup (strip_prefixes (key)), (gpointer) &value->tensor))
      return fail_at_key (key, "occurs twice, once under a prefix", error);
  }
  return true;
}

/* The row of "model.77.m.0.weight", or -1: the head's tensors are the only ones of that form. */
static int
row_of_head_key (const char *key)
{
  char *end;

  if (!g_str_has_prefix (key, "model."))
    return -1;
  const guint64 row = g_ascii_strtoull (key + strlen ("model."), &end, 10);
  return g_str_equal (end, ".m.0.weight") && row < YV_CONFIG_MAX_ROWS ? (int) row : -1;
}

static int
find_head_row (GHashTable *tensors)
{
  GHashTableIter iter;
  gpointer key;
  int row = -1;

  g_hash_table_iter_init (&iter, tensors);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    row = MAX (row, row_of_head_key (key));
  return row;
}

static const YvTensor *
look_up (GHashTable *tensors, const char *path, const char *name)
{
  g_autofree char *full = g_strconcat (path, ".", name, NULL);

  return g_hash_table_lookup (tensors, full);
}

/* A training description of the large models has as many auxiliary rows before its head as levels;
 * a deployed one has none, so that its head has a smaller number. */
typedef struct {
  uint32_t file_row;
  uint32_t config_row;
} HeadRows;

/* The name under the description's numbering; NULL: an auxiliary row, which it leaves out. */
static char *
renumber (const char *key, const HeadRows *rows)
{
  char *rest;

  if (!g_str_has_prefix (key, "model."))
    return g_strdup (key);
  const guint64 row = g_ascii_strtoull (key + strlen ("model."), &rest, 10);
  if (row == rows->file_row)
    return g_strdup_printf ("model.%u%s", rows->config_row, rest);
  return row >= rows->config_row && row < rows->file_row ? NULL : g_strdup (key);
}

static GHashTable *
renumber_all (GHashTable *tensors, const HeadRows *rows)
{
  GHashTable *renumbered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer key, tensor;

  g_hash_table_iter_init (&iter, tensors);
  while (g_hash_table_iter_next (&iter, &key, &tensor)) {
    char *name = renumber (key, rows);
    if (name)
      g_hash_table_insert (renumbered, name, tensor);
  }
  return renumbered;
}

/* The number of rows between is that of the levels, and the head has auxiliary convolutions. */
static bool
are_rows_auxiliary (GHashTable *tensors, const HeadRows *rows)
{
  g_autofree char *head = g_strdup_printf ("model.%u", rows->file_row);
  g_autofree char *last = g_strdup_printf ("m2.%u.weight", rows->file_row - rows->config_row - 1);
  g_autofree char *beyond = g_strdup_printf ("m2.%u.weight", rows->file_row - rows->config_row);

  return look_up (tensors, head, last) && !look_up (tensors, head, beyond);
}

/* Brings the head's tensors to the row where the description has it. */
static bool
match_head_row (const YvConfig *config, YvModel *model, GError **error)
{
  const int file_row = find_head_row (model->tensors);
  const HeadRows rows = {(uint32_t) file_row, config->rows->len - 1};

  if (file_row < 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "state dict: no tensor \"model.N.m.0.weight\", so no detection head");
    return false;
  }
  if (rows.file_row == rows.config_row)
    return true;
  if (rows.file_row < rows.config_row || !are_rows_auxiliary (model->tensors, &rows)) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "state dict: its head is row %u, but row %u in %s: another model", rows.file_row,
                 rows.config_row, config->file);
    return false;
  }

  GHashTable *renumbered = renumber_all (model->tensors, &rows);
  g_hash_table_unref (model->tensors);
  model->tensors = renumbered;
  return true;
}

/* Classes. */

static uint32_t
find_n_classes (const YvConfig *config, GHashTable *tensors)
{
  g_autofree char *head = g_strdup_printf ("model.%u", config->rows->len - 1);
  const YvTensor *weight = look_up (tensors, head, "m.0.weight");
  const uint64_t n_outputs = weight && weight->n_dims == 4 ? weight->shape[0] : 0;
  const uint64_t per_anchor = n_outputs / config->n_anchors;

  return n_outputs % config->n_anchors == 0 && per_anchor > 5 && per_anchor - 5 <= YV_MAX_CLASSES
             ? (uint32_t) per_anchor - 5
             : config->n_classes;
}

/* Fused modules. */

static void
remove_child (YvModule *module, const char *name)
{
  YvModule *child = yv_module_child (module, name);

  if (child)
    g_ptr_array_remove (module->children, child);
}

/* A Conv whose batch-norm was folded into its convolution. */
static bool
adapt_conv (YvModule *module, GHashTable *tensors)
{
  YvModule *conv = yv_module_child (module, "conv");
  const YvModule *bn = yv_module_child (module, "bn");

  if (look_up (tensors, bn->path, "weight") || !look_up (tensors, conv->path, "bias"))
    return false;
  remove_child (module, "bn");
  yv_module_set (conv, "bias", 1);
  return true;
}

/* A RepConv whose branches were merged: as the 3x3 branch, with a bias. */
static bool
adapt_repconv (YvModule *module, GHashTable *tensors)
{
  const YvModule *dense = yv_module_child (yv_module_child (module, "rbr_dense"), "0");
  YvModule *merged = yv_module_new ("Conv2d", module->path, "rbr_reparam");

  if (!look_up (tensors, merged->path, "weight")) {
    yv_module_free (merged);
    return false;
  }
  for (guint i = 0; i < dense->attrs->len; i++) {
    const YvAttr *attr = &g_array_index (dense->attrs, YvAttr, i);
    yv_module_set_many (merged, attr->key, attr->values, attr->n_values);
  }
  yv_module_set (merged, "bias", 1);
  remove_child (module, "rbr_dense");
  remove_child (module, "rbr_1x1");
  remove_child (module, "rbr_identity");
  yv_module_add (module, merged);
  return true;
}

typedef struct {
  uint32_t n_convs;
  uint32_t n_fused;
} FusedCount;

static void
adapt_fused (YvModule *module, GHashTable *tensors, FusedCount *count)
{
  for (guint i = 0; i < module->children->len; i++)
    adapt_fused (g_ptr_array_index (module->children, i), tensors, count);
  if (yv_module_is (module, "Conv")) {
    count->n_convs++;
    count->n_fused += adapt_conv (module, tensors);
  } else if (yv_module_is (module, "RepConv")) {
    adapt_repconv (module, tensors);
  }
}

/* The head. */

static void
rename_class (YvModule *module, const char *class_name)
{
  g_free (module->class_name);
  module->class_name = g_strdup (class_name);
}

/* Tensors as trained under the description of the deployed model: the implicits are there and count
 * (spec 7.3), unless all was fused, which folds them, too. */
static void
adapt_head (YvModule *head, GHashTable *tensors, bool is_fused)
{
  const bool has_implicits = look_up (tensors, head->path, "ia.0.implicit") != NULL;

  if (is_fused)
    yv_module_set (head, "fused", 1);
  if (!yv_module_is (head, "Detect") || !has_implicits || is_fused)
    return;
  rename_class (head, "IDetect");
  yv_block_add_implicits (head);
}

/* Leftovers. */

static bool
is_implicit_or_aux (const char *name, const YvModule *head)
{
  g_autofree char *ia = g_strconcat (head->path, ".ia.", NULL);
  g_autofree char *im = g_strconcat (head->path, ".im.", NULL);
  g_autofree char *m2 = g_strconcat (head->path, ".m2.", NULL);

  return g_str_has_prefix (name, ia) || g_str_has_prefix (name, im) || g_str_has_prefix (name, m2);
}

static bool
check_leftovers (const YvModel *model, GHashTable *used, const char *file, GError **error)
{
  const YvLayer *head = g_ptr_array_index (model->layers, model->layers->len - 1);
  g_autoptr (GList) names =
      g_list_sort (g_hash_table_get_keys (model->tensors), (GCompareFunc) strcmp);
  const char *first = NULL;
  guint n_left = 0;

  for (const GList *item = names; item; item = item->next) {
    if (g_hash_table_contains (used, item->data) ||
        g_str_has_suffix (item->data, ".num_batches_tracked") ||
        is_implicit_or_aux (item->data, head->module))
      continue;
    first = first ? first : item->data;
    n_left++;
  }
  if (n_left > 0)
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "state dict: %s (%u such tensors) has no place in %s: another model", first,
                 n_left, file);
  return n_left == 0;
}

static bool
check_names (const YvConfig *config, const YvModel *model, GError **error)
{
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (!yv_check_tensors (model, used, error)) {
    g_prefix_error (error, "state dict, by %s: ", config->file);
    return false;
  }
  return check_leftovers (model, used, config->file, error);
}

bool
yv_model_from_state_dict (const YvObject *dict, const YvConfig *config, YvModel *model,
                          GError **error)
{
  FusedCount count = {0};

  model->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!collect (dict, model->tensors, error) || !match_head_row (config, model, error))
    return false;
  model->n_classes = find_n_classes (config, model->tensors);
  model->n_input_channels = config->n_input_channels;
  model->layers = yv_layers_from_config (config, model->n_classes, error);
  if (!model->layers)
    return false;

  for (guint i = 0; i < model->layers->len; i++)
    adapt_fused (((YvLayer *) g_ptr_array_index (model->layers, i))->module, model->tensors,
                 &count);
  const YvLayer *head = g_ptr_array_index (model->layers, model->layers->len - 1);
  adapt_head (head->module, model->tensors, count.n_convs > 0 && count.n_fused == count.n_convs);
  return check_names (config, model, error);
}
