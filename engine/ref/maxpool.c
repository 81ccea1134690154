/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/maxpool.c - the largest of each window; what hangs over the border takes no part. */
#include <math.h>

#include "engine/ref/refop.h"

static void
pool (const YvRefRun *run, uint32_t n, uint32_t out_y, uint32_t out_x, double *channels,
      double *best)
{
  const YvOperand *src = &run->step->src[0];
  const YvNode *node = run->step->node;

  for (uint32_t c = 0; c < src->c; c++)
    best[c] = -INFINITY;
  for (uint32_t ky = 0; ky < node->maxpool.kernel; ky++)
    for (uint32_t kx = 0; kx < node->maxpool.kernel; kx++) {
      /* Wraps to far beyond the size where it is above or left of the picture. */
      const uint32_t y = out_y * node->maxpool.stride + ky - node->maxpool.pad;
      const uint32_t x = out_x * node->maxpool.stride + kx - node->maxpool.pad;

      if (y >= src->h || x >= src->w)
        continue;
      yv_ref_load (run->arena, src, yv_ref_pixel (src, n, y, x), 0, src->c, channels);
      for (uint32_t c = 0; c < src->c; c++)
        best[c] = channels[c] > best[c] ? channels[c] : best[c];
    }
}

void
yv_ref_maxpool (const YvRefRun *run)
{
  const YvOperand *dst = &run->step->dst;
  g_autofree double *channels = g_new (double, dst->c);
  g_autofree double *best = g_new (double, dst->c);

  for (uint32_t n = 0; n < dst->n; n++)
    for (uint32_t y = 0; y < dst->h; y++)
      for (uint32_t x = 0; x < dst->w; x++) {
        pool (run, n, y, x, channels, best);
        yv_ref_store (run->arena, dst, yv_ref_pixel (dst, n, y, x), 0, dst->c, best);
      }
}
