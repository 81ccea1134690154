/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/json.h - what of a text json-glib may be given.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * yv_json_check:
 * @text: any bytes, which may be hostile
 * @max_depth: of brackets
 *
 * json-glib calls itself for each level, so a text of brackets alone would use up the stack. It
 * also reads what JSON has not, behind which brackets could hide from a count of them: comments,
 * '...' and broken \u escapes; and of several objects one after the other it takes the last. It
 * takes 01, 0x10 and words for numbers, 1e999 for infinity, and another number for one that int64
 * has no room for; and a text ends for it at \u0000. All that is refused; whether the text is JSON
 * otherwise is left to json-glib.
 *
 * Returns: false with YV_ERROR_MALFORMED, "nests more than 4 deep at byte 17"; who calls puts the
 * file in front.
 */
bool yv_json_check (const char *text, size_t size_bytes, uint32_t max_depth, GError **error);

G_END_DECLS
