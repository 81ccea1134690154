/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-slices.c - shaders/slices.h: the elements that conv_coopmat2 loads and stores,
 * one by one as GL_NV_cooperative_matrix2 defines them, are those of a convolution. Few devices run
 * that shader; this needs none. */
#include <stdbool.h>

#include <glib.h>

#include "shaders/params.h"
#include "shaders/slices.h"

#define NONE UINT64_MAX   /* outside of the tensor: reads as 0, is not written */
#define CHANNELS_BESIDE 8 /* of a pixel that belong to other values */
#define TILE_CHANNELS 32

typedef struct {
  uint32_t n, c_in, h, w, c_out, kernel_h, kernel_w, stride, pad_h, pad_w;
} Shape;

static const Shape shapes[] = {
    {1, 8, 1, 1, 8, 1, 1, 1, 0, 0},     {1, 40, 7, 9, 24, 1, 1, 1, 0, 0},
    {3, 72, 5, 13, 136, 1, 1, 1, 0, 0}, {1, 64, 8, 8, 64, 3, 3, 1, 1, 1},
    {3, 24, 13, 17, 40, 3, 3, 1, 1, 1}, {2, 16, 13, 17, 32, 3, 3, 2, 1, 1},
    {1, 96, 12, 20, 64, 3, 3, 2, 1, 1}, {2, 8, 9, 7, 24, 1, 1, 2, 0, 0},
    {1, 16, 3, 3, 8, 1, 1, 1, 1, 1},    {1, 8, 4, 4, 8, 7, 7, 1, 3, 3},
    {1, 8, 7, 9, 16, 3, 3, 1, 0, 0},    {2, 8, 11, 14, 24, 5, 2, 3, 2, 0},
    {1, 32, 2, 1, 16, 3, 3, 3, 1, 2},
};

/* Sizes of tiles: one row, a square, one column. */
static const uint32_t tile_sizes[][2] = {{1, 32}, {4, 8}, {8, 4}, {32, 1}};

static uint32_t
window_positions (uint32_t in, uint32_t kernel, uint32_t stride, uint32_t pad)
{
  return (in + 2 * pad - kernel) / stride + 1;
}

static uint32_t
round_up (uint32_t value, uint32_t multiple)
{
  return (value + multiple - 1) / multiple * multiple;
}

static struct YvConvParams
params_of (const Shape *s)
{
  return (struct YvConvParams){
      .in_w = s->w,
      .in_h = s->h,
      .out_w = window_positions (s->w, s->kernel_w, s->stride, s->pad_w),
      .out_h = window_positions (s->h, s->kernel_h, s->stride, s->pad_h),
      .in_cstride = round_up (s->c_in, 8) + CHANNELS_BESIDE,
      .out_cstride = round_up (s->c_out, 8) + CHANNELS_BESIDE,
      .c_in = round_up (s->c_in, 8),
      .c_out = round_up (s->c_out, 8),
      .kernel_w = s->kernel_w,
      .kernel_h = s->kernel_h,
      .stride_w = s->stride,
      .stride_h = s->stride,
      .pad_w = s->pad_w,
      .pad_h = s->pad_h,
      .n_images = s->n,
  };
}

static bool
is_1x1 (const struct YvConvParams *p)
{
  return p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->pad_h == 0 && p->pad_w == 0;
}

/* ---- what the extension says ---------------------------------------------------------------- */

/* Element @index, counted through the slice, of the tensor; the last dimension goes fastest. */
static uint64_t
element_of_slice (const YvSlice *slice, const uint32_t span[3], uint64_t index)
{
  const int64_t channel = (int64_t) (index % span[2]) + slice->channel;
  const int64_t x = (int64_t) (index / span[2] % span[1]) + slice->x;
  const int64_t y = (int64_t) (index / span[2] / span[1]) + slice->y;

  if (y < 0 || y >= slice->h || x < 0 || x >= slice->w || channel < 0 || channel >= slice->c)
    return NONE;
  return slice->start + (uint64_t) y * slice->y_stride + (uint64_t) x * slice->x_stride +
         (uint64_t) channel;
}

/* Of a matrix of so many columns. */
static uint64_t
element_of_matrix (const YvSlice *slice, const uint32_t span[3], uint32_t row, uint32_t column,
                   uint32_t n_columns)
{
  return element_of_slice (slice, span, (uint64_t) row * n_columns + column);
}

/* The same through a view of [channel][K] that swaps the two. */
static uint64_t
element_transposed (const YvSlice *slice, const uint32_t span[3], uint32_t row, uint32_t column,
                    uint32_t n_columns)
{
  const uint64_t linear = (uint64_t) row * n_columns + column;
  const uint64_t in_view[2] = {linear % span[0], linear / span[0] % span[2]};

  return element_of_slice (slice, span, in_view[0] * span[2] + in_view[1]);
}

/* What it asks for: strides that leave no dimension room in the next, starts of 16 bytes. */
static void
assert_valid (const YvSlice *slice)
{
  g_assert_cmpuint (slice->start % 8, ==, 0);
  g_assert_cmpuint (slice->x_stride, >=, slice->c);
  g_assert_cmpuint (slice->y_stride, >=, (uint64_t) slice->x_stride * slice->w);
}

/* ---- against a convolution ------------------------------------------------------------------ */

/* A tile in numbers of the convolution, not flattened. */
typedef struct {
  const struct YvConvParams *p, *q; /* as it is; as the shader has it */
  uint32_t tile_h, tile_w, k_step;
  YvPixelTile tile;
} Case;

typedef struct {
  uint32_t image, y, x;
  bool is_inside;
} Pixel;

static Pixel
output_pixel (const Case *c, uint32_t row)
{
  const uint32_t y = c->tile.y + row / c->tile_w, x = c->tile.x + row % c->tile_w;
  const uint64_t index = ((uint64_t) c->tile.image * c->q->out_h + y) * c->q->out_w + x;

  return (Pixel){
      .image = (uint32_t) (index / c->p->out_w / c->p->out_h),
      .y = (uint32_t) (index / c->p->out_w % c->p->out_h),
      .x = (uint32_t) (index % c->p->out_w),
      .is_inside = y < c->q->out_h && x < c->q->out_w,
  };
}

static uint64_t
expected_source (const Case *c, const Pixel *pixel, uint32_t tap, uint32_t channel)
{
  const struct YvConvParams *p = c->p;
  const int64_t y = (int64_t) pixel->y * p->stride_h + tap / p->kernel_w - (int64_t) p->pad_h;
  const int64_t x = (int64_t) pixel->x * p->stride_w + tap % p->kernel_w - (int64_t) p->pad_w;

  if (y < 0 || y >= p->in_h || x < 0 || x >= p->in_w || channel >= p->c_in)
    return NONE;
  return ((pixel->image * p->in_h + (uint64_t) y) * p->in_w + (uint64_t) x) * p->in_cstride +
         channel;
}

static void
check_source (const Case *c, uint32_t step)
{
  const uint32_t n_of_tap = yv_ceil_div (c->p->c_in, c->k_step);
  const uint32_t span[3] = {c->tile_h, c->tile_w, c->k_step};
  const YvSlice slice = yv_src_slice (*c->q, c->tile, step, c->k_step);
  const uint64_t n_elems = (uint64_t) c->p->n_images * c->p->in_h * c->p->in_w * c->p->in_cstride;

  assert_valid (&slice);
  for (uint32_t row = 0; row < c->tile_h * c->tile_w; row++) {
    const Pixel pixel = output_pixel (c, row);

    for (uint32_t column = 0; column < c->k_step; column++) {
      const uint64_t got = element_of_matrix (&slice, span, row, column, c->k_step);

      if (pixel.is_inside)
        g_assert_cmpuint (
            got, ==,
            expected_source (c, &pixel, step / n_of_tap, step % n_of_tap * c->k_step + column));
      else
        g_assert_true (got == NONE || got < n_elems);
    }
  }
}

/* [channel][tap][channel in], from behind the biases; rows up to a multiple of 64. */
static void
check_weight (const Case *c, uint32_t step, uint32_t first_channel)
{
  const uint32_t n_rows = round_up (c->p->c_out, 64);
  const uint64_t n_k = (uint64_t) yv_n_k_steps (*c->q, c->k_step) * c->k_step;
  const uint32_t span[3] = {TILE_CHANNELS, 1, c->k_step};
  const YvSlice slice = yv_weight_slice (*c->q, step, c->k_step, first_channel);

  assert_valid (&slice);
  for (uint32_t row = 0; row < c->k_step; row++)
    for (uint32_t column = 0; column < TILE_CHANNELS; column++) {
      const uint64_t channel = first_channel + column, k = step * c->k_step + row;
      const uint64_t expected = channel < n_rows ? n_rows * 2 + channel * n_k + k : NONE;

      g_assert_cmpuint (element_transposed (&slice, span, row, column, TILE_CHANNELS), ==,
                        expected);
    }
}

/* Counts what is written. */
static void
store (const Case *c, uint32_t part, uint32_t first_channel, uint8_t *n_writes)
{
  const uint32_t span[3] = {c->tile_h, c->tile_w, TILE_CHANNELS};
  const YvSlice slice = yv_dst_slice (*c->q, c->tile, part, first_channel);

  assert_valid (&slice);
  for (uint32_t row = 0; row < c->tile_h * c->tile_w; row++)
    for (uint32_t column = 0; column < TILE_CHANNELS; column++) {
      const Pixel pixel = output_pixel (c, row);
      const uint64_t got = element_of_matrix (&slice, span, row, column, TILE_CHANNELS);
      const uint64_t block = part * c->p->n_images + pixel.image;
      const uint64_t at = (block * c->p->out_h + pixel.y) * c->p->out_w + pixel.x;

      if (!pixel.is_inside || first_channel + column >= c->p->c_out) {
        g_assert_cmpuint (got, ==, NONE);
        continue;
      }
      g_assert_cmpuint (got, ==, at * c->p->out_cstride + first_channel + column);
      n_writes[got]++;
    }
}

static void
assert_each_written_once (const struct YvConvParams *p, uint32_t n_parts, const uint8_t *n_writes)
{
  const uint64_t n_pixels = (uint64_t) n_parts * p->n_images * p->out_h * p->out_w;

  for (uint64_t i = 0; i < n_pixels * p->out_cstride; i++)
    g_assert_cmpuint (n_writes[i], ==, i % p->out_cstride < p->c_out);
}

static void
check_shape (const Shape *s, const uint32_t tile_size[2], uint32_t k_step, bool flat)
{
  const uint32_t n_parts = 2;
  const struct YvConvParams p = params_of (s), q = flat ? yv_flattened (p) : p;
  Case c = {.p = &p, .q = &q, .tile_h = tile_size[0], .tile_w = tile_size[1], .k_step = k_step};
  const uint32_t n_tiles = yv_n_pixel_tiles (q, c.tile_h, c.tile_w);
  g_autofree uint8_t *n_writes =
      g_malloc0 ((size_t) n_parts * p.n_images * p.out_h * p.out_w * p.out_cstride);

  for (uint32_t i = 0; i < n_tiles; i++) {
    c.tile = yv_pixel_tile (q, i, c.tile_h, c.tile_w);
    for (uint32_t step = 0; step < yv_n_k_steps (q, k_step); step++)
      check_source (&c, step);
    for (uint32_t first = 0; first < p.c_out; first += TILE_CHANNELS)
      for (uint32_t part = 0; part < n_parts; part++)
        store (&c, part, first, n_writes);
  }
  for (uint32_t step = 0; step < yv_n_k_steps (q, k_step); step++)
    for (uint32_t first = 0; first < p.c_out; first += TILE_CHANNELS)
      check_weight (&c, step, first);
  assert_each_written_once (&p, n_parts, n_writes);
  g_assert_cmpuint (yv_pixel_tile (q, n_tiles, c.tile_h, c.tile_w).image, >=, q.n_images);
}

static void
every_slice_has_the_elements_of_the_convolution (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++)
    for (size_t k = 0; k < G_N_ELEMENTS (tile_sizes); k++)
      for (uint32_t k_step = 32; k_step <= 64; k_step += 32) {
        const struct YvConvParams p = params_of (&shapes[i]);

        check_shape (&shapes[i], tile_sizes[k], k_step, false);
        if (is_1x1 (&p))
          check_shape (&shapes[i], tile_sizes[k], k_step, true);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slices/elements", every_slice_has_the_elements_of_the_convolution);
  return g_test_run ();
}
