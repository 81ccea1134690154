/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/blocks.h - memory for texts that go in about the order they came.
 *
 * In:    sizes.
 * Out:   room for a text each, one behind the other in blocks of 64 KiB; one of more than 16 KiB
 * has a block of its own, of whole pages, so that all blocks together are at most a third larger
 *        than a queue's texts. A block goes back to the system when none of its texts is left, but
 *        for one of 64 KiB, so that where short texts come and go no memory does.
 *
 * A queue that fills takes memory that nobody has touched. The kernel hands a block out as a whole,
 * which takes a fraction of the time of one fault for each page (docs/performance.md).
 *
 * Threads: one at a time per object.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct _YvBlock YvBlock;

/* Zeroed: no memory. */
typedef struct {
  YvBlock *newest; /* (nullable): what the next short text goes into, if it fits; not empty */
  YvBlock *spare;  /* (nullable): without texts */
  size_t n_bytes;  /* taken from the system, all blocks together */
} YvBlocks;

void yv_blocks_clear (YvBlocks *self); /* all texts were given back; zeroed is ok */

/* @block: (out): for give(). Returns: room for @n_bytes, >= 1, of any content and alignment. */
char *yv_blocks_take (YvBlocks *self, size_t n_bytes, YvBlock **block);

/* One of the texts in @block is not used any more. */
void yv_blocks_give (YvBlocks *self, YvBlock *block);

G_END_DECLS
