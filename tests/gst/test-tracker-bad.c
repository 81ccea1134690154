/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-tracker-bad.c - yolov7tracker and input that makes no sense, or far too much. */
#include <math.h>

#include "tests/gst/trackerharness.h"

static void
what_is_no_box_gets_no_id (Tracking *t, gconstpointer data)
{
  static const double bad[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300};
  GstYolov7Detection all[4 * G_N_ELEMENTS (bad) + 5];
  guint n = 0;
  (void) data;

  all[n++] = walker_at (100, 100);
  for (guint i = 0; i < 4 * G_N_ELEMENTS (bad); i++) {
    GstYolov7Detection d = walker_at (300, 100);
    double *const fields[] = {&d.x, &d.y, &d.w, &d.h};
    *fields[i % 4] = bad[i / 4];
    all[n++] = d;
  }
  for (guint i = 0; i < 4; i++) {
    GstYolov7Detection d = walker_at (300, 100);
    *(i % 2 ? &d.w : &d.h) = i / 2 ? 0 : -40;
    all[n++] = d;
  }
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (all));
  for (guint i = 0; i < 6; i++) {
    track_detections (t, i * FRAME, all, n);
    g_assert_cmpuint (t->found->len, ==, n);
    for (guint k = 1; k < n; k++)
      g_assert_cmpint (found_at (t, k)->id, ==, -1);
  }
  g_assert_cmpint (found_at (t, 0)->id, >, 0);
}

static void
a_confidence_that_is_no_number_gets_no_id (Tracking *t, gconstpointer data)
{
  GstYolov7Detection d = walker_at (100, 100);
  (void) data;

  d.confidence = NAN;
  for (guint i = 0; i < 6; i++)
    track_detections (t, i * FRAME, &d, 1);
  g_assert_cmpint (found_at (t, 0)->id, ==, -1);
}

static void
boxes_outside_the_frame_are_followed_but_not_predicted (Tracking *t, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 6; i++)
    track_walker (t, i * FRAME, -5000, 100);
  g_assert_cmpint (found_at (t, 0)->id, >, 0);
  track_frame (t, frame_at (6 * FRAME));
  g_assert_cmpuint (t->found->len, ==, 0);
}

/* All of them in one place, which is the worst that can be. */
static void
ten_thousand_boxes_are_no_harm (Tracking *t, gconstpointer data)
{
  enum { N = 10000 };
  g_autofree GstYolov7Detection *all = g_new (GstYolov7Detection, N);
  guint n_ids = 0;
  (void) data;

  t->kinds = GST_YOLOV7_META_ROI;
  for (guint i = 0; i < N; i++) {
    all[i] = walker_at (100 + 0.01 * i, 100);
    all[i].w = all[i].h = 200;
  }
  for (guint i = 0; i < 4; i++)
    track_detections (t, i * FRAME, all, N);
  g_assert_cmpuint (t->found->len, >=, N);
  for (guint i = 0; i < N; i++)
    n_ids += found_at (t, i)->id >= 0;
  g_assert_cmpuint (n_ids, >, 0);
  g_assert_cmpuint (n_ids, <=, 1024);
}

static void
a_meta_of_another_form_is_no_harm (Tracking *t, gconstpointer data)
{
  GstBuffer *buffer = frame_at (0);
  (void) data;
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME);

  gst_structure_set (gst_custom_meta_get_structure (meta), "detections", G_TYPE_STRING, "none",
                     "frame-pts", G_TYPE_STRING, "now", NULL);
  track_frame (t, buffer);
  g_assert_cmpuint (t->found->len, ==, 0);
  g_assert_cmpint (walk (t, 1, 5, 100), >, 0);
}

/* Labels come from others, so they must not fill the memory. */
static void
more_classes_than_there_are_share_one (Tracking *t, gconstpointer data)
{
  enum { N = 5000 };
  GstElement *tracker = t->harness->element;
  char label[16];
  (void) data;

  g_object_set (tracker, "min-frame-count-for-lost-track", 1, NULL); /* or there is no room soon */
  for (guint i = 0; i < N; i += 100) {
    GstYolov7Detection all[100];
    char labels[100][16];
    for (guint k = 0; k < 100; k++) {
      g_snprintf (labels[k], sizeof labels[k], "class %u", i + k);
      all[k] = walker_at (5 * k, 100);
      all[k].label = labels[k];
    }
    track_detections (t, i / 100 * FRAME, all, 100);
  }
  g_snprintf (label, sizeof label, "class %u", N + 1);
  GstYolov7Detection d = walker_at (600, 300);
  d.label = label;
  for (guint i = 0; i < 5; i++)
    track_detections (t, (N / 100 + i) * FRAME, &d, 1);
  g_assert_cmpint (found_at (t, 0)->id, >, 0);
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

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  ADD_TRACKING (what_is_no_box_gets_no_id);
  ADD_TRACKING (a_confidence_that_is_no_number_gets_no_id);
  ADD_TRACKING (boxes_outside_the_frame_are_followed_but_not_predicted);
  ADD_TRACKING (ten_thousand_boxes_are_no_harm);
  ADD_TRACKING (a_meta_of_another_form_is_no_harm);
  ADD_TRACKING (more_classes_than_there_are_share_one);
  g_test_add_func ("/tracker/caps_without_a_size_are_refused_with_an_error",
                   caps_without_a_size_are_refused_with_an_error);
  return g_test_run ();
}
