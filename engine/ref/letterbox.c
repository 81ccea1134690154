/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/letterbox.c - a frame scaled and padded into the network's input, to the bit as OpenCV
 * does it in upstream's detect.py (spec 4.1).
 *
 * The arithmetic, which shaders/letterbox.comp repeats:
 *   1. Along each axis, output pixel i lies at f = (float) ((i + 0.5) * scale - 0.5) in the frame.
 *      It mixes the samples at floor (f) and floor (f) + 1, clamped to the frame, with the weights
 *      1 - (f - floor (f)) and f - floor (f) in units of 1/2048, rounded half to even.
 *   2. Across, in each of two rows: S = w0 * p0 + w1 * p1, exactly.
 *   3. Down: (((w0 * (S0 >> 4)) >> 16) + ((w1 * (S1 >> 4)) >> 16) + 2) >> 2, a value of as many
 *      bits as the samples have: 8 or 10.
 *   4. Subsampled components are mixed in floating point at the same place instead.
 *   5. Y, U, V become R, G, B from 0 to 255 by the matrix; samples of 8 bits make such that are
 *      rounded to 8 bits. All are then divided by 255.
 */
#include <math.h>

#include "engine/ref/refop.h"

#define WEIGHT_ONE 2048
#define PADDING 114 /* upstream's grey, spec 4.1 step 6 */

/* Two neighbouring samples of one axis and their weights, whose sum is WEIGHT_ONE. */
typedef struct {
  uint32_t first, second;
  int32_t first_weight, second_weight;
} Mix;

static uint32_t
clamp_index (double index, uint32_t size)
{
  return index <= 0 ? 0 : index >= size - 1 ? size - 1 : (uint32_t) index;
}

/* Of a side of @size px that is scaled to @resized px. */
static Mix
mix_at (uint32_t i, uint32_t size, uint32_t resized)
{
  const double scale = 1 / ((double) resized / size);
  const float position = (float) ((i + 0.5) * scale - 0.5);
  const float first = floorf (position);
  const float fraction = position - first;

  return (Mix){
      .first = clamp_index (first, size),
      .second = clamp_index (first + 1, size),
      .first_weight = (int32_t) lrintf ((1 - fraction) * WEIGHT_ONE),
      .second_weight = (int32_t) lrintf (fraction * WEIGHT_ONE),
  };
}

static int32_t
sample (const YvRefRun *run, const struct YvFrameParams *frame, uint32_t component, uint32_t x,
        uint32_t y)
{
  const uint8_t *bytes = run->staging + frame->offset[component] +
                         (size_t) y * frame->row_bytes[component] +
                         (size_t) x * frame->pixel_bytes[component];
  const uint32_t word = frame->is_deep ? bytes[0] | (uint32_t) bytes[1] << 8 : bytes[0];

  return (int32_t) (word >> frame->low_bit & frame->sample_mask);
}

static double
full_sample (const YvRefRun *run, const struct YvFrameParams *frame, uint32_t component, Mix x,
             Mix y)
{
  int32_t across[2];

  for (int i = 0; i < 2; i++) {
    const uint32_t row = i ? y.second : y.first;
    across[i] = x.first_weight * sample (run, frame, component, x.first, row) +
                x.second_weight * sample (run, frame, component, x.second, row);
  }
  return (((y.first_weight * (across[0] >> 4)) >> 16) +
          ((y.second_weight * (across[1] >> 4)) >> 16) + 2) >>
         2;
}

/* The frame position of resized pixel @i, in samples of a plane that is 2^shift times smaller. */
static double
subsampled_position (uint32_t i, uint32_t size, uint32_t resized, uint32_t shift, double offset,
                     uint32_t *n_samples)
{
  const double position = ldexp ((i + 0.5) * size / resized, -(int) shift) - 0.5 + offset;

  *n_samples = (size + (1u << shift) - 1) >> shift;
  return CLAMP (position, 0, *n_samples - 1.0);
}

static double
subsampled (const YvRefRun *run, const struct YvFrameParams *frame, uint32_t component, uint32_t x,
            uint32_t y)
{
  uint32_t w, h;
  const double px = subsampled_position (x, frame->frame_w, frame->resized_w,
                                         frame->shift_x[component], frame->chroma_x, &w);
  const double py =
      subsampled_position (y, frame->frame_h, frame->resized_h, frame->shift_y[component], 0, &h);
  const uint32_t x0 = (uint32_t) px, y0 = (uint32_t) py;
  const uint32_t x1 = MIN (x0 + 1, w - 1), y1 = MIN (y0 + 1, h - 1);
  const double fx = px - x0, fy = py - y0;

  return (1 - fy) * ((1 - fx) * sample (run, frame, component, x0, y0) +
                     fx * sample (run, frame, component, x1, y0)) +
         fy * ((1 - fx) * sample (run, frame, component, x0, y1) +
               fx * sample (run, frame, component, x1, y1));
}

/* One pixel of the resized picture, 0..255. */
static void
resized_pixel (const YvRefRun *run, const struct YvFrameParams *frame, uint32_t x, uint32_t y,
               double rgb[3])
{
  const Mix mix_x = mix_at (x, frame->frame_w, frame->resized_w);
  const Mix mix_y = mix_at (y, frame->frame_h, frame->resized_h);
  double in[3];

  for (uint32_t i = 0; i < 3; i++)
    in[i] = frame->shift_x[i] || frame->shift_y[i] ? subsampled (run, frame, i, x, y)
                                                   : full_sample (run, frame, i, mix_x, mix_y);
  for (int i = 0; i < 3; i++) {
    const float *m = &frame->matrix[4 * i];
    const double value = CLAMP (m[0] * in[0] + m[1] * in[1] + m[2] * in[2] + m[3], 0, 255);

    rgb[i] = frame->is_rgb ? in[i] : frame->is_deep ? value : nearbyint (value);
  }
}

void
yv_ref_letterbox (const YvRefRun *run)
{
  const YvOperand *dst = &run->step->dst;
  const struct YvFrameParams *frame = &run->frames[run->step->image];

  for (uint32_t y = 0; y < dst->h; y++)
    for (uint32_t x = 0; x < dst->w; x++) {
      /* Wraps to far beyond the size where it is in the left or upper padding. */
      const uint32_t from_left = x - frame->left, from_top = y - frame->top;
      double pixel[4] = {PADDING, PADDING, PADDING, 0};

      if (from_left < frame->resized_w && from_top < frame->resized_h)
        resized_pixel (run, frame, from_left, from_top, pixel);
      for (int i = 0; i < 3; i++)
        pixel[i] /= 255;
      yv_ref_store (run->arena, dst, yv_ref_pixel (dst, 0, y, x), 0, 4, pixel);
    }
}
