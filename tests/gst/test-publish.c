/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publish.c - yolov7publish: a record for each frame that says something. */
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "tests/gst/frames.h"
#include "tests/gst/publishharness.h"

static guint
n_objects_of (JsonObject *record)
{
  return json_array_get_length (json_object_get_array_member (record, "objects"));
}

static JsonObject *
object_of (JsonObject *record, guint i)
{
  return json_array_get_object_element (json_object_get_array_member (record, "objects"), i);
}

static void
each_analysed_frame_has_a_record (void)
{
  Fixture f = fixture_new (LINES "source=door tags={\\\"site\\\":1}");

  push_dogs (&f, 2);
  push_with (&f, NULL, 0);         /* analysed, and empty */
  push_frame (&f, frame_new (&f)); /* not analysed */
  push_dogs (&f, 1);
  fixture_stop (&f);

  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 4);
  for (guint i = 0; i < 4; i++) {
    JsonObject *record = record_at (records, i);
    g_assert_cmpint (json_object_get_int_member (record, "sequence"), ==, i + 1);
    g_assert_cmpstr (json_object_get_string_member (record, "source"), ==, "door");
    g_assert_cmpint (
        json_object_get_int_member (json_object_get_object_member (record, "tags"), "site"), ==, 1);
    g_assert_cmpstr (json_object_get_string_member (record, "run"), ==,
                     json_object_get_string_member (record_at (records, 0), "run"));
    g_assert_true (json_object_has_member (record, "system_timestamp"));
  }
  JsonObject *first = record_at (records, 0);
  JsonObject *object = object_of (first, 0);
  g_assert_cmpint (json_object_get_int_member (object, "x"), ==, 16);
  g_assert_cmpint (json_object_get_int_member (object, "id"), ==, 3);
  g_assert_cmpstr (json_object_get_string_member (object, "roi_type"), ==, "dog");
  g_assert_cmpint (
      json_object_get_int_member (json_object_get_object_member (first, "resolution"), "width"), ==,
      W);
  g_assert_cmpuint (n_objects_of (record_at (records, 2)), ==, 0);
  g_assert_cmpint (json_object_get_int_member (record_at (records, 3), "timestamp"), ==,
                   4 * 40 * GST_MSECOND);
  g_assert_cmpuint (get_count (f.element, "records"), ==, 4);
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 4);
  g_assert_cmpuint (get_count (f.element, "frames-in"), ==, 5);
  g_assert_cmpuint (get_count (f.element, "frames-unanalysed"), ==, 1);
  assert_no_message (&f);
  fixture_clear (&f);
}

static void
the_default_is_an_array (void)
{
  Fixture f = fixture_new ("file-path=FILE");
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  push_dogs (&f, 3);
  wait_for_count (&f, "arrived", 3);
  json_parser_load_from_file (parser, f.path, &error); /* whole while it is written */
  g_assert_no_error (error);
  g_assert_cmpuint (json_array_get_length (json_node_get_array (json_parser_get_root (parser))), ==,
                    3);
  fixture_clear (&f);
}

static void
any_caps_pass (void)
{
  static const char *const caps[] = {
      "video/x-raw(memory:VulkanImage),format=NV12,width=160,height=120", "video/x-h264,width=160",
      "application/x-thing", "audio/x-raw,rate=8000,width=-3,height=7"};

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    Fixture f = fixture_new_with_caps (LINES, caps[i]);
    push_dogs (&f, 1);
    fixture_stop (&f);
    g_autoptr (GPtrArray) records = read_records (f.path);
    g_assert_cmpint (json_object_has_member (record_at (records, 0), "resolution"), ==, i == 0);
    fixture_clear (&f);
  }
}

static void
on_change_tells_who_comes_and_goes (void)
{
  Fixture f = fixture_new (LINES "when=on-change");
  GstYolov7Detection moved = dog, other = dog;

  moved.x += 5;
  other.id = 4;
  push_dogs (&f, 3);
  push_with (&f, &moved, 1);
  push_with (&f, &other, 1);
  push_with (&f, NULL, 0);
  push_with (&f, NULL, 0);
  push_dogs (&f, 1);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 4); /* a dog, another, none, a dog */
  fixture_clear (&f);
}

static void
after_a_flush_the_first_frame_is_news_and_the_sequence_goes_on (void)
{
  Fixture f = fixture_new (LINES "when=on-change");

  push_dogs (&f, 2);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_flush_stop (TRUE)));
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_segment (&segment)));
  push_dogs (&f, 2);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 2);
  g_assert_cmpint (json_object_get_int_member (record_at (records, 1), "sequence"), ==, 2);
  fixture_clear (&f);
}

static void
in_another_stream_the_first_frame_is_news (void)
{
  Fixture f = fixture_new (LINES "when=on-change");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  push_dogs (&f, 2);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_stream_start ("second")));
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_segment (&segment)));
  push_dogs (&f, 2);
  segment.position = segment.time = GST_SECOND; /* a jump without a flush */
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_segment (&segment)));
  push_dogs (&f, 2);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 3);
  fixture_clear (&f);
}

static void
timestamps_are_stream_time (void)
{
  Fixture f = fixture_new (LINES);
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 40 * GST_MSECOND;
  segment.time = 10 * GST_SECOND;
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_segment (&segment)));
  f.n_frames = 2;
  push_dogs (&f, 1);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpint (json_object_get_int_member (record_at (records, 0), "timestamp"), ==,
                   10 * GST_SECOND + 40 * GST_MSECOND);
  fixture_clear (&f);
}

static void
each_start_is_a_run_of_its_own (void)
{
  char *runs[2];

  for (int i = 0; i < 2; i++) {
    Fixture f = fixture_new (LINES);
    push_dogs (&f, 1);
    fixture_stop (&f);
    g_autoptr (GPtrArray) records = read_records (f.path);
    g_assert_cmpint (json_object_get_int_member (record_at (records, 0), "sequence"), ==, 1);
    runs[i] = g_strdup (json_object_get_string_member (record_at (records, 0), "run"));
    fixture_clear (&f);
  }
  g_assert_cmpstr (runs[0], !=, runs[1]);
  g_free (runs[0]);
  g_free (runs[1]);
}

static void
what_the_end_of_a_stream_follows_has_arrived (void)
{
  Fixture f = fixture_new (LINES);

  push_dogs (&f, 100);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 100);
  fixture_clear (&f);
}

/* ---- facts of all kinds --------------------------------------------------------------------- */

static GValue
array_of_doubles (const double *values, guint n)
{
  GValue array = G_VALUE_INIT;

  gst_value_array_init (&array, n);
  for (guint i = 0; i < n; i++) {
    GValue value = G_VALUE_INIT;
    g_value_init (&value, G_TYPE_DOUBLE);
    g_value_set_double (&value, values[i]);
    gst_value_array_append_and_take_value (&array, &value);
  }
  return array;
}

/* As a tracker does; @zone: (transfer full) */
static void
attach_zone (GstBuffer *buffer, GstStructure *zone, const double *points, guint n)
{
  static const char *no_tags[] = {NULL};
  GValue zones = G_VALUE_INIT, one = G_VALUE_INIT, corners = array_of_doubles (points, n);

  if (!gst_meta_get_info ("GstYolov7Zones"))
    gst_meta_register_custom ("GstYolov7Zones", no_tags, NULL, NULL, NULL);
  gst_structure_take_value (zone, "points", &corners);
  gst_value_array_init (&zones, 1);
  g_value_init (&one, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&one, zone);
  gst_value_array_append_and_take_value (&zones, &one);
  GstCustomMeta *meta = gst_buffer_add_custom_meta (buffer, "GstYolov7Zones");
  gst_structure_take_value (gst_custom_meta_get_structure (meta), "zones", &zones);
}

static const double corners[] = {0, 0, 0.5, 0, 0.5, 1};

static void
zones_are_told (void)
{
  Fixture f = fixture_new (LINES);
  GstBuffer *buffer = frame_new (&f);

  yv_test_attach (buffer, W, H, NULL, 0, 0);
  attach_zone (buffer,
               gst_structure_new ("zone", "name", G_TYPE_STRING, "door", "kind", G_TYPE_STRING,
                                  "zone", "count", G_TYPE_UINT, 2, "entered", G_TYPE_UINT64,
                                  (guint64) 7, "left", G_TYPE_UINT64, (guint64) 5, "dwell-mean",
                                  G_TYPE_UINT64, (guint64) 11, "dwell-max", G_TYPE_UINT64,
                                  (guint64) 13, NULL),
               corners, 6);
  push_frame (&f, buffer);
  fixture_stop (&f);
  g_autofree char *content = NULL;
  g_assert_true (g_file_get_contents (f.path, &content, NULL, NULL));
  g_assert_nonnull (strstr (content, "\"zones\":[{\"name\":\"door\",\"kind\":\"zone\","
                                     "\"points\":[[0,0],[0.5,0],[0.5,1]],\"count\":2,"
                                     "\"entered\":7,\"left\":5,\"dwell_mean\":11,"
                                     "\"dwell_max\":13}]"));
  fixture_clear (&f);
}

/* A tracker's zones are on every frame, and so is what it predicts. */
static void
frames_that_only_a_tracker_speaks_of_have_none (void)
{
  Fixture f = fixture_new (LINES);
  GstYolov7Detection predicted = dog;
  const guint n_seen[] = {1, 0, 0, 0}; /* the second is analysed, and empty */

  predicted.predicted = TRUE;
  for (guint i = 0; i < 4; i++) {
    GstBuffer *buffer = frame_new (&f);
    if (i < 2)
      yv_test_attach (buffer, W, H, &dog, n_seen[i], 0);
    if (i < 3)
      yv_test_attach (buffer, W, H, &predicted, 1, 0);
    attach_zone (buffer,
                 gst_structure_new ("zone", "name", G_TYPE_STRING, "door", "kind", G_TYPE_STRING,
                                    "zone", "count", G_TYPE_UINT, i, NULL),
                 corners, 6);
    push_frame (&f, buffer);
  }
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 2);
  g_assert_cmpuint (n_objects_of (record_at (records, 0)), ==, 2);
  g_assert_cmpuint (n_objects_of (record_at (records, 1)), ==, 1);
  g_assert_true (
      json_object_get_boolean_member (object_of (record_at (records, 1), 0), "predicted"));
  g_assert_cmpuint (get_count (f.element, "frames-unanalysed"), ==, 2);
  fixture_clear (&f);
}

static void
zones_that_are_none_are_left_out (void)
{
  const double bad[] = {0, NAN, 1, 1};
  Fixture f = fixture_new (LINES);

  for (guint i = 0; i < 4; i++) {
    GstBuffer *buffer = frame_new (&f);
    GstStructure *zone = gst_structure_new ("zone", "kind", G_TYPE_STRING, "zone", NULL);
    yv_test_attach (buffer, W, H, NULL, 0, 0);
    if (i > 0)
      gst_structure_set (zone, "name", G_TYPE_STRING, "door", NULL);
    attach_zone (buffer, zone, i == 3 ? bad : corners, i == 0 ? 6 : i == 1 ? 5 : i == 2 ? 0 : 4);
    push_frame (&f, buffer);
  }
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_false (json_object_has_member (record_at (records, i), "zones"));
  fixture_clear (&f);
}

static void
the_senders_clock_is_told (void)
{
  Fixture f = fixture_new (LINES);
  g_autoptr (GstCaps) ntp = gst_caps_new_empty_simple ("timestamp/x-ntp");
  const GstClockTime times[] = {G_GUINT64_CONSTANT (3980842262174494742), 5};

  for (guint i = 0; i < 2; i++) {
    GstBuffer *buffer = frame_new (&f);
    yv_test_attach (buffer, W, H, NULL, 0, 0);
    gst_buffer_add_reference_timestamp_meta (buffer, ntp, times[i], GST_CLOCK_TIME_NONE);
    push_frame (&f, buffer);
  }
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  JsonObject *rtp = json_object_get_object_member (record_at (records, 0), "rtp");
  g_assert_cmpint (json_object_get_int_member (rtp, "sender_ntp_unix_timestamp_ns"), ==,
                   G_GINT64_CONSTANT (1771853462174494742));
  g_assert_false (json_object_has_member (record_at (records, 1), "rtp")); /* before 1970 */
  fixture_clear (&f);
}

static void
regions_of_others_are_told (void)
{
  Fixture f = fixture_new (LINES);
  GstBuffer *buffer = frame_new (&f);

  gst_buffer_add_video_region_of_interest_meta (buffer, "a\377\"b", 1000, 2, 3, 4);
  push_frame (&f, buffer);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  JsonObject *object = object_of (record_at (records, 0), 0);
  g_assert_cmpstr (json_object_get_string_member (object, "roi_type"), ==, "a\357\277\275\"b");
  g_assert_cmpint (json_object_get_int_member (object, "x"), ==, W); /* it is outside */
  g_assert_cmpint (json_object_get_int_member (object, "w"), ==, 0);
  fixture_clear (&f);
}

static void
boxes_of_another_frame_size_are_scaled (void)
{
  Fixture f = fixture_new (LINES);
  GstBuffer *buffer = frame_new (&f);

  yv_test_attach (buffer, 2 * W, 2 * H, &dog, 1, 0);
  push_frame (&f, buffer);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpint (json_object_get_int_member (object_of (record_at (records, 0), 0), "x"), ==, 8);
  fixture_clear (&f);
}

static void
ten_thousand_boxes_are_one_record (void)
{
  Fixture f = fixture_new (LINES);
  g_autofree GstYolov7Detection *dogs = g_new (GstYolov7Detection, 10000);

  for (guint i = 0; i < 10000; i++)
    dogs[i] = dog;
  push_with (&f, dogs, 10000);
  push_dogs (&f, 1);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (n_objects_of (record_at (records, 0)), ==, 10000);
  g_assert_cmpuint (n_objects_of (record_at (records, 1)), ==, 1);
  fixture_clear (&f);
}

static void
boxes_that_are_no_numbers_are_left_out (void)
{
  Fixture f = fixture_new (LINES);
  GstYolov7Detection detections[] = {dog, dog, dog};

  detections[0].x = NAN;
  detections[1].w = INFINITY;
  push_with (&f, detections, 3);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (n_objects_of (record_at (records, 0)), ==, 1);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/publish/" #name, name)
  TEST (each_analysed_frame_has_a_record);
  TEST (the_default_is_an_array);
  TEST (any_caps_pass);
  TEST (on_change_tells_who_comes_and_goes);
  TEST (after_a_flush_the_first_frame_is_news_and_the_sequence_goes_on);
  TEST (in_another_stream_the_first_frame_is_news);
  TEST (timestamps_are_stream_time);
  TEST (each_start_is_a_run_of_its_own);
  TEST (what_the_end_of_a_stream_follows_has_arrived);
  TEST (zones_are_told);
  TEST (frames_that_only_a_tracker_speaks_of_have_none);
  TEST (zones_that_are_none_are_left_out);
  TEST (the_senders_clock_is_told);
  TEST (regions_of_others_are_told);
  TEST (boxes_of_another_frame_size_are_scaled);
  TEST (ten_thousand_boxes_are_one_record);
  TEST (boxes_that_are_no_numbers_are_left_out);
#undef TEST
  const int status = g_test_run ();
  remove_folder ();
  return status;
}
