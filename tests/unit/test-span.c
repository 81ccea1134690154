/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-span.c - engine/span.h: no read passes the end. */
#include "engine/span.h"

static const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88, 'a', '\n', 'b'};

static YvSpan
whole (void)
{
  return (YvSpan){.data = bytes, .size_bytes = sizeof bytes};
}

static void
integers_are_little_endian (void)
{
  YvSpan span = whole ();
  uint8_t u8;
  uint16_t u16;
  uint32_t u32;
  uint64_t u64;

  g_assert_true (yv_span_take_u8 (&span, &u8));
  g_assert_cmphex (u8, ==, 0x01);
  g_assert_true (yv_span_take_u16 (&span, &u16));
  g_assert_cmphex (u16, ==, 0x0302);
  g_assert_true (yv_span_take_u32 (&span, &u32));
  g_assert_cmphex (u32, ==, 0x07060504);
  g_assert_cmpuint (span.size_bytes, ==, 4);
  span = whole ();
  g_assert_true (yv_span_take_u64 (&span, &u64));
  g_assert_cmphex (u64, ==, G_GUINT64_CONSTANT (0x8807060504030201));
}

static void
a_big_endian_double_is_read (void)
{
  const uint8_t pi[] = {0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18};
  YvSpan span = {.data = pi, .size_bytes = sizeof pi};
  double value;

  g_assert_true (yv_span_take_f64_be (&span, &value));
  g_assert_cmpfloat (value, ==, G_PI);
  g_assert_false (yv_span_take_f64_be (&span, &value));
}

static void
a_read_past_the_end_leaves_the_span_untouched (void)
{
  YvSpan span = {.data = bytes, .size_bytes = 1};
  YvSpan taken;
  uint16_t u16;
  uint32_t u32;
  uint64_t u64;
  double f64;

  g_assert_false (yv_span_take_u16 (&span, &u16));
  g_assert_false (yv_span_take_u32 (&span, &u32));
  g_assert_false (yv_span_take_u64 (&span, &u64));
  g_assert_false (yv_span_take_f64_be (&span, &f64));
  g_assert_false (yv_span_take (&span, 2, &taken));
  g_assert_false (yv_span_skip (&span, 2));
  g_assert_false (yv_span_take_line (&span, &taken));
  g_assert_true (span.data == bytes);
  g_assert_cmpuint (span.size_bytes, ==, 1);
}

static void
a_slice_must_lie_inside (void)
{
  YvSpan slice;

  g_assert_true (yv_span_slice (whole (), 8, 3, &slice));
  g_assert_cmpuint (slice.data[0], ==, 'a');
  g_assert_true (yv_span_slice (whole (), sizeof bytes, 0, &slice));
  g_assert_false (yv_span_slice (whole (), 9, 3, &slice));
  g_assert_false (yv_span_slice (whole (), sizeof bytes + 1, 0, &slice));
  /* offset + size wraps to a small number */
  g_assert_false (yv_span_slice (whole (), 8, UINT64_MAX - 4, &slice));
  g_assert_false (yv_span_slice (whole (), UINT64_MAX, 2, &slice));
}

static void
a_line_ends_before_its_newline (void)
{
  YvSpan span = whole (), line;

  g_assert_true (yv_span_skip (&span, 8));
  g_assert_true (yv_span_take_line (&span, &line));
  g_assert_cmpmem (line.data, line.size_bytes, "a", 1);
  g_assert_cmpmem (span.data, span.size_bytes, "b", 1);
  g_assert_false (yv_span_take_line (&span, &line));
}

static void
an_empty_span_without_data_is_fine (void)
{
  YvSpan span = {0}, out;
  uint8_t u8;

  g_assert_true (yv_span_slice (span, 0, 0, &out));
  g_assert_true (yv_span_take (&span, 0, &out));
  g_assert_false (yv_span_take_u8 (&span, &u8));
  g_assert_false (yv_span_take_line (&span, &out));
  g_assert_false (yv_span_starts_with (span, "x", 1));
}

static void
a_beginning_is_compared_whole (void)
{
  g_assert_true (yv_span_starts_with (whole (), "\1\2\3", 3));
  g_assert_false (yv_span_starts_with (whole (), "\1\2\4", 3));
  g_assert_false (yv_span_starts_with ((YvSpan){.data = bytes, .size_bytes = 2}, "\1\2\3", 3));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/span/integers", integers_are_little_endian);
  g_test_add_func ("/span/double", a_big_endian_double_is_read);
  g_test_add_func ("/span/past-the-end", a_read_past_the_end_leaves_the_span_untouched);
  g_test_add_func ("/span/slice", a_slice_must_lie_inside);
  g_test_add_func ("/span/line", a_line_ends_before_its_newline);
  g_test_add_func ("/span/empty", an_empty_span_without_data_is_fine);
  g_test_add_func ("/span/starts-with", a_beginning_is_compared_whole);
  return g_test_run ();
}
