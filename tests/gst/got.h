/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/got.h - what a reader got of records with "sequence": 1, 2, ...: how many, in order or
 * not, and whether those that came again say so.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  uint64_t last;           /* the highest number so far */
  uint32_t n_different;    /* records */
  uint32_t n_marked;       /* came again, and say so */
  uint32_t n_unmarked;     /* came again, or behind a higher one for the first time, and don't */
  uint32_t n_marked_first; /* of n_different: say that they came before, and didn't */
  uint32_t wanted;         /* what the functions below wait for */
} Got;

/* @is_dup: whoever brought it says that it may have been here before. */
void got_add (Got *got, const char *text, size_t n_bytes, bool is_dup);

/* Of a Got, for functions that wait. */
bool got_wanted_records (const void *got); /* n_different */
bool got_wanted_last (const void *got);    /* last */

G_END_DECLS
