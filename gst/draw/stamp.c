/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/stamp.c - ink through a mask. */
#include <string.h>

#include "gst/draw/canvas-private.h"

/* So many samples of a row at once. */
#define MAX_SUMS 256

/* What of the mask lies on each of @samples in row @row, 0..255 a pixel. */
static void
sum_mask (const YvCanvasComponent *c, Range samples, Range by, const Area *area, int32_t x,
          int32_t y, const YvMask *mask, uint32_t sums[MAX_SUMS])
{
  const Range px = {MAX (area->x.first, samples.first << c->shift_x),
                    MIN (area->x.end, samples.end << c->shift_x)};
  const Range rows = {MAX (area->y.first, by.first), MIN (area->y.end, by.end)};

  memset (sums, 0, (size_t) (samples.end - samples.first) * sizeof (*sums));
  for (int32_t row = rows.first; row < rows.end; row++) {
    const uint8_t *bytes = mask->bytes + (size_t) (row - y) * mask->stride_bytes;
    for (int32_t i = px.first; i < px.end; i++)
      sums[(i >> c->shift_x) - samples.first] += bytes[i - x];
  }
}

/* With a constant @total, which makes a division a multiplication. */
static inline void
mix_sums (uint8_t *sample, size_t step_bytes, const uint32_t *sums, size_t n, uint32_t value,
          uint32_t total)
{
  for (size_t i = 0; i < n; i++)
    if (sums[i] > 0)
      sample[i * step_bytes] = (uint8_t) mix (sample[i * step_bytes], value, sums[i], total);
}

/* Inks @n samples of @n_px pixels each. Every share of 255 * 255 rounds as it does of 255. */
static void
ink_sums (const YvCanvas *canvas, uint8_t *sample, size_t step_bytes, const uint32_t *sums,
          size_t n, uint32_t n_px, uint32_t value, uint32_t alpha)
{
  if (canvas->depth == 8 && alpha == 255 && n_px == 1) {
    mix_sums (sample, step_bytes, sums, n, value, 255);
  } else if (canvas->depth == 8 && alpha == 255 && n_px == 4) {
    mix_sums (sample, step_bytes, sums, n, value, 4 * 255);
  } else {
    for (size_t i = 0; i < n; i++)
      if (sums[i] > 0)
        blend (canvas, sample + i * step_bytes, value, sums[i] * alpha, n_px * 255 * 255);
  }
}

/* The last block of a row may be cut: it is inked alone. */
static void
stamp_row (const YvCanvas *canvas, uint32_t component, int32_t row, Range samples, int32_t x,
           int32_t y, const YvMask *mask, const Area *area, YvInk ink)
{
  const YvCanvasComponent *c = &canvas->components[component];
  const Range by = block_of (row, c->shift_y, canvas->height);
  const Range last = block_of (samples.end - 1, c->shift_x, canvas->width);
  const uint32_t block_h = (uint32_t) (by.end - by.first);
  const uint32_t whole = block_h << c->shift_x, cut = block_h * (uint32_t) (last.end - last.first);
  const size_t n = (size_t) (samples.end - samples.first);
  uint8_t *sample =
      c->bytes + (size_t) row * c->stride_bytes + (size_t) samples.first * c->step_bytes;
  uint32_t sums[MAX_SUMS];

  sum_mask (c, samples, by, area, x, y, mask, sums);
  ink_sums (canvas, sample, c->step_bytes, sums, n - 1, whole, ink.values[component], ink.alpha);
  ink_sums (canvas, sample + (n - 1) * c->step_bytes, c->step_bytes, sums + n - 1, 1, cut,
            ink.values[component], ink.alpha);
}

static void
stamp_component (const YvCanvas *canvas, uint32_t component, int32_t x, int32_t y,
                 const YvMask *mask, const Area *area, YvInk ink)
{
  const YvCanvasComponent *c = &canvas->components[component];
  const Range rows = samples_of (area->y, c->shift_y), columns = samples_of (area->x, c->shift_x);

  for (int32_t row = rows.first; row < rows.end; row++)
    for (int32_t i = columns.first; i < columns.end; i += MAX_SUMS)
      stamp_row (canvas, component, row, (Range){i, MIN (i + MAX_SUMS, columns.end)}, x, y, mask,
                 area, ink);
}

void
yv_canvas_stamp (const YvCanvas *canvas, int32_t x, int32_t y, const YvMask *mask, YvInk ink)
{
  const Area area = clip_rect (canvas, (YvRect){x, y, (int32_t) mask->w, (int32_t) mask->h});

  if (area_is_empty (&area) || ink.alpha == 0)
    return;
  for (uint32_t i = 0; i < canvas->n_components; i++)
    stamp_component (canvas, i, x - canvas->x, y - canvas->y, mask, &area, ink);
}
