/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-cstride.c - engine/plan/cstride.h: pixels lie apart where a cache wants it. */
#include "engine/plan/cstride.h"

#define F32 4
#define F16 2

static const struct {
  uint32_t c;
  size_t elem_bytes;
  uint32_t cstride, of_texels;
} cases[] = {
    {255, F32, 256, 272}, {256, F32, 256, 272}, {257, F32, 264, 264}, {512, F32, 512, 528},
    {255, F16, 256, 256}, {256, F16, 256, 256}, {257, F16, 264, 264}, {512, F16, 512, 544},
};

static void
check (bool texel_lanes)
{
  const YvCaps caps = {.texel_lanes = texel_lanes};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    const uint32_t got = yv_cstride (&caps, cases[i].c, 8, cases[i].elem_bytes);

    g_test_message ("%u channels of %zu bytes: %u", cases[i].c, cases[i].elem_bytes, got);
    g_assert_cmpuint (got, ==, texel_lanes ? cases[i].of_texels : cases[i].cstride);
  }
}

static void
channels_are_rounded_up (void)
{
  check (false);
}

static void
texel_kernels_get_a_line_more_where_pixels_are_whole_kibibytes (void)
{
  check (true);
}

static void
what_is_written_one_by_one_is_not_rounded (void)
{
  const YvCaps caps = {.texel_lanes = true};

  g_assert_cmpuint (yv_cstride (&caps, 85, 1, F32), ==, 85);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cstride/rounded", channels_are_rounded_up);
  g_test_add_func ("/cstride/texels",
                   texel_kernels_get_a_line_more_where_pixels_are_whole_kibibytes);
  g_test_add_func ("/cstride/one", what_is_written_one_by_one_is_not_rounded);
  return g_test_run ();
}
