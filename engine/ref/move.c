/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/move.c - UPSAMPLE, CONCAT and REORG: elements go to other places, unchanged. */
#include "engine/ref/refop.h"

void
yv_ref_upsample (const YvRefRun *run)
{
  const YvOperand *src = &run->step->src[0], *dst = &run->step->dst;
  const uint32_t factor = run->step->node->upsample.factor;
  g_autofree double *channels = g_new (double, dst->c);

  for (uint32_t n = 0; n < dst->n; n++)
    for (uint32_t y = 0; y < dst->h; y++)
      for (uint32_t x = 0; x < dst->w; x++) {
        yv_ref_load (run->arena, src, yv_ref_pixel (src, n, y / factor, x / factor), 0, src->c,
                     channels);
        yv_ref_store (run->arena, dst, yv_ref_pixel (dst, n, y, x), 0, dst->c, channels);
      }
}

/* One input; the destination is its slice of the output. */
void
yv_ref_concat (const YvRefRun *run)
{
  const YvOperand *src = &run->step->src[0], *dst = &run->step->dst;
  const uint64_t n_pixels = (uint64_t) dst->n * dst->h * dst->w;
  g_autofree double *channels = g_new (double, dst->c);

  for (uint64_t pixel = 0; pixel < n_pixels; pixel++) {
    yv_ref_load (run->arena, src, pixel, 0, src->c, channels);
    yv_ref_store (run->arena, dst, pixel, 0, dst->c, channels);
  }
}

/* Blocks of the source's channels: (row parity, column parity) = (0,0), (1,0), (0,1), (1,1). */
void
yv_ref_reorg (const YvRefRun *run)
{
  const YvOperand *src = &run->step->src[0], *dst = &run->step->dst;
  g_autofree double *channels = g_new (double, src->c);

  for (uint32_t n = 0; n < dst->n; n++)
    for (uint32_t y = 0; y < dst->h; y++)
      for (uint32_t x = 0; x < dst->w; x++)
        for (uint32_t block = 0; block < 4; block++) {
          const uint64_t pixel = yv_ref_pixel (src, n, 2 * y + block % 2, 2 * x + block / 2);

          yv_ref_load (run->arena, src, pixel, 0, src->c, channels);
          yv_ref_store (run->arena, dst, yv_ref_pixel (dst, n, y, x), block * src->c, src->c,
                        channels);
        }
}
