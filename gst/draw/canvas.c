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
} layouts[] = {
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

/* How many of the layout's components share all bytes of a step with component @i. */
static uint32_t
count_neighbours (const ComponentRow *rows, uint32_t n, uint32_t i)
{
  uint32_t n_neighbours = 0;

  for (uint32_t k = 0; k < n; k++)
    n_neighbours += rows[k].plane == rows[i].plane && rows[k].step_bytes == rows[i].step_bytes;
  return n_neighbours;
}

/* Of 8 bits, and beside others without gaps: one group. Any other is a group of its own. */
static void
init_groups (YvCanvas *canvas, YvFormat format)
{
  const ComponentRow *rows = layouts[format].components;
  const uint32_t n = canvas->n_components;

  for (uint32_t i = 0; i < n; i++) {
    const YvCanvasComponent *c = &canvas->components[i];
    const bool is_dense = canvas->depth == 8 && count_neighbours (rows, n, i) == c->step_bytes;
    YvCanvasGroup *group = canvas->n_groups ? &canvas->groups[canvas->n_groups - 1] : NULL;
    if (is_dense && group && rows[group->components[0]].plane == rows[i].plane) {
      group->components[group->n++] = (uint8_t) i;
      continue;
    }
    canvas->groups[canvas->n_groups++] = (YvCanvasGroup){
        .bytes = c->bytes,
        .stride_bytes = c->stride_bytes,
        .step_bytes = c->step_bytes,
        .shift_x = c->shift_x,
        .shift_y = c->shift_y,
        .n = 1,
        .components = {(uint8_t) i},
    };
  }
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
  init_groups (canvas, image->format);
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

/* Samples next to each other in a row, or rows, in which a shape has the same share. */
typedef struct {
  Range samples;
  uint32_t size_px;            /* of each */
  uint32_t outer_px, inner_px; /* of them: inside the shape, and inside its hole */
} Segment;

/* Between the edges of a shape, of its hole, and of the last block, which may be cut, lie as many
 * runs; on each of these edges a sample that it divides. */
#define MAX_SEGMENTS 11

/* The sample of the first edge behind @i; @end where there is none. */
static int32_t
next_edge (const int32_t edges[5], int32_t i, uint8_t shift, int32_t end)
{
  int32_t next = end;

  for (uint32_t k = 0; k < 5; k++)
    if (edges[k] >> shift > i)
      next = MIN (next, edges[k] >> shift);
  return next;
}

/* Whether an edge lies inside the sample, so that the one behind it is another case. */
static bool
is_divided (const int32_t edges[5], Range block)
{
  for (uint32_t k = 0; k < 5; k++)
    if (edges[k] > block.first && edges[k] < block.end)
      return true;
  return false;
}

static uint32_t
split (Range outer, Range inner, uint8_t shift, uint32_t limit, Segment segments[MAX_SEGMENTS])
{
  const int32_t last = (int32_t) (limit >> shift << shift);
  const int32_t edges[] = {outer.first, outer.end, inner.first, inner.end, last};
  const Range all = samples_of (outer, shift);
  uint32_t n = 0;

  for (int32_t i = all.first, end; i < all.end; i = end) {
    const Range block = block_of (i, shift, limit);
    end = is_divided (edges, block) ? i + 1 : next_edge (edges, i, shift, all.end);
    g_assert (n < MAX_SEGMENTS);
    segments[n++] = (Segment){
        .samples = {i, end},
        .size_px = (uint32_t) (block.end - block.first),
        .outer_px = (uint32_t) overlap (block, outer),
        .inner_px = (uint32_t) overlap (block, inner),
    };
  }
  return n;
}

/* A rectangle of a group's samples that take the same share of ink. */
typedef struct {
  uint8_t *bytes; /* the first sample */
  size_t step_bytes, stride_bytes;
  uint32_t n_columns, n_rows;
  uint32_t n;         /* samples of a step */
  uint32_t values[4]; /* of them */
} Cell;

/* Whole steps of one pattern: with a constant @n the compiler makes a wide loop of it. */
static inline void
set_steps (const Cell *cell, uint32_t n, size_t step_bytes)
{
  const uint8_t pattern[4] = {(uint8_t) cell->values[0], (uint8_t) cell->values[1],
                              (uint8_t) cell->values[2], (uint8_t) cell->values[3]};
  uint8_t *row = cell->bytes;

  for (uint32_t y = 0; y < cell->n_rows; y++, row += cell->stride_bytes)
    for (uint32_t x = 0; x < cell->n_columns; x++)
      memcpy (row + x * step_bytes, pattern, n);
}

static void
set_cell (const Cell *cell)
{
  uint8_t *row = cell->bytes;

  if (cell->step_bytes == 1 && cell->n_columns >= 16)
    for (uint32_t y = 0; y < cell->n_rows; y++, row += cell->stride_bytes)
      memset (row, (int) cell->values[0], cell->n_columns);
  else if (cell->n == 1 && cell->step_bytes == 1)
    set_steps (cell, 1, 1);
  else if (cell->n == 1)
    set_steps (cell, 1, cell->step_bytes);
  else if (cell->n == 2)
    set_steps (cell, 2, 2);
  else if (cell->n == 3)
    set_steps (cell, 3, 3);
  else
    set_steps (cell, 4, 4);
}

/* With a constant @total, which makes a division a multiplication, and a constant @n. */
static inline void
mix_steps (const Cell *cell, uint32_t n, size_t step_bytes, uint32_t weight, uint32_t total)
{
  uint8_t *row = cell->bytes;

  for (uint32_t y = 0; y < cell->n_rows; y++, row += cell->stride_bytes)
    for (uint32_t x = 0; x < cell->n_columns; x++)
      for (uint32_t k = 0; k < n; k++)
        row[x * step_bytes + k] =
            (uint8_t) mix (row[x * step_bytes + k], cell->values[k], weight, total);
}

static inline void
mix_cell (const Cell *cell, uint32_t weight, uint32_t total)
{
  if (cell->n == 1)
    mix_steps (cell, 1, cell->step_bytes, weight, total);
  else if (cell->n == 2)
    mix_steps (cell, 2, 2, weight, total);
  else if (cell->n == 3)
    mix_steps (cell, 3, 3, weight, total);
  else
    mix_steps (cell, 4, 4, weight, total);
}

static void
set_wide_cell (const YvCanvas *canvas, const Cell *cell)
{
  const uint32_t mask = ((1u << canvas->depth) - 1) << canvas->low_bit;
  const uint32_t bits = cell->values[0] << canvas->low_bit;
  uint8_t *row = cell->bytes;

  for (uint32_t y = 0; y < cell->n_rows; y++, row += cell->stride_bytes)
    for (uint32_t x = 0; x < cell->n_columns; x++) {
      uint8_t *sample = row + x * cell->step_bytes;
      sample[0] = (uint8_t) ((sample[0] & ~mask) | bits);
      sample[1] = (uint8_t) ((sample[1] & ~(mask >> 8)) | bits >> 8);
    }
}

static inline void
mix_wide_cell (const YvCanvas *canvas, const Cell *cell, uint32_t weight, uint32_t total)
{
  uint8_t *row = cell->bytes;

  for (uint32_t y = 0; y < cell->n_rows; y++, row += cell->stride_bytes)
    for (uint32_t x = 0; x < cell->n_columns; x++)
      blend (canvas, row + x * cell->step_bytes, cell->values[0], weight, total);
}

static void
ink_cell (const YvCanvas *canvas, const Cell *cell, uint32_t weight, uint32_t total)
{
  const bool is_byte = canvas->depth == 8;

  if (is_byte && weight == total)
    set_cell (cell);
  else if (is_byte && total == 255)
    mix_cell (cell, weight, 255);
  else if (is_byte && total == 2 * 255)
    mix_cell (cell, weight, 2 * 255);
  else if (is_byte)
    mix_cell (cell, weight, 4 * 255);
  else if (weight == total)
    set_wide_cell (canvas, cell);
  else if (total == 255)
    mix_wide_cell (canvas, cell, weight, 255);
  else
    mix_wide_cell (canvas, cell, weight, total);
}

/* Segments across times segments down: what is a constant share in both is one in the cell. */
static void
ink_group (const YvCanvas *canvas, const YvCanvasGroup *g, const Area *outer, const Area *inner,
           YvInk ink)
{
  Segment across[MAX_SEGMENTS], down[MAX_SEGMENTS];
  const uint32_t n_across = split (outer->x, inner->x, g->shift_x, canvas->width, across);
  const uint32_t n_down = split (outer->y, inner->y, g->shift_y, canvas->height, down);
  Cell cell = {.step_bytes = g->step_bytes, .stride_bytes = g->stride_bytes, .n = g->n};

  for (uint32_t k = 0; k < g->n; k++)
    cell.values[k] = ink.values[g->components[k]];
  for (const Segment *v = down; v < down + n_down; v++)
    for (const Segment *h = across; h < across + n_across; h++) {
      const uint32_t covered = h->outer_px * v->outer_px - h->inner_px * v->inner_px;
      const uint32_t area = h->size_px * v->size_px;
      const bool is_whole = covered == area; /* alpha / 255 rounds as the longer fraction does */
      cell.bytes = g->bytes + (size_t) v->samples.first * g->stride_bytes +
                   (size_t) h->samples.first * g->step_bytes;
      cell.n_columns = (uint32_t) (h->samples.end - h->samples.first);
      cell.n_rows = (uint32_t) (v->samples.end - v->samples.first);
      if (covered > 0)
        ink_cell (canvas, &cell, (is_whole ? 1 : covered) * ink.alpha, (is_whole ? 1 : area) * 255);
    }
}

static void
ink_area (const YvCanvas *canvas, const Area *outer, const Area *inner, YvInk ink)
{
  if (area_is_empty (outer) || ink.alpha == 0)
    return;
  for (uint32_t i = 0; i < canvas->n_groups; i++)
    ink_group (canvas, &canvas->groups[i], outer, inner, ink);
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
