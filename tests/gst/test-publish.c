/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publish.c - yolov7publish: a record for each frame that says something, wherever
 * it goes, and a stream that nothing holds up. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gst/detectionmeta.h"
#include "tests/gst/frames.h"

#define W 160
#define H 120

static char *folder;

static const GstYolov7Detection dog = {.x = 16,
                                       .y = 12,
                                       .w = 80,
                                       .h = 60,
                                       .confidence = 0.5,
                                       .objectness = 0.5,
                                       .class_index = 16,
                                       .id = 3,
                                       .label = "dog"};

/* ---- an element, its bus and its file ------------------------------------------------------- */

typedef struct {
  GstHarness *h;
  GstElement *element;
  GstBus *bus;
  char *path;
  guint64 n_frames;
} Fixture;

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* @properties: FILE in it is a path that the fixture knows */
static Fixture
fixture_new_with_caps (const char *properties, const char *caps)
{
  static guint n_files = 0;
  g_autofree char *name = g_strdup_printf ("records-%u", n_files++);
  Fixture f = {.path = path_of (name)};
  g_auto (GStrv) parts = g_strsplit (properties, "FILE", -1);
  g_autofree char *set = g_strjoinv (f.path, parts);
  g_autofree char *launch = g_strdup_printf ("yolov7publish %s", set);

  f.h = gst_harness_new_parse (launch);
  f.element = gst_harness_find_element (f.h, "yolov7publish");
  f.bus = gst_bus_new ();
  gst_element_set_bus (f.element, f.bus);
  if (caps)
    gst_harness_set_src_caps_str (f.h, caps);
  return f;
}

static Fixture
fixture_new (const char *properties)
{
  return fixture_new_with_caps (properties, "video/x-raw,format=GRAY8,width=160,height=120");
}

#define LINES "file-path=FILE file-format=json-lines "

static void
fixture_stop (Fixture *f)
{
  if (f->h)
    gst_harness_teardown (f->h);
  f->h = NULL;
}

static void
fixture_clear (Fixture *f)
{
  fixture_stop (f);
  gst_element_set_bus (f->element, NULL);
  g_clear_object (&f->element);
  g_clear_object (&f->bus);
  g_remove (f->path);
  g_free (f->path);
}

static GstBuffer *
frame_new (Fixture *f)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, W * H, NULL);

  GST_BUFFER_PTS (buffer) = f->n_frames++ * 40 * GST_MSECOND;
  return buffer;
}

/* Takes @buffer; it comes out as it is. */
static void
push (Fixture *f, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (f->h, buffer), ==, GST_FLOW_OK);
  g_autoptr (GstBuffer) out = gst_harness_pull (f->h);
  g_assert_true (out == buffer);
}

static void
push_with (Fixture *f, const GstYolov7Detection *detections, guint n)
{
  GstBuffer *buffer = frame_new (f);

  yv_test_attach (buffer, W, H, detections, n, 0);
  push (f, buffer);
}

static void
push_dogs (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    push_with (f, &dog, 1);
}

static guint64
get_count (GstElement *element, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &n));
  return n;
}

/* Until the worker has done so much; meson ends a test that waits for ever. */
static void
wait_for_count (Fixture *f, const char *name, guint64 n)
{
  while (get_count (f->element, name) < n)
    g_thread_yield ();
}

/* The next message of this type, which must say @expected. */
static void
assert_message (Fixture *f, GstMessageType type, const char *expected)
{
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (f->bus, GST_CLOCK_TIME_NONE, type);
  g_autoptr (GError) error = NULL;

  if (type == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, NULL);
  else if (type == GST_MESSAGE_INFO)
    gst_message_parse_info (message, &error, NULL);
  else
    gst_message_parse_error (message, &error, NULL);
  if (!strstr (error->message, expected))
    g_error ("\"%s\" does not say \"%s\"", error->message, expected);
}

static void
assert_no_message (Fixture *f)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (f->bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_INFO);

  g_assert_null (message);
}

/* ---- records -------------------------------------------------------------------------------- */

/* Parses the lines of the file. Returns: (element-type JsonObject) */
static GPtrArray *
read_records (const char *path)
{
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *content = NULL;
  gsize size_bytes = 0;

  g_assert_true (g_file_get_contents (path, &content, &size_bytes, NULL));
  g_assert_cmpuint (strlen (content), ==, size_bytes);
  g_auto (GStrv) lines = g_strsplit (content, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i]; i++) {
    g_autoptr (GError) error = NULL;
    json_parser_load_from_data (parser, lines[i], -1, &error);
    g_assert_no_error (error);
    g_ptr_array_add (records,
                     json_object_ref (json_node_get_object (json_parser_get_root (parser))));
  }
  return records;
}

static JsonObject *
nth (GPtrArray *records, guint i)
{
  g_assert_cmpuint (i, <, records->len);
  return g_ptr_array_index (records, i);
}

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
  push_with (&f, NULL, 0);   /* analysed, and empty */
  push (&f, frame_new (&f)); /* not analysed */
  push_dogs (&f, 1);
  fixture_stop (&f);

  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 4);
  for (guint i = 0; i < 4; i++) {
    JsonObject *record = nth (records, i);
    g_assert_cmpint (json_object_get_int_member (record, "sequence"), ==, i + 1);
    g_assert_cmpstr (json_object_get_string_member (record, "source"), ==, "door");
    g_assert_cmpint (
        json_object_get_int_member (json_object_get_object_member (record, "tags"), "site"), ==, 1);
    g_assert_cmpstr (json_object_get_string_member (record, "run"), ==,
                     json_object_get_string_member (nth (records, 0), "run"));
    g_assert_true (json_object_has_member (record, "system_timestamp"));
  }
  JsonObject *first = nth (records, 0);
  JsonObject *object = object_of (first, 0);
  g_assert_cmpint (json_object_get_int_member (object, "x"), ==, 16);
  g_assert_cmpint (json_object_get_int_member (object, "id"), ==, 3);
  g_assert_cmpstr (json_object_get_string_member (object, "roi_type"), ==, "dog");
  g_assert_cmpint (
      json_object_get_int_member (json_object_get_object_member (first, "resolution"), "width"), ==,
      W);
  g_assert_cmpuint (n_objects_of (nth (records, 2)), ==, 0);
  g_assert_cmpint (json_object_get_int_member (nth (records, 3), "timestamp"), ==,
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
    g_assert_cmpint (json_object_has_member (nth (records, 0), "resolution"), ==, i == 0);
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
  g_assert_cmpint (json_object_get_int_member (nth (records, 1), "sequence"), ==, 2);
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
  g_assert_cmpint (json_object_get_int_member (nth (records, 0), "timestamp"), ==,
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
    g_assert_cmpint (json_object_get_int_member (nth (records, 0), "sequence"), ==, 1);
    runs[i] = g_strdup (json_object_get_string_member (nth (records, 0), "run"));
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
  push (&f, buffer);
  fixture_stop (&f);
  g_autofree char *content = NULL;
  g_assert_true (g_file_get_contents (f.path, &content, NULL, NULL));
  g_assert_nonnull (strstr (content, "\"zones\":[{\"name\":\"door\",\"kind\":\"zone\","
                                     "\"points\":[[0,0],[0.5,0],[0.5,1]],\"count\":2,"
                                     "\"entered\":7,\"left\":5,\"dwell_mean\":11,"
                                     "\"dwell_max\":13}]"));
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
    push (&f, buffer);
  }
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_false (json_object_has_member (nth (records, i), "zones"));
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
    push (&f, buffer);
  }
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  JsonObject *rtp = json_object_get_object_member (nth (records, 0), "rtp");
  g_assert_cmpint (json_object_get_int_member (rtp, "sender_ntp_unix_timestamp_ns"), ==,
                   G_GINT64_CONSTANT (1771853462174494742));
  g_assert_false (json_object_has_member (nth (records, 1), "rtp")); /* before 1970 */
  fixture_clear (&f);
}

static void
regions_of_others_are_told (void)
{
  Fixture f = fixture_new (LINES);
  GstBuffer *buffer = frame_new (&f);

  gst_buffer_add_video_region_of_interest_meta (buffer, "a\377\"b", 1000, 2, 3, 4);
  push (&f, buffer);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  JsonObject *object = object_of (nth (records, 0), 0);
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
  push (&f, buffer);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpint (json_object_get_int_member (object_of (nth (records, 0), 0), "x"), ==, 8);
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
  g_assert_cmpuint (n_objects_of (nth (records, 0)), ==, 10000);
  g_assert_cmpuint (n_objects_of (nth (records, 1)), ==, 1);
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
  g_assert_cmpuint (n_objects_of (nth (records, 0)), ==, 1);
  fixture_clear (&f);
}

/* ---- what goes wrong ------------------------------------------------------------------------ */

static void
a_start_that_cannot_work_fails_and_says_why (void)
{
  static const struct {
    const char *properties, *expected;
  } rows[] = {
      {"file-path=/", "/: can't be opened: Is a directory"},
      {"file-path=/no/such/folder/x", "No such file or directory. Make the folder"},
      {"file-path=\"\"", "there is no file-path"},
      {"file-path=/dev/null tags=north", "tags: "},
      {"file-path=/dev/null tags=[1]", "tags: expected a JSON object"},
      {"method=mqtt address=a topic=b mqtt-config=/no/such.json", "/no/such.json: can't be opened"},
      {"method=kafka address=a topic=b kafka-config=/", "/: is a directory"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *launch = g_strdup_printf ("yolov7publish %s", rows[i].properties);
    g_autoptr (GstElement) element = gst_parse_launch (launch, NULL);
    Fixture f = {.element = gst_object_ref_sink (element), .bus = gst_bus_new ()};
    gst_element_set_bus (f.element, f.bus);
    g_assert_cmpint (gst_element_set_state (f.element, GST_STATE_PAUSED), ==,
                     GST_STATE_CHANGE_FAILURE);
    assert_message (&f, GST_MESSAGE_ERROR, rows[i].expected);
    gst_element_set_state (f.element, GST_STATE_NULL);
    gst_element_set_bus (f.element, NULL);
    g_object_unref (f.bus);
  }
}

static void
a_full_disk_is_told_once_and_holds_nothing_up (void)
{
  Fixture f = fixture_new ("file-path=/dev/full file-format=json-lines drain-timeout=0");

  push_dogs (&f, 50);
  assert_message (&f, GST_MESSAGE_WARNING, "/dev/full: can't be written: No space left on device");
  push_dogs (&f, 50);
  fixture_stop (&f);
  assert_message (&f, GST_MESSAGE_WARNING, "100 records had not arrived");
  assert_no_message (&f);
  g_assert_cmpuint (get_count (f.element, "lost"), ==, 100);
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 0);
  g_assert_cmpuint (get_count (f.element, "outages"), ==, 1);
  fixture_clear (&f);
}

static void
a_full_queue_drops_the_oldest (void)
{
  Fixture f = fixture_new ("file-path=/dev/full queue-size=10 drain-timeout=0");

  push_dogs (&f, 30);
  fixture_stop (&f);
  const guint64 n_dropped = get_count (f.element, "dropped");
  g_assert_cmpuint (n_dropped + get_count (f.element, "lost"), ==, 30);
  g_assert_cmpuint (n_dropped, >=, 20);
  fixture_clear (&f);
}

static void
it_gives_up_after_the_attempts_it_may_make (void)
{
  Fixture f = fixture_new ("file-path=/dev/full max-connect-attempts=1");

  push_dogs (&f, 1);
  assert_message (&f, GST_MESSAGE_WARNING, "gave up after 1 attempts");
  push_dogs (&f, 5);
  g_assert_cmpuint (get_count (f.element, "dropped"), ==, 6);
  g_assert_cmpuint (get_count (f.element, "waiting"), ==, 0);
  fixture_clear (&f);
}

static int
open_reader (const char *path)
{
  const int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* Records that lay in the pipe when the reader left are gone with it; all others come, in order. */
static void
readers_of_a_fifo_may_leave_and_come_back (void)
{
  g_autofree char *path = path_of ("fifo");
  g_autofree char *properties =
      g_strdup_printf ("file-path=%s file-format=json-lines drain-timeout=0", path);
  char bytes[65536];

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  Fixture f = fixture_new (properties);
  push_dogs (&f, 3);
  assert_message (&f, GST_MESSAGE_WARNING, "nothing reads this FIFO");

  int reader = open_reader (path);
  wait_for_count (&f, "arrived", 3);
  assert_message (&f, GST_MESSAGE_INFO, "records go out again");
  g_assert_cmpint (read (reader, bytes, sizeof bytes), >, 0);
  close (reader);
  wait_for_count (&f, "outages", 2);
  push_dogs (&f, 2);

  reader = open_reader (path);
  wait_for_count (&f, "arrived", 5);
  const ssize_t n = read (reader, bytes, sizeof bytes - 1);
  g_assert_cmpint (n, >, 0);
  bytes[n] = '\0';
  g_assert_true (g_str_has_prefix (bytes, "{\"objects\":"));
  g_assert_nonnull (strstr (bytes, "\"sequence\":4"));
  g_assert_nonnull (strstr (bytes, "\"sequence\":5"));
  close (reader);
  fixture_clear (&f);
}

/* ---- changes while playing ------------------------------------------------------------------ */

static void
source_tags_and_when_change_with_the_next_frame (void)
{
  Fixture f = fixture_new (LINES "source=a");

  push_dogs (&f, 1);
  g_object_set (f.element, "source", "b", "tags", "{\"n\": 2}", NULL);
  push_dogs (&f, 1);
  g_object_set (f.element, "source", NULL, "tags", NULL, NULL);
  push_dogs (&f, 1);
  gst_util_set_object_arg (G_OBJECT (f.element), "when", "on-change");
  push_dogs (&f, 5);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_cmpuint (records->len, ==, 3);
  g_assert_cmpstr (json_object_get_string_member (nth (records, 0), "source"), ==, "a");
  g_assert_cmpstr (json_object_get_string_member (nth (records, 1), "source"), ==, "b");
  g_assert_true (json_object_has_member (nth (records, 1), "tags"));
  g_assert_false (json_object_has_member (nth (records, 2), "source"));
  g_assert_false (json_object_has_member (nth (records, 2), "tags"));
  fixture_clear (&f);
}

static void
other_properties_stay_as_they_are (void)
{
  static const char *const names[] = {
      "method",      "file-path",    "file-format", "address",     "topic",        "mqtt-client-id",
      "mqtt-config", "kafka-config", "queue-size",  "queue-bytes", "drain-timeout"};
  static const char *const values[] = {"mqtt", "/x", "json", "x",    "x", "x",
                                       "x",    "x",  "7",    "2000", "1"};
  Fixture f = fixture_new (LINES);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_auto (GValue) before = G_VALUE_INIT, after = G_VALUE_INIT;
    g_object_get_property (G_OBJECT (f.element), names[i], &before);
    gst_util_set_object_arg (G_OBJECT (f.element), names[i], values[i]);
    assert_message (&f, GST_MESSAGE_WARNING, "can't be changed while records are published");
    g_object_get_property (G_OBJECT (f.element), names[i], &after);
    g_assert_cmpint (gst_value_compare (&before, &after), ==, GST_VALUE_EQUAL);
  }
  fixture_stop (&f);
  g_object_set (f.element, "topic", "x", NULL);
  assert_no_message (&f);
  fixture_clear (&f);
}

static void
tags_that_are_no_json_leave_the_old_ones (void)
{
  Fixture f = fixture_new (LINES "tags={\\\"n\\\":1}");

  g_object_set (f.element, "tags", "{", NULL);
  assert_message (&f, GST_MESSAGE_WARNING, "The old tags stay: tags: ");
  push_dogs (&f, 1);
  fixture_stop (&f);
  g_autoptr (GPtrArray) records = read_records (f.path);
  g_assert_true (json_object_has_member (nth (records, 0), "tags"));
  fixture_clear (&f);
}

static void
a_password_can_be_set_and_not_be_read (void)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("yolov7publish", NULL);
  GObjectClass *class = G_OBJECT_GET_CLASS (element);

  g_object_ref_sink (element);
  g_object_set (element, "username", "me", "password", "secret", NULL);
  g_assert_false (g_object_class_find_property (class, "username")->flags & G_PARAM_READABLE);
  g_assert_false (g_object_class_find_property (class, "password")->flags & G_PARAM_READABLE);
}

static void
states_may_be_changed_again_and_again (void)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("yolov7publish", NULL);
  g_autofree char *path = path_of ("states");

  g_object_ref_sink (element);
  g_object_set (element, "file-path", path, NULL);
  for (int i = 0; i < 20; i++) {
    g_assert_cmpint (gst_element_set_state (element, GST_STATE_PLAYING), !=,
                     GST_STATE_CHANGE_FAILURE);
    g_assert_cmpint (gst_element_set_state (element, i % 2 ? GST_STATE_NULL : GST_STATE_READY), !=,
                     GST_STATE_CHANGE_FAILURE);
  }
  gst_element_set_state (element, GST_STATE_NULL);
  g_remove (path);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("yv-publish-XXXXXX", NULL);
#define TEST(name) g_test_add_func ("/publish/" #name, name)
  TEST (each_analysed_frame_has_a_record);
  TEST (the_default_is_an_array);
  TEST (any_caps_pass);
  TEST (on_change_tells_who_comes_and_goes);
  TEST (after_a_flush_the_first_frame_is_news_and_the_sequence_goes_on);
  TEST (timestamps_are_stream_time);
  TEST (each_start_is_a_run_of_its_own);
  TEST (what_the_end_of_a_stream_follows_has_arrived);
  TEST (zones_are_told);
  TEST (zones_that_are_none_are_left_out);
  TEST (the_senders_clock_is_told);
  TEST (regions_of_others_are_told);
  TEST (boxes_of_another_frame_size_are_scaled);
  TEST (ten_thousand_boxes_are_one_record);
  TEST (boxes_that_are_no_numbers_are_left_out);
  TEST (a_start_that_cannot_work_fails_and_says_why);
  TEST (a_full_disk_is_told_once_and_holds_nothing_up);
  TEST (a_full_queue_drops_the_oldest);
  TEST (it_gives_up_after_the_attempts_it_may_make);
  TEST (readers_of_a_fifo_may_leave_and_come_back);
  TEST (source_tags_and_when_change_with_the_next_frame);
  TEST (other_properties_stay_as_they_are);
  TEST (tags_that_are_no_json_leave_the_old_ones);
  TEST (a_password_can_be_set_and_not_be_read);
  TEST (states_may_be_changed_again_and_again);
#undef TEST
  const int status = g_test_run ();
  g_autofree char *fifo = path_of ("fifo");
  g_remove (fifo);
  g_rmdir (folder);
  g_free (folder);
  return status;
}
