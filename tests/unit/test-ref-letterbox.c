/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-ref-letterbox.c - engine/ref/letterbox.c: upstream's pixels, and colours. */
#include <math.h>
#include <string.h>

#include "engine/checkpoint/checkpoint.h"
#include "tests/common/paths.h"
#include "tests/common/refrun.h"

/* What the letterbox makes of an image: [3, net_h, net_w] in 0..255. */
static float *
letterbox_image (const YvImage *image, YvLetterboxMode mode, YvLetterbox *letterbox)
{
  g_assert_true (yv_letterbox_fit (image->width, image->height, 640, 32, mode, true, letterbox));
  return yv_test_letterbox (image, letterbox);
}

static YvTensor
tensor_of (const YvCheckpoint *file, const char *name, uint32_t index)
{
  g_autofree char *key = g_strdup_printf ("%s.%u", name, index);
  const YvObject *object = yv_object_get (yv_checkpoint_root (file), key);

  g_assert_nonnull (object);
  return object->tensor;
}

static void
compare_letterbox (const YvCheckpoint *file, uint32_t index, YvLetterboxMode mode)
{
  const YvTensor frame = tensor_of (file, "frame", index);
  const YvTensor want = tensor_of (file, mode == YV_LETTERBOX_AUTO ? "auto" : "fixed", index);
  const YvImage image = {
      .format = YV_FORMAT_RGB,
      .width = (uint32_t) frame.shape[1],
      .height = (uint32_t) frame.shape[0],
      .planes = {frame.data},
      .stride_bytes = {(uint32_t) frame.shape[1] * 3},
  };
  YvLetterbox letterbox;
  g_autofree float *got = letterbox_image (&image, mode, &letterbox);
  double sum = 0, largest = 0;

  g_assert_cmpuint (letterbox.net_h, ==, want.shape[1]);
  g_assert_cmpuint (letterbox.net_w, ==, want.shape[2]);
  for (uint64_t i = 0; i < yv_tensor_n_elems (&want); i++) {
    const double difference = fabs (got[i] - yv_tensor_get (&want, i));

    sum += difference;
    largest = MAX (largest, difference);
  }
  g_test_message ("%s.%u: largest difference %.3f, mean %.5f (of 255)",
                  mode == YV_LETTERBOX_AUTO ? "auto" : "fixed", index, largest,
                  sum / (double) yv_tensor_n_elems (&want));
  g_assert_cmpfloat (largest, <, 0.01);
}

static void
letterbox_is_upstreams_to_the_bit (void)
{
  g_autofree char *path = yv_test_shared_path ("reference/letterbox.safetensors");
  g_autoptr (GError) error = NULL;

  if (!path) {
    g_test_skip ("reference/letterbox.safetensors is not there");
    return;
  }
  g_autoptr (YvCheckpoint) file = yv_checkpoint_open (path, &error);
  g_assert_no_error (error);
  for (uint32_t i = 0; i < 4; i++) {
    compare_letterbox (file, i, YV_LETTERBOX_AUTO);
    compare_letterbox (file, i, YV_LETTERBOX_FIXED);
  }
}

/* 2x1 px to 640x320, by hand: output column x lies at f = (x + 0.5) / 320 - 0.5. */
static void
letterbox_mixes_in_units_of_one_2048th (void)
{
  const uint8_t pixels[] = {0, 100, 200, 255, 0, 200};
  const YvImage image = {
      .format = YV_FORMAT_RGB, .width = 2, .height = 1, .planes = {pixels}, .stride_bytes = {6}};
  YvLetterbox letterbox;
  g_autofree float *got = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
  const size_t plane = 640 * 640, middle = 320 * 640;

  g_assert_cmpuint (letterbox.top, ==, 160);
  g_assert_cmpfloat (roundf (got[0]), ==, 114); /* padding */
  g_assert_cmpfloat (roundf (got[middle]), ==, 0);
  g_assert_cmpfloat (roundf (got[middle + 639]), ==, 255);
  g_assert_cmpfloat (roundf (got[middle + plane]), ==, 100);
  g_assert_cmpfloat (roundf (got[middle + 2 * plane + 300]), ==, 200);
  /* x = 200: 0.1265625, i.e. 259 of 2048: 255 * 259 / 2048 = 32.2; 100 * 1789 / 2048 = 87.4. */
  g_assert_cmpfloat (roundf (got[middle + 200]), ==, 32);
  g_assert_cmpfloat (roundf (got[middle + plane + 200]), ==, 87);
}

/* Grey YUV is grey, and studio swing is stretched: Y 16 is 0, Y 235 is 255. */
static void
letterbox_turns_yuv_into_rgb (void)
{
  uint8_t luma[64 * 64], chroma[2 * 32 * 32];
  YvImage image = {
      .format = YV_FORMAT_NV12,
      .width = 64,
      .height = 64,
      .planes = {luma, chroma},
      .stride_bytes = {64, 64},
      .matrix = YV_MATRIX_BT601,
  };
  YvLetterbox letterbox;

  for (int i = 0; i < 64 * 64; i++)
    luma[i] = i % 64 < 32 ? 16 : 235;
  memset (chroma, 128, sizeof chroma);
  g_autofree float *grey = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
  for (int c = 0; c < 3; c++) {
    g_assert_cmpfloat (roundf (grey[c * 640 * 640 + 100]), ==, 0);
    g_assert_cmpfloat (roundf (grey[c * 640 * 640 + 600]), ==, 255);
  }

  /* Y 81, U 90, V 240 is pure red. */
  memset (luma, 81, sizeof luma);
  for (size_t i = 0; i < sizeof chroma; i++)
    chroma[i] = i % 2 ? 240 : 90;
  g_autofree float *red = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
  g_assert_cmpfloat (red[1234], >=, 253.5f);
  g_assert_cmpfloat (red[640 * 640 + 1234], <=, 1.5f);
  g_assert_cmpfloat (red[2 * 640 * 640 + 1234], <=, 1.5f);
}

static void
write_10_bits (uint8_t *bytes, size_t n, uint32_t value)
{
  for (size_t i = 0; i < n; i++) {
    bytes[2 * i] = (uint8_t) value;
    bytes[2 * i + 1] = (uint8_t) (value >> 8);
  }
}

/* Two neighbours of 1023 steps, whose place between two of 255 is kept. */
static void
letterbox_keeps_what_10_bits_tell (void)
{
  uint8_t luma[2 * 64 * 64], u[2 * 32 * 32], v[2 * 32 * 32];
  YvImage image = {
      .format = YV_FORMAT_I420_10LE,
      .width = 64,
      .height = 64,
      .planes = {luma, u, v},
      .stride_bytes = {128, 64, 64},
      .full_range = true,
  };
  YvLetterbox letterbox;

  write_10_bits (u, 32 * 32, 512);
  write_10_bits (v, 32 * 32, 512);
  for (uint32_t value = 513; value <= 515; value++) {
    write_10_bits (luma, 64 * 64, value);
    g_autofree float *got = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
    for (int c = 0; c < 3; c++)
      g_assert_cmpfloat_with_epsilon (got[c * 640 * 640 + 1234], value * 255.0 / 1023, 1e-4);
  }

  /* The same sample in the high bits. A limited range ends at 64 and 940. */
  image.format = YV_FORMAT_P010_10LE;
  image.full_range = false;
  image.stride_bytes[1] = 128;
  uint8_t uv[2 * 64 * 32];
  image.planes[1] = uv;
  write_10_bits (uv, 64 * 32, 512 << 6);
  static const uint32_t luma_of[] = {64, 502, 940};
  for (size_t i = 0; i < G_N_ELEMENTS (luma_of); i++) {
    write_10_bits (luma, 64 * 64, luma_of[i] << 6);
    g_autofree float *got = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
    g_assert_cmpfloat_with_epsilon (got[1234], 127.5 * (double) i, 1e-4);
  }
}

/* 4:2:2: each row has its own chroma, two columns share it. */
static void
letterbox_takes_chroma_of_its_own_row (void)
{
  uint8_t bytes[64 * 128];
  const YvImage image = {.format = YV_FORMAT_YUY2,
                         .width = 64,
                         .height = 64,
                         .planes = {bytes},
                         .stride_bytes = {128}};
  YvLetterbox letterbox;

  /* Red (Y 81, U 90, V 240) above, from row 33 on blue (Y 41, U 240, V 110). */
  for (size_t i = 0; i < sizeof bytes; i += 4) {
    const bool is_red = i / 128 < 33;
    const uint8_t pair[4] = {is_red ? 81 : 41, is_red ? 90 : 240, is_red ? 81 : 41,
                             is_red ? 240 : 110};
    memcpy (bytes + i, pair, sizeof pair);
  }
  g_autofree float *got = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
  const size_t last_red = 324 * 640 + 77, first_blue = 335 * 640 + 77, blue = 2 * 640 * 640;
  g_assert_cmpfloat (got[last_red], >=, 253.5f);
  g_assert_cmpfloat (got[blue + last_red], <=, 1.5f);
  g_assert_cmpfloat (got[first_blue], <=, 1.5f);
  g_assert_cmpfloat (got[blue + first_blue], >=, 253.5f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ref/letterbox/upstream", letterbox_is_upstreams_to_the_bit);
  g_test_add_func ("/ref/letterbox/weights", letterbox_mixes_in_units_of_one_2048th);
  g_test_add_func ("/ref/letterbox/yuv", letterbox_turns_yuv_into_rgb);
  g_test_add_func ("/ref/letterbox/10-bits", letterbox_keeps_what_10_bits_tell);
  g_test_add_func ("/ref/letterbox/4:2:2", letterbox_takes_chroma_of_its_own_row);
  return g_test_run ();
}
