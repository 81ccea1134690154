/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/winograd.c - the three parts of a convolution by Winograd (winograd.h). */
#include <string.h>

#include "engine/ref/refop.h"
#include "engine/winograd.h"
#include "shaders/params.h"

#define WINDOW YV_WINOGRAD_WINDOW
#define TILE YV_WINOGRAD_TILE

/* Where a tile of a dispatch lies in the picture. */
typedef struct {
  uint32_t n, y, x; /* of its first output */
} Tile;

static struct YvWinogradParams
params_of (const YvStep *step)
{
  struct YvWinogradParams params;

  memcpy (&params, step->push, sizeof params);
  return params;
}

static Tile
tile_at (const struct YvWinogradParams *params, uint32_t i)
{
  const uint32_t tile = params->first_tile + i, per_image = params->tiles_w * params->tiles_h;

  return (Tile){.n = tile / per_image,
                .y = tile % per_image / params->tiles_w * TILE,
                .x = tile % params->tiles_w * TILE};
}

/* The window of a tile, [y][x][channel], zeros outside of the picture. */
static void
load_window (const YvRefRun *run, const Tile *tile, double *window)
{
  const YvOperand *src = &run->step->src[0];

  for (uint32_t y = 0; y < WINDOW; y++)
    for (uint32_t x = 0; x < WINDOW; x++, window += src->c) {
      const uint32_t in_y = tile->y + y - 1, in_x = tile->x + x - 1; /* wraps above and left */

      if (in_y < src->h && in_x < src->w)
        yv_ref_load (run->arena, src, yv_ref_pixel (src, tile->n, in_y, in_x), 0, src->c, window);
      else
        memset (window, 0, src->c * sizeof *window);
    }
}

/* dst = @left * @src * @left transposed, of rows x rows; src of columns x columns elements that are
 * @next apart. */
static void
transform (const double *left, uint32_t rows, uint32_t columns, const double *src, size_t next,
           double *dst)
{
  double half[WINDOW][WINDOW] = {0};

  for (uint32_t i = 0; i < rows; i++)
    for (uint32_t x = 0; x < columns; x++)
      for (uint32_t y = 0; y < columns; y++)
        half[i][x] += left[i * columns + y] * src[(y * columns + x) * next];
  for (uint32_t i = 0; i < rows; i++)
    for (uint32_t j = 0; j < rows; j++) {
      dst[i * rows + j] = 0;
      for (uint32_t x = 0; x < columns; x++)
        dst[i * rows + j] += half[i][x] * left[j * columns + x];
    }
}

void
yv_ref_winograd_input (const YvRefRun *run)
{
  const YvOperand *dst = &run->step->dst;
  const struct YvWinogradParams params = params_of (run->step);
  g_autofree double *window = g_new (double, (size_t) WINDOW *WINDOW * dst->c);

  for (uint32_t i = 0; i < params.n_tiles; i++) {
    const Tile tile = tile_at (&params, i);

    load_window (run, &tile, window);
    for (uint32_t c = 0; c < dst->c; c++) {
      double points[YV_WINOGRAD_POINTS];

      transform (&yv_winograd_bt[0][0], WINDOW, WINDOW, window + c, dst->c, points);
      for (uint32_t point = 0; point < YV_WINOGRAD_POINTS; point++)
        yv_ref_store (run->arena, dst, (uint64_t) point * params.n_tiles + i, c, 1, &points[point]);
    }
  }
}

/* Weights as the device has them: points in fp32, [point][output channel][input channel]. */
float *
yv_ref_winograd_weight (const YvStep *step)
{
  const YvWeight *weight = step->weight_source;
  const size_t n_pairs = (size_t) weight->c_out * weight->c_in;
  g_autofree double *row = g_new (double, (size_t) weight->c_in * 9);
  float *packed = g_new (float, YV_WINOGRAD_POINTS *n_pairs);

  for (uint32_t o = 0; o < weight->c_out; o++) {
    yv_weight_row (weight, o, row);
    for (uint32_t i = 0; i < weight->c_in; i++) {
      double points[YV_WINOGRAD_POINTS];

      yv_winograd_weight (row + i * 9, points);
      for (uint32_t point = 0; point < YV_WINOGRAD_POINTS; point++)
        packed[point * n_pairs + (size_t) o * weight->c_in + i] = (float) points[point];
    }
  }
  return packed;
}

void
yv_ref_winograd_product (const YvRefRun *run)
{
  const YvOperand *src = &run->step->src[0], *dst = &run->step->dst;
  const uint64_t n_tiles = src->w;
  g_autofree double *in = g_new (double, src->c);
  g_autofree double *out = g_new (double, dst->c);

  for (uint64_t pixel = 0; pixel < YV_WINOGRAD_POINTS * n_tiles; pixel++) {
    const float *w = run->weight + pixel / n_tiles * dst->c * src->c;

    yv_ref_load (run->arena, src, pixel, 0, src->c, in);
    for (uint32_t o = 0; o < dst->c; o++) {
      out[o] = 0;
      for (uint32_t i = 0; i < src->c; i++)
        out[o] += *w++ * in[i];
    }
    yv_ref_store (run->arena, dst, pixel, 0, dst->c, out);
  }
}

void
yv_ref_winograd_output (const YvRefRun *run)
{
  const YvOperand *src = &run->step->src[0], *dst = &run->step->dst;
  const YvWeight *weight = run->step->weight_source;
  const struct YvWinogradParams params = params_of (run->step);

  for (uint32_t i = 0; i < params.n_tiles; i++) {
    const Tile tile = tile_at (&params, i);

    for (uint32_t c = 0; c < dst->c; c++) {
      double points[YV_WINOGRAD_POINTS], out[TILE * TILE];

      for (uint32_t point = 0; point < YV_WINOGRAD_POINTS; point++)
        yv_ref_load (run->arena, src, (uint64_t) point * params.n_tiles + i, c, 1, &points[point]);
      transform (&yv_winograd_at[0][0], TILE, WINDOW, points, 1, out);
      for (uint32_t k = 0; k < TILE * TILE; k++) {
        const uint32_t y = tile.y + k / TILE, x = tile.x + k % TILE;

        if (y >= params.h || x >= params.w)
          continue;
        const double value = yv_ref_conv_finish (run, tile.n, y, x, c, out[k] + weight->bias[c]);
        yv_ref_conv_store (run, tile.n, y, x, c, 1, &value);
      }
    }
  }
}
