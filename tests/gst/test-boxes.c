/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-boxes.c - gst/draw/boxes.h: what is where in the picture. */
#include "gst/draw/boxes.h"

#include <locale.h>
#include <math.h>
#include <string.h>

#define W 320
#define H 240

typedef struct {
  uint8_t bytes[W * H * 3];
  YvCanvas canvas;
} Picture;

static void
picture_init (Picture *p)
{
  const YvImage image = {.format = YV_FORMAT_RGB,
                         .width = W,
                         .height = H,
                         .planes = {p->bytes},
                         .stride_bytes = {W * 3}};

  memset (p->bytes, 0, sizeof (p->bytes));
  yv_canvas_init (&p->canvas, &image);
}

static void
draw (Picture *p, YvFont *font, const YvBox *boxes, uint32_t n_boxes, const YvBoxStyle *style)
{
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  yv_boxes_lay_out (shapes, font, boxes, n_boxes, style, W, H);
  for (uint32_t i = 0; i < shapes->shapes->len; i++)
    yv_shapes_draw (shapes, i, font, &p->canvas);
}

static uint32_t
rgb_at (const Picture *p, uint32_t x, uint32_t y)
{
  const uint8_t *pixel = &p->bytes[(y * W + x) * 3];

  return (uint32_t) pixel[0] << 16 | (uint32_t) pixel[1] << 8 | pixel[2];
}

static uint32_t
count_inked (const Picture *p)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < W * H; i++)
    n += rgb_at (p, i % W, i / W) != 0;
  return n;
}

static const YvBox box = {.x = 100,
                          .y = 80,
                          .w = 50,
                          .h = 90,
                          .confidence = 0.876,
                          .label = "person",
                          .class_index = 0,
                          .id = -1};

static void
an_outline_lies_on_the_inside_of_the_box (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.line_px = 2, .outline_argb = 0xff204060};
  g_autofree Picture *p = g_new (Picture, 1);

  picture_init (p);
  draw (p, font, &box, 1, &style);
  for (uint32_t y = 0; y < H; y++)
    for (uint32_t x = 0; x < W; x++) {
      const bool inside = x >= 100 && x < 150 && y >= 80 && y < 170;
      const bool hole = x >= 102 && x < 148 && y >= 82 && y < 168;
      g_assert_cmphex (rgb_at (p, x, y), ==, inside && !hole ? 0x204060 : 0);
    }
}

static void
a_tag_stands_on_the_box_with_text_in_it (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.line_px = 2, .font_px = 14, .outline_argb = 0xffffff00, .tags = true};
  const YvFontMetrics metrics = yv_font_metrics (font, 14);
  const uint32_t top = 80 - (uint32_t) (metrics.ascent_px + metrics.descent_px);
  g_autofree Picture *p = g_new (Picture, 1);
  uint32_t n_dark = 0;

  picture_init (p);
  draw (p, font, &box, 1, &style);
  g_assert_cmphex (rgb_at (p, 100, top), ==, 0xffff00);
  g_assert_cmphex (rgb_at (p, 100, top - 1), ==, 0);
  g_assert_cmphex (rgb_at (p, 99, top), ==, 0);
  for (uint32_t x = 100; x < 170; x++)
    n_dark += rgb_at (p, x, (top + 80) / 2) < 0x808000;
  g_assert_cmpuint (n_dark, >, 10); /* black letters on a light tag */
}

static void
a_tag_without_room_above_moves_into_the_frame (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.line_px = 1, .font_px = 14, .outline_argb = 0xffffff00, .tags = true};
  YvBox corner = box;
  g_autofree Picture *p = g_new (Picture, 1);

  corner.x = W - 10;
  corner.y = 3;
  picture_init (p);
  draw (p, font, &corner, 1, &style);
  g_assert_cmphex (rgb_at (p, W - 1, 3), ==, 0xffff00);
  g_assert_cmphex (rgb_at (p, W - 40, 3), ==, 0xffff00);
  g_assert_cmphex (rgb_at (p, W - 40, 2), ==, 0);
}

static void
nothing_is_drawn_of_what_is_not_in_the_frame (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.tags = true, .filled = true};
  const YvBox outside[] = {
      {.x = -50, .y = 10, .w = 50, .h = 20, .label = "left", .confidence = 1},
      {.x = W, .y = 10, .w = 50, .h = 20, .label = "right", .confidence = 1},
      {.x = 10, .y = -1e30, .w = 50, .h = 20, .label = "above", .confidence = 1},
      {.x = 10, .y = 1e30, .w = 1e30, .h = 1e30, .label = "below", .confidence = 1},
  };
  g_autofree Picture *p = g_new (Picture, 1);

  picture_init (p);
  draw (p, font, outside, G_N_ELEMENTS (outside), &style);
  g_assert_cmpuint (count_inked (p), ==, 0);
}

static void
boxes_from_anywhere_are_harmless (void)
{
  static const double values[] = {NAN, INFINITY, -INFINITY, -1e300, 1e300, -1, 0, 0.4, W, 1e6};
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.tags = true, .filled = true};
  g_autofree Picture *p = g_new (Picture, 1);
  const uint32_t n = G_N_ELEMENTS (values);

  picture_init (p);
  for (uint32_t i = 0; i < n * n * n; i++) {
    const YvBox odd = {.x = values[i % n],
                       .y = values[(i + 3) % n],
                       .w = values[i / n % n],
                       .h = values[i / n / n % n],
                       .confidence = values[i % n],
                       .label = i % 2 ? "odd" : NULL,
                       .class_index = i % 3 ? -1 : G_MAXINT};
    draw (p, font, &odd, 1, &style);
  }
}

static void
the_first_box_is_drawn_over_the_others (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.line_px = 3};
  YvBox boxes[2] = {box, box};
  g_autofree Picture *p = g_new (Picture, 1);

  boxes[1].class_index = 1;
  picture_init (p);
  draw (p, font, boxes, 2, &style);
  g_assert_cmphex (rgb_at (p, 100, 80), ==, yv_boxes_class_argb (0) & 0xffffff);
}

static void
a_filled_box_is_tinted_inside (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.line_px = 2, .outline_argb = 0xffffffff, .filled = true};
  g_autofree Picture *p = g_new (Picture, 1);

  picture_init (p);
  draw (p, font, &box, 1, &style);
  g_assert_cmphex (rgb_at (p, 101, 90), ==, 0xffffff);
  g_assert_cmphex (rgb_at (p, 102, 90), ==, 0x3f3f3f);
}

static void
steady_state_lays_out_no_text (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  const YvBoxStyle style = {.tags = true};
  g_autofree Picture *p = g_new (Picture, 1);
  uint64_t n_layouts = 0;

  picture_init (p);
  for (uint32_t frame = 0; frame < 400; frame++) {
    YvBox moving = box;
    moving.x = frame % 200;
    moving.confidence = (frame % 200) / 199.0;
    draw (p, font, &moving, 1, &style);
    if (frame == 199)
      n_layouts = yv_font_n_layouts (font);
  }
  g_assert_cmpuint (yv_font_n_layouts (font), ==, n_layouts);
  g_assert_cmpuint (n_layouts, <=, 1 + 101);
}

static void
neighbouring_classes_have_different_colors (void)
{
  for (uint32_t a = 0; a < 80; a++)
    for (uint32_t b = a + 1; b < MIN (a + 4, 80u); b++) {
      const uint32_t ca = yv_boxes_class_argb (a), cb = yv_boxes_class_argb (b);
      int distance = 0;
      for (uint32_t shift = 0; shift < 24; shift += 8)
        distance += abs ((int) (ca >> shift & 0xff) - (int) (cb >> shift & 0xff));
      g_assert_cmpint (distance, >, 100);
    }
}

static void
lines_and_text_grow_with_the_frame (void)
{
  g_assert_cmpuint (yv_boxes_line_px (320, 240), ==, 1);
  g_assert_cmpuint (yv_boxes_line_px (768, 576), ==, 2);
  g_assert_cmpuint (yv_boxes_line_px (1920, 1080), ==, 4);
  g_assert_cmpuint (yv_boxes_font_px (320, 240), ==, 10);
  g_assert_cmpuint (yv_boxes_font_px (768, 576), ==, 15);
  g_assert_cmpuint (yv_boxes_font_px (1920, 1080), ==, 23);
  g_assert_cmpuint (yv_boxes_line_px (G_MAXINT32, 1), ==, 100);
  g_assert_cmpuint (yv_boxes_font_px (G_MAXINT32, 1), ==, 500);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/boxes/outline", an_outline_lies_on_the_inside_of_the_box);
  g_test_add_func ("/boxes/tag", a_tag_stands_on_the_box_with_text_in_it);
  g_test_add_func ("/boxes/tag-at-the-edge", a_tag_without_room_above_moves_into_the_frame);
  g_test_add_func ("/boxes/outside", nothing_is_drawn_of_what_is_not_in_the_frame);
  g_test_add_func ("/boxes/odd", boxes_from_anywhere_are_harmless);
  g_test_add_func ("/boxes/order", the_first_box_is_drawn_over_the_others);
  g_test_add_func ("/boxes/filled", a_filled_box_is_tinted_inside);
  g_test_add_func ("/boxes/steady-state", steady_state_lays_out_no_text);
  g_test_add_func ("/boxes/colors", neighbouring_classes_have_different_colors);
  g_test_add_func ("/boxes/sizes", lines_and_text_grow_with_the_frame);
  return g_test_run ();
}
