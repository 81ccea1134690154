/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/kalman.c - four filters of two numbers. */
#include "gst/track/kalman.h"

/* By how much of its size a box deviates: what is measured of it, and what chance adds to its place
 * and to its speed in a frame. Found by trying: docs/tracking.md. */
#define MEASURED 0.12
#define PLACE 0.05
#define SPEED 0.009

/* How fast an object may be that was seen once: the deviation of its speed, in units of SPEED. */
#define FIRST_SPEED 15

static void
init_axis (YvKalmanAxis *axis, double seen, double size)
{
  const double place = MEASURED * size, speed = FIRST_SPEED * SPEED * size;

  *axis = (YvKalmanAxis){.value = seen, .var_value = place * place, .var_rate = speed * speed};
}

/* F P F' + Q with F = [1 t; 0 1], written out. */
static void
predict_axis (YvKalmanAxis *axis, double t, double size)
{
  const double place = PLACE * size, speed = SPEED * size;
  const double q_rate = speed * speed * t;

  axis->value += t * axis->rate;
  axis->var_value +=
      t * (2 * axis->cov + t * axis->var_rate) + place * place * t + q_rate * t * t / 3;
  axis->cov += t * axis->var_rate + q_rate * t / 2;
  axis->var_rate += q_rate;
}

/* K = P H' / (H P H' + r), then (I - K H) P, with H = [1 0], written out. */
static void
update_axis (YvKalmanAxis *axis, double seen, double deviation)
{
  const double total = axis->var_value + deviation * deviation;
  const double k_value = axis->var_value / total, k_rate = axis->cov / total;
  const double surprise = seen - axis->value;

  axis->value += k_value * surprise;
  axis->rate += k_rate * surprise;
  axis->var_rate -= k_rate * axis->cov;
  axis->cov -= k_value * axis->cov;
  axis->var_value -= k_value * axis->var_value;
}

static double
size_across (double w, double h)
{
  return (w + h) / 2;
}

void
yv_kalman_init (YvKalman *kalman, const YvTrackBox *seen)
{
  const double across = size_across (seen->w, seen->h);

  init_axis (&kalman->cx, seen->x + seen->w / 2, across);
  init_axis (&kalman->cy, seen->y + seen->h / 2, seen->h);
  init_axis (&kalman->w, seen->w, across);
  init_axis (&kalman->h, seen->h, seen->h);
}

void
yv_kalman_predict (YvKalman *kalman, double frames)
{
  const double h = MAX (kalman->h.value, 1);
  const double across = size_across (MAX (kalman->w.value, 1), h);

  predict_axis (&kalman->cx, frames, across);
  predict_axis (&kalman->cy, frames, h);
  predict_axis (&kalman->w, frames, across);
  predict_axis (&kalman->h, frames, h);
}

void
yv_kalman_update (YvKalman *kalman, const YvTrackBox *seen)
{
  const double h = MAX (kalman->h.value, 1);
  const double across = size_across (MAX (kalman->w.value, 1), h);

  update_axis (&kalman->cx, seen->x + seen->w / 2, MEASURED * across);
  update_axis (&kalman->cy, seen->y + seen->h / 2, MEASURED * h);
  update_axis (&kalman->w, seen->w, MEASURED * across);
  update_axis (&kalman->h, seen->h, MEASURED * h);
}

YvTrackBox
yv_kalman_box (const YvKalman *kalman)
{
  const double w = MAX (kalman->w.value, 1), h = MAX (kalman->h.value, 1);

  return (YvTrackBox){kalman->cx.value - w / 2, kalman->cy.value - h / 2, w, h};
}
