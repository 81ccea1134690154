/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-lineup.c - frames and events in the order they came. */
#include "gst/lineup.h"

static guint64
add (GstYolov7Lineup *lineup, GstYolov7ItemState state)
{
  return gst_yolov7_lineup_add_frame (lineup, gst_buffer_new (), state, 0);
}

static void
take (GstYolov7Lineup *lineup, GstYolov7ItemState state)
{
  const GstYolov7Item item = gst_yolov7_lineup_take (lineup);

  g_assert_cmpint (item.state, ==, state);
  gst_mini_object_unref (item.object);
}

static void
the_first_leaves_when_it_waits_for_nothing (void)
{
  GstYolov7Lineup lineup;

  gst_yolov7_lineup_init (&lineup);
  g_assert_true (gst_yolov7_lineup_is_empty (&lineup));
  g_assert_false (gst_yolov7_lineup_may_leave (&lineup));
  const guint64 first = add (&lineup, GST_YOLOV7_ITEM_WAITING);
  gst_yolov7_lineup_add_event (&lineup, gst_event_new_eos ());
  g_assert_true (lineup.has_eos);
  g_assert_false (gst_yolov7_lineup_may_leave (&lineup));
  gst_yolov7_lineup_find (&lineup, first)->state = GST_YOLOV7_ITEM_ANALYSED;
  g_assert_true (gst_yolov7_lineup_may_leave (&lineup));
  take (&lineup, GST_YOLOV7_ITEM_ANALYSED);
  g_assert_cmpuint (lineup.n_frames, ==, 0);
  g_assert_true (gst_yolov7_lineup_may_leave (&lineup));
  take (&lineup, GST_YOLOV7_ITEM_FREE);
  g_assert_false (lineup.has_eos);
  gst_yolov7_lineup_clear (&lineup);
}

/* Through more frames than there are places at first, so that they move in memory. */
static void
numbers_stay_while_others_come_and_go (void)
{
  GstYolov7Lineup lineup;
  guint64 expected = 0;

  gst_yolov7_lineup_init (&lineup);
  for (guint i = 0; i < 100; i++) {
    const guint64 a = add (&lineup, GST_YOLOV7_ITEM_FREE);
    const guint64 b = add (&lineup, GST_YOLOV7_ITEM_WAITING);
    g_assert_cmpuint (b, ==, a + 1);
    g_assert_cmpint (gst_yolov7_lineup_find (&lineup, b)->state, ==, GST_YOLOV7_ITEM_WAITING);
    g_assert_null (gst_yolov7_lineup_find (&lineup, b + 1));
    gst_yolov7_lineup_find (&lineup, expected)->state = GST_YOLOV7_ITEM_FREE;
    take (&lineup, GST_YOLOV7_ITEM_FREE);
    g_assert_null (gst_yolov7_lineup_find (&lineup, expected++));
  }
  g_assert_cmpuint (lineup.n_frames, ==, 100);
  while (!gst_yolov7_lineup_is_empty (&lineup))
    gst_mini_object_unref (gst_yolov7_lineup_take (&lineup).object);
  gst_yolov7_lineup_clear (&lineup);
}

static void
those_that_wait_are_released_and_no_others (void)
{
  GstYolov7Lineup lineup;

  gst_yolov7_lineup_init (&lineup);
  add (&lineup, GST_YOLOV7_ITEM_ANALYSED);
  add (&lineup, GST_YOLOV7_ITEM_WAITING);
  add (&lineup, GST_YOLOV7_ITEM_FREE);
  add (&lineup, GST_YOLOV7_ITEM_WAITING);
  g_assert_cmpuint (gst_yolov7_lineup_release (&lineup, 7), ==, 2);
  g_assert_cmpuint (gst_yolov7_lineup_release (&lineup, 7), ==, 0);
  take (&lineup, GST_YOLOV7_ITEM_ANALYSED);
  for (guint i = 0; i < 3; i++)
    take (&lineup, GST_YOLOV7_ITEM_FREE);
  gst_yolov7_lineup_clear (&lineup);
}

static void
flights_land_in_their_order (void)
{
  GstYolov7Lineup lineup;

  gst_yolov7_lineup_init (&lineup);
  g_assert_null (gst_yolov7_lineup_oldest_flight (&lineup));
  for (guint64 i = 0; i < 40; i++) {
    const GstYolov7Flight flight = {.number = i};
    gst_yolov7_lineup_add_flight (&lineup, &flight);
    g_assert_cmpuint (gst_yolov7_lineup_newest_flight (&lineup)->number, ==, i);
  }
  for (guint64 i = 0; i < 40; i++) {
    g_assert_cmpuint (gst_yolov7_lineup_oldest_flight (&lineup)->number, ==, i);
    g_assert_cmpuint (gst_yolov7_lineup_n_flights (&lineup), ==, 40 - i);
    g_assert_cmpuint (gst_yolov7_lineup_take_flight (&lineup).number, ==, i);
  }
  gst_yolov7_lineup_clear (&lineup);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lineup/leave", the_first_leaves_when_it_waits_for_nothing);
  g_test_add_func ("/lineup/numbers", numbers_stay_while_others_come_and_go);
  g_test_add_func ("/lineup/release", those_that_wait_are_released_and_no_others);
  g_test_add_func ("/lineup/flights", flights_land_in_their_order);
  return g_test_run ();
}
