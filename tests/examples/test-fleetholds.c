/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-fleetholds.c - examples/fleet/holds.c: which of two messages counts, what a
 * removal removes, and how many more cameras are asked for; examples/fleet/capacity.c: how many
 * there may be. */
#include "examples/fleet/capacity.h"
#include "examples/fleet/holds.h"

#define S G_USEC_PER_SEC

static FleetHold *
make_hold (const char *name, double added_s, const char *id, uint32_t consumer)
{
  FleetHold *hold = g_new0 (FleetHold, 1);

  hold->name = g_strdup (name);
  hold->added_s = added_s;
  hold->id = g_strdup (id);
  hold->consumer = consumer;
  return hold;
}

static FleetVerdict
take (FleetHolds *holds, const char *name, double added_s, const char *id, uint32_t consumer,
      uint32_t capacity)
{
  g_autoptr (FleetHold) other = NULL;

  return fleet_holds_take (holds, make_hold (name, added_s, id, consumer), capacity, &other);
}

/* Tells @to what @from says of a camera. Returns: the answer, or NULL. */
static FleetNote *
tell (FleetHolds *to, const FleetNote *note, bool *lets_go)
{
  FleetNote *answer = NULL;
  g_autoptr (FleetHold) hold = fleet_holds_hear (to, note, &answer);

  *lets_go = hold != NULL;
  return answer;
}

static void
takes_until_it_is_full (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();

  g_assert_cmpint (take (holds, "a", 1, "1", 1, 2), ==, FLEET_TAKEN);
  g_assert_cmpint (take (holds, "b", 1, "2", 1, 2), ==, FLEET_TAKEN);
  g_assert_cmpint (take (holds, "c", 1, "3", 1, 2), ==, FLEET_NO_ROOM);
  g_assert_null (fleet_holds_get (holds, "c"));
  g_assert_cmpstr (fleet_holds_newest (holds)->name, ==, "b");
}

static void
later_replaces_earlier_here (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();
  g_autoptr (FleetHold) other = NULL;

  g_assert_cmpint (take (holds, "a", 5, "1", 1, 1), ==, FLEET_TAKEN);
  g_assert_cmpint (take (holds, "a", 4, "2", 1, 1), ==, FLEET_REPLACED);
  g_assert_cmpint (fleet_holds_take (holds, make_hold ("a", 6, "3", 1), 1, &other), ==,
                   FLEET_REPLACES);
  g_assert_cmpstr (other->id, ==, "1");
  g_assert_cmpuint (fleet_holds_n (holds), ==, 1);
  g_assert_cmpstr (fleet_holds_get (holds, "a")->id, ==, "3");
}

static void
of_two_at_the_same_time_one_counts (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();

  g_assert_cmpint (take (holds, "a", 5, "m", 1, 1), ==, FLEET_TAKEN);
  g_assert_cmpint (take (holds, "a", 5, "l", 1, 1), ==, FLEET_REPLACED);
  g_assert_cmpint (take (holds, "a", 5, "n", 1, 1), ==, FLEET_REPLACES);
}

static void
removal_removes_what_was_added_before (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();

  take (holds, "a", 5, "1", 1, 3);
  g_assert_null (fleet_holds_remove (holds, "a", 4.5, 10));
  g_autoptr (FleetHold) gone = fleet_holds_remove (holds, "a", 5.5, 10);
  g_assert_nonnull (gone);
  g_assert_cmpint (take (holds, "a", 5.25, "2", 1, 3), ==, FLEET_REMOVED);
  g_assert_cmpint (take (holds, "a", 5.75, "3", 1, 3), ==, FLEET_TAKEN);
}

static void
removal_counts_for_who_is_not_here_yet (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();

  g_assert_null (fleet_holds_remove (holds, "a", 5, 10));
  fleet_holds_forget (holds);
  g_assert_null (fleet_holds_remove (holds, "a", 3, 10)); /* an earlier one takes nothing back */
  g_assert_cmpint (take (holds, "a", 4, "1", 1, 3), ==, FLEET_REMOVED);
}

static void
old_removals_are_forgotten (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();

  fleet_holds_remove (holds, "old", 5, 10);
  for (guint i = 0; i < 5000; i++) {
    g_autofree char *name = g_strdup_printf ("n%u", i);
    g_assert_null (fleet_holds_remove (holds, name, 2 * FLEET_REMOVAL_S, 2 * FLEET_REMOVAL_S));
  }
  g_assert_cmpint (take (holds, "old", 4, "1", 1, 3), ==, FLEET_TAKEN);
  g_assert_cmpint (take (holds, "n1", 4, "1", 1, 3), ==, FLEET_REMOVED);
}

static void
two_workers_agree_whoever_speaks_first (void)
{
  for (int i = 0; i < 2; i++) {
    g_autoptr (FleetHolds) early = fleet_holds_new (), late = fleet_holds_new ();
    bool lets_go;

    take (early, "a", 5, "x", 1, 1);
    take (late, "a", 6, "b", 1, 1);
    FleetHolds *first = i ? early : late, *second = i ? late : early;
    g_autoptr (FleetNote) note = fleet_hold_note (fleet_holds_get (first, "a"), NULL);
    /* Nobody lets go of what he has because of what somebody says that was not asked. */
    for (FleetHolds *to = second; note; to = to == early ? late : early) {
      FleetNote *answer = tell (to, note, &lets_go);
      g_assert_true (!lets_go || (to == early && !answer));
      fleet_note_free (note);
      note = answer;
    }
    g_assert_null (fleet_holds_get (early, "a"));
    g_assert_nonnull (fleet_holds_get (late, "a"));
  }
}

static void
note_of_a_dead_worker_deletes_nothing (void)
{
  g_autoptr (FleetHolds) dead = fleet_holds_new (), living = fleet_holds_new ();
  bool lets_go;

  /* The same message: first with one that said so and died, then with the other. */
  take (dead, "a", 5, "z", 1, 1);
  g_autoptr (FleetNote) note = fleet_hold_note (fleet_holds_get (dead, "a"), NULL);
  take (living, "a", 5, "b", 1, 1);
  g_autoptr (FleetNote) answer = tell (living, note, &lets_go);
  g_assert_false (lets_go);
  g_assert_nonnull (answer);
  g_assert_null (answer->against);
}

static void
answer_against_another_is_not_ours (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();
  bool lets_go;
  const FleetNote note = {.kind = FLEET_NOTE_HELD,
                          .name = (char *) "a",
                          .added_s = 9,
                          .id = (char *) "w",
                          .against = (char *) "someone"};

  take (holds, "a", 5, "b", 1, 1);
  g_autoptr (FleetNote) answer = tell (holds, &note, &lets_go);
  g_assert_false (lets_go);
  g_assert_nonnull (answer);
}

static void
own_notes_and_others_cameras_are_passed_over (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();
  bool lets_go;

  take (holds, "a", 5, "b", 1, 1);
  g_autoptr (FleetNote) own = fleet_hold_note (fleet_holds_get (holds, "a"), "b");
  g_assert_null (tell (holds, own, &lets_go));
  g_assert_false (lets_go);
  own->name[0] = 'c';
  g_assert_null (tell (holds, own, &lets_go));
}

static void
asks_again_only_where_the_number_changes (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();
  uint32_t n;

  g_assert_true (fleet_holds_must_ask (holds, 3, 0, &n));
  g_assert_cmpuint (n, ==, 3);
  const uint32_t first = fleet_holds_asked (holds, 3);
  g_assert_false (fleet_holds_must_ask (holds, 3, 0, &n));
  take (holds, "a", 1, "1", first, 3);
  take (holds, "b", 1, "2", first, 3);
  g_assert_false (fleet_holds_must_ask (holds, 3, 0, &n)); /* the broker still owes one */

  g_assert_true (fleet_holds_must_ask (holds, 2, 0, &n));
  g_assert_cmpuint (n, ==, 0);
  fleet_holds_asked (holds, 0);
  g_assert_false (fleet_holds_must_ask (holds, 2, 0, &n));
  g_autoptr (FleetHold) gone = fleet_holds_drop (holds, "a"); /* of an earlier consumer */
  g_assert_nonnull (gone);
  g_assert_true (fleet_holds_must_ask (holds, 2, 0, &n));
  g_assert_cmpuint (n, ==, 1);
}

static void
after_a_loss_all_is_asked_for_again (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();
  uint32_t n;

  const uint32_t first = fleet_holds_asked (holds, 2);
  take (holds, "a", 1, "1", first, 2);
  fleet_holds_forget (holds);
  g_assert_cmpuint (fleet_holds_n (holds), ==, 0);
  g_assert_null (fleet_holds_newest (holds));
  g_assert_true (fleet_holds_must_ask (holds, 2, 0, &n));
  g_assert_cmpuint (n, ==, 2);
}

static void
parked_messages_do_not_keep_others_away (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();
  uint32_t n;

  fleet_holds_asked (holds, 2);
  g_assert_true (fleet_holds_must_ask (holds, 2, 1, &n));
  g_assert_cmpuint (n, ==, 2);
  fleet_holds_asked (holds, 2);
  g_assert_false (fleet_holds_must_ask (holds, 2, 0, &n)); /* it came to an earlier consumer */
  g_assert_true (fleet_holds_must_ask (holds, 2, 5, &n));
}

static void
suspects_wait_for_others_to_be_well (void)
{
  g_autoptr (FleetHolds) holds = fleet_holds_new ();
  g_autoptr (FleetHold) other = NULL;
  FleetHold *hold = make_hold ("a", 1, "1", 1);

  hold->trial_us = 20;
  hold->company = 2;
  g_assert_cmpuint (fleet_holds_limit (holds, 9, 9, 10), ==, 9);
  g_assert_cmpint (fleet_holds_take (holds, hold, 9, &other), ==, FLEET_TAKEN);
  g_assert_cmpuint (fleet_holds_limit (holds, 9, 9, 10), ==, 2); /* it keeps others away */
  g_assert_cmpuint (fleet_holds_limit (holds, 9, 1, 10), ==, 1); /* and is in the way of others */
  g_assert_cmpuint (fleet_holds_limit (holds, 9, 1, 20), ==, 2); /* not for ever */
  fleet_holds_trust (holds, "a");
  fleet_holds_trust (holds, "unknown");
  g_assert_cmpuint (fleet_holds_limit (holds, 9, 9, 10), ==, 9);
  g_assert_cmpuint (fleet_holds_limit (holds, 9, 1, 10), ==, 2);
  take (holds, "b", 1, "2", 1, 9);
  g_assert_cmpuint (fleet_holds_limit (holds, 2, 1, 10), ==, 2);
}

/* ---- capacity -------------------------------------------------------------------------------- */

static FleetCapacity
make_capacity (void)
{
  FleetCapacity capacity = {
      .most = 4, .slow_below = 0.8, .slow_after_us = 30 * S, .raise_after_us = 300 * S};

  fleet_capacity_start (&capacity, 0);
  return capacity;
}

static void
slow_worker_gives_one_back_after_a_while (void)
{
  FleetCapacity capacity = make_capacity ();

  for (int i = 1; i <= 30; i++)
    g_assert_false (fleet_capacity_judge (&capacity, 79, 100, 4, i * S));
  g_assert_true (fleet_capacity_judge (&capacity, 79, 100, 4, 31 * S));
  g_assert_cmpuint (capacity.now, ==, 3);
  g_assert_false (fleet_capacity_judge (&capacity, 79, 100, 3, 32 * S)); /* a while again */
}

static void
a_moment_is_not_slow (void)
{
  FleetCapacity capacity = make_capacity ();

  for (int i = 1; i <= 600; i++)
    g_assert_false (fleet_capacity_judge (&capacity, i % 20 ? 10 : 100, 100, 4, i * S));
  g_assert_cmpuint (capacity.now, ==, 4);
}

static void
nothing_wanted_is_not_slow (void)
{
  FleetCapacity capacity = make_capacity ();

  for (int i = 1; i <= 100; i++)
    g_assert_false (fleet_capacity_judge (&capacity, 0, 0, 4, i * S));
}

static void
last_camera_is_kept (void)
{
  FleetCapacity capacity = make_capacity ();

  for (int i = 1; i <= 100; i++)
    g_assert_false (fleet_capacity_judge (&capacity, 1, 100, 1, i * S));
}

static void
steady_worker_takes_one_more_up_to_the_most (void)
{
  FleetCapacity capacity = make_capacity ();

  capacity.now = 2;
  fleet_capacity_judge (&capacity, 100, 100, 2, 299 * S);
  g_assert_cmpuint (capacity.now, ==, 2);
  fleet_capacity_judge (&capacity, 100, 100, 2, 300 * S);
  g_assert_cmpuint (capacity.now, ==, 3);
  fleet_capacity_judge (&capacity, 100, 100, 2, 600 * S);
  fleet_capacity_judge (&capacity, 100, 100, 2, 900 * S);
  g_assert_cmpuint (capacity.now, ==, 4);
}

static void
measured_capacity_has_ends (void)
{
  g_assert_cmpuint (fleet_capacity_measured (1000, 25, 0.8), ==, 32);
  g_assert_cmpuint (fleet_capacity_measured (0, 25, 0.8), ==, 1);
  g_assert_cmpuint (fleet_capacity_measured (1e12, 1, 1), ==, FLEET_MAX_CAPACITY);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/fleet/" #name, name)
  TEST (takes_until_it_is_full);
  TEST (later_replaces_earlier_here);
  TEST (of_two_at_the_same_time_one_counts);
  TEST (removal_removes_what_was_added_before);
  TEST (removal_counts_for_who_is_not_here_yet);
  TEST (old_removals_are_forgotten);
  TEST (two_workers_agree_whoever_speaks_first);
  TEST (note_of_a_dead_worker_deletes_nothing);
  TEST (answer_against_another_is_not_ours);
  TEST (own_notes_and_others_cameras_are_passed_over);
  TEST (asks_again_only_where_the_number_changes);
  TEST (after_a_loss_all_is_asked_for_again);
  TEST (parked_messages_do_not_keep_others_away);
  TEST (suspects_wait_for_others_to_be_well);
  TEST (slow_worker_gives_one_back_after_a_while);
  TEST (a_moment_is_not_slow);
  TEST (nothing_wanted_is_not_slow);
  TEST (last_camera_is_kept);
  TEST (steady_worker_takes_one_more_up_to_the_most);
  TEST (measured_capacity_has_ends);
#undef TEST
  return g_test_run ();
}
