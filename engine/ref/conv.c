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

/* The window of one output pixel, to every PIXELS-th double from @dst. */
static void
gather (const YvRefRun *run, uint64_t out_pixel, double *channels, double *dst)
{
  const YvOperand *src = &run->step->src[0], *out = &run->step->dst;
  const YvNode *node = run->step->node;
  const YvWeight *weight = node->conv.weight;
  const uint32_t out_x = (uint32_t) (out_pixel % out->w);
  const uint32_t out_y = (uint32_t) (out_pixel / out->w % out->h);
  const uint32_t n = (uint32_t) (out_pixel / out->w / out->h);

  for (uint32_t ky = 0; ky < weight->kernel_h; ky++)
    for (uint32_t kx = 0; kx < weight->kernel_w; kx++) {
      /* Wraps to far beyond the size where it is above or left of the picture. */
      const uint32_t y = out_y * node->conv.stride_h + ky - node->conv.pad_h;
      const uint32_t x = out_x * node->conv.stride_w + kx - node->conv.pad_w;

      if (y < src->h && x < src->w)
        yv_ref_load (run->arena, src, yv_ref_pixel (src, n, y, x), 0, src->c, channels);
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
  const uint64_t n_pixels = (uint64_t) out->n * out->h * out->w;
  g_autofree double *windows = g_new0 (double, k *PIXELS);
  g_autofree double *channels = g_new (double, MAX (weight->c_in, PIXELS * weight->c_out));

  for (uint64_t first = 0; first < n_pixels; first += PIXELS) {
    const uint32_t n = (uint32_t) MIN (PIXELS, n_pixels - first);

    for (uint32_t p = 0; p < n; p++)
      gather (run, first + p, channels, windows + p);
    for (uint32_t o = 0; o < weight->c_out; o++) {
      double sums[PIXELS];

      dot (weight, run->weight + o * row_elems, o / c_per_group, windows, sums);
      for (uint32_t p = 0; p < n; p++)
        channels[p * weight->c_out + o] = yv_act_apply (run->step->act, sums[p] + weight->bias[o]);
    }
    for (uint32_t p = 0; p < n; p++)
      yv_ref_store (run->arena, out, first + p, 0, out->c, channels + p * weight->c_out);
  }
}
