/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-pack.c - engine/plan/pack.h: every element is where the kernels look for it.
 *
 * The test finds each element by the formulas of pack.h, written out here a second time, and checks
 * that all others are zero. */
#include "engine/plan/pack.h"

#include <string.h>

#include "engine/half.h"
#include "engine/winograd.h"
#include "shaders/params.h"

/* A value that tells its place, exact in f16 and never 0: up to 2047. */
static float
value_at (uint32_t o, uint32_t i, uint32_t ky, uint32_t kx)
{
  return (float) (1 + (o * 131 + i * 17 + ky * 5 + kx * 3) % 2000);
}

typedef struct {
  uint32_t c_out, c_in, groups, kernel_h, kernel_w;
} Shape;

static const Shape shapes[] = {
    {1, 1, 1, 1, 1},    {32, 3, 1, 3, 3},      {33, 4, 1, 3, 3},    {64, 8, 1, 1, 1},
    {255, 12, 1, 1, 1}, {70, 5, 1, 1, 3},      {16, 16, 16, 3, 3},  {8, 12, 4, 3, 3},
    {65, 65, 5, 1, 1},  {200, 200, 200, 3, 3}, {192, 96, 12, 1, 1}, {130, 260, 10, 1, 1},
    {160, 72, 8, 3, 3}, {66, 40, 1, 3, 3},
};

/* The weight of a shape over @data, which must outlive it; bias o + 0.5. */
static YvWeight *
make_weight (const Shape *s, float *data)
{
  YvWeight *weight = yv_weight_new (s->c_out, s->c_in, s->groups, s->kernel_h, s->kernel_w);
  const uint32_t c_in = s->c_in / s->groups;
  const YvTensor tensor = {
      .dtype = YV_DTYPE_F32,
      .n_dims = 4,
      .shape = {s->c_out, c_in, s->kernel_h, s->kernel_w},
      .stride_elems = {(uint64_t) c_in * s->kernel_h * s->kernel_w, s->kernel_h * s->kernel_w,
                       s->kernel_w, 1},
      .data = (const uint8_t *) data,
  };

  for (uint32_t o = 0; o < s->c_out; o++)
    for (uint32_t i = 0; i < c_in; i++)
      for (uint32_t ky = 0; ky < s->kernel_h; ky++)
        for (uint32_t kx = 0; kx < s->kernel_w; kx++)
          *data++ = value_at (o, i, ky, kx);
  yv_weight_add_tensor (weight, &tensor);
  for (uint32_t o = 0; o < s->c_out; o++)
    weight->bias[o] = o + 0.5;
  return weight;
}

/* Dense W[o][c][ky][kx]; 0 outside the weight. */
static float
dense (const Shape *s, uint32_t o, uint32_t c, uint32_t ky, uint32_t kx)
{
  const uint32_t c_in = s->c_in / s->groups;

  if (o >= s->c_out || c >= s->c_in || o / (s->c_out / s->groups) != c / c_in)
    return 0;
  return value_at (o, c % c_in, ky, kx);
}

static float
element (const uint8_t *bytes, YvDType dtype, size_t index)
{
  float value;
  uint16_t half;

  if (dtype == YV_DTYPE_F32)
    return memcpy (&value, bytes + index * sizeof value, sizeof value), value;
  return memcpy (&half, bytes + index * sizeof half, sizeof half), yv_half_to_float (half);
}

static float
bias_of (const Shape *s, uint32_t o)
{
  return o < s->c_out ? (float) o + 0.5f : 0;
}

/* Packs into a buffer with a sentinel behind it. */
static uint8_t *
pack (const YvStep *step, size_t *size_bytes)
{
  *size_bytes = yv_pack_size_bytes (step);

  uint8_t *bytes = g_malloc (*size_bytes + 8);
  memset (bytes, 0xa5, *size_bytes + 8);
  yv_pack_weight (step, bytes);
  for (int i = 0; i < 8; i++)
    g_assert_cmpuint (bytes[*size_bytes + i], ==, 0xa5);
  return bytes;
}

static void
check_lanes (const Shape *s, const YvWeight *weight, YvPack packing, uint32_t p, YvDType dtype)
{
  const YvStep step = {.weight_source = weight, .pack = packing, .dtype = dtype};
  const uint32_t n_quads = (s->c_in + 3) / 4, n_blocks = (s->c_out + p - 1) / p;
  size_t size_bytes, at = 0;
  g_autofree uint8_t *bytes = pack (&step, &size_bytes);

  for (uint32_t b = 0; b < n_blocks; b++) {
    for (uint32_t q = 0; q < p; q++)
      g_assert_cmpfloat (element (bytes, dtype, at++), ==, bias_of (s, b * p + q));
    for (uint32_t tap = 0; tap < s->kernel_h * s->kernel_w; tap++)
      for (uint32_t quad = 0; quad < n_quads; quad++)
        for (uint32_t e = 0; e < 4; e++)
          for (uint32_t q = 0; q < p; q++)
            g_assert_cmpfloat (
                element (bytes, dtype, at++), ==,
                dense (s, b * p + q, quad * 4 + e, tap / s->kernel_w, tap % s->kernel_w));
  }
  g_assert_cmpuint (at * yv_dtype_size_bytes (dtype), ==, size_bytes);
}

static void
check_winograd (const Shape *s, const YvWeight *weight, uint32_t p)
{
  const YvStep step = {
      .weight_source = weight,
      .pack = p == 32 ? YV_PACK_WINOGRAD32 : YV_PACK_WINOGRAD64,
      .dtype = YV_DTYPE_F32,
  };
  const uint32_t c_in = (s->c_in + 3) / 4 * 4, n_blocks = (s->c_out + p - 1) / p;
  size_t size_bytes, at = 0;
  g_autofree uint8_t *bytes = pack (&step, &size_bytes);

  for (uint32_t b = 0; b < n_blocks; b++) {
    for (uint32_t point = 0; point < YV_WINOGRAD_POINTS; point++) {
      for (uint32_t q = 0; q < p; q++)
        g_assert_cmpfloat (element (bytes, YV_DTYPE_F32, at++), ==, 0);
      for (uint32_t c = 0; c < c_in; c++)
        for (uint32_t q = 0; q < p; q++) {
          double w[9], points[YV_WINOGRAD_POINTS];

          for (uint32_t tap = 0; tap < 9; tap++)
            w[tap] = dense (s, b * p + q, c, tap / 3, tap % 3);
          yv_winograd_weight (w, points);
          g_assert_cmpfloat (element (bytes, YV_DTYPE_F32, at++), ==, (float) points[point]);
        }
    }
    for (uint32_t q = 0; q < p; q++)
      g_assert_cmpfloat (element (bytes, YV_DTYPE_F32, at++), ==, bias_of (s, b * p + q));
  }
  g_assert_cmpuint (at * sizeof (float), ==, size_bytes);
}

static void
check_tile (const Shape *s, const YvWeight *weight, YvDType dtype)
{
  const YvStep step = {.weight_source = weight, .pack = YV_PACK_TILE, .dtype = dtype};
  const uint32_t c_in = yv_tile_n_channels (weight), n_tiles = (s->c_out + 63) / 64;
  const uint32_t n_k = s->kernel_h * s->kernel_w * c_in;
  size_t size_bytes, at = 0;
  g_autofree uint8_t *bytes = pack (&step, &size_bytes);
  const uint8_t *tiles = bytes + n_tiles * 64 * sizeof (float);

  for (uint32_t o = 0; o < n_tiles * 64; o++)
    g_assert_cmpfloat (element (bytes, YV_DTYPE_F32, o), ==, bias_of (s, o));
  for (uint32_t t = 0; t < n_tiles; t++)
    for (uint32_t k = 0; k < (n_k + 15) / 16 * 16; k++)
      for (uint32_t q = 0; q < 64; q++) {
        const uint32_t tap = k / c_in, c = yv_tile_first_channel (weight, t) + k % c_in;
        const float expected =
            k < n_k ? dense (s, t * 64 + q, c, tap / s->kernel_w, tap % s->kernel_w) : 0;

        g_assert_cmpfloat (element (tiles, dtype, at++), ==, expected);
      }
  g_assert_cmpuint (n_tiles * 64 * sizeof (float) + at * yv_dtype_size_bytes (dtype), ==,
                    size_bytes);
}

static void
check_coopmat (const Shape *s, const YvWeight *weight, YvDType dtype)
{
  const YvStep step = {.weight_source = weight, .pack = YV_PACK_COOPMAT, .dtype = dtype};
  const uint32_t c_in = s->c_in <= 4 ? 4 : (s->c_in + 7) / 8 * 8;
  const uint32_t n_k = s->kernel_h * s->kernel_w * c_in, n_blocks = (s->c_out + 63) / 64;
  size_t size_bytes, at = 0;
  g_autofree uint8_t *bytes = pack (&step, &size_bytes);
  const uint8_t *blocks = bytes + n_blocks * 64 * sizeof (float);

  for (uint32_t o = 0; o < n_blocks * 64; o++)
    g_assert_cmpfloat (element (bytes, YV_DTYPE_F32, o), ==, bias_of (s, o));
  for (uint32_t b = 0; b < n_blocks; b++)
    for (uint32_t first_k = 0; first_k < n_k; first_k += 32)
      for (uint32_t q = 0; q < 64; q++)
        for (uint32_t k = first_k; k < first_k + 32; k++) {
          const uint32_t tap = k / c_in, c = k % c_in;
          const float expected =
              k < n_k ? dense (s, b * 64 + q, c, tap / s->kernel_w, tap % s->kernel_w) : 0;

          g_assert_cmpfloat (element (blocks, dtype, at++), ==, expected);
        }
  g_assert_cmpuint (n_blocks * 64 * sizeof (float) + at * yv_dtype_size_bytes (dtype), ==,
                    size_bytes);
}

static void
check_coopmat2 (const Shape *s, const YvWeight *weight, YvDType dtype)
{
  const YvStep step = {.weight_source = weight, .pack = YV_PACK_COOPMAT2, .dtype = dtype};
  const uint32_t k_step = s->c_in > 32 ? 64 : 32;
  const uint32_t c_in = (s->c_in + k_step - 1) / k_step * k_step;
  const uint32_t n_k = s->kernel_h * s->kernel_w * c_in, n_rows = (s->c_out + 63) / 64 * 64;
  size_t size_bytes, at = 0;
  g_autofree uint8_t *bytes = pack (&step, &size_bytes);
  const uint8_t *rows = bytes + n_rows * sizeof (float);

  for (uint32_t o = 0; o < n_rows; o++)
    g_assert_cmpfloat (element (bytes, YV_DTYPE_F32, o), ==, bias_of (s, o));
  for (uint32_t o = 0; o < n_rows; o++)
    for (uint32_t k = 0; k < n_k; k++) {
      const uint32_t tap = k / c_in;

      g_assert_cmpfloat (element (rows, dtype, at++), ==,
                         dense (s, o, k % c_in, tap / s->kernel_w, tap % s->kernel_w));
    }
  g_assert_cmpuint (n_rows * sizeof (float) + at * yv_dtype_size_bytes (dtype), ==, size_bytes);
}

static void
every_element_of_a_convolution_is_where_its_kernel_looks (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Shape *s = &shapes[i];
    g_autofree float *data =
        g_new (float, s->c_out *(s->c_in / s->groups) * s->kernel_h * s->kernel_w);
    g_autoptr (YvWeight) weight = make_weight (s, data);

    g_test_message ("[%u,%u,%u,%u] in %u groups", s->c_out, s->c_in, s->kernel_h, s->kernel_w,
                    s->groups);
    for (YvDType dtype = YV_DTYPE_F32; dtype <= YV_DTYPE_F16; dtype++) {
      check_lanes (s, weight, YV_PACK_LANES8, 8, dtype);
      check_lanes (s, weight, YV_PACK_LANES16, 16, dtype);
      check_lanes (s, weight, YV_PACK_LANES32, 32, dtype);
      check_lanes (s, weight, YV_PACK_LANES64, 64, dtype);
      check_tile (s, weight, dtype);
      if (s->groups == 1) {
        check_coopmat (s, weight, dtype);
        check_coopmat2 (s, weight, dtype);
      }
    }
  }
}

/* Anchors of 5 + nc channels, in blocks of 32 of their own. */
static void
check_head (const Shape *s, const YvWeight *weight, uint32_t n_anchors, YvDType dtype)
{
  const YvNode node = {.op = YV_OP_DETECT, .detect = {.n_anchors = n_anchors}};
  const YvStep step = {
      .node = &node, .weight_source = weight, .pack = YV_PACK_HEAD, .dtype = dtype};
  const uint32_t own = s->c_out / n_anchors, n_k = (s->c_in + 15) / 16 * 16;
  const uint32_t n_channels = (own + 31) / 32 * 32;
  size_t size_bytes, at = 0;
  g_autofree uint8_t *bytes = pack (&step, &size_bytes);

  for (uint32_t a = 0; a < n_anchors; a++)
    for (uint32_t q = 0; q < n_channels; q++)
      g_assert_cmpfloat (element (bytes, YV_DTYPE_F32, at++), ==,
                         q < own ? bias_of (s, a * own + q) : 0);
  const uint8_t *elems = bytes + at * sizeof (float);
  at = 0;
  for (uint32_t a = 0; a < n_anchors; a++)
    for (uint32_t k = 0; k < n_k; k++)
      g_assert_cmpfloat (element (elems, dtype, at++), ==, dense (s, a * own + 4, k, 0, 0));
  for (uint32_t a = 0; a < n_anchors; a++)
    for (uint32_t block = 0; block < n_channels; block += 32)
      for (uint32_t k = 0; k < n_k; k++)
        for (uint32_t q = block; q < block + 32; q++)
          g_assert_cmpfloat (element (elems, dtype, at++), ==,
                             q < own ? dense (s, a * own + q, k, 0, 0) : 0);
  g_assert_cmpuint ((size_t) (elems - bytes) + at * yv_dtype_size_bytes (dtype), ==, size_bytes);
}

static void
every_channel_of_a_head_is_where_its_kernel_looks (void)
{
  static const Shape of_heads[] = {{18, 5, 1, 1, 1}, {96, 16, 1, 1, 1}, {99, 17, 1, 1, 1}};

  for (size_t i = 0; i < G_N_ELEMENTS (of_heads); i++) {
    const Shape *s = &of_heads[i];
    g_autofree float *data = g_new (float, s->c_out * s->c_in);
    g_autoptr (YvWeight) weight = make_weight (s, data);

    check_head (s, weight, 3, YV_DTYPE_F32);
    check_head (s, weight, 3, YV_DTYPE_F16);
    check_head (s, weight, 1, YV_DTYPE_F32);
  }
}

/* Taps of the picture, which a weight of 12 channels sees through REORG. */
static void
check_first (const Shape *s, const YvWeight *weight, YvDType dtype)
{
  const YvStep step = {.weight_source = weight, .pack = YV_PACK_FIRST, .dtype = dtype};
  const uint32_t scale = s->c_in == 12 ? 2 : 1, n_blocks = (s->c_out + 15) / 16;
  size_t size_bytes, at = 0;
  g_autofree uint8_t *bytes = pack (&step, &size_bytes);
  const uint8_t *elems = bytes + n_blocks * 16 * sizeof (float);

  for (uint32_t o = 0; o < n_blocks * 16; o++)
    g_assert_cmpfloat (element (bytes, YV_DTYPE_F32, o), ==, bias_of (s, o));
  for (uint32_t first_o = 0; first_o < n_blocks * 16; first_o += 16)
    for (uint32_t y = 0; y < 3 * scale; y++)
      for (uint32_t x = 0; x < 3 * scale; x++)
        for (uint32_t c = 0; c < 3; c++)
          for (uint32_t o = first_o; o < first_o + 16; o++) {
            const uint32_t block = y % scale + x % scale * 2;

            g_assert_cmpfloat (element (elems, dtype, at++), ==,
                               dense (s, o, block * 3 + c, y / scale, x / scale));
          }
  g_assert_cmpuint ((size_t) (elems - bytes) + at * yv_dtype_size_bytes (dtype), ==, size_bytes);
}

static void
every_tap_of_the_picture_is_where_its_kernel_looks (void)
{
  static const Shape of_first[] = {{32, 3, 1, 3, 3}, {40, 3, 1, 3, 3}, {64, 12, 1, 3, 3}};

  for (size_t i = 0; i < G_N_ELEMENTS (of_first); i++) {
    const Shape *s = &of_first[i];
    g_autofree float *data = g_new (float, s->c_out * s->c_in * 9);
    g_autoptr (YvWeight) weight = make_weight (s, data);

    check_first (s, weight, YV_DTYPE_F32);
    check_first (s, weight, YV_DTYPE_F16);
  }
}

static void
every_point_of_winograd_is_where_its_kernels_look (void)
{
  static const Shape of_3x3[] = {{32, 3, 1, 3, 3}, {33, 4, 1, 3, 3}, {70, 9, 1, 3, 3}};

  for (size_t i = 0; i < G_N_ELEMENTS (of_3x3); i++) {
    const Shape *s = &of_3x3[i];
    g_autofree float *data = g_new (float, s->c_out * s->c_in * 9);
    g_autoptr (YvWeight) weight = make_weight (s, data);

    check_winograd (s, weight, 32);
    check_winograd (s, weight, 64);
  }
}

static void
a_tile_sees_the_channels_of_its_groups (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Shape *s = &shapes[i];
    const uint32_t c_in = s->c_in / s->groups;
    g_autoptr (YvWeight) weight =
        yv_weight_new (s->c_out, s->c_in, s->groups, s->kernel_h, s->kernel_w);
    const uint32_t n_channels = yv_tile_n_channels (weight);

    for (uint32_t o = 0; o < s->c_out; o++) {
      const uint32_t first = yv_tile_first_channel (weight, o / YV_TILE_CHANNELS);
      const uint32_t wanted = o / (s->c_out / s->groups) * c_in;

      g_assert_cmpuint (first, <=, wanted);
      g_assert_cmpuint (first + n_channels, >=, wanted + c_in);
      g_assert_cmpuint (first + n_channels, <=, (s->c_in + 3) / 4 * 4);
      g_assert_cmpuint (first % 4, ==, 0);
      g_assert_cmpuint (n_channels % 4, ==, 0);
    }
  }
}

/* Instead of 604 MB. */
static void
a_wide_depthwise_weight_stays_small (void)
{
  g_autoptr (YvWeight) weight = yv_weight_new (4096, 4096, 4096, 3, 3);
  const YvStep step = {.weight_source = weight, .pack = YV_PACK_TILE, .dtype = YV_DTYPE_F32};

  g_assert_cmpuint (yv_pack_size_bytes (&step), ==, 4096 * 4 + 4096 * 64 * 9 * 4);
}

static void
scale_and_shift_are_padded_to_8_channels (void)
{
  double scale[] = {1, 2, 3}, shift[] = {4, 5, 6};
  const YvNode node = {.op = YV_OP_AFFINE, .c_out = 3, .affine = {.scale = scale, .shift = shift}};
  const YvStep step = {.weight_source = &node, .pack = YV_PACK_AFFINE, .dtype = YV_DTYPE_F16};
  const float expected[16] = {1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6};
  size_t size_bytes;
  g_autofree uint8_t *bytes = pack (&step, &size_bytes);

  g_assert_cmpmem (bytes, size_bytes, expected, sizeof expected);
}

static void
a_step_without_weight_packs_nothing (void)
{
  const YvStep step = {.pack = YV_PACK_NONE};

  g_assert_cmpuint (yv_pack_size_bytes (&step), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pack/groups", a_tile_sees_the_channels_of_its_groups);
  g_test_add_func ("/pack/depthwise", a_wide_depthwise_weight_stays_small);
  g_test_add_func ("/pack/conv", every_element_of_a_convolution_is_where_its_kernel_looks);
  g_test_add_func ("/pack/head", every_channel_of_a_head_is_where_its_kernel_looks);
  g_test_add_func ("/pack/first", every_tap_of_the_picture_is_where_its_kernel_looks);
  g_test_add_func ("/pack/winograd", every_point_of_winograd_is_where_its_kernels_look);
  g_test_add_func ("/pack/affine", scale_and_shift_are_padded_to_8_channels);
  g_test_add_func ("/pack/none", a_step_without_weight_packs_nothing);
  return g_test_run ();
}
