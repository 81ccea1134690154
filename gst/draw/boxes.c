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

uint32_t
yv_boxes_argb (const YvBox *box, const YvBoxStyle *style)
{
  if (style->id_colors && box->id >= 0)
    return yv_boxes_class_argb ((uint32_t) box->id);
  if (style->outline_argb)
    return style->outline_argb;
  if (box->class_index >= 0)
    return yv_boxes_class_argb ((uint32_t) box->class_index);
  return yv_boxes_class_argb (box->label ? g_str_hash (box->label) : 0);
}

/* ---- sizes ---------------------------------------------------------------------------------- */

/* As much as one may ask for; no frame is so large, whatever its caps say. */
#define MAX_LINE_PX 100u
#define MAX_FONT_PX 500u

uint32_t
yv_boxes_line_px (uint32_t frame_w, uint32_t frame_h)
{
  const uint32_t px = 1 + (frame_w + frame_h) / 900; /* 1 at 320x240, 2 at 768x576, 4 at 1080p */

  return MIN (px, MAX_LINE_PX);
}

/* Grows more slowly than the frame: small pictures still need legible text. */
uint32_t
yv_boxes_font_px (uint32_t frame_w, uint32_t frame_h)
{
  const uint32_t px = 8 + (frame_w + frame_h) / 190; /* 10 at 320x240, 15 at 768x576, 23 at 1080p */

  return MIN (px, MAX_FONT_PX);
}

static YvBoxStyle
resolve_style (const YvBoxStyle *style, uint32_t frame_w, uint32_t frame_h)
{
  YvBoxStyle resolved = *style;

  if (!resolved.line_px)
    resolved.line_px = yv_boxes_line_px (frame_w, frame_h);
  if (!resolved.font_px)
    resolved.font_px = yv_boxes_font_px (frame_w, frame_h);
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

/* All pixels that a box touches. */
static YvRect
touched_by (const YvBox *box)
{
  const int32_t x = round_px (floor (box->x)), y = round_px (floor (box->y));

  return (YvRect){x, y, MAX (1, round_px (ceil (box->x + box->w)) - x),
                  MAX (1, round_px (ceil (box->y + box->h)) - y)};
}

static bool
is_in_frame (YvRect rect, uint32_t frame_w, uint32_t frame_h)
{
  return rect.x < (int32_t) frame_w && rect.x + rect.w > 0 && rect.y < (int32_t) frame_h &&
         rect.y + rect.h > 0;
}

/* Of the frame, px. */
static uint64_t
area_in_frame (YvRect rect, uint32_t frame_w, uint32_t frame_h)
{
  const int32_t w = MIN (rect.x + rect.w, (int32_t) frame_w) - MAX (rect.x, 0);
  const int32_t h = MIN (rect.y + rect.h, (int32_t) frame_h) - MAX (rect.y, 0);

  return (uint64_t) MAX (w, 0) * (uint64_t) MAX (h, 0);
}

/* What all boxes may take, so that the time has a bound whatever they are. */
static uint64_t
most_px (uint32_t frame_w, uint32_t frame_h)
{
  return 4 * (uint64_t) frame_w * frame_h;
}

/* ---- a box ---------------------------------------------------------------------------------- */

static YvRect
inside_of (YvRect rect, int32_t line_px)
{
  return (YvRect){rect.x + line_px, rect.y + line_px, MAX (0, rect.w - 2 * line_px),
                  MAX (0, rect.h - 2 * line_px)};
}

static void
add_outline (YvShapes *shapes, const YvBox *box, const YvBoxStyle *style)
{
  const uint32_t argb = yv_boxes_argb (box, style);
  const YvRect rect = rect_of (box);
  const int32_t line = (int32_t) style->line_px;

  yv_shapes_add_rect (shapes, box->predicted ? YV_SHAPE_DASHES : YV_SHAPE_OUTLINE, rect, line,
                      argb);
  if (!style->filled)
    return;
  const uint32_t quarter = (argb >> 24) / 4;
  yv_shapes_add_rect (shapes, YV_SHAPE_FILL, inside_of (rect, line), 0,
                      (argb & 0xffffff) | quarter << 24);
}

/* ---- a tag ---------------------------------------------------------------------------------- */

#define MAX_TAGS 500 /* more can't be told apart, and each may be a text that nobody saw before */
#define TAG_EM2 12   /* the area of a tag: ten letters, a row high */

/* Room for the numbers of a tag. */
typedef struct {
  char confidence[8], id[24];
} Numbers;

/* Not printf: its decimal point depends on the locale. */
static const char *
format_confidence (double confidence, char text[8])
{
  return g_ascii_formatd (text, 8, "%.2f", CLAMP (confidence, 0, 1));
}

static YvTag
tag_of (const YvBox *box, const YvBoxStyle *style, Numbers *numbers)
{
  YvTag tag = {
      .font_px = style->font_px,
      .argb = yv_boxes_argb (box, style),
      .text_argb = style->text_argb,
  };

  if (style->tags && box->label && *box->label)
    tag.pieces[tag.n_pieces++] = box->label;
  if (style->ids && box->id >= 0) {
    g_snprintf (numbers->id, sizeof (numbers->id), "#%" G_GINT64_FORMAT, box->id);
    tag.pieces[tag.n_pieces++] = numbers->id;
  }
  if (style->tags && box->confidence >= 0)
    tag.pieces[tag.n_pieces++] = format_confidence (box->confidence, numbers->confidence);
  return tag;
}

/* Above @y; below it where there is no room above; moved left where it would leave the frame, but
 * never out of it on the left. */
YvRect
yv_boxes_place_tag (int32_t x, int32_t y, YvRect size, uint32_t frame_w, uint32_t frame_h)
{
  const int32_t max_x = MAX (0, (int32_t) frame_w - size.w);
  const int32_t max_y = MAX (0, (int32_t) frame_h - size.h);
  const int32_t top = y >= size.h ? y - size.h : y;

  return (YvRect){CLAMP (x, 0, max_x), CLAMP (top, 0, max_y), size.w, size.h};
}

static void
add_tag (YvShapes *shapes, YvFont *font, const YvBox *box, const YvBoxStyle *style,
         uint32_t frame_w, uint32_t frame_h)
{
  Numbers numbers;
  const YvTag tag = tag_of (box, style, &numbers);
  const YvRect rect = rect_of (box);
  if (tag.n_pieces == 0)
    return;

  const YvRect size = yv_shapes_tag_size (font, &tag);
  yv_shapes_add_tag (shapes, yv_boxes_place_tag (rect.x, rect.y, size, frame_w, frame_h), &tag);
}

/* ---- all of them ---------------------------------------------------------------------------- */

/* Boxes until their ink is more than that; the first is always drawn. */
static uint32_t
count_drawn (const YvBox *boxes, uint32_t n_boxes, const YvBoxStyle *style, uint32_t frame_w,
             uint32_t frame_h)
{
  const uint64_t most = most_px (frame_w, frame_h);
  uint64_t ink = 0;
  uint32_t n = 0;

  for (; n < n_boxes && ink <= most; n++) {
    const YvRect rect = rect_of (&boxes[n]);
    ink += area_in_frame (rect, frame_w, frame_h);
    if (!style->filled)
      ink -= area_in_frame (inside_of (rect, (int32_t) style->line_px), frame_w, frame_h);
  }
  return n;
}

static uint32_t
count_tags (uint32_t n_boxes, uint32_t font_px, uint32_t frame_w, uint32_t frame_h)
{
  const uint64_t tag_px = (uint64_t) TAG_EM2 * font_px * font_px;
  const uint64_t n = 1 + most_px (frame_w, frame_h) / tag_px;

  return (uint32_t) MIN (n, MIN (n_boxes, MAX_TAGS));
}

void
yv_boxes_lay_out (YvShapes *shapes, YvFont *font, const YvBox *boxes, uint32_t n_boxes,
                  const YvBoxStyle *style, uint32_t frame_w, uint32_t frame_h)
{
  const YvBoxStyle resolved = resolve_style (style, frame_w, frame_h);
  const uint32_t n_drawn = count_drawn (boxes, n_boxes, &resolved, frame_w, frame_h);
  const uint32_t n_tags = count_tags (n_drawn, resolved.font_px, frame_w, frame_h);

  for (uint32_t i = n_drawn; i-- > 0;)
    if (is_in_frame (rect_of (&boxes[i]), frame_w, frame_h))
      add_outline (shapes, &boxes[i], &resolved);
  for (uint32_t i = n_tags; i-- > 0;)
    if (is_in_frame (rect_of (&boxes[i]), frame_w, frame_h))
      add_tag (shapes, font, &boxes[i], &resolved, frame_w, frame_h);
}

/* Rather too much is hidden than too little, or too slowly. */
void
yv_boxes_hide (YvShapes *shapes, const YvBox *boxes, uint32_t n_boxes, uint32_t frame_w,
               uint32_t frame_h)
{
  const YvRect frame = {0, 0, (int32_t) frame_w, (int32_t) frame_h};
  uint64_t hidden = 0;

  for (uint32_t i = 0; i < n_boxes; i++)
    hidden += area_in_frame (touched_by (&boxes[i]), frame_w, frame_h);
  if (hidden > most_px (frame_w, frame_h)) {
    yv_shapes_add_rect (shapes, YV_SHAPE_PIXELATED, frame, 0, 0);
    return;
  }
  for (uint32_t i = 0; i < n_boxes; i++)
    if (is_in_frame (touched_by (&boxes[i]), frame_w, frame_h))
      yv_shapes_add_rect (shapes, YV_SHAPE_PIXELATED, touched_by (&boxes[i]), 0, 0);
}
