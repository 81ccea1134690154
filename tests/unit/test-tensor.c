/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-tensor.c - engine/tensor.h: views with every kind of stride. */
#include "engine/tensor.h"

static void
a_transposed_view_reads_in_row_major_order (void)
{
  const float data[] = {0, 1, 2, 3, 4, 5}; /* [2, 3] seen as its transpose */
  const YvTensor view = {
      .dtype = YV_DTYPE_F32,
      .n_dims = 2,
      .shape = {3, 2},
      .stride_elems = {1, 3},
      .data = (const uint8_t *) data,
  };
  const float expected[] = {0, 3, 1, 4, 2, 5};
  float got[6];

  yv_tensor_read_f32 (&view, 0, 6, got);
  for (int i = 0; i < 6; i++) {
    g_assert_cmpfloat (got[i], ==, expected[i]);
    g_assert_cmpfloat (yv_tensor_get (&view, (uint64_t) i), ==, (double) expected[i]);
  }
}

static void
strides_of_size_one_dimensions_do_not_matter (void)
{
  const uint16_t data[] = {0x3c00, 0x4000, 0x4200}; /* 1 2 3 in fp16 */
  const YvTensor view = {
      .dtype = YV_DTYPE_F16,
      .n_dims = 4,
      .shape = {1, 3, 1, 1},
      .stride_elems = {77, 1, 55, 0},
      .data = (const uint8_t *) data,
  };
  float got[2];

  yv_tensor_read_f32 (&view, 1, 2, got);
  g_assert_cmpfloat (got[0], ==, 2);
  g_assert_cmpfloat (got[1], ==, 3);
}

static void
every_dtype_reads_its_own_bytes (void)
{
  const int64_t i64 = -5;
  const double f64 = 0.1;
  const int8_t i8 = -3;
  const YvTensor scalars[] = {
      {.dtype = YV_DTYPE_I64, .data = (const uint8_t *) &i64},
      {.dtype = YV_DTYPE_F64, .data = (const uint8_t *) &f64},
      {.dtype = YV_DTYPE_I8, .data = (const uint8_t *) &i8},
  };

  g_assert_cmpfloat (yv_tensor_get (&scalars[0], 0), ==, -5);
  g_assert_cmpfloat (yv_tensor_get (&scalars[1], 0), ==, 0.1);
  g_assert_cmpfloat (yv_tensor_get (&scalars[2], 0), ==, -3);
}

static void
shapes_print_as_people_write_them (void)
{
  const YvTensor view = {.n_dims = 4, .shape = {64, 32, 3, 3}};
  g_autofree char *text = yv_tensor_shape_to_string (&view);

  g_assert_cmpstr (text, ==, "[64,32,3,3]");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tensor/transposed", a_transposed_view_reads_in_row_major_order);
  g_test_add_func ("/tensor/size-one-strides", strides_of_size_one_dimensions_do_not_matter);
  g_test_add_func ("/tensor/dtypes", every_dtype_reads_its_own_bytes);
  g_test_add_func ("/tensor/shape-text", shapes_print_as_people_write_them);
  return g_test_run ();
}
