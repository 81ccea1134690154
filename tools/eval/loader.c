/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/loader.c - two batches: one in use, one being filled by a pool of threads.
 */
#include "tools/eval/loader.h"

#include "tools/eval/batches.h"

/* One batch's memory; used by every second batch. */
typedef struct {
  Picture *pictures;
  GError *error; /* of the first picture that failed */
  uint32_t n, n_pending;
} Half;

struct _Loader {
  const Dataset *dataset; /* borrowed */
  const uint32_t *order;
  const GArray *batches;
  uint32_t size;
  uint32_t next; /* index of the batch that loader_next() gives */

  GThreadPool *pool;
  GMutex mutex; /* of what the halves hold but for the pictures themselves */
  GCond picture_done;
  Half halves[2];
};

/* What a thread is given: a place in the order, and one added because NULL is no task. */
static void
load_picture (gpointer task, gpointer data)
{
  Loader *loader = data;
  const uint32_t place = GPOINTER_TO_UINT (task) - 1;
  const uint32_t n_batch = g_array_index (loader->batches, Batch, 0).n;
  Half *half = &loader->halves[place / n_batch % 2];
  const DatasetImage *image = g_ptr_array_index (loader->dataset->images, loader->order[place]);
  GError *error = NULL;

  picture_load (&half->pictures[place % n_batch], image->path, loader->size, &error);

  g_mutex_lock (&loader->mutex);
  if (half->error)
    g_clear_error (&error);
  else
    half->error = error;
  half->n_pending--;
  g_cond_signal (&loader->picture_done);
  g_mutex_unlock (&loader->mutex);
}

static void
empty (Half *half)
{
  for (uint32_t i = 0; i < half->n; i++)
    picture_clear (&half->pictures[i]);
  g_clear_error (&half->error);
  half->n = 0;
}

static void
start (Loader *loader, uint32_t index)
{
  if (index >= loader->batches->len)
    return;
  const Batch *batch = &g_array_index (loader->batches, Batch, index);
  Half *half = &loader->halves[index % 2];

  empty (half);
  half->n = half->n_pending = batch->n;
  for (uint32_t i = 0; i < batch->n; i++)
    g_thread_pool_push (loader->pool, GUINT_TO_POINTER (batch->first + i + 1), NULL);
}

Loader *
loader_new (const Dataset *dataset, const uint32_t *order, const GArray *batches, uint32_t size)
{
  const uint32_t n_batch = g_array_index (batches, Batch, 0).n; /* no other is larger */
  Loader *loader = g_new0 (Loader, 1);

  loader->dataset = dataset;
  loader->order = order;
  loader->batches = batches;
  loader->size = size;
  g_mutex_init (&loader->mutex);
  g_cond_init (&loader->picture_done);
  for (uint32_t i = 0; i < 2; i++)
    loader->halves[i].pictures = g_new0 (Picture, n_batch);
  loader->pool =
      g_thread_pool_new (load_picture, loader, (gint) g_get_num_processors (), FALSE, NULL);
  start (loader, 0);
  return loader;
}

void
loader_free (Loader *loader)
{
  if (!loader)
    return;
  g_thread_pool_free (loader->pool, TRUE, TRUE); /* what waits is dropped, what runs is awaited */
  for (uint32_t i = 0; i < 2; i++) {
    empty (&loader->halves[i]);
    g_free (loader->halves[i].pictures);
  }
  g_cond_clear (&loader->picture_done);
  g_mutex_clear (&loader->mutex);
  g_free (loader);
}

const Picture *
loader_next (Loader *loader, GError **error)
{
  Half *half = &loader->halves[loader->next % 2];

  g_assert (loader->next < loader->batches->len);
  g_mutex_lock (&loader->mutex);
  while (half->n_pending > 0)
    g_cond_wait (&loader->picture_done, &loader->mutex);
  g_mutex_unlock (&loader->mutex);
  if (half->error) {
    g_propagate_error (error, g_steal_pointer (&half->error));
    return NULL;
  }
  start (loader, ++loader->next);
  return half->pictures;
}
