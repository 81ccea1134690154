/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-lines.c - gst/draw/lines.h: what is inked of a line. */
#include "gst/draw/lines.h"

#include <math.h>

#include "tests/gst/picture.h"

static void
a_line_covers_its_width (void)
{
  const YvPoint points[] = {{30.5, 40.5, 255}, {120.5, 40.5, 255}};
  g_autofree Picture *p = new_picture (W, H, 0, 0);

  yv_lines_draw (&p->canvas, points, 2, 3, yv_canvas_ink (&p->canvas, 0xffffffff));
  for (uint32_t x = 31; x <= 119; x++) {
    g_assert_cmphex (pixel_at (p, x, 38), ==, 0);
    for (uint32_t y = 39; y <= 41; y++)
      g_assert_cmphex (pixel_at (p, x, y), ==, 0xffffffff);
    g_assert_cmphex (pixel_at (p, x, 42), ==, 0);
  }
  g_assert_cmphex (pixel_at (p, 27, 40), ==, 0);
  g_assert_cmphex (pixel_at (p, 124, 40), ==, 0);
}

static void
a_line_that_crosses_itself_is_inked_once (void)
{
  const YvPoint once[] = {{30, 40, 128}, {120, 90, 128}};
  const YvPoint thrice[] = {{30, 40, 128}, {120, 90, 128}, {30, 40, 128}, {120, 90, 128}};
  g_autofree Picture *a = new_picture (W, H, 0, 0);
  g_autofree Picture *b = new_picture (W, H, 0, 0);

  yv_lines_draw (&a->canvas, once, 2, 4, yv_canvas_ink (&a->canvas, 0xffffffff));
  yv_lines_draw (&b->canvas, thrice, 4, 4, yv_canvas_ink (&b->canvas, 0xffffffff));
  g_assert_cmphex (pixel_at (a, 75, 65), ==, 0x80808080);
  g_assert_cmpmem (a->bytes, sizeof (a->bytes), b->bytes, sizeof (b->bytes));
}

/* Against the distance from the line, in plain loops: also where tiles meet, and outside. */
static void
lines_lie_where_they_should (void)
{
  static const double ends[][4] = {{10, 10, 190, 140},    {-50, 75, 250, 80},
                                   {100, -900, 101, 900}, {64, 64, 64, 64},
                                   {63.5, 0, 64.5, 150},  {-1e6, -1e6, 1e6, 1e6}};

  for (uint32_t i = 0; i < G_N_ELEMENTS (ends); i++) {
    const YvPoint points[] = {{ends[i][0], ends[i][1], 255}, {ends[i][2], ends[i][3], 255}};
    const double dx = ends[i][2] - ends[i][0], dy = ends[i][3] - ends[i][1];
    const double length2 = MAX (dx * dx + dy * dy, 1e-9);
    g_autofree Picture *p = new_picture (W, H, 0, 0);
    yv_lines_draw (&p->canvas, points, 2, 5, yv_canvas_ink (&p->canvas, 0xffffffff));
    for (uint32_t y = 0; y < H; y++)
      for (uint32_t x = 0; x < W; x++) {
        const double px = x + 0.5 - ends[i][0], py = y + 0.5 - ends[i][1];
        const double share = CLAMP ((px * dx + py * dy) / length2, 0, 1);
        const double distance = hypot (px - share * dx, py - share * dy);
        const double expected = 255 * CLAMP (3 - distance, 0, 1);
        g_assert_cmpfloat_with_epsilon (pixel_at (p, x, y) >> 24, expected, 1);
      }
  }
}

static void
no_point_is_no_line_and_one_is_a_dot (void)
{
  const YvPoint point = {50.5, 60.5, 255};
  g_autofree Picture *p = new_picture (W, H, 0, 0);
  const YvInk ink = yv_canvas_ink (&p->canvas, 0xffffffff);

  yv_lines_draw (&p->canvas, &point, 0, 3, ink);
  g_assert_cmphex (pixel_at (p, 50, 60), ==, 0);
  yv_lines_draw (&p->canvas, &point, 1, 3, ink);
  g_assert_cmphex (pixel_at (p, 50, 60), ==, 0xffffffff);
  g_assert_cmphex (pixel_at (p, 54, 60), ==, 0);
}

/* What is near such a line is inked, in whatever tile, and nothing else. */
static void
long_lines_look_like_their_pieces (void)
{
  static const YvPoint ends[][2] = {{{-300, -90, 255}, {700, 333, 255}},
                                    {{-50, 149.5, 255}, {260, 3, 255}},
                                    {{100.3, -500, 255}, {101.9, 900, 255}}};

  for (uint32_t i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autofree Picture *p = new_picture (W, H, 0, 0);
    const YvPoint *a = &ends[i][0], *b = &ends[i][1];
    const double dx = b->x - a->x, dy = b->y - a->y, length = hypot (dx, dy);
    yv_lines_draw (&p->canvas, ends[i], 2, 3, yv_canvas_ink (&p->canvas, 0xffffffff));
    for (uint32_t k = 0; k < W * H; k++) {
      const double away = fabs ((k % W + 0.5 - a->x) * dy - (k / W + 0.5 - a->y) * dx) / length;
      const double covered = CLAMP (2 - away, 0, 1);
      const double alpha = pixel_at (p, k % W, k / W) >> 24;
      g_assert_cmpfloat_with_epsilon (alpha, covered * 255, 1);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lines/width", a_line_covers_its_width);
  g_test_add_func ("/lines/once", a_line_that_crosses_itself_is_inked_once);
  g_test_add_func ("/lines/places", lines_lie_where_they_should);
  g_test_add_func ("/lines/dots", no_point_is_no_line_and_one_is_a_dot);
  g_test_add_func ("/lines/long", long_lines_look_like_their_pieces);
  return g_test_run ();
}
