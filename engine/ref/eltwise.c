/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/eltwise.c - AFFINE, ACT and ADD: each element by itself. */
#include "engine/ref/refop.h"

typedef double (*Element) (const YvStep *step, const double *values, uint32_t c);

/* dst[c] = element (of the sources' values at c) for every pixel. */
static void
map (const YvRefRun *run, Element element)
{
  const YvStep *step = run->step;
  const uint64_t n_pixels = (uint64_t) step->dst.n * step->dst.h * step->dst.w;
  const uint32_t n_c = step->dst.c;
  g_autofree double *srcs = g_new (double, n_c *YV_MAX_STEP_SRCS);
  g_autofree double *dst = g_new (double, n_c);

  for (uint64_t pixel = 0; pixel < n_pixels; pixel++) {
    for (uint32_t i = 0; i < step->n_srcs; i++)
      yv_ref_load (run->arena, &step->src[i], pixel, 0, n_c, srcs + i * n_c);
    for (uint32_t c = 0; c < n_c; c++) {
      double values[YV_MAX_STEP_SRCS] = {0};

      for (uint32_t i = 0; i < step->n_srcs; i++)
        values[i] = srcs[i * n_c + c];
      dst[c] = element (step, values, c);
    }
    yv_ref_store (run->arena, &step->dst, pixel, 0, n_c, dst);
  }
}

static double
affine (const YvStep *step, const double *values, uint32_t c)
{
  return values[0] * step->node->affine.scale[c] + step->node->affine.shift[c];
}

static double
add (const YvStep *step, const double *values, uint32_t c)
{
  (void) c;
  return yv_act_apply (step->act, values[0] + values[1]);
}

void
yv_ref_affine (const YvRefRun *run)
{
  map (run, affine);
}

/* One source: the sum with nothing. */
void
yv_ref_act (const YvRefRun *run)
{
  map (run, add);
}

void
yv_ref_add (const YvRefRun *run)
{
  map (run, add);
}
