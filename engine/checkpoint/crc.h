/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/checkpoint/crc.h - the checksum of zip archives (CRC-32, polynomial 0xedb88320 reflected).
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "engine/span.h"

G_BEGIN_DECLS

/* Made once per archive: its tables take longer than a small entry. */
typedef struct {
  uint32_t table[8][256];
} YvCrc;

void yv_crc_init (YvCrc *crc);
uint32_t yv_crc_of (const YvCrc *crc, YvSpan bytes);

G_END_DECLS
