/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/arena.c - greedy placement by size. */
#include "engine/plan/arena.h"

#include <stdbool.h>
#include <stdlib.h>

#include "engine/align.h"

static bool
alive_together (const YvArenaSlot *a, const YvArenaSlot *b)
{
  return a->first_level <= b->last_level && b->first_level <= a->last_level;
}

static bool
bytes_overlap (uint64_t offset_bytes, const YvArenaSlot *slot, const YvArenaSlot *placed)
{
  return offset_bytes < placed->offset_bytes + placed->size_bytes &&
         placed->offset_bytes < offset_bytes + slot->size_bytes;
}

/* Climbs past each placed slot in the way and starts over: cubic in the worst case, and a model has
 * a few hundred values, placed once per plan. */
static uint64_t
lowest_free_offset (const YvArenaSlot *slot, YvArenaSlot *const *placed, uint32_t n_placed,
                    uint64_t align_bytes)
{
  uint64_t offset_bytes = 0;

  for (uint32_t i = 0; i < n_placed;) {
    if (alive_together (slot, placed[i]) && bytes_overlap (offset_bytes, slot, placed[i])) {
      offset_bytes = yv_round_up (placed[i]->offset_bytes + placed[i]->size_bytes, align_bytes);
      i = 0;
    } else {
      i++;
    }
  }
  return offset_bytes;
}

/* Biggest first; the earlier slot first among equals, so that qsort() may be any. */
static int
compare_size (const void *a, const void *b)
{
  const YvArenaSlot *x = *(YvArenaSlot *const *) a, *y = *(YvArenaSlot *const *) b;

  if (x->size_bytes != y->size_bytes)
    return x->size_bytes > y->size_bytes ? -1 : 1;
  return x < y ? -1 : x > y;
}

uint64_t
yv_arena_place (YvArenaSlot *slots, uint32_t n_slots, uint64_t align_bytes)
{
  g_autofree YvArenaSlot **order = g_new (YvArenaSlot *, n_slots);
  uint64_t end_bytes = 0;

  g_assert (align_bytes > 0 && (align_bytes & (align_bytes - 1)) == 0);
  for (uint32_t i = 0; i < n_slots; i++) {
    g_assert (slots[i].size_bytes == 0 || slots[i].first_level <= slots[i].last_level);
    order[i] = &slots[i];
  }
  if (n_slots)
    qsort (order, n_slots, sizeof *order, compare_size);

  for (uint32_t i = 0; i < n_slots && order[i]->size_bytes > 0; i++) {
    order[i]->offset_bytes = lowest_free_offset (order[i], order, i, align_bytes);
    end_bytes = MAX (end_bytes, order[i]->offset_bytes + order[i]->size_bytes);
  }
  return yv_round_up (end_bytes, align_bytes);
}
