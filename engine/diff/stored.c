/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/stored.c - tensors of two files, as they are stored. */
#include "engine/diff/stored.h"

#include <string.h>

#include "engine/diff/align.h"
#include "engine/diff/measure.h"

/* The name that a tensor of A would have in B; NULL: its row has no partner. */
static char *
name_in_b (const YvPair *pair, const char *name)
{
  char *rest;

  if (!g_str_has_prefix (name, "model."))
    return NULL;
  const guint64 row = g_ascii_strtoull (name + strlen ("model."), &rest, 10);
  if (row >= pair->a.info->n_layers || pair->b_of_a[row] == YV_NO_ROW)
    return NULL;
  return g_strdup_printf ("model.%d%s", pair->b_of_a[row], rest);
}

static bool
is_same_shape (const YvTensor *a, const YvTensor *b)
{
  return yv_tensor_has_shape (a, b->n_dims, b->shape);
}

/* NULL of NULL. */
static const char *
shape_text (const YvTensor *tensor, GStringChunk *strings)
{
  g_autofree char *text = tensor ? yv_tensor_shape_to_string (tensor) : NULL;

  return text ? g_string_chunk_insert (strings, text) : NULL;
}

static YvTensorDiff
compare_tensors (const char *name, const YvTensor *a, const YvTensor *b, GStringChunk *strings)
{
  YvTensorDiff tensor = {.name = g_string_chunk_insert (strings, name)};
  YvMeasure measure = {0};

  tensor.shape_a = shape_text (a, strings);
  tensor.shape_b = shape_text (b, strings);
  if (a && b && is_same_shape (a, b))
    yv_measure_tensors (&measure, a, b);
  const bool is_one_type = !a || !b || a->dtype == b->dtype;
  tensor.difference = yv_measure_result (
      &measure, is_one_type ? 0 : MAX (yv_dtype_rounding (a->dtype), yv_dtype_rounding (b->dtype)));
  return tensor;
}

/* "model.2.x" before "model.10.x". */
static int
compare_names (gconstpointer a_pointer, gconstpointer b_pointer)
{
  const char *a = ((const YvTensorDiff *) a_pointer)->name;
  const char *b = ((const YvTensorDiff *) b_pointer)->name;
  const guint64 a_row = g_ascii_strtoull (a + strlen ("model."), NULL, 10);
  const guint64 b_row = g_ascii_strtoull (b + strlen ("model."), NULL, 10);

  if (a_row != b_row)
    return a_row < b_row ? -1 : 1;
  return strcmp (a, b);
}

void
yv_stored_compare (const YvPair *pair, GStringChunk *strings, GArray *tensors)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name, tensor;

  g_hash_table_iter_init (&iter, pair->a.tensors);
  while (g_hash_table_iter_next (&iter, &name, &tensor)) {
    g_autofree char *partner_name = name_in_b (pair, name);
    const YvTensor *partner =
        partner_name ? g_hash_table_lookup (pair->b.tensors, partner_name) : NULL;
    const YvTensorDiff result = compare_tensors (name, tensor, partner, strings);

    g_array_append_val (tensors, result);
    if (partner)
      g_hash_table_add (seen, g_steal_pointer (&partner_name));
  }
  g_hash_table_iter_init (&iter, pair->b.tensors);
  while (g_hash_table_iter_next (&iter, &name, &tensor))
    if (!g_hash_table_contains (seen, name)) {
      const YvTensorDiff result = compare_tensors (name, NULL, tensor, strings);
      g_array_append_val (tensors, result);
    }
  g_array_sort (tensors, compare_names);
}
