/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/lines.c - lines through points, a tile after the other: in each the line is a
 * mask. */
#include "gst/draw/lines.h"

#include <math.h>
#include <string.h>

/* Even: no sample of chroma lies in two tiles. Low: little of one lies beside a line that leans. */
#define TILE_W_PX 64
#define TILE_H_PX 16

typedef struct {
  YvRect rect;  /* px of the whole picture */
  YvRect inked; /* the part of it that may be; empty: none yet */
  uint8_t bytes[TILE_W_PX * TILE_H_PX];
} Tile;

/* What is drawn. */
typedef struct {
  const YvPoint *points;
  uint32_t n_points;
  int32_t line_px;
} Line;

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

static YvRect
unite (YvRect a, YvRect b)
{
  if (is_empty (a))
    return b;
  const int32_t x = MIN (a.x, b.x), y = MIN (a.y, b.y);
  return (YvRect){x, y, MAX (a.x + a.w, b.x + b.w) - x, MAX (a.y + a.h, b.y + b.h) - y};
}

/* How many segments there are: one point is one, too. */
static uint32_t
n_segments_of (const Line *line)
{
  return line->n_points > 1 ? line->n_points - 1 : line->n_points;
}

static const YvPoint *
end_of (const Line *line, uint32_t segment)
{
  return &line->points[MIN (segment + 1, line->n_points - 1)];
}

/* The columns that the line from @a to @b may ink in rows @y to @y + @h - 1.
 * Returns: false where there are none. */
static bool
columns_in_rows (const YvPoint *a, const YvPoint *b, double reach, int32_t y, int32_t h,
                 double *first, double *end)
{
  const double top = y - reach, bottom = (double) y + h + reach;
  const double dx = b->x - a->x, dy = b->y - a->y;
  double low = 0, high = 1;

  if (MAX (a->y, b->y) < top || MIN (a->y, b->y) > bottom)
    return false;
  if (fabs (dy) >= 1) { /* else all of it lies in the rows, or nearly so */
    const double at_top = CLAMP ((top - a->y) / dy, 0, 1);
    const double at_bottom = CLAMP ((bottom - a->y) / dy, 0, 1);
    low = MIN (at_top, at_bottom);
    high = MAX (at_top, at_bottom);
  }
  *first = a->x + MIN (low * dx, high * dx) - reach;
  *end = a->x + MAX (low * dx, high * dx) + reach;
  return true;
}

/* What all pixels near a segment have in common. */
typedef struct {
  double x, y, dx, dy;
  double per_length2;        /* 0: it is a dot */
  double alpha, d_alpha;     /* where it begins, and until its end */
  double reach, far2, near2; /* squares of the distances of no ink, and of all of it */
} Segment;

static Segment
segment_of (const YvPoint *a, const YvPoint *b, double reach)
{
  const double dx = b->x - a->x, dy = b->y - a->y, length2 = dx * dx + dy * dy;

  return (Segment){
      .x = a->x,
      .y = a->y,
      .dx = dx,
      .dy = dy,
      .per_length2 = length2 > 0 ? 1 / length2 : 0,
      .alpha = a->alpha,
      .d_alpha = (double) b->alpha - a->alpha,
      .reach = reach,
      .far2 = reach * reach,
      .near2 = (reach - 1) * (reach - 1),
  };
}

/* How much of the pixel whose middle is (x, y) the segment covers, times its alpha. */
static inline uint8_t
cover_pixel (const Segment *s, double x, double y)
{
  const double along = ((x - s->x) * s->dx + (y - s->y) * s->dy) * s->per_length2;
  const double share = CLAMP (along, 0, 1);
  const double ex = x - s->x - share * s->dx, ey = y - s->y - share * s->dy;
  const double distance2 = ex * ex + ey * ey;

  if (distance2 >= s->far2)
    return 0;
  const double alpha = s->alpha + share * s->d_alpha;
  const double covered = distance2 > s->near2 ? s->reach - sqrt (distance2) : 1;
  return (uint8_t) (covered * alpha + 0.5);
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

static void
cover_tile (Tile *tile, const YvPoint *a, const YvPoint *b, int32_t line_px)
{
  const YvRect part = intersect (bounds_of (a, b, line_px), tile->rect);
  const double reach = reach_of (line_px);
  const Segment segment = segment_of (a, b, reach);
  int32_t part_first = part.x + part.w, part_end = part.x;

  if (is_empty (part))
    return;
  for (int32_t y = part.y; y < part.y + part.h; y++) {
    uint8_t *row = tile->bytes + (y - tile->rect.y) * TILE_W_PX;
    int32_t first, end;
    narrow_row (a, b, reach, y + 0.5, &part, &first, &end);
    if (first >= end)
      continue;
    part_first = MIN (part_first, first);
    part_end = MAX (part_end, end);
    for (int32_t x = first; x < end; x++) {
      uint8_t *pixel = &row[x - tile->rect.x];
      *pixel = MAX (*pixel, cover_pixel (&segment, x + 0.5, y + 0.5));
    }
  }
  if (part_first < part_end)
    tile->inked = unite (tile->inked, (YvRect){part_first, part.y, part_end - part_first, part.h});
}

/* Draws what segments @first to @end - 1 ink of the tile, which is clear before and after. */
static void
draw_tile (const YvCanvas *canvas, Tile *tile, const Line *line, uint32_t first, uint32_t end,
           YvInk ink)
{
  tile->inked = (YvRect){0};
  for (uint32_t i = first; i < end; i++)
    cover_tile (tile, &line->points[i], end_of (line, i), line->line_px);
  if (is_empty (tile->inked))
    return;

  const YvRect r = tile->inked;
  uint8_t *bytes = tile->bytes + (r.y - tile->rect.y) * TILE_W_PX + (r.x - tile->rect.x);
  const YvMask mask = {
      .w = (uint32_t) r.w,
      .h = (uint32_t) r.h,
      .stride_bytes = TILE_W_PX,
      .bytes = bytes,
  };
  yv_canvas_stamp (canvas, r.x, r.y, &mask, ink);
  for (int32_t y = 0; y < r.h; y++)
    memset (bytes + y * TILE_W_PX, 0, (size_t) r.w);
}

/* Draws rows @tile->rect.y and below, as many as a tile has. */
static void
draw_band (const YvCanvas *canvas, Tile *tile, const Line *line, YvRect frame, YvInk ink)
{
  const YvRect band = {frame.x, tile->rect.y, frame.w, TILE_H_PX};
  const double reach = reach_of (line->line_px);
  double x_first = band.x + band.w, x_end = band.x;
  uint32_t first = UINT32_MAX, end = 0;

  for (uint32_t i = 0; i < n_segments_of (line); i++) {
    double from, to;
    if (!columns_in_rows (&line->points[i], end_of (line, i), reach, band.y, band.h, &from, &to))
      continue;
    x_first = MIN (x_first, from);
    x_end = MAX (x_end, to);
    first = MIN (first, i);
    end = i + 1;
  }
  if (end == 0)
    return;
  /* Tiles begin at multiples of their size from the canvas' corner. */
  const int32_t offset = (int32_t) MAX (x_first - frame.x, 0) / TILE_W_PX * TILE_W_PX;
  for (int32_t x = frame.x + offset; x < MIN (x_end, frame.x + frame.w); x += TILE_W_PX) {
    tile->rect = intersect ((YvRect){x, band.y, TILE_W_PX, TILE_H_PX}, frame);
    draw_tile (canvas, tile, line, first, end, ink);
  }
}

void
yv_lines_draw (const YvCanvas *canvas, const YvPoint *points, uint32_t n_points, int32_t line_px,
               YvInk ink)
{
  const Line line = {points, n_points, line_px};
  const YvRect frame = {canvas->x, canvas->y, (int32_t) canvas->width, (int32_t) canvas->height};
  const YvRect all = intersect (yv_lines_bounds (points, n_points, line_px), frame);
  Tile tile;

  if (is_empty (all))
    return;
  memset (tile.bytes, 0, sizeof (tile.bytes));
  for (int32_t y = frame.y + (all.y - frame.y) / TILE_H_PX * TILE_H_PX; y < all.y + all.h;
       y += TILE_H_PX) {
    tile.rect.y = y;
    draw_band (canvas, &tile, &line, frame, ink);
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
  const Line line = {points, n_points, line_px};
  const double reach = reach_of (line_px);
  double first, end;

  for (uint32_t i = 0; i < n_segments_of (&line); i++)
    if (columns_in_rows (&points[i], end_of (&line, i), reach, rect.y, rect.h, &first, &end) &&
        first < rect.x + rect.w && end > rect.x)
      return true;
  return false;
}
