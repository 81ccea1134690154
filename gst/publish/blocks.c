/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/blocks.c - memory for texts that go in about the order they came. */
#include "gst/publish/blocks.h"

#include <sys/mman.h>

#define BLOCK_BYTES ((size_t) 64 * 1024)
#define LONG_BYTES (BLOCK_BYTES / 4) /* shorter ones leave less than that unused */
#define PAGE_BYTES ((size_t) 4096)   /* what is rounded up to; the kernel rounds, too */

struct _YvBlock {
  size_t size_bytes, used_bytes; /* this head included */
  uint32_t n_texts;              /* not given back */
};

static YvBlock *
map_block (YvBlocks *self, size_t least_bytes)
{
  const size_t size_bytes = (least_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  YvBlock *block = mmap (NULL, size_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

  if (block == MAP_FAILED)
    g_error ("no memory for %" G_GSIZE_FORMAT " bytes of records", size_bytes); /* as g_malloc() */
  *block = (YvBlock){.size_bytes = size_bytes, .used_bytes = sizeof *block};
  self->n_bytes += size_bytes;
  return block;
}

static void
unmap_block (YvBlocks *self, YvBlock *block)
{
  self->n_bytes -= block->size_bytes;
  munmap (block, block->size_bytes);
}

void
yv_blocks_clear (YvBlocks *self)
{
  if (self->spare)
    unmap_block (self, self->spare);
  g_assert (self->n_bytes == 0);
  *self = (YvBlocks){0};
}

/* A block that has lost its last text. */
static void
put_away (YvBlocks *self, YvBlock *block)
{
  if (block == self->newest)
    self->newest = NULL;
  if (self->spare || block->size_bytes != BLOCK_BYTES) {
    unmap_block (self, block);
    return;
  }
  block->used_bytes = sizeof *block;
  self->spare = block;
}

/* Returns: where a text of this length has room. */
static YvBlock *
find_block (YvBlocks *self, size_t n_bytes)
{
  if (n_bytes > LONG_BYTES)
    return map_block (self, sizeof (YvBlock) + n_bytes);
  if (!self->newest || self->newest->size_bytes - self->newest->used_bytes < n_bytes)
    self->newest = self->spare ? g_steal_pointer (&self->spare) : map_block (self, BLOCK_BYTES);
  return self->newest;
}

char *
yv_blocks_take (YvBlocks *self, size_t n_bytes, YvBlock **block)
{
  YvBlock *found = find_block (self, n_bytes);
  char *text = (char *) found + found->used_bytes;

  found->used_bytes += n_bytes;
  found->n_texts++;
  *block = found;
  return text;
}

void
yv_blocks_give (YvBlocks *self, YvBlock *block)
{
  g_assert (block->n_texts > 0);
  block->n_texts--;
  if (block->n_texts == 0)
    put_away (self, block);
}
