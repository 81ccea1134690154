/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/weights.c - packs weights into blocks of device memory.
 *
 * No folded or packed copy of a model is ever held beside the one on the device: where the host
 * reaches that memory a weight is packed in place, else through a staging buffer of 16 MiB (or of
 * the largest single weight). */
#include "engine/vulkan/weights.h"

#include <string.h>

#include "engine/align.h"
#include "engine/plan/pack.h"
#include "engine/vulkan/device.h"

#define STAGING_BYTES (UINT64_C (16) << 20)
#define MAX_THREADS 8                      /* each has some MiB of scratch */
#define BLOCK_BYTES (UINT64_C (256) << 20) /* far below what any device allocates at once */

/* One packed weight, keyed by what it was made of and how. */
typedef struct {
  const void *source;
  YvPack pack;
  YvDType dtype;
  const YvStep *step; /* borrowed: valid only while it is packed */
  YvPlace place;
} Entry;

struct _YvWeightStore {
  YvDevice *device;    /* a reference */
  GMutex lock;         /* protects what follows */
  GPtrArray *blocks;   /* of YvBuffer */
  GHashTable *entries; /* set of owned Entry */
  uint64_t size_bytes;
};

static guint
hash_entry (gconstpointer key)
{
  const Entry *entry = key;

  return g_direct_hash (entry->source) * 31 + (guint) entry->pack * 7 + (guint) entry->dtype;
}

static gboolean
entries_equal (gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;

  return x->source == y->source && x->pack == y->pack && x->dtype == y->dtype;
}

static Entry
entry_of_step (const YvStep *step)
{
  return (Entry){.source = step->weight_source,
                 .pack = step->pack,
                 .dtype = step->dtype,
                 .step = step,
                 .place = {.size_bytes = yv_pack_size_bytes (step)}};
}

YvWeightStore *
yv_weight_store_new (YvDevice *device)
{
  YvWeightStore *store = g_new0 (YvWeightStore, 1);

  store->device = yv_device_ref (device);
  g_mutex_init (&store->lock);
  store->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) yv_buffer_free);
  store->entries = g_hash_table_new_full (hash_entry, entries_equal, g_free, NULL);
  return store;
}

void
yv_weight_store_free (YvWeightStore *store)
{
  if (!store)
    return;

  g_hash_table_unref (store->entries);
  g_ptr_array_unref (store->blocks);
  g_mutex_clear (&store->lock);
  yv_device_unref (store->device);
  g_free (store);
}

uint64_t
yv_weight_store_size_bytes (const YvWeightStore *store)
{
  YvWeightStore *locked = (YvWeightStore *) store; /* its lock is no part of its value */

  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&locked->lock);
  return store->size_bytes;
}

/* The plan's weights that the store lacks, each once. */
static GArray *
find_missing_locked (YvWeightStore *store, const YvPlan *plan)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (hash_entry, entries_equal);
  GArray *missing = g_array_sized_new (FALSE, FALSE, sizeof (Entry), plan->steps->len);

  for (guint i = 0; i < plan->steps->len; i++) {
    const Entry entry = entry_of_step (&g_array_index (plan->steps, YvStep, i));
    if (!entry.source || g_hash_table_contains (store->entries, &entry) ||
        g_hash_table_contains (seen, &entry))
      continue;
    g_array_append_val (missing, entry); /* never moves: sized for all steps */
    g_hash_table_add (seen, &g_array_index (missing, Entry, missing->len - 1));
  }
  return missing;
}

/* Gives entries from @first on their offsets in one block, as many as fit. Returns how many, and
 * the block's size. */
static guint
lay_out_block (GArray *entries, guint first, uint64_t align, uint64_t *size_bytes)
{
  uint64_t end = 0;
  guint n = 0;

  for (; first + n < entries->len; n++) {
    Entry *entry = &g_array_index (entries, Entry, first + n);
    const uint64_t offset = yv_round_up (end, align);
    if (n > 0 && offset + entry->place.size_bytes > BLOCK_BYTES)
      break;
    entry->place.offset_bytes = offset;
    end = offset + entry->place.size_bytes;
  }
  *size_bytes = end;
  return n;
}

/* Entries that threads take one after the other. */
typedef struct {
  const Entry *entries;
  gint n, next; /* next is atomic */
  uint8_t *dst; /* where the first goes */
} Packing;

static void *
pack_some (void *data)
{
  Packing *packing = data;

  for (gint i = g_atomic_int_add (&packing->next, 1); i < packing->n;
       i = g_atomic_int_add (&packing->next, 1)) {
    const Entry *entry = &packing->entries[i];
    const uint64_t offset = entry->place.offset_bytes - packing->entries[0].place.offset_bytes;

    yv_pack_weight (entry->step, packing->dst + offset);
  }
  return NULL;
}

/* Packs entries that lie one after the other. In this thread and others, as many as there are:
 * where none can be had it goes on alone. */
static void
pack_all (const Entry *entries, guint n, uint8_t *dst)
{
  Packing packing = {.entries = entries, .n = (gint) n, .dst = dst};
  const guint n_threads = MIN (MIN (g_get_num_processors (), MAX_THREADS), n);
  GThread *others[MAX_THREADS] = {0};

  for (guint i = 1; i < n_threads; i++)
    others[i] = g_thread_try_new ("pack", pack_some, &packing, NULL);
  pack_some (&packing);
  for (guint i = 1; i < n_threads; i++)
    if (others[i])
      g_thread_join (others[i]);
}

static uint64_t
end_bytes (const Entry *entry)
{
  return entry->place.offset_bytes + entry->place.size_bytes;
}

/* Entries lie one after the other in the block; a run of them that fits into the staging buffer
 * goes over in one copy, gaps included. */
static bool
pack_through (const YvBuffer *staging, const YvBuffer *block, const Entry *entries, guint n,
              GError **error)
{
  for (guint first = 0; first < n;) {
    const uint64_t start = entries[first].place.offset_bytes;
    guint last = first;
    while (last + 1 < n && end_bytes (&entries[last + 1]) - start <= staging->size_bytes)
      last++;

    pack_all (&entries[first], last - first + 1, staging->mapped);
    if (!yv_buffer_copy (staging, 0, block, start, end_bytes (&entries[last]) - start, error))
      return false;
    first = last + 1;
  }
  return true;
}

static bool
pack_staged (const YvBuffer *block, const Entry *entries, guint n, GError **error)
{
  uint64_t size_bytes = MIN (STAGING_BYTES, block->size_bytes);

  for (guint i = 0; i < n; i++)
    size_bytes = MAX (size_bytes, entries[i].place.size_bytes);
  g_autoptr (YvBuffer) staging =
      yv_buffer_new (block->device, YV_BUFFER_UPLOAD, size_bytes, "weight staging", error);
  return staging && pack_through (staging, block, entries, n, error);
}

static void
keep_block_locked (YvWeightStore *store, YvBuffer *block, Entry *entries, guint n)
{
  for (guint i = 0; i < n; i++) {
    entries[i].place.buffer = block;
    Entry *kept = g_memdup2 (&entries[i], sizeof *entries);
    kept->step = NULL;
    g_hash_table_add (store->entries, kept);
  }
  store->size_bytes += block->size_bytes;
  g_ptr_array_add (store->blocks, block);
}

bool
yv_weight_store_fill (YvWeightStore *store, const YvPlan *plan, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  g_autoptr (GArray) missing = find_missing_locked (store, plan);

  for (guint first = 0; first < missing->len;) {
    uint64_t size_bytes = 0;
    Entry *entries = &g_array_index (missing, Entry, first);
    const guint n = lay_out_block (missing, first, store->device->caps.align_bytes, &size_bytes);
    g_autoptr (YvBuffer) block =
        yv_buffer_new (store->device, YV_BUFFER_LOCAL, size_bytes, "weights", error);
    if (!block)
      return false;

    if (block->mapped)
      pack_all (entries, n, block->mapped);
    else if (!pack_staged (block, entries, n, error))
      return false;
    keep_block_locked (store, g_steal_pointer (&block), entries, n);
    first += n;
  }
  return true;
}

YvPlace
yv_weight_store_find (YvWeightStore *store, const YvStep *step)
{
  const Entry key = entry_of_step (step);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  const Entry *entry = g_hash_table_lookup (store->entries, &key);

  g_assert (entry); /* the plan was filled */
  return entry->place;
}
