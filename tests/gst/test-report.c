/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-report.c - gst/report.h: the fields of "stats" and of messages. */
#include "gst/report.h"

#include "tests/gst/frames.h"

/* Each field has a value of its own, so that none can stand for another. */
static const GstYolov7Stats full = {
    .frames_in = 1,
    .frames_analysed = 2,
    .skipped_interval = 3,
    .skipped_busy = 4,
    .skipped_late = 5,
    .frames_dropped = 6,
    .detections = 7,
    .frames_in_place = 8,
    .frames_imported = 9,
    .frames_copied = 10,
    .batch_fill = 2.5,
    .recoveries = 11,
    .model_updates = 12,
    .latency = 13,
    .weights_bytes = 100,
    .activations_bytes = 20000,
    .frames_bytes = 3000000,
    .model = "/models/best.pt",
    .device = "NVIDIA \"H200\"; 0",
    .precision = "fp16",
    .stages =
        {
            [GST_YOLOV7_STAGE_WAIT] = {21, 31},
            [GST_YOLOV7_STAGE_UPLOAD] = {22, 32},
            [GST_YOLOV7_STAGE_LETTERBOX] = {23, 33},
            [GST_YOLOV7_STAGE_NETWORK] = {24, 34},
            [GST_YOLOV7_STAGE_DECODE] = {25, 35},
            [GST_YOLOV7_STAGE_READBACK] = {26, 36},
            [GST_YOLOV7_STAGE_NMS] = {27, 37},
            [GST_YOLOV7_STAGE_TOTAL] = {28, G_MAXUINT64},
        },
};

static const struct {
  const char *name;
  guint64 value;
} numbers[] = {
    {"frames-in", 1},
    {"frames-analysed", 2},
    {"skipped-interval", 3},
    {"skipped-busy", 4},
    {"skipped-late", 5},
    {"frames-dropped", 6},
    {"detections", 7},
    {"frames-in-place", 8},
    {"frames-imported", 9},
    {"frames-copied", 10},
    {"recoveries", 11},
    {"model-updates", 12},
    {"latency", 13},
    {"device-memory", 3020100},
    {"weights-memory", 100},
    {"activations-memory", 20000},
    {"frames-memory", 3000000},
    {"wait-mean", 21},
    {"wait-p99", 31},
    {"upload-mean", 22},
    {"upload-p99", 32},
    {"letterbox-mean", 23},
    {"letterbox-p99", 33},
    {"network-mean", 24},
    {"network-p99", 34},
    {"decode-mean", 25},
    {"decode-p99", 35},
    {"readback-mean", 26},
    {"readback-p99", 36},
    {"nms-mean", 27},
    {"nms-p99", 37},
    {"total-mean", 28},
    {"total-p99", G_MAXUINT64},
};

static void
assert_number (const GstStructure *s, const char *name, guint64 expected)
{
  guint64 value = 0;

  if (!gst_structure_get_uint64 (s, name, &value))
    g_error ("no number %s", name);
  g_assert_cmpuint (value, ==, expected);
}

/* ---- stats ---------------------------------------------------------------------------------- */

static void
stats_have_each_field_of_the_table (void)
{
  g_autoptr (GstStructure) s = gst_yolov7_report_stats (&full);
  double fill = 0;

  g_assert_true (gst_structure_has_name (s, "yolov7-stats"));
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    assert_number (s, numbers[i].name, numbers[i].value);
  g_assert_true (gst_structure_get_double (s, "batch-fill", &fill));
  g_assert_cmpfloat (fill, ==, 2.5);
  g_assert_cmpstr (gst_structure_get_string (s, "model"), ==, full.model);
  g_assert_cmpstr (gst_structure_get_string (s, "device"), ==, full.device);
  g_assert_cmpstr (gst_structure_get_string (s, "precision"), ==, "fp16");
  g_assert_cmpint (gst_structure_n_fields (s), ==, G_N_ELEMENTS (numbers) + 4);
}

static void
stats_before_there_is_a_model_are_zero (void)
{
  const GstYolov7Stats none = {0};
  g_autoptr (GstStructure) s = gst_yolov7_report_stats (&none);

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    assert_number (s, numbers[i].name, 0);
  g_assert_false (gst_structure_has_field (s, "model"));
  g_assert_false (gst_structure_has_field (s, "device"));
  g_assert_false (gst_structure_has_field (s, "precision"));
}

/* As gst-launch-1.0 -v prints it. */
static void
stats_survive_being_text (void)
{
  g_autoptr (GstStructure) s = gst_yolov7_report_stats (&full);
  g_autofree char *text = gst_structure_to_string (s);
  g_autoptr (GstStructure) back = gst_structure_from_string (text, NULL);

  g_assert_nonnull (back);
  g_assert_true (gst_structure_is_equal (s, back));
}

/* ---- messages ------------------------------------------------------------------------------- */

static const GstYolov7Frame frame = {
    .width = 320,
    .height = 240,
    .pts = 12 * GST_SECOND,
    .duration = 40 * GST_MSECOND,
};

static const GstYolov7Detection two[] = {
    {.x = 40.5,
     .y = 60.25,
     .w = 80,
     .h = 120,
     .confidence = 0.875,
     .objectness = 0.9375,
     .class_index = 2,
     .id = -1,
     .label = "car"},
    {.w = 1, .h = 2, .class_index = -1, .id = 5},
};

/* Starts at 10 s of what the media calls 110 s, after 3 s of another. */
static GstSegment
segment_in (GstFormat format)
{
  GstSegment segment;

  gst_segment_init (&segment, format);
  segment.start = 10 * GST_SECOND;
  segment.time = 110 * GST_SECOND;
  segment.base = 3 * GST_SECOND;
  return segment;
}

static void
assert_times (const GstStructure *s, guint64 timestamp, guint64 stream_time, guint64 running_time,
              guint64 duration)
{
  assert_number (s, "timestamp", timestamp);
  assert_number (s, "stream-time", stream_time);
  assert_number (s, "running-time", running_time);
  assert_number (s, "duration", duration);
}

static void
a_message_tells_when_and_how_large_the_frame_was (void)
{
  const GstSegment segment = segment_in (GST_FORMAT_TIME);
  g_autoptr (GstStructure) s = gst_yolov7_report_detections (&frame, &segment, two, 2);
  guint width = 0, height = 0;

  g_assert_true (gst_structure_has_name (s, "yolov7-detections"));
  assert_times (s, 12 * GST_SECOND, 112 * GST_SECOND, 5 * GST_SECOND, 40 * GST_MSECOND);
  g_assert_true (
      gst_structure_get (s, "width", G_TYPE_UINT, &width, "height", G_TYPE_UINT, &height, NULL));
  g_assert_cmpuint (width, ==, 320);
  g_assert_cmpuint (height, ==, 240);
  g_assert_cmpint (gst_structure_n_fields (s), ==, 7);
}

static void
a_message_holds_what_the_buffer_holds (void)
{
  const GstSegment segment = segment_in (GST_FORMAT_TIME);
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstStructure) s = gst_yolov7_report_detections (&frame, &segment, two, 2);

  yv_test_attach (buffer, 320, 240, two, 2, 0);
  const GstStructure *meta = gst_custom_meta_get_structure (
      gst_buffer_get_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME));
  const GValue *array = gst_structure_get_value (s, "detections");
  g_assert_cmpuint (gst_value_array_get_size (array), ==, 2);
  g_assert_cmpint (gst_value_compare (array, gst_structure_get_value (meta, "detections")), ==,
                   GST_VALUE_EQUAL);
}

static void
a_message_of_a_frame_with_nothing_in_it_is_one (void)
{
  const GstSegment segment = segment_in (GST_FORMAT_TIME);
  g_autoptr (GstStructure) s = gst_yolov7_report_detections (&frame, &segment, NULL, 0);

  g_assert_cmpuint (gst_value_array_get_size (gst_structure_get_value (s, "detections")), ==, 0);
}

static void
times_that_are_not_known_are_none (void)
{
  const GstYolov7Frame untimed = {320, 240, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE};
  const GstSegment timed = segment_in (GST_FORMAT_TIME), bytes = segment_in (GST_FORMAT_BYTES);
  g_autoptr (GstStructure) no_pts = gst_yolov7_report_detections (&untimed, &timed, two, 2);
  g_autoptr (GstStructure) no_segment = gst_yolov7_report_detections (&frame, &bytes, two, 2);

  assert_times (no_pts, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
                GST_CLOCK_TIME_NONE);
  assert_times (no_segment, 12 * GST_SECOND, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
                40 * GST_MSECOND);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/stats", stats_have_each_field_of_the_table);
  g_test_add_func ("/report/stats-empty", stats_before_there_is_a_model_are_zero);
  g_test_add_func ("/report/stats-text", stats_survive_being_text);
  g_test_add_func ("/report/message", a_message_tells_when_and_how_large_the_frame_was);
  g_test_add_func ("/report/message-detections", a_message_holds_what_the_buffer_holds);
  g_test_add_func ("/report/message-empty", a_message_of_a_frame_with_nothing_in_it_is_one);
  g_test_add_func ("/report/message-untimed", times_that_are_not_known_are_none);
  return g_test_run ();
}
