/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/legacy.h - the container of torch < 1.6: pickles and storages one after
 * another.
 *
 * In:   the bytes of a file that begins with the magic number of the container.
 * Out:  the value of its main pickle, tensors bound to the storages behind it.
 *
 * Layout: pickles of the magic number, of the version 1001, of a dict about the machine that saved,
 * of the value, of the list of storage keys; then for each key a 64-bit count and the elements.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/checkpoint/pool.h"
#include "engine/span.h"

G_BEGIN_DECLS

/* True where the file begins with the container's magic number. */
bool yv_legacy_matches (YvSpan file);

/* Returns: (transfer none): the pool's; or NULL with YV_ERROR_MALFORMED or _UNSUPPORTED. The file
 * must outlive the pool. */
const YvObject *yv_legacy_read (YvSpan file, YvPool *pool, GError **error);

G_END_DECLS
