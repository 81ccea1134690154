/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-tracker-unseen.c - yolov7tracker and frames that nobody analysed, or late. */
#include "tests/gst/frames.h"
#include "tests/gst/trackerharness.h"

static void
skipped_frames_get_predicted_boxes (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 40, 100);

  for (guint i = 40; i < 45; i++) {
    track_frame (t, frame_at (i * FRAME));
    g_assert_cmpuint (t->found->len, ==, 1);
    g_assert_true (found_at (t, 0)->predicted);
    g_assert_cmpint (found_at (t, 0)->id, ==, id);
    g_assert_cmpstr (found_at (t, 0)->label, ==, "person");
    g_assert_cmpint (found_at (t, 0)->class_index, ==, 0);
    g_assert_cmpfloat_with_epsilon (found_at (t, 0)->x, 100 + 2 * i, 2);
    g_assert_cmpfloat_with_epsilon (found_at (t, 0)->y, 100, 2);
  }
  g_assert_cmpint (track_walker (t, 45 * FRAME, 190, 100), ==, id);
  g_assert_cmpuint (t->found->len, ==, 1);
  g_assert_false (found_at (t, 0)->predicted);
}

/* As with inference-interval=5, and video at a rate that changes. */
static void
every_fifth_frame_is_enough (Tracking *t, gconstpointer data)
{
  gint64 id = -1;
  (void) data;

  for (guint i = 0; i < 100; i++) {
    if (i % 5) {
      track_frame (t, frame_at (i * FRAME));
    } else {
      const gint64 now = track_walker (t, i * FRAME, 100 + 2 * i, 100);
      g_assert_true (i < 15 || now == id);
      id = now;
    }
  }
  g_assert_cmpint (id, >, 0);
}

static void
predicted_boxes_have_the_kinds_of_the_detections (Tracking *t, gconstpointer data)
{
  gpointer state = NULL;
  (void) data;

  t->kinds = GST_YOLOV7_META_ROI;
  walk (t, 0, 10, 100);
  track_frame (t, frame_at (10 * FRAME));
  g_assert_cmpuint (t->found->len, ==, 1);
  g_assert_nonnull (next_roi (t->out, &state));

  t->kinds = 0;
  walk (t, 11, 3, 122);
  track_frame (t, frame_at (14 * FRAME));
  state = NULL;
  g_assert_cmpuint (t->found->len, ==, 1);
  g_assert_null (next_roi (t->out, &state));
}

static void
an_object_that_left_the_frame_is_not_predicted (Tracking *t, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 30; i++)
    track_walker (t, i * FRAME, 300 + 10 * i, 100);
  track_frame (t, frame_at (30 * FRAME));
  g_assert_cmpuint (t->found->len, ==, 1);
  g_assert_cmpfloat (found_at (t, 0)->x + found_at (t, 0)->w, <=, W);
  track_frame (t, frame_at (40 * FRAME));
  g_assert_cmpuint (t->found->len, ==, 0);
}

static void
nothing_is_predicted_before_anything_was_seen (Tracking *t, gconstpointer data)
{
  (void) data;
  track_frame (t, frame_at (0));
  g_assert_cmpuint (t->found->len, ==, 0);
  g_assert_false (gst_yolov7_detections_read (t->out, t->found));
}

/* The detector attaches regions, but on a frame without objects there is none to tell. */
static void
predicted_boxes_keep_their_kinds_where_all_were_missed (Tracking *t, gconstpointer data)
{
  gpointer state = NULL;
  (void) data;

  t->kinds = GST_YOLOV7_META_ROI;
  walk (t, 0, 10, 100);
  track_detections (t, 10 * FRAME, NULL, 0);
  g_assert_cmpuint (t->found->len, ==, 1);
  g_assert_true (found_at (t, 0)->predicted);
  GstVideoRegionOfInterestMeta *roi = next_roi (t->out, &state);
  g_assert_nonnull (roi);
  const GstStructure *s = gst_video_region_of_interest_meta_get_param (roi, "detection");
  gboolean is_predicted = FALSE;
  g_assert_true (gst_structure_get_boolean (s, "predicted", &is_predicted) && is_predicted);
}

/* Where only GStreamer's own descriptions are left, as behind a converter of others. */
static void
all_descriptions_say_what_is_predicted (Tracking *t, gconstpointer data)
{
#ifdef HAVE_GST_ANALYTICS
  const GstYolov7MetaKinds kinds[] = {GST_YOLOV7_META_ROI, GST_YOLOV7_META_ANALYTICS};
#else
  const GstYolov7MetaKinds kinds[] = {GST_YOLOV7_META_ROI};
#endif
  (void) data;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    t->kinds = kinds[i];
    flush_tracker (t);
    const gint64 id = walk (t, 0, 10, 100);
    track_frame (t, frame_at (10 * FRAME));
    gst_buffer_remove_meta (
        t->out,
        gst_buffer_get_meta (t->out, gst_meta_get_info (GST_YOLOV7_DETECTIONS_META_NAME)->api));
    g_assert_true (gst_yolov7_detections_read (t->out, t->found));
    g_assert_cmpuint (t->found->len, ==, 1);
    g_assert_true (found_at (t, 0)->predicted);
    g_assert_cmpint (found_at (t, 0)->id, ==, id);
  }
}

/* As with inference-interval=6: what nobody looked for was not missed. */
static void
a_lost_count_below_the_interval_of_analyses_keeps_ids (Tracking *t, gconstpointer data)
{
  GstElement *tracker = t->harness->element;
  (void) data;

  for (guint most = 0; most <= 5; most += 5) {
    g_object_set (tracker, "min-frame-count-for-lost-track", most, NULL);
    flush_tracker (t);
    const gint64 id = track_walker (t, 0, 100, 100);
    for (guint i = 1; i < 60; i++) {
      if (i % 6)
        track_frame (t, frame_at (i * FRAME));
      else
        track_walker (t, i * FRAME, 100 + i, 100);
      g_assert_cmpint (found_at (t, 0)->id, ==, id);
    }
  }
}

/* Frames of 30/1 last 33333333 or 33333334 ns. */
static void
frames_of_any_rate_are_frames (Tracking *t, gconstpointer data)
{
  static const gint rates[][2] = {{30, 1}, {30000, 1001}, {24000, 1001}, {60, 1}, {1000, 1}};
  GstElement *tracker = t->harness->element;
  (void) data;

  g_object_set (tracker, "min-frame-count-for-lost-track", 2, NULL);
  for (guint r = 0; r < G_N_ELEMENTS (rates); r++) {
    GstCaps *caps = yv_test_caps ("I420", W, H);
    const gint n = rates[r][0] == 1000 ? 25 : rates[r][0], d = rates[r][1]; /* no 1000 frames */
    gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, rates[r][0], d, NULL);
    change_caps (t, caps);
    flush_tracker (t);
    const gint64 id = track_walker (t, 0, 100, 100);
    for (guint i = 1; i < 60; i++) {
      const GstClockTime pts = gst_util_uint64_scale (i, d * GST_SECOND, n);
      if (i % 2)
        track_detections (t, pts, NULL, 0);
      else
        track_walker (t, pts, 100, 100);
      g_assert_cmpint (found_at (t, 0)->id, ==, id);
    }
  }
}

/* yolov7 leaky=downstream: what was found in a frame comes two frames later. */
static void
late_detections_count_for_their_own_time (Tracking *t, gconstpointer data)
{
  gint64 id = -1;
  (void) data;

  for (guint i = 0; i < 60; i++) {
    GstBuffer *buffer = frame_at ((i + 2) * FRAME);
    if (i % 3 == 0) {
      const GstYolov7Detection d = walker_at (100 + 4 * i, 100);
      const GstYolov7Frame frame = {W, H, i * FRAME, GST_CLOCK_TIME_NONE};
      gst_yolov7_detections_attach (buffer, &frame, &d, 1, 0);
      track_frame (t, buffer);
      g_assert_true (i < 9 || found_at (t, 0)->id == id);
      id = found_at (t, 0)->id;
    } else {
      track_frame (t, buffer);
      if (i > 30) { /* where the object is in the buffer's frame */
        g_assert_cmpuint (t->found->len, ==, 1);
        g_assert_cmpfloat_with_epsilon (found_at (t, 0)->x, 100 + 4 * (i + 2), 4);
      }
    }
  }
  g_assert_cmpint (id, >, 0);
}

/* Another element that looks at it reads whose place it is. */
static void
boxes_predicted_with_late_detections_have_their_time (Tracking *t, gconstpointer data)
{
  const GstYolov7Frame frame = {W, H, 40 * FRAME, GST_CLOCK_TIME_NONE};
  GstBuffer *late = frame_at (44 * FRAME);
  const GType api = gst_meta_get_info (GST_YOLOV7_DETECTIONS_META_NAME)->api;
  gpointer state = NULL;
  guint64 pts;
  (void) data;

  walk (t, 0, 40, 100);
  gst_yolov7_detections_attach (late, &frame, NULL, 0, 0);
  track_frame (t, late);
  g_assert_cmpfloat_with_epsilon (found_at (t, 0)->x, 100 + 2 * 40, 1);
  for (guint i = 0; i < 2; i++) { /* the detector's, and the tracker's */
    GstMeta *meta = gst_buffer_iterate_meta_filtered (t->out, &state, api);
    g_assert_nonnull (meta);
    const GstStructure *s = gst_custom_meta_get_structure ((GstCustomMeta *) meta);
    g_assert_true (gst_structure_get_uint64 (s, "frame-pts", &pts));
    g_assert_cmpuint (pts, ==, 40 * FRAME);
  }
}

static void
an_object_that_was_hidden_has_its_id_again (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 40, 100);

  for (guint i = 40; i < 50; i++)
    track_detections (t, i * FRAME, NULL, 0);
  g_assert_cmpuint (t->found->len, ==, 0); /* seen too long ago to be predicted */
  g_assert_cmpint (track_walker (t, 50 * FRAME, 200, 100), ==, id);
}

static void
predictions_of_another_tracker_are_no_detections (Tracking *t, gconstpointer data)
{
  GstYolov7Detection d = walker_at (100, 100);
  (void) data;

  d.predicted = TRUE;
  d.id = 77;
  for (guint i = 0; i < 6; i++)
    track_detections (t, i * FRAME, &d, 1);
  g_assert_cmpuint (t->found->len, ==, 1);
  g_assert_cmpint (found_at (t, 0)->id, ==, 77);
}

/* Of a tracker before this one, which had every second frame analysed. */
static void
frames_that_another_tracker_foretold_are_no_misses (Tracking *t, gconstpointer data)
{
  GstElement *tracker = t->harness->element;
  (void) data;

  g_object_set (tracker, "min-frame-count-for-new-track", 3, NULL);
  for (guint i = 0; i < 7; i++) {
    GstYolov7Detection d = walker_at (100, 100);
    d.predicted = i % 2;
    track_detections (t, i * FRAME, &d, 1);
  }
  g_assert_cmpint (found_at (t, 0)->id, >, 0);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_TRACKING (skipped_frames_get_predicted_boxes);
  ADD_TRACKING (every_fifth_frame_is_enough);
  ADD_TRACKING (predicted_boxes_have_the_kinds_of_the_detections);
  ADD_TRACKING (predicted_boxes_keep_their_kinds_where_all_were_missed);
  ADD_TRACKING (all_descriptions_say_what_is_predicted);
  ADD_TRACKING (a_lost_count_below_the_interval_of_analyses_keeps_ids);
  ADD_TRACKING (frames_of_any_rate_are_frames);
  ADD_TRACKING (boxes_predicted_with_late_detections_have_their_time);
  ADD_TRACKING (frames_that_another_tracker_foretold_are_no_misses);
  ADD_TRACKING (an_object_that_left_the_frame_is_not_predicted);
  ADD_TRACKING (nothing_is_predicted_before_anything_was_seen);
  ADD_TRACKING (late_detections_count_for_their_own_time);
  ADD_TRACKING (an_object_that_was_hidden_has_its_id_again);
  ADD_TRACKING (predictions_of_another_tracker_are_no_detections);
  return g_test_run ();
}
