/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/torchzip.h - the container of torch >= 1.6: a pickle and its storages in a zip.
 *
 * In:   the bytes of a file that begins as a zip archive.
 * Out:  the value of its data.pkl, tensors bound to the entries data/<key>.
 */
#pragma once

#include <glib.h>

#include "engine/checkpoint/pool.h"
#include "engine/span.h"

G_BEGIN_DECLS

/* Returns: (transfer none): the pool's; or NULL with YV_ERROR_MALFORMED or _UNSUPPORTED, the latter
 * for archives that are no checkpoint. *warning, the pool's too, is only set where there is one.
 * The file must outlive the pool. */
const YvObject *yv_torchzip_read (YvSpan file, YvPool *pool, const char **warning, GError **error);

G_END_DECLS
