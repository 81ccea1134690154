/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-tails.c - gst/draw/tails.h: how tails look, and what bounds them. */
#include "gst/draw/tails.h"

#include "tests/gst/picture.h"

#define SECOND_NS 1000000000u

static void
a_tail_fades_from_the_object_to_its_end (void)
{
  g_autoptr (YvFont) font = yv_font_new ("Sans Bold");
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();
  g_autofree Picture *p = new_picture (W, H, 0, 0);

  for (uint32_t i = 0; i <= 25; i++)
    yv_tails_add (tails, 1, 20 + i * 6, 60.5, 0xffffffff, (uint64_t) i * SECOND_NS / 25, SECOND_NS);
  yv_tails_lay_out (tails, SECOND_NS, SECOND_NS, 3, W, H, shapes);
  draw_all (shapes, font, p);
  for (uint32_t x = 30; x < 160; x += 10)
    g_assert_cmpuint (pixel_at (p, x + 10, 60) >> 24, >, pixel_at (p, x, 60) >> 24);
  g_assert_cmpuint (pixel_at (p, 169, 60) >> 24, >, 240);
  g_assert_cmpuint (pixel_at (p, 22, 60) >> 24, <, 20);
}

static void
tails_end_with_time_and_when_cleared (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (uint32_t i = 0; i < 10; i++)
    yv_tails_add (tails, 1, i * 6, 60, 0xffffffff, i, SECOND_NS);
  yv_tails_lay_out (tails, SECOND_NS, SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->shapes->len, ==, 1);
  yv_tails_lay_out (tails, 2ull * SECOND_NS, SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->shapes->len, ==, 1);
  g_assert_cmpuint (yv_tails_count (tails), ==, 0);

  yv_tails_add (tails, 1, 0, 0, 0xffffffff, 5, SECOND_NS);
  yv_tails_clear (tails);
  yv_tails_add (tails, 1, 90, 90, 0xffffffff, 6, SECOND_NS);
  yv_tails_lay_out (tails, 6, SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->shapes->len, ==, 1); /* one point is no line */
}

static void
tails_stay_bounded (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (int64_t id = 0; id < 10000; id++)
    yv_tails_add (tails, id, 1, 1, 0xffffffff, 0, SECOND_NS);
  g_assert_cmpuint (yv_tails_count (tails), ==, 512);
  yv_tails_clear (tails);
  for (uint32_t i = 0; i < 100000; i++) /* more than a day, at the longest length */
    yv_tails_add (tails, 1, i, i, 0xffffffff, (uint64_t) i * SECOND_NS, 600ull * SECOND_NS);
  yv_tails_lay_out (tails, 99999ull * SECOND_NS, 600ull * SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->points->len, <=, 64);
  g_assert_cmpuint (shapes->points->len, >=, 55);
  g_assert_cmpfloat (g_array_index (shapes->points, YvPoint, 0).x, <=, 99999 - 560);
}

static void
new_tracks_take_the_place_of_those_that_are_gone (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (int64_t id = 0; id < 512; id++)
    yv_tails_add (tails, id, 1, 1, 0xffffffff, id == 77 ? 0 : 1, SECOND_NS);
  for (uint64_t ns = 2; ns < 4; ns++) {
    for (int64_t id = 0; id < 512; id++)
      if (id != 77)
        yv_tails_add (tails, id, 1, 1, 0xffffffff, ns, SECOND_NS);
    yv_tails_add (tails, 1000, 9, 9, 0xff00ff00, ns, SECOND_NS);
    yv_tails_add (tails, 1001, 9, 9, 0xff0000ff, ns, SECOND_NS); /* all others are there */
  }
  g_assert_cmpuint (yv_tails_count (tails), ==, 512);
  yv_tails_lay_out (tails, 4, SECOND_NS, 1, W, H, shapes);
  g_assert_cmpuint (shapes->shapes->len, ==, 512);
  uint32_t n_new = 0;
  for (uint32_t i = 0; i < 512; i++) {
    g_assert_cmphex (shape_at (shapes, i)->argb, !=, 0xff0000ff);
    n_new += shape_at (shapes, i)->argb == 0xff00ff00;
  }
  g_assert_cmpuint (n_new, ==, 1);
}

static void
tails_that_jump_take_bounded_ink (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  for (uint32_t i = 0; i < 60; i++)
    for (int64_t id = 0; id < 512; id++)
      yv_tails_add (tails, id, i % 2 ? W : 0, 9, 0xffffffff, (uint64_t) i * SECOND_NS / 60,
                    SECOND_NS);
  yv_tails_lay_out (tails, SECOND_NS, SECOND_NS, 5, W, H, shapes);
  g_assert_cmpuint (yv_tails_count (tails), ==, 512);
  g_assert_cmpuint (shapes->shapes->len, ==, 1); /* 59 times across the picture */
}

static void
time_that_goes_back_breaks_no_tail (void)
{
  g_autoptr (YvTails) tails = yv_tails_new ();
  g_autoptr (YvShapes) shapes = yv_shapes_new ();

  yv_tails_add (tails, 1, 1, 1, 0xffffffff, 5ull * SECOND_NS, SECOND_NS);
  yv_tails_add (tails, 1, 2, 2, 0xffffffff, SECOND_NS, SECOND_NS);
  yv_tails_lay_out (tails, SECOND_NS, SECOND_NS, 3, W, H, shapes);
  g_assert_cmpuint (shapes->points->len, <=, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tails/fade", a_tail_fades_from_the_object_to_its_end);
  g_test_add_func ("/tails/end", tails_end_with_time_and_when_cleared);
  g_test_add_func ("/tails/bounded", tails_stay_bounded);
  g_test_add_func ("/tails/new", new_tracks_take_the_place_of_those_that_are_gone);
  g_test_add_func ("/tails/jumps", tails_that_jump_take_bounded_ink);
  g_test_add_func ("/tails/time-back", time_that_goes_back_breaks_no_tail);
  return g_test_run ();
}
