/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-weight.c - engine/graph/weight.h against sums carried out on whole kernels. */
#include "engine/graph/weight.h"

#include <math.h>
#include <string.h>

#include "engine/half.h"

#define C_OUT 6
#define C_IN 4

/* A contiguous f32 tensor [o, i, h, w] over @data. */
static YvTensor
make_tensor (const float *data, uint32_t o, uint32_t i, uint32_t h, uint32_t w)
{
  return (YvTensor){
      .dtype = YV_DTYPE_F32,
      .n_dims = 4,
      .shape = {o, i, h, w},
      .stride_elems = {i * h * w, h * w, w, 1},
      .data = (const uint8_t *) data,
  };
}

static float *
random_floats (uint32_t n)
{
  float *data = g_new (float, n);

  for (uint32_t i = 0; i < n; i++)
    data[i] = (float) g_test_rand_double_range (-1, 1);
  return data;
}

static void
random_doubles (double *values, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    values[i] = g_test_rand_double_range (0.5, 2);
}

/* All rows, one after another. */
static double *
all_rows (const YvWeight *weight)
{
  const uint64_t n_row = yv_weight_n_elems (weight) / weight->c_out;
  double *rows = g_new (double, yv_weight_n_elems (weight));

  for (uint32_t o = 0; o < weight->c_out; o++)
    yv_weight_row (weight, o, rows + o * n_row);
  return rows;
}

static void
a_tensor_gives_its_own_elements (void)
{
  g_autofree float *data = random_floats (C_OUT * C_IN * 9);
  const YvTensor tensor = make_tensor (data, C_OUT, C_IN, 3, 3);
  g_autoptr (YvWeight) weight = yv_weight_new (C_OUT, C_IN, 1, 3, 3);

  yv_weight_add_tensor (weight, &tensor);
  g_autofree double *rows = all_rows (weight);
  g_assert_cmpuint (yv_weight_n_elems (weight), ==, C_OUT * C_IN * 9);
  for (uint32_t i = 0; i < C_OUT * C_IN * 9; i++)
    g_assert_cmpfloat (rows[i], ==, (double) data[i]);
}

/* The same values stored as [h, w, i, o], in every dtype that a weight may have. */
static void
a_transposed_tensor_of_any_dtype_reads_alike (void)
{
  const uint32_t n = C_OUT * C_IN * 9;
  g_autofree float *f32 = g_new (float, n);
  g_autofree uint16_t *f16 = g_new (uint16_t, n);
  g_autofree double *f64 = g_new (double, n);
  for (uint32_t i = 0; i < n; i++) {
    f16[i] = yv_half_from_float ((float) g_test_rand_double_range (-1, 1));
    f32[i] = yv_half_to_float (f16[i]);
    f64[i] = (double) f32[i] * (1 + 1e-12); /* not a float any more */
  }

  const struct {
    YvDType dtype;
    const void *data;
  } cases[] = {{YV_DTYPE_F32, f32}, {YV_DTYPE_F16, f16}, {YV_DTYPE_F64, f64}};
  for (size_t k = 0; k < G_N_ELEMENTS (cases); k++) {
    const YvTensor tensor = {
        .dtype = cases[k].dtype,
        .n_dims = 4,
        .shape = {C_OUT, C_IN, 3, 3},
        .stride_elems = {1, C_OUT, 3 * C_IN * C_OUT, C_IN * C_OUT},
        .data = cases[k].data,
    };
    g_autoptr (YvWeight) weight = yv_weight_new (C_OUT, C_IN, 1, 3, 3);
    yv_weight_add_tensor (weight, &tensor);
    g_autofree double *rows = all_rows (weight);
    for (uint32_t o = 0; o < C_OUT; o++)
      for (uint32_t i = 0; i < C_IN; i++)
        for (uint32_t t = 0; t < 9; t++) {
          const uint32_t at = (t * C_IN + i) * C_OUT + o;
          const double expected = k == 2 ? f64[at] : (double) f32[at];
          g_assert_cmpfloat (rows[(o * C_IN + i) * 9 + t], ==, expected);
        }
  }
}

static void
rows_longer_than_a_chunk_are_read_whole (void)
{
  const uint32_t c_in = 1031; /* a prime above the chunk of weight.c */
  g_autofree float *data = random_floats (2 * c_in);
  const YvTensor tensor = make_tensor (data, 2, c_in, 1, 1);
  g_autoptr (YvWeight) weight = yv_weight_new (2, c_in, 1, 1, 1);

  yv_weight_add_tensor (weight, &tensor);
  g_autofree double *rows = all_rows (weight);
  for (uint32_t i = 0; i < 2 * c_in; i++)
    g_assert_cmpfloat (rows[i], ==, (double) data[i]);
}

static void
scaling_changes_weight_and_bias (void)
{
  g_autofree float *data = random_floats (C_OUT * C_IN);
  const YvTensor tensor = make_tensor (data, C_OUT, C_IN, 1, 1);
  g_autoptr (YvWeight) weight = yv_weight_new (C_OUT, C_IN, 1, 1, 1);
  double scale[2][C_OUT], shift[2][C_OUT];

  yv_weight_add_tensor (weight, &tensor);
  g_assert_false (weight->has_bias);
  for (int k = 0; k < 2; k++) {
    random_doubles (scale[k], C_OUT);
    random_doubles (shift[k], C_OUT);
    yv_weight_scale (weight, scale[k], shift[k]);
  }
  g_assert_true (weight->has_bias);

  g_autofree double *rows = all_rows (weight);
  for (uint32_t o = 0; o < C_OUT; o++) {
    g_assert_cmpfloat_with_epsilon (weight->bias[o], shift[0][o] * scale[1][o] + shift[1][o],
                                    1e-14);
    for (uint32_t i = 0; i < C_IN; i++)
      g_assert_cmpfloat_with_epsilon (
          rows[o * C_IN + i], (double) data[o * C_IN + i] * scale[0][o] * scale[1][o], 1e-14);
  }
}

/* A RepConv: scaled 3x3 + scaled 1x1 + scaled identity, dense and grouped. */
static void
merging_lays_smaller_kernels_in_the_centre (gconstpointer user_data)
{
  const uint32_t groups = GPOINTER_TO_UINT (user_data);
  const uint32_t c = 6, c_in = c / groups;
  g_autofree float *dense = random_floats (c * c_in * 9);
  g_autofree float *point = random_floats (c * c_in);
  const YvTensor dense_tensor = make_tensor (dense, c, c_in, 3, 3);
  const YvTensor point_tensor = make_tensor (point, c, c_in, 1, 1);
  YvWeight *parts[3];
  double scale[3][6], shift[3][6];

  parts[0] = yv_weight_new (c, c, groups, 3, 3);
  parts[1] = yv_weight_new (c, c, groups, 1, 1);
  parts[2] = yv_weight_new (c, c, groups, 1, 1);
  yv_weight_add_tensor (parts[0], &dense_tensor);
  yv_weight_add_tensor (parts[1], &point_tensor);
  yv_weight_add_identity (parts[2]);
  for (int k = 0; k < 3; k++) {
    random_doubles (scale[k], c);
    random_doubles (shift[k], c);
    yv_weight_scale (parts[k], scale[k], shift[k]);
  }
  g_autoptr (YvWeight) weight = parts[0];
  yv_weight_merge (weight, parts[1]);
  yv_weight_merge (weight, parts[2]);

  g_autofree double *rows = all_rows (weight);
  for (uint32_t o = 0; o < c; o++) {
    g_assert_cmpfloat_with_epsilon (weight->bias[o], shift[0][o] + shift[1][o] + shift[2][o],
                                    1e-14);
    for (uint32_t i = 0; i < c_in; i++)
      for (uint32_t t = 0; t < 9; t++) {
        const uint32_t at = (o * c_in + i) * 9 + t;
        double expected = (double) dense[at] * scale[0][o];
        if (t == 4)
          expected += (double) point[o * c_in + i] * scale[1][o];
        if (t == 4 && o % c_in == i)
          expected += scale[2][o];
        g_assert_cmpfloat_with_epsilon (rows[at], expected, 1e-14);
      }
  }
}

static void
scaling_after_a_merge_scales_every_term (void)
{
  g_autoptr (YvWeight) weight = yv_weight_new (4, 4, 1, 3, 3);
  YvWeight *identity = yv_weight_new (4, 4, 1, 1, 1);
  const double scale[] = {2, 2, 2, 2}, shift[] = {0, 0, 0, 0};

  yv_weight_add_random (weight, 1);
  yv_weight_add_identity (identity);
  yv_weight_merge (weight, identity);
  g_autofree double *before = all_rows (weight);
  yv_weight_scale (weight, scale, shift);
  g_autofree double *after = all_rows (weight);
  for (uint32_t i = 0; i < 4 * 4 * 9; i++)
    g_assert_cmpfloat (after[i], ==, 2 * before[i]);
}

static void
random_weights_depend_on_seed_and_row_only (void)
{
  g_autoptr (YvWeight) a = yv_weight_new (64, 32, 1, 3, 3);
  g_autoptr (YvWeight) b = yv_weight_new (64, 32, 1, 3, 3);
  g_autoptr (YvWeight) other = yv_weight_new (64, 32, 1, 3, 3);
  double row_a[32 * 9], row_b[32 * 9];

  yv_weight_add_random (a, 7);
  yv_weight_add_random (b, 7);
  yv_weight_add_random (other, 8);
  for (uint32_t o = 64; o-- > 0;) { /* the other way round than all_rows() */
    yv_weight_row (b, o, row_b);
    yv_weight_row (a, o, row_a);
    g_assert_cmpmem (row_a, sizeof row_a, row_b, sizeof row_b);
    yv_weight_row (other, o, row_b);
    g_assert_cmpint (memcmp (row_a, row_b, sizeof row_a), !=, 0);
    yv_weight_row (a, (o + 1) % 64, row_b);
    g_assert_cmpint (memcmp (row_a, row_b, sizeof row_a), !=, 0);
  }
}

/* 64 * 288 draws: the variance is within 5 sqrt (2 / n) of what it should be. */
static void
random_rows_sum_to_zero_and_have_their_variance (void)
{
  g_autoptr (YvWeight) weight = yv_weight_new (64, 32, 1, 3, 3);
  const double n = 64 * 288;
  double squares = 0;

  yv_weight_add_random (weight, 3);
  for (uint32_t o = 0; o < 64; o++) {
    double row[288], sum = 0;
    yv_weight_row (weight, o, row);
    for (uint32_t i = 0; i < 288; i++) {
      sum += row[i];
      squares += row[i] * row[i];
    }
    g_assert_cmpfloat_with_epsilon (sum, 0, 1e-12);
  }
  g_assert_cmpfloat_with_epsilon (squares / n * 288, 2.7, 2.7 * 5 * sqrt (2 / n));
}

static void
a_random_row_of_one_weight_is_not_zero (void)
{
  g_autoptr (YvWeight) weight = yv_weight_new (8, 8, 8, 1, 1);
  double row[1];

  yv_weight_add_random (weight, 3);
  for (uint32_t o = 0; o < 8; o++) {
    yv_weight_row (weight, o, row);
    g_assert_cmpfloat (row[0], !=, 0);
  }
}

static void
a_stack_has_the_rows_of_its_parts (void)
{
  g_autofree float *data = random_floats (C_OUT * C_IN);
  const YvTensor tensor = make_tensor (data, C_OUT, C_IN, 1, 1);
  g_autoptr (YvWeight) a = yv_weight_new (C_OUT, C_IN, 1, 1, 1);
  g_autoptr (YvWeight) b = yv_weight_new (2, C_IN, 1, 1, 1);
  double scale[C_OUT], shift[C_OUT];

  random_doubles (scale, C_OUT);
  random_doubles (shift, C_OUT);
  yv_weight_add_tensor (a, &tensor);
  yv_weight_scale (a, scale, shift);
  yv_weight_add_random (b, 7);
  g_autoptr (YvWeight) stack = yv_weight_stack ((const YvWeight *[]){b, a, b}, 3);
  g_autofree double *rows = all_rows (stack), *a_rows = all_rows (a), *b_rows = all_rows (b);
  const size_t a_bytes = C_OUT * C_IN * sizeof *rows, b_bytes = 2 * C_IN * sizeof *rows;

  g_assert_cmpuint (stack->c_out, ==, C_OUT + 4);
  g_assert_true (stack->has_bias);
  g_assert_cmpmem (rows, b_bytes, b_rows, b_bytes);
  g_assert_cmpmem (rows + 2 * C_IN, a_bytes, a_rows, a_bytes);
  g_assert_cmpmem (rows + (2 + C_OUT) * C_IN, b_bytes, b_rows, b_bytes);
  g_assert_cmpmem (stack->bias + 2, C_OUT * sizeof *shift, shift, C_OUT * sizeof *shift);
  g_assert_cmpfloat (stack->bias[0], ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/weight/tensor", a_tensor_gives_its_own_elements);
  g_test_add_func ("/weight/transposed", a_transposed_tensor_of_any_dtype_reads_alike);
  g_test_add_func ("/weight/long-rows", rows_longer_than_a_chunk_are_read_whole);
  g_test_add_func ("/weight/scale", scaling_changes_weight_and_bias);
  g_test_add_data_func ("/weight/merge/dense", GUINT_TO_POINTER (1),
                        merging_lays_smaller_kernels_in_the_centre);
  g_test_add_data_func ("/weight/merge/groups", GUINT_TO_POINTER (2),
                        merging_lays_smaller_kernels_in_the_centre);
  g_test_add_data_func ("/weight/merge/depthwise", GUINT_TO_POINTER (6),
                        merging_lays_smaller_kernels_in_the_centre);
  g_test_add_func ("/weight/merge/scale", scaling_after_a_merge_scales_every_term);
  g_test_add_func ("/weight/random/same", random_weights_depend_on_seed_and_row_only);
  g_test_add_func ("/weight/random/size", random_rows_sum_to_zero_and_have_their_variance);
  g_test_add_func ("/weight/random/one", a_random_row_of_one_weight_is_not_zero);
  g_test_add_func ("/weight/stack", a_stack_has_the_rows_of_its_parts);
  return g_test_run ();
}
