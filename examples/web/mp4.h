/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/mp4.h - the boxes of an MP4: what is where in its bytes.
 *
 * In:    bytes, which may be hostile.  Out:   places within them, each box within its parent.
 * Next:  examples/web/fragments.c, which knows what is in them.
 *
 * Pure; errors are YV_ERROR_MALFORMED unless said otherwise. Threads: any.
 * Format: ISO/IEC 14496-12.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

#define MP4_HEADER_BYTES 8 /* size and type */

/* A box in some bytes, its header included. */
typedef struct {
  size_t start, end;
  char type[5];
} Mp4Box;

/* Sets an error that says what is wrong. Returns: false */
bool mp4_fail (GError **error, const char *message);

uint32_t mp4_get_u32 (const uint8_t *at);
void mp4_put_u32 (uint8_t *at, uint32_t value);

/* The next box in [@start, @end). Returns: false where none begins there, and with an error where
 * it is not whole. */
bool mp4_next (const uint8_t *bytes, size_t start, size_t end, Mp4Box *box, GError **error);

/* @type: of four letters */
bool mp4_is (const Mp4Box *box, const char *type);

/* The only child @type of @parent. Returns: false also with YV_ERROR_UNSUPPORTED: there are more */
bool mp4_find_only (const uint8_t *bytes, const Mp4Box *parent, const char *type, Mp4Box *out,
                    GError **error);

size_t mp4_size (const Mp4Box *box);

G_END_DECLS
