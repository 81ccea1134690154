/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-live.c - yolov7 while it plays: another model, shared models and batches, what it
 * tells of itself, and where frames lie. */
#include <glib/gstdio.h>
#include <gst/video/video.h>
#include <string.h>

#include "tests/common/device.h"
#include "tests/common/paths.h"
#include "tests/gst/detector.h"
#include "tests/gst/frames.h"
#include "tests/gst/pipeline.h"

#define SMALL "input-size=64 confidence-threshold=0.001 "

/* ---- another model -------------------------------------------------------------------------- */

typedef struct {
  GMutex mutex;
  GCond changed;
  guint n;
  char *model_file; /* of the last one */
} Updates;

static void
on_updated (GstElement *element, const char *model_file, gpointer user_data)
{
  Updates *updates = user_data;
  (void) element;

  g_mutex_lock (&updates->mutex);
  updates->n++;
  g_free (updates->model_file);
  updates->model_file = g_strdup (model_file);
  g_cond_signal (&updates->changed);
  g_mutex_unlock (&updates->mutex);
}

static guint
n_updates (Updates *updates)
{
  g_mutex_lock (&updates->mutex);
  const guint n = updates->n;
  g_mutex_unlock (&updates->mutex);
  return n;
}

static guint
count (GstHarness *h, GstSample *picture)
{
  g_autoptr (GArray) found = detect (h, yv_test_frame (picture));

  return found->len;
}

/* A copy of our small model, which is another file, beside a text file with another name for its
 * one class. */
typedef struct {
  char *folder, *model, *labels;
} OtherModel;

static void
other_model_init (OtherModel *other)
{
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autofree char *bytes = NULL;
  gsize size;

  other->folder = g_dir_make_tmp ("yolov7-live-XXXXXX", NULL);
  other->model = g_build_filename (other->folder, "other.pt", NULL);
  other->labels = g_build_filename (other->folder, "labels.txt", NULL);
  g_assert_true (g_file_get_contents (model, &bytes, &size, NULL));
  g_assert_true (g_file_set_contents (other->model, bytes, (gssize) size, NULL));
  g_assert_true (g_file_set_contents (other->labels, "walker\n", -1, NULL));
}

static void
other_model_clear (OtherModel *other)
{
  g_remove (other->model);
  g_remove (other->labels);
  g_rmdir (other->folder);
  g_free (other->model);
  g_free (other->labels);
  g_free (other->folder);
}

/* As many detections, at least one, and all of this name: labels are read with the model. */
static void
assert_finds (GstHarness *h, GstSample *picture, guint n, const char *label)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  g_autoptr (GstBuffer) frame = gst_harness_push_and_pull (h, yv_test_frame (picture));

  g_assert_true (gst_yolov7_detections_read (frame, found));
  g_assert_cmpuint (found->len, ==, n);
  g_assert_cmpuint (found->len, >, 0);
  for (guint i = 0; i < found->len; i++)
    g_assert_cmpstr (nth (found, i)->label, ==, label);
}

static void
a_new_model_takes_over_between_two_frames (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  OtherModel other;
  other_model_init (&other);
  GstHarness *h = detector_new (SMALL);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autofree char *model = NULL;
  Updates updates = {.n = 0};

  g_signal_connect (yolov7, "model-updated", G_CALLBACK (on_updated), &updates);
  set_caps (h, gst_sample_get_caps (black));
  const guint n = count (h, black);
  assert_finds (h, black, n, "person");
  g_object_set (yolov7, "label-file", other.labels, "model-file", other.model, NULL);
  for (;;) { /* frames go on meanwhile; the signal is emitted before its first frame */
    g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
    g_autoptr (GstBuffer) frame = gst_harness_push_and_pull (h, yv_test_frame (black));
    const gboolean is_new = n_updates (&updates) > 0;
    g_assert_true (gst_yolov7_detections_read (frame, found));
    g_assert_cmpuint (found->len, ==, n);
    for (guint i = 0; i < n; i++)
      g_assert_cmpstr (nth (found, i)->label, ==, is_new ? "walker" : "person");
    if (is_new)
      break;
  }
  g_assert_cmpstr (updates.model_file, ==, other.model);
  g_object_get (yolov7, "model-file", &model, NULL);
  g_assert_cmpstr (model, ==, other.model);
  assert_finds (h, black, n, "walker");
  g_assert_cmpuint (n_updates (&updates), ==, 1);
  gst_harness_teardown (h);
  other_model_clear (&other);
  g_free (updates.model_file);
}

static void
a_bad_model_is_a_warning_and_the_old_one_stays (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autofree char *text = yv_test_source_path ("models/README.md");
  const struct {
    const char *path;
    GQuark domain;
    int code;
  } rows[] = {
      {"/nowhere/best.pt", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ},
      {text, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE},
  };
  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *h = detector_new (SMALL);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autofree char *before = NULL, *after = NULL;
  Updates updates = {.n = 0};

  g_signal_connect (yolov7, "model-updated", G_CALLBACK (on_updated), &updates);
  gst_element_set_bus (yolov7, bus);
  set_caps (h, gst_sample_get_caps (black));
  const guint n = count (h, black);
  g_object_get (yolov7, "model-file", &before, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_object_set (yolov7, "model-file", rows[i].path, NULL);
    g_autoptr (GstMessage) message =
        gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_WARNING);
    gst_message_parse_warning (message, &error, NULL);
    g_assert_error (error, rows[i].domain, rows[i].code);
    g_assert_true (g_str_has_prefix (error->message, "The model stays as it was: "));
    g_assert_nonnull (strstr (error->message, rows[i].path));
    assert_finds (h, black, n, "person");
  }
  g_assert_cmpuint (n_updates (&updates), ==, 0);
  gst_element_set_bus (yolov7, NULL);
  g_assert_cmpint (gst_element_set_state (yolov7, GST_STATE_READY), ==, GST_STATE_CHANGE_SUCCESS);
  g_object_get (yolov7, "model-file", &after, NULL); /* the thread that loaded is gone */
  g_assert_cmpstr (after, ==, before);
  gst_harness_teardown (h);
}

/* ---- shared models and batches --------------------------------------------------------------- */

static GstStructure *
stats_of (GstHarness *h)
{
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  GstStructure *stats = NULL;

  g_object_get (yolov7, "stats", &stats, NULL);
  g_assert_nonnull (stats);
  return stats;
}

static guint64
uint64_of (GstHarness *h, const char *name)
{
  g_autoptr (GstStructure) stats = stats_of (h);
  guint64 value = 0;

  if (!gst_structure_get_uint64 (stats, name, &value))
    g_error ("no %s in %" GST_PTR_FORMAT, name, (void *) stats);
  return value;
}

/* Each waits for the other: a frame runs only when both are there. */
static void
frames_of_two_elements_run_together (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const char properties[] = SMALL "batch-size=2 batch-timeout=3600000000000";
  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *a = detector_new (properties);
  GstHarness *b = detector_new (properties);

  set_caps (a, gst_sample_get_caps (black));
  set_caps (b, gst_sample_get_caps (black));
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint (gst_harness_push (a, yv_test_frame (black)), ==, GST_FLOW_OK);
    g_assert_cmpint (gst_harness_push (b, yv_test_frame (black)), ==, GST_FLOW_OK);
    gst_buffer_unref (gst_harness_pull (a));
    gst_buffer_unref (gst_harness_pull (b));
  }
  g_autoptr (GstStructure) stats = stats_of (a);
  double fill = 0;
  g_assert_true (gst_structure_get_double (stats, "batch-fill", &fill));
  g_assert_cmpfloat (fill, ==, 2);
  gst_harness_teardown (a);

  /* The other one is alone now, and goes on: no frame waits for a stream that is gone. */
  g_assert_cmpint (gst_harness_push (b, yv_test_frame (black)), ==, GST_FLOW_OK);
  gst_buffer_unref (gst_harness_pull (b));
  gst_harness_teardown (b);
}

static void
an_instance_id_needs_the_file_once (void)
{
  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *a = detector_new (SMALL "device=reference model-instance-id=door");
  GstHarness *b = gst_harness_new_parse ("yolov7 " SMALL "model-instance-id=door");

  set_caps (a, gst_sample_get_caps (black));
  set_caps (b, gst_sample_get_caps (black));
  g_assert_cmpuint (count (a, black), ==, count (b, black));
  gst_harness_teardown (a);
  g_assert_cmpuint (count (b, black), ==, count (b, black)); /* it keeps the model */
  gst_harness_teardown (b);
}

/* ---- what it tells --------------------------------------------------------------------------- */

static void
stats_add_up (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *h = detector_new (SMALL "inference-interval=2");
  guint n = 0;

  g_assert_cmpuint (uint64_of (h, "frames-in"), ==, 0);
  set_caps (h, gst_sample_get_caps (black));
  for (guint i = 0; i < 10; i++) {
    g_autoptr (GstBuffer) frame = gst_harness_push_and_pull (h, yv_test_frame (black));
    g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
    g_assert_cmpint (gst_yolov7_detections_read (frame, found), ==, i % 2 == 0);
    n += found->len;
  }
  g_assert_cmpuint (uint64_of (h, "frames-in"), ==, 10);
  g_assert_cmpuint (uint64_of (h, "frames-analysed"), ==, 5);
  g_assert_cmpuint (uint64_of (h, "skipped-interval"), ==, 5);
  g_assert_cmpuint (uint64_of (h, "detections"), ==, n);
  g_assert_cmpuint (uint64_of (h, "weights-memory"), >, 100000);
  g_assert_cmpuint (uint64_of (h, "network-mean"), >, 0);
  g_assert_cmpuint (uint64_of (h, "total-p99"), >=, uint64_of (h, "network-mean"));
  g_autoptr (GstStructure) stats = stats_of (h);
  g_assert_nonnull (strstr (gst_structure_get_string (stats, "model"), "pets-tiny.pt"));
  gst_harness_teardown (h);
}

static void
each_analysed_frame_has_its_message (void)
{
  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *h = detector_new (SMALL "device=reference post-messages=true inference-interval=2");
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (yolov7, bus);
  set_caps (h, gst_sample_get_caps (black));
  for (guint i = 0; i < 4; i++) {
    GstBuffer *frame = yv_test_frame (black);
    GST_BUFFER_PTS (frame) = i * GST_SECOND;
    gst_buffer_unref (gst_harness_push_and_pull (h, frame));
  }
  for (guint i = 0; i < 4; i += 2) { /* every other frame */
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT);
    g_assert_nonnull (message);
    const GstStructure *s = gst_message_get_structure (message);
    guint width, height;
    guint64 timestamp, running_time;
    g_assert_true (gst_structure_has_name (s, "yolov7-detections"));
    g_assert_true (gst_structure_get (s, "width", G_TYPE_UINT, &width, "height", G_TYPE_UINT,
                                      &height, "timestamp", G_TYPE_UINT64, &timestamp,
                                      "running-time", G_TYPE_UINT64, &running_time, NULL));
    g_assert_cmpuint (width, ==, 64);
    g_assert_cmpuint (height, ==, 48);
    g_assert_cmpuint (timestamp, ==, i * GST_SECOND);
    g_assert_cmpuint (running_time, ==, i * GST_SECOND);
    g_assert_true (GST_VALUE_HOLDS_ARRAY (gst_structure_get_value (s, "detections")));
  }
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT));
  gst_element_set_bus (yolov7, NULL);
  gst_harness_teardown (h);
}

/* What is measured is added to what upstream says, and the pipeline hears of it. */
static void
the_latency_is_what_is_measured (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (GstSample) black = yv_test_plain (64, 48, 0);
  GstHarness *h = detector_new (SMALL);
  g_autoptr (GstElement) yolov7 = gst_harness_find_element (h, "yolov7");
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_harness_set_upstream_latency (h, 7 * GST_MSECOND);
  g_assert_cmpuint (gst_harness_query_latency (h), ==, 7 * GST_MSECOND);
  gst_element_set_bus (yolov7, bus);
  set_caps (h, gst_sample_get_caps (black));
  g_autoptr (GstMessage) message = NULL;
  for (guint i = 0; i < 20 && !message; i++) {
    count (h, black);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_LATENCY);
  }
  g_assert_nonnull (message);
  g_assert_cmpuint (uint64_of (h, "latency"), >, 0);
  g_assert_cmpuint (gst_harness_query_latency (h), ==, 7 * GST_MSECOND + uint64_of (h, "latency"));
  gst_element_set_bus (yolov7, NULL);
  gst_harness_teardown (h);
}

/* ---- where frames lie ------------------------------------------------------------------------ */

static guint64
stat_in (GstElement *pipeline, const char *name)
{
  g_autoptr (GstElement) yolov7 = gst_bin_get_by_name (GST_BIN (pipeline), "d");
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (yolov7, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* Every frame of a source that takes our pool is read where it lies. */
static void
frames_of_our_pool_are_not_copied (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  static const char *const formats[] = {"I420", "NV12", "RGB", "BGRx", "YUY2", "P010_10LE"};
  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    g_autoptr (GstElement) pipeline =
        launch_pipeline ("videotestsrc num-buffers=5 ! video/x-raw,format=%s,width=97,height=61 ! "
                         "yolov7 name=d model-file=\"%s\" " SMALL "! fakesink",
                         formats[i], model);

    play_to_the_end (pipeline);
    g_test_message ("%s: %" G_GUINT64_FORMAT " of 5 in place", formats[i],
                    stat_in (pipeline, "frames-in-place"));
    g_assert_cmpuint (stat_in (pipeline, "frames-in-place"), ==, 5);
    g_assert_cmpuint (stat_in (pipeline, "frames-copied"), ==, 0);
    gst_element_set_state (pipeline, GST_STATE_NULL);
  }
}

/* Adds the rows of a frame, without what lies between them. */
static void
add_pixels (GChecksum *sum, const GstVideoInfo *info, GstBuffer *buffer)
{
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  for (guint k = 0; k < GST_VIDEO_FRAME_N_COMPONENTS (&frame); k++) /* I420: as many planes */
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, k); y++)
      g_checksum_update (sum,
                         (const guchar *) GST_VIDEO_FRAME_PLANE_DATA (&frame, k) +
                             y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, k),
                         GST_VIDEO_FRAME_COMP_WIDTH (&frame, k));
  gst_video_frame_unmap (&frame);
}

static void
on_handoff (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer sum)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoInfo info;
  (void) sink;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  add_pixels (sum, &info, buffer);
}

/* Free with g_checksum_free(). */
static GChecksum *
watch_sink (GstElement *pipeline, const char *name)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GChecksum *sum = g_checksum_new (G_CHECKSUM_SHA256);

  g_object_set (sink, "signal-handoffs", TRUE, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (on_handoff), sum);
  return sum;
}

#define BALL                                                                                       \
  "videotestsrc num-buffers=20 pattern=ball ! video/x-raw,format=I420,width=96,height=64 ! "

static GChecksum *
play_plain (void)
{
  g_autoptr (GstElement) pipeline = launch_pipeline (BALL "fakesink name=plain");
  GChecksum *sum = watch_sink (pipeline, "plain");

  play_to_the_end (pipeline);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return sum;
}

/* Behind a queue and a tee, whose other branch changes its pixels. */
static void
frames_that_others_use_too_are_not_harmed (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autofree char *model = yv_test_source_path ("models/pets-tiny.pt");
  g_autoptr (GstElement) pipeline = launch_pipeline (
      BALL "tee name=t t. ! queue ! yolov7 name=d model-file=\"%s\" " SMALL
           "leaky=downstream ! fakesink name=seen t. ! queue ! yolov7 model-file=\"%s\" " SMALL
           "! yolov7overlay filled-box=true ! fakesink name=filled",
      model, model);
  g_autoptr (GChecksum) plain = play_plain ();
  g_autoptr (GChecksum) seen = watch_sink (pipeline, "seen");
  g_autoptr (GChecksum) filled = watch_sink (pipeline, "filled");

  play_to_the_end (pipeline);
  g_assert_cmpuint (stat_in (pipeline, "frames-in"), ==, 20);
  g_assert_cmpuint (stat_in (pipeline, "frames-analysed") + stat_in (pipeline, "skipped-busy") +
                        stat_in (pipeline, "frames-dropped"),
                    ==, 20);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_assert_cmpstr (g_checksum_get_string (seen), ==, g_checksum_get_string (plain));
  g_assert_cmpstr (g_checksum_get_string (filled), !=, g_checksum_get_string (plain));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/live/model", a_new_model_takes_over_between_two_frames);
  g_test_add_func ("/live/bad-model", a_bad_model_is_a_warning_and_the_old_one_stays);
  g_test_add_func ("/live/batches", frames_of_two_elements_run_together);
  g_test_add_func ("/live/instance-id", an_instance_id_needs_the_file_once);
  g_test_add_func ("/live/stats", stats_add_up);
  g_test_add_func ("/live/messages", each_analysed_frame_has_its_message);
  g_test_add_func ("/live/latency", the_latency_is_what_is_measured);
  g_test_add_func ("/live/pool", frames_of_our_pool_are_not_copied);
  g_test_add_func ("/live/tee", frames_that_others_use_too_are_not_harmed);
  return g_test_run ();
}
