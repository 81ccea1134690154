/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/kalman.h - where a box will be: a constant-velocity Kalman filter.
 *
 * In:    the box as it was seen, from time to time.
 * Out:   the box as it probably is at any time between and after.
 * Next:  gst/track/tracker.h.
 *
 * The state is the box's center and size and how fast each of the four changes. As all noise is
 * diagonal, the filter of eight numbers falls apart into four of two, and each costs a few
 * multiplications. Time is counted in frames of the nominal rate, and may be any fraction or
 * multiple of one.
 *
 * Noise grows with the box, as in SORT's successors (Wojke et al., "Simple Online and Realtime
 * Tracking with a Deep Association Metric", 2017): a box of size s is measured with a deviation of
 * m = 0.12 s, and moves by chance with deviations of p = 0.05 s in place and v = 0.009 s in speed
 * each frame. s is the box's height for its y and height, and the mean of width and height for its
 * x and width: people are narrow, and do not walk slower for that.
 *
 * Over t frames these two random walks add up to (Bar-Shalom et al., "Estimation with
 * Applications to Tracking and Navigation", 2001, 6.2.2, with a second noise on the place)
 *
 *      Q = [ p^2 t + v^2 t^3 / 3    v^2 t^2 / 2 ]
 *          [ v^2 t^2 / 2            v^2 t       ]
 *
 * so that predicting over a, then over b, is predicting over a + b.
 *
 * Pure. Threads: any, one at a time per filter.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Frame px, top left corner and size; finite, w and h > 0. May lie outside the frame. */
typedef struct {
  double x, y, w, h;
} YvTrackBox;

/* One of the four coordinates. */
typedef struct {
  double value;                    /* px */
  double rate;                     /* px a frame */
  double var_value, cov, var_rate; /* covariance of the two */
} YvKalmanAxis;

typedef struct {
  YvKalmanAxis cx, cy, w, h;
} YvKalman;

/* At rest, as far as one look tells. */
void yv_kalman_init (YvKalman *kalman, const YvTrackBox *seen);

/* @frames: >= 0. */
void yv_kalman_predict (YvKalman *kalman, double frames);

void yv_kalman_update (YvKalman *kalman, const YvTrackBox *seen);

/* Sides that would be smaller than a pixel are one pixel. */
YvTrackBox yv_kalman_box (const YvKalman *kalman);

G_END_DECLS
