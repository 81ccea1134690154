/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/canvas.c - shapes and masks, blended straight into the planes of a picture. */
#include "gst/draw/canvas.h"

#include <string.h>

/* ---- what a picture is made of -------------------------------------------------------------- */

/* What a component holds. */
enum { R, G, B, OPAQUE, Y, U, V };

typedef struct {
  uint8_t content, plane, offset_bytes, step_bytes, shift;
} ComponentRow;

static const struct {
  uint32_t n_components;
  ComponentRow components[4];
} layouts[YV_N_FORMATS] = {
    [YV_FORMAT_RGB] = {3, {{R, 0, 0, 3, 0}, {G, 0, 1, 3, 0}, {B, 0, 2, 3, 0}}},
    [YV_FORMAT_BGR] = {3, {{B, 0, 0, 3, 0}, {G, 0, 1, 3, 0}, {R, 0, 2, 3, 0}}},
    [YV_FORMAT_RGBX] = {4,
                        {{R, 0, 0, 4, 0}, {G, 0, 1, 4, 0}, {B, 0, 2, 4, 0}, {OPAQUE, 0, 3, 4, 0}}},
    [YV_FORMAT_BGRX] = {4,
                        {{B, 0, 0, 4, 0}, {G, 0, 1, 4, 0}, {R, 0, 2, 4, 0}, {OPAQUE, 0, 3, 4, 0}}},
    [YV_FORMAT_XRGB] = {4,
                        {{OPAQUE, 0, 0, 4, 0}, {R, 0, 1, 4, 0}, {G, 0, 2, 4, 0}, {B, 0, 3, 4, 0}}},
    [YV_FORMAT_XBGR] = {4,
                        {{OPAQUE, 0, 0, 4, 0}, {B, 0, 1, 4, 0}, {G, 0, 2, 4, 0}, {R, 0, 3, 4, 0}}},
    [YV_FORMAT_GRAY8] = {1, {{Y, 0, 0, 1, 0}}},
    [YV_FORMAT_I420] = {3, {{Y, 0, 0, 1, 0}, {U, 1, 0, 1, 1}, {V, 2, 0, 1, 1}}},
    [YV_FORMAT_NV12] = {3, {{Y, 0, 0, 1, 0}, {U, 1, 0, 2, 1}, {V, 1, 1, 2, 1}}},
};

/* Shares of red and blue in luma: ITU-R BT.601, BT.709, BT.2020. */
static const struct {
  float r, b;
} luma_shares[] = {
    [YV_MATRIX_BT601] = {0.299f, 0.114f},
    [YV_MATRIX_BT709] = {0.2126f, 0.0722f},
    [YV_MATRIX_BT2020] = {0.2627f, 0.0593f},
};

/* One row of the colour matrix: what @content is, over r, g, b and 1, in 0..255. */
static void
color_row (const YvImage *image, uint8_t content, float row[4])
{
  const float kr = luma_shares[image->matrix].r, kb = luma_shares[image->matrix].b;
  const float kg = 1 - kr - kb;
  const float luma = image->full_range ? 255 : 219, chroma = image->full_range ? 255 : 224;
  const float black = image->full_range ? 0 : 16;
  const float u = chroma / (2 * (1 - kb)), v = chroma / (2 * (1 - kr));
  const float rows[][4] = {
      [R] = {255, 0, 0, 0},
      [G] = {0, 255, 0, 0},
      [B] = {0, 0, 255, 0},
      [OPAQUE] = {0, 0, 0, 255},
      [Y] = {luma * kr, luma * kg, luma * kb, black},
      [U] = {-u * kr, -u * kg, u * (1 - kb), 128},
      [V] = {v * (1 - kr), -v * kg, -v * kb, 128},
  };

  memcpy (row, rows[content], sizeof (rows[content]));
}

void
yv_canvas_init (YvCanvas *canvas, const YvImage *image)
{
  *canvas = (YvCanvas){
      .width = image->width,
      .height = image->height,
      .n_components = layouts[image->format].n_components,
  };
  for (uint32_t i = 0; i < canvas->n_components; i++) {
    const ComponentRow *row = &layouts[image->format].components[i];
    canvas->components[i] = (YvCanvasComponent){
        .bytes = (uint8_t *) image->planes[row->plane] + row->offset_bytes,
        .stride_bytes = image->stride_bytes[row->plane],
        .step_bytes = row->step_bytes,
        .shift = row->shift,
    };
    color_row (image, row->content, canvas->colors[i]);
  }
}

YvInk
yv_canvas_ink (const YvCanvas *canvas, uint32_t argb)
{
  const float r = (argb >> 16 & 0xff) / 255.0f;
  const float g = (argb >> 8 & 0xff) / 255.0f;
  const float b = (argb & 0xff) / 255.0f;
  YvInk ink = {.alpha = (uint8_t) (argb >> 24)};

  for (uint32_t i = 0; i < canvas->n_components; i++) {
    const float *row = canvas->colors[i];
    const float value = row[0] * r + row[1] * g + row[2] * b + row[3];
    ink.values[i] = (uint8_t) (CLAMP (value, 0.0f, 255.0f) + 0.5f);
  }
  return ink;
}

/* ---- shapes --------------------------------------------------------------------------------- */

/* Pixels from first to end - 1. */
typedef struct {
  int32_t first, end;
} Range;

static int32_t
overlap (Range a, Range b)
{
  return MAX (0, MIN (a.end, b.end) - MAX (a.first, b.first));
}

/* The part of [start, start + size) inside [0, limit); sums in 64 bits because @start may be
 * anything. */
static Range
clip (int32_t start, int32_t size, uint32_t limit)
{
  const int64_t end = (int64_t) start + MAX (size, 0);
  const int64_t first = CLAMP (start, 0, (int64_t) limit);

  return (Range){(int32_t) first, (int32_t) CLAMP (end, first, (int64_t) limit)};
}

/* The pixels under sample @i of a component; the last block of an odd side is cut. */
static Range
block_of (int32_t i, uint8_t shift, uint32_t limit)
{
  return (Range){i << shift, (int32_t) MIN ((int64_t) (i + 1) << shift, (int64_t) limit)};
}

/* weight / total of the ink, rounded to nearest. */
static void
blend (uint8_t *sample, uint8_t value, uint32_t weight, uint32_t total)
{
  *sample = (uint8_t) ((*sample * (total - weight) + value * weight + total / 2) / total);
}

typedef struct {
  Range x, y;
} Area;

/* Inks samples [first, end) of row @row by how much of (outer less inner) each has. */
static void
ink_run (const YvCanvas *canvas, uint32_t component, int32_t row, Range samples, const Area *outer,
         const Area *inner, YvInk ink)
{
  const YvCanvasComponent *c = &canvas->components[component];
  const Range by = block_of (row, c->shift, canvas->height);
  const int32_t outer_h = overlap (by, outer->y), inner_h = overlap (by, inner->y);
  uint8_t *line = c->bytes + (size_t) row * c->stride_bytes;

  for (int32_t i = samples.first; i < samples.end; i++) {
    const Range bx = block_of (i, c->shift, canvas->width);
    const int32_t covered = overlap (bx, outer->x) * outer_h - overlap (bx, inner->x) * inner_h;
    const int32_t area = (bx.end - bx.first) * (by.end - by.first);
    blend (line + (size_t) i * c->step_bytes, ink.values[component], (uint32_t) covered * ink.alpha,
           (uint32_t) area * 255);
  }
}

/* Samples that @range touches. */
static Range
samples_of (Range range, uint8_t shift)
{
  if (range.first >= range.end)
    return (Range){0, 0};
  return (Range){range.first >> shift, ((range.end - 1) >> shift) + 1};
}

static void
ink_component (const YvCanvas *canvas, uint32_t component, const Area *outer, const Area *inner,
               YvInk ink)
{
  const uint8_t shift = canvas->components[component].shift;
  const Range rows = samples_of (outer->y, shift), all = samples_of (outer->x, shift);
  const int32_t block = 1 << shift;
  const Range left = {all.first, MIN (all.end, (inner->x.first + block - 1) >> shift)};
  const Range right = {MAX (left.end, inner->x.end >> shift), all.end};

  for (int32_t row = rows.first; row < rows.end; row++) {
    const Range by = block_of (row, shift, canvas->height);
    if (overlap (by, inner->y) < by.end - by.first || inner->x.first >= inner->x.end) {
      ink_run (canvas, component, row, all, outer, inner, ink);
      continue;
    }
    ink_run (canvas, component, row, left, outer, inner, ink);
    ink_run (canvas, component, row, right, outer, inner, ink);
  }
}

static Area
clip_rect (const YvCanvas *canvas, YvRect rect)
{
  return (Area){clip (rect.x, rect.w, canvas->width), clip (rect.y, rect.h, canvas->height)};
}

static bool
area_is_empty (const Area *area)
{
  return area->x.first >= area->x.end || area->y.first >= area->y.end;
}

static void
ink_area (const YvCanvas *canvas, const Area *outer, const Area *inner, YvInk ink)
{
  if (area_is_empty (outer) || ink.alpha == 0)
    return;
  for (uint32_t i = 0; i < canvas->n_components; i++)
    ink_component (canvas, i, outer, inner, ink);
}

void
yv_canvas_fill (const YvCanvas *canvas, YvRect rect, YvInk ink)
{
  const Area outer = clip_rect (canvas, rect);

  ink_area (canvas, &outer, &(Area){0}, ink);
}

void
yv_canvas_outline (const YvCanvas *canvas, YvRect outer, int32_t line_px, YvInk ink)
{
  const Area area = clip_rect (canvas, outer);

  if (outer.w <= 2 * line_px || outer.h <= 2 * line_px) {
    ink_area (canvas, &area, &(Area){0}, ink);
    return;
  }
  const YvRect inner = {outer.x + line_px, outer.y + line_px, outer.w - 2 * line_px,
                        outer.h - 2 * line_px};
  const Area hole = clip_rect (canvas, inner);
  ink_area (canvas, &area, area_is_empty (&hole) ? &(Area){0} : &hole, ink);
}

/* ---- masks ---------------------------------------------------------------------------------- */

static uint32_t
sum_mask (const YvMask *mask, int32_t x, int32_t y, Range bx, Range by)
{
  const Range mx = clip (bx.first - x, bx.end - bx.first, mask->w);
  const Range my = clip (by.first - y, by.end - by.first, mask->h);
  uint32_t sum = 0;

  for (int32_t row = my.first; row < my.end; row++)
    for (int32_t column = mx.first; column < mx.end; column++)
      sum += mask->bytes[(size_t) row * mask->stride_bytes + (size_t) column];
  return sum;
}

static void
stamp_component (const YvCanvas *canvas, uint32_t component, int32_t x, int32_t y,
                 const YvMask *mask, const Area *area, YvInk ink)
{
  const YvCanvasComponent *c = &canvas->components[component];
  const Range rows = samples_of (area->y, c->shift), columns = samples_of (area->x, c->shift);

  for (int32_t row = rows.first; row < rows.end; row++) {
    const Range by = block_of (row, c->shift, canvas->height);
    uint8_t *line = c->bytes + (size_t) row * c->stride_bytes;
    for (int32_t i = columns.first; i < columns.end; i++) {
      const Range bx = block_of (i, c->shift, canvas->width);
      const uint32_t n = (uint32_t) ((bx.end - bx.first) * (by.end - by.first));
      blend (line + (size_t) i * c->step_bytes, ink.values[component],
             sum_mask (mask, x, y, bx, by) * ink.alpha, n * 255 * 255);
    }
  }
}

void
yv_canvas_stamp (const YvCanvas *canvas, int32_t x, int32_t y, const YvMask *mask, YvInk ink)
{
  const Area area = clip_rect (canvas, (YvRect){x, y, (int32_t) mask->w, (int32_t) mask->h});

  if (area_is_empty (&area) || ink.alpha == 0)
    return;
  for (uint32_t i = 0; i < canvas->n_components; i++)
    stamp_component (canvas, i, x, y, mask, &area, ink);
}
