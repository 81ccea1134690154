/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/schedule.h - which steps may run side by side, and how long each value lives.
 *
 * In:   what each step reads and writes, in an order that computes the right thing.
 * Out:  a level for each: steps of a level are independent, a barrier lies between levels. Then
 *       the lifetime of each value in levels.
 * Next: engine/plan/arena.h places the values.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/plan/arena.h"

G_BEGIN_DECLS

#define YV_NO_VALUE UINT32_MAX

/* Channels [c_first, c_end) of one value: steps that write different channels of a concat's value
 * don't wait for each other. */
typedef struct {
  uint32_t value; /* an index, or YV_NO_VALUE: memory that the schedule need not know */
  uint32_t c_first, c_end;
} YvAccess;

#define YV_MAX_TASK_READS 2

typedef struct {
  YvAccess reads[YV_MAX_TASK_READS];
  uint32_t n_reads;
  YvAccess write;
  uint32_t group; /* not 0: tasks of a group write different parts, whatever their channels say */
  bool is_last;   /* goes into the last level, after every task that is not */
  uint32_t level; /* out */
} YvTask;

/* Gives each task the lowest level after all earlier tasks whose result it reads or whose operands
 * it overwrites. Tasks that are is_last must not depend on each other.
 * Returns: the number of levels. */
uint32_t yv_schedule_levels (YvTask *tasks, uint32_t n_tasks);

/* Sets first_level and last_level of each slot (one per value) to the levels of the first and the
 * last task that touch it; a value that no task touches lives in level 0. */
void yv_schedule_lifetimes (const YvTask *tasks, uint32_t n_tasks, YvArenaSlot *slots,
                            uint32_t n_slots);

G_END_DECLS
