/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-half.c - engine/half.h over all 65536 halves and the points between them. */
#include "engine/half.h"

#include <math.h>

static void
every_half_survives_a_round_trip (void)
{
  for (uint32_t bits = 0; bits <= 0xffff; bits++) {
    const float value = yv_half_to_float ((uint16_t) bits);
    if (isnan (value))
      g_assert_true (isnan (yv_half_to_float (yv_half_from_float (value))));
    else
      g_assert_cmphex (yv_half_from_float (value), ==, bits);
  }
}

static void
a_float_between_two_halves_goes_to_the_nearer_and_a_tie_to_the_even (void)
{
  for (uint32_t bits = 0; bits < 0x7bff; bits++) {
    const float low = yv_half_to_float ((uint16_t) bits);
    const float high = yv_half_to_float ((uint16_t) (bits + 1));
    const float middle = low + (high - low) / 2; /* exact: a float has 13 bits more */

    g_assert_cmphex (yv_half_from_float (middle), ==, bits & 1 ? bits + 1 : bits);
    g_assert_cmphex (yv_half_from_float (nextafterf (middle, 0)), ==, bits);
    g_assert_cmphex (yv_half_from_float (nextafterf (middle, INFINITY)), ==, bits + 1);
    g_assert_cmphex (yv_half_from_float (-middle), ==, (bits & 1 ? bits + 1 : bits) | 0x8000);
  }
}

static void
large_values_become_infinite (void)
{
  g_assert_cmphex (yv_half_from_float (65519.0f), ==, 0x7bff);
  g_assert_cmphex (yv_half_from_float (65520.0f), ==, 0x7c00);
  g_assert_cmphex (yv_half_from_float (-INFINITY), ==, 0xfc00);
}

static void
bfloat16_is_the_upper_half_of_a_float (void)
{
  g_assert_cmpfloat (yv_bfloat16_to_float (0x3fc0), ==, 1.5f);
  g_assert_cmpfloat (yv_bfloat16_to_float (0xc2f7), ==, -123.5f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/half/round-trip", every_half_survives_a_round_trip);
  g_test_add_func ("/half/rounding",
                   a_float_between_two_halves_goes_to_the_nearer_and_a_tie_to_the_even);
  g_test_add_func ("/half/overflow", large_values_become_infinite);
  g_test_add_func ("/half/bfloat16", bfloat16_is_the_upper_half_of_a_float);
  return g_test_run ();
}
