/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-losses.c - gst/losses.h: how often a device may be lost. */
#include "gst/losses.h"

static void
assert_worth (GstYolov7Losses *losses, GstClockTime now, bool is_worth)
{
  g_test_message ("at %" GST_TIME_FORMAT, GST_TIME_ARGS (now));
  g_assert_true (gst_yolov7_losses_add (losses, now) == is_worth);
}

static void
the_fourth_within_a_minute_is_one_too_many (void)
{
  GstYolov7Losses losses = {0};

  for (guint i = 0; i < 3; i++)
    assert_worth (&losses, 0, true);
  assert_worth (&losses, 0, false);
  assert_worth (&losses, 60 * GST_SECOND - 1, false);
}

static void
the_fourth_after_a_minute_is_not (void)
{
  GstYolov7Losses losses = {0};

  assert_worth (&losses, 5 * GST_SECOND, true);
  assert_worth (&losses, 6 * GST_SECOND, true);
  assert_worth (&losses, 7 * GST_SECOND, true);
  assert_worth (&losses, 65 * GST_SECOND, true);
}

/* Each minute is looked at by itself, as often as the last times are overwritten; and who was
 * refused is not in it. */
static void
the_minute_slides (void)
{
  static const struct {
    guint at_s;
    bool is_worth;
  } rows[] = {{0, true},   {20, true},  {40, true},  {59, false},  {60, true},   {79, false},
              {80, true},  {81, false}, {99, false}, {100, true},  {119, false}, {120, true},
              {500, true}, {501, true}, {502, true}, {503, false}, {560, true},  {561, true}};
  GstYolov7Losses losses = {0};

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_worth (&losses, rows[i].at_s * GST_SECOND, rows[i].is_worth);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/losses/too-many", the_fourth_within_a_minute_is_one_too_many);
  g_test_add_func ("/losses/later", the_fourth_after_a_minute_is_not);
  g_test_add_func ("/losses/slide", the_minute_slides);
  return g_test_run ();
}
