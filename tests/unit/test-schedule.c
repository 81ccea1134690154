/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-schedule.c - engine/plan/schedule.h: as early as possible, never too early. */
#include "engine/plan/schedule.h"

#define ALL .c_first = 0, .c_end = 8

static void
a_step_comes_after_what_it_reads (void)
{
  YvTask tasks[] = {
      {.write = {.value = 0, ALL}},
      {.reads = {{.value = 0, ALL}}, .n_reads = 1, .write = {.value = 1, ALL}},
      {.reads = {{.value = 0, ALL}}, .n_reads = 1, .write = {.value = 2, ALL}},
      {.reads = {{.value = 1, ALL}, {.value = 2, ALL}}, .n_reads = 2, .write = {.value = 3, ALL}},
  };
  const uint32_t expected[] = {0, 1, 1, 2};

  g_assert_cmpuint (yv_schedule_levels (tasks, 4), ==, 3);
  for (int i = 0; i < 4; i++)
    g_assert_cmpuint (tasks[i].level, ==, expected[i]);
}

static void
slices_of_one_value_do_not_wait_for_each_other (void)
{
  YvTask tasks[] = {
      {.write = {.value = 0, .c_first = 0, .c_end = 8}},
      {.write = {.value = 0, .c_first = 8, .c_end = 16}},
      {.reads = {{.value = 0, .c_first = 8, .c_end = 16}},
       .n_reads = 1,
       .write = {.value = 0, .c_first = 16, .c_end = 24}},
      {.reads = {{.value = 0, .c_first = 0, .c_end = 24}},
       .n_reads = 1,
       .write = {.value = 1, ALL}},
  };

  g_assert_cmpuint (yv_schedule_levels (tasks, 4), ==, 3);
  g_assert_cmpuint (tasks[1].level, ==, 0);
  g_assert_cmpuint (tasks[2].level, ==, 1);
  g_assert_cmpuint (tasks[3].level, ==, 2);
}

/* An ADD of three inputs: two steps, the second in place. */
static void
a_step_in_place_comes_after_both_writer_and_readers (void)
{
  YvTask tasks[] = {
      {.write = {.value = 0, ALL}},
      {.reads = {{.value = 0, ALL}}, .n_reads = 1, .write = {.value = 1, ALL}},
      {.reads = {{.value = 1, ALL}}, .n_reads = 1, .write = {.value = 2, ALL}},
      {.reads = {{.value = 1, ALL}}, .n_reads = 1, .write = {.value = 1, ALL}},
  };

  yv_schedule_levels (tasks, 4);
  g_assert_cmpuint (tasks[3].level, ==, 3);
}

static void
last_steps_share_the_last_level (void)
{
  YvTask tasks[] = {
      {.write = {.value = 0, ALL}},
      {.reads = {{.value = 0, ALL}},
       .n_reads = 1,
       .write = {.value = YV_NO_VALUE},
       .is_last = true},
      {.reads = {{.value = 0, ALL}}, .n_reads = 1, .write = {.value = 1, ALL}},
      {.reads = {{.value = 1, ALL}},
       .n_reads = 1,
       .write = {.value = YV_NO_VALUE},
       .is_last = true},
  };

  g_assert_cmpuint (yv_schedule_levels (tasks, 4), ==, 3);
  g_assert_cmpuint (tasks[1].level, ==, 2);
  g_assert_cmpuint (tasks[3].level, ==, 2);
}

static void
a_group_writes_one_value_at_once (void)
{
  YvTask tasks[] = {
      {.write = {.value = 0, ALL}, .group = 1},
      {.write = {.value = 0, ALL}, .group = 1},
      {.reads = {{.value = 0, ALL}}, .n_reads = 1, .write = {.value = 1, ALL}},
  };

  g_assert_cmpuint (yv_schedule_levels (tasks, 3), ==, 2);
  g_assert_cmpuint (tasks[1].level, ==, 0);
  g_assert_cmpuint (tasks[2].level, ==, 1);
}

static void
a_value_lives_from_its_first_writer_to_its_last_reader (void)
{
  YvTask tasks[] = {
      {.write = {.value = 0, ALL}},
      {.reads = {{.value = 0, ALL}}, .n_reads = 1, .write = {.value = 1, ALL}},
      {.reads = {{.value = 1, ALL}}, .n_reads = 1, .write = {.value = 2, ALL}},
      {.reads = {{.value = 0, ALL}, {.value = 2, ALL}},
       .n_reads = 2,
       .write = {.value = YV_NO_VALUE}},
  };
  YvArenaSlot slots[4];

  yv_schedule_levels (tasks, 4);
  yv_schedule_lifetimes (tasks, 4, slots, 4);
  g_assert_cmpuint (slots[0].first_level, ==, 0);
  g_assert_cmpuint (slots[0].last_level, ==, 3);
  g_assert_cmpuint (slots[1].first_level, ==, 1);
  g_assert_cmpuint (slots[1].last_level, ==, 2);
  g_assert_cmpuint (slots[2].first_level, ==, 2);
  g_assert_cmpuint (slots[2].last_level, ==, 3);
  g_assert_cmpuint (slots[3].last_level, ==, 0); /* nobody touches it */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/schedule/after-reads", a_step_comes_after_what_it_reads);
  g_test_add_func ("/schedule/slices", slices_of_one_value_do_not_wait_for_each_other);
  g_test_add_func ("/schedule/in-place", a_step_in_place_comes_after_both_writer_and_readers);
  g_test_add_func ("/schedule/last", last_steps_share_the_last_level);
  g_test_add_func ("/schedule/group", a_group_writes_one_value_at_once);
  g_test_add_func ("/schedule/lifetimes", a_value_lives_from_its_first_writer_to_its_last_reader);
  return g_test_run ();
}
