/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-tracker-anew.c - yolov7tracker: which events, and which times, start it anew. */
#include "tests/gst/frames.h"
#include "tests/gst/trackerharness.h"

static void
assert_starts_anew (Tracking *t, gint64 id)
{
  const gint64 now = walk (t, 5, 6, 110);

  g_assert_cmpint (id, >, 0);
  g_assert_cmpint (now, >, id); /* never the same twice */
}

static void
a_flush_starts_anew_and_no_id_repeats (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  flush_tracker (t);
  track_frame (t, frame_at (5 * FRAME));
  g_assert_cmpuint (t->found->len, ==, 0);
  assert_starts_anew (t, id);
}

static void
another_size_starts_anew (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  change_caps (t, yv_test_caps ("I420", W * 2, H * 2));
  assert_starts_anew (t, id);
}

static void
another_format_of_the_same_size_does_not (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  change_caps (t, yv_test_caps ("NV12", W, H));
  g_assert_cmpint (walk (t, 5, 6, 110), ==, id);
}

static void
another_stream_starts_anew (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  g_assert_true (gst_harness_push_event (t->harness, gst_event_new_stream_start ("other")));
  begin_segment (t);
  assert_starts_anew (t, id);
}

static void
a_jump_to_another_segment_starts_anew (Tracking *t, gconstpointer data)
{
  GstBuffer *buffer = frame_at (5 * FRAME);
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  begin_segment (t);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  track_frame (t, buffer);
  g_assert_cmpuint (t->found->len, ==, 0);
  assert_starts_anew (t, id);
}

/* A lost packet, or a live source that says its segment again. */
static void
a_segment_or_a_gap_alone_does_not (Tracking *t, gconstpointer data)
{
  GstBuffer *buffer = frame_at (6 * FRAME);
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  begin_segment (t);
  g_assert_cmpint (track_walker (t, 5 * FRAME, 110, 100), ==, id);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  track_frame (t, buffer);
  g_assert_cmpuint (t->found->len, ==, 1);
  g_assert_cmpint (walk (t, 7, 3, 114), ==, id);
}

static void
time_that_goes_back_starts_anew (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 50, 5, 100);

  track_frame (t, frame_at (0));
  g_assert_cmpuint (t->found->len, ==, 0);
  assert_starts_anew (t, id);
}

static void
backwards_is_a_direction_too (Tracking *t, gconstpointer data)
{
  GstSegment segment;
  (void) data;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  g_assert_true (gst_harness_push_event (t->harness, gst_event_new_segment (&segment)));
  const gint64 id = track_walker (t, 30 * FRAME, 100, 100);
  for (guint i = 1; i < 20; i++)
    g_assert_cmpint (track_walker (t, (30 - i) * FRAME, 100 + 3 * i, 100), ==, id);
  track_frame (t, frame_at (10 * FRAME));
  g_assert_cmpfloat_with_epsilon (found_at (t, 0)->x, 100 + 3 * 20, 3);
}

static void
after_a_long_gap_everybody_is_new (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  track_frame (t, frame_at (3600 * GST_SECOND));
  g_assert_cmpuint (t->found->len, ==, 0);
  track_walker (t, G_MAXINT64, 110, 100);
  const gint64 now = track_walker (t, G_MAXINT64, 110, 100);
  g_assert_cmpint (now, !=, id);
}

static void
without_times_frames_are_counted (Tracking *t, gconstpointer data)
{
  gint64 id = -1;
  (void) data;

  for (guint i = 0; i < 20; i++) {
    if (i % 2) {
      track_frame (t, frame_at (GST_CLOCK_TIME_NONE));
      continue;
    }
    const gint64 now = track_walker (t, GST_CLOCK_TIME_NONE, 100 + 3 * i, 100);
    g_assert_true (i < 6 || now == id);
    id = now;
  }
  g_assert_cmpint (id, >, 0);
  track_frame (t, frame_at (GST_CLOCK_TIME_NONE));
  track_frame (t, frame_at (GST_CLOCK_TIME_NONE));
  g_assert_cmpfloat_with_epsilon (found_at (t, 0)->x, 100 + 3 * 20, 4);
}

static void
a_frame_that_is_there_twice_is_no_harm (Tracking *t, gconstpointer data)
{
  gint64 id = -1;
  (void) data;

  for (guint i = 0; i < 20; i++)
    id = track_walker (t, i / 2 * FRAME, 100 + 2 * (i / 2), 100);
  g_assert_cmpint (track_walker (t, 10 * FRAME, 120, 100), ==, id);
}

/* All PTS are 0, and everybody jumps: who was there before is forgotten all the same. */
static void
where_time_stands_still_frames_are_counted (Tracking *t, gconstpointer data)
{
  GstElement *tracker = t->harness->element;
  (void) data;

  g_object_set (tracker, "min-frame-count-for-lost-track", 5, NULL);
  for (guint i = 0; i < 100; i++) {
    track_walker (t, 0, i % 10 * 60, i % 8 * 100);
    g_assert_cmpuint (t->found->len, <=, 2); /* and who is predicted for one frame */
  }
  const gint64 id = found_at (t, 0)->id;
  for (guint i = 0; i < 6; i++)
    track_detections (t, 0, NULL, 0);
  g_assert_cmpint (track_walker (t, 0, 99 % 10 * 60, 99 % 8 * 100), >, id);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_TRACKING (where_time_stands_still_frames_are_counted);
  ADD_TRACKING (a_flush_starts_anew_and_no_id_repeats);
  ADD_TRACKING (another_size_starts_anew);
  ADD_TRACKING (another_format_of_the_same_size_does_not);
  ADD_TRACKING (another_stream_starts_anew);
  ADD_TRACKING (a_jump_to_another_segment_starts_anew);
  ADD_TRACKING (a_segment_or_a_gap_alone_does_not);
  ADD_TRACKING (time_that_goes_back_starts_anew);
  ADD_TRACKING (backwards_is_a_direction_too);
  ADD_TRACKING (after_a_long_gap_everybody_is_new);
  ADD_TRACKING (without_times_frames_are_counted);
  ADD_TRACKING (a_frame_that_is_there_twice_is_no_harm);
  return g_test_run ();
}
