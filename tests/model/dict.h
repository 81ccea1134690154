/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/dict.h - named arrays of numbers that can be computed with: a state dict in double.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  uint32_t n_dims;
  uint64_t shape[4];
  uint64_t n_elems;
  double *values;
} Array;

/* Name -> Array; free with g_hash_table_unref(). */
GHashTable *dict_new (void);
GHashTable *dict_copy (GHashTable *dict);

/* Zeros; in place of what had the name. Takes @name. Returns: (transfer none) */
Array *dict_add (GHashTable *dict, char *name, uint32_t n_dims, const uint64_t *shape);

/* "@path.@name"; NULL where there is none. */
Array *dict_get (GHashTable *dict, const char *path, const char *name);

/* All that is under @path. */
void dict_remove (GHashTable *dict, const char *path);

/* To a safetensors file: as f64, or where @as_trained as f32, which is what the values are then. */
void dict_write (GHashTable *dict, bool as_trained, const char *path);

G_END_DECLS
