/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/check.c - walks modules and tensors side by side. */
#include "engine/model/check.h"

#include "engine/error.h"
#include "engine/model/expand.h"
#include "engine/model/scan.h"
#include "engine/model/tensorspec.h"

static bool
check_dtype (const char *name, const YvTensor *tensor, GError **error)
{
  if (tensor->dtype == YV_DTYPE_F32 || tensor->dtype == YV_DTYPE_F16 ||
      tensor->dtype == YV_DTYPE_BF16 || tensor->dtype == YV_DTYPE_F64)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: elements are %s, expected f32, f16, bf16 or f64", name,
               yv_dtype_name (tensor->dtype));
  return false;
}

static bool
check_shape (const char *name, const YvTensor *tensor, const YvTensorSpec *spec, GError **error)
{
  YvTensor expected = {.n_dims = spec->n_dims};

  if (yv_tensor_has_shape (tensor, spec->n_dims, spec->shape))
    return true;
  for (uint32_t i = 0; i < spec->n_dims; i++)
    expected.shape[i] = spec->shape[i];
  g_autofree char *found_text = yv_tensor_shape_to_string (tensor);
  g_autofree char *expected_text = yv_tensor_shape_to_string (&expected);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: shape is %s, expected %s", name,
               found_text, expected_text);
  return false;
}

static bool
check_numbers (const char *name, const YvTensor *tensor, bool is_non_negative, GError **error)
{
  uint64_t index = 0;

  if (yv_scan_non_finite (tensor, &index))
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: element %" G_GUINT64_FORMAT " is %g, expected finite numbers; the training "
                 "diverged or the file is damaged",
                 name, index, yv_tensor_get (tensor, index));
  else if (is_non_negative && yv_scan_negative (tensor, &index))
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: element %" G_GUINT64_FORMAT " is %g, expected no negative variance", name,
                 index, yv_tensor_get (tensor, index));
  else
    return true;
  return false;
}

static bool
check_tensor (const YvModel *model, const YvModule *module, const YvTensorSpec *spec,
              GHashTable *used, GError **error)
{
  g_autofree char *name = g_strconcat (module->path, ".", spec->name, NULL);
  const YvTensor *tensor = g_hash_table_lookup (model->tensors, name);

  if (!tensor) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: no such tensor in the file", name);
    return false;
  }
  if (!check_dtype (name, tensor, error) || !check_shape (name, tensor, spec, error) ||
      !check_numbers (name, tensor, spec->is_non_negative, error))
    return false;
  if (used)
    g_hash_table_add (used, g_steal_pointer (&name));
  return true;
}

/* Anchors come in two shapes, and may be missing: only their number matters. */
static bool
check_anchors (const YvModel *model, const YvModule *head, const char *buffer, GHashTable *used,
               GError **error)
{
  g_autofree char *name = g_strconcat (head->path, ".", buffer, NULL);
  const YvTensor *tensor = g_hash_table_lookup (model->tensors, name);
  const double n_levels = yv_module_number (head, "nl", 0, 0);
  const double n_anchors = yv_module_number (head, "na", 0, 0);

  if (!tensor)
    return true;
  if ((double) yv_tensor_n_elems (tensor) != n_levels * n_anchors * 2) {
    g_autofree char *shape = yv_tensor_shape_to_string (tensor);
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: shape is %s, expected w and h of %g anchors on %g levels", name, shape,
                 n_anchors, n_levels);
    return false;
  }
  if (!check_dtype (name, tensor, error) || !check_numbers (name, tensor, true, error))
    return false;
  if (used)
    g_hash_table_add (used, g_steal_pointer (&name));
  return true;
}

static bool
check_module (const YvModel *model, const YvModule *module, GHashTable *used, GError **error)
{
  YvTensorSpec specs[YV_MAX_TENSOR_SPECS];
  const uint32_t n_specs = yv_module_tensor_specs (module, specs);

  for (uint32_t i = 0; i < n_specs; i++)
    if (!check_tensor (model, module, &specs[i], used, error))
      return false;
  if (yv_is_head_class (module->class_name) &&
      (!check_anchors (model, module, "anchors", used, error) ||
       !check_anchors (model, module, "anchor_grid", used, error)))
    return false;
  for (guint i = 0; i < module->children->len; i++)
    if (!check_module (model, g_ptr_array_index (module->children, i), used, error))
      return false;
  return true;
}

/* Before any element is read: a hostile file can describe more than it holds. */
static bool
check_size (const YvModel *model, GError **error)
{
  uint64_t n_params = 0;

  for (guint i = 0; i < model->layers->len && n_params <= YV_MAX_MODEL_PARAMS; i++) {
    const YvLayer *layer = g_ptr_array_index (model->layers, i);
    n_params += yv_layer_n_params (layer);
  }
  if (n_params <= YV_MAX_MODEL_PARAMS)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "the model has more than 2^31 parameters, which is not supported");
  return false;
}

bool
yv_check_tensors (const YvModel *model, GHashTable *used, GError **error)
{
  if (!check_size (model, error))
    return false;
  for (guint i = 0; i < model->layers->len; i++) {
    const YvLayer *layer = g_ptr_array_index (model->layers, i);
    if (!check_module (model, layer->module, used, error))
      return false;
  }
  return true;
}
