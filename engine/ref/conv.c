/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/conv.c - dst = act (W * src + bias).
 *
 * The window under one output pixel is gathered into a row of doubles, [tap][channel], zeros where
 * it hangs over the border; an output channel is then one dot product. Four pixels are gathered at
 * a time, side by side, only because it is four times as fast. */
#include <string.h>

#include "engine/half.h"
#include "engine/ref/refop.h"

#define PIXELS 4

float *
yv_ref_conv_weight (const YvStep *step)
{
  const YvWeight *weight = step->weight_source;
  const uint32_t n_taps = weight->kernel_h * weight->kernel_w;
  const uint32_t c_in = weight->c_in / weight->groups;
  g_autofree double *row = g_new (double, (size_t) c_in *n_taps);
  float *packed = g_new (float, (size_t) weight->c_out *c_in *n_taps);
  float *dst = packed;

  for (uint32_t o = 0; o < weight->c_out; o++) {
    yv_weight_row (weight, o, row);
    for (uint32_t tap = 0; tap < n_taps; tap++)
      for (uint32_t i = 0; i < c_in; i++, dst++) {
        *dst = (float) row[i * n_taps + tap];
        if (step->dtype == YV_DTYPE_F16)
          *dst = yv_half_to_float (yv_half_from_float (*dst));
      }
  }
  return packed;
}

static uint32_t
factor_of (const YvStep *step)
{
  return step->node->conv.is_doubled ? 2 : 1;
}

double
yv_ref_conv_finish (const YvRefRun *run, uint32_t n, uint32_t y, uint32_t x, uint32_t c, double sum)
{
  const YvStep *step = run->step;
  const YvOperand *residual = &step->src[1];
  double other = 0;

  if (step->n_srcs > 1)
    yv_ref_load (run->arena, residual, yv_ref_pixel (residual, n, y, x), c, 1, &other);
  return step->node->conv.act_last ? yv_act_apply (step->act, sum + other)
                                   : yv_act_apply (step->act, sum) + other;
}

void
yv_ref_conv_store (const YvRefRun *run, uint32_t n, uint32_t y, uint32_t x, uint32_t c_first,
                   uint32_t n_c, const double *values)
{
  const YvOperand *dst = &run->step->dst;
  const uint32_t factor = factor_of (run->step);

  for (uint32_t i = 0; i < factor * factor; i++)
    yv_ref_store (run->arena, dst,
                  yv_ref_pixel (dst, n, y * factor + i / factor, x * factor + i % factor), c_first,
                  n_c, values);
}

/* Of what is computed, before any doubling. */
typedef struct {
  uint32_t n, y, x;
} Pixel;

static Pixel
pixel_at (const YvRefRun *run, uint64_t pixel)
{
  const YvOperand *out = &run->step->dst;
  const uint32_t w = out->w / factor_of (run->step), h = out->h / factor_of (run->step);

  return (Pixel){(uint32_t) (pixel / w / h), (uint32_t) (pixel / w % h), (uint32_t) (pixel % w)};
}

/* The window of one output pixel, to every PIXELS-th double from @dst. */
static void
gather (const YvRefRun *run, Pixel out, double *channels, double *dst)
{
  const YvOperand *src = &run->step->src[0];
  const YvNode *node = run->step->node;
  const YvWeight *weight = node->conv.weight;

  for (uint32_t ky = 0; ky < weight->kernel_h; ky++)
    for (uint32_t kx = 0; kx < weight->kernel_w; kx++) {
      /* Wraps to far beyond the size where it is above or left of the picture. */
      const uint32_t y = out.y * node->conv.stride_h + ky - node->conv.pad_h;
      const uint32_t x = out.x * node->conv.stride_w + kx - node->conv.pad_w;

      if (y < src->h && x < src->w)
        yv_ref_load (run->arena, src, yv_ref_pixel (src, out.n, y, x), 0, src->c, channels);
      else
        memset (channels, 0, src->c * sizeof *channels);
      for (uint32_t c = 0; c < src->c; c++, dst += PIXELS)
        *dst = channels[c];
    }
}

/* sums[p] = the dot product of one output channel's weight with the window of pixel p. A group sees
 * its own input channels of each tap. */
static void
dot (const YvWeight *weight, const float *w, uint32_t group, const double *windows,
     double sums[PIXELS])
{
  const uint32_t n_taps = weight->kernel_h * weight->kernel_w;
  const uint32_t c_in = weight->c_in / weight->groups;
  double acc[PIXELS] = {0};

  for (uint32_t tap = 0; tap < n_taps; tap++) {
    const double *window = windows + ((size_t) tap * weight->c_in + group * c_in) * PIXELS;

    for (uint32_t i = 0; i < c_in; i++, w++, window += PIXELS)
      for (int p = 0; p < PIXELS; p++)
        acc[p] += *w * window[p];
  }
  memcpy (sums, acc, sizeof acc);
}

void
yv_ref_conv (const YvRefRun *run)
{
  const YvOperand *out = &run->step->dst;
  const YvWeight *weight = run->step->weight_source;
  const uint32_t c_per_group = weight->c_out / weight->groups;
  const size_t k = (size_t) weight->kernel_h * weight->kernel_w * weight->c_in;
  const size_t row_elems = k / weight->groups;
  const uint32_t copies = factor_of (run->step) * factor_of (run->step);
  const uint64_t n_pixels = (uint64_t) out->n * out->h * out->w / copies;
  g_autofree double *windows = g_new0 (double, k *PIXELS);
  g_autofree double *channels = g_new (double, MAX (weight->c_in, PIXELS * weight->c_out));

  for (uint64_t first = 0; first < n_pixels; first += PIXELS) {
    const uint32_t n = (uint32_t) MIN (PIXELS, n_pixels - first);
    Pixel at[PIXELS];

    for (uint32_t p = 0; p < n; p++) {
      at[p] = pixel_at (run, first + p);
      gather (run, at[p], channels, windows + p);
    }
    for (uint32_t o = 0; o < weight->c_out; o++) {
      double sums[PIXELS];

      dot (weight, run->weight + o * row_elems, o / c_per_group, windows, sums);
      for (uint32_t p = 0; p < n; p++)
        channels[p * weight->c_out + o] =
            yv_ref_conv_finish (run, at[p].n, at[p].y, at[p].x, o, sums[p] + weight->bias[o]);
    }
    for (uint32_t p = 0; p < n; p++)
      yv_ref_conv_store (run, at[p].n, at[p].y, at[p].x, 0, out->c, channels + p * weight->c_out);
  }
}
