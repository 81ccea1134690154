/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/plan/schedule.c - levels as soon as possible. */
#include "engine/plan/schedule.h"

static bool
collide (const YvAccess *a, const YvAccess *b)
{
  return a->value != YV_NO_VALUE && a->value == b->value && a->c_first < b->c_end &&
         b->c_first < a->c_end;
}

static bool
reads (const YvTask *task, const YvAccess *access)
{
  for (uint32_t i = 0; i < task->n_reads; i++)
    if (collide (&task->reads[i], access))
      return true;
  return false;
}

static bool
must_wait (const YvTask *later, const YvTask *earlier)
{
  if (later->group && later->group == earlier->group)
    return false;
  return reads (later, &earlier->write) || reads (earlier, &later->write) ||
         collide (&later->write, &earlier->write);
}

/* Looks at all pairs: a few hundred steps, once per plan. */
uint32_t
yv_schedule_levels (YvTask *tasks, uint32_t n_tasks)
{
  uint32_t n_levels = 0;
  bool any_last = false;

  for (uint32_t i = 0; i < n_tasks; i++) {
    tasks[i].level = 0;
    any_last |= tasks[i].is_last;
    if (tasks[i].is_last)
      continue;
    for (uint32_t k = 0; k < i; k++)
      if (!tasks[k].is_last && must_wait (&tasks[i], &tasks[k]))
        tasks[i].level = MAX (tasks[i].level, tasks[k].level + 1);
    n_levels = MAX (n_levels, tasks[i].level + 1);
  }
  for (uint32_t i = 0; i < n_tasks; i++)
    if (tasks[i].is_last)
      tasks[i].level = n_levels;
  return n_levels + any_last;
}

static void
extend (YvArenaSlot *slots, bool *is_seen, const YvAccess *access, uint32_t level)
{
  if (access->value == YV_NO_VALUE)
    return;

  YvArenaSlot *slot = &slots[access->value];
  slot->first_level = is_seen[access->value] ? MIN (slot->first_level, level) : level;
  slot->last_level = is_seen[access->value] ? MAX (slot->last_level, level) : level;
  is_seen[access->value] = true;
}

void
yv_schedule_lifetimes (const YvTask *tasks, uint32_t n_tasks, YvArenaSlot *slots, uint32_t n_slots)
{
  g_autofree bool *is_seen = g_new0 (bool, n_slots);

  for (uint32_t i = 0; i < n_slots; i++)
    slots[i].first_level = slots[i].last_level = 0;
  for (uint32_t i = 0; i < n_tasks; i++) {
    for (uint32_t k = 0; k < tasks[i].n_reads; k++)
      extend (slots, is_seen, &tasks[i].reads[k], tasks[i].level);
    extend (slots, is_seen, &tasks[i].write, tasks[i].level);
  }
}
