/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/boxes.c - what a detection looks like: an outline, and a tag with its name and
 * confidence.
 */
#include "gst/draw/boxes.h"

#include <math.h>
#include <string.h>

/* ---- colors --------------------------------------------------------------------------------- */

/* A channel of a color of full value: 1 in the third of the wheel around it, @low on the far side.
 */
static uint32_t
channel (double hue, double center, double low)
{
  const double distance = fabs (remainder (hue - center, 1.0)) * 6; /* 0..3 sixths of a turn */
  const double share = CLAMP (2 - distance, 0, 1);

  return (uint32_t) (255 * (low + (1 - low) * share) + 0.5);
}

/* The golden angle keeps any number of neighbours apart on the wheel; three saturations tell those
 * apart that come close to each other after all. */
uint32_t
yv_boxes_class_argb (uint32_t class_index)
{
  static const double lows[] = {0.1, 0.45, 0.27};
  const double hue = fmod (0.4 + class_index * 0.6180339887, 1.0);
  const double low = lows[class_index / 8 % G_N_ELEMENTS (lows)];

  return 0xff000000 | channel (hue, 0, low) << 16 | channel (hue, 1 / 3.0, low) << 8 |
         channel (hue, 2 / 3.0, low);
}

static uint32_t
color_of (const YvBox *box, const YvBoxStyle *style)
{
  if (style->outline_argb)
    return style->outline_argb;
  if (box->class_index >= 0)
    return yv_boxes_class_argb ((uint32_t) box->class_index);
  return yv_boxes_class_argb (box->label ? g_str_hash (box->label) : 0);
}

/* Black on light tags, white on dark ones; the weights are BT.601's. */
static uint32_t
text_color_on (uint32_t argb, const YvBoxStyle *style)
{
  const uint32_t luma = (argb >> 16 & 0xff) * 299 + (argb >> 8 & 0xff) * 587 + (argb & 0xff) * 114;

  if (style->text_argb)
    return style->text_argb;
  return luma > 110 * 1000 ? 0xff000000 : 0xffffffff;
}

/* ---- sizes ---------------------------------------------------------------------------------- */

uint32_t
yv_boxes_line_px (uint32_t frame_w, uint32_t frame_h)
{
  return 1 + (frame_w + frame_h) / 900; /* 1 at 320x240, 2 at 768x576, 4 at 1920x1080 */
}

/* Grows more slowly than the frame: small pictures still need legible text. */
uint32_t
yv_boxes_font_px (uint32_t frame_w, uint32_t frame_h)
{
  return 8 + (frame_w + frame_h) / 190; /* 10 at 320x240, 15 at 768x576, 23 at 1920x1080 */
}

static YvBoxStyle
resolve_style (const YvCanvas *canvas, const YvBoxStyle *style)
{
  YvBoxStyle resolved = *style;

  if (!resolved.line_px)
    resolved.line_px = yv_boxes_line_px (canvas->width, canvas->height);
  if (!resolved.font_px)
    resolved.font_px = yv_boxes_font_px (canvas->width, canvas->height);
  return resolved;
}

/* Boxes come from outside: a coordinate may be anything, even not a number. */
static int32_t
round_px (double px)
{
  return isnan (px) ? 0 : (int32_t) lround (CLAMP (px, -1e6, 1e6));
}

static YvRect
rect_of (const YvBox *box)
{
  const int32_t x = round_px (box->x), y = round_px (box->y);

  return (YvRect){x, y, MAX (1, round_px (box->x + box->w) - x),
                  MAX (1, round_px (box->y + box->h) - y)};
}

/* ---- a box ---------------------------------------------------------------------------------- */

static void
draw_outline (const YvCanvas *canvas, const YvBox *box, const YvBoxStyle *style)
{
  const uint32_t argb = color_of (box, style);
  const YvRect rect = rect_of (box);
  const int32_t line = (int32_t) style->line_px;

  yv_canvas_outline (canvas, rect, line, yv_canvas_ink (canvas, argb));
  if (!style->filled)
    return;
  const YvRect inside = {rect.x + line, rect.y + line, rect.w - 2 * line, rect.h - 2 * line};
  const uint32_t quarter = (argb >> 24) / 4;
  yv_canvas_fill (canvas, inside, yv_canvas_ink (canvas, (argb & 0xffffff) | quarter << 24));
}

/* ---- a tag ---------------------------------------------------------------------------------- */

typedef struct {
  const char *pieces[2]; /* the name, the number: each comes back often, their union seldom */
  uint32_t n_pieces;
} TagText;

/* Not printf: its decimal point depends on the locale. */
static const char *
format_confidence (double confidence, char text[8])
{
  return g_ascii_formatd (text, 8, "%.2f", CLAMP (confidence, 0, 1));
}

static TagText
tag_text (const YvBox *box, char number[8])
{
  TagText text = {0};

  if (box->label && *box->label)
    text.pieces[text.n_pieces++] = box->label;
  if (box->confidence >= 0)
    text.pieces[text.n_pieces++] = format_confidence (box->confidence, number);
  return text;
}

static int32_t
tag_width (YvFont *font, const TagText *text, const YvFontMetrics *metrics, uint32_t font_px)
{
  int32_t width = 0;

  for (uint32_t i = 0; i < text->n_pieces; i++)
    width += yv_font_text (font, text->pieces[i], font_px)->advance_px;
  return width + (int32_t) (text->n_pieces - 1) * metrics->space_px;
}

/* Above the box; inside it where there is no room above; moved left where it would leave the frame,
 * but never out of it on the left. */
static YvRect
place_tag (const YvCanvas *canvas, YvRect box, int32_t w, int32_t h)
{
  const int32_t max_x = MAX (0, (int32_t) canvas->width - w);
  const int32_t max_y = MAX (0, (int32_t) canvas->height - h);
  const int32_t y = box.y >= h ? box.y - h : box.y;

  return (YvRect){CLAMP (box.x, 0, max_x), CLAMP (y, 0, max_y), w, h};
}

static void
draw_tag (const YvCanvas *canvas, YvFont *font, const YvBox *box, const YvBoxStyle *style)
{
  char number[8];
  const TagText text = tag_text (box, number);
  if (text.n_pieces == 0)
    return;

  const YvFontMetrics metrics = yv_font_metrics (font, style->font_px);
  const int32_t pad = MAX (1, (int32_t) style->font_px / 6);
  const int32_t w = tag_width (font, &text, &metrics, style->font_px) + 2 * pad;
  const YvRect tag = place_tag (canvas, rect_of (box), w, metrics.ascent_px + metrics.descent_px);
  const uint32_t argb = color_of (box, style);
  yv_canvas_fill (canvas, tag, yv_canvas_ink (canvas, argb));

  const YvInk ink = yv_canvas_ink (canvas, text_color_on (argb, style));
  int32_t x = tag.x + pad;
  for (uint32_t i = 0; i < text.n_pieces; i++) {
    const YvText *piece = yv_font_text (font, text.pieces[i], style->font_px);
    yv_canvas_stamp (canvas, x, tag.y + metrics.ascent_px - piece->baseline_px, &piece->mask, ink);
    x += piece->advance_px + metrics.space_px;
  }
}

static bool
is_in_frame (const YvCanvas *canvas, const YvBox *box)
{
  const YvRect rect = rect_of (box);

  return rect.x < (int32_t) canvas->width && rect.x + rect.w > 0 &&
         rect.y < (int32_t) canvas->height && rect.y + rect.h > 0;
}

void
yv_boxes_draw (const YvCanvas *canvas, YvFont *font, const YvBox *boxes, uint32_t n_boxes,
               const YvBoxStyle *style)
{
  const YvBoxStyle resolved = resolve_style (canvas, style);

  for (uint32_t i = n_boxes; i-- > 0;)
    draw_outline (canvas, &boxes[i], &resolved);
  for (uint32_t i = n_boxes; style->tags && i-- > 0;)
    if (is_in_frame (canvas, &boxes[i]))
      draw_tag (canvas, font, &boxes[i], &resolved);
}
