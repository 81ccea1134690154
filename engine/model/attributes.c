/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/attributes.c - one table row an attribute. */
#include "engine/model/attributes.h"

#include <string.h>

#include "common/excerpt.h"
#include "engine/error.h"
#include "engine/model/expand.h"

#define MAX_VALUES 8

static const struct {
  const char *class_name;
  const char *key;
} numbers[] = {
    {"Conv2d", "in_channels"},
    {"Conv2d", "out_channels"},
    {"Conv2d", "kernel_size"},
    {"Conv2d", "stride"},
    {"Conv2d", "padding"},
    {"Conv2d", "groups"},
    {"BatchNorm2d", "num_features"},
    {"BatchNorm2d", "eps"},
    {"LeakyReLU", "negative_slope"},
    {"MaxPool2d", "kernel_size"},
    {"MaxPool2d", "stride"},
    {"MaxPool2d", "padding"},
    {"Upsample", "scale_factor"},
    {"Concat", "d"},
    {"ImplicitA", "channel"},
    {"ImplicitM", "channel"},
    {"Bottleneck", "add"},
    {"Res", "add"},
    {"ResX", "add"},
};

/* Only these values are computed; an attribute that is absent has its default, which is one. */
static const struct {
  const char *class_name;
  const char *key;
  const char *text; /* or NULL and */
  double number;    /* of all elements; NAN: None */
} required[] = {
    {"Conv2d", "padding_mode", "zeros", 0},
    {"Conv2d", "transposed", NULL, 0},
    {"Conv2d", "dilation", NULL, 1},
    {"BatchNorm2d", "affine", NULL, 1},
    {"BatchNorm2d", "track_running_stats", NULL, 1},
    {"MaxPool2d", "dilation", NULL, 1},
    {"MaxPool2d", "ceil_mode", NULL, 0},
    {"Upsample", "mode", "nearest", 0},
};

static const char *const torch_classes[] = {"Conv2d",   "BatchNorm2d", "SyncBatchNorm", "MaxPool2d",
                                            "Upsample", "Sequential",  "ModuleList"};

/* Activations may be a trainer's own class: they are what their name says. */
static const char *const other_classes[] = {
    "SiLU", "Identity",  "ReLU",    "ReLU6",     "LeakyReLU",
    "Mish", "Hardswish", "Sigmoid", "ImplicitA", "ImplicitM",
};

static bool
is_in (const char *name, const char *const *list, gsize n_items)
{
  for (gsize i = 0; i < n_items; i++)
    if (g_str_equal (list[i], name))
      return true;
  return false;
}

bool
yv_is_known_class (const char *class_name, const char *class_path)
{
  if (is_in (class_name, torch_classes, G_N_ELEMENTS (torch_classes)))
    return g_str_has_prefix (class_path, "torch.nn.");
  return is_in (class_name, other_classes, G_N_ELEMENTS (other_classes)) ||
         yv_is_row_class (class_name);
}

static uint32_t
tensor_numbers (const YvTensor *tensor, double *values, uint32_t max_values)
{
  const uint64_t n_elems = yv_tensor_n_elems (tensor);

  if (n_elems > max_values)
    return 0;
  for (uint32_t i = 0; i < n_elems; i++)
    values[i] = yv_tensor_get (tensor, i);
  return (uint32_t) n_elems;
}

uint32_t
yv_object_numbers (const YvObject *object, double *values, uint32_t max_values)
{
  if (object && object->kind == YV_OBJECT_TENSOR)
    return tensor_numbers (&object->tensor, values, max_values);
  if (max_values > 0 && yv_object_get_number (object, values))
    return 1;
  if (!object || (object->kind != YV_OBJECT_TUPLE && object->kind != YV_OBJECT_LIST) ||
      object->sequence.n_items > max_values)
    return 0;
  for (uint32_t i = 0; i < object->sequence.n_items; i++)
    if (!yv_object_get_number (object->sequence.items[i], &values[i]))
      return 0;
  return object->sequence.n_items;
}

/* What stands in the file, short. */
static char *
describe (const YvObject *object)
{
  double values[MAX_VALUES];
  const char *text = yv_object_get_string (object);

  if (text)
    return yv_excerpt (text);
  if (yv_object_numbers (object, values, MAX_VALUES) > 0)
    return g_strdup_printf ("%g", values[0]);
  return g_strdup (object ? yv_object_kind_name (object) : "absent");
}

static bool
copy_number (const YvObject *instance, const char *key, YvModule *module, GError **error)
{
  double values[MAX_VALUES];
  const YvObject *object = yv_object_get (instance, key);
  const uint32_t n_values = yv_object_numbers (object, values, MAX_VALUES);

  if (n_values == 0) {
    const bool is_text = yv_object_get_string (object) != NULL;
    g_autofree char *found = describe (object);
    g_set_error (error, YV_ERROR, is_text ? YV_ERROR_UNSUPPORTED : YV_ERROR_MALFORMED,
                 "%s (%s): %s is %s, expected numbers", module->path, module->class_name, key,
                 found);
    return false;
  }
  yv_module_set_many (module, key, values, n_values);
  return true;
}

static bool
has_required_value (const YvObject *object, const char *text, double number)
{
  double values[MAX_VALUES];

  if (text)
    return g_strcmp0 (yv_object_get_string (object), text) == 0;

  const uint32_t n_values = yv_object_numbers (object, values, MAX_VALUES);
  for (uint32_t i = 0; i < n_values; i++)
    if (values[i] < number || values[i] > number)
      return false;
  return n_values > 0;
}

static bool
check_required (const YvObject *instance, guint row, const YvModule *module, GError **error)
{
  const YvObject *object = yv_object_get (instance, required[row].key);

  if (!object || has_required_value (object, required[row].text, required[row].number))
    return true;

  g_autofree char *number = g_strdup_printf ("%g", required[row].number);
  g_autofree char *found = describe (object);
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "%s (%s): %s %s is not supported, only %s is",
               module->path, module->class_name, required[row].key, found,
               required[row].text ? required[row].text : number);
  return false;
}

/* Whether a Conv2d has one is told by its tensors alone. */
static void
note_bias (const YvObject *instance, YvModule *module)
{
  const YvObject *parameters = yv_object_get (instance, "_parameters");
  const YvObject *bias = yv_object_get (parameters, "bias");

  yv_module_set (module, "bias", bias && bias->kind == YV_OBJECT_TENSOR);
}

bool
yv_read_attributes (const YvObject *instance, YvModule *module, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (yv_module_is (module, numbers[i].class_name) &&
        !copy_number (instance, numbers[i].key, module, error))
      return false;
  for (guint i = 0; i < G_N_ELEMENTS (required); i++)
    if (yv_module_is (module, required[i].class_name) &&
        !check_required (instance, i, module, error))
      return false;
  if (yv_module_is (module, "Conv2d"))
    note_bias (instance, module);
  if (yv_object_get (instance, "forward")) /* replaced by the fused one before it was saved */
    yv_module_set (module, "fused", 1);
  return true;
}
