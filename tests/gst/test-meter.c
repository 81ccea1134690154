/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-meter.c - gst/meter.h and gst/latency.h: what is made of measured times. */
#include "gst/meter.h"

#include "gst/latency.h"

/* ---- meter ---------------------------------------------------------------------------------- */

static void
assert_measured (const GstYolov7Meter *meter, guint64 mean_ns, guint64 p99_ns)
{
  const GstYolov7Measured measured = gst_yolov7_meter_read (meter);

  g_assert_cmpuint (measured.mean_ns, ==, mean_ns);
  g_assert_cmpuint (measured.p99_ns, ==, p99_ns);
}

static void
an_empty_meter_shows_nothing (void)
{
  const GstYolov7Meter meter = {0};

  assert_measured (&meter, 0, 0);
  g_assert_cmpuint (meter.n_added, ==, 0);
}

static void
a_few_durations_are_exact (void)
{
  GstYolov7Meter meter = {0};

  gst_yolov7_meter_add (&meter, 7);
  assert_measured (&meter, 7, 7);
  gst_yolov7_meter_add (&meter, 4);
  assert_measured (&meter, 5, 7);
  gst_yolov7_meter_add (&meter, 1000);
  assert_measured (&meter, 337, 1000);
  g_assert_cmpuint (meter.n_added, ==, 3);
}

/* 1, 2 ... n in an order that is neither rising nor falling: 103 has no factor in common with the
 * lengths that are used here. */
static void
add_first (GstYolov7Meter *meter, guint n)
{
  for (guint i = 0; i < n; i++)
    gst_yolov7_meter_add (meter, 1 + (i * 103u + 5) % n);
}

static void
the_percentile_is_that_of_the_nearest_rank (void)
{
  static const struct {
    guint n;
    guint64 mean, p99;
  } rows[] = {
      {99, 50, 99},    {100, 50, 99},   {101, 51, 100},
      {200, 100, 198}, {400, 200, 396}, {512, 256, 507},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstYolov7Meter meter = {0};
    add_first (&meter, rows[i].n);
    assert_measured (&meter, rows[i].mean, rows[i].p99);
  }
}

static void
only_the_last_durations_count (void)
{
  GstYolov7Meter meter = {0};

  for (guint i = 0; i < 1000; i++)
    gst_yolov7_meter_add (&meter, G_GUINT64_CONSTANT (1) << 54);
  assert_measured (&meter, G_GUINT64_CONSTANT (1) << 54, G_GUINT64_CONSTANT (1) << 54);
  add_first (&meter, GST_YOLOV7_METER_LENGTH - 1);
  g_assert_cmpuint (gst_yolov7_meter_read (&meter).mean_ns, >, G_GUINT64_CONSTANT (1) << 44);
  gst_yolov7_meter_add (&meter, 512);
  assert_measured (&meter, 256, 507);
  g_assert_cmpuint (meter.n_added, ==, 1512);
}

/* ---- latency -------------------------------------------------------------------------------- */

static void
assert_update (GstYolov7Latency *latency, GstClockTime measured, GstClockTime reported)
{
  const GstClockTime before = latency->reported;

  g_assert_cmpint (gst_yolov7_latency_update (latency, measured), ==, reported != before);
  g_assert_cmpuint (latency->reported, ==, reported);
}

static void
a_latency_is_rounded_up_to_one_of_few (void)
{
  static const GstClockTime rows[][2] = {
      {0, 1000000},         {1, 1000000},         {1000000, 1000000},
      {1000001, 1250000},   {1250000, 1250000},   {1250001, 1562500},
      {1562501, 1953125},   {1953126, 2441406},   {40 * GST_MSECOND, 44408891},
      {44408891, 44408891}, {44408892, 55511113},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstYolov7Latency latency = {0};
    assert_update (&latency, rows[i][0], rows[i][1]);
  }
}

static void
a_latency_rises_at_once_and_keeps_still_otherwise (void)
{
  GstYolov7Latency latency = {0};

  assert_update (&latency, 1100000, 1250000);
  assert_update (&latency, 1250000, 1250000);
  assert_update (&latency, 1200000, 1250000);
  assert_update (&latency, 1250001, 1562500);
  assert_update (&latency, 700000, 1562500);
  assert_update (&latency, 1900000, 1953125);
}

static void
repeat (GstYolov7Latency *latency, guint n, GstClockTime measured)
{
  const GstClockTime before = latency->reported;

  for (guint i = 0; i < n; i++)
    assert_update (latency, measured, before);
}

static void
a_latency_falls_after_512_frames_of_less_than_half (void)
{
  GstYolov7Latency latency = {0};

  assert_update (&latency, 40 * GST_MSECOND, 44408891);
  repeat (&latency, 511, 5 * GST_MSECOND);
  assert_update (&latency, 5 * GST_MSECOND, 5960462);

  /* the largest of them counts */
  assert_update (&latency, 40 * GST_MSECOND, 44408891);
  repeat (&latency, 300, 1);
  assert_update (&latency, 6 * GST_MSECOND, 44408891);
  repeat (&latency, 210, 1);
  assert_update (&latency, 1, 7450577);

  /* nothing is lower than the lowest */
  repeat (&latency, 511, 1);
  assert_update (&latency, 1, GST_MSECOND);
  repeat (&latency, 2000, 1);
}

static void
a_frame_of_half_the_latency_keeps_it (void)
{
  GstYolov7Latency latency = {0};

  assert_update (&latency, 40 * GST_MSECOND, 44408891);
  for (guint i = 0; i < 3; i++) {
    repeat (&latency, 511, 5 * GST_MSECOND);
    assert_update (&latency, 22204446, 44408891);
  }
  repeat (&latency, 511, 22204445);
  assert_update (&latency, 5 * GST_MSECOND, 22737353);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/meter/empty", an_empty_meter_shows_nothing);
  g_test_add_func ("/meter/few", a_few_durations_are_exact);
  g_test_add_func ("/meter/percentile", the_percentile_is_that_of_the_nearest_rank);
  g_test_add_func ("/meter/last", only_the_last_durations_count);
  g_test_add_func ("/latency/steps", a_latency_is_rounded_up_to_one_of_few);
  g_test_add_func ("/latency/rise", a_latency_rises_at_once_and_keeps_still_otherwise);
  g_test_add_func ("/latency/fall", a_latency_falls_after_512_frames_of_less_than_half);
  g_test_add_func ("/latency/half", a_frame_of_half_the_latency_keeps_it);
  return g_test_run ();
}
