/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/trackerharness.c - the element yolov7tracker in a harness. */
#include "tests/gst/trackerharness.h"

#include "tests/gst/frames.h"

void
set_up_tracking (Tracking *t, gconstpointer data)
{
  (void) data;
  t->harness = gst_harness_new ("yolov7tracker");
  t->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  change_caps (t, yv_test_caps ("I420", W, H));
}

void
tear_down_tracking (Tracking *t, gconstpointer data)
{
  (void) data;
  gst_clear_buffer (&t->out);
  g_array_unref (t->found);
  gst_harness_teardown (t->harness);
}

void
change_caps (Tracking *t, GstCaps *caps)
{
  gst_harness_set_caps (t->harness, caps, gst_caps_ref (caps));
}

GstBuffer *
frame_at (GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);

  GST_BUFFER_PTS (buffer) = pts;
  return buffer;
}

GstYolov7Detection
walker_at (double x, double y)
{
  return (GstYolov7Detection){.x = x,
                              .y = y,
                              .w = 40,
                              .h = 90,
                              .confidence = 0.99,
                              .objectness = 0.99,
                              .class_index = 0,
                              .id = -1,
                              .label = "person"};
}

void
track_frame (Tracking *t, GstBuffer *buffer)
{
  gst_clear_buffer (&t->out);
  t->out = gst_harness_push_and_pull (t->harness, buffer);
  g_assert_nonnull (t->out);
  gst_yolov7_detections_read (t->out, t->found);
}

void
track_detections (Tracking *t, GstClockTime pts, const GstYolov7Detection *d, guint n)
{
  GstBuffer *buffer = frame_at (pts);

  yv_test_attach (buffer, W, H, d, n, t->kinds);
  track_frame (t, buffer);
}

gint64
track_walker (Tracking *t, GstClockTime pts, double x, double y)
{
  const GstYolov7Detection d = walker_at (x, y);

  track_detections (t, pts, &d, 1);
  return found_at (t, 0)->id;
}

gint64
walk (Tracking *t, guint first, guint n, double first_x)
{
  gint64 id = -1;

  for (guint i = 0; i < n; i++)
    id = track_walker (t, (first + i) * FRAME, first_x + 2 * i, 100);
  return id;
}

const GstYolov7Detection *
found_at (const Tracking *t, guint i)
{
  g_assert_cmpuint (i, <, t->found->len);
  return &g_array_index (t->found, GstYolov7Detection, i);
}

void
begin_segment (Tracking *t)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (t->harness, gst_event_new_segment (&segment)));
}

void
flush_tracker (Tracking *t)
{
  g_assert_true (gst_harness_push_event (t->harness, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (t->harness, gst_event_new_flush_stop (FALSE)));
  begin_segment (t);
}

GstVideoRegionOfInterestMeta *
next_roi (GstBuffer *buffer, gpointer *state)
{
  return (GstVideoRegionOfInterestMeta *) gst_buffer_iterate_meta_filtered (
      buffer, state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}
