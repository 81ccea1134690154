/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/dict.c - named arrays of numbers that can be computed with. */
#include "tests/model/dict.h"

#include <string.h>

#include "engine/checkpoint/safetensors.h"

static void
array_free (gpointer data)
{
  Array *array = data;

  g_free (array->values);
  g_free (array);
}

GHashTable *
dict_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, array_free);
}

Array *
dict_add (GHashTable *dict, char *name, uint32_t n_dims, const uint64_t *shape)
{
  Array *array = g_new0 (Array, 1);

  array->n_dims = n_dims;
  array->n_elems = 1;
  for (uint32_t i = 0; i < n_dims; i++) {
    array->shape[i] = shape[i];
    array->n_elems *= shape[i];
  }
  array->values = g_new0 (double, array->n_elems);
  g_hash_table_replace (dict, name, array);
  return array;
}

Array *
dict_get (GHashTable *dict, const char *path, const char *name)
{
  g_autofree char *full = g_strconcat (path, ".", name, NULL);

  return g_hash_table_lookup (dict, full);
}

void
dict_remove (GHashTable *dict, const char *path)
{
  g_autofree char *prefix = g_strconcat (path, ".", NULL);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, dict);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (g_str_has_prefix (name, prefix))
      g_hash_table_iter_remove (&iter);
}

GHashTable *
dict_copy (GHashTable *dict)
{
  GHashTable *copy = dict_new ();
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, dict);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Array *array = value;
    Array *other = dict_add (copy, g_strdup (name), array->n_dims, array->shape);
    memcpy (other->values, array->values, array->n_elems * sizeof *array->values);
  }
  return copy;
}

void
dict_write (GHashTable *dict, bool as_trained, const char *path)
{
  g_autofree YvNamedTensor *tensors = g_new0 (YvNamedTensor, g_hash_table_size (dict));
  g_autoptr (GPtrArray) floats = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer name, value;
  uint32_t n = 0;

  g_hash_table_iter_init (&iter, dict);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Array *array = value;
    float *single = g_new (float, array->n_elems);
    uint64_t stride = 1;

    g_ptr_array_add (floats, single);
    for (uint64_t i = 0; i < array->n_elems; i++)
      single[i] = (float) array->values[i];
    YvTensor *tensor = &tensors[n].tensor;
    tensors[n++].name = name;
    *tensor = (YvTensor){
        .dtype = as_trained ? YV_DTYPE_F32 : YV_DTYPE_F64,
        .n_dims = array->n_dims,
        .data = as_trained ? (const uint8_t *) single : (const uint8_t *) array->values,
    };
    for (uint32_t d = array->n_dims; d-- > 0;) {
      tensor->shape[d] = array->shape[d];
      tensor->stride_elems[d] = stride;
      stride *= array->shape[d];
    }
  }
  yv_safetensors_write (path, tensors, n, &error);
  g_assert_no_error (error);
}
