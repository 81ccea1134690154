/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/outputs.c - reads and compares what `forward` writes. */
#include "tests/common/outputs.h"

#include <math.h>

#include "engine/checkpoint/safetensors.h"

const YvTensor *
yv_test_get_tensor (const YvCheckpoint *file, const char *name)
{
  const YvObject *object = yv_object_get (yv_checkpoint_root (file), name);

  return object ? &object->tensor : NULL;
}

float *
yv_test_read_tensor (const YvTensor *tensor)
{
  const uint64_t n = yv_tensor_n_elems (tensor);
  float *values = g_new (float, n + 1);

  yv_tensor_read_f32 (tensor, 0, n, values);
  return values;
}

double
yv_test_relative_error (const YvTensor *a, const YvTensor *b)
{
  const uint64_t n = yv_tensor_n_elems (b);
  g_autofree float *x = yv_test_read_tensor (a);
  g_autofree float *y = yv_test_read_tensor (b);
  double difference = 0, norm = 0;

  for (uint64_t i = 0; i < n; i++) {
    difference += pow ((double) x[i] - (double) y[i], 2);
    norm += pow ((double) y[i], 2);
  }
  return sqrt (difference / norm);
}

double
yv_test_output_error (const YvCheckpoint *a, const YvCheckpoint *b)
{
  static const char *const names[] = {"pred", "head.0", "head.1", "head.2", "head.3"};
  double worst = 0;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const YvTensor *x = yv_test_get_tensor (a, names[i]);
    const YvTensor *y = yv_test_get_tensor (b, names[i]);

    g_assert_true (!x == !y);
    if (!x)
      continue;
    g_assert_true (yv_tensor_has_shape (x, y->n_dims, y->shape));
    const double error = yv_test_relative_error (x, y);
    g_assert_false (isnan (error));
    worst = fmax (worst, error);
  }
  return worst;
}

static float
pixel (GRand *rand, uint32_t c, uint32_t y, uint32_t x)
{
  const double shape = sin (0.09 * x + 0.05 * y + c) * cos (0.07 * y - 0.03 * x);

  return (float) (0.5 + 0.4 * shape + 0.1 * g_rand_double_range (rand, -1, 1));
}

void
yv_test_write_picture (const char *path, uint32_t h, uint32_t w)
{
  g_autofree float *pixels = g_new (float, (size_t) 3 * h * w);
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  YvNamedTensor images = {.name = "images",
                          .tensor = {.dtype = YV_DTYPE_F32,
                                     .n_dims = 4,
                                     .shape = {1, 3, h, w},
                                     .stride_elems = {(uint64_t) 3 * h * w, (uint64_t) h * w, w, 1},
                                     .data = (const uint8_t *) pixels}};
  float *dst = pixels;
  g_autoptr (GError) error = NULL;

  for (uint32_t c = 0; c < 3; c++)
    for (uint32_t y = 0; y < h; y++)
      for (uint32_t x = 0; x < w; x++)
        *dst++ = pixel (rand, c, y, x);
  yv_safetensors_write (path, &images, 1, &error);
  g_assert_no_error (error);
}
