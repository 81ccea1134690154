/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-winograd.c - engine/winograd.h is a convolution of 3 x 3, and rounds little.
 */
#include "engine/winograd.h"

#include <math.h>
#include <stdbool.h>

#define WINDOW YV_WINOGRAD_WINDOW
#define TILE YV_WINOGRAD_TILE
#define N_CHANNELS 64
#define N_TILES 200

/* dst[rows][rows] = left[rows][columns] * src[columns][columns] * left transposed; each product
 * and sum is rounded to float where @is_float. */
static void
transform (const double *left, int rows, int columns, const double *src, double *dst, bool is_float)
{
  double half[WINDOW][WINDOW];

  for (int i = 0; i < rows; i++)
    for (int x = 0; x < columns; x++) {
      half[i][x] = 0;
      for (int y = 0; y < columns; y++) {
        half[i][x] += left[i * columns + y] * src[y * columns + x];
        half[i][x] = is_float ? (float) half[i][x] : half[i][x];
      }
    }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < rows; j++) {
      dst[i * rows + j] = 0;
      for (int x = 0; x < columns; x++) {
        dst[i * rows + j] += half[i][x] * left[j * columns + x];
        dst[i * rows + j] = is_float ? (float) dst[i * rows + j] : dst[i * rows + j];
      }
    }
}

/* One tile of one output channel over N_CHANNELS input channels: windows[c][36], w[c][9]. */
static void
by_winograd (const double *windows, const double *w, double out[TILE * TILE], bool is_float)
{
  double sums[YV_WINOGRAD_POINTS] = {0};

  for (int c = 0; c < N_CHANNELS; c++) {
    double points[YV_WINOGRAD_POINTS], values[YV_WINOGRAD_POINTS];

    yv_winograd_weight (w + c * 9, points);
    transform (&yv_winograd_bt[0][0], WINDOW, WINDOW, windows + c * 36, values, is_float);
    for (int i = 0; i < YV_WINOGRAD_POINTS; i++) {
      const double product = (is_float ? (float) points[i] : points[i]) * values[i];

      sums[i] += is_float ? (float) product : product;
      sums[i] = is_float ? (float) sums[i] : sums[i];
    }
  }
  transform (&yv_winograd_at[0][0], TILE, WINDOW, sums, out, is_float);
}

static void
directly (const double *windows, const double *w, double out[TILE * TILE], bool is_float)
{
  for (int i = 0; i < TILE * TILE; i++) {
    out[i] = 0;
    for (int c = 0; c < N_CHANNELS; c++)
      for (int k = 0; k < 9; k++) {
        const double product =
            w[c * 9 + k] * windows[c * 36 + (i / TILE + k / 3) * WINDOW + i % TILE + k % 3];

        out[i] += is_float ? (float) product : product;
        out[i] = is_float ? (float) out[i] : out[i];
      }
  }
}

static void
fill (GRand *rand, double *values, int n)
{
  for (int i = 0; i < n; i++)
    values[i] = (float) g_rand_double_range (rand, -1, 1);
}

static void
it_is_a_convolution_and_loses_little (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  static double windows[N_CHANNELS * 36], w[N_CHANNELS * 9];
  double exact_error = 0, rounded_error = 0, direct_error = 0, norm = 0;

  for (int tile = 0; tile < N_TILES; tile++) {
    double exact[16], got[16], rounded[16], direct[16];

    fill (rand, windows, G_N_ELEMENTS (windows));
    fill (rand, w, G_N_ELEMENTS (w));
    directly (windows, w, exact, false);
    by_winograd (windows, w, got, false);
    by_winograd (windows, w, rounded, true);
    directly (windows, w, direct, true);
    for (int i = 0; i < 16; i++) {
      exact_error = fmax (exact_error, fabs (got[i] - exact[i]));
      rounded_error += pow (rounded[i] - exact[i], 2);
      direct_error += pow (direct[i] - exact[i], 2);
      norm += pow (exact[i], 2);
    }
  }
  g_test_message ("in double %.1e; in float relative %.2e, a direct convolution %.2e", exact_error,
                  sqrt (rounded_error / norm), sqrt (direct_error / norm));
  g_assert_cmpfloat (exact_error, <, 1e-12);
  g_assert_cmpfloat (sqrt (rounded_error), <, 2.2 * sqrt (direct_error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/winograd/convolution", it_is_a_convolution_and_loses_little);
  return g_test_run ();
}
