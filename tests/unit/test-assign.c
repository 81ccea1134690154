/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-assign.c - gst/track/assign.h against every matching there is, and its bounds. */
#include "gst/track/assign.h"

#include <math.h>
#include <stdbool.h>

#define MOST 6
#define NONE YV_ASSIGN_NONE

typedef struct {
  YvAssignPair pairs[MOST * MOST];
  uint32_t n_pairs, n_rows, n_cols;
} Problem;

/* Every pair exists with a probability of @percent; some have the same gain. */
static Problem
random_problem (GRand *rand, gint percent)
{
  Problem p = {.n_rows = (uint32_t) g_rand_int_range (rand, 1, MOST + 1),
               .n_cols = (uint32_t) g_rand_int_range (rand, 1, MOST + 1)};

  for (uint32_t row = 0; row < p.n_rows; row++)
    for (uint32_t col = 0; col < p.n_cols; col++)
      if (g_rand_int_range (rand, 0, 100) < percent)
        p.pairs[p.n_pairs++] =
            (YvAssignPair){row, col, (float) g_rand_int_range (rand, 1, 17) / 16};
  return p;
}

static double
gain_of (const Problem *p, uint32_t row, uint32_t col)
{
  for (uint32_t i = 0; i < p->n_pairs; i++)
    if (p->pairs[i].row == row && p->pairs[i].col == col)
      return (double) p->pairs[i].gain;
  return -1;
}

/* The best sum of rows from @row on; @taken: a bit for each column. */
static double
best_sum (const Problem *p, uint32_t row, uint32_t taken)
{
  if (row == p->n_rows)
    return 0;
  double best = best_sum (p, row + 1, taken);
  for (uint32_t col = 0; col < p->n_cols; col++) {
    const double gain = gain_of (p, row, col);
    if (gain > 0 && !(taken >> col & 1))
      best = MAX (best, gain + best_sum (p, row + 1, taken | 1u << col));
  }
  return best;
}

/* Of a matching that must be one: listed pairs alone, no column twice. */
static double
sum_of (const Problem *p, const uint32_t *col_of_row)
{
  uint32_t taken = 0;
  double sum = 0;

  for (uint32_t row = 0; row < p->n_rows; row++) {
    const uint32_t col = col_of_row[row];
    if (col == NONE)
      continue;
    g_assert_cmpuint (col, <, p->n_cols);
    g_assert_false (taken >> col & 1);
    g_assert_cmpfloat (gain_of (p, row, col), >, 0);
    taken |= 1u << col;
    sum += gain_of (p, row, col);
  }
  return sum;
}

static void
no_matching_has_a_larger_sum (void)
{
  g_autoptr (YvAssign) assign = yv_assign_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (20150);

  for (guint i = 0; i < 4000; i++) {
    const Problem p = random_problem (rand, 10 + (gint) (i % 10) * 10);
    uint32_t col_of_row[MOST];
    yv_assign_solve (assign, p.pairs, p.n_pairs, p.n_rows, p.n_cols, col_of_row);
    g_assert_cmpfloat_with_epsilon (sum_of (&p, col_of_row), best_sum (&p, 0, 0), 1e-9);
  }
}

static void
the_best_pair_yields_where_the_sum_is_larger (void)
{
  g_autoptr (YvAssign) assign = yv_assign_new ();
  const YvAssignPair pairs[] = {{0, 0, 0.9f}, {0, 1, 0.8f}, {1, 0, 0.7f}};
  uint32_t col_of_row[2];

  yv_assign_solve (assign, pairs, 3, 2, 2, col_of_row);
  g_assert_cmpuint (col_of_row[0], ==, 1);
  g_assert_cmpuint (col_of_row[1], ==, 0);
}

static void
without_pairs_nobody_matches (void)
{
  g_autoptr (YvAssign) assign = yv_assign_new ();
  uint32_t col_of_row[3] = {0, 1, 2};

  yv_assign_solve (assign, NULL, 0, 3, 5, col_of_row);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (col_of_row[i], ==, NONE);
  yv_assign_solve (assign, NULL, 0, 0, 0, col_of_row);
  yv_assign_solve (assign, NULL, 0, 3, 0, col_of_row);
  g_assert_cmpuint (col_of_row[2], ==, NONE);
}

/* What one problem leaves in memory must not show in the next. */
static void
the_same_pairs_give_the_same_result (void)
{
  g_autoptr (YvAssign) used = yv_assign_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint i = 0; i < 500; i++) {
    const Problem p = random_problem (rand, 60);
    g_autoptr (YvAssign) fresh = yv_assign_new ();
    uint32_t a[MOST], b[MOST];
    yv_assign_solve (used, p.pairs, p.n_pairs, p.n_rows, p.n_cols, a);
    yv_assign_solve (fresh, p.pairs, p.n_pairs, p.n_rows, p.n_cols, b);
    for (uint32_t row = 0; row < p.n_rows; row++)
      g_assert_cmpuint (a[row], ==, b[row]);
  }
}

/* All n x n pairs, the best of each row on the diagonal. */
static YvAssignPair *
dense (uint32_t n)
{
  YvAssignPair *pairs = g_new (YvAssignPair, (size_t) n * n);

  for (uint32_t row = 0; row < n; row++)
    for (uint32_t col = 0; col < n; col++)
      pairs[(size_t) row * n + col] =
          (YvAssignPair){row, col, 1 / (1 + fabsf ((float) row - (float) col))};
  return pairs;
}

static void
crowds_larger_than_the_bound_are_matched_too (void)
{
  g_autoptr (YvAssign) assign = yv_assign_new ();

  for (uint32_t n = YV_ASSIGN_EXACT - 1; n <= YV_ASSIGN_EXACT + 1; n++) {
    g_autofree YvAssignPair *pairs = dense (n);
    g_autofree uint32_t *col_of_row = g_new (uint32_t, n);
    yv_assign_solve (assign, pairs, n * n, n, n, col_of_row);
    for (uint32_t row = 0; row < n; row++)
      g_assert_cmpuint (col_of_row[row], ==, row);
  }
}

/* A crowd is not optimal, but still a matching: nobody is left who could have had a free column. */
static void
a_crowd_takes_the_best_pairs_first (void)
{
  const uint32_t n = YV_ASSIGN_EXACT + 1;
  g_autoptr (YvAssign) assign = yv_assign_new ();
  g_autofree YvAssignPair *pairs = dense (n);
  g_autofree uint32_t *col_of_row = g_new (uint32_t, n);

  pairs[1].gain = 2; /* row 0 would rather have column 1 */
  yv_assign_solve (assign, pairs, n * n, n, n, col_of_row);
  g_assert_cmpuint (col_of_row[0], ==, 1);
  g_assert_cmpuint (col_of_row[2], ==, 2);
  g_assert_cmpuint (col_of_row[1], ==, 0);
}

/* One row and many columns, and the other way round: their smaller side is far below the bound. */
static void
a_long_row_is_solved_exactly (void)
{
  enum { N = 5000 };
  g_autoptr (YvAssign) assign = yv_assign_new ();
  g_autofree YvAssignPair *pairs = g_new (YvAssignPair, N);
  g_autofree uint32_t *col_of_row = g_new (uint32_t, N);

  for (uint32_t i = 0; i < N; i++)
    pairs[i] = (YvAssignPair){0, i, i == 4321 ? 0.75f : 0.5f};
  yv_assign_solve (assign, pairs, N, 1, N, col_of_row);
  g_assert_cmpuint (col_of_row[0], ==, 4321);

  for (uint32_t i = 0; i < N; i++)
    pairs[i] = (YvAssignPair){i, 0, pairs[i].gain};
  yv_assign_solve (assign, pairs, N, N, 1, col_of_row);
  for (uint32_t i = 0; i < N; i++)
    g_assert_cmpuint (col_of_row[i], ==, i == 4321 ? 0 : NONE);
}

static void
nothing_can_be_freed (void)
{
  yv_assign_free (NULL);
  yv_assign_free (yv_assign_new ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/assign/" #test, test)
  ADD (no_matching_has_a_larger_sum);
  ADD (the_best_pair_yields_where_the_sum_is_larger);
  ADD (without_pairs_nobody_matches);
  ADD (the_same_pairs_give_the_same_result);
  ADD (crowds_larger_than_the_bound_are_matched_too);
  ADD (a_crowd_takes_the_best_pairs_first);
  ADD (a_long_row_is_solved_exactly);
  ADD (nothing_can_be_freed);
#undef ADD
  return g_test_run ();
}
