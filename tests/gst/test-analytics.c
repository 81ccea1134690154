/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-analytics.c - GstAnalyticsRelationMeta: what we attach, what we read of others,
 * what is left of it behind GStreamer's converters, and that GStreamer's own overlay draws our
 * boxes. */
#include <gst/analytics/analytics.h>

#include "gst/detectionmeta.h"
#include "tests/gst/detector.h"
#include "tests/gst/frames.h"

#define FRAME_W 160
#define FRAME_H 120
#define PAPER 0x204080
#define LINE 0xff2010
#define LINE_HALF_PX 1 /* upstream's overlay draws lines of two pixels */

#define BOTH (GST_YOLOV7_META_ROI | GST_YOLOV7_META_ANALYTICS)

static const GstYolov7Detection boxes[] = {
    {.x = 40, .y = 32, .w = 24, .h = 56, .confidence = 0.875, .id = -1, .label = "car"},
    {.x = 8.4, .y = 3.5, .w = 16.2, .h = 8.1, .confidence = 0.5, .id = 41, .label = "dog"},
    {.x = 0, .y = 0, .w = 160, .h = 120, .confidence = -1, .id = 0, .label = NULL},
};

/* What must be on the buffer for each of them: both ends of each side rounded to whole pixels. */
static const struct {
  gint x, y, w, h;
  gfloat confidence;
  const char *type;
} expected[] = {
    {40, 32, 24, 56, 0.875f, "car"},
    {8, 4, 17, 8, 0.5f, "dog"},
    {0, 0, 160, 120, 0, ""},
};

G_STATIC_ASSERT (G_N_ELEMENTS (boxes) == G_N_ELEMENTS (expected));

static GstBuffer *
plain_frame (void)
{
  g_autoptr (GstSample) plain = yv_test_plain (FRAME_W, FRAME_H, PAPER);

  return yv_test_frame (plain);
}

static GstBuffer *
analysed_frame (guint n_boxes, GstYolov7MetaKinds kinds)
{
  GstBuffer *buffer = plain_frame ();

  GST_BUFFER_PTS (buffer) = 7 * GST_SECOND;
  yv_test_attach (buffer, FRAME_W, FRAME_H, boxes, n_boxes, kinds);
  return buffer;
}

/* The objects on the buffer, which must have a relation meta, in their order. */
static GArray *
objects_of (GstBuffer *buffer)
{
  GstAnalyticsRelationMeta *relations = gst_buffer_get_analytics_relation_meta (buffer);
  GArray *objects = g_array_new (FALSE, FALSE, sizeof (GstAnalyticsODMtd));
  gpointer state = NULL;
  GstAnalyticsODMtd od;

  g_assert_nonnull (relations);
  while (gst_analytics_relation_meta_iterate (relations, &state,
                                              gst_analytics_od_mtd_get_mtd_type (), &od))
    g_array_append_val (objects, od);
  return objects;
}

static GstAnalyticsODMtd *
object_at (GArray *objects, guint i)
{
  return &g_array_index (objects, GstAnalyticsODMtd, i);
}

static gboolean
find_track (GstAnalyticsODMtd *od, GstAnalyticsTrackingMtd *track)
{
  return gst_analytics_relation_meta_get_direct_related (
      od->meta, od->id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
      gst_analytics_tracking_mtd_get_mtd_type (), NULL, track);
}

static void
assert_is_tracked (GstAnalyticsODMtd *od, gint64 id, GstClockTime seen)
{
  GstAnalyticsTrackingMtd track;
  GstClockTime first_seen, last_seen;
  gboolean is_lost;
  guint64 got;

  g_assert_true (find_track (od, &track));
  g_assert_true (
      gst_analytics_tracking_mtd_get_info (&track, &got, &first_seen, &last_seen, &is_lost));
  g_assert_cmpuint (got, ==, (guint64) id);
  g_assert_cmpuint (first_seen, ==, seen);
  g_assert_cmpuint (last_seen, ==, seen);
  g_assert_false (is_lost);
  g_assert_cmpint (gst_analytics_relation_meta_get_relation (od->meta, od->id, track.id), ==,
                   GST_ANALYTICS_REL_TYPE_RELATE_TO);
  g_assert_cmpint (gst_analytics_relation_meta_get_relation (od->meta, track.id, od->id), ==,
                   GST_ANALYTICS_REL_TYPE_NONE);
}

/* Scaled by 1 / @divisor. */
static void
assert_is_object (GstAnalyticsODMtd *od, guint i, gint divisor)
{
  gint x, y, w, h;
  gfloat confidence;

  g_assert_true (gst_analytics_od_mtd_get_location (od, &x, &y, &w, &h, &confidence));
  g_assert_cmpint (x, ==, expected[i].x / divisor);
  g_assert_cmpint (y, ==, expected[i].y / divisor);
  g_assert_cmpint (w, ==, expected[i].w / divisor);
  g_assert_cmpint (h, ==, expected[i].h / divisor);
  g_assert_cmpfloat (confidence, ==, expected[i].confidence);
  g_assert_cmpstr (g_quark_to_string (gst_analytics_od_mtd_get_obj_type (od)), ==,
                   expected[i].type);
}

/* ---- what we attach ------------------------------------------------------------------------- */

static void
each_box_is_one_object_and_each_id_one_track (void)
{
  for (guint n = 0; n <= G_N_ELEMENTS (boxes); n++) {
    g_autoptr (GstBuffer) buffer = analysed_frame (n, GST_YOLOV7_META_ANALYTICS);
    g_autoptr (GArray) objects = objects_of (buffer);
    GstAnalyticsTrackingMtd track;
    guint n_tracks = 0;

    g_assert_cmpuint (objects->len, ==, n);
    for (guint i = 0; i < n; i++) {
      assert_is_object (object_at (objects, i), i, 1);
      if (boxes[i].id >= 0) {
        assert_is_tracked (object_at (objects, i), boxes[i].id, 7 * GST_SECOND);
        n_tracks++;
      } else {
        g_assert_false (find_track (object_at (objects, i), &track));
      }
    }
    /* And nothing else, such as a class. */
    g_assert_cmpuint (
        gst_analytics_relation_get_length (gst_buffer_get_analytics_relation_meta (buffer)), ==,
        n + n_tracks);
  }
}

static void
many_boxes_fit (void)
{
  g_autoptr (GstBuffer) buffer = plain_frame ();
  GstYolov7Detection many[300];

  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    many[i] = (GstYolov7Detection){.x = i % 100, .y = i / 100, .w = 2, .h = 2, .id = i};
  yv_test_attach (buffer, FRAME_W, FRAME_H, many, G_N_ELEMENTS (many), BOTH);
  g_autoptr (GArray) objects = objects_of (buffer);
  g_assert_cmpuint (objects->len, ==, G_N_ELEMENTS (many));
  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    assert_is_tracked (object_at (objects, i), i, 0);
}

static void
a_frame_without_a_time_has_tracks_too (void)
{
  g_autoptr (GstBuffer) buffer = plain_frame ();

  GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
  yv_test_attach (buffer, FRAME_W, FRAME_H, &boxes[1], 1, GST_YOLOV7_META_ANALYTICS);
  g_autoptr (GArray) objects = objects_of (buffer);
  assert_is_tracked (object_at (objects, 0), boxes[1].id, 0);
}

static void
nothing_is_attached_when_not_asked_for (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame (2, GST_YOLOV7_META_ROI);

  g_assert_null (gst_buffer_get_analytics_relation_meta (buffer));
}

/* A track lies between the objects, so that their ids are no plain count. */
static void
regions_have_the_ids_of_the_objects (void)
{
  g_autoptr (GstBuffer) buffer = plain_frame ();
  const GstYolov7Detection turned[] = {boxes[1], boxes[0], boxes[2]};

  yv_test_attach (buffer, FRAME_W, FRAME_H, turned, 3, BOTH);
  g_autoptr (GArray) objects = objects_of (buffer);
  g_assert_cmpuint (object_at (objects, 1)->id, ==, 2);
  g_assert_cmpuint (gst_buffer_get_n_meta (buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==,
                    3);
  for (guint i = 0; i < objects->len; i++) {
    GstAnalyticsODMtd *od = object_at (objects, i);
    GstVideoRegionOfInterestMeta *roi =
        gst_buffer_get_video_region_of_interest_meta_id (buffer, (gint) od->id);
    gint x, y, w, h;
    gfloat confidence;

    g_assert_nonnull (roi);
    g_assert_true (gst_analytics_od_mtd_get_location (od, &x, &y, &w, &h, &confidence));
    g_assert_cmpint ((gint) roi->x, ==, x);
    g_assert_cmpint ((gint) roi->y, ==, y);
    g_assert_cmpint ((gint) roi->w, ==, w);
    g_assert_cmpint ((gint) roi->h, ==, h);
    g_assert_cmpuint (gst_analytics_od_mtd_get_obj_type (od), ==, roi->roi_type);
  }
}

/* As ioutracker does, since GStreamer 1.28: our meta must be able to grow, even an empty one. */
static void
a_tracker_can_add_to_what_we_attached (void)
{
  for (guint n = 0; n <= 1; n++) {
    g_autoptr (GstBuffer) buffer = analysed_frame (n, GST_YOLOV7_META_ANALYTICS);
    GstAnalyticsRelationMeta *relations = gst_buffer_get_analytics_relation_meta (buffer);
    g_autoptr (GArray) objects = objects_of (buffer);

    for (guint i = 0; i < 100; i++) {
      GstAnalyticsTrackingMtd track;
      g_assert_true (gst_analytics_relation_meta_add_tracking_mtd (relations, i, 0, &track));
      if (i == 99 && n == 1)
        g_assert_true (gst_analytics_relation_meta_set_relation (
            relations, GST_ANALYTICS_REL_TYPE_RELATE_TO, object_at (objects, 0)->id, track.id));
    }
    g_assert_cmpuint (gst_analytics_relation_get_length (relations), ==, n + 100);
    if (n == 1) {
      assert_is_object (object_at (objects, 0), 0, 1);
      assert_is_tracked (object_at (objects, 0), 99, 0);
    }
  }
}

/* ---- what we read --------------------------------------------------------------------------- */

static gboolean
read_back (GstBuffer *buffer, GArray **found)
{
  *found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  return gst_yolov7_detections_read (buffer, *found);
}

static void
add_object (GstAnalyticsRelationMeta *relations, const char *type, gint x, gfloat confidence,
            GstAnalyticsODMtd *od)
{
  g_assert_true (gst_analytics_relation_meta_add_od_mtd (relations, g_quark_from_string (type), x,
                                                         2, 3, 4, confidence, od));
}

static void
add_track (GstAnalyticsODMtd *od, guint64 id, GstAnalyticsRelTypes relation)
{
  GstAnalyticsTrackingMtd track;

  g_assert_true (gst_analytics_relation_meta_add_tracking_mtd (od->meta, id, 0, &track));
  g_assert_true (gst_analytics_relation_meta_set_relation (od->meta, relation, od->id, track.id));
}

/* Of a detector, a classifier and a tracker that others made; behind them an element that attached
 * regions for old readers. */
static void
objects_of_others_are_read_with_their_tracks (void)
{
  g_autoptr (GstBuffer) buffer = plain_frame ();
  GstAnalyticsRelationMeta *relations = gst_buffer_add_analytics_relation_meta (buffer);
  GstAnalyticsODMtd car, dog, cat;
  GstAnalyticsClsMtd class;
  g_autoptr (GArray) found = NULL;

  g_assert_true (gst_analytics_relation_meta_add_one_cls_mtd (
      relations, 0.5f, g_quark_from_string ("street"), &class));
  add_object (relations, "car", 1, 0.75f, &car);
  add_track (&car, 12, GST_ANALYTICS_REL_TYPE_IS_PART_OF); /* no track of this object */
  add_track (&car, 34, GST_ANALYTICS_REL_TYPE_RELATE_TO);
  add_object (relations, "dog", 10, 0.5f, &dog);
  add_object (relations, "cat", 20, 0.25f, &cat);
  add_track (&cat, G_MAXUINT64, GST_ANALYTICS_REL_TYPE_RELATE_TO);
  gst_buffer_add_video_region_of_interest_meta (buffer, "region", 5, 6, 7, 8);

  g_assert_true (read_back (buffer, &found));
  g_assert_cmpuint (found->len, ==, 3);
  const GstYolov7Detection *d = nth (found, 0);
  g_assert_cmpfloat (d->x + 10 * d->y + 100 * d->w + 1000 * d->h, ==, 4321);
  g_assert_cmpfloat (d->confidence, ==, 0.75);
  g_assert_cmpfloat (d->objectness, <, 0);
  g_assert_cmpint (d->class_index, <, 0);
  g_assert_cmpstr (d->label, ==, "car");
  g_assert_cmpint (d->id, ==, 34);
  g_assert_cmpstr (nth (found, 1)->label, ==, "dog");
  g_assert_cmpint (nth (found, 1)->id, ==, -1);
  g_assert_cmpint (nth (found, 2)->id, ==, G_MAXINT64);
}

static void
our_own_array_counts_before_objects (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame (1, BOTH);
  GstAnalyticsODMtd od;
  g_autoptr (GArray) found = NULL;

  add_object (gst_buffer_get_analytics_relation_meta (buffer), "dog", 1, 0.5f, &od);
  g_assert_true (read_back (buffer, &found));
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpstr (nth (found, 0)->label, ==, "car");
}

/* Without objects it tells that somebody looked; regions of interest may still tell more. */
static void
regions_are_read_where_there_are_no_objects (void)
{
  g_autoptr (GstBuffer) buffer = plain_frame ();
  g_autoptr (GArray) nothing = NULL;
  g_autoptr (GArray) found = NULL;

  gst_buffer_add_analytics_relation_meta (buffer);
  g_assert_true (read_back (buffer, &nothing));
  g_assert_cmpuint (nothing->len, ==, 0);
  gst_buffer_add_video_region_of_interest_meta (buffer, "region", 5, 6, 7, 8);
  g_assert_true (read_back (buffer, &found));
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpstr (nth (found, 0)->label, ==, "region");
}

/* ---- what is left of it --------------------------------------------------------------------- */

static void
assert_holds_two (GstBuffer *buffer, gint divisor)
{
  g_autoptr (GArray) objects = objects_of (buffer);

  g_assert_cmpuint (objects->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    assert_is_object (object_at (objects, i), i, divisor);
  assert_is_tracked (object_at (objects, 1), boxes[1].id, 7 * GST_SECOND);
}

static void
objects_survive_copies (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame (2, BOTH);
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (buffer);

  gst_clear_buffer (&buffer);
  assert_holds_two (copy, 1);
}

static void
objects_survive_converters_and_scalers (void)
{
  static const struct {
    const char *launch, *format;
    gint divisor;
  } rows[] = {
      {"queue", "RGB", 1},
      {"videoconvert", "I420", 1},
      {"videoscale", "RGB", 2},
      {"videoscale ! videoconvert", "NV12", 4},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    GstHarness *h = gst_harness_new_parse (rows[i].launch);
    gst_harness_set_caps (h, yv_test_caps ("RGB", FRAME_W, FRAME_H),
                          yv_test_caps (rows[i].format, FRAME_W / (guint) rows[i].divisor,
                                        FRAME_H / (guint) rows[i].divisor));
    g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, analysed_frame (2, BOTH));
    g_assert_nonnull (out);
    g_test_message ("%s", rows[i].launch);
    assert_holds_two (out, rows[i].divisor);
    gst_harness_teardown (h);
  }
}

/* ---- upstream's overlay --------------------------------------------------------------------- */

static gboolean
need_overlay (void)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("objectdetectionoverlay");

  if (!factory)
    g_test_skip ("needs objectdetectionoverlay of gstreamer1.0-plugins-bad");
  return factory != NULL;
}

#define OVERLAY "objectdetectionoverlay draw-labels=false object-detection-outline-color=0xffff2010"

/* Whether the pixel is on a line around the box: half of it lies outside, half inside. */
static gboolean
is_on_line (GstAnalyticsODMtd *od, gint px, gint py, gint frame_w, gint frame_h)
{
  gint x, y, w, h;
  gfloat confidence;

  g_assert_true (gst_analytics_od_mtd_get_location (od, &x, &y, &w, &h, &confidence));
  w = MIN (w, frame_w - 1 - x); /* so that the line at the far edge is seen */
  h = MIN (h, frame_h - 1 - y);
  return px >= x - LINE_HALF_PX && px < x + w + LINE_HALF_PX && py >= y - LINE_HALF_PX &&
         py < y + h + LINE_HALF_PX &&
         !(px >= x + LINE_HALF_PX && px < x + w - LINE_HALF_PX && py >= y + LINE_HALF_PX &&
           py < y + h - LINE_HALF_PX);
}

static guint32
rgb_of (const GstVideoFrame *frame, gint x, gint y)
{
  const guint8 *pixel = (const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (frame, 0) +
                        y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, 0) + 3 * x;

  return (guint32) pixel[0] << 16 | (guint32) pixel[1] << 8 | pixel[2];
}

/* @drawn must be the picture of @before with lines around the objects on @drawn, and nothing else.
 */
static void
assert_only_boxes_are_drawn (GstSample *before, GstBuffer *drawn)
{
  g_autoptr (GArray) objects = objects_of (drawn);
  GstVideoInfo info;
  GstVideoFrame a, b;

  gst_video_info_from_caps (&info, gst_sample_get_caps (before));
  g_assert_true (gst_video_frame_map (&a, &info, gst_sample_get_buffer (before), GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&b, &info, drawn, GST_MAP_READ));
  for (gint y = 0; y < info.height; y++)
    for (gint x = 0; x < info.width; x++) {
      guint32 color = rgb_of (&a, x, y);
      for (guint i = 0; i < objects->len; i++)
        if (is_on_line (object_at (objects, i), x, y, info.width, info.height))
          color = LINE;
      if (rgb_of (&b, x, y) != color)
        g_error ("pixel %d,%d is %06x, expected %06x", x, y, rgb_of (&b, x, y), color);
    }
  gst_video_frame_unmap (&b);
  gst_video_frame_unmap (&a);
}

static void
push_and_check (GstHarness *h, GstSample *before, GstBuffer *frame)
{
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);

  g_assert_nonnull (out);
  assert_only_boxes_are_drawn (before, out);
}

/* And forgets them at the next frame that was analysed. */
static void
upstreams_overlay_draws_our_boxes (void)
{
  g_autoptr (GstSample) plain = yv_test_plain (FRAME_W, FRAME_H, PAPER);
  if (!need_overlay ())
    return;
  GstHarness *h = gst_harness_new_parse (OVERLAY);

  gst_harness_set_caps (h, yv_test_caps ("RGB", FRAME_W, FRAME_H),
                        yv_test_caps ("RGB", FRAME_W, FRAME_H));
  for (guint n = 0; n <= G_N_ELEMENTS (boxes); n++) {
    push_and_check (h, plain, analysed_frame (n, BOTH));
    push_and_check (h, plain, analysed_frame (0, BOTH));
  }
  gst_harness_teardown (h);
}

static void
upstreams_overlay_draws_what_yolov7_finds (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip || !need_overlay ())
    return;
  g_autoptr (GstSample) plain = yv_test_plain (W, H, PAPER);
  GstHarness *h = detector_new (SIZE " confidence-threshold=0.5 ! " OVERLAY);

  set_caps (h, gst_sample_get_caps (clip));
  push_and_check (h, plain, yv_test_frame (plain));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, yv_test_frame (clip));
  g_autoptr (GArray) objects = objects_of (out);
  g_assert_cmpuint (objects->len, ==, 3); /* pedestrians */
  assert_only_boxes_are_drawn (clip, out);
  push_and_check (h, plain, yv_test_frame (plain));
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analytics/objects", each_box_is_one_object_and_each_id_one_track);
  g_test_add_func ("/analytics/many", many_boxes_fit);
  g_test_add_func ("/analytics/no-time", a_frame_without_a_time_has_tracks_too);
  g_test_add_func ("/analytics/off", nothing_is_attached_when_not_asked_for);
  g_test_add_func ("/analytics/regions", regions_have_the_ids_of_the_objects);
  g_test_add_func ("/analytics/tracker", a_tracker_can_add_to_what_we_attached);
  g_test_add_func ("/analytics/others", objects_of_others_are_read_with_their_tracks);
  g_test_add_func ("/analytics/ours-first", our_own_array_counts_before_objects);
  g_test_add_func ("/analytics/no-objects", regions_are_read_where_there_are_no_objects);
  g_test_add_func ("/analytics/copies", objects_survive_copies);
  g_test_add_func ("/analytics/converters", objects_survive_converters_and_scalers);
  g_test_add_func ("/analytics/overlay", upstreams_overlay_draws_our_boxes);
  g_test_add_func ("/analytics/overlay-of-found", upstreams_overlay_draws_what_yolov7_finds);
  return g_test_run ();
}
