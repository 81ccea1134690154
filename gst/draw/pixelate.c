/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/pixelate.c - what is hidden. */
#include "gst/draw/canvas-private.h"

/* Shares of a box's longer side: a face in a box of a whole person is smaller than one of them. */
#define BLOCKS_PER_SIDE 6
#define MIN_BLOCK_PX 8 /* even, as blocks are: no sample of chroma belongs to two of them */

/* All bits: those that 10 of a word leave over are of what is hidden, too. */
static void
set_sample (const YvCanvas *canvas, uint8_t *sample, uint32_t value)
{
  sample[0] = (uint8_t) (value << canvas->low_bit);
  if (canvas->depth > 8)
    sample[1] = (uint8_t) (value << canvas->low_bit >> 8);
}

static void
level_block (const YvCanvas *canvas, const YvCanvasComponent *c, const Area *block)
{
  const Range rows = samples_of (block->y, c->shift_y), columns = samples_of (block->x, c->shift_x);
  const uint64_t n = (uint64_t) (rows.end - rows.first) * (uint64_t) (columns.end - columns.first);
  uint64_t sum = n / 2;

  for (int32_t row = rows.first; row < rows.end; row++)
    for (int32_t i = columns.first; i < columns.end; i++)
      sum += read_sample (canvas,
                          c->bytes + (size_t) row * c->stride_bytes + (size_t) i * c->step_bytes);
  for (int32_t row = rows.first; row < rows.end; row++)
    for (int32_t i = columns.first; i < columns.end; i++)
      set_sample (canvas, c->bytes + (size_t) row * c->stride_bytes + (size_t) i * c->step_bytes,
                  (uint32_t) (sum / n));
}

/* Whole samples of chroma around a range, where they are of two pixels. */
static Range
widen (Range range, uint32_t limit)
{
  return (Range){range.first & ~1, MIN ((range.end + 1) & ~1, (int32_t) limit)};
}

void
yv_canvas_pixelate (const YvCanvas *canvas, YvRect rect)
{
  const Area clipped = clip_rect (canvas, rect);
  if (area_is_empty (&clipped))
    return;

  const Area area = {widen (clipped.x, canvas->width), widen (clipped.y, canvas->height)};
  const int32_t side = MAX (area.x.end - area.x.first, area.y.end - area.y.first);
  const int32_t share = (side + BLOCKS_PER_SIDE - 1) / BLOCKS_PER_SIDE;
  const int32_t step = MAX (MIN_BLOCK_PX, (share + 1) & ~1);
  for (int32_t y = area.y.first; y < area.y.end; y += step)
    for (int32_t x = area.x.first; x < area.x.end; x += step) {
      const Area block = {{x, MIN (x + step, area.x.end)}, {y, MIN (y + step, area.y.end)}};
      for (uint32_t i = 0; i < canvas->n_components; i++)
        level_block (canvas, &canvas->components[i], &block);
    }
}
