/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/arena.h - where each value lives, decided before a device is touched.
 *
 * In:    lifetimes of values (engine/plan/schedule.h).
 * Out:   one byte offset a value inside a single arena; values alive in the same level never
 *        overlap, so no step can clobber what a later step, or one beside it, reads.
 * Next:  engine/plan/plan.c writes the offsets into the steps' operands.
 *
 * Pure: the same slots give the same placement on every machine.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* One value. Levels are the schedule's, both ends inclusive. */
typedef struct {
  uint32_t first_level;  /* the first level in which it is written */
  uint32_t last_level;   /* the last level that touches it; >= first_level */
  uint64_t size_bytes;   /* 0: needs no memory of its own (it lies in another value) */
  uint64_t offset_bytes; /* out: a multiple of align_bytes */
} YvArenaSlot;

/**
 * yv_arena_place:
 * @slots: (inout) (array length=n_slots): lifetimes in, offsets out
 * @align_bytes: a power of two
 *
 * Places every slot, biggest first, at the lowest offset free for its whole life. Greedy, not
 * optimal; tests/unit/test-arena.c bounds the distance from the peak of live bytes.
 *
 * Returns: the arena's size in bytes. Cannot fail.
 */
uint64_t yv_arena_place (YvArenaSlot *slots, uint32_t n_slots, uint64_t align_bytes);

G_END_DECLS
