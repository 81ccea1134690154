/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/holds.c - a list of holds, and a table of removals. */
#include "examples/fleet/holds.h"

#include <string.h>

/* Old removals are looked for when there are twice as many as after the last time. */
#define MIN_REMOVALS 1024

struct _FleetHolds {
  GPtrArray *list;      /* of FleetHold *, in the order in which they were taken */
  GHashTable *removals; /* name -> double *, when */
  guint n_removals_checked;
  uint32_t consumer; /* number of the last one */
  uint32_t prefetch; /* what it asked for */
};

static void
free_hold (gpointer hold)
{
  fleet_hold_free (hold);
}

void
fleet_hold_free (FleetHold *hold)
{
  if (!hold)
    return;
  g_free (hold->name);
  g_free (hold->id);
  g_free (hold);
}

FleetHolds *
fleet_holds_new (void)
{
  FleetHolds *holds = g_new0 (FleetHolds, 1);

  holds->list = g_ptr_array_new_with_free_func (free_hold);
  holds->removals = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  holds->n_removals_checked = MIN_REMOVALS;
  return holds;
}

void
fleet_holds_free (FleetHolds *holds)
{
  if (!holds)
    return;
  g_ptr_array_unref (holds->list);
  g_hash_table_unref (holds->removals);
  g_free (holds);
}

static int
find (const FleetHolds *holds, const char *name)
{
  for (guint i = 0; i < holds->list->len; i++)
    if (strcmp (((const FleetHold *) holds->list->pdata[i])->name, name) == 0)
      return (int) i;
  return -1;
}

static bool
counts_more (double added_s, const char *id, double other_added_s, const char *other_id)
{
  return added_s > other_added_s || (added_s == other_added_s && strcmp (id, other_id) > 0);
}

double
fleet_holds_removed_s (const FleetHolds *holds, const char *name)
{
  const double *at_s = g_hash_table_lookup (holds->removals, name);

  return at_s ? *at_s : -1;
}

static bool
is_removed (const FleetHolds *holds, const FleetHold *hold)
{
  return hold->added_s <= fleet_holds_removed_s (holds, hold->name);
}

FleetVerdict
fleet_holds_take (FleetHolds *holds, FleetHold *hold, uint32_t capacity, FleetHold **other)
{
  g_autoptr (FleetHold) taken = hold;
  const int at = find (holds, hold->name);

  *other = NULL;
  if (is_removed (holds, hold))
    return FLEET_REMOVED;
  if (at >= 0) {
    const FleetHold *old = holds->list->pdata[at];
    if (counts_more (old->added_s, old->id, hold->added_s, hold->id))
      return FLEET_REPLACED;
    *other = g_ptr_array_steal_index (holds->list, (guint) at);
  }
  if (holds->list->len >= capacity && at < 0)
    return FLEET_NO_ROOM;
  g_ptr_array_add (holds->list, g_steal_pointer (&taken));
  return at >= 0 ? FLEET_REPLACES : FLEET_TAKEN;
}

FleetHold *
fleet_holds_drop (FleetHolds *holds, const char *name)
{
  const int at = find (holds, name);

  return at < 0 ? NULL : g_ptr_array_steal_index (holds->list, (guint) at);
}

static gboolean
is_old (gpointer name G_GNUC_UNUSED, gpointer at_s, gpointer now_s)
{
  return *(double *) at_s < *(double *) now_s - FLEET_REMOVAL_S;
}

static void
remember_removal (FleetHolds *holds, const char *name, double at_s, double now_s)
{
  const double *known = g_hash_table_lookup (holds->removals, name);

  if (known && *known >= at_s)
    return;
  g_hash_table_insert (holds->removals, g_strdup (name), g_memdup2 (&at_s, sizeof at_s));
  if (g_hash_table_size (holds->removals) < 2 * holds->n_removals_checked)
    return;
  g_hash_table_foreach_remove (holds->removals, is_old, &now_s);
  holds->n_removals_checked = MAX (MIN_REMOVALS, g_hash_table_size (holds->removals));
}

FleetHold *
fleet_holds_remove (FleetHolds *holds, const char *name, double at_s, double now_s)
{
  const FleetHold *hold = fleet_holds_get (holds, name);

  remember_removal (holds, name, at_s, now_s);
  return hold && is_removed (holds, hold) ? fleet_holds_drop (holds, name) : NULL;
}

FleetNote *
fleet_hold_note (const FleetHold *hold, const char *against)
{
  FleetNote *note = g_new0 (FleetNote, 1);

  note->kind = FLEET_NOTE_HELD;
  note->name = g_strdup (hold->name);
  note->added_s = hold->added_s;
  note->id = g_strdup (hold->id);
  note->against = g_strdup (against);
  return note;
}

FleetHold *
fleet_holds_hear (FleetHolds *holds, const FleetNote *held, FleetNote **answer)
{
  const FleetHold *ours = fleet_holds_get (holds, held->name);

  *answer = NULL;
  if (!ours || strcmp (ours->id, held->id) == 0)
    return NULL;
  if (counts_more (ours->added_s, ours->id, held->added_s, held->id)) {
    *answer = fleet_hold_note (ours, held->id);
    return NULL;
  }
  if (g_strcmp0 (held->against, ours->id) == 0)
    return fleet_holds_drop (holds, held->name);
  *answer = fleet_hold_note (ours, NULL);
  return NULL;
}

void
fleet_holds_trust (FleetHolds *holds, const char *name)
{
  const int at = find (holds, name);

  if (at >= 0)
    ((FleetHold *) holds->list->pdata[at])->trial_us = 0;
}

uint32_t
fleet_holds_limit (const FleetHolds *holds, uint32_t capacity, uint32_t company, gint64 now_us)
{
  uint32_t n_on_trial = 0;

  for (guint i = 0; i < holds->list->len; i++) {
    const FleetHold *hold = holds->list->pdata[i];
    if (now_us >= hold->trial_us)
      continue;
    n_on_trial++;
    company = MIN (company, hold->company);
  }
  return MIN (capacity, holds->list->len - n_on_trial + company);
}

void
fleet_holds_forget (FleetHolds *holds)
{
  g_ptr_array_set_size (holds->list, 0);
  holds->prefetch = 0;
  holds->consumer++; /* so that what the old one still brings is not counted as the new one's */
}

const FleetHold *
fleet_holds_get (const FleetHolds *holds, const char *name)
{
  const int at = find (holds, name);

  return at < 0 ? NULL : holds->list->pdata[at];
}

const FleetHold *
fleet_holds_newest (const FleetHolds *holds)
{
  return holds->list->len ? holds->list->pdata[holds->list->len - 1] : NULL;
}

uint32_t
fleet_holds_n (const FleetHolds *holds)
{
  return holds->list->len;
}

bool
fleet_holds_must_ask (const FleetHolds *holds, uint32_t capacity, uint32_t n_parked,
                      uint32_t *prefetch)
{
  const uint32_t n_held = holds->list->len;
  uint32_t n_own = n_parked;

  for (guint i = 0; i < n_held; i++)
    n_own += ((const FleetHold *) holds->list->pdata[i])->consumer == holds->consumer;
  const uint32_t left = holds->prefetch > n_own ? holds->prefetch - n_own : 0;
  *prefetch = capacity > n_held ? capacity - n_held : 0;
  return *prefetch != left;
}

uint32_t
fleet_holds_asked (FleetHolds *holds, uint32_t prefetch)
{
  holds->prefetch = prefetch;
  return ++holds->consumer;
}
