/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/storage.h - the storages that a pickle names, and the tensors that lie in them.
 *
 * A torch pickle holds no numbers of its tensors. It refers by key to storages, runs of elements
 * that the container keeps elsewhere, and describes each tensor as offset, sizes and strides in
 * one. In the legacy container the storages follow the pickle, so tensors get their data last:
 * the pickle is read (yv_storages_refer, yv_storages_make_tensor), the container says where each
 * storage is (YvStorage.bytes), then yv_storages_bind checks and completes all tensors.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/checkpoint/pool.h"
#include "engine/span.h"

G_BEGIN_DECLS

/* One run of elements. Owned by the pool. */
typedef struct {
  const char *key;  /* names it in the container */
  const char *type; /* the Python class: "HalfStorage" */
  YvDType dtype;    /* YV_N_DTYPES: untyped, or of elements that we do not read */
  uint32_t elem_bytes;
  uint64_t n_elems;
  uint64_t size_bytes; /* that the pickle claims */
  YvSpan bytes;        /* set by the container; borrowed: the file mapping */
} YvStorage;

typedef struct _YvStorages YvStorages;

YvStorages *yv_storages_new (YvPool *pool);   /* the pool must outlive it */
void yv_storages_free (YvStorages *storages); /* NULL ok */

uint32_t yv_storages_n (const YvStorages *storages);
YvStorage *yv_storages_at (const YvStorages *storages, uint32_t index); /* in order of mention */

/* Answers a persistent id: a stand-in for ('storage', type, key, location, n_elems[, view]), the
 * class of ('module', class, file, source). NULL with YV_ERROR_MALFORMED or _UNSUPPORTED. */
YvObject *yv_storages_refer (YvStorages *storages, const YvObject *id, GError **error);

/* The element type of torch's dtype object of this name, e.g. "float16"; YV_N_DTYPES where it is
 * none that we read. */
YvDType yv_storage_dtype (const char *name);

/* Sets *value to a TENSOR of @args (storage, offset, sizes, strides, ...), without data until
 * bound; leaves it where its elements are of a type that we do not read. @dtype is that of a tensor
 * in an untyped storage, else YV_N_DTYPES. False with YV_ERROR_MALFORMED where any element lies
 * outside the storage. */
bool yv_storages_make_tensor (YvStorages *storages, const YvObject *args, YvDType dtype,
                              YvObject **value, GError **error);

/* Checks that the bytes of each storage are as many as claimed, and gives all tensors their data.
 * To be called once, after the bytes of all storages were set. */
bool yv_storages_bind (YvStorages *storages, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvStorages, yv_storages_free)

G_END_DECLS
