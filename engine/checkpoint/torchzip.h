/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/torchzip.h - the container of torch >= 1.6: a pickle and its storages in a zip.
 *
 * In:   the bytes of a file that begins as a zip archive.
 * Out:  the value of its data.pkl, tensors bound to the entries data/<key>. The checksums of these
 * are only looked at when it is known which of them are used: most of a checkpoint of training is
 *       the state of the optimiser.
 */
#pragma once

#include <glib.h>

#include "engine/checkpoint/pool.h"
#include "engine/checkpoint/zip.h"
#include "engine/span.h"

G_BEGIN_DECLS

/* Returns: (transfer none): the pool's; or NULL with YV_ERROR_MALFORMED or _UNSUPPORTED, the latter
 * for archives that are no checkpoint. *archive (transfer full) is for yv_torchzip_check_sums() and
 * NULL on failure. The file must outlive both. */
const YvObject *yv_torchzip_read (YvSpan file, YvPool *pool, YvZip **archive, GError **error);

/* Compares the checksums of all entries but those of tensors that are not among @tensors (name ->
 * const YvTensor *; NULL: of all). torch can be told to leave the sums out, and then writes zero or
 * nonsense, so a wrong one is no proof of damage.
 *
 * Returns: (transfer full): what to tell the user, or NULL where all sums are right. */
char *yv_torchzip_check_sums (const YvZip *archive, GHashTable *tensors);

G_END_DECLS
