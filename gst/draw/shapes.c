/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/shapes.c - what is drawn on a frame, as a list. */
#include "gst/draw/shapes.h"

#include <string.h>

#define MAX_PIECE_BYTES 256 /* as many as a font shows */

/* ---- the list ------------------------------------------------------------------------------- */

YvShapes *
yv_shapes_new (void)
{
  YvShapes *shapes = g_new0 (YvShapes, 1);

  shapes->shapes = g_array_new (FALSE, FALSE, sizeof (YvShape));
  shapes->points = g_array_new (FALSE, FALSE, sizeof (YvPoint));
  shapes->text = g_string_new (NULL);
  return shapes;
}

void
yv_shapes_free (YvShapes *shapes)
{
  if (!shapes)
    return;
  g_array_unref (shapes->shapes);
  g_array_unref (shapes->points);
  g_string_free (shapes->text, TRUE);
  g_free (shapes);
}

void
yv_shapes_clear (YvShapes *shapes)
{
  g_array_set_size (shapes->shapes, 0);
  g_array_set_size (shapes->points, 0);
  g_string_truncate (shapes->text, 0);
}

void
yv_shapes_add_rect (YvShapes *shapes, YvShapeKind kind, YvRect rect, int32_t line_px, uint32_t argb)
{
  const YvShape shape = {.kind = kind, .rect = rect, .line_px = line_px, .argb = argb};

  g_array_append_val (shapes->shapes, shape);
}

void
yv_shapes_add_line (YvShapes *shapes, const YvPoint *points, uint32_t n_points, int32_t line_px,
                    uint32_t argb)
{
  const YvShape shape = {
      .kind = YV_SHAPE_LINE,
      .rect = yv_lines_bounds (points, n_points, line_px),
      .argb = argb,
      .line_px = line_px,
      .first = shapes->points->len,
      .n = n_points,
  };

  g_array_append_vals (shapes->points, points, n_points);
  g_array_append_val (shapes->shapes, shape);
}

/* ---- tags ----------------------------------------------------------------------------------- */

static int32_t
padding_of (uint32_t font_px)
{
  return MAX (1, (int32_t) font_px / 6);
}

/* Black on light tags, white on dark ones; the weights are BT.601's. */
static uint32_t
contrast_of (uint32_t argb)
{
  const uint32_t luma = (argb >> 16 & 0xff) * 299 + (argb >> 8 & 0xff) * 587 + (argb & 0xff) * 114;

  return luma > 110 * 1000 ? 0xff000000 : 0xffffffff;
}

size_t
yv_shapes_cut (const char *text, size_t most)
{
  size_t n = strnlen (text, most);

  while (n > 0 && ((uint8_t) text[n] & 0xc0) == 0x80)
    n--;
  return n;
}

YvRect
yv_shapes_tag_size (YvFont *font, const YvTag *tag)
{
  const YvFontMetrics metrics = yv_font_metrics (font, tag->font_px);
  int32_t width = 2 * padding_of (tag->font_px) - metrics.space_px;

  if (tag->n_pieces == 0)
    return (YvRect){0};
  for (uint32_t i = 0; i < tag->n_pieces; i++)
    width += yv_font_text (font, tag->pieces[i], tag->font_px)->advance_px + metrics.space_px;
  return (YvRect){0, 0, width, metrics.ascent_px + metrics.descent_px};
}

void
yv_shapes_add_tag (YvShapes *shapes, YvRect rect, const YvTag *tag)
{
  const YvShape shape = {
      .kind = YV_SHAPE_TAG,
      .rect = rect,
      .argb = tag->argb,
      .text_argb = tag->text_argb ? tag->text_argb : contrast_of (tag->argb),
      .font_px = tag->font_px,
      .first = (uint32_t) shapes->text->len,
      .n = tag->n_pieces,
  };

  for (uint32_t i = 0; i < tag->n_pieces; i++) {
    const char *piece = tag->pieces[i];
    g_string_append_len (shapes->text, piece, (gssize) yv_shapes_cut (piece, MAX_PIECE_BYTES));
    g_string_append_c (shapes->text, '\0');
  }
  g_array_append_val (shapes->shapes, shape);
}

static void
draw_tag (const YvShapes *shapes, const YvShape *tag, YvFont *font, const YvCanvas *canvas)
{
  const YvFontMetrics metrics = yv_font_metrics (font, tag->font_px);
  const YvInk ink = yv_canvas_ink (canvas, tag->text_argb);
  const char *piece = shapes->text->str + tag->first;
  int32_t x = tag->rect.x + padding_of (tag->font_px);

  yv_canvas_fill (canvas, tag->rect, yv_canvas_ink (canvas, tag->argb));
  for (uint32_t i = 0; i < tag->n; i++) {
    const YvText *text = yv_font_text (font, piece, tag->font_px);
    yv_canvas_stamp (canvas, x, tag->rect.y + metrics.ascent_px - text->baseline_px, &text->mask,
                     ink);
    x += text->advance_px + metrics.space_px;
    piece += strlen (piece) + 1;
  }
}

/* ---- dashes --------------------------------------------------------------------------------- */

/* Fills every other piece of a strip of the rim; only those that @canvas shows. */
static void
fill_pieces (const YvCanvas *canvas, YvRect strip, bool across, int32_t line_px, YvInk ink)
{
  const int32_t dash = MAX (4, 3 * line_px), period = 2 * dash;
  const int32_t start = across ? strip.x : strip.y, size = across ? strip.w : strip.h;
  const int32_t from = (across ? canvas->x : canvas->y) - start;
  const int32_t until = from + (int32_t) (across ? canvas->width : canvas->height);

  for (int32_t i = MAX (0, from) / period * period; i < MIN (size, until); i += period) {
    const int32_t length = MIN (dash, size - i);
    const YvRect piece = across ? (YvRect){start + i, strip.y, length, strip.h}
                                : (YvRect){strip.x, start + i, strip.w, length};
    yv_canvas_fill (canvas, piece, ink);
  }
}

static void
draw_dashes (const YvCanvas *canvas, YvRect r, int32_t line_px, YvInk ink)
{
  if (r.w <= 2 * line_px || r.h <= 2 * line_px) {
    yv_canvas_fill (canvas, r, ink);
    return;
  }
  const YvRect top = {r.x, r.y, r.w, line_px}, bottom = {r.x, r.y + r.h - line_px, r.w, line_px};
  const YvRect left = {r.x, r.y + line_px, line_px, r.h - 2 * line_px};
  const YvRect right = {r.x + r.w - line_px, left.y, line_px, left.h};
  fill_pieces (canvas, top, true, line_px, ink);
  fill_pieces (canvas, bottom, true, line_px, ink);
  fill_pieces (canvas, left, false, line_px, ink);
  fill_pieces (canvas, right, false, line_px, ink);
}

/* ---- one shape ------------------------------------------------------------------------------ */

void
yv_shapes_draw (const YvShapes *shapes, uint32_t i, YvFont *font, const YvCanvas *canvas)
{
  const YvShape *shape = &g_array_index (shapes->shapes, YvShape, i);
  const YvInk ink = yv_canvas_ink (canvas, shape->argb);

  switch (shape->kind) {
  case YV_SHAPE_PIXELATED:
    yv_canvas_pixelate (canvas, shape->rect);
    return;
  case YV_SHAPE_FILL:
    yv_canvas_fill (canvas, shape->rect, ink);
    return;
  case YV_SHAPE_OUTLINE:
    yv_canvas_outline (canvas, shape->rect, shape->line_px, ink);
    return;
  case YV_SHAPE_DASHES:
    draw_dashes (canvas, shape->rect, shape->line_px, ink);
    return;
  case YV_SHAPE_TAG:
    draw_tag (shapes, shape, font, canvas);
    return;
  case YV_SHAPE_LINE:
    yv_lines_draw (canvas, &g_array_index (shapes->points, YvPoint, shape->first), shape->n,
                   shape->line_px, ink);
    return;
  default:
    g_assert_not_reached ();
  }
}

static bool
texts_are_equal (const char *a, const char *b, uint32_t n_pieces)
{
  for (uint32_t i = 0; i < n_pieces; i++) {
    if (strcmp (a, b) != 0)
      return false;
    a += strlen (a) + 1;
    b += strlen (b) + 1;
  }
  return true;
}

static bool
points_are_equal (const YvPoint *a, const YvPoint *b, uint32_t n_points)
{
  for (uint32_t i = 0; i < n_points; i++)
    if (a[i].x != b[i].x || a[i].y != b[i].y || a[i].alpha != b[i].alpha)
      return false;
  return true;
}

bool
yv_shapes_equal (const YvShapes *a, uint32_t i, const YvShapes *b, uint32_t k)
{
  const YvShape *s = &g_array_index (a->shapes, YvShape, i);
  const YvShape *t = &g_array_index (b->shapes, YvShape, k);

  if (s->kind != t->kind || s->argb != t->argb || s->line_px != t->line_px ||
      s->text_argb != t->text_argb || s->font_px != t->font_px || s->n != t->n ||
      memcmp (&s->rect, &t->rect, sizeof (s->rect)) != 0)
    return false;
  if (s->kind == YV_SHAPE_TAG)
    return texts_are_equal (a->text->str + s->first, b->text->str + t->first, s->n);
  if (s->kind == YV_SHAPE_LINE)
    return points_are_equal (&g_array_index (a->points, YvPoint, s->first),
                             &g_array_index (b->points, YvPoint, t->first), s->n);
  return true;
}
