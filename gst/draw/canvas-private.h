/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/canvas-private.h - which samples a shape touches, and how one is mixed with ink: for
 * canvas.c, stamp.c and pixelate.c. */
#pragma once

#include "gst/draw/canvas.h"

G_BEGIN_DECLS

/* Pixels from first to end - 1. */
typedef struct {
  int32_t first, end;
} Range;

static inline int32_t
overlap (Range a, Range b)
{
  return MAX (0, MIN (a.end, b.end) - MAX (a.first, b.first));
}

/* The part of [start, start + size) inside [0, limit); @start may be anything. */
static inline Range
clip (int64_t start, int32_t size, uint32_t limit)
{
  const int64_t end = start + MAX (size, 0);
  const int64_t first = CLAMP (start, 0, (int64_t) limit);

  return (Range){(int32_t) first, (int32_t) CLAMP (end, first, (int64_t) limit)};
}

/* The pixels under sample @i of a component; the last block of an odd side is cut. */
static inline Range
block_of (int32_t i, uint8_t shift, uint32_t limit)
{
  return (Range){i << shift, (int32_t) MIN ((int64_t) (i + 1) << shift, (int64_t) limit)};
}

/* weight / total of the ink, rounded to nearest. 10 bits of 2^18 parts are less than 2^32. */
static inline uint32_t
mix (uint32_t old, uint32_t value, uint32_t weight, uint32_t total)
{
  return (old * (total - weight) + value * weight + total / 2) / total;
}

static inline uint32_t
read_sample (const YvCanvas *canvas, const uint8_t *sample)
{
  if (canvas->depth == 8)
    return *sample;
  return (sample[0] | (uint32_t) sample[1] << 8) >> canvas->low_bit & ((1u << canvas->depth) - 1);
}

static inline void
write_sample (const YvCanvas *canvas, uint8_t *sample, uint32_t value)
{
  if (canvas->depth == 8) {
    *sample = (uint8_t) value;
    return;
  }
  const uint32_t word = sample[0] | (uint32_t) sample[1] << 8;
  const uint32_t mask = ((1u << canvas->depth) - 1) << canvas->low_bit;
  const uint32_t inked = (word & ~mask) | value << canvas->low_bit;
  sample[0] = (uint8_t) inked;
  sample[1] = (uint8_t) (inked >> 8);
}

static inline void
blend (const YvCanvas *canvas, uint8_t *sample, uint32_t value, uint32_t weight, uint32_t total)
{
  write_sample (canvas, sample, mix (read_sample (canvas, sample), value, weight, total));
}

typedef struct {
  Range x, y;
} Area;

/* Samples that @range touches. */
static inline Range
samples_of (Range range, uint8_t shift)
{
  if (range.first >= range.end)
    return (Range){0, 0};
  return (Range){range.first >> shift, ((range.end - 1) >> shift) + 1};
}

static inline Area
clip_rect (const YvCanvas *canvas, YvRect rect)
{
  return (Area){clip ((int64_t) rect.x - canvas->x, rect.w, canvas->width),
                clip ((int64_t) rect.y - canvas->y, rect.h, canvas->height)};
}

static inline bool
area_is_empty (const Area *area)
{
  return area->x.first >= area->x.end || area->y.first >= area->y.end;
}

G_END_DECLS
