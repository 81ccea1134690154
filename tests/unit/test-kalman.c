/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-kalman.c - gst/track/kalman.h against the textbook's matrices. */
#include "gst/track/kalman.h"

#include <math.h>
#include <string.h>

#define N 8 /* cx, cy, w, h, and the rate of each */
#define EPSILON 1e-9

/* The same noise as in kalman.c, which kalman.h documents. */
#define MEASURED 0.12
#define PLACE 0.05
#define SPEED 0.009

typedef struct {
  double x[N], p[N][N];
} Plain;

static void
multiply (double a[N][N], double b[N][N], gboolean turn_b, double out[N][N])
{
  double result[N][N] = {{0}};

  for (guint i = 0; i < N; i++)
    for (guint j = 0; j < N; j++)
      for (guint k = 0; k < N; k++)
        result[i][j] += a[i][k] * (turn_b ? b[j][k] : b[k][j]);
  memcpy (out, result, sizeof result);
}

/* Axis 0 and 2 are across. */
static double
size_of (const Plain *plain, guint axis)
{
  const double w = MAX (plain->x[2], 1), h = MAX (plain->x[3], 1);

  return axis % 2 ? h : (w + h) / 2;
}

static void
predict_plain (Plain *plain, double t)
{
  double f[N][N] = {{0}}, x[N] = {0}, size[4];

  for (guint i = 0; i < 4; i++)
    size[i] = size_of (plain, i);
  for (guint i = 0; i < N; i++)
    f[i][i] = 1;
  for (guint i = 0; i < 4; i++)
    f[i][i + 4] = t;
  for (guint i = 0; i < N; i++)
    for (guint j = 0; j < N; j++)
      x[i] += f[i][j] * plain->x[j];
  memcpy (plain->x, x, sizeof x);
  multiply (f, plain->p, FALSE, plain->p);
  multiply (plain->p, f, TRUE, plain->p);
  for (guint i = 0; i < 4; i++) {
    const double place = pow (PLACE * size[i], 2), speed = pow (SPEED * size[i], 2);
    plain->p[i][i] += place * t + speed * t * t * t / 3;
    plain->p[i][i + 4] += speed * t * t / 2;
    plain->p[i + 4][i] += speed * t * t / 2;
    plain->p[i + 4][i + 4] += speed * t;
  }
}

/* One coordinate after the other, which for diagonal noise is the same as all at once. */
static void
update_plain (Plain *plain, const double *seen)
{
  double size[4];

  for (guint i = 0; i < 4; i++)
    size[i] = size_of (plain, i);
  for (guint i = 0; i < 4; i++) {
    double gain[N], p[N][N];
    const double total = plain->p[i][i] + pow (MEASURED * size[i], 2);
    const double surprise = seen[i] - plain->x[i];
    for (guint k = 0; k < N; k++)
      gain[k] = plain->p[k][i] / total;
    for (guint k = 0; k < N; k++)
      plain->x[k] += gain[k] * surprise;
    for (guint k = 0; k < N; k++)
      for (guint l = 0; l < N; l++)
        p[k][l] = plain->p[k][l] - gain[k] * plain->p[i][l];
    memcpy (plain->p, p, sizeof p);
  }
}

static void
assert_axis (const Plain *plain, guint i, const YvKalmanAxis *axis)
{
  g_assert_cmpfloat_with_epsilon (axis->value, plain->x[i], EPSILON * 1e3);
  g_assert_cmpfloat_with_epsilon (axis->rate, plain->x[i + 4], EPSILON * 1e3);
  g_assert_cmpfloat_with_epsilon (axis->var_value, plain->p[i][i], EPSILON * 1e3);
  g_assert_cmpfloat_with_epsilon (axis->cov, plain->p[i][i + 4], EPSILON * 1e3);
  g_assert_cmpfloat_with_epsilon (axis->var_rate, plain->p[i + 4][i + 4], EPSILON * 1e3);
}

static void
load_axis (Plain *plain, guint i, const YvKalmanAxis *axis)
{
  plain->x[i] = axis->value;
  plain->x[i + 4] = axis->rate;
  plain->p[i][i] = axis->var_value;
  plain->p[i][i + 4] = plain->p[i + 4][i] = axis->cov;
  plain->p[i + 4][i + 4] = axis->var_rate;
}

static void
it_is_the_filter_of_the_textbook (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1960);
  YvTrackBox box = {100, 50, 40, 90};
  Plain plain = {{0}, {{0}}};
  YvKalman kalman;

  yv_kalman_init (&kalman, &box);
  const YvKalmanAxis *const axes[] = {&kalman.cx, &kalman.cy, &kalman.w, &kalman.h};
  for (guint i = 0; i < 4; i++)
    load_axis (&plain, i, axes[i]);
  for (guint step = 0; step < 200; step++) {
    const double t = g_rand_double_range (rand, 0, 3);
    box.x += g_rand_double_range (rand, -2, 6);
    box.y += g_rand_double_range (rand, -3, 3);
    box.w = g_rand_double_range (rand, 35, 45);
    box.h = g_rand_double_range (rand, 80, 100);
    yv_kalman_predict (&kalman, t);
    predict_plain (&plain, t);
    if (step % 3) {
      const double seen[] = {box.x + box.w / 2, box.y + box.h / 2, box.w, box.h};
      yv_kalman_update (&kalman, &box);
      update_plain (&plain, seen);
    }
    for (guint i = 0; i < 4; i++)
      assert_axis (&plain, i, axes[i]);
  }
}

/* The noise is that of the size at the start of each prediction, so the size must not change. */
static void
two_short_predictions_are_one_long (void)
{
  YvKalman once, twice;

  yv_kalman_init (&once, &(YvTrackBox){100, 50, 40, 90});
  once.cx.rate = 3;
  once.cy.rate = -0.5;
  twice = once;
  yv_kalman_predict (&once, 5.5);
  yv_kalman_predict (&twice, 1.25);
  yv_kalman_predict (&twice, 4.25);
  g_assert_cmpfloat_with_epsilon (once.cx.value, twice.cx.value, EPSILON);
  g_assert_cmpfloat_with_epsilon (once.cx.var_value, twice.cx.var_value, EPSILON * 1e3);
  g_assert_cmpfloat_with_epsilon (once.cy.cov, twice.cy.cov, EPSILON * 1e3);
  g_assert_cmpfloat_with_epsilon (once.h.var_rate, twice.h.var_rate, EPSILON);
}

static void
a_box_that_moves_steadily_is_foretold (void)
{
  YvKalman kalman;

  yv_kalman_init (&kalman, &(YvTrackBox){100, 50, 40, 90});
  for (guint i = 1; i <= 60; i++) {
    yv_kalman_predict (&kalman, 1);
    yv_kalman_update (&kalman, &(YvTrackBox){100 + 3 * i, 50 - 0.5 * i, 40, 90});
  }
  yv_kalman_predict (&kalman, 10);
  const YvTrackBox box = yv_kalman_box (&kalman);
  g_assert_cmpfloat_with_epsilon (box.x, 100 + 3 * 70, 1);
  g_assert_cmpfloat_with_epsilon (box.y, 50 - 0.5 * 70, 1);
  g_assert_cmpfloat_with_epsilon (box.w, 40, 0.1);
  g_assert_cmpfloat_with_epsilon (box.h, 90, 0.1);
}

static void
no_time_changes_nothing (void)
{
  YvKalman kalman;

  yv_kalman_init (&kalman, &(YvTrackBox){-5, 7, 1, 2});
  const YvKalman before = kalman;
  yv_kalman_predict (&kalman, 0);
  g_assert_cmpmem (&kalman, sizeof kalman, &before, sizeof before);
}

static void
a_box_never_shrinks_to_nothing (void)
{
  YvKalman kalman;

  yv_kalman_init (&kalman, &(YvTrackBox){100, 50, 40, 90});
  for (guint i = 1; i <= 8; i++) {
    yv_kalman_predict (&kalman, 1);
    yv_kalman_update (&kalman, &(YvTrackBox){100, 50, 40 - 4 * i, 90 - 10 * i});
  }
  yv_kalman_predict (&kalman, 1e6);
  const YvTrackBox box = yv_kalman_box (&kalman);
  g_assert_cmpfloat (box.w, ==, 1);
  g_assert_cmpfloat (box.h, ==, 1);
  g_assert_true (isfinite (box.x) && isfinite (box.y));
}

/* Rounding must not make a variance negative, however long it goes on. */
static void
certainty_stays_finite_and_positive (void)
{
  YvKalman kalman;

  yv_kalman_init (&kalman, &(YvTrackBox){1e6, -1e6, 1e-3, 1e6});
  for (guint i = 0; i < 100000; i++) {
    yv_kalman_predict (&kalman, i % 7 ? 1 : 0);
    yv_kalman_update (&kalman, &(YvTrackBox){i % 2 ? 1e6 : -1e6, 0, 1e6, 1e-3});
  }
  const YvKalmanAxis *const axes[] = {&kalman.cx, &kalman.cy, &kalman.w, &kalman.h};
  for (guint i = 0; i < 4; i++) {
    g_assert_cmpfloat (axes[i]->var_value, >=, 0);
    g_assert_cmpfloat (axes[i]->var_rate, >=, 0);
    g_assert_true (isfinite (axes[i]->value) && isfinite (axes[i]->rate));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/kalman/" #test, test)
  ADD (it_is_the_filter_of_the_textbook);
  ADD (two_short_predictions_are_one_long);
  ADD (a_box_that_moves_steadily_is_foretold);
  ADD (no_time_changes_nothing);
  ADD (a_box_never_shrinks_to_nothing);
  ADD (certainty_stays_finite_and_positive);
#undef ADD
  return g_test_run ();
}
