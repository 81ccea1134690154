/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/fuzz-checkpoint.c - any bytes as a checkpoint: refused with an error, or every element
 * of every tensor can be read. */
#include <glib.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/error.h"
#include "tests/fuzz/fuzz.h"

/* Elements read of each tensor from either end; views are checked whole, so the ends tell. */
#define MAX_ELEMS_READ 64

static double
read_tensor (const YvTensor *tensor)
{
  const uint64_t n_elems = yv_tensor_n_elems (tensor);
  double sum = 0;

  for (uint64_t i = 0; i < MIN (n_elems, MAX_ELEMS_READ); i++)
    sum += yv_tensor_get (tensor, i) + yv_tensor_get (tensor, n_elems - 1 - i);
  return sum;
}

/* Adds what @object refers to. No recursion: a file may nest its values as deep as it is long. */
static void
queue_children (const YvObject *object, GPtrArray *queue)
{
  if (object->kind == YV_OBJECT_INSTANCE) {
    g_autofree char *path = yv_object_class_path (object);
    g_assert_nonnull (path);
    g_ptr_array_add (queue, (void *) object->instance.args);
    g_ptr_array_add (queue, (void *) object->instance.state);
    g_ptr_array_add (queue, (void *) object->instance.items);
  } else if (object->kind >= YV_OBJECT_LIST && object->kind <= YV_OBJECT_DICT) {
    for (uint32_t i = 0; i < object->sequence.n_items; i++)
      g_ptr_array_add (queue, object->sequence.items[i]);
  } else if (object->kind == YV_OBJECT_STRING) {
    g_assert_true (g_utf8_validate (object->string.text, (gssize) object->string.size_bytes, NULL));
  } else if (object->kind == YV_OBJECT_TENSOR) {
    read_tensor (&object->tensor);
  }
}

static void
walk (const YvObject *root)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) queue = g_ptr_array_new ();

  g_ptr_array_add (queue, (void *) root);
  while (queue->len > 0) {
    const YvObject *object = g_ptr_array_steal_index_fast (queue, queue->len - 1);
    if (object && g_hash_table_add (seen, (void *) object)) {
      yv_object_get (object, "model");
      queue_children (object, queue);
    }
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size_bytes)
{
  g_autoptr (GBytes) file = g_bytes_new (bytes, size_bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open_bytes (file, "fuzz", &error);

  g_assert_true ((checkpoint == NULL) == (error != NULL));
  if (checkpoint)
    walk (yv_checkpoint_root (checkpoint));
  else
    g_assert_true (error->domain == YV_ERROR && g_utf8_validate (error->message, -1, NULL));
  return 0;
}
