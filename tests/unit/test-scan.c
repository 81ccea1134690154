/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-scan.c - engine/model/scan.h: NaN and infinity, wherever they lie. */
#include "engine/model/scan.h"

#include <math.h>
#include <string.h>

#include "engine/half.h"

/* More than one chunk of the scan, and not a multiple of it. */
#define N_ELEMS 5003

static YvTensor
make_view (YvDType dtype, const void *data)
{
  return (YvTensor){
      .dtype = dtype, .n_dims = 1, .shape = {N_ELEMS}, .stride_elems = {1}, .data = data};
}

static void
put (YvDType dtype, uint8_t *data, uint32_t index, double value)
{
  const float single = (float) value;
  const uint16_t half = yv_half_from_float (single);
  uint32_t bits;

  memcpy (&bits, &single, sizeof bits);
  const uint16_t upper = (uint16_t) (bits >> 16);
  if (dtype == YV_DTYPE_F32)
    memcpy (data + 4 * index, &single, 4);
  else if (dtype == YV_DTYPE_F64)
    memcpy (data + 8 * index, &value, 8);
  else
    memcpy (data + 2 * index, dtype == YV_DTYPE_F16 ? &half : &upper, 2);
}

static const YvDType dtypes[] = {YV_DTYPE_F16, YV_DTYPE_BF16, YV_DTYPE_F32, YV_DTYPE_F64};
static const double bad_values[] = {NAN, INFINITY, -INFINITY};

static void
one_bad_element_anywhere_is_found_in_every_type (void)
{
  static const uint32_t places[] = {0, 1, 2047, 2048, 2049, N_ELEMS - 1};
  g_autofree uint8_t *data = g_malloc0 (8 * N_ELEMS + 1);

  for (guint t = 0; t < G_N_ELEMENTS (dtypes); t++)
    for (guint p = 0; p < G_N_ELEMENTS (places); p++)
      for (guint v = 0; v < G_N_ELEMENTS (bad_values); v++) {
        const YvTensor view = make_view (dtypes[t], data + 1); /* unaligned, as in a file */
        uint64_t index = 0;

        memset (data, 0, 8 * N_ELEMS + 1);
        g_assert_false (yv_scan_non_finite (&view, &index));
        put (dtypes[t], data + 1, places[p], bad_values[v]);
        g_assert_true (yv_scan_non_finite (&view, &index));
        g_assert_cmpuint (index, ==, places[p]);
      }
}

static void
the_largest_finite_numbers_are_finite (void)
{
  static const double largest[] = {65504, 3.3e38, 3.4e38, 1.7e308};
  g_autofree uint8_t *data = g_malloc0 (8 * N_ELEMS);

  for (guint t = 0; t < G_N_ELEMENTS (dtypes); t++) {
    const YvTensor view = make_view (dtypes[t], data);
    uint64_t index = 0;

    memset (data, 0, 8 * N_ELEMS);
    put (dtypes[t], data, 7, largest[t]);
    put (dtypes[t], data, 8, -largest[t]);
    g_assert_false (yv_scan_non_finite (&view, &index));
  }
}

static void
a_transposed_view_names_the_element_in_its_own_order (void)
{
  const float data[] = {0, 1, NAN, 3, 4, 5}; /* [2, 3] seen as [3, 2] */
  const YvTensor view = {.dtype = YV_DTYPE_F32,
                         .n_dims = 2,
                         .shape = {3, 2},
                         .stride_elems = {1, 3},
                         .data = (const uint8_t *) data};
  uint64_t index = 0;

  g_assert_true (yv_scan_non_finite (&view, &index));
  g_assert_cmpuint (index, ==, 4);
}

static void
what_lies_between_the_elements_of_a_view_does_not_matter (void)
{
  const float data[] = {0, NAN, 2, NAN, 4};
  const YvTensor view = {.dtype = YV_DTYPE_F32,
                         .n_dims = 1,
                         .shape = {3},
                         .stride_elems = {2},
                         .data = (const uint8_t *) data};
  uint64_t index = 0;

  g_assert_false (yv_scan_non_finite (&view, &index));
}

static void
an_empty_tensor_holds_nothing_bad (void)
{
  const YvTensor view = {.dtype = YV_DTYPE_F32, .n_dims = 1, .shape = {0}, .stride_elems = {1}};
  uint64_t index = 0;

  g_assert_false (yv_scan_non_finite (&view, &index));
  g_assert_false (yv_scan_negative (&view, &index));
}

static void
negative_is_below_zero_and_not_minus_zero (void)
{
  const float data[] = {0, -0.0f, 1e-30f, -1e-30f};
  YvTensor view = {.dtype = YV_DTYPE_F32,
                   .n_dims = 1,
                   .shape = {3},
                   .stride_elems = {1},
                   .data = (const uint8_t *) data};
  uint64_t index = 0;

  g_assert_false (yv_scan_negative (&view, &index));
  view.shape[0] = 4;
  g_assert_true (yv_scan_negative (&view, &index));
  g_assert_cmpuint (index, ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scan/found", one_bad_element_anywhere_is_found_in_every_type);
  g_test_add_func ("/scan/largest", the_largest_finite_numbers_are_finite);
  g_test_add_func ("/scan/transposed", a_transposed_view_names_the_element_in_its_own_order);
  g_test_add_func ("/scan/gaps", what_lies_between_the_elements_of_a_view_does_not_matter);
  g_test_add_func ("/scan/empty", an_empty_tensor_holds_nothing_bad);
  g_test_add_func ("/scan/negative", negative_is_below_zero_and_not_minus_zero);
  return g_test_run ();
}
