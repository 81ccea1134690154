/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/picture.c - a small picture to draw on, and what is in a list of shapes. */
#include "tests/gst/picture.h"

#include <string.h>

Picture *
new_picture (uint32_t w, uint32_t h, int32_t x, int32_t y)
{
  Picture *p = g_new0 (Picture, 1);
  const YvImage image = {.format = YV_FORMAT_BGRX,
                         .width = w,
                         .height = h,
                         .planes = {p->bytes},
                         .stride_bytes = {w * 4}};

  yv_canvas_init (&p->canvas, &image);
  p->canvas.x = x;
  p->canvas.y = y;
  return p;
}

uint32_t
pixel_at (const Picture *p, uint32_t x, uint32_t y)
{
  const uint8_t *b = p->bytes + (y * p->canvas.width + x) * 4;

  return (uint32_t) b[3] << 24 | (uint32_t) b[2] << 16 | (uint32_t) b[1] << 8 | b[0];
}

void
draw_all (const YvShapes *shapes, YvFont *font, Picture *p)
{
  for (uint32_t i = 0; i < shapes->shapes->len; i++)
    yv_shapes_draw (shapes, i, font, &p->canvas);
}

const YvShape *
shape_at (const YvShapes *shapes, uint32_t i)
{
  return &g_array_index (shapes->shapes, YvShape, i);
}

char *
last_text (const YvShapes *shapes)
{
  const YvShape *tag = shape_at (shapes, shapes->shapes->len - 1);
  GString *joined = g_string_new (NULL);
  const char *piece = shapes->text->str + tag->first;

  g_assert_cmpint (tag->kind, ==, YV_SHAPE_TAG);
  for (uint32_t i = 0; i < tag->n; i++, piece += strlen (piece) + 1)
    g_string_append_printf (joined, "%s%s", i ? "|" : "", piece);
  return g_string_free (joined, FALSE);
}
