/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-detectionids.c - gst_yolov7_detections_set_ids(): which descriptions on a buffer
 * get the id of a detection, and which do not. Of GstAnalytics: tests/gst/test-tracker.c. */
#include <gst/video/video.h>

#include "gst/detectionmeta.h"
#include "tests/gst/frames.h"

#define W 640
#define H 480
#define NO_ID -1

static GstYolov7Detection
person (double x, gint64 id)
{
  return (GstYolov7Detection){.x = x,
                              .y = 20.4,
                              .w = 40.5,
                              .h = 90.5,
                              .confidence = 0.5,
                              .objectness = 0.5,
                              .class_index = 0,
                              .id = id,
                              .label = "person"};
}

/* @n persons 100 px apart, without ids. */
static GstBuffer *
frame_with (guint n, GstYolov7MetaKinds kinds)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);
  g_autofree GstYolov7Detection *all = g_new (GstYolov7Detection, n + 1);

  for (guint i = 0; i < n; i++)
    all[i] = person (100 * i, NO_ID);
  yv_test_attach (buffer, W * 100, H, all, n, kinds);
  return buffer;
}

/* Reads, gives the detections these ids, and writes them back. */
static void
set_ids (GstBuffer *buffer, const gint64 *ids, guint n)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  gst_yolov7_detections_read (buffer, found);
  g_assert_cmpuint (found->len, ==, n);
  for (guint i = 0; i < n; i++)
    g_array_index (found, GstYolov7Detection, i).id = ids[i];
  gst_yolov7_detections_set_ids (buffer, found);
}

static gint64
id_at (GstBuffer *buffer, guint i)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  gst_yolov7_detections_read (buffer, found);
  g_assert_cmpuint (found->len, >, i);
  return g_array_index (found, GstYolov7Detection, i).id;
}

/* Of the region with this number; how many "object_id" structures it has is checked, too. */
static gint
region_id_at (GstBuffer *buffer, guint i)
{
  GstVideoRegionOfInterestMeta *roi = NULL;
  gpointer state = NULL;
  guint n_ids = 0;
  gint id = NO_ID;

  for (guint k = 0; k <= i; k++)
    roi = (GstVideoRegionOfInterestMeta *) gst_buffer_iterate_meta_filtered (
        buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  g_assert_nonnull (roi);
  for (GList *l = roi->params; l; l = l->next)
    if (gst_structure_has_name (l->data, "object_id")) {
      g_assert_true (gst_structure_get_int (l->data, "id", &id));
      n_ids++;
    }
  g_assert_cmpuint (n_ids, <=, 1);
  return id;
}

static void
every_kind_of_description_gets_the_id (void)
{
  g_autoptr (GstBuffer) buffer = frame_with (3, GST_YOLOV7_META_ROI);
  const gint64 ids[] = {7, 9, 8};

  set_ids (buffer, ids, 3);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint (id_at (buffer, i), ==, ids[i]);
    g_assert_cmpint (region_id_at (buffer, i), ==, ids[i]);
  }
}

static void
an_id_replaces_the_one_before (void)
{
  g_autoptr (GstBuffer) buffer = frame_with (2, GST_YOLOV7_META_ROI);

  set_ids (buffer, (const gint64[]){7, 9}, 2);
  set_ids (buffer, (const gint64[]){70, NO_ID}, 2);
  g_assert_cmpint (id_at (buffer, 0), ==, 70);
  g_assert_cmpint (region_id_at (buffer, 0), ==, 70);
  g_assert_cmpint (id_at (buffer, 1), ==, 9);
  g_assert_cmpint (region_id_at (buffer, 1), ==, 9);
}

static void
the_ids_of_two_detectors_are_in_the_order_of_reading (void)
{
  g_autoptr (GstBuffer) buffer = frame_with (2, 0);
  const GstYolov7Detection other = person (600, NO_ID);

  yv_test_attach (buffer, W, H, &other, 1, 0);
  set_ids (buffer, (const gint64[]){1, 2, 3}, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (id_at (buffer, i), ==, i + 1);
}

static void
regions_alone_get_ids (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  gst_buffer_add_video_region_of_interest_meta (buffer, "person", 10, 20, 30, 40);
  gst_buffer_add_video_region_of_interest_meta (buffer, "person", 10, 20, 30, 40);
  set_ids (buffer, (const gint64[]){4, 5}, 2);
  g_assert_cmpint (region_id_at (buffer, 0), ==, 4);
  g_assert_cmpint (region_id_at (buffer, 1), ==, 5);
}

static void
regions_of_others_in_between_are_left_alone (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  const GstYolov7Detection d = person (100, NO_ID);

  gst_buffer_add_video_region_of_interest_meta (buffer, "dog", 100, 20, 41, 91);
  gst_buffer_add_video_region_of_interest_meta (buffer, "person", 104, 20, 41, 91);
  gst_buffer_add_video_region_of_interest_meta (buffer, "person", 100, 20, 45, 91);
  yv_test_attach (buffer, W, H, &d, 1, GST_YOLOV7_META_ROI);
  set_ids (buffer, (const gint64[]){6}, 1);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (region_id_at (buffer, i), ==, NO_ID);
  g_assert_cmpint (region_id_at (buffer, 3), ==, 6);
}

/* As a scaler drops those that are too small. */
static void
detections_without_a_region_are_passed_over (void)
{
  g_autoptr (GstBuffer) buffer = frame_with (40, 0);
  gint64 ids[40];

  gst_buffer_add_video_region_of_interest_meta (buffer, "person", 1000, 20, 41, 91);
  gst_buffer_add_video_region_of_interest_meta (buffer, "person", 3900, 20, 41, 91);
  for (guint i = 0; i < 40; i++)
    ids[i] = i;
  set_ids (buffer, ids, 40);
  g_assert_cmpint (region_id_at (buffer, 0), ==, 10);
  g_assert_cmpint (region_id_at (buffer, 1), ==, 39);
}

static void
an_id_that_dl_streamer_has_no_room_for_is_not_told_there (void)
{
  g_autoptr (GstBuffer) buffer = frame_with (1, GST_YOLOV7_META_ROI);
  const gint64 id = (gint64) G_MAXINT + 1;

  set_ids (buffer, &id, 1);
  g_assert_cmpint (id_at (buffer, 0), ==, id);
  g_assert_cmpint (region_id_at (buffer, 0), ==, NO_ID);
}

static void
ids_that_are_known_are_attached_with_the_rest (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  const GstYolov7Detection both[] = {person (0, 12), person (100, NO_ID)};

  yv_test_attach (buffer, W, H, both, 2, GST_YOLOV7_META_ROI);
  g_assert_cmpint (region_id_at (buffer, 0), ==, 12);
  g_assert_cmpint (region_id_at (buffer, 1), ==, NO_ID);
}

static void
other_buffers_keep_theirs (void)
{
  g_autoptr (GstBuffer) buffer = frame_with (1, GST_YOLOV7_META_ROI);
  g_autoptr (GstBuffer) copy = gst_buffer_copy (buffer);

  set_ids (buffer, (const gint64[]){3}, 1);
  g_assert_cmpint (id_at (copy, 0), ==, NO_ID);
  g_assert_cmpint (region_id_at (copy, 0), ==, NO_ID);
}

static void
nothing_gets_no_ids (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  set_ids (buffer, NULL, 0);
  gst_buffer_add_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME);
  set_ids (buffer, NULL, 0);
  g_assert_cmpint (gst_yolov7_detections_kinds (buffer), ==, 0);
}

static void
the_time_of_the_analysed_frame_is_told (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstYolov7Frame frame = {W, H, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE};

  g_assert_cmpuint (gst_yolov7_detections_frame_pts (buffer), ==, GST_CLOCK_TIME_NONE);
  GST_BUFFER_PTS (buffer) = 5;
  g_assert_cmpuint (gst_yolov7_detections_frame_pts (buffer), ==, 5);
  gst_yolov7_detections_attach (buffer, &frame, NULL, 0, 0);
  g_assert_cmpuint (gst_yolov7_detections_frame_pts (buffer), ==, 5);

  g_autoptr (GstBuffer) late = gst_buffer_new ();
  GST_BUFFER_PTS (late) = 5;
  frame.pts = 3;
  gst_yolov7_detections_attach (late, &frame, NULL, 0, 0);
  g_assert_cmpuint (gst_yolov7_detections_frame_pts (late), ==, 3);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(test) g_test_add_func ("/detectionids/" #test, test)
  ADD (every_kind_of_description_gets_the_id);
  ADD (an_id_replaces_the_one_before);
  ADD (the_ids_of_two_detectors_are_in_the_order_of_reading);
  ADD (regions_alone_get_ids);
  ADD (regions_of_others_in_between_are_left_alone);
  ADD (detections_without_a_region_are_passed_over);
  ADD (an_id_that_dl_streamer_has_no_room_for_is_not_told_there);
  ADD (ids_that_are_known_are_attached_with_the_rest);
  ADD (other_buffers_keep_theirs);
  ADD (nothing_gets_no_ids);
  ADD (the_time_of_the_analysed_frame_is_told);
#undef ADD
  return g_test_run ();
}
