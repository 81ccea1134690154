/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-frame.c - engine/frame.h: each format is walked to the right bytes, and its
 * matrix makes the colours that the standards name. */
#include "engine/frame.h"

#include <math.h>
#include <string.h>

#include "engine/error.h"
#include "engine/memory.h"

#define W 5
#define H 3

static const YvLetterbox some_letterbox = {W, H, 32, 32, 32, 19, 0, 6, false};

/* A sample that tells component and place apart: never 0, never the filler. */
static uint8_t
sample (uint32_t component, uint32_t x, uint32_t y)
{
  return (uint8_t) (1 + component * 60 + y * 10 + x);
}

static uint32_t
walk (const struct YvFrameParams *params, const uint8_t *bytes, uint32_t component, uint32_t x,
      uint32_t y)
{
  const uint8_t *at = bytes + params->offset[component] +
                      (y >> params->shift_y[component]) * params->row_bytes[component] +
                      (x >> params->shift_x[component]) * params->pixel_bytes[component];
  const uint32_t word = params->sample_mask > 255 ? at[0] | (uint32_t) at[1] << 8 : at[0];

  return word >> params->low_bit & params->sample_mask;
}

/* Packs @image behind 64 bytes of something else, as the second picture of a batch. */
static uint8_t *
pack_second (const YvImage *image, struct YvFrameParams *params)
{
  uint8_t *bytes = g_malloc0 (64 + yv_image_size_bytes (image));

  yv_image_pack (image, bytes + 64);
  yv_frame_params_init (params, image, &some_letterbox, 64);
  return bytes;
}

static void
check_walk (const YvImage *image, uint32_t dx, uint32_t dy, const uint32_t components[3])
{
  struct YvFrameParams params;
  g_autofree uint8_t *bytes = pack_second (image, &params);

  for (uint32_t i = 0; i < 3; i++) {
    const uint32_t sx = i > 0 ? dx : 0, sy = i > 0 ? dy : 0;

    g_assert_cmpuint (params.shift_x[i], ==, sx);
    g_assert_cmpuint (params.shift_y[i], ==, sy);
    for (uint32_t y = 0; y < H; y++) {
      for (uint32_t x = 0; x < W; x++)
        g_assert_cmpuint (walk (&params, bytes, i, x, y), ==,
                          sample (components[i], x >> sx, y >> sy));
    }
  }
}

static void
packed_formats_are_walked_to_red_green_and_blue (void)
{
  static const struct {
    YvFormat format;
    uint32_t pixel_bytes;
    uint32_t at[3]; /* byte of R, G, B */
  } formats[] = {
      {YV_FORMAT_RGB, 3, {0, 1, 2}},  {YV_FORMAT_BGR, 3, {2, 1, 0}},
      {YV_FORMAT_RGBX, 4, {0, 1, 2}}, {YV_FORMAT_BGRX, 4, {2, 1, 0}},
      {YV_FORMAT_XRGB, 4, {1, 2, 3}}, {YV_FORMAT_XBGR, 4, {3, 2, 1}},
  };

  for (size_t f = 0; f < G_N_ELEMENTS (formats); f++) {
    const uint32_t stride = W * formats[f].pixel_bytes + 3;
    uint8_t bytes[80] = {0};

    for (uint32_t y = 0; y < H; y++) {
      for (uint32_t x = 0; x < W; x++) {
        for (uint32_t c = 0; c < 3; c++)
          bytes[y * stride + x * formats[f].pixel_bytes + formats[f].at[c]] = sample (c, x, y);
      }
    }
    const YvImage image = {.format = formats[f].format,
                           .width = W,
                           .height = H,
                           .planes = {bytes},
                           .stride_bytes = {stride}};
    g_assert_true (yv_image_check (&image, NULL));
    check_walk (&image, 0, 0, (const uint32_t[]){0, 1, 2});
  }
}

static void
odd_sized_planes_keep_their_last_column_and_row (void)
{
  uint8_t y_plane[8 * H] = {0}, u_plane[4 * 2], v_plane[3 * 2], uv_plane[7 * 2];

  for (uint32_t y = 0; y < H; y++) {
    for (uint32_t x = 0; x < W; x++)
      y_plane[y * 8 + x] = sample (0, x, y);
  }
  for (uint32_t y = 0; y < 2; y++) {
    for (uint32_t x = 0; x < 3; x++) {
      u_plane[y * 4 + x] = uv_plane[y * 7 + 2 * x] = sample (1, x, y);
      v_plane[y * 3 + x] = uv_plane[y * 7 + 2 * x + 1] = sample (2, x, y);
    }
  }

  const YvImage i420 = {.format = YV_FORMAT_I420,
                        .width = W,
                        .height = H,
                        .planes = {y_plane, u_plane, v_plane},
                        .stride_bytes = {8, 4, 3}};
  const YvImage nv12 = {.format = YV_FORMAT_NV12,
                        .width = W,
                        .height = H,
                        .planes = {y_plane, uv_plane},
                        .stride_bytes = {8, 7}};
  g_assert_true (yv_image_check (&i420, NULL));
  g_assert_true (yv_image_check (&nv12, NULL));
  check_walk (&i420, 1, 1, (const uint32_t[]){0, 1, 2});
  check_walk (&nv12, 1, 1, (const uint32_t[]){0, 1, 2});

  const YvImage grey = {
      .format = YV_FORMAT_GRAY8, .width = W, .height = H, .planes = {y_plane}, .stride_bytes = {8}};
  g_assert_true (yv_image_check (&grey, NULL));
  check_walk (&grey, 0, 0, (const uint32_t[]){0, 0, 0});
}

/* A picture whose samples lie as the description of its format says. */
typedef struct {
  uint8_t planes[3][20 * H];
  YvImage image;
} Frame;

static const struct {
  YvFormat format;
  uint32_t stride_bytes[3];
  uint32_t dx, dy;
  /* of each component: its plane, its first byte, bytes from one to the next */
  uint32_t at[3][3];
  uint32_t shift; /* of a sample in two bytes; 8: it is one byte */
} yuv_formats[] = {
    {YV_FORMAT_NV21, {8, 7}, 1, 1, {{0, 0, 1}, {1, 1, 2}, {1, 0, 2}}, 8},
    {YV_FORMAT_Y42B, {8, 4, 3}, 1, 0, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}, 8},
    {YV_FORMAT_NV16, {5, 6}, 1, 0, {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}, 8},
    {YV_FORMAT_YUY2, {12}, 1, 0, {{0, 0, 2}, {0, 1, 4}, {0, 3, 4}}, 8},
    {YV_FORMAT_UYVY, {13}, 1, 0, {{0, 1, 2}, {0, 0, 4}, {0, 2, 4}}, 8},
    {YV_FORMAT_YVYU, {12}, 1, 0, {{0, 0, 2}, {0, 3, 4}, {0, 1, 4}}, 8},
    {YV_FORMAT_Y444, {5, 6, 7}, 0, 0, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}, 8},
    {YV_FORMAT_I420_10LE, {10, 6, 9}, 1, 1, {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}, 0},
    {YV_FORMAT_P010_10LE, {13, 12}, 1, 1, {{0, 0, 2}, {1, 0, 4}, {1, 2, 4}}, 6},
};

/* Bits of two bytes that are no part of the sample are ones. */
static void
put (uint8_t *at, uint32_t value, uint32_t shift)
{
  if (shift == 8) {
    *at = (uint8_t) value;
    return;
  }
  const uint32_t word = value << shift | ~(1023u << shift);
  at[0] = (uint8_t) word;
  at[1] = (uint8_t) (word >> 8);
}

static void
frame_init (Frame *frame, size_t f)
{
  *frame = (Frame){.image = {.format = yuv_formats[f].format, .width = W, .height = H}};
  for (uint32_t i = 0; i < 3; i++) {
    frame->image.planes[i] = frame->planes[i];
    frame->image.stride_bytes[i] = yuv_formats[f].stride_bytes[i];
  }
  for (uint32_t c = 0; c < 3; c++) {
    const uint32_t *at = yuv_formats[f].at[c];
    const uint32_t dx = c > 0 ? yuv_formats[f].dx : 0, dy = c > 0 ? yuv_formats[f].dy : 0;

    for (uint32_t y = 0; y << dy < H; y++) {
      for (uint32_t x = 0; x << dx < W; x++)
        put (frame->planes[at[0]] + y * yuv_formats[f].stride_bytes[at[0]] + at[1] + x * at[2],
             sample (c, x, y), yuv_formats[f].shift);
    }
  }
}

static void
yuv_formats_are_walked_to_y_u_and_v (void)
{
  for (size_t f = 0; f < G_N_ELEMENTS (yuv_formats); f++) {
    Frame frame;

    frame_init (&frame, f);
    g_assert_true (yv_image_check (&frame.image, NULL));
    check_walk (&frame.image, yuv_formats[f].dx, yuv_formats[f].dy, (const uint32_t[]){0, 1, 2});
  }
}

/* The pixel that an odd width lacks has its bytes. */
static void
the_last_pair_of_an_odd_width_is_whole (void)
{
  uint8_t bytes[12 * H] = {0};
  YvImage image = {
      .format = YV_FORMAT_UYVY, .width = W, .height = H, .planes = {bytes}, .stride_bytes = {11}};
  g_autoptr (GError) error = NULL;

  g_assert_false (yv_image_check (&image, &error));
  g_assert_nonnull (strstr (error->message, "stride of plane 0 is 11 bytes, its rows have 12"));
  image.stride_bytes[0] = 12;
  g_assert_true (yv_image_check (&image, NULL));
}

/* Kernels read two bytes at a time, counted from where the device's view starts. */
static void
samples_of_two_bytes_at_odd_places_are_copied (void)
{
  uint8_t page[257] = {0}, *bytes = page + 1;
  const struct {
    YvFormat format;
    uint32_t first, stride_bytes;
    uint32_t n_before; /* bytes between the start and the memory */
    bool in_place;
  } rows[] = {
      {YV_FORMAT_P010_10LE, 2, 14, 0, true},  {YV_FORMAT_P010_10LE, 1, 14, 0, false},
      {YV_FORMAT_P010_10LE, 2, 13, 0, false}, {YV_FORMAT_I420_10LE, 128, 12, 0, true},
      {YV_FORMAT_I420_10LE, 4, 15, 0, false}, {YV_FORMAT_NV12, 1, 13, 0, true},
      {YV_FORMAT_P010_10LE, 2, 14, 1, false}, {YV_FORMAT_P010_10LE, 1, 14, 1, true},
      {YV_FORMAT_NV12, 2, 13, 1, true},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    const uint32_t stride = rows[i].stride_bytes;
    uint8_t *chroma = bytes + rows[i].n_before;
    YvFrameMemory memory = {
        .bytes = bytes, .size_bytes = 256, .start = bytes - rows[i].n_before, .device = bytes};
    const YvImage image = {.format = rows[i].format,
                           .width = W,
                           .height = H,
                           .planes = {bytes + rows[i].first, chroma + 64, chroma + 128},
                           .stride_bytes = {stride, stride, stride},
                           .memory = &memory};

    g_assert_true (yv_image_check (&image, NULL));
    g_assert_cmpint (yv_image_is_read_in_place (&image, memory.device), ==, rows[i].in_place);
  }
}

/* Behind the last sample there may be nothing: planes of exactly the bytes that are promised. A
 * read past them is an error under ASan. */
static void
nothing_behind_the_last_sample_is_read (void)
{
  const size_t y_bytes = 100 * (H - 1) + W, uv_bytes = 90 * 1 + 6;
  g_autofree uint8_t *y_plane = g_malloc0 (y_bytes);
  g_autofree uint8_t *uv_plane = g_malloc0 (uv_bytes);
  const YvImage image = {.format = YV_FORMAT_NV12,
                         .width = W,
                         .height = H,
                         .planes = {y_plane, uv_plane},
                         .stride_bytes = {100, 90}};
  g_autofree uint8_t *copy = g_malloc (yv_image_size_bytes (&image));

  y_plane[y_bytes - 1] = 7;
  uv_plane[uv_bytes - 1] = 9;
  yv_image_pack (&image, copy);
  g_assert_cmpuint (yv_image_size_bytes (&image), ==, 64 + 64); /* without the padding */
  g_assert_cmpuint (copy[W * H - 1], ==, 7);
  g_assert_cmpuint (copy[64 + 2 * 6 - 1], ==, 9);
}

static void
check_colour (const struct YvFrameParams *params, const double yuv[3], const double rgb[3])
{
  for (int i = 0; i < 3; i++) {
    const float *row = params->matrix + 4 * i;

    g_assert_cmpfloat_with_epsilon (row[0] * yuv[0] + row[1] * yuv[1] + row[2] * yuv[2] + row[3],
                                    rgb[i], 0.01);
  }
}

/* Forward: the standards' definition of Y', Cb, Cr; the matrix has to undo it. */
static void
encode (const double rgb[3], double red, double blue, bool full, double yuv[3])
{
  const double y = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2];

  yuv[0] = full ? y : 16 + y * 219 / 255;
  yuv[1] = 128 + (rgb[2] - y) / (2 * (1 - blue)) * (full ? 1 : 224.0 / 255);
  yuv[2] = 128 + (rgb[0] - y) / (2 * (1 - red)) * (full ? 1 : 224.0 / 255);
}

static void
matrices_undo_what_the_standards_define (void)
{
  static const struct {
    YvMatrix matrix;
    double red, blue;
  } standards[] = {{YV_MATRIX_BT601, 0.299, 0.114},
                   {YV_MATRIX_BT709, 0.2126, 0.0722},
                   {YV_MATRIX_BT2020, 0.2627, 0.0593}};
  static const double colours[][3] = {{0, 0, 0},   {255, 255, 255}, {255, 0, 0},
                                      {0, 255, 0}, {0, 0, 255},     {10, 200, 90}};
  uint8_t bytes[64] = {0};

  for (size_t i = 0; i < 2 * G_N_ELEMENTS (standards); i++) {
    const YvImage image = {.format = YV_FORMAT_I420,
                           .width = W,
                           .height = H,
                           .planes = {bytes, bytes, bytes},
                           .stride_bytes = {8, 8, 8},
                           .matrix = standards[i / 2].matrix,
                           .full_range = i % 2};
    struct YvFrameParams params;

    yv_frame_params_init (&params, &image, &some_letterbox, 0);
    g_assert_false (params.is_rgb);
    for (size_t c = 0; c < G_N_ELEMENTS (colours); c++) {
      double yuv[3];

      encode (colours[c], standards[i / 2].red, standards[i / 2].blue, image.full_range, yuv);
      check_colour (&params, yuv, colours[c]);
    }
  }
}

/* Limited ranges grow by whole bits, 64..940 and 64..960 around 512; full ones are 0..1023. */
static void
ten_bits_make_the_same_colours (void)
{
  static const double colours[][3] = {{0, 0, 0}, {255, 255, 255}, {255, 0, 0}, {10, 200, 90}};
  uint8_t bytes[64] = {0};

  for (int i = 0; i < 4; i++) {
    const bool full = i % 2;
    const YvImage image = {.format = i < 2 ? YV_FORMAT_I420_10LE : YV_FORMAT_P010_10LE,
                           .width = W,
                           .height = H,
                           .planes = {bytes, bytes, bytes},
                           .stride_bytes = {16, 16, 16},
                           .matrix = YV_MATRIX_BT709,
                           .full_range = full};
    struct YvFrameParams params;

    yv_frame_params_init (&params, &image, &some_letterbox, 0);
    g_assert_true (params.is_deep);
    for (size_t c = 0; c < G_N_ELEMENTS (colours); c++) {
      double yuv[3];

      encode (colours[c], 0.2126, 0.0722, full, yuv);
      for (int k = 0; k < 3; k++) {
        const double zero = k > 0 ? 128 : 0;
        yuv[k] = full ? (yuv[k] - zero) / 255 * 1023 + 4 * zero : 4 * yuv[k];
      }
      check_colour (&params, yuv, colours[c]);
    }
  }
}

static void
grey_is_grey_in_both_ranges (void)
{
  uint8_t bytes[64] = {0};
  YvImage image = {.format = YV_FORMAT_GRAY8,
                   .width = W,
                   .height = H,
                   .planes = {bytes},
                   .stride_bytes = {8},
                   .full_range = true};
  struct YvFrameParams params;

  yv_frame_params_init (&params, &image, &some_letterbox, 0);
  check_colour (&params, (const double[]){77, 77, 77}, (const double[]){77, 77, 77});
  image.full_range = false;
  yv_frame_params_init (&params, &image, &some_letterbox, 0);
  check_colour (&params, (const double[]){16, 16, 16}, (const double[]){0, 0, 0});
  check_colour (&params, (const double[]){235, 235, 235}, (const double[]){255, 255, 255});
}

/* The luma column 2 k and the chroma sample k are at the same place in MPEG-2, half a column apart
 * in MPEG-1 (params.h: position = (x + 0.5) / 2 - 0.5 + chroma_x). */
static void
chroma_sits_where_the_caller_says (void)
{
  uint8_t bytes[64] = {0};
  YvImage image = {.format = YV_FORMAT_NV12,
                   .width = W,
                   .height = H,
                   .planes = {bytes, bytes},
                   .stride_bytes = {8, 8}};
  struct YvFrameParams params;

  yv_frame_params_init (&params, &image, &some_letterbox, 0);
  g_assert_cmpfloat ((2 + 0.5f) / 2 - 0.5f + params.chroma_x, ==, 0.75f);
  image.chroma_left = true;
  yv_frame_params_init (&params, &image, &some_letterbox, 0);
  g_assert_cmpfloat ((2 + 0.5f) / 2 - 0.5f + params.chroma_x, ==, 1);
}

static void
contradictions_are_refused_by_name (void)
{
  uint8_t bytes[64] = {0};
  const YvImage good = {.format = YV_FORMAT_I420,
                        .width = W,
                        .height = H,
                        .planes = {bytes, bytes, bytes},
                        .stride_bytes = {8, 8, 8}};
  struct {
    YvImage image;
    const char *message;
  } bad[] = {
      {good, "0x3"},
      {good, "5x0"},
      {good, "65536"},
      {good, "plane 2 is missing"},
      {good, "stride of plane 1 is 2 bytes"},
      {good, "format 99"},
      {good, "the most is"},
      {good, "matrix 7"},
  };
  bad[0].image.width = 0;
  bad[1].image.height = 0;
  bad[2].image.width = 65536;
  bad[3].image.planes[2] = NULL;
  bad[4].image.stride_bytes[1] = 2;
  bad[5].image.format = (YvFormat) 99;
  bad[6].image.width = bad[6].image.height = 65535;
  for (int plane = 0; plane < 3; plane++)
    bad[6].image.stride_bytes[plane] = 65535;
  bad[7].image.matrix = (YvMatrix) 7;

  g_assert_true (yv_image_check (&good, NULL));
  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (yv_image_check (&bad[i].image, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, bad[i].message));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/packed", packed_formats_are_walked_to_red_green_and_blue);
  g_test_add_func ("/frame/planar", odd_sized_planes_keep_their_last_column_and_row);
  g_test_add_func ("/frame/yuv", yuv_formats_are_walked_to_y_u_and_v);
  g_test_add_func ("/frame/odd-pair", the_last_pair_of_an_odd_width_is_whole);
  g_test_add_func ("/frame/odd-places", samples_of_two_bytes_at_odd_places_are_copied);
  g_test_add_func ("/frame/last-sample", nothing_behind_the_last_sample_is_read);
  g_test_add_func ("/frame/matrix", matrices_undo_what_the_standards_define);
  g_test_add_func ("/frame/ten-bits", ten_bits_make_the_same_colours);
  g_test_add_func ("/frame/grey", grey_is_grey_in_both_ranges);
  g_test_add_func ("/frame/chroma", chroma_sits_where_the_caller_says);
  g_test_add_func ("/frame/refused", contradictions_are_refused_by_name);
  return g_test_run ();
}
