/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/winograd.c - the matrices of F(4 x 4, 3 x 3), written out for its points. */
#include "engine/winograd.h"

/* Of the points 0, A, -A, B, -B, infinity. */
#define A YV_WINOGRAD_A
#define B YV_WINOGRAD_B
#define A2 (A * A)
#define B2 (B * B)

/* Row i: the coefficients of the product of (x - q) over all other finite points q. */
const double yv_winograd_bt[YV_WINOGRAD_WINDOW][YV_WINOGRAD_WINDOW] = {
    {A2 * B2, 0, -(A2 + B2), 0, 1, 0}, {0, -A *B2, -B2, A, 1, 0}, {0, A *B2, -B2, -A, 1, 0},
    {0, -B *A2, -A2, B, 1, 0},         {0, B *A2, -A2, -B, 1, 0}, {0, A2 *B2, 0, -(A2 + B2), 0, 1},
};

/* Row i: 1, p, p^2 over the product of (p - q). */
#define N_A (2 * A2 * (A2 - B2))
#define N_B (2 * B2 * (B2 - A2))
const double yv_winograd_g[YV_WINOGRAD_WINDOW][3] = {
    {1 / (A2 * B2), 0, 0},        {1 / N_A, A / N_A, A2 / N_A},  {1 / N_A, -A / N_A, A2 / N_A},
    {1 / N_B, B / N_B, B2 / N_B}, {1 / N_B, -B / N_B, B2 / N_B}, {0, 0, 1},
};

/* Column i: 1, p, p^2, p^3. */
const double yv_winograd_at[YV_WINOGRAD_TILE][YV_WINOGRAD_WINDOW] = {
    {1, 1, 1, 1, 1, 0},
    {0, A, -A, B, -B, 0},
    {0, A2, A2, B2, B2, 0},
    {0, A2 *A, -A2 *A, B2 *B, -B2 *B, 1},
};

void
yv_winograd_weight (const double w[9], double points[YV_WINOGRAD_POINTS])
{
  double half[YV_WINOGRAD_WINDOW][3] = {0};

  for (int i = 0; i < YV_WINOGRAD_WINDOW; i++)
    for (int x = 0; x < 3; x++)
      for (int y = 0; y < 3; y++)
        half[i][x] += yv_winograd_g[i][y] * w[y * 3 + x];
  for (int i = 0; i < YV_WINOGRAD_WINDOW; i++)
    for (int j = 0; j < YV_WINOGRAD_WINDOW; j++) {
      double sum = 0;

      for (int x = 0; x < 3; x++)
        sum += half[i][x] * yv_winograd_g[j][x];
      points[i * YV_WINOGRAD_WINDOW + j] = sum;
    }
}

void
yv_winograd_weights (const YvWinogradLanes w[9], YvWinogradLanes points[YV_WINOGRAD_POINTS])
{
  YvWinogradLanes half[YV_WINOGRAD_WINDOW][3] = {0};

  for (int i = 0; i < YV_WINOGRAD_WINDOW; i++)
    for (int x = 0; x < 3; x++)
      for (int y = 0; y < 3; y++)
        half[i][x] += yv_winograd_g[i][y] * w[y * 3 + x];
  for (int i = 0; i < YV_WINOGRAD_WINDOW; i++)
    for (int j = 0; j < YV_WINOGRAD_WINDOW; j++) {
      YvWinogradLanes sum = {0};

      for (int x = 0; x < 3; x++)
        sum += half[i][x] * yv_winograd_g[j][x];
      points[i * YV_WINOGRAD_WINDOW + j] = sum;
    }
}
