/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/pool.c - where the values of a checkpoint are made, and die together. */
#include "engine/checkpoint/pool.h"

#include <string.h>

#include "engine/align.h"
#include "engine/error.h"

#define BLOCK_BYTES ((size_t) 64 * 1024)
#define ALIGN_BYTES ((size_t) 8)
#define LARGE_BYTES (BLOCK_BYTES / 8)

/* Up to the end of the member that a kind uses: a file of a million empty lists should not cost a
 * tensor's size each. */
#define END_OF(member) (offsetof (YvObject, member) + sizeof ((YvObject *) 0)->member)
static const size_t object_sizes[] = {
    [YV_OBJECT_NONE] = END_OF (boolean),      [YV_OBJECT_BOOL] = END_OF (boolean),
    [YV_OBJECT_INT] = END_OF (integer),       [YV_OBJECT_FLOAT] = END_OF (real),
    [YV_OBJECT_STRING] = END_OF (string),     [YV_OBJECT_BYTES] = END_OF (string),
    [YV_OBJECT_LIST] = END_OF (sequence),     [YV_OBJECT_TUPLE] = END_OF (sequence),
    [YV_OBJECT_SET] = END_OF (sequence),      [YV_OBJECT_DICT] = END_OF (sequence),
    [YV_OBJECT_TENSOR] = END_OF (tensor),     [YV_OBJECT_CLASS] = END_OF (class_name),
    [YV_OBJECT_INSTANCE] = END_OF (instance),
};
#undef END_OF

struct _YvPool {
  GPtrArray *blocks; /* each g_malloc0ed */
  char *free;        /* borrowed: the unused tail of a block */
  size_t free_bytes;
  size_t size_bytes;    /* of all blocks */
  size_t refused_bytes; /* what the host had no memory for, or 0 */
  bool is_full;         /* something did not fit under YV_POOL_MAX_BYTES */
};

YvPool *
yv_pool_new (void)
{
  YvPool *pool = g_new0 (YvPool, 1);

  pool->blocks = g_ptr_array_new_with_free_func (g_free);
  return pool;
}

void
yv_pool_free (YvPool *pool)
{
  if (!pool)
    return;
  g_ptr_array_unref (pool->blocks);
  g_free (pool);
}

static char *
add_block (YvPool *pool, char *block, size_t size_bytes)
{
  g_ptr_array_add (pool->blocks, block);
  pool->size_bytes += size_bytes;
  return block;
}

void *
yv_pool_alloc (YvPool *pool, size_t size_bytes)
{
  const size_t rounded = yv_round_up (size_bytes, ALIGN_BYTES);

  g_assert (rounded >= size_bytes);
  /* A large value gets a block of its own, so that the tail of the current one is not wasted. */
  if (rounded > LARGE_BYTES)
    return add_block (pool, g_malloc0 (rounded), rounded);
  if (rounded > pool->free_bytes) {
    pool->free = add_block (pool, g_malloc0 (BLOCK_BYTES), BLOCK_BYTES);
    pool->free_bytes = BLOCK_BYTES;
  }

  void *value = pool->free;
  pool->free += rounded;
  pool->free_bytes -= rounded;
  return value;
}

void *
yv_pool_try_alloc (YvPool *pool, size_t size_bytes)
{
  if (pool->is_full || pool->refused_bytes)
    return NULL;
  if (size_bytes > YV_POOL_MAX_BYTES || pool->size_bytes > YV_POOL_MAX_BYTES - size_bytes) {
    pool->is_full = true;
    return NULL;
  }
  if (size_bytes <= LARGE_BYTES)
    return yv_pool_alloc (pool, size_bytes);

  char *block = g_try_malloc0 (size_bytes);
  if (!block) {
    pool->refused_bytes = size_bytes;
    return NULL;
  }
  return add_block (pool, block, size_bytes);
}

bool
yv_pool_check (const YvPool *pool, GError **error)
{
  if (pool->refused_bytes) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY,
                 "the host has no %" G_GSIZE_FORMAT " bytes left for the values of the file",
                 pool->refused_bytes);
    return false;
  }
  if (pool->is_full || pool->size_bytes > YV_POOL_MAX_BYTES) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "the values of the file take more than %" G_GSIZE_FORMAT
                 " MiB without its tensors: it was made to exhaust memory",
                 YV_POOL_MAX_BYTES >> 20);
    return false;
  }
  return true;
}

/* NULL where there is no room. */
static char *
try_copy_text (YvPool *pool, const void *text, size_t size_bytes)
{
  char *copy = yv_pool_try_alloc (pool, size_bytes + 1);

  if (copy && size_bytes)
    memcpy (copy, text, size_bytes);
  return copy;
}

char *
yv_pool_copy_text (YvPool *pool, const void *text, size_t size_bytes)
{
  char *copy = yv_pool_alloc (pool, size_bytes + 1);

  if (size_bytes)
    memcpy (copy, text, size_bytes);
  return copy;
}

size_t
yv_pool_size_bytes (const YvPool *pool)
{
  return pool->size_bytes;
}

YvObject *
yv_pool_object (YvPool *pool, YvObjectKind kind)
{
  YvObject *object = yv_pool_alloc (pool, object_sizes[kind]);

  object->kind = kind;
  return object;
}

YvObject *
yv_pool_int (YvPool *pool, int64_t value)
{
  YvObject *object = yv_pool_object (pool, YV_OBJECT_INT);

  object->integer = value;
  return object;
}

YvObject *
yv_pool_float (YvPool *pool, double value)
{
  YvObject *object = yv_pool_object (pool, YV_OBJECT_FLOAT);

  object->real = value;
  return object;
}

static YvObject *
make_text (YvPool *pool, YvObjectKind kind, const void *text, size_t size_bytes)
{
  YvObject *object = yv_pool_object (pool, kind);
  const char *copy = try_copy_text (pool, text, size_bytes);

  object->string.text = copy ? copy : "";
  object->string.size_bytes = copy ? size_bytes : 0;
  return object;
}

YvObject *
yv_pool_bytes (YvPool *pool, const void *bytes, size_t size_bytes)
{
  return make_text (pool, YV_OBJECT_BYTES, bytes, size_bytes);
}

YvObject *
yv_pool_string (YvPool *pool, const void *text, size_t size_bytes)
{
  const bool is_text = size_bytes == 0 || g_utf8_validate (text, (gssize) size_bytes, NULL);

  return make_text (pool, is_text ? YV_OBJECT_STRING : YV_OBJECT_BYTES, text, size_bytes);
}

YvObject *
yv_pool_class (YvPool *pool, const char *module, const char *name)
{
  YvObject *object = yv_pool_object (pool, YV_OBJECT_CLASS);

  object->class_name.module = yv_pool_copy_text (pool, module, strlen (module));
  object->class_name.name = yv_pool_copy_text (pool, name, strlen (name));
  return object;
}

void
yv_pool_append (YvPool *pool, YvObject *sequence, YvObject *item)
{
  const uint32_t n_items = sequence->sequence.n_items;

  if (n_items == sequence->sequence.n_reserved) {
    const uint32_t n_reserved = n_items ? 2 * n_items : 2;
    YvObject **items = yv_pool_try_alloc (pool, n_reserved * sizeof *items);

    if (!items)
      return;
    if (n_items)
      memcpy (items, sequence->sequence.items, n_items * sizeof *items);
    sequence->sequence.items = items;
    sequence->sequence.n_reserved = n_reserved;
  }
  sequence->sequence.items[sequence->sequence.n_items++] = item;
}
