/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-fleethistory.c - examples/fleet/history.c: which cameras workers have died
 * of, and how the one that kills is found. */
#include "examples/fleet/history.h"
#include "examples/fleet/holds.h"

static void
tell_taken (FleetHistory *history, const char *name, double added_s, const char *session)
{
  fleet_history_hear (history, &(FleetNote){.kind = FLEET_NOTE_HELD,
                                            .name = (char *) name,
                                            .added_s = added_s,
                                            .id = (char *) "hold",
                                            .session = (char *) session});
}

static void
tell_forget (FleetHistory *history, const char *name, double at_s, const char *session)
{
  fleet_history_hear (history, &(FleetNote){.kind = FLEET_NOTE_FORGET,
                                            .name = (char *) name,
                                            .session = (char *) session,
                                            .at_s = at_s});
}

static uint32_t
count_deaths (const FleetHistory *history, const char *name)
{
  return fleet_history_deaths (history, name, -1, "mine").n;
}

static uint32_t
count_alone (const FleetHistory *history, const char *name)
{
  return fleet_history_deaths (history, name, -1, "mine").n_alone;
}

static void
deaths_count_for_all_who_were_there (void)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();

  g_assert_cmpuint (count_deaths (history, "a"), ==, 0);
  tell_taken (history, "a", 1, "s1");
  tell_taken (history, "a", 1, "s1"); /* twice is once */
  g_assert_cmpuint (count_deaths (history, "a"), ==, 1);
  g_assert_cmpuint (count_alone (history, "a"), ==, 1);
  tell_taken (history, "b", 1, "s1");
  tell_taken (history, "a", 1, "s2");
  g_assert_cmpuint (count_deaths (history, "a"), ==, 2);
  g_assert_cmpuint (count_alone (history, "a"), ==, 1);
  g_assert_cmpuint (count_deaths (history, "b"), ==, 1);
  g_assert_cmpuint (count_alone (history, "b"), ==, 0);
  tell_taken (history, "c", 1, "mine"); /* who asks lives */
  g_assert_cmpuint (count_deaths (history, "c"), ==, 0);
  tell_forget (history, "b", -1, NULL); /* it is well elsewhere, which tells nothing of s1 */
  g_assert_cmpuint (count_deaths (history, "b"), ==, 0);
  g_assert_cmpuint (count_alone (history, "a"), ==, 1);
}

static void
who_was_well_there_has_no_part (void)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();

  tell_taken (history, "a", 1, "s1");
  tell_taken (history, "b", 1, "s1");
  tell_forget (history, "b", -1, "s1");
  g_assert_cmpuint (count_alone (history, "a"), ==, 1);
  g_assert_cmpuint (count_deaths (history, "b"), ==, 0);
  tell_forget (history, "a", -1, "s1");
  tell_taken (history, "b", 1, "s1"); /* once more */
  g_assert_cmpuint (count_deaths (history, "a"), ==, 0);
  g_assert_cmpuint (count_alone (history, "b"), ==, 1);
}

static void
who_stops_in_peace_is_acquitted_of_that_session_alone (void)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();

  tell_taken (history, "a", 1, "s1");
  tell_taken (history, "a", 1, "s2");
  tell_forget (history, "a", -1, "s2"); /* out of reach, say */
  tell_forget (history, "a", -1, "unknown");
  g_assert_cmpuint (count_deaths (history, "a"), ==, 1);
  tell_forget (history, "a", -1, NULL);
  g_assert_cmpuint (count_deaths (history, "a"), ==, 0);
}

/* A fleet of one worker and @n cameras, one of which kills it once it has taken what it may. */
typedef struct {
  FleetHistory *history;
  FleetHolds *holds;
  char *session;
  uint32_t n, killer;
  bool is_put_away; /* the killer */
} Lab;

static char *
name_camera (uint32_t number)
{
  return g_strdup_printf ("camera-%u", number);
}

/* Returns: whether it is held now. */
static bool
offer (Lab *lab, const char *name, bool is_killer)
{
  const FleetDeaths deaths = fleet_history_deaths (lab->history, name, -1, lab->session);
  const uint32_t company = fleet_deaths_company (&deaths, lab->n);
  g_autoptr (FleetHold) other = NULL;

  if (fleet_deaths_convict (&deaths)) {
    g_assert_true (is_killer);
    lab->is_put_away = true;
    return false;
  }
  if (fleet_holds_n (lab->holds) >= fleet_holds_limit (lab->holds, lab->n, company, 1))
    return false;
  FleetHold *hold = g_new0 (FleetHold, 1);
  hold->name = g_strdup (name);
  hold->id = g_strdup (name);
  hold->trial_us = 2;
  hold->company = company;
  g_assert_cmpint (fleet_holds_take (lab->holds, hold, lab->n, &other), ==, FLEET_TAKEN);
  tell_taken (lab->history, name, 1, lab->session);
  return true;
}

/* Returns: how many more are held now. */
static uint32_t
offer_all (Lab *lab)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < lab->n; i++) {
    g_autofree char *name = name_camera (i);
    if (!fleet_holds_get (lab->holds, name) && !(i == lab->killer && lab->is_put_away))
      n += offer (lab, name, i == lab->killer);
  }
  return n;
}

static void
make_all_well (Lab *lab)
{
  for (uint32_t i = 0; i < lab->n; i++) {
    g_autofree char *name = name_camera (i);
    if (!fleet_holds_get (lab->holds, name))
      continue;
    tell_forget (lab->history, name, -1, lab->session);
    tell_forget (lab->history, name, -1, NULL);
    fleet_holds_trust (lab->holds, name);
  }
}

/* Returns: whether it dies; else nobody but the killer is left out. */
static bool
live_through_session (Lab *lab, uint32_t number)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();
  g_autofree char *session = g_strdup_printf ("session-%u", number);
  g_autofree char *killer = name_camera (lab->killer);

  lab->holds = holds;
  lab->session = session;
  while (offer_all (lab) > 0) {
    if (fleet_holds_get (holds, killer))
      return true;
    make_all_well (lab);
  }
  g_assert_cmpuint (fleet_holds_n (holds), ==, lab->n - 1);
  return false;
}

static void
find_killer (uint32_t n, uint32_t killer, uint32_t n_deaths)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();
  Lab lab = {.history = history, .n = n, .killer = killer};
  uint32_t n_died = 0;

  while (live_through_session (&lab, n_died))
    n_died++;
  g_assert_true (lab.is_put_away);
  g_assert_cmpuint (n_died, ==, n_deaths);
}

static void
killer_is_found_among_many (void)
{
  for (uint32_t killer = 0; killer < 40; killer++)
    find_killer (40, killer, 11);
}

static void
killer_is_found_among_few (void)
{
  for (uint32_t killer = 0; killer < 5; killer++)
    find_killer (5, killer, 10);
  find_killer (1, 0, 10);
  find_killer (1000, 999, 12);
}

/* As many machines may be switched off as like to. */
static void
shared_deaths_put_nobody_away (void)
{
  static const uint32_t companies[] = {1000, 1000, 1000, 1000, 1000, 1000, 125, 15, 1};
  g_autoptr (FleetHistory) history = fleet_history_new ();

  for (uint32_t i = 0; i < 100; i++) {
    g_autofree char *session = g_strdup_printf ("session-%u", i);
    tell_taken (history, "a", 1, session);
    tell_taken (history, "b", 1, session);
    const FleetDeaths deaths = fleet_history_deaths (history, "a", -1, NULL);
    g_assert_false (fleet_deaths_convict (&deaths));
    g_assert_cmpuint (fleet_deaths_company (&deaths, 1000), ==, i < 9 ? companies[i] : 1);
  }
}

static void
answer_of_a_holder_is_no_take (void)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();

  tell_taken (history, "a", 1, NULL);
  g_assert_cmpuint (count_deaths (history, "a"), ==, 0);
}

static void
sessions_that_ended_in_peace_count_nothing (void)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();

  tell_taken (history, "a", 1, "bye");
  tell_taken (history, "a", 1, "lost");
  tell_taken (history, "a", 1, "dead");
  fleet_history_hear (history, &(FleetNote){.kind = FLEET_NOTE_BYE, .id = (char *) "bye"});
  fleet_history_hear (
      history,
      &(FleetNote){.kind = FLEET_NOTE_HELLO, .id = (char *) "next", .after = (char *) "lost"});
  fleet_history_hear (history, &(FleetNote){.kind = FLEET_NOTE_HELLO, .id = (char *) "first"});
  fleet_history_hear (history, &(FleetNote){.kind = FLEET_NOTE_BYE, .id = (char *) "unknown"});
  g_assert_cmpuint (count_deaths (history, "a"), ==, 1);
  tell_taken (history, "a", 1, "other");
  g_assert_cmpuint (count_deaths (history, "a"), ==, 2);
}

static void
removal_forgets_what_was_added_before (void)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();

  tell_taken (history, "a", 5, "s1");
  tell_taken (history, "a", 7, "s2");
  g_assert_cmpuint (fleet_history_deaths (history, "a", 5, NULL).n, ==,
                    1); /* removals came first */
  fleet_history_hear (history,
                      &(FleetNote){.kind = FLEET_NOTE_REMOVE, .name = (char *) "a", .at_s = 6});
  g_assert_cmpuint (count_deaths (history, "a"), ==, 1);
  g_assert_cmpuint (fleet_history_deaths (history, "a", 7, NULL).n, ==, 0);
}

static void
attempts_are_forgotten_by_their_time (void)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();

  g_assert_false (fleet_history_forgets (history, "a", 0));
  tell_forget (history, "a", -1, NULL);
  g_assert_false (fleet_history_forgets (history, "a", 0));
  tell_forget (history, "a", 50, NULL);
  tell_forget (history, "a", 40, NULL);
  g_assert_true (fleet_history_forgets (history, "a", 0)); /* it does not say when */
  g_assert_true (fleet_history_forgets (history, "a", 50));
  g_assert_false (fleet_history_forgets (history, "a", 51));
  g_assert_false (fleet_history_forgets (history, "b", 1));
}

/* Whoever may write notes can't make a worker slow. */
static void
hostile_history_stays_small (void)
{
  g_autoptr (FleetHistory) history = fleet_history_new ();

  for (guint i = 0; i < 10000; i++) {
    g_autofree char *session = g_strdup_printf ("s%u", i);
    tell_taken (history, "a", 1, session);
  }
  g_assert_cmpuint (count_deaths (history, "a"), ==, 64);
  tell_forget (history, "a", -1, NULL);
  g_assert_cmpuint (count_deaths (history, "a"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/fleet/" #name, name)
  TEST (deaths_count_for_all_who_were_there);
  TEST (who_was_well_there_has_no_part);
  TEST (who_stops_in_peace_is_acquitted_of_that_session_alone);
  TEST (killer_is_found_among_many);
  TEST (killer_is_found_among_few);
  TEST (shared_deaths_put_nobody_away);
  TEST (answer_of_a_holder_is_no_take);
  TEST (sessions_that_ended_in_peace_count_nothing);
  TEST (removal_forgets_what_was_added_before);
  TEST (attempts_are_forgotten_by_their_time);
  TEST (hostile_history_stays_small);
#undef TEST
  return g_test_run ();
}
