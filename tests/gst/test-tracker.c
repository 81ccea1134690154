/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-tracker.c - yolov7tracker: ids on what was detected, and what it never does. How
 * well it follows is tests/unit/test-tracker.c's business, and that of the benchmark "tracking". */
#ifdef HAVE_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

#include "tests/gst/frames.h"
#include "tests/gst/trackerharness.h"

#define BOTH (GST_YOLOV7_META_ROI | GST_YOLOV7_META_ANALYTICS)

/* ---- ids ------------------------------------------------------------------------------------ */

static void
an_object_keeps_its_id (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  g_assert_cmpint (id, >, 0);
  g_assert_cmpint (walk (t, 5, 50, 110), ==, id);
}

static void
two_objects_have_two_ids (Tracking *t, gconstpointer data)
{
  gint64 a = -1, b = -1;
  (void) data;

  for (guint i = 0; i < 30; i++) { /* they change places in the list, not in the picture */
    const GstYolov7Detection both[] = {walker_at (100 + i, 50), walker_at (300 - i, 200)};
    const GstYolov7Detection turned[] = {both[1], both[0]};
    track_detections (t, i * FRAME, i % 2 ? both : turned, 2);
    if (i == 9) {
      a = found_at (t, 0)->id;
      b = found_at (t, 1)->id;
    }
    if (i > 9) {
      g_assert_cmpint (found_at (t, 0)->id, ==, i % 2 ? a : b);
      g_assert_cmpint (found_at (t, 1)->id, ==, i % 2 ? b : a);
    }
  }
  g_assert_cmpint (a, >, 0);
  g_assert_cmpint (b, >, 0);
  g_assert_cmpint (a, !=, b);
}

static void
objects_of_other_classes_never_match (Tracking *t, gconstpointer data)
{
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);
  GstYolov7Detection dog = walker_at (110, 100);

  dog.label = "dog"; /* of another model, with a class 0 of its own */
  for (guint i = 5; i < 10; i++)
    track_detections (t, i * FRAME, &dog, 1);
  g_assert_cmpint (found_at (t, 0)->id, >, 0);
  g_assert_cmpint (found_at (t, 0)->id, !=, id);
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

static void
all_descriptions_of_a_detection_get_its_id (Tracking *t, gconstpointer data)
{
  (void) data;
  t->kinds = BOTH;
  for (guint i = 0; i < 5; i++) {
    const GstYolov7Detection both[] = {walker_at (100.4, 50.5), walker_at (300.3, 200.7)};
    track_detections (t, i * FRAME, both, 2);
  }
  const gint64 a = found_at (t, 0)->id, b = found_at (t, 1)->id;
  g_assert_cmpint (a, >, 0);
  gpointer state = NULL;
  g_assert_cmpint (object_id_of (next_roi (t->out, &state)), ==, a);
  g_assert_cmpint (object_id_of (next_roi (t->out, &state)), ==, b);
#ifdef HAVE_GST_ANALYTICS
  GstAnalyticsRelationMeta *relations = gst_buffer_get_analytics_relation_meta (t->out);
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
regions_of_others_get_ids (Tracking *t, gconstpointer data)
{
  gint id = -1;
  (void) data;

  for (guint i = 0; i < 6; i++) {
    GstBuffer *buffer = frame_at (i * FRAME);
    gst_buffer_add_video_region_of_interest_meta (buffer, "person", 100 + 2 * i, 50, 40, 90);
    track_frame (t, buffer);
    gpointer state = NULL;
    id = object_id_of (next_roi (t->out, &state));
    g_assert_cmpint (found_at (t, 0)->id, ==, id);
  }
  g_assert_cmpint (id, >, 0);
}

/* Also beside what is predicted of one that went unseen. */
static void
what_others_found_is_read_behind_a_tracker (Tracking *t, gconstpointer data)
{
  (void) data;

  for (guint i = 0; i < 7; i++) {
    GstBuffer *buffer = frame_at (i * FRAME);
    gst_buffer_add_video_region_of_interest_meta (buffer, "person", 100 + 2 * i, 50, 40, 90);
    if (i < 6)
      gst_buffer_add_video_region_of_interest_meta (buffer, "person", 400, 50, 40, 90);
    track_frame (t, buffer);
    g_assert_cmpuint (t->found->len, ==, 2);
    g_assert_false (found_at (t, 0)->predicted);
    g_assert_cmpint (found_at (t, 1)->predicted, ==, i == 6);
  }
}

static void
a_region_that_is_no_detection_gets_no_id (Tracking *t, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 5; i++) {
    const GstYolov7Detection d = walker_at (100, 50);
    GstBuffer *buffer = frame_at (i * FRAME);
    gst_buffer_add_video_region_of_interest_meta (buffer, "person", 500, 300, 40, 90);
    gst_buffer_add_video_region_of_interest_meta (buffer, "dog", 100, 50, 40, 90);
    yv_test_attach (buffer, W, H, &d, 1, GST_YOLOV7_META_ROI);
    track_frame (t, buffer);
  }
  gpointer state = NULL;
  g_assert_cmpint (object_id_of (next_roi (t->out, &state)), ==, -1);
  g_assert_cmpint (object_id_of (next_roi (t->out, &state)), ==, -1);
  g_assert_cmpint (object_id_of (next_roi (t->out, &state)), ==, found_at (t, 0)->id);
}

/* ---- manners -------------------------------------------------------------------------------- */

static void
pixels_are_neither_copied_nor_mapped (Tracking *t, gconstpointer data)
{
  const GstYolov7Detection d = walker_at (100, 100);
  GstBuffer *buffer = frame_at (0);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  (void) data;

  yv_test_attach (buffer, W, H, &d, 1, 0);
  g_autoptr (GstBuffer) held = gst_buffer_ref (buffer); /* the other branch of a tee */
  track_frame (t, buffer);
  g_assert_true (gst_buffer_peek_memory (t->out, 0) == memory);
  g_assert_true (t->out != held);
}

static void
any_memory_passes (void)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12:0x0100000000000002, "
      "width=640, height=480, framerate=0/1");
  GstHarness *h = gst_harness_new ("yolov7tracker");
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  const GstYolov7Detection d = walker_at (100, 100);

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
properties_take_effect_with_the_next_frame (Tracking *t, gconstpointer data)
{
  GstElement *tracker = t->harness->element;
  (void) data;
  const gint64 id = walk (t, 0, 5, 100);

  g_object_set (tracker, "max-predicted-frame-count", 3, NULL);
  for (guint i = 5; i < 10; i++) {
    track_detections (t, i * FRAME, NULL, 0);
    g_assert_cmpuint (t->found->len, ==, i < 8 ? 1 : 0);
  }
  g_object_set (tracker, "min-frame-count-for-lost-track", 2, NULL);
  g_assert_cmpint (walk (t, 10, 5, 120), >, id);
  g_object_set (tracker, "new-track-confidence-threshold", 1.0, NULL);
  flush_tracker (t);
  g_assert_cmpint (walk (t, 15, 5, 130), ==, -1);
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
another_thread_may_change_properties (Tracking *t, gconstpointer data)
{
  Changer changer = {t->harness->element, FALSE};
  GThread *thread = g_thread_new ("changer", change_properties, &changer);
  gint64 id = -1;
  guint i = 0;
  (void) data;

  do
    id = track_walker (t, i++ * FRAME, 100, 100);
  while (!g_atomic_int_get (&changer.is_done));
  g_thread_join (thread);
  g_assert_cmpint (id, ==, 1);
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
  ADD_TRACKING (an_object_keeps_its_id);
  ADD_TRACKING (two_objects_have_two_ids);
  ADD_TRACKING (objects_of_other_classes_never_match);
  ADD_TRACKING (all_descriptions_of_a_detection_get_its_id);
  ADD_TRACKING (regions_of_others_get_ids);
  ADD_TRACKING (what_others_found_is_read_behind_a_tracker);
  ADD_TRACKING (a_region_that_is_no_detection_gets_no_id);
  ADD_TRACKING (pixels_are_neither_copied_nor_mapped);
  ADD_TRACKING (properties_take_effect_with_the_next_frame);
  ADD_TRACKING (another_thread_may_change_properties);
  g_test_add_func ("/tracker/any_memory_passes", any_memory_passes);
  g_test_add_func ("/tracker/properties_are_what_was_set", properties_are_what_was_set);
  return g_test_run ();
}
