/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/zip.h - the entries of a zip archive, each where it lies in the mapped file.
 *
 * In:   the bytes of a whole archive, hostile until checked.
 * Out:  names and spans. Nothing is unpacked: the bytes of stored entries are used in place.
 * Next: engine/checkpoint/torchzip.c.
 *
 * Sizes and offsets come from the central directory alone, for torch leaves those of the local
 * headers zero. Anything that two readers could read differently is refused: entries that overlap
 * or share a name, two end records, a zip64 record that contradicts the classic one.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/span.h"

G_BEGIN_DECLS

typedef struct {
  char *name;     /* valid UTF-8 */
  YvSpan bytes;   /* as they lie in the file; borrowed: the file mapping */
  bool is_packed; /* compressed or encrypted, so that the bytes are not the content */
  uint32_t crc;   /* of the bytes as the archive states it; writers may leave it zero */
} YvZipEntry;

typedef struct _YvZip YvZip;

/* Returns: (transfer full): or NULL with YV_ERROR_MALFORMED. The file must outlive it. */
YvZip *yv_zip_new (YvSpan file, GError **error);
void yv_zip_free (YvZip *zip); /* NULL ok */

uint32_t yv_zip_n_entries (const YvZip *zip);
const YvZipEntry *yv_zip_entry (const YvZip *zip, uint32_t index); /* in directory order */

/* NULL where there is none. */
const YvZipEntry *yv_zip_find (const YvZip *zip, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvZip, yv_zip_free)

G_END_DECLS
