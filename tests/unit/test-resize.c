/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-resize.c - tools/eval/resize.h against means and lines computed one by one. */
#include "tools/eval/resize.h"

#include <math.h>

static ResizeSource
source_of (const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t pixel_bytes)
{
  return (ResizeSource){pixels, width, height, width * pixel_bytes, pixel_bytes};
}

static uint8_t *
random_pixels (uint32_t n)
{
  uint8_t *pixels = g_malloc (n);

  for (uint32_t i = 0; i < n; i++)
    pixels[i] = (uint8_t) g_test_rand_int_range (0, 256);
  return pixels;
}

/* What part of the interval from .. to lies in pixel @i. */
static double
inside (double from, double to, uint32_t i)
{
  return fmax (0, fmin (to, i + 1.0) - fmax (from, i));
}

static double
mean_of_area (const ResizeSource *src, uint32_t x, uint32_t y, uint32_t c, uint32_t width,
              uint32_t height)
{
  const double scale_x = (double) src->width / width, scale_y = (double) src->height / height;
  double sum = 0;

  for (uint32_t v = 0; v < src->height; v++)
    for (uint32_t u = 0; u < src->width; u++)
      sum += inside (x * scale_x, (x + 1) * scale_x, u) *
             inside (y * scale_y, (y + 1) * scale_y, v) *
             src->pixels[v * src->stride_bytes + u * src->pixel_bytes + c];
  return sum / (scale_x * scale_y);
}

static void
smaller_pixels_are_means_of_what_they_cover (void)
{
  static const uint32_t sizes[][4] = {
      {30, 20, 15, 10}, {31, 23, 20, 15}, {40, 9, 1, 8}, {17, 17, 5, 16}};

  for (uint32_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const uint32_t *s = sizes[i];
    g_autofree uint8_t *pixels = random_pixels (s[0] * s[1] * 4);
    const ResizeSource src = source_of (pixels, s[0], s[1], 4);
    g_autofree uint8_t *dst = g_malloc (s[2] * s[3] * 3);

    resize_rgb (&src, dst, s[2], s[3]);
    for (uint32_t k = 0; k < s[2] * s[3] * 3; k++) {
      const uint32_t x = k / 3 % s[2], y = k / 3 / s[2];
      const double mean = mean_of_area (&src, x, y, k % 3, s[2], s[3]);

      g_assert_cmpfloat_with_epsilon (dst[k], mean, 0.5 + 1e-3);
    }
  }
}

/* Centres of pixels stay where they are: of 4 from 2, at -1/4, 1/4, 3/4, 5/4. */
static void
larger_pixels_lie_between_their_neighbours (void)
{
  const uint8_t pixels[] = {0, 100, 200, 80, 20, 200};
  const ResizeSource src = source_of (pixels, 2, 1, 3);
  const uint8_t expected[] = {0, 100, 200, 20, 80, 200, 60, 40, 200, 80, 20, 200};
  uint8_t dst[2 * sizeof expected];

  resize_rgb (&src, dst, 4, 2);
  g_assert_cmpmem (dst, sizeof expected, expected, sizeof expected);
  g_assert_cmpmem (dst + sizeof expected, sizeof expected, expected, sizeof expected);
}

static void
the_same_size_is_the_same_picture (void)
{
  g_autofree uint8_t *pixels = random_pixels (7 * 5 * 3);
  const ResizeSource src = source_of (pixels, 7, 5, 3);
  uint8_t dst[7 * 5 * 3];

  resize_rgb (&src, dst, 7, 5);
  g_assert_cmpmem (dst, sizeof dst, pixels, sizeof dst);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/resize/smaller", smaller_pixels_are_means_of_what_they_cover);
  g_test_add_func ("/resize/larger", larger_pixels_lie_between_their_neighbours);
  g_test_add_func ("/resize/same", the_same_size_is_the_same_picture);
  return g_test_run ();
}
