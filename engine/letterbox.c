/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/letterbox.c - the arithmetic of fitting a frame into a tensor (spec 4.1, 4.3).
 */
#include "engine/letterbox.h"

#include <math.h>

#include "engine/align.h"

/* How much of the padding lies before the picture: R() of half of it, the odd pixel goes behind.
 * The tenth that upstream takes off is what turns its half pixels into that. */
static uint32_t
padding_before (uint32_t padding)
{
  return (uint32_t) rint (padding / 2.0 - 0.1);
}

/* @out has frame_w and frame_h. The padding goes to a multiple of @pad_to where that is not 0. */
static bool
fit_into (uint32_t net_w, uint32_t net_h, uint32_t pad_to, bool scale_up, YvLetterbox *out)
{
  double gain = fmin ((double) net_h / out->frame_h, (double) net_w / out->frame_w);
  if (!scale_up)
    gain = fmin (gain, 1.0);

  const uint32_t resized_w = (uint32_t) rint (out->frame_w * gain);
  const uint32_t resized_h = (uint32_t) rint (out->frame_h * gain);
  if (resized_w == 0 || resized_h == 0)
    return false;

  const uint32_t pad_w = pad_to ? (net_w - resized_w) % pad_to : net_w - resized_w;
  const uint32_t pad_h = pad_to ? (net_h - resized_h) % pad_to : net_h - resized_h;
  out->net_w = resized_w + pad_w;
  out->net_h = resized_h + pad_h;
  out->resized_w = resized_w;
  out->resized_h = resized_h;
  out->left = padding_before (pad_w);
  out->top = padding_before (pad_h);
  out->shrink_only = !scale_up;
  return true;
}

bool
yv_letterbox_fit (uint32_t frame_w, uint32_t frame_h, uint32_t size, uint32_t stride,
                  YvLetterboxMode mode, bool scale_up, YvLetterbox *out)
{
  g_assert (stride > 0);
  if (frame_w == 0 || frame_h == 0 || size == 0 || size > UINT32_MAX - stride)
    return false;

  const uint32_t side = (uint32_t) yv_round_up (size, stride);
  *out = (YvLetterbox){.frame_w = frame_w, .frame_h = frame_h};
  return fit_into (side, side, mode == YV_LETTERBOX_AUTO ? stride : 0, scale_up, out);
}

bool
yv_letterbox_fit_exactly (uint32_t frame_w, uint32_t frame_h, uint32_t net_w, uint32_t net_h,
                          bool scale_up, YvLetterbox *out)
{
  if (frame_w == 0 || frame_h == 0 || net_w == 0 || net_h == 0)
    return false;
  *out = (YvLetterbox){.frame_w = frame_w, .frame_h = frame_h};
  return fit_into (net_w, net_h, 0, scale_up, out);
}

/* NaN becomes 0, so that nothing but a place in the frame ever leaves here. */
static float
clamp_to_side (double value, uint32_t side)
{
  return (float) fmin (fmax (value, 0.0), side);
}

void
yv_letterbox_undo (const YvLetterbox *letterbox, float box[4])
{
  const double frame_w = letterbox->frame_w;
  const double frame_h = letterbox->frame_h;
  const double fitting = fmin (letterbox->net_h / frame_h, letterbox->net_w / frame_w);
  const double gain = letterbox->shrink_only ? fmin (fitting, 1.0) : fitting;
  const double pad_x = (letterbox->net_w - frame_w * gain) / 2;
  const double pad_y = (letterbox->net_h - frame_h * gain) / 2;

  for (int corner = 0; corner < 4; corner += 2) {
    box[corner] = clamp_to_side ((box[corner] - pad_x) / gain, letterbox->frame_w);
    box[corner + 1] = clamp_to_side ((box[corner + 1] - pad_y) / gain, letterbox->frame_h);
  }
}
