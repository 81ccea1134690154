/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-runner.c - who gets a slot, and who waits for one. */
#include "engine/runner.h"

#include <string.h>

#include "engine/error.h"

/* Slots alone: without a plan and an executor. */
static void
init_slots (YvRunner *runner)
{
  *runner = (YvRunner){0};
  g_mutex_init (&runner->mutex);
  g_cond_init (&runner->slot_freed);
}

static void
clear_slots (YvRunner *runner)
{
  g_cond_clear (&runner->slot_freed);
  g_mutex_clear (&runner->mutex);
}

static uint32_t
take (YvRunner *runner, bool lasts)
{
  g_autoptr (GError) error = NULL;
  uint32_t slot = UINT32_MAX;

  g_assert_true (yv_runner_take_slot (runner, lasts, &slot, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (slot, <, YV_RUNNER_MAX_SLOTS);
  return slot;
}

/* Where they did, this test would never end. */
static void
batches_in_flight_leave_slots_to_those_who_wait (void)
{
  YvRunner runner;
  uint32_t slot;

  init_slots (&runner);
  for (uint32_t i = 0; i < YV_RUNNER_MAX_LASTING; i++)
    take (&runner, true);
  for (uint32_t round = 0; round < 2; round++) {
    g_autoptr (GError) error = NULL;
    uint32_t slots[YV_RUNNER_SLOTS];

    for (uint32_t i = 0; i < YV_RUNNER_SLOTS; i++)
      slots[i] = take (&runner, false);
    g_assert_false (yv_runner_take_slot (&runner, true, &slot, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
    g_assert_nonnull (strstr (error->message, "253 batches"));
    for (uint32_t i = 0; i < YV_RUNNER_SLOTS; i++)
      yv_runner_give_slot (&runner, slots[i]);
  }
  g_assert_cmpuint (runner.n_taken, ==, YV_RUNNER_MAX_LASTING);
  clear_slots (&runner);
}

static void
a_slot_that_was_given_back_is_taken_again (void)
{
  YvRunner runner;

  init_slots (&runner);
  const uint32_t first = take (&runner, false), second = take (&runner, true);
  g_assert_cmpuint (first, !=, second);
  yv_runner_give_slot (&runner, first);
  g_assert_cmpuint (take (&runner, true), ==, first);
  yv_runner_give_slot (&runner, second);
  yv_runner_give_slot (&runner, first);
  g_assert_cmpuint (runner.n_taken, ==, 0);
  g_assert_cmpuint (runner.n_lasting, ==, 0);
  clear_slots (&runner);
}

static gpointer
wait_for_slot (gpointer user_data)
{
  return GUINT_TO_POINTER (take (user_data, false));
}

static void
who_waits_gets_the_slot_of_another_who_waited (void)
{
  YvRunner runner;
  uint32_t slots[YV_RUNNER_SLOTS];

  init_slots (&runner);
  for (uint32_t i = 0; i < YV_RUNNER_SLOTS; i++)
    slots[i] = take (&runner, false);
  take (&runner, true);
  GThread *thread = g_thread_new ("waits", wait_for_slot, &runner);
  yv_runner_give_slot (&runner, slots[1]);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, slots[1]);
  clear_slots (&runner);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/runner/lasting", batches_in_flight_leave_slots_to_those_who_wait);
  g_test_add_func ("/runner/again", a_slot_that_was_given_back_is_taken_again);
  g_test_add_func ("/runner/waiting", who_waits_gets_the_slot_of_another_who_waited);
  return g_test_run ();
}
