/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/lines.c - lines through points, a tile after the other: in each the line is a mask. */
#include "gst/draw/lines.h"

#include <math.h>
#include <string.h>

#define TILE_PX 64 /* even: no sample of chroma lies in two tiles */

typedef struct {
  YvRect rect; /* px of the whole picture */
  uint8_t bytes[TILE_PX * TILE_PX];
} Tile;

/* From the points themselves to the last pixel with any ink: a half, and the soft edge. */
static double
reach_of (int32_t line_px)
{
  return line_px / 2.0 + 0.5;
}

static YvRect
bounds_of (const YvPoint *a, const YvPoint *b, int32_t line_px)
{
  const double reach = reach_of (line_px);
  const int32_t x = (int32_t) floor (MIN (a->x, b->x) - reach);
  const int32_t y = (int32_t) floor (MIN (a->y, b->y) - reach);

  return (YvRect){x, y, (int32_t) ceil (MAX (a->x, b->x) + reach) - x,
                  (int32_t) ceil (MAX (a->y, b->y) + reach) - y};
}

static YvRect
intersect (YvRect a, YvRect b)
{
  const int32_t x = MAX (a.x, b.x), y = MAX (a.y, b.y);

  return (YvRect){x, y, MIN (a.x + a.w, b.x + b.w) - x, MIN (a.y + a.h, b.y + b.h) - y};
}

static bool
is_empty (YvRect rect)
{
  return rect.w <= 0 || rect.h <= 0;
}

/* How much of the pixel whose middle is (x, y) the line from @a to @b covers, times its alpha. */
static uint8_t
cover_pixel (const YvPoint *a, const YvPoint *b, double reach, double x, double y)
{
  const double dx = b->x - a->x, dy = b->y - a->y, length2 = dx * dx + dy * dy;
  const double along = (x - a->x) * dx + (y - a->y) * dy;
  const double share = length2 > 0 ? CLAMP (along / length2, 0, 1) : 0;
  const double ex = x - a->x - share * dx, ey = y - a->y - share * dy;
  const double distance2 = ex * ex + ey * ey;

  if (distance2 >= reach * reach)
    return 0;
  const double covered = MIN (reach - sqrt (distance2), 1);
  return (uint8_t) (covered * (a->alpha + share * (b->alpha - a->alpha)) + 0.5);
}

/* The pixels of row @y that lie near enough to the line through @a and @b. */
static void
narrow_row (const YvPoint *a, const YvPoint *b, double reach, double y, const YvRect *part,
            int32_t *first, int32_t *end)
{
  const double dx = b->x - a->x, dy = b->y - a->y;

  *first = part->x;
  *end = part->x + part->w;
  if (fabs (dy) < 1)
    return;
  const double middle = a->x + (y - a->y) * dx / dy;
  const double half = reach * sqrt (dx * dx + dy * dy) / fabs (dy);
  *first = (int32_t) CLAMP (floor (middle - half), *first, *end);
  *end = (int32_t) CLAMP (ceil (middle + half) + 1, *first, *end);
}

/* Returns: whether anything of @tile may be inked. */
static bool
cover_tile (Tile *tile, const YvPoint *a, const YvPoint *b, int32_t line_px)
{
  const YvRect part = intersect (bounds_of (a, b, line_px), tile->rect);
  const double reach = reach_of (line_px);

  if (is_empty (part))
    return false;
  for (int32_t y = part.y; y < part.y + part.h; y++) {
    uint8_t *row = tile->bytes + (y - tile->rect.y) * TILE_PX;
    int32_t first, end;
    narrow_row (a, b, reach, y + 0.5, &part, &first, &end);
    for (int32_t x = first; x < end; x++) {
      uint8_t *pixel = &row[x - tile->rect.x];
      *pixel = MAX (*pixel, cover_pixel (a, b, reach, x + 0.5, y + 0.5));
    }
  }
  return true;
}

static void
draw_tile (const YvCanvas *canvas, Tile *tile, const YvPoint *points, uint32_t n_points,
           int32_t line_px, YvInk ink)
{
  bool is_inked = false;

  memset (tile->bytes, 0, sizeof (tile->bytes));
  for (uint32_t i = 0; i < n_points; i++)
    if (i > 0 || n_points == 1)
      is_inked |= cover_tile (tile, &points[i > 0 ? i - 1 : 0], &points[i], line_px);
  if (!is_inked)
    return;
  const YvMask mask = {
      .w = (uint32_t) tile->rect.w,
      .h = (uint32_t) tile->rect.h,
      .stride_bytes = TILE_PX,
      .bytes = tile->bytes,
  };
  yv_canvas_stamp (canvas, tile->rect.x, tile->rect.y, &mask, ink);
}

void
yv_lines_draw (const YvCanvas *canvas, const YvPoint *points, uint32_t n_points, int32_t line_px,
               YvInk ink)
{
  const YvRect frame = {canvas->x, canvas->y, (int32_t) canvas->width, (int32_t) canvas->height};
  const YvRect all = intersect (yv_lines_bounds (points, n_points, line_px), frame);
  Tile tile;

  if (is_empty (all))
    return;
  /* Tiles begin at multiples of their size from the canvas' corner. */
  const int32_t x0 = frame.x + (all.x - frame.x) / TILE_PX * TILE_PX;
  const int32_t y0 = frame.y + (all.y - frame.y) / TILE_PX * TILE_PX;
  for (int32_t y = y0; y < all.y + all.h; y += TILE_PX)
    for (int32_t x = x0; x < all.x + all.w; x += TILE_PX) {
      tile.rect = intersect ((YvRect){x, y, TILE_PX, TILE_PX}, frame);
      if (yv_lines_touch (points, n_points, line_px, tile.rect))
        draw_tile (canvas, &tile, points, n_points, line_px, ink);
    }
}

YvRect
yv_lines_bounds (const YvPoint *points, uint32_t n_points, int32_t line_px)
{
  if (n_points == 0)
    return (YvRect){0};

  YvPoint low = points[0], high = points[0];
  for (uint32_t i = 1; i < n_points; i++) {
    low.x = MIN (low.x, points[i].x);
    low.y = MIN (low.y, points[i].y);
    high.x = MAX (high.x, points[i].x);
    high.y = MAX (high.y, points[i].y);
  }
  return bounds_of (&low, &high, line_px);
}

bool
yv_lines_touch (const YvPoint *points, uint32_t n_points, int32_t line_px, YvRect rect)
{
  for (uint32_t i = 0; i < n_points; i++)
    if (!is_empty (intersect (bounds_of (&points[i > 0 ? i - 1 : 0], &points[i], line_px), rect)))
      return true;
  return false;
}
