/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/canvas.c - shapes and masks, blended straight into the planes of a picture. */
#include "gst/draw/canvas.h"

#include <string.h>

#include "gst/draw/canvas-private.h"

/* ---- what a picture is made of -------------------------------------------------------------- */

/* What a component holds. */
enum { R, G, B, OPAQUE, Y, U, V };

typedef struct {
  uint8_t content, plane, offset_bytes, step_bytes;
} ComponentRow;

static const struct {
  uint8_t depth, low_bit;       /* a sample's bits; what is below them */
  uint8_t chroma_dx, chroma_dy; /* log2 of the subsampling of U and V */
  uint8_t n_components;
  ComponentRow components[4];
} layouts[YV_N_FORMATS] = {
    /* clang-format off */
    [YV_FORMAT_RGB] = {8, 0, 0, 0, 3, {{R, 0, 0, 3}, {G, 0, 1, 3}, {B, 0, 2, 3}}},
    [YV_FORMAT_BGR] = {8, 0, 0, 0, 3, {{B, 0, 0, 3}, {G, 0, 1, 3}, {R, 0, 2, 3}}},
    [YV_FORMAT_RGBX] = {8, 0, 0, 0, 4,
                        {{R, 0, 0, 4}, {G, 0, 1, 4}, {B, 0, 2, 4}, {OPAQUE, 0, 3, 4}}},
    [YV_FORMAT_BGRX] = {8, 0, 0, 0, 4,
                        {{B, 0, 0, 4}, {G, 0, 1, 4}, {R, 0, 2, 4}, {OPAQUE, 0, 3, 4}}},
    [YV_FORMAT_XRGB] = {8, 0, 0, 0, 4,
                        {{OPAQUE, 0, 0, 4}, {R, 0, 1, 4}, {G, 0, 2, 4}, {B, 0, 3, 4}}},
    [YV_FORMAT_XBGR] = {8, 0, 0, 0, 4,
                        {{OPAQUE, 0, 0, 4}, {B, 0, 1, 4}, {G, 0, 2, 4}, {R, 0, 3, 4}}},
    [YV_FORMAT_GRAY8] = {8, 0, 0, 0, 1, {{Y, 0, 0, 1}}},
    [YV_FORMAT_I420] = {8, 0, 1, 1, 3, {{Y, 0, 0, 1}, {U, 1, 0, 1}, {V, 2, 0, 1}}},
    [YV_FORMAT_NV12] = {8, 0, 1, 1, 3, {{Y, 0, 0, 1}, {U, 1, 0, 2}, {V, 1, 1, 2}}},
    [YV_FORMAT_NV21] = {8, 0, 1, 1, 3, {{Y, 0, 0, 1}, {V, 1, 0, 2}, {U, 1, 1, 2}}},
    [YV_FORMAT_Y42B] = {8, 0, 1, 0, 3, {{Y, 0, 0, 1}, {U, 1, 0, 1}, {V, 2, 0, 1}}},
    [YV_FORMAT_NV16] = {8, 0, 1, 0, 3, {{Y, 0, 0, 1}, {U, 1, 0, 2}, {V, 1, 1, 2}}},
    [YV_FORMAT_YUY2] = {8, 0, 1, 0, 3, {{Y, 0, 0, 2}, {U, 0, 1, 4}, {V, 0, 3, 4}}},
    [YV_FORMAT_UYVY] = {8, 0, 1, 0, 3, {{U, 0, 0, 4}, {Y, 0, 1, 2}, {V, 0, 2, 4}}},
    [YV_FORMAT_YVYU] = {8, 0, 1, 0, 3, {{Y, 0, 0, 2}, {V, 0, 1, 4}, {U, 0, 3, 4}}},
    [YV_FORMAT_Y444] = {8, 0, 0, 0, 3, {{Y, 0, 0, 1}, {U, 1, 0, 1}, {V, 2, 0, 1}}},
    [YV_FORMAT_I420_10LE] = {10, 0, 1, 1, 3, {{Y, 0, 0, 2}, {U, 1, 0, 2}, {V, 2, 0, 2}}},
    [YV_FORMAT_P010_10LE] = {10, 6, 1, 1, 3, {{Y, 0, 0, 2}, {U, 1, 0, 4}, {V, 1, 2, 4}}},
    /* clang-format on */
};

/* Shares of red and blue in luma: ITU-R BT.601, BT.709, BT.2020. */
static const struct {
  float r, b;
} luma_shares[] = {
    [YV_MATRIX_BT601] = {0.299f, 0.114f},
    [YV_MATRIX_BT709] = {0.2126f, 0.0722f},
    [YV_MATRIX_BT2020] = {0.2627f, 0.0593f},
};

/* One row of the colour matrix: what @content is, over r, g, b and 1, in steps of a sample. */
static void
color_row (const YvImage *image, uint32_t depth, uint8_t content, float row[4])
{
  const float kr = luma_shares[image->matrix].r, kb = luma_shares[image->matrix].b;
  const float kg = 1 - kr - kb;
  const float steps = (float) (1 << (depth - 8)); /* what 1 of 8 bits is in a limited range */
  const float full = (float) ((1 << depth) - 1);
  const float luma = image->full_range ? full : 219 * steps;
  const float chroma = image->full_range ? full : 224 * steps;
  const float black = image->full_range ? 0 : 16 * steps, grey = 128 * steps;
  const float u = chroma / (2 * (1 - kb)), v = chroma / (2 * (1 - kr));
  const float rows[][4] = {
      [R] = {full, 0, 0, 0},
      [G] = {0, full, 0, 0},
      [B] = {0, 0, full, 0},
      [OPAQUE] = {0, 0, 0, full},
      [Y] = {luma * kr, luma * kg, luma * kb, black},
      [U] = {-u * kr, -u * kg, u * (1 - kb), grey},
      [V] = {v * (1 - kr), -v * kg, -v * kb, grey},
  };

  memcpy (row, rows[content], sizeof (rows[content]));
}

void
yv_canvas_init (YvCanvas *canvas, const YvImage *image)
{
  *canvas = (YvCanvas){
      .width = image->width,
      .height = image->height,
      .depth = layouts[image->format].depth,
      .low_bit = layouts[image->format].low_bit,
      .n_components = layouts[image->format].n_components,
  };
  for (uint32_t i = 0; i < canvas->n_components; i++) {
    const ComponentRow *row = &layouts[image->format].components[i];
    const bool is_chroma = row->content == U || row->content == V;
    canvas->components[i] = (YvCanvasComponent){
        .bytes = (uint8_t *) image->planes[row->plane] + row->offset_bytes,
        .stride_bytes = image->stride_bytes[row->plane],
        .step_bytes = row->step_bytes,
        .shift_x = is_chroma ? layouts[image->format].chroma_dx : 0,
        .shift_y = is_chroma ? layouts[image->format].chroma_dy : 0,
    };
    color_row (image, canvas->depth, row->content, canvas->colors[i]);
  }
}

YvInk
yv_canvas_ink (const YvCanvas *canvas, uint32_t argb)
{
  const float r = (argb >> 16 & 0xff) / 255.0f;
  const float g = (argb >> 8 & 0xff) / 255.0f;
  const float b = (argb & 0xff) / 255.0f;
  const float largest = (float) ((1 << canvas->depth) - 1);
  YvInk ink = {.alpha = (uint8_t) (argb >> 24)};

  for (uint32_t i = 0; i < canvas->n_components; i++) {
    const float *row = canvas->colors[i];
    const float value = row[0] * r + row[1] * g + row[2] * b + row[3];
    ink.values[i] = (uint16_t) (CLAMP (value, 0.0f, largest) + 0.5f);
  }
  return ink;
}

/* ---- shapes --------------------------------------------------------------------------------- */

/* Inks samples [first, end) of row @row by how much of (outer less inner) each has. */
static void
ink_run (const YvCanvas *canvas, uint32_t component, int32_t row, Range samples, const Area *outer,
         const Area *inner, YvInk ink)
{
  const YvCanvasComponent *c = &canvas->components[component];
  const Range by = block_of (row, c->shift_y, canvas->height);
  const int32_t outer_h = overlap (by, outer->y), inner_h = overlap (by, inner->y);
  uint8_t *line = c->bytes + (size_t) row * c->stride_bytes;

  for (int32_t i = samples.first; i < samples.end; i++) {
    const Range bx = block_of (i, c->shift_x, canvas->width);
    const int32_t covered = overlap (bx, outer->x) * outer_h - overlap (bx, inner->x) * inner_h;
    const int32_t area = (bx.end - bx.first) * (by.end - by.first);
    blend (canvas, line + (size_t) i * c->step_bytes, ink.values[component],
           (uint32_t) covered * ink.alpha, (uint32_t) area * 255);
  }
}

/* The two below with a constant @step_bytes: what the compiler makes wide loops of. */
static inline void
set_steps (uint8_t *sample, size_t n, size_t step_bytes, uint8_t value)
{
  for (size_t i = 0; i < n; i++)
    sample[i * step_bytes] = value;
}

/* alpha / 255 rounds as any weight / total of the same share does. */
static inline void
mix_steps (uint8_t *sample, size_t n, size_t step_bytes, uint32_t value, uint32_t alpha)
{
  for (size_t i = 0; i < n; i++)
    sample[i * step_bytes] = (uint8_t) mix (sample[i * step_bytes], value, alpha, 255);
}

/* Inks @n samples that a shape covers wholly. */
static void
cover (const YvCanvas *canvas, uint8_t *sample, size_t n, size_t step_bytes, uint32_t value,
       uint32_t alpha)
{
  if (canvas->depth != 8) {
    for (size_t i = 0; i < n; i++)
      blend (canvas, sample + i * step_bytes, value, alpha, 255);
  } else if (alpha == 255 && step_bytes == 1) {
    memset (sample, (int) value, n);
  } else if (alpha == 255) {
    step_bytes == 2   ? set_steps (sample, n, 2, (uint8_t) value)
    : step_bytes == 4 ? set_steps (sample, n, 4, (uint8_t) value)
                      : set_steps (sample, n, step_bytes, (uint8_t) value);
  } else {
    step_bytes == 1   ? mix_steps (sample, n, 1, value, alpha)
    : step_bytes == 2 ? mix_steps (sample, n, 2, value, alpha)
    : step_bytes == 4 ? mix_steps (sample, n, 4, value, alpha)
                      : mix_steps (sample, n, step_bytes, value, alpha);
  }
}

/* As ink_run() in a row that is inside @outer and beside @inner: of the samples those within @px,
 * a part of the row, are wholly covered, and the others few. */
static void
ink_span (const YvCanvas *canvas, uint32_t component, int32_t row, Range samples, Range px,
          const Area *outer, const Area *inner, YvInk ink)
{
  const YvCanvasComponent *c = &canvas->components[component];
  const int32_t block = 1 << c->shift_x;
  const bool is_cut = px.end == (int32_t) canvas->width; /* so may the last block be */
  const int32_t end = (is_cut ? px.end + block - 1 : px.end) >> c->shift_x;
  const Range full = {MAX (samples.first, (px.first + block - 1) >> c->shift_x),
                      MIN (samples.end, end)};

  if (full.first >= full.end) {
    ink_run (canvas, component, row, samples, outer, inner, ink);
    return;
  }
  ink_run (canvas, component, row, (Range){samples.first, full.first}, outer, inner, ink);
  cover (canvas, c->bytes + (size_t) row * c->stride_bytes + (size_t) full.first * c->step_bytes,
         (size_t) (full.end - full.first), c->step_bytes, ink.values[component], ink.alpha);
  ink_run (canvas, component, row, (Range){full.end, samples.end}, outer, inner, ink);
}

static void
ink_row (const YvCanvas *canvas, uint32_t component, int32_t row, const Area *outer,
         const Area *inner, YvInk ink)
{
  const YvCanvasComponent *c = &canvas->components[component];
  const Range all = samples_of (outer->x, c->shift_x);
  const Range by = block_of (row, c->shift_y, canvas->height);
  const int32_t block = 1 << c->shift_x, h = by.end - by.first;
  const int32_t inner_h = inner->x.first < inner->x.end ? overlap (by, inner->y) : 0;

  if (overlap (by, outer->y) < h || (inner_h > 0 && inner_h < h)) {
    ink_run (canvas, component, row, all, outer, inner, ink);
    return;
  }
  if (inner_h == 0) {
    ink_span (canvas, component, row, all, outer->x, outer, inner, ink);
    return;
  }
  const Range left = {all.first, MIN (all.end, (inner->x.first + block - 1) >> c->shift_x)};
  const Range right = {MAX (left.end, inner->x.end >> c->shift_x), all.end};
  ink_span (canvas, component, row, left, (Range){outer->x.first, inner->x.first}, outer, inner,
            ink);
  ink_span (canvas, component, row, right, (Range){inner->x.end, outer->x.end}, outer, inner, ink);
}

static void
ink_component (const YvCanvas *canvas, uint32_t component, const Area *outer, const Area *inner,
               YvInk ink)
{
  const Range rows = samples_of (outer->y, canvas->components[component].shift_y);

  for (int32_t row = rows.first; row < rows.end; row++)
    ink_row (canvas, component, row, outer, inner, ink);
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
