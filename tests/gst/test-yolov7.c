/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-yolov7.c - the element yolov7 on frames: what it attaches, in every format, and
 * what it does when properties, caps or segments change. */
#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <math.h>

#include "gst/detectionmeta.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/gst/frames.h"

/* Small enough to be quick on a CPU, large enough for three pedestrians. */
#define W 768
#define H 576
#define SIZE "input-size=384"

/* ---- helpers -------------------------------------------------------------------------------- */

static GstHarness *
detector_new (const char *properties)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *launch = g_strdup_printf ("yolov7 model-file=\"%s\" %s", model, properties);

  return gst_harness_new_parse (launch);
}

static void
set_caps (GstHarness *h, GstCaps *caps)
{
  gst_harness_set_caps (h, gst_caps_ref (caps), gst_caps_ref (caps));
}

/* Takes @frame; @found: of GstYolov7Detection, whose labels are not valid any more. */
static GArray *
detect (GstHarness *h, GstBuffer *frame)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);

  g_assert_nonnull (out);
  g_assert_true (gst_yolov7_detections_read (out, found));
  return found;
}

static const GstYolov7Detection *
nth (GArray *found, guint i)
{
  return &g_array_index (found, GstYolov7Detection, i);
}

static double
iou (const GstYolov7Detection *a, const GstYolov7Detection *b)
{
  const double w = MIN (a->x + a->w, b->x + b->w) - MAX (a->x, b->x);
  const double h = MIN (a->y + a->h, b->y + b->h) - MAX (a->y, b->y);
  const double both = MAX (w, 0) * MAX (h, 0);

  return both / (a->w * a->h + b->w * b->h - both);
}

/* Every detection of @a well above the threshold has its like in @b. */
static void
assert_contained (GArray *a, GArray *b, double conf_tolerance, const char *what)
{
  for (guint i = 0; i < a->len; i++) {
    gboolean matched = nth (a, i)->confidence < 0.25 + conf_tolerance;
    for (guint k = 0; k < b->len && !matched; k++)
      matched = iou (nth (a, i), nth (b, k)) > 0.9 &&
                fabs (nth (a, i)->confidence - nth (b, k)->confidence) < conf_tolerance;
    if (!matched)
      g_error ("%s: no match for %.1f,%.1f %.1fx%.1f %.3f", what, nth (a, i)->x, nth (a, i)->y,
               nth (a, i)->w, nth (a, i)->h, nth (a, i)->confidence);
  }
}

static void
assert_same (GArray *a, GArray *b, double conf_tolerance, const char *what)
{
  assert_contained (a, b, conf_tolerance, what);
  assert_contained (b, a, conf_tolerance, what);
}

/* The clip, or NULL with the test skipped. */
static GstSample *
need_clip (void)
{
  if (!yv_test_needs_vulkan ())
    return NULL;

  GstSample *clip = yv_test_clip ();
  if (!clip)
    g_test_skip ("needs vtest.avi of Debian's package opencv-doc, and gstreamer1.0-libav");
  return clip;
}

/* ---- detections ----------------------------------------------------------------------------- */

static void
pedestrians_are_found_where_they_walk (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  /* Frame 0, seen by eye. */
  static const GstYolov7Detection persons[] = {
      {.x = 643, .y = 239, .w = 42, .h = 84},
      {.x = 253, .y = 219, .w = 31, .h = 90},
      {.x = 503, .y = 161, .w = 27, .h = 71},
  };
  GstHarness *h = detector_new ("confidence-threshold=0.5");

  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GArray) found = detect (h, yv_test_frame (clip));
  for (guint i = 0; i < found->len; i++)
    g_test_message ("%.1f,%.1f %.1fx%.1f %.3f", nth (found, i)->x, nth (found, i)->y,
                    nth (found, i)->w, nth (found, i)->h, nth (found, i)->confidence);
  g_assert_cmpuint (found->len, ==, G_N_ELEMENTS (persons));
  for (guint i = 0; i < G_N_ELEMENTS (persons); i++) {
    double best = 0;
    for (guint k = 0; k < found->len; k++)
      best = MAX (best, iou (&persons[i], nth (found, k)));
    g_assert_cmpfloat (best, >, 0.6);
  }
  for (guint i = 0; i < found->len; i++) {
    g_assert_cmpfloat (nth (found, i)->confidence, >, 0.5);
    g_assert_cmpfloat (nth (found, i)->objectness, >=, nth (found, i)->confidence - 1e-6);
    g_assert_cmpint (nth (found, i)->class_index, ==, 0);
    g_assert_cmpint (nth (found, i)->id, ==, -1);
    g_assert_true (i == 0 || nth (found, i)->confidence <= nth (found, i - 1)->confidence);
  }
  gst_harness_teardown (h);
}

static void
every_format_gives_the_same_detections (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE);

  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GArray) expected = detect (h, yv_test_frame (clip));
  g_assert_cmpuint (expected->len, >=, 2);
  for (guint i = 0; yv_test_formats[i]; i++) {
    const gboolean gray = g_str_equal (yv_test_formats[i], "GRAY8");
    g_autoptr (GstSample) picture = yv_test_convert (clip, yv_test_formats[i], W, H);
    set_caps (h, gst_sample_get_caps (picture));
    g_autoptr (GArray) found = detect (h, yv_test_frame (picture));
    if (gray) /* another picture: only that it is analysed can be said */
      continue;
    assert_same (expected, found, 0.05, yv_test_formats[i]);

    g_autoptr (GArray) padded = detect (h, yv_test_padded_frame (picture, 28));
    assert_same (found, padded, 1e-4, yv_test_formats[i]);
  }
  gst_harness_teardown (h);
}

static void
gray_is_the_same_as_a_gray_picture_in_color (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  g_autoptr (GstSample) gray = yv_test_convert (clip, "GRAY8", W, H);
  g_autoptr (GstSample) rgb = yv_test_convert (gray, "RGB", W, H);
  GstHarness *h = detector_new (SIZE);

  set_caps (h, gst_sample_get_caps (gray));
  g_autoptr (GArray) a = detect (h, yv_test_frame (gray));
  set_caps (h, gst_sample_get_caps (rgb));
  g_autoptr (GArray) b = detect (h, yv_test_frame (rgb));
  assert_same (a, b, 0.02, "GRAY8");
  gst_harness_teardown (h);
}

static void
a_frame_with_nothing_on_it_is_marked_as_analysed (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (97, 61, 0);
  GstHarness *h = detector_new ("input-size=64 confidence-threshold=1");

  set_caps (h, gst_sample_get_caps (black));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, yv_test_frame (black));
  GstCustomMeta *meta = gst_buffer_get_custom_meta (out, GST_YOLOV7_DETECTIONS_META_NAME);
  const GstStructure *s = gst_custom_meta_get_structure (meta);
  guint width, height;
  g_assert_true (
      gst_structure_get (s, "width", G_TYPE_UINT, &width, "height", G_TYPE_UINT, &height, NULL));
  g_assert_cmpuint (width, ==, 97);
  g_assert_cmpuint (height, ==, 61);
  g_assert_cmpuint (gst_value_array_get_size (gst_structure_get_value (s, "detections")), ==, 0);
  g_assert_cmpuint (gst_buffer_get_n_meta (out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==, 0);
  gst_harness_teardown (h);
}

static void
the_most_confident_are_kept (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");

  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GArray) all = detect (h, yv_test_frame (clip));
  g_object_set (yolov7, "max-detections", 1, NULL);
  g_autoptr (GArray) one = detect (h, yv_test_frame (clip));
  g_assert_cmpuint (one->len, ==, 1);
  g_assert_cmpfloat (iou (nth (one, 0), nth (all, 0)), >, 0.999);
  gst_harness_teardown (h);
}

static void
regions_of_interest_say_the_same (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  set_caps (h, gst_sample_get_caps (clip));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, yv_test_frame (clip));
  gst_yolov7_detections_read (out, found);
  for (guint i = 0; i < found->len; i++) {
    GstVideoRegionOfInterestMeta *roi =
        gst_buffer_get_video_region_of_interest_meta_id (out, (gint) i);
    g_assert_cmpstr (g_quark_to_string (roi->roi_type), ==, "person");
    g_assert_cmpfloat_with_epsilon (roi->x, nth (found, i)->x, 0.5);
    g_assert_cmpfloat_with_epsilon (roi->h, nth (found, i)->h, 1);
  }
  g_object_set (yolov7, "attach-roi-meta", FALSE, NULL);
  g_autoptr (GstBuffer) bare = gst_harness_push_and_pull (h, yv_test_frame (clip));
  g_assert_null (gst_buffer_get_video_region_of_interest_meta_id (bare, 0));
  g_assert_nonnull (gst_buffer_get_custom_meta (bare, GST_YOLOV7_DETECTIONS_META_NAME));
  gst_harness_teardown (h);
}

/* ---- the buffer ----------------------------------------------------------------------------- */

static void
pixels_are_neither_changed_nor_copied (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) picture = yv_test_plain (64, 48, 0x123456);
  GstHarness *h = detector_new ("input-size=64");
  GstBuffer *frame = yv_test_frame (picture);
  GstMemory *memory = gst_buffer_peek_memory (frame, 0);
  g_autoptr (GstBuffer) held = gst_buffer_ref (frame); /* as the other branch of a tee does */

  set_caps (h, gst_sample_get_caps (picture));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
  g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
  g_assert_null (gst_buffer_get_custom_meta (held, GST_YOLOV7_DETECTIONS_META_NAME));
  g_assert_nonnull (gst_buffer_get_custom_meta (out, GST_YOLOV7_DETECTIONS_META_NAME));
  gst_harness_teardown (h);
}

static void
times_and_flags_stay (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) picture = yv_test_plain (64, 48, 0x123456);
  GstHarness *h = detector_new ("input-size=64");
  GstBuffer *frame = yv_test_frame (picture);

  GST_BUFFER_PTS (frame) = 3 * GST_SECOND;
  GST_BUFFER_DTS (frame) = 2 * GST_SECOND;
  GST_BUFFER_OFFSET (frame) = 75;
  GST_BUFFER_FLAG_SET (frame, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_DELTA_UNIT);
  set_caps (h, gst_sample_get_caps (picture));
  g_autoptr (GstBuffer) out = gst_harness_push_and_pull (h, frame);
  g_assert_cmpuint (GST_BUFFER_PTS (out), ==, 3 * GST_SECOND);
  g_assert_cmpuint (GST_BUFFER_DTS (out), ==, 2 * GST_SECOND);
  g_assert_cmpuint (GST_BUFFER_DURATION (out), ==, GST_SECOND / 25);
  g_assert_cmpuint (GST_BUFFER_OFFSET (out), ==, 75);
  g_assert_true (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_DISCONT));
  g_assert_true (GST_BUFFER_FLAG_IS_SET (out, GST_BUFFER_FLAG_DELTA_UNIT));
  gst_harness_teardown (h);
}

static void
padded_buffers_are_asked_for (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  GstHarness *h = detector_new ("input-size=64");
  g_autoptr (GstCaps) caps = yv_test_caps ("I420", 64, 48);

  set_caps (h, caps);
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, FALSE);
  g_assert_true (gst_pad_peer_query (h->srcpad, query));
  g_assert_true (gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  gst_harness_teardown (h);
}

/* ---- changes -------------------------------------------------------------------------------- */

static guint
count (GstHarness *h, GstSample *picture)
{
  g_autoptr (GArray) found = detect (h, yv_test_frame (picture));

  return found->len;
}

static void
properties_take_effect_with_the_next_frame (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");

  set_caps (h, gst_sample_get_caps (clip));
  const guint n = count (h, clip);
  g_assert_cmpuint (n, >=, 2);
  g_object_set (yolov7, "confidence-threshold", 1.0, NULL);
  g_assert_cmpuint (count (h, clip), ==, 0);
  g_object_set (yolov7, "confidence-threshold", 0.25, "classes", "person", NULL);
  g_assert_cmpuint (count (h, clip), ==, n);
  g_object_set (yolov7, "classes", NULL, "iou-threshold", 1.0, NULL);
  g_assert_cmpuint (count (h, clip), >, n); /* nothing is suppressed */
  g_object_set (yolov7, "iou-threshold", 0.45, "class-agnostic-nms", TRUE, NULL);
  g_assert_cmpuint (count (h, clip), ==, n);
  gst_harness_teardown (h);
}

static void
a_wrong_class_while_playing_is_a_warning_and_changes_nothing (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *h = detector_new ("input-size=64");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  set_caps (h, gst_sample_get_caps (black));
  gst_element_set_bus (yolov7, bus);
  const guint n = count (h, black);
  g_object_set (yolov7, "classes", "unicorn", NULL);
  g_assert_cmpuint (count (h, black), ==, n);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "unicorn"));
  g_assert_nonnull (strstr (error->message, "person")); /* what there is */

  g_assert_cmpuint (count (h, black), ==, n);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)); /* once, not per frame */
  gst_element_set_bus (yolov7, NULL);
  gst_harness_teardown (h);
}

static void
a_wrong_class_keeps_no_other_property_from_changing (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  GstHarness *h = detector_new (SIZE " classes=person");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  set_caps (h, gst_sample_get_caps (clip));
  gst_element_set_bus (yolov7, bus);
  const guint n = count (h, clip);
  g_assert_cmpuint (n, >=, 2);
  g_object_set (yolov7, "classes", "unicorn", "max-detections", 1, NULL);
  g_assert_cmpuint (count (h, clip), ==, 1);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_true (g_str_has_prefix (error->message, "The classes stay as they were: "));
  g_object_set (yolov7, "max-detections", 300, NULL);
  g_assert_cmpuint (count (h, clip), ==, n);
  g_object_set (yolov7, "confidence-threshold", 1.0, NULL);
  g_assert_cmpuint (count (h, clip), ==, 0);
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)); /* once is enough */
  gst_element_set_bus (yolov7, NULL);
  gst_harness_teardown (h);
}

/* 1000x8 fits where the network's input is 640 wide; where it is 32, less than a row is left. */
static void
the_input_size_is_that_of_the_start (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (1000, 8, 0);
  GstHarness *h = detector_new ("input-size=640");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  guint size = 0;

  set_caps (h, gst_sample_get_caps (black));
  g_object_set (yolov7, "input-size", 32, NULL);
  gst_util_set_object_arg (G_OBJECT (yolov7), "letterbox-mode", "fixed");
  g_assert_cmpint (gst_harness_push (h, yv_test_frame (black)), ==, GST_FLOW_OK);
  g_object_set (yolov7, "confidence-threshold", 0.5, NULL);
  g_assert_cmpint (gst_harness_push (h, yv_test_frame (black)), ==, GST_FLOW_OK);
  g_object_get (yolov7, "input-size", &size, NULL);
  g_assert_cmpuint (size, ==, 32); /* of the next start */
  gst_harness_teardown (h);
}

static void
caps_may_change_in_the_middle (void)
{
  g_autoptr (GstSample) clip = need_clip ();
  if (!clip)
    return;
  static const guint sizes[][2] = {{W, H}, {W / 2, H / 2}, {611, 459}, {W, H}};
  GstHarness *h = detector_new (SIZE);
  g_autoptr (GArray) first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const double scale_x = sizes[i][0] / (double) W, scale_y = sizes[i][1] / (double) H;
    g_autoptr (GstSample) picture = yv_test_convert (clip, "I420", sizes[i][0], sizes[i][1]);
    set_caps (h, gst_sample_get_caps (picture));
    g_autoptr (GArray) found = detect (h, yv_test_frame (picture));
    for (guint k = 0; k < found->len; k++) {
      GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, k);
      d->x /= scale_x;
      d->w /= scale_x;
      d->y /= scale_y;
      d->h /= scale_y;
    }
    if (!first)
      first = g_array_ref (found);
    g_assert_cmpuint (found->len, >=, 2);
    g_assert_cmpfloat (iou (nth (first, 0), nth (found, 0)), >, 0.5);
  }
  gst_harness_teardown (h);
}

static void
flushes_segments_and_the_end_of_stream_pass_in_order (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *h = detector_new ("input-size=64");
  GstSegment segment;

  set_caps (h, gst_sample_get_caps (black));
  count (h, black);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_cmpint (gst_harness_push (h, yv_test_frame (black)), ==, GST_FLOW_FLUSHING);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 7 * GST_SECOND;
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  GstBuffer *frame = yv_test_frame (black);
  GST_BUFFER_PTS (frame) = 8 * GST_SECOND;
  gst_buffer_unref (gst_harness_push_and_pull (h, frame));
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  g_assert_cmpint (gst_harness_push (h, yv_test_frame (black)), ==, GST_FLOW_EOS);

  GstEventType last = GST_EVENT_UNKNOWN;
  g_autoptr (GstEvent) event = NULL;
  while ((event = gst_harness_try_pull_event (h))) {
    last = GST_EVENT_TYPE (event);
    g_clear_pointer (&event, gst_event_unref);
  }
  g_assert_cmpint (last, ==, GST_EVENT_EOS);
  gst_harness_teardown (h);
}

/* Spoils the checksum in the last row of the zip's directory. */
static char *
write_wrong_sum (const char *folder)
{
  g_autofree char *good = yv_test_source_path ("models/pets-tiny.pt");
  char *path = g_build_filename (folder, "wrong-sum.pt", NULL);
  g_autofree char *bytes = NULL;
  gsize size_bytes;

  g_assert_true (g_file_get_contents (good, &bytes, &size_bytes, NULL));
  gsize row = size_bytes - 46;
  while (memcmp (bytes + row, "PK\1\2", 4) != 0)
    row--;
  bytes[row + 16] = (char) ~bytes[row + 16];
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size_bytes, NULL));
  return path;
}

static void
a_checkpoint_of_wrong_checksums_is_a_warning (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yolov7-XXXXXX", NULL);
  g_autofree char *path = write_wrong_sum (folder);
  GstElement *yolov7 = gst_element_factory_make ("yolov7", NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  g_object_set (yolov7, "model-file", path, "device", "reference", NULL);
  gst_element_set_bus (yolov7, bus);
  g_assert_cmpint (gst_element_set_state (yolov7, GST_STATE_PAUSED), !=, GST_STATE_CHANGE_FAILURE);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (message);
  gst_message_parse_warning (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_nonnull (strstr (error->message, "checksum"));
  gst_element_set_state (yolov7, GST_STATE_NULL);
  gst_element_set_bus (yolov7, NULL);
  gst_object_unref (gst_object_ref_sink (yolov7));
  g_remove (path);
  g_rmdir (folder);
}

/* ---- failures while playing ----------------------------------------------------------------- */

static void
a_buffer_that_is_no_frame_is_an_error_with_a_message (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstCaps) caps = yv_test_caps ("NV12", 64, 48);
  GstHarness *h = detector_new ("input-size=64");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GError) error = NULL;

  set_caps (h, caps);
  gst_element_set_bus (yolov7, bus);
  GstBuffer *frame = gst_buffer_new_allocate (NULL, 64 * 48, NULL);
  g_assert_cmpint (gst_harness_push (h, frame), ==, GST_FLOW_ERROR);
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "64x48 NV12"));
  gst_element_set_bus (yolov7, NULL);
  gst_harness_teardown (h);
}

static void
video_that_is_not_one_picture_a_buffer_is_refused_with_a_message (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const char *const refused[] = {
      "video/x-raw, format=I420, width=64, height=48, framerate=25/1, interlace-mode=fields",
      "video/x-raw, format=I420, width=64, height=48, framerate=25/1, multiview-mode=separated, "
      "views=2",
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    GstHarness *h = detector_new ("input-size=64");
    g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
    g_autoptr (GstBus) bus = gst_bus_new ();
    g_autoptr (GstCaps) caps = gst_caps_from_string (refused[i]);
    g_autoptr (GError) error = NULL;

    gst_element_set_bus (yolov7, bus);
    set_caps (h, caps);
    GstBuffer *frame = gst_buffer_new_allocate (NULL, 64 * 48 * 3, NULL);
    g_assert_cmpint (gst_harness_push (h, frame), ==, GST_FLOW_NOT_NEGOTIATED);
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    g_assert_nonnull (message);
    gst_message_parse_error (message, &error, NULL);
    g_assert_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT);
    gst_element_set_bus (yolov7, NULL);
    gst_harness_teardown (h);
  }
}

/* Plays until the source gives up, which is after all its tries. */
static guint
count_errors_of (const char *name, const char *launch)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gboolean ended = FALSE;
  guint n = 0;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!ended) {
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_ERROR);
    n += g_str_equal (GST_MESSAGE_SRC_NAME (message), name);
    ended = g_str_equal (GST_MESSAGE_SRC_NAME (message), "source");
  }
  gst_element_set_state (pipeline, GST_STATE_READY); /* waits for the streaming thread */
  g_autoptr (GstMessage) message = NULL;
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR))) {
    n += g_str_equal (GST_MESSAGE_SRC_NAME (message), name);
    g_clear_pointer (&message, gst_message_unref);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return n;
}

static void
video_that_is_refused_ends_the_pipeline_with_one_message (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const char *const refused[] = {
      "width=4000,height=8",
      "width=64,height=48,interlace-mode=fields",
  };
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autofree char *launch =
        g_strdup_printf ("videotestsrc name=source num-buffers=5 ! "
                         "video/x-raw,format=I420,framerate=25/1,%s ! yolov7 name=yolov7 "
                         "model-file=\"%s\" input-size=64 ! fakesink",
                         refused[i], model);
    g_assert_cmpuint (count_errors_of ("yolov7", launch), ==, 1);
  }
  g_assert_cmpuint (
      count_errors_of ("overlay",
                       "videotestsrc name=source num-buffers=5 ! video/x-raw,format=I420,width=64,"
                       "height=48,interlace-mode=fields ! yolov7overlay name=overlay ! fakesink"),
      ==, 1);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/yolov7/wrong-checksum", a_checkpoint_of_wrong_checksums_is_a_warning);
  g_test_add_func ("/yolov7/pedestrians", pedestrians_are_found_where_they_walk);
  g_test_add_func ("/yolov7/formats", every_format_gives_the_same_detections);
  g_test_add_func ("/yolov7/gray", gray_is_the_same_as_a_gray_picture_in_color);
  g_test_add_func ("/yolov7/nothing", a_frame_with_nothing_on_it_is_marked_as_analysed);
  g_test_add_func ("/yolov7/max-detections", the_most_confident_are_kept);
  g_test_add_func ("/yolov7/regions", regions_of_interest_say_the_same);
  g_test_add_func ("/yolov7/in-place", pixels_are_neither_changed_nor_copied);
  g_test_add_func ("/yolov7/times", times_and_flags_stay);
  g_test_add_func ("/yolov7/allocation", padded_buffers_are_asked_for);
  g_test_add_func ("/yolov7/properties", properties_take_effect_with_the_next_frame);
  g_test_add_func ("/yolov7/wrong-class",
                   a_wrong_class_while_playing_is_a_warning_and_changes_nothing);
  g_test_add_func ("/yolov7/wrong-class-alone",
                   a_wrong_class_keeps_no_other_property_from_changing);
  g_test_add_func ("/yolov7/input-size", the_input_size_is_that_of_the_start);
  g_test_add_func ("/yolov7/caps-change", caps_may_change_in_the_middle);
  g_test_add_func ("/yolov7/events", flushes_segments_and_the_end_of_stream_pass_in_order);
  g_test_add_func ("/yolov7/bad-frame", a_buffer_that_is_no_frame_is_an_error_with_a_message);
  g_test_add_func ("/yolov7/refused-video",
                   video_that_is_not_one_picture_a_buffer_is_refused_with_a_message);
  g_test_add_func ("/yolov7/one-message", video_that_is_refused_ends_the_pipeline_with_one_message);
  return g_test_run ();
}
