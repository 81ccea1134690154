/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/barcode.h - a time, as 40 blocks black and white along the lower edge of a
 * picture, that H.264 leaves readable: 32 bits of ms and 8 of a check.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Milliseconds of the monotonic clock, which all processes of a machine share. */
uint32_t barcode_now_ms (void);

/* @luma: a plane of @h rows of @stride bytes; @w is 80 at least, @h 16 */
void barcode_draw (uint8_t *luma, uint32_t w, uint32_t h, uint32_t stride, uint32_t ms);

/* Returns: false where there is none, or not a whole one */
bool barcode_read (const uint8_t *luma, uint32_t w, uint32_t h, uint32_t stride, uint32_t *ms);

G_END_DECLS
