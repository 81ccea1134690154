/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/pool.h - where the values of a checkpoint are made, and die together.
 *
 * The values read from a checkpoint share and may contain each other, so nobody owns a single one;
 * the pool owns all. Not thread safe: a pool is filled by one reader, then only read.
 */
#pragma once

#include <glib.h>
#include <stddef.h>

#include "engine/checkpoint/object.h"

G_BEGIN_DECLS

/* What a file's values may take. Those of real checkpoints take a few MB. */
#define YV_POOL_MAX_BYTES ((size_t) 256 << 20)

typedef struct _YvPool YvPool;

YvPool *yv_pool_new (void);
void yv_pool_free (YvPool *pool); /* NULL ok; frees all that was allocated from it */

/* Zeroed and aligned for any scalar type. Never NULL, so for sizes that no file chooses. */
void *yv_pool_alloc (YvPool *pool, size_t size_bytes);

/* The same for a size that a file does choose: NULL beyond YV_POOL_MAX_BYTES or where the host has
 * no memory, from when on yv_pool_check() fails. */
void *yv_pool_try_alloc (YvPool *pool, size_t size_bytes);

/* A reader calls this after each step, and gives up where it fails: texts and sequences made since
 * may be cut short. YV_ERROR_MALFORMED beyond the limit, else YV_ERROR_OUT_OF_MEMORY. */
bool yv_pool_check (const YvPool *pool, GError **error);

/* A copy of @size_bytes bytes with a NUL behind it. */
char *yv_pool_copy_text (YvPool *pool, const void *text, size_t size_bytes);

/* All that was ever allocated, so that a reader can bound it. */
size_t yv_pool_size_bytes (const YvPool *pool);

/* An empty value of @kind, no larger than this kind needs: never copy a YvObject by value. */
YvObject *yv_pool_object (YvPool *pool, YvObjectKind kind);

YvObject *yv_pool_int (YvPool *pool, int64_t value);
YvObject *yv_pool_float (YvPool *pool, double value);
YvObject *yv_pool_bytes (YvPool *pool, const void *bytes, size_t size_bytes);

/* A STRING, or BYTES where the text is not UTF-8 or holds a NUL, as Python's str may. */
YvObject *yv_pool_string (YvPool *pool, const void *text, size_t size_bytes);

YvObject *yv_pool_class (YvPool *pool, const char *module, const char *name);

/* Adds to a LIST, TUPLE, SET or, key and value in turn, to a DICT. The cost is amortised O(1); at
 * most UINT32_MAX / 2 items. */
void yv_pool_append (YvPool *pool, YvObject *sequence, YvObject *item);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvPool, yv_pool_free)

G_END_DECLS
