/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/objects.c - builders of inert values. */
#include "tests/common/objects.h"

#include <math.h>
#include <string.h>

struct _YvTestObjects {
  GPtrArray *all; /* of YvObject * */
};

static void
free_object (gpointer object_pointer)
{
  YvObject *object = object_pointer;

  if (object->kind == YV_OBJECT_DICT || object->kind == YV_OBJECT_TUPLE)
    g_free (object->sequence.items);
  if (object->kind == YV_OBJECT_TENSOR)
    g_free ((gpointer) object->tensor.data);
  g_free (object);
}

YvTestObjects *
yv_test_objects_new (void)
{
  YvTestObjects *objects = g_new0 (YvTestObjects, 1);

  objects->all = g_ptr_array_new_with_free_func (free_object);
  return objects;
}

void
yv_test_objects_free (YvTestObjects *objects)
{
  g_ptr_array_unref (objects->all);
  g_free (objects);
}

static YvObject *
new_object (YvTestObjects *objects, YvObjectKind kind)
{
  YvObject *object = g_new0 (YvObject, 1);

  object->kind = kind;
  g_ptr_array_add (objects->all, object);
  return object;
}

YvObject *
yv_test_none (YvTestObjects *objects)
{
  return new_object (objects, YV_OBJECT_NONE);
}

YvObject *
yv_test_bool (YvTestObjects *objects, bool value)
{
  YvObject *object = new_object (objects, YV_OBJECT_BOOL);

  object->boolean = value;
  return object;
}

YvObject *
yv_test_number (YvTestObjects *objects, double value)
{
  const bool is_whole = value == floor (value) && fabs (value) < 1e15;
  YvObject *object = new_object (objects, is_whole ? YV_OBJECT_INT : YV_OBJECT_FLOAT);

  if (is_whole)
    object->integer = (int64_t) value;
  else
    object->real = value;
  return object;
}

YvObject *
yv_test_text (YvTestObjects *objects, const char *text)
{
  YvObject *object = new_object (objects, YV_OBJECT_STRING);

  object->string.text = text;
  object->string.size_bytes = strlen (text);
  return object;
}

YvObject *
yv_test_tuple (YvTestObjects *objects, const double *values, uint32_t n_values)
{
  YvObject *object = new_object (objects, YV_OBJECT_TUPLE);

  object->sequence.items = g_new (YvObject *, n_values);
  object->sequence.n_items = n_values;
  for (uint32_t i = 0; i < n_values; i++)
    object->sequence.items[i] = yv_test_number (objects, values[i]);
  return object;
}

YvObject *
yv_test_dict (YvTestObjects *objects)
{
  return new_object (objects, YV_OBJECT_DICT);
}

YvObject *
yv_test_tensor (YvTestObjects *objects, double value, uint32_t n_dims, const uint64_t *shape)
{
  YvObject *object = new_object (objects, YV_OBJECT_TENSOR);
  uint64_t n_elems = 1;

  object->tensor.dtype = YV_DTYPE_F32;
  object->tensor.n_dims = n_dims;
  for (uint32_t i = n_dims; i-- > 0;) {
    object->tensor.shape[i] = shape[i];
    object->tensor.stride_elems[i] = n_elems;
    n_elems *= shape[i];
  }
  float *data = g_new (float, n_elems);
  for (uint64_t i = 0; i < n_elems; i++)
    data[i] = (float) value;
  object->tensor.data = (const uint8_t *) data;
  return object;
}

static void
remove_key (YvObject *dict, const char *key)
{
  for (uint32_t i = 0; i < dict->sequence.n_items; i += 2) {
    if (g_strcmp0 (yv_object_get_string (dict->sequence.items[i]), key) != 0)
      continue;
    memmove (&dict->sequence.items[i], &dict->sequence.items[i + 2],
             (dict->sequence.n_items - i - 2) * sizeof (YvObject *));
    dict->sequence.n_items -= 2;
    return;
  }
}

YvObject *
yv_test_set (YvTestObjects *objects, YvObject *object, const char *key, YvObject *value)
{
  YvObject *dict =
      object->kind == YV_OBJECT_INSTANCE ? (YvObject *) object->instance.state : object;

  if (value)
    for (uint32_t i = 0; i < dict->sequence.n_items; i += 2)
      if (g_strcmp0 (yv_object_get_string (dict->sequence.items[i]), key) == 0)
        return dict->sequence.items[i + 1] = value;
  if (!value) {
    remove_key (dict, key);
    return NULL;
  }

  const uint32_t n_items = dict->sequence.n_items;
  dict->sequence.items = g_renew (YvObject *, dict->sequence.items, n_items + 2);
  dict->sequence.items[n_items] = yv_test_text (objects, key);
  dict->sequence.items[n_items + 1] = value;
  dict->sequence.n_items += 2;
  return value;
}

YvObject *
yv_test_module (YvTestObjects *objects, const char *module, const char *name)
{
  YvObject *class_name = new_object (objects, YV_OBJECT_CLASS);
  YvObject *instance = new_object (objects, YV_OBJECT_INSTANCE);

  class_name->class_name.module = module;
  class_name->class_name.name = name;
  instance->instance.class_name = class_name;
  instance->instance.state = yv_test_dict (objects);
  yv_test_set (objects, instance, "_parameters", yv_test_dict (objects));
  yv_test_set (objects, instance, "_buffers", yv_test_dict (objects));
  yv_test_set (objects, instance, "_modules", yv_test_dict (objects));
  return instance;
}

static YvObject *
part_of (YvObject *module, const char *part)
{
  return (YvObject *) yv_object_get (module, part);
}

YvObject *
yv_test_add_module (YvTestObjects *objects, YvObject *parent, const char *name, YvObject *child)
{
  return yv_test_set (objects, part_of (parent, "_modules"), name, child);
}

void
yv_test_add_parameter (YvTestObjects *objects, YvObject *module, const char *name, YvObject *tensor)
{
  yv_test_set (objects, part_of (module, "_parameters"), name, tensor);
}

void
yv_test_add_buffer (YvTestObjects *objects, YvObject *module, const char *name, YvObject *tensor)
{
  yv_test_set (objects, part_of (module, "_buffers"), name, tensor);
}

YvObject *
yv_test_find (YvObject *root, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, ".", -1);

  for (guint i = 0; names[i]; i++)
    if (root && names[i][0] != '\0')
      root = part_of (part_of (root, "_modules"), names[i]);
  return root;
}

static void
set_pair (YvTestObjects *objects, YvObject *module, const char *key, double value)
{
  yv_test_set (objects, module, key, yv_test_tuple (objects, (const double[]){value, value}, 2));
}

YvObject *
yv_test_conv2d (YvTestObjects *objects, uint32_t c1, uint32_t c2, uint32_t kernel, uint32_t stride,
                bool has_bias)
{
  YvObject *module = yv_test_module (objects, "torch.nn.modules.conv", "Conv2d");

  yv_test_set (objects, module, "in_channels", yv_test_number (objects, c1));
  yv_test_set (objects, module, "out_channels", yv_test_number (objects, c2));
  set_pair (objects, module, "kernel_size", kernel);
  set_pair (objects, module, "stride", stride);
  set_pair (objects, module, "padding", kernel / 2);
  set_pair (objects, module, "dilation", 1);
  yv_test_set (objects, module, "transposed", yv_test_bool (objects, false));
  yv_test_set (objects, module, "groups", yv_test_number (objects, 1));
  yv_test_set (objects, module, "padding_mode", yv_test_text (objects, "zeros"));
  yv_test_add_parameter (objects, module, "weight",
                         yv_test_tensor_of (objects, 0.5, c2, c1, kernel, kernel));
  yv_test_add_parameter (objects, module, "bias",
                         has_bias ? yv_test_tensor_of (objects, 0.1, c2) : yv_test_none (objects));
  return module;
}

YvObject *
yv_test_batchnorm (YvTestObjects *objects, uint32_t channels)
{
  YvObject *module = yv_test_module (objects, "torch.nn.modules.batchnorm", "BatchNorm2d");

  yv_test_set (objects, module, "num_features", yv_test_number (objects, channels));
  yv_test_set (objects, module, "eps", yv_test_number (objects, 0.001));
  yv_test_add_parameter (objects, module, "weight", yv_test_tensor_of (objects, 1, channels));
  yv_test_add_parameter (objects, module, "bias", yv_test_tensor_of (objects, 0, channels));
  yv_test_add_buffer (objects, module, "running_mean", yv_test_tensor_of (objects, 0, channels));
  yv_test_add_buffer (objects, module, "running_var", yv_test_tensor_of (objects, 1, channels));
  return module;
}

YvObject *
yv_test_conv (YvTestObjects *objects, uint32_t c1, uint32_t c2, uint32_t kernel, uint32_t stride)
{
  YvObject *module = yv_test_module (objects, "models.common", "Conv");
  YvObject *conv = yv_test_conv2d (objects, c1, c2, kernel, stride, false);

  yv_test_add_module (objects, module, "conv", conv);
  yv_test_add_module (objects, module, "bn", yv_test_batchnorm (objects, c2));
  yv_test_add_module (objects, module, "act",
                      yv_test_module (objects, "torch.nn.modules.activation", "SiLU"));
  return module;
}

static YvObject *
add_row (YvTestObjects *objects, YvObject *rows, const char *row, double from, YvObject *module)
{
  yv_test_set (objects, module, "i", yv_test_number (objects, g_ascii_strtod (row, NULL)));
  yv_test_set (objects, module, "f", yv_test_number (objects, from));
  return yv_test_add_module (objects, rows, row, module);
}

static YvObject *
new_pool_row (YvTestObjects *objects)
{
  YvObject *row = yv_test_module (objects, "models.common", "MP");
  YvObject *pool = yv_test_module (objects, "torch.nn.modules.pooling", "MaxPool2d");

  yv_test_set (objects, pool, "kernel_size", yv_test_number (objects, 2));
  yv_test_set (objects, pool, "stride", yv_test_number (objects, 2));
  yv_test_set (objects, pool, "padding", yv_test_number (objects, 0));
  yv_test_add_module (objects, row, "m", pool);
  return row;
}

static void
add_implicit (YvTestObjects *objects, YvObject *head, const char *name, const char *class_name,
              uint32_t channels)
{
  YvObject *list = yv_test_module (objects, "torch.nn.modules.container", "ModuleList");
  YvObject *implicit = yv_test_module (objects, "models.common", class_name);

  yv_test_set (objects, implicit, "channel", yv_test_number (objects, channels));
  yv_test_add_parameter (objects, implicit, "implicit",
                         yv_test_tensor_of (objects, 0.25, 1, channels, 1, 1));
  yv_test_add_module (objects, list, "0", implicit);
  yv_test_add_module (objects, head, name, list);
}

static YvObject *
new_head (YvTestObjects *objects)
{
  YvObject *head = yv_test_module (objects, "models.yolo", "IDetect");
  YvObject *convs = yv_test_module (objects, "torch.nn.modules.container", "ModuleList");

  yv_test_set (objects, head, "nc", yv_test_number (objects, 2));
  yv_test_set (objects, head, "no", yv_test_number (objects, 7));
  yv_test_set (objects, head, "nl", yv_test_number (objects, 1));
  yv_test_set (objects, head, "na", yv_test_number (objects, 1));
  yv_test_set (objects, head, "stride", yv_test_tensor_of (objects, 4, 1));
  yv_test_add_buffer (objects, head, "anchors", yv_test_tensor_of (objects, 2.5, 1, 1, 2));
  yv_test_add_buffer (objects, head, "anchor_grid",
                      yv_test_tensor_of (objects, 10, 1, 1, 1, 1, 1, 2));
  yv_test_add_module (objects, convs, "0", yv_test_conv2d (objects, 16, 7, 1, 1, true));
  yv_test_add_module (objects, head, "m", convs);
  add_implicit (objects, head, "ia", "ImplicitA", 16);
  add_implicit (objects, head, "im", "ImplicitM", 7);
  return head;
}

YvObject *
yv_test_model (YvTestObjects *objects)
{
  YvObject *model = yv_test_module (objects, "models.yolo", "Model");
  YvObject *rows = yv_test_module (objects, "torch.nn.modules.container", "Sequential");
  YvObject *concat = yv_test_module (objects, "models.common", "Concat");

  yv_test_add_module (objects, model, "model", rows);
  add_row (objects, rows, "0", -1, yv_test_conv (objects, 3, 8, 3, 2));
  add_row (objects, rows, "1", -1, new_pool_row (objects));
  add_row (objects, rows, "2", -1, yv_test_conv (objects, 8, 8, 1, 1));
  add_row (objects, rows, "3", -1, concat);
  yv_test_set (objects, concat, "d", yv_test_number (objects, 1));
  yv_test_set (objects, concat, "f", yv_test_tuple (objects, (const double[]){-1, -2}, 2));
  add_row (objects, rows, "4", 3, new_head (objects));
  return model;
}
