/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-tracker.c - yolov7tracker: ids on what was detected, and what it never does. How
 * well it follows is tests/unit/test-tracker.c's business, and that of the benchmark "tracking". */
#include <gst/check/gstharness.h>
#include <math.h>
#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#include "gst/detectionmeta.h"
#include "tests/gst/frames.h"

#define W 640
#define H 480
#define FRAME (GST_SECOND / 25)
#define BOTH (GST_YOLOV7_META_ROI | GST_YOLOV7_META_ANALYTICS)

typedef struct {
  GstHarness *harness;
  GArray *found; /* of GstYolov7Detection: on the last frame that came out */
  GstBuffer *out;
  GstYolov7MetaKinds kinds; /* that are attached */
} Fixture;

static void
set_caps (Fixture *f, GstCaps *caps)
{
  gst_harness_set_caps (f->harness, gst_caps_ref (caps), gst_caps_ref (caps));
}

static void
set_up (Fixture *f, gconstpointer properties)
{
  g_autofree char *launch =
      g_strdup_printf ("yolov7tracker %s", properties ? (const char *) properties : "");
  g_autoptr (GstCaps) caps = yv_test_caps ("I420", W, H);

  f->harness = gst_harness_new_parse (launch);
  f->found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  set_caps (f, caps);
}

static void
tear_down (Fixture *f, gconstpointer properties)
{
  (void) properties;
  gst_clear_buffer (&f->out);
  g_array_unref (f->found);
  gst_harness_teardown (f->harness);
}

/* The element never looks at the bytes: these are too few for a frame. */
static GstBuffer *
frame_at (GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);

  GST_BUFFER_PTS (buffer) = pts;
  return buffer;
}

static GstYolov7Detection
person_at (double x, double y)
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

/* Takes @buffer. Leaves what comes out in @f. */
static void
push (Fixture *f, GstBuffer *buffer)
{
  gst_clear_buffer (&f->out);
  f->out = gst_harness_push_and_pull (f->harness, buffer);
  g_assert_nonnull (f->out);
  gst_yolov7_detections_read (f->out, f->found);
}

static void
push_detections (Fixture *f, GstClockTime pts, const GstYolov7Detection *d, guint n)
{
  GstBuffer *buffer = frame_at (pts);

  yv_test_attach (buffer, W, H, d, n, f->kinds);
  push (f, buffer);
}

/* Returns: the id that a person gets, which is the first detection of the frame. */
static gint64
push_person (Fixture *f, GstClockTime pts, double x, double y)
{
  const GstYolov7Detection d = person_at (x, y);

  push_detections (f, pts, &d, 1);
  g_assert_cmpuint (f->found->len, >=, 1);
  return g_array_index (f->found, GstYolov7Detection, 0).id;
}

/* @n frames in a row with a person who walks right by 2 px a frame, from @first_x on.
 * Returns: the id on the last one. */
static gint64
walk (Fixture *f, guint first, guint n, double first_x)
{
  gint64 id = -1;

  for (guint i = 0; i < n; i++)
    id = push_person (f, (first + i) * FRAME, first_x + 2 * i, 100);
  return id;
}

static const GstYolov7Detection *
nth (const Fixture *f, guint i)
{
  g_assert_cmpuint (i, <, f->found->len);
  return &g_array_index (f->found, GstYolov7Detection, i);
}

static void
flush (Fixture *f)
{
  g_assert_true (gst_harness_push_event (f->harness, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (f->harness, gst_event_new_flush_stop (FALSE)));
}

static void
push_segment (Fixture *f)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (f->harness, gst_event_new_segment (&segment)));
}

/* ---- ids ------------------------------------------------------------------------------------ */

static void
an_object_keeps_its_id (Fixture *f, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  g_assert_cmpint (id, >, 0);
  g_assert_cmpint (walk (f, 5, 50, 110), ==, id);
}

static void
two_objects_have_two_ids (Fixture *f, gconstpointer data)
{
  gint64 a = -1, b = -1;
  (void) data;

  for (guint i = 0; i < 30; i++) { /* they change places in the list, not in the picture */
    const GstYolov7Detection both[] = {person_at (100 + i, 50), person_at (300 - i, 200)};
    const GstYolov7Detection turned[] = {both[1], both[0]};
    push_detections (f, i * FRAME, i % 2 ? both : turned, 2);
    if (i == 9) {
      a = nth (f, 0)->id;
      b = nth (f, 1)->id;
    }
    if (i > 9) {
      g_assert_cmpint (nth (f, 0)->id, ==, i % 2 ? a : b);
      g_assert_cmpint (nth (f, 1)->id, ==, i % 2 ? b : a);
    }
  }
  g_assert_cmpint (a, >, 0);
  g_assert_cmpint (b, >, 0);
  g_assert_cmpint (a, !=, b);
}

static void
objects_of_other_classes_never_match (Fixture *f, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);
  GstYolov7Detection dog = person_at (110, 100);

  dog.label = "dog"; /* of another model, with a class 0 of its own */
  for (guint i = 5; i < 10; i++)
    push_detections (f, i * FRAME, &dog, 1);
  g_assert_cmpint (nth (f, 0)->id, >, 0);
  g_assert_cmpint (nth (f, 0)->id, !=, id);
}

static gint
object_id_of (GstVideoRegionOfInterestMeta *roi)
{
  const GstStructure *s = gst_video_region_of_interest_meta_get_param (roi, "object_id");
  gint id = -1;

  if (s)
    g_assert_true (gst_structure_get_int (s, "id", &id));
  return id;
}

static GstVideoRegionOfInterestMeta *
next_roi (GstBuffer *buffer, gpointer *state)
{
  return (GstVideoRegionOfInterestMeta *) gst_buffer_iterate_meta_filtered (
      buffer, state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}

static void
all_descriptions_of_a_detection_get_its_id (Fixture *f, gconstpointer data)
{
  (void) data;
  f->kinds = BOTH;
  for (guint i = 0; i < 5; i++) {
    const GstYolov7Detection both[] = {person_at (100.4, 50.5), person_at (300.3, 200.7)};
    push_detections (f, i * FRAME, both, 2);
  }
  const gint64 a = nth (f, 0)->id, b = nth (f, 1)->id;
  g_assert_cmpint (a, >, 0);
  gpointer state = NULL;
  g_assert_cmpint (object_id_of (next_roi (f->out, &state)), ==, a);
  g_assert_cmpint (object_id_of (next_roi (f->out, &state)), ==, b);
#ifdef HAVE_GST_ANALYTICS
  GstAnalyticsRelationMeta *relations = gst_buffer_get_analytics_relation_meta (f->out);
  const gint64 expected[] = {a, b};
  GstAnalyticsODMtd od;
  guint n = 0;
  state = NULL;
  while (gst_analytics_relation_meta_iterate (relations, &state,
                                              gst_analytics_od_mtd_get_mtd_type (), &od)) {
    GstAnalyticsTrackingMtd track;
    GstClockTime first, last;
    gboolean is_lost;
    guint64 id = 0;
    g_assert_true (gst_analytics_relation_meta_get_direct_related (
        relations, od.id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
        gst_analytics_tracking_mtd_get_mtd_type (), NULL, &track));
    g_assert_true (gst_analytics_tracking_mtd_get_info (&track, &id, &first, &last, &is_lost));
    g_assert_cmpuint (id, ==, (guint64) expected[n++]);
  }
  g_assert_cmpuint (n, ==, 2);
#endif
}

/* Of DL Streamer, or of GStreamer's own elements. */
static void
regions_of_others_get_ids (Fixture *f, gconstpointer data)
{
  gint id = -1;
  (void) data;

  for (guint i = 0; i < 6; i++) {
    GstBuffer *buffer = frame_at (i * FRAME);
    gst_buffer_add_video_region_of_interest_meta (buffer, "person", 100 + 2 * i, 50, 40, 90);
    push (f, buffer);
    gpointer state = NULL;
    id = object_id_of (next_roi (f->out, &state));
    g_assert_cmpint (nth (f, 0)->id, ==, id);
  }
  g_assert_cmpint (id, >, 0);
}

/* Also beside what is predicted of one that went unseen. */
static void
what_others_found_is_read_behind_a_tracker (Fixture *f, gconstpointer data)
{
  (void) data;

  for (guint i = 0; i < 7; i++) {
    GstBuffer *buffer = frame_at (i * FRAME);
    gst_buffer_add_video_region_of_interest_meta (buffer, "person", 100 + 2 * i, 50, 40, 90);
    if (i < 6)
      gst_buffer_add_video_region_of_interest_meta (buffer, "person", 400, 50, 40, 90);
    push (f, buffer);
    g_assert_cmpuint (f->found->len, ==, 2);
    g_assert_false (nth (f, 0)->predicted);
    g_assert_cmpint (nth (f, 1)->predicted, ==, i == 6);
  }
}

static void
a_region_that_is_no_detection_gets_no_id (Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 5; i++) {
    const GstYolov7Detection d = person_at (100, 50);
    GstBuffer *buffer = frame_at (i * FRAME);
    gst_buffer_add_video_region_of_interest_meta (buffer, "person", 500, 300, 40, 90);
    gst_buffer_add_video_region_of_interest_meta (buffer, "dog", 100, 50, 40, 90);
    yv_test_attach (buffer, W, H, &d, 1, GST_YOLOV7_META_ROI);
    push (f, buffer);
  }
  gpointer state = NULL;
  g_assert_cmpint (object_id_of (next_roi (f->out, &state)), ==, -1);
  g_assert_cmpint (object_id_of (next_roi (f->out, &state)), ==, -1);
  g_assert_cmpint (object_id_of (next_roi (f->out, &state)), ==, nth (f, 0)->id);
}

/* ---- frames that nobody analysed, and late ones --------------------------------------------- */

static void
skipped_frames_get_predicted_boxes (Fixture *f, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (f, 0, 40, 100);

  for (guint i = 40; i < 45; i++) {
    push (f, frame_at (i * FRAME));
    g_assert_cmpuint (f->found->len, ==, 1);
    g_assert_true (nth (f, 0)->predicted);
    g_assert_cmpint (nth (f, 0)->id, ==, id);
    g_assert_cmpstr (nth (f, 0)->label, ==, "person");
    g_assert_cmpint (nth (f, 0)->class_index, ==, 0);
    g_assert_cmpfloat_with_epsilon (nth (f, 0)->x, 100 + 2 * i, 2);
    g_assert_cmpfloat_with_epsilon (nth (f, 0)->y, 100, 2);
  }
  g_assert_cmpint (push_person (f, 45 * FRAME, 190, 100), ==, id);
  g_assert_cmpuint (f->found->len, ==, 1);
  g_assert_false (nth (f, 0)->predicted);
}

/* As with inference-interval=5, and video at a rate that changes. */
static void
every_fifth_frame_is_enough (Fixture *f, gconstpointer data)
{
  gint64 id = -1;
  (void) data;

  for (guint i = 0; i < 100; i++) {
    if (i % 5) {
      push (f, frame_at (i * FRAME));
    } else {
      const gint64 now = push_person (f, i * FRAME, 100 + 2 * i, 100);
      g_assert_true (i < 15 || now == id);
      id = now;
    }
  }
  g_assert_cmpint (id, >, 0);
}

static void
predicted_boxes_have_the_kinds_of_the_detections (Fixture *f, gconstpointer data)
{
  gpointer state = NULL;
  (void) data;

  f->kinds = GST_YOLOV7_META_ROI;
  walk (f, 0, 10, 100);
  push (f, frame_at (10 * FRAME));
  g_assert_cmpuint (f->found->len, ==, 1);
  g_assert_nonnull (next_roi (f->out, &state));

  f->kinds = 0;
  walk (f, 11, 3, 122);
  push (f, frame_at (14 * FRAME));
  state = NULL;
  g_assert_cmpuint (f->found->len, ==, 1);
  g_assert_null (next_roi (f->out, &state));
}

static void
an_object_that_left_the_frame_is_not_predicted (Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 30; i++)
    push_person (f, i * FRAME, 300 + 10 * i, 100);
  push (f, frame_at (30 * FRAME));
  g_assert_cmpuint (f->found->len, ==, 1);
  g_assert_cmpfloat (nth (f, 0)->x + nth (f, 0)->w, <=, W);
  push (f, frame_at (40 * FRAME));
  g_assert_cmpuint (f->found->len, ==, 0);
}

static void
nothing_is_predicted_before_anything_was_seen (Fixture *f, gconstpointer data)
{
  (void) data;
  push (f, frame_at (0));
  g_assert_cmpuint (f->found->len, ==, 0);
  g_assert_false (gst_yolov7_detections_read (f->out, f->found));
}

/* The detector attaches regions, but on a frame without objects there is none to tell. */
static void
predicted_boxes_keep_their_kinds_where_all_were_missed (Fixture *f, gconstpointer data)
{
  gpointer state = NULL;
  (void) data;

  f->kinds = GST_YOLOV7_META_ROI;
  walk (f, 0, 10, 100);
  push_detections (f, 10 * FRAME, NULL, 0);
  g_assert_cmpuint (f->found->len, ==, 1);
  g_assert_true (nth (f, 0)->predicted);
  GstVideoRegionOfInterestMeta *roi = next_roi (f->out, &state);
  g_assert_nonnull (roi);
  const GstStructure *s = gst_video_region_of_interest_meta_get_param (roi, "detection");
  gboolean is_predicted = FALSE;
  g_assert_true (gst_structure_get_boolean (s, "predicted", &is_predicted) && is_predicted);
}

/* Where only GStreamer's own descriptions are left, as behind a converter of others. */
static void
all_descriptions_say_what_is_predicted (Fixture *f, gconstpointer data)
{
#ifdef HAVE_GST_ANALYTICS
  const GstYolov7MetaKinds kinds[] = {GST_YOLOV7_META_ROI, GST_YOLOV7_META_ANALYTICS};
#else
  const GstYolov7MetaKinds kinds[] = {GST_YOLOV7_META_ROI};
#endif
  (void) data;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    f->kinds = kinds[i];
    flush (f);
    push_segment (f);
    const gint64 id = walk (f, 0, 10, 100);
    push (f, frame_at (10 * FRAME));
    gst_buffer_remove_meta (
        f->out,
        gst_buffer_get_meta (f->out, gst_meta_get_info (GST_YOLOV7_DETECTIONS_META_NAME)->api));
    g_assert_true (gst_yolov7_detections_read (f->out, f->found));
    g_assert_cmpuint (f->found->len, ==, 1);
    g_assert_true (nth (f, 0)->predicted);
    g_assert_cmpint (nth (f, 0)->id, ==, id);
  }
}

/* As with inference-interval=6: what nobody looked for was not missed. */
static void
a_lost_count_below_the_interval_of_analyses_keeps_ids (Fixture *f, gconstpointer data)
{
  g_autoptr (GstElement) tracker = gst_harness_find_element (f->harness, "yolov7tracker");
  (void) data;

  for (guint most = 0; most <= 5; most += 5) {
    g_object_set (tracker, "min-frame-count-for-lost-track", most, NULL);
    flush (f);
    push_segment (f);
    const gint64 id = push_person (f, 0, 100, 100);
    for (guint i = 1; i < 60; i++) {
      if (i % 6)
        push (f, frame_at (i * FRAME));
      else
        push_person (f, i * FRAME, 100 + i, 100);
      g_assert_cmpint (nth (f, 0)->id, ==, id);
    }
  }
}

/* Frames of 30/1 last 33333333 or 33333334 ns. */
static void
frames_of_any_rate_are_frames (Fixture *f, gconstpointer data)
{
  static const gint rates[][2] = {{30, 1}, {30000, 1001}, {24000, 1001}, {60, 1}, {1000, 1}};
  g_autoptr (GstElement) tracker = gst_harness_find_element (f->harness, "yolov7tracker");
  (void) data;

  g_object_set (tracker, "min-frame-count-for-lost-track", 2, NULL);
  for (guint r = 0; r < G_N_ELEMENTS (rates); r++) {
    g_autoptr (GstCaps) caps = yv_test_caps ("I420", W, H);
    const gint n = rates[r][0] == 1000 ? 25 : rates[r][0], d = rates[r][1]; /* no 1000 frames */
    gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, rates[r][0], d, NULL);
    set_caps (f, caps);
    flush (f);
    push_segment (f);
    const gint64 id = push_person (f, 0, 100, 100);
    for (guint i = 1; i < 60; i++) {
      const GstClockTime pts = gst_util_uint64_scale (i, d * GST_SECOND, n);
      if (i % 2)
        push_detections (f, pts, NULL, 0);
      else
        push_person (f, pts, 100, 100);
      g_assert_cmpint (nth (f, 0)->id, ==, id);
    }
  }
}

/* yolov7 leaky=downstream: what was found in a frame comes two frames later. */
static void
late_detections_count_for_their_own_time (Fixture *f, gconstpointer data)
{
  gint64 id = -1;
  (void) data;

  for (guint i = 0; i < 60; i++) {
    GstBuffer *buffer = frame_at ((i + 2) * FRAME);
    if (i % 3 == 0) {
      const GstYolov7Detection d = person_at (100 + 4 * i, 100);
      const GstYolov7Frame frame = {W, H, i * FRAME, GST_CLOCK_TIME_NONE};
      gst_yolov7_detections_attach (buffer, &frame, &d, 1, 0);
      push (f, buffer);
      g_assert_true (i < 9 || nth (f, 0)->id == id);
      id = nth (f, 0)->id;
    } else {
      push (f, buffer);
      if (i > 30) { /* where the object is in the buffer's frame */
        g_assert_cmpuint (f->found->len, ==, 1);
        g_assert_cmpfloat_with_epsilon (nth (f, 0)->x, 100 + 4 * (i + 2), 4);
      }
    }
  }
  g_assert_cmpint (id, >, 0);
}

/* Another element that looks at it reads whose place it is. */
static void
boxes_predicted_with_late_detections_have_their_time (Fixture *f, gconstpointer data)
{
  const GstYolov7Frame frame = {W, H, 40 * FRAME, GST_CLOCK_TIME_NONE};
  GstBuffer *late = frame_at (44 * FRAME);
  const GType api = gst_meta_get_info (GST_YOLOV7_DETECTIONS_META_NAME)->api;
  gpointer state = NULL;
  guint64 pts;
  (void) data;

  walk (f, 0, 40, 100);
  gst_yolov7_detections_attach (late, &frame, NULL, 0, 0);
  push (f, late);
  g_assert_cmpfloat_with_epsilon (nth (f, 0)->x, 100 + 2 * 40, 1);
  for (guint i = 0; i < 2; i++) { /* the detector's, and the tracker's */
    GstMeta *meta = gst_buffer_iterate_meta_filtered (f->out, &state, api);
    g_assert_nonnull (meta);
    const GstStructure *s = gst_custom_meta_get_structure ((GstCustomMeta *) meta);
    g_assert_true (gst_structure_get_uint64 (s, "frame-pts", &pts));
    g_assert_cmpuint (pts, ==, 40 * FRAME);
  }
}

static void
an_object_that_was_hidden_has_its_id_again (Fixture *f, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (f, 0, 40, 100);

  for (guint i = 40; i < 50; i++)
    push_detections (f, i * FRAME, NULL, 0);
  g_assert_cmpuint (f->found->len, ==, 0); /* seen too long ago to be predicted */
  g_assert_cmpint (push_person (f, 50 * FRAME, 200, 100), ==, id);
}

static void
predictions_of_another_tracker_are_no_detections (Fixture *f, gconstpointer data)
{
  GstYolov7Detection d = person_at (100, 100);
  (void) data;

  d.predicted = TRUE;
  d.id = 77;
  for (guint i = 0; i < 6; i++)
    push_detections (f, i * FRAME, &d, 1);
  g_assert_cmpuint (f->found->len, ==, 1);
  g_assert_cmpint (nth (f, 0)->id, ==, 77);
}

/* Of a tracker before this one, which had every second frame analysed. */
static void
frames_that_another_tracker_foretold_are_no_misses (Fixture *f, gconstpointer data)
{
  g_autoptr (GstElement) tracker = gst_harness_find_element (f->harness, "yolov7tracker");
  (void) data;

  g_object_set (tracker, "min-frame-count-for-new-track", 3, NULL);
  for (guint i = 0; i < 7; i++) {
    GstYolov7Detection d = person_at (100, 100);
    d.predicted = i % 2;
    push_detections (f, i * FRAME, &d, 1);
  }
  g_assert_cmpint (nth (f, 0)->id, >, 0);
}

/* ---- what starts anew ----------------------------------------------------------------------- */

static void
assert_starts_anew (Fixture *f, gint64 id)
{
  const gint64 now = walk (f, 5, 6, 110);

  g_assert_cmpint (id, >, 0);
  g_assert_cmpint (now, >, id); /* never the same twice */
}

static void
a_flush_starts_anew_and_no_id_repeats (Fixture *f, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  flush (f);
  push_segment (f);
  push (f, frame_at (5 * FRAME));
  g_assert_cmpuint (f->found->len, ==, 0);
  assert_starts_anew (f, id);
}

static void
another_size_starts_anew (Fixture *f, gconstpointer data)
{
  g_autoptr (GstCaps) caps = yv_test_caps ("I420", W * 2, H * 2);
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  set_caps (f, caps);
  assert_starts_anew (f, id);
}

static void
another_format_of_the_same_size_does_not (Fixture *f, gconstpointer data)
{
  g_autoptr (GstCaps) caps = yv_test_caps ("NV12", W, H);
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  set_caps (f, caps);
  g_assert_cmpint (walk (f, 5, 6, 110), ==, id);
}

static void
another_stream_starts_anew (Fixture *f, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  g_assert_true (gst_harness_push_event (f->harness, gst_event_new_stream_start ("other")));
  push_segment (f);
  assert_starts_anew (f, id);
}

static void
a_jump_to_another_segment_starts_anew (Fixture *f, gconstpointer data)
{
  GstBuffer *buffer = frame_at (5 * FRAME);
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  push_segment (f);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  push (f, buffer);
  g_assert_cmpuint (f->found->len, ==, 0);
  assert_starts_anew (f, id);
}

/* A lost packet, or a live source that says its segment again. */
static void
a_segment_or_a_gap_alone_does_not (Fixture *f, gconstpointer data)
{
  GstBuffer *buffer = frame_at (6 * FRAME);
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  push_segment (f);
  g_assert_cmpint (push_person (f, 5 * FRAME, 110, 100), ==, id);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  push (f, buffer);
  g_assert_cmpuint (f->found->len, ==, 1);
  g_assert_cmpint (walk (f, 7, 3, 114), ==, id);
}

static void
time_that_goes_back_starts_anew (Fixture *f, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (f, 50, 5, 100);

  push (f, frame_at (0));
  g_assert_cmpuint (f->found->len, ==, 0);
  assert_starts_anew (f, id);
}

static void
backwards_is_a_direction_too (Fixture *f, gconstpointer data)
{
  GstSegment segment;
  (void) data;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  g_assert_true (gst_harness_push_event (f->harness, gst_event_new_segment (&segment)));
  const gint64 id = push_person (f, 30 * FRAME, 100, 100);
  for (guint i = 1; i < 20; i++)
    g_assert_cmpint (push_person (f, (30 - i) * FRAME, 100 + 3 * i, 100), ==, id);
  push (f, frame_at (10 * FRAME));
  g_assert_cmpfloat_with_epsilon (nth (f, 0)->x, 100 + 3 * 20, 3);
}

static void
after_a_long_gap_everybody_is_new (Fixture *f, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  push (f, frame_at (3600 * GST_SECOND));
  g_assert_cmpuint (f->found->len, ==, 0);
  push_person (f, G_MAXINT64, 110, 100);
  const gint64 now = push_person (f, G_MAXINT64, 110, 100);
  g_assert_cmpint (now, !=, id);
}

static void
without_times_frames_are_counted (Fixture *f, gconstpointer data)
{
  gint64 id = -1;
  (void) data;

  for (guint i = 0; i < 20; i++) {
    if (i % 2) {
      push (f, frame_at (GST_CLOCK_TIME_NONE));
      continue;
    }
    const gint64 now = push_person (f, GST_CLOCK_TIME_NONE, 100 + 3 * i, 100);
    g_assert_true (i < 6 || now == id);
    id = now;
  }
  g_assert_cmpint (id, >, 0);
  push (f, frame_at (GST_CLOCK_TIME_NONE));
  push (f, frame_at (GST_CLOCK_TIME_NONE));
  g_assert_cmpfloat_with_epsilon (nth (f, 0)->x, 100 + 3 * 20, 4);
}

static void
a_frame_that_is_there_twice_is_no_harm (Fixture *f, gconstpointer data)
{
  gint64 id = -1;
  (void) data;

  for (guint i = 0; i < 20; i++)
    id = push_person (f, i / 2 * FRAME, 100 + 2 * (i / 2), 100);
  g_assert_cmpint (push_person (f, 10 * FRAME, 120, 100), ==, id);
}

/* All PTS are 0, and everybody jumps: who was there before is forgotten all the same. */
static void
where_time_stands_still_frames_are_counted (Fixture *f, gconstpointer data)
{
  g_autoptr (GstElement) tracker = gst_harness_find_element (f->harness, "yolov7tracker");
  (void) data;

  g_object_set (tracker, "min-frame-count-for-lost-track", 5, NULL);
  for (guint i = 0; i < 100; i++) {
    push_person (f, 0, i % 10 * 60, i % 8 * 100);
    g_assert_cmpuint (f->found->len, <=, 2); /* and who is predicted for one frame */
  }
  const gint64 id = nth (f, 0)->id;
  for (guint i = 0; i < 6; i++)
    push_detections (f, 0, NULL, 0);
  g_assert_cmpint (push_person (f, 0, 99 % 10 * 60, 99 % 8 * 100), >, id);
}

/* ---- input that makes no sense -------------------------------------------------------------- */

static void
what_is_no_box_gets_no_id (Fixture *f, gconstpointer data)
{
  static const double bad[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300};
  GstYolov7Detection all[4 * G_N_ELEMENTS (bad) + 5];
  guint n = 0;
  (void) data;

  all[n++] = person_at (100, 100);
  for (guint i = 0; i < 4 * G_N_ELEMENTS (bad); i++) {
    GstYolov7Detection d = person_at (300, 100);
    double *const fields[] = {&d.x, &d.y, &d.w, &d.h};
    *fields[i % 4] = bad[i / 4];
    all[n++] = d;
  }
  for (guint i = 0; i < 4; i++) {
    GstYolov7Detection d = person_at (300, 100);
    *(i % 2 ? &d.w : &d.h) = i / 2 ? 0 : -40;
    all[n++] = d;
  }
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (all));
  for (guint i = 0; i < 6; i++) {
    push_detections (f, i * FRAME, all, n);
    g_assert_cmpuint (f->found->len, ==, n);
    for (guint k = 1; k < n; k++)
      g_assert_cmpint (nth (f, k)->id, ==, -1);
  }
  g_assert_cmpint (nth (f, 0)->id, >, 0);
}

static void
a_confidence_that_is_no_number_gets_no_id (Fixture *f, gconstpointer data)
{
  GstYolov7Detection d = person_at (100, 100);
  (void) data;

  d.confidence = NAN;
  for (guint i = 0; i < 6; i++)
    push_detections (f, i * FRAME, &d, 1);
  g_assert_cmpint (nth (f, 0)->id, ==, -1);
}

static void
boxes_outside_the_frame_are_followed_but_not_predicted (Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 6; i++)
    push_person (f, i * FRAME, -5000, 100);
  g_assert_cmpint (nth (f, 0)->id, >, 0);
  push (f, frame_at (6 * FRAME));
  g_assert_cmpuint (f->found->len, ==, 0);
}

/* All of them in one place, which is the worst that can be. */
static void
ten_thousand_boxes_are_no_harm (Fixture *f, gconstpointer data)
{
  enum { N = 10000 };
  g_autofree GstYolov7Detection *all = g_new (GstYolov7Detection, N);
  guint n_ids = 0;
  (void) data;

  f->kinds = GST_YOLOV7_META_ROI;
  for (guint i = 0; i < N; i++) {
    all[i] = person_at (100 + 0.01 * i, 100);
    all[i].w = all[i].h = 200;
  }
  for (guint i = 0; i < 4; i++)
    push_detections (f, i * FRAME, all, N);
  g_assert_cmpuint (f->found->len, >=, N);
  for (guint i = 0; i < N; i++)
    n_ids += nth (f, i)->id >= 0;
  g_assert_cmpuint (n_ids, >, 0);
  g_assert_cmpuint (n_ids, <=, 1024);
}

static void
a_meta_of_another_form_is_no_harm (Fixture *f, gconstpointer data)
{
  GstBuffer *buffer = frame_at (0);
  (void) data;
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME);

  gst_structure_set (gst_custom_meta_get_structure (meta), "detections", G_TYPE_STRING, "none",
                     "frame-pts", G_TYPE_STRING, "now", NULL);
  push (f, buffer);
  g_assert_cmpuint (f->found->len, ==, 0);
  g_assert_cmpint (walk (f, 1, 5, 100), >, 0);
}

/* Labels come from others, so they must not fill the memory. */
static void
more_classes_than_there_are_share_one (Fixture *f, gconstpointer data)
{
  enum { N = 5000 };
  g_autoptr (GstElement) tracker = gst_harness_find_element (f->harness, "yolov7tracker");
  char label[16];
  (void) data;

  g_object_set (tracker, "min-frame-count-for-lost-track", 1, NULL); /* or there is no room soon */
  for (guint i = 0; i < N; i += 100) {
    GstYolov7Detection all[100];
    char labels[100][16];
    for (guint k = 0; k < 100; k++) {
      g_snprintf (labels[k], sizeof labels[k], "class %u", i + k);
      all[k] = person_at (5 * k, 100);
      all[k].label = labels[k];
    }
    push_detections (f, i / 100 * FRAME, all, 100);
  }
  g_snprintf (label, sizeof label, "class %u", N + 1);
  GstYolov7Detection d = person_at (600, 300);
  d.label = label;
  for (guint i = 0; i < 5; i++)
    push_detections (f, (N / 100 + i) * FRAME, &d, 1);
  g_assert_cmpint (nth (f, 0)->id, >, 0);
}

static void
caps_without_a_size_are_refused_with_an_error (void)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string ("video/x-raw, format=I420, framerate=25/1");
  GstHarness *h = gst_harness_new ("yolov7tracker");
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (h->element, bus);
  gst_harness_set_src_caps (h, gst_caps_ref (caps));
  g_assert_cmpint (gst_harness_push (h, frame_at (0)), ==, GST_FLOW_NOT_NEGOTIATED);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_element_set_bus (h->element, NULL);
  gst_harness_teardown (h);
}

/* ---- manners -------------------------------------------------------------------------------- */

static void
pixels_are_neither_copied_nor_mapped (Fixture *f, gconstpointer data)
{
  const GstYolov7Detection d = person_at (100, 100);
  GstBuffer *buffer = frame_at (0);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  (void) data;

  yv_test_attach (buffer, W, H, &d, 1, 0);
  g_autoptr (GstBuffer) held = gst_buffer_ref (buffer); /* the other branch of a tee */
  push (f, buffer);
  g_assert_true (gst_buffer_peek_memory (f->out, 0) == memory);
  g_assert_true (f->out != held);
}

static void
any_memory_passes (void)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12:0x0100000000000002, "
      "width=640, height=480, framerate=0/1");
  GstHarness *h = gst_harness_new ("yolov7tracker");
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  const GstYolov7Detection d = person_at (100, 100);

  gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
  for (guint i = 0; i < 5; i++) {
    GstBuffer *buffer = frame_at (i * FRAME);
    yv_test_attach (buffer, W, H, &d, 1, 0);
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, buffer);
    g_assert_nonnull (out);
    gst_yolov7_detections_read (out, found);
  }
  g_assert_cmpint (g_array_index (found, GstYolov7Detection, 0).id, >, 0);
  gst_harness_teardown (h);
}

static void
properties_take_effect_with_the_next_frame (Fixture *f, gconstpointer data)
{
  g_autoptr (GstElement) tracker = gst_harness_find_element (f->harness, "yolov7tracker");
  (void) data;
  const gint64 id = walk (f, 0, 5, 100);

  g_object_set (tracker, "max-predicted-frame-count", 3, NULL);
  for (guint i = 5; i < 10; i++) {
    push_detections (f, i * FRAME, NULL, 0);
    g_assert_cmpuint (f->found->len, ==, i < 8 ? 1 : 0);
  }
  g_object_set (tracker, "min-frame-count-for-lost-track", 2, NULL);
  g_assert_cmpint (walk (f, 10, 5, 120), >, id);
  g_object_set (tracker, "new-track-confidence-threshold", 1.0, NULL);
  flush (f);
  push_segment (f);
  g_assert_cmpint (walk (f, 15, 5, 130), ==, -1);
}

typedef struct {
  GstElement *tracker;
  gint is_done; /* atomic */
} Changer;

static gpointer
change_properties (gpointer data)
{
  Changer *changer = data;

  for (guint i = 0; i < 2000; i++)
    g_object_set (changer->tracker, "min-frame-count-for-lost-track", 30 + i % 2,
                  "iou-score-threshold", i % 2 ? 0.03 : 0.04, "max-predicted-frame-count", i % 3,
                  NULL);
  g_atomic_int_set (&changer->is_done, TRUE);
  return NULL;
}

static void
another_thread_may_change_properties (Fixture *f, gconstpointer data)
{
  Changer changer = {gst_harness_find_element (f->harness, "yolov7tracker"), FALSE};
  GThread *thread = g_thread_new ("changer", change_properties, &changer);
  gint64 id = -1;
  guint i = 0;
  (void) data;

  do
    id = push_person (f, i++ * FRAME, 100, 100);
  while (!g_atomic_int_get (&changer.is_done));
  g_thread_join (thread);
  g_assert_cmpint (id, ==, 1);
  gst_object_unref (changer.tracker);
}

static void
properties_are_what_was_set (void)
{
  g_autoptr (GstElement) tracker = gst_element_factory_make ("yolov7tracker", NULL);
  guint n = 0;
  gfloat share = 0;

  gst_object_ref_sink (tracker);
  for (guint i = 1; i <= 3; i++) {
    static const char *const counts[] = {"min-frame-count-for-new-track",
                                         "min-frame-count-for-lost-track",
                                         "max-predicted-frame-count"};
    g_object_set (tracker, counts[i - 1], i + 6, NULL);
    g_object_get (tracker, counts[i - 1], &n, NULL);
    g_assert_cmpuint (n, ==, i + 6);
  }
  for (guint i = 1; i <= 3; i++) {
    static const char *const shares[] = {"iou-score-threshold", "high-confidence-threshold",
                                         "new-track-confidence-threshold"};
    g_object_set (tracker, shares[i - 1], i / 8.0, NULL);
    g_object_get (tracker, shares[i - 1], &share, NULL);
    g_assert_cmpfloat (share, ==, (gfloat) i / 8);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add ("/tracker/" #test, Fixture, NULL, set_up, test, tear_down)
  ADD (an_object_keeps_its_id);
  ADD (two_objects_have_two_ids);
  ADD (objects_of_other_classes_never_match);
  ADD (all_descriptions_of_a_detection_get_its_id);
  ADD (regions_of_others_get_ids);
  ADD (what_others_found_is_read_behind_a_tracker);
  ADD (a_region_that_is_no_detection_gets_no_id);
  ADD (skipped_frames_get_predicted_boxes);
  ADD (every_fifth_frame_is_enough);
  ADD (predicted_boxes_have_the_kinds_of_the_detections);
  ADD (predicted_boxes_keep_their_kinds_where_all_were_missed);
  ADD (all_descriptions_say_what_is_predicted);
  ADD (a_lost_count_below_the_interval_of_analyses_keeps_ids);
  ADD (frames_of_any_rate_are_frames);
  ADD (boxes_predicted_with_late_detections_have_their_time);
  ADD (frames_that_another_tracker_foretold_are_no_misses);
  ADD (where_time_stands_still_frames_are_counted);
  ADD (an_object_that_left_the_frame_is_not_predicted);
  ADD (nothing_is_predicted_before_anything_was_seen);
  ADD (late_detections_count_for_their_own_time);
  ADD (an_object_that_was_hidden_has_its_id_again);
  ADD (predictions_of_another_tracker_are_no_detections);
  ADD (a_flush_starts_anew_and_no_id_repeats);
  ADD (another_size_starts_anew);
  ADD (another_format_of_the_same_size_does_not);
  ADD (another_stream_starts_anew);
  ADD (a_jump_to_another_segment_starts_anew);
  ADD (a_segment_or_a_gap_alone_does_not);
  ADD (time_that_goes_back_starts_anew);
  ADD (backwards_is_a_direction_too);
  ADD (after_a_long_gap_everybody_is_new);
  ADD (without_times_frames_are_counted);
  ADD (a_frame_that_is_there_twice_is_no_harm);
  ADD (what_is_no_box_gets_no_id);
  ADD (a_confidence_that_is_no_number_gets_no_id);
  ADD (boxes_outside_the_frame_are_followed_but_not_predicted);
  ADD (ten_thousand_boxes_are_no_harm);
  ADD (a_meta_of_another_form_is_no_harm);
  ADD (more_classes_than_there_are_share_one);
  ADD (pixels_are_neither_copied_nor_mapped);
  ADD (properties_take_effect_with_the_next_frame);
  ADD (another_thread_may_change_properties);
#undef ADD
  g_test_add_func ("/tracker/caps_without_a_size_are_refused_with_an_error",
                   caps_without_a_size_are_refused_with_an_error);
  g_test_add_func ("/tracker/any_memory_passes", any_memory_passes);
  g_test_add_func ("/tracker/properties_are_what_was_set", properties_are_what_was_set);
  return g_test_run ();
}
