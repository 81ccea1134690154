/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/history.c - a table of cameras, each with the sessions that may have died of it.
 */
#include "examples/fleet/history.h"

#include <string.h>

/* Of one camera that are remembered: the last ones. */
#define MAX_TAKES 64

/* With each death those that may be together are an eighth. */
#define PARTED_BITS 3

/* It lives as long as some camera has a take of it. */
typedef struct {
  char *id;
  uint32_t n_cameras; /* on trial there: that may have killed it */
  uint32_t n_takes;
  bool is_over; /* in peace, and not in the table any more */
} Session;

typedef struct {
  Session *session;
  double added_s; /* of the message */
} Take;

typedef struct {
  GArray *takes;
  double forgotten_s; /* attempts that failed until then; negative: none */
} Past;

struct _FleetHistory {
  GHashTable *pasts;    /* name -> Past * */
  GHashTable *sessions; /* id -> Session * */
};

static void
free_past (gpointer past)
{
  g_array_unref (((Past *) past)->takes);
  g_free (past);
}

static void
drop_take (FleetHistory *history, Past *past, guint index)
{
  Session *session = g_array_index (past->takes, Take, index).session;

  g_array_remove_index (past->takes, index);
  session->n_takes--;
  if (session->n_takes > 0)
    return;
  if (!session->is_over)
    g_hash_table_remove (history->sessions, session->id);
  g_free (session->id);
  g_free (session);
}

FleetHistory *
fleet_history_new (void)
{
  FleetHistory *history = g_new0 (FleetHistory, 1);

  history->pasts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_past);
  history->sessions = g_hash_table_new (g_str_hash, g_str_equal);
  return history;
}

void
fleet_history_free (FleetHistory *history)
{
  GHashTableIter i;
  gpointer past;

  if (!history)
    return;
  g_hash_table_iter_init (&i, history->pasts);
  while (g_hash_table_iter_next (&i, NULL, &past))
    while (((Past *) past)->takes->len > 0)
      drop_take (history, past, 0);
  g_hash_table_unref (history->pasts);
  g_hash_table_unref (history->sessions);
  g_free (history);
}

static Session *
get_session (FleetHistory *history, const char *id)
{
  Session *session = g_hash_table_lookup (history->sessions, id);

  if (session)
    return session;
  session = g_new0 (Session, 1);
  session->id = g_strdup (id);
  g_hash_table_insert (history->sessions, session->id, session);
  return session;
}

static void
end_session (FleetHistory *history, const char *id)
{
  Session *session = id ? g_hash_table_lookup (history->sessions, id) : NULL;

  if (!session)
    return;
  session->is_over = true;
  g_hash_table_remove (history->sessions, id);
}

static Past *
get_past (FleetHistory *history, const char *name)
{
  Past *past = g_hash_table_lookup (history->pasts, name);

  if (past)
    return past;
  past = g_new0 (Past, 1);
  past->takes = g_array_new (FALSE, FALSE, sizeof (Take));
  past->forgotten_s = -1;
  g_hash_table_insert (history->pasts, g_strdup (name), past);
  return past;
}

static void
hear_held (FleetHistory *history, const FleetNote *note)
{
  Past *past = get_past (history, note->name);

  for (guint i = past->takes->len; i-- > 0;) {
    const Session *session = g_array_index (past->takes, Take, i).session;
    if (session->is_over)
      drop_take (history, past, i);
    else if (strcmp (session->id, note->session) == 0)
      return;
  }
  if (past->takes->len == MAX_TAKES)
    drop_take (history, past, 0);
  Session *session = get_session (history, note->session);
  const Take take = {session, note->added_s};
  session->n_cameras++;
  session->n_takes++;
  g_array_append_val (past->takes, take);
}

static void
drop_past_if_empty (FleetHistory *history, const char *name)
{
  const Past *past = g_hash_table_lookup (history->pasts, name);

  if (past && past->takes->len == 0 && past->forgotten_s < 0)
    g_hash_table_remove (history->pasts, name);
}

/* Drops what was added until @added_s. */
static void
forget (FleetHistory *history, const char *name, double added_s)
{
  Past *past = g_hash_table_lookup (history->pasts, name);

  for (guint i = past ? past->takes->len : 0; i-- > 0;)
    if (g_array_index (past->takes, Take, i).added_s <= added_s)
      drop_take (history, past, i);
  drop_past_if_empty (history, name);
}

/* It has done no harm in that session, and is none of those that may kill it. */
static void
acquit (FleetHistory *history, const char *name, const char *session)
{
  Past *past = g_hash_table_lookup (history->pasts, name);

  for (guint i = past ? past->takes->len : 0; i-- > 0;) {
    const Take *take = &g_array_index (past->takes, Take, i);
    if (strcmp (take->session->id, session) != 0)
      continue;
    take->session->n_cameras--;
    drop_take (history, past, i);
  }
  drop_past_if_empty (history, name);
}

static void
hear_forget (FleetHistory *history, const FleetNote *note)
{
  if (note->at_s >= 0) {
    Past *past = get_past (history, note->name);
    past->forgotten_s = MAX (past->forgotten_s, note->at_s);
  }
  if (note->session)
    acquit (history, note->name, note->session);
  else
    forget (history, note->name, G_MAXDOUBLE);
}

void
fleet_history_hear (FleetHistory *history, const FleetNote *note)
{
  switch (note->kind) {
  case FLEET_NOTE_HELD:
    if (note->session)
      hear_held (history, note);
    return;
  case FLEET_NOTE_HELLO:
    end_session (history, note->after);
    return;
  case FLEET_NOTE_BYE:
    end_session (history, note->id);
    return;
  case FLEET_NOTE_FORGET:
    hear_forget (history, note);
    return;
  case FLEET_NOTE_REMOVE:
    forget (history, note->name, note->at_s);
    return;
  case FLEET_NOTE_LIST:
    return;
  }
}

FleetDeaths
fleet_history_deaths (const FleetHistory *history, const char *name, double removed_s,
                      const char *session)
{
  const Past *past = g_hash_table_lookup (history->pasts, name);
  FleetDeaths deaths = {0};

  for (guint i = 0; past && i < past->takes->len; i++) {
    const Take *take = &g_array_index (past->takes, Take, i);
    if (take->added_s <= removed_s || take->session->is_over ||
        g_strcmp0 (take->session->id, session) == 0)
      continue;
    deaths.n++;
    deaths.n_alone += take->session->n_cameras == 1;
  }
  return deaths;
}

uint32_t
fleet_deaths_company (const FleetDeaths *deaths, uint32_t capacity)
{
  if (deaths->n < FLEET_SUSPECT)
    return capacity;
  return MAX (1, capacity >> MIN (31, PARTED_BITS * (deaths->n - FLEET_SUSPECT + 1)));
}

bool
fleet_deaths_convict (const FleetDeaths *deaths)
{
  return deaths->n >= FLEET_KILLER && deaths->n_alone >= FLEET_KILLER_ALONE;
}

bool
fleet_history_forgets (const FleetHistory *history, const char *name, double failed_s)
{
  const Past *past = g_hash_table_lookup (history->pasts, name);

  return past && past->forgotten_s >= 0 && failed_s <= past->forgotten_s;
}
