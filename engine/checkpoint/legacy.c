/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/legacy.c - the container of torch < 1.6: pickles and storages one after
 * another.
 */
#include "engine/checkpoint/legacy.h"

#include <string.h>

#include "engine/checkpoint/pickle.h"
#include "engine/error.h"

#define VERSION 1001

/* LONG1 of 0x1950a86a20f9469cfc6c and STOP: the first pickle, behind its PROTO and, since protocol
 * 4, FRAME. */
static const uint8_t magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9,
                                0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};
#define PROTO 0x80
#define PROTO_BYTES 2
#define FRAME 0x95
#define FRAME_BYTES 9

#define malformed(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

static bool
skip_magic (YvSpan *rest)
{
  const bool has_proto = rest->size_bytes > PROTO_BYTES && rest->data[0] == PROTO;

  if (!has_proto || !yv_span_skip (rest, PROTO_BYTES))
    return false;
  if (rest->data[0] == FRAME && !yv_span_skip (rest, FRAME_BYTES))
    return false;
  return yv_span_starts_with (*rest, magic, sizeof magic) && yv_span_skip (rest, sizeof magic);
}

bool
yv_legacy_matches (YvSpan file)
{
  return skip_magic (&file);
}

/* A pickle that must not refer to storages. */
static const YvObject *
read_plain (YvSpan *rest, const char *name, YvPool *pool, GError **error)
{
  g_autoptr (YvStorages) storages = yv_storages_new (pool);
  const YvObject *value = yv_pickle_read (rest, name, pool, storages, error);

  if (value && yv_storages_n (storages) > 0) {
    malformed (error, "%s refers to storages", name);
    return NULL;
  }
  return value;
}

static bool
read_preamble (YvSpan *rest, YvPool *pool, GError **error)
{
  const YvObject *version =
      skip_magic (rest) ? read_plain (rest, "the version's pickle", pool, error) : NULL;

  if (!version)
    return false;
  if (version->kind != YV_OBJECT_INT || version->integer != VERSION) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "the version of the legacy container is not %d", VERSION);
    return false;
  }
  const YvObject *machine = read_plain (rest, "the machine's pickle", pool, error);
  if (!machine)
    return false;
  const YvObject *little = yv_object_get (machine, "little_endian");
  if (little && little->kind == YV_OBJECT_BOOL && !little->boolean) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "the tensors are not little-endian; save the checkpoint again on a little-endian "
                 "machine");
    return false;
  }
  return true;
}

static YvStorage *
find_storage (const GHashTable *by_key, const YvObject *key, GError **error)
{
  const char *text = yv_object_get_string (key);
  YvStorage *storage = text ? g_hash_table_lookup ((GHashTable *) by_key, text) : NULL;

  if (!storage)
    malformed (error, "the list of storages names '%s', which no tensor refers to",
               text ? text : yv_object_kind_name (key));
  else if (storage->bytes.data)
    malformed (error, "the list of storages names '%s' twice", text);
  else
    return storage;
  return NULL;
}

/* The count that precedes the elements must be what the pickle claims, for it alone tells where the
 * next storage begins. */
static bool
take_storage (YvSpan *rest, YvStorage *storage, GError **error)
{
  uint64_t n_elems = 0;

  if (!yv_span_take_u64 (rest, &n_elems) || n_elems != storage->n_elems) {
    malformed (error,
               "storage '%s' begins with a count of %" G_GUINT64_FORMAT " elements, expected "
               "%" G_GUINT64_FORMAT,
               storage->key, n_elems, storage->n_elems);
    return false;
  }
  const size_t available = rest->size_bytes;
  if (!yv_span_take (rest, storage->size_bytes, &storage->bytes)) {
    malformed (error,
               "storage '%s' should be %" G_GUINT64_FORMAT " bytes, the file ends after "
               "%" G_GSIZE_FORMAT ": it is cut off; fetch it again",
               storage->key, storage->size_bytes, available);
    return false;
  }
  return true;
}

static bool
read_storages (YvSpan *rest, const YvObject *keys, YvStorages *storages, GError **error)
{
  g_autoptr (GHashTable) by_key = g_hash_table_new (g_str_hash, g_str_equal);

  if (keys->kind != YV_OBJECT_LIST) {
    malformed (error, "the list of storages is of kind %s", yv_object_kind_name (keys));
    return false;
  }
  for (uint32_t i = 0; i < yv_storages_n (storages); i++) {
    YvStorage *storage = yv_storages_at (storages, i);
    g_hash_table_insert (by_key, (char *) storage->key, storage);
  }
  for (uint32_t i = 0; i < keys->sequence.n_items; i++) {
    YvStorage *storage = find_storage (by_key, keys->sequence.items[i], error);
    if (!storage || !take_storage (rest, storage, error))
      return false;
  }
  return yv_storages_bind (storages, error);
}

const YvObject *
yv_legacy_read (YvSpan file, YvPool *pool, GError **error)
{
  g_autoptr (YvStorages) storages = yv_storages_new (pool);
  YvSpan rest = file;

  if (!read_preamble (&rest, pool, error))
    return NULL;
  const YvObject *root = yv_pickle_read (&rest, "the main pickle", pool, storages, error);
  const YvObject *keys =
      root ? read_plain (&rest, "the pickle of storage keys", pool, error) : NULL;
  return keys && read_storages (&rest, keys, storages, error) ? root : NULL;
}
