/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-cut.c - a plan in pieces. */
#include "engine/plan/cut.h"

#define N_STEPS 6

/* Of a LETTERBOX and the steps behind it. */
static const uint64_t flops_of_steps[N_STEPS] = {0, 30, 0, 50, 500, 20};

/* Of three that compute the first convolution, too. */
static const uint64_t flops_of_fused_steps[N_STEPS] = {40, 40, 40, 30, 0, 20};

static uint32_t
cut (const uint64_t *all_flops, uint32_t n_letterboxes, uint64_t max_flops, uint32_t *ends)
{
  g_autoptr (GArray) steps = g_array_new (FALSE, TRUE, sizeof (YvStep));
  const YvPlan plan = {.steps = steps, .first_network_step = n_letterboxes};

  for (uint32_t i = 0; i < N_STEPS; i++) {
    const YvStep step = {.flops = all_flops[i]};

    g_array_append_val (steps, step);
  }
  return yv_plan_cut (&plan, max_flops, ends);
}

static void
a_piece_has_no_more_flops_than_it_may (void)
{
  uint32_t ends[N_STEPS + 1];

  g_assert_cmpuint (cut (flops_of_steps, 1, 80, ends), ==, 3); /* 30 + 50, 500 alone, 20 */
  g_assert_cmpuint (ends[0], ==, 4);
  g_assert_cmpuint (ends[1], ==, 5);
  g_assert_cmpuint (ends[2], ==, 6);
  g_assert_cmpuint (cut (flops_of_steps, 1, 79, ends), ==, 4);
  g_assert_cmpuint (ends[0], ==, 3); /* what has no FLOPs goes with what is before it */
  g_assert_cmpuint (cut (flops_of_steps, 1, 0, ends), ==, 4);
}

static void
letterboxes_that_compute_are_cut_as_all_steps_are (void)
{
  uint32_t ends[N_STEPS + 1];

  g_assert_cmpuint (cut (flops_of_fused_steps, 3, 80, ends), ==, 3); /* 80, 40 + 30, 20 */
  g_assert_cmpuint (ends[0], ==, 2);
  g_assert_cmpuint (ends[1], ==, 5);
  g_assert_cmpuint (ends[2], ==, 6);
  g_assert_cmpuint (cut (flops_of_fused_steps, 3, 40, ends), ==, 5);
  for (uint32_t i = 0; i < 3; i++)
    g_assert_cmpuint (ends[i], ==, i + 1);
}

static void
a_strong_device_has_one_piece (void)
{
  uint32_t ends[N_STEPS + 1];

  g_assert_cmpuint (cut (flops_of_steps, 1, UINT64_MAX, ends), ==, 1);
  g_assert_cmpuint (ends[0], ==, N_STEPS);
}

static void
a_plan_without_network_is_one_piece (void)
{
  g_autoptr (GArray) steps = g_array_new (FALSE, TRUE, sizeof (YvStep));
  const YvPlan plan = {.steps = steps};
  uint32_t ends[1];

  g_assert_cmpuint (yv_plan_cut (&plan, 1, ends), ==, 1);
  g_assert_cmpuint (ends[0], ==, 0);
}

static void
a_piece_is_what_the_device_does_in_its_time (void)
{
  const YvPlan plan = {.flops = 5000};

  g_assert_cmpuint (yv_plan_piece_flops (&plan, YV_PIECE_NS), ==, 5000);
  g_assert_cmpuint (yv_plan_piece_flops (&plan, 5 * YV_PIECE_NS), ==, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cut/bound", a_piece_has_no_more_flops_than_it_may);
  g_test_add_func ("/cut/letterboxes", letterboxes_that_compute_are_cut_as_all_steps_are);
  g_test_add_func ("/cut/one", a_strong_device_has_one_piece);
  g_test_add_func ("/cut/none", a_plan_without_network_is_one_piece);
  g_test_add_func ("/cut/measured", a_piece_is_what_the_device_does_in_its_time);
  return g_test_run ();
}
