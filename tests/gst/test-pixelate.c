/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-pixelate.c - what is hidden: yv_canvas_pixelate(), and yv_boxes_hide(). */
#include <math.h>
#include <string.h>

#include "gst/draw/boxes.h"
#include "tests/gst/picture.h"

static void
fill_with_noise (Picture *p, uint32_t seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  for (uint32_t i = 0; i < sizeof (p->bytes); i++)
    p->bytes[i] = (uint8_t) g_rand_int (rand);
}

static void
of_what_is_hidden_few_squares_are_left (void)
{
  g_autofree Picture *p = new_picture (W, H, 0, 0);
  g_autofree Picture *before = new_picture (W, H, 0, 0);
  g_autoptr (GHashTable) colors = g_hash_table_new (NULL, NULL);

  fill_with_noise (p, 1);
  memcpy (before->bytes, p->bytes, sizeof (p->bytes));
  yv_canvas_pixelate (&p->canvas, (YvRect){21, 31, 119, 60});
  for (uint32_t y = 0; y < H; y++)
    for (uint32_t x = 0; x < W; x++)
      if (x >= 20 && x < 140 && y >= 30 && y < 92)
        g_hash_table_add (colors, GUINT_TO_POINTER (pixel_at (p, x, y)));
      else
        g_assert_cmphex (pixel_at (p, x, y), ==, pixel_at (before, x, y));
  g_assert_cmpuint (g_hash_table_size (colors), <=, 6 * 4);
  g_assert_cmpuint (g_hash_table_size (colors), >, 1);
}

/* The pixels of a square are only known by their mean: another order of them gives the same. */
static void
what_is_hidden_cannot_be_told (void)
{
  g_autofree Picture *p = new_picture (W, H, 0, 0);
  g_autofree Picture *mirrored = new_picture (W, H, 0, 0);
  const YvRect square = {40, 40, 8, 8};

  fill_with_noise (p, 2);
  memcpy (mirrored->bytes, p->bytes, sizeof (p->bytes));
  for (uint32_t y = 40; y < 48; y++)
    for (uint32_t x = 0; x < 8; x++)
      memcpy (mirrored->bytes + (y * W + 40 + x) * 4, p->bytes + (y * W + 47 - x) * 4, 4);
  g_assert_cmpint (memcmp (p->bytes, mirrored->bytes, sizeof (p->bytes)), !=, 0);
  yv_canvas_pixelate (&p->canvas, square);
  yv_canvas_pixelate (&mirrored->canvas, square);
  g_assert_cmpmem (p->bytes, sizeof (p->bytes), mirrored->bytes, sizeof (p->bytes));
}

static void
rather_the_whole_frame_is_hidden_than_slowly (void)
{
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree YvBox *boxes = g_new0 (YvBox, 10000);

  for (uint32_t i = 0; i < 10000; i++)
    boxes[i] = (YvBox){.x = -10, .y = -10, .w = i % 3 ? W + 20 : NAN, .h = H + 20};
  yv_boxes_hide (shapes, boxes, 10000, W, H);
  g_assert_cmpuint (shapes->shapes->len, ==, 1);
  const YvRect r = shape_at (shapes, 0)->rect;
  g_assert_true (r.x == 0 && r.y == 0 && r.w == W && r.h == H);
  yv_shapes_clear (shapes);
  yv_boxes_hide (shapes, boxes, 4, W, H);
  g_assert_cmpuint (shapes->shapes->len, ==, 2); /* the others begin and end outside */
}

static void
bits_below_the_ten_are_hidden (void)
{
  uint16_t luma[16 * 16], chroma[8 * 16];
  const YvImage image = {.format = YV_FORMAT_P010_10LE,
                         .width = 16,
                         .height = 16,
                         .planes = {(uint8_t *) luma, (uint8_t *) chroma},
                         .stride_bytes = {32, 32}};
  YvCanvas canvas;

  for (uint32_t i = 0; i < 16 * 16; i++)
    luma[i] = (uint16_t) (0x8000 | i % 64);
  memset (chroma, 0x85, sizeof (chroma));
  yv_canvas_init (&canvas, &image);
  yv_canvas_pixelate (&canvas, (YvRect){0, 0, 16, 16});
  for (uint32_t i = 0; i < 16 * 16; i++)
    g_assert_cmphex (luma[i], ==, GUINT16_TO_LE (0x8000));
  for (uint32_t i = 0; i < 8 * 16; i++)
    g_assert_cmphex (chroma[i] & GUINT16_TO_LE (0x3f), ==, 0);
}

static void
pixels_that_a_box_touches_are_hidden (void)
{
  const YvBox box = {.x = 10.6, .y = 20.4, .w = 29.8, .h = 0.2};
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  yv_boxes_hide (shapes, &box, 1, W, H);
  const YvRect r = shape_at (shapes, 0)->rect;
  g_assert_true (r.x == 10 && r.y == 20 && r.x + r.w == 41 && r.h == 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pixelate/squares", of_what_is_hidden_few_squares_are_left);
  g_test_add_func ("/pixelate/mean", what_is_hidden_cannot_be_told);
  g_test_add_func ("/pixelate/bounded", rather_the_whole_frame_is_hidden_than_slowly);
  g_test_add_func ("/pixelate/low-bits", bits_below_the_ten_are_hidden);
  g_test_add_func ("/pixelate/touched", pixels_that_a_box_touches_are_hidden);
  return g_test_run ();
}
