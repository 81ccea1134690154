/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/stamp.c - ink through a mask. */
#include <string.h>

#include "gst/draw/canvas-private.h"

/* So many samples of a row at once. */
#define MAX_SUMS 128

/* What is stamped, and where. */
typedef struct {
  int32_t x, y; /* of the mask's corner, px of the canvas */
  const YvMask *mask;
  Area area; /* px that it lies on */
} Stamp;

/* Some samples of a row, and what of the mask lies on each: 0..255 a pixel. */
typedef struct {
  Range samples, by;
  uint8_t shift_x;
  uint16_t sums[MAX_SUMS];
} Sums;

static void
add_row (uint16_t *restrict to, const uint8_t *restrict from, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    to[i] = (uint16_t) (to[i] + from[i]);
}

static void
sum_mask (const Stamp *stamp, Sums *s)
{
  uint16_t px[2 * MAX_SUMS];
  const int32_t first = s->samples.first << s->shift_x;
  const Range x = {MAX (stamp->area.x.first, first),
                   MIN (stamp->area.x.end, s->samples.end << s->shift_x)};
  const Range rows = {MAX (stamp->area.y.first, s->by.first), MIN (stamp->area.y.end, s->by.end)};
  const uint32_t n = (uint32_t) (s->samples.end - s->samples.first);

  memset (px, 0, ((size_t) n << s->shift_x) * sizeof (*px));
  for (int32_t row = rows.first; row < rows.end; row++)
    add_row (px + (x.first - first),
             stamp->mask->bytes + (size_t) (row - stamp->y) * stamp->mask->stride_bytes +
                 (x.first - stamp->x),
             (uint32_t) (x.end - x.first));
  if (s->shift_x == 0)
    memcpy (s->sums, px, n * sizeof (*px));
  else
    for (uint32_t i = 0; i < n; i++)
      s->sums[i] = (uint16_t) (px[2 * i] + px[2 * i + 1]);
}

/* mix() of bytes in 16 bits, exact up to 255 * 255 + 127. */
static inline uint8_t
mix_byte (uint8_t old, uint8_t value, uint16_t weight)
{
  const uint16_t sum = (uint16_t) (old * (255 - weight) + value * weight + 127);

  return (uint8_t) ((sum + 1 + (sum >> 8)) >> 8);
}

static void
mix_bytes (uint8_t *restrict sample, const uint8_t *restrict weights, uint32_t n, uint8_t value)
{
  for (uint32_t i = 0; i < n; i++)
    sample[i] = mix_byte (sample[i], value, weights[i]);
}

/* A component with a byte for each pixel takes the mask as it is. */
static void
stamp_bytes (const YvCanvasGroup *g, const Stamp *stamp, uint8_t value)
{
  const Range x = stamp->area.x, y = stamp->area.y;

  for (int32_t row = y.first; row < y.end; row++)
    mix_bytes (g->bytes + (size_t) row * g->stride_bytes + (size_t) x.first,
               stamp->mask->bytes + (size_t) (row - stamp->y) * stamp->mask->stride_bytes +
                   (x.first - stamp->x),
               (uint32_t) (x.end - x.first), value);
}

/* Samples of a row that are inked, and how. */
typedef struct {
  uint8_t *bytes; /* the first */
  size_t step_bytes;
  uint32_t n_columns;
  const uint16_t *sums;
  uint32_t n;         /* samples of a step */
  uint32_t values[4]; /* of them */
} Run;

/* With a constant @total, which makes a division a multiplication, and a constant @n. */
static inline void
mix_run (const Run *run, uint32_t n, size_t step_bytes, uint32_t total)
{
  for (uint32_t i = 0; i < run->n_columns; i++)
    for (uint32_t k = 0; k < n && run->sums[i] > 0; k++) {
      uint8_t *sample = run->bytes + i * step_bytes + k;
      *sample = (uint8_t) mix (*sample, run->values[k], run->sums[i], total);
    }
}

static inline void
mix_run_of (const Run *run, uint32_t total)
{
  if (run->n == 1)
    mix_run (run, 1, run->step_bytes, total);
  else if (run->n == 2)
    mix_run (run, 2, 2, total);
  else if (run->n == 3)
    mix_run (run, 3, 3, total);
  else
    mix_run (run, 4, 4, total);
}

static inline void
mix_any_run (const YvCanvas *canvas, const Run *run, uint32_t alpha, uint32_t total)
{
  for (uint32_t i = 0; i < run->n_columns; i++)
    for (uint32_t k = 0; k < run->n && run->sums[i] > 0; k++)
      blend (canvas, run->bytes + i * run->step_bytes + k, run->values[k], run->sums[i] * alpha,
             total);
}

/* @n_px: of each sample. Every share of 255 * 255 rounds as it does of 255. */
static void
ink_run (const YvCanvas *canvas, const Run *run, uint32_t n_px, uint32_t alpha)
{
  const bool is_byte = canvas->depth == 8;

  if (alpha == 255 && n_px == 1 && is_byte)
    mix_run_of (run, 255);
  else if (alpha == 255 && n_px == 2 && is_byte)
    mix_run_of (run, 2 * 255);
  else if (alpha == 255 && n_px == 4 && is_byte)
    mix_run_of (run, 4 * 255);
  else if (alpha == 255 && n_px == 1)
    mix_any_run (canvas, run, 1, 255);
  else if (alpha == 255 && n_px == 4)
    mix_any_run (canvas, run, 1, 4 * 255);
  else
    mix_any_run (canvas, run, alpha, n_px * 255 * 255);
}

/* The last block of a row may be cut: it is inked alone. */
static void
ink_sums (const YvCanvas *canvas, const YvCanvasGroup *g, int32_t row, const Sums *s, YvInk ink)
{
  const Range last = block_of (s->samples.end - 1, g->shift_x, canvas->width);
  const uint32_t block_h = (uint32_t) (s->by.end - s->by.first);
  const uint32_t whole = block_h << g->shift_x, cut = block_h * (uint32_t) (last.end - last.first);
  const uint32_t n = (uint32_t) (s->samples.end - s->samples.first);
  const uint32_t n_whole = cut == whole ? n : n - 1;
  Run run = {
      .bytes =
          g->bytes + (size_t) row * g->stride_bytes + (size_t) s->samples.first * g->step_bytes,
      .step_bytes = g->step_bytes,
      .n_columns = n_whole,
      .sums = s->sums,
      .n = g->n,
  };

  for (uint32_t k = 0; k < g->n; k++)
    run.values[k] = ink.values[g->components[k]];
  ink_run (canvas, &run, whole, ink.alpha);
  run.bytes += n_whole * run.step_bytes;
  run.sums += n_whole;
  run.n_columns = n - n_whole;
  ink_run (canvas, &run, cut, ink.alpha);
}

static void
stamp_group (const YvCanvas *canvas, const YvCanvasGroup *g, const Stamp *stamp, YvInk ink)
{
  const Range rows = samples_of (stamp->area.y, g->shift_y);
  const Range columns = samples_of (stamp->area.x, g->shift_x);
  Sums sums;

  sums.shift_x = g->shift_x;
  for (int32_t row = rows.first; row < rows.end; row++)
    for (int32_t i = columns.first; i < columns.end; i += MAX_SUMS) {
      sums.samples = (Range){i, MIN (i + MAX_SUMS, columns.end)};
      sums.by = block_of (row, g->shift_y, canvas->height);
      sum_mask (stamp, &sums);
      ink_sums (canvas, g, row, &sums, ink);
    }
}

static bool
takes_bytes (const YvCanvas *canvas, const YvCanvasGroup *g, YvInk ink)
{
  return canvas->depth == 8 && ink.alpha == 255 && g->step_bytes == 1 && g->shift_x == 0 &&
         g->shift_y == 0;
}

void
yv_canvas_stamp (const YvCanvas *canvas, int32_t x, int32_t y, const YvMask *mask, YvInk ink)
{
  const Stamp stamp = {
      .x = x - canvas->x,
      .y = y - canvas->y,
      .mask = mask,
      .area = clip_rect (canvas, (YvRect){x, y, (int32_t) mask->w, (int32_t) mask->h}),
  };

  if (area_is_empty (&stamp.area) || ink.alpha == 0)
    return;
  for (uint32_t i = 0; i < canvas->n_groups; i++)
    if (takes_bytes (canvas, &canvas->groups[i], ink))
      stamp_bytes (&canvas->groups[i], &stamp,
                   (uint8_t) ink.values[canvas->groups[i].components[0]]);
    else
      stamp_group (canvas, &canvas->groups[i], &stamp, ink);
}
