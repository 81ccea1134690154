/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/maxpool.c - the largest of each window; what hangs over the border takes no part. */
#include <math.h>

#include "engine/ref/refop.h"

typedef struct {
  uint32_t kernel, stride, pad;
} Window;

static void
pool (const YvRefRun *run, const Window *window, uint32_t n, uint32_t out_y, uint32_t out_x,
      double *channels, double *best)
{
  const YvOperand *src = &run->step->src[0];

  for (uint32_t c = 0; c < src->c; c++)
    best[c] = -INFINITY;
  for (uint32_t ky = 0; ky < window->kernel; ky++)
    for (uint32_t kx = 0; kx < window->kernel; kx++) {
      /* Wraps to far beyond the size where it is above or left of the picture. */
      const uint32_t y = out_y * window->stride + ky - window->pad;
      const uint32_t x = out_x * window->stride + kx - window->pad;

      if (y >= src->h || x >= src->w)
        continue;
      yv_ref_load (run->arena, src, yv_ref_pixel (src, n, y, x), 0, src->c, channels);
      for (uint32_t c = 0; c < src->c; c++)
        best[c] = channels[c] > best[c] ? channels[c] : best[c];
    }
}

/* Channels [c_first, c_first + c of the source) of the destination. */
static void
pool_all (const YvRefRun *run, const Window *window, uint32_t c_first)
{
  const YvOperand *dst = &run->step->dst;
  const uint32_t c = run->step->src[0].c;
  g_autofree double *channels = g_new (double, c);
  g_autofree double *best = g_new (double, c);

  for (uint32_t n = 0; n < dst->n; n++)
    for (uint32_t y = 0; y < dst->h; y++)
      for (uint32_t x = 0; x < dst->w; x++) {
        pool (run, window, n, y, x, channels, best);
        yv_ref_store (run->arena, dst, yv_ref_pixel (dst, n, y, x), c_first, c, best);
      }
}

/* Each level of a pyramid is the max over a window of the one before: over a larger one of the
 * source. */
void
yv_ref_maxpool (const YvRefRun *run)
{
  const YvNode *node = run->step->node;
  const bool is_falling = node->maxpool.pyramid == YV_PYRAMID_FALLING;
  const uint32_t c = run->step->src[0].c, n_levels = run->step->dst.c / c;
  const uint32_t grows = node->maxpool.kernel - 1;

  for (uint32_t level = 0; level < n_levels; level++) {
    const Window window = {
        .kernel = node->maxpool.kernel + level * grows,
        .stride = node->maxpool.stride,
        .pad = node->maxpool.pad + level * grows / 2,
    };
    pool_all (run, &window, (is_falling ? n_levels - 1 - level : level) * c);
  }
}
