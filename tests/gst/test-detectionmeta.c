/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-detectionmeta.c - gst/detectionmeta.h: what is on a buffer, and what is left of it
 * behind the elements that a pipeline may hold. */
#include "gst/detectionmeta.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <math.h>
#include <string.h>

#include "tests/gst/frames.h"

#define W 320
#define H 240

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
    {.x = 0,
     .y = 0,
     .w = 16.5,
     .h = 239.5,
     .confidence = 0.25,
     .objectness = 0.5,
     .class_index = 0,
     .id = 41,
     .predicted = TRUE,
     .label = "p\xc3\xa9ron, \"tall\""},
};

static GstBuffer *
frame_new (GstVideoFormat format, guint w, guint h)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, format, w, h);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 0x80, info.size);
  return buffer;
}

static GstBuffer *
analysed_frame_new (void)
{
  GstBuffer *buffer = frame_new (GST_VIDEO_FORMAT_I420, W, H);

  yv_test_attach (buffer, W, H, two, 2, GST_YOLOV7_META_ROI);
  return buffer;
}

static GArray *
read_new (GstBuffer *buffer, gboolean *analysed)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  *analysed = gst_yolov7_detections_read (buffer, found);
  return found;
}

static void
assert_close (double a, double b)
{
  g_assert_cmpfloat_with_epsilon (a, b, 1e-9);
}

/* @found must be the detections of two[], their boxes scaled by @sx, @sy and moved by @dx, @dy. */
static void
assert_is_two (GArray *found, double sx, double sy, double dx, double dy)
{
  g_assert_cmpuint (found->len, ==, 2);
  for (guint i = 0; i < 2; i++) {
    const GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, i);
    assert_close (d->x, two[i].x * sx + dx);
    assert_close (d->y, two[i].y * sy + dy);
    assert_close (d->w, two[i].w * sx);
    assert_close (d->h, two[i].h * sy);
    assert_close (d->confidence, two[i].confidence);
    assert_close (d->objectness, two[i].objectness);
    g_assert_cmpint (d->class_index, ==, two[i].class_index);
    g_assert_cmpint (d->id, ==, two[i].id);
    g_assert_cmpint (d->predicted, ==, two[i].predicted);
    g_assert_cmpstr (d->label, ==, two[i].label);
  }
}

static void
assert_buffer_holds_two (GstBuffer *buffer, double sx, double sy, double dx, double dy)
{
  gboolean analysed;
  g_autoptr (GArray) found = read_new (buffer, &analysed);

  g_assert_true (analysed);
  assert_is_two (found, sx, sy, dx, dy);
}

/* ---- on the buffer -------------------------------------------------------------------------- */

static void
what_is_attached_is_read_back (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame_new ();

  assert_buffer_holds_two (buffer, 1, 1, 0, 0);
}

static void
an_application_reads_the_custom_meta_by_name (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame_new ();
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstYolov7Detections");
  const GstStructure *s = gst_custom_meta_get_structure (meta);
  const GValue *array = gst_structure_get_value (s, "detections");
  const GstStructure *d = gst_value_get_structure (gst_value_array_get_value (array, 0));
  guint width, height, class_index;
  double x, y, w, h, confidence, objectness;
  gint64 id;

  g_assert_true (
      gst_structure_get (s, "width", G_TYPE_UINT, &width, "height", G_TYPE_UINT, &height, NULL));
  g_assert_cmpuint (width, ==, W);
  g_assert_cmpuint (height, ==, H);
  g_assert_cmpuint (gst_value_array_get_size (array), ==, 2);
  g_assert_true (gst_structure_get (
      d, "x", G_TYPE_DOUBLE, &x, "y", G_TYPE_DOUBLE, &y, "w", G_TYPE_DOUBLE, &w, "h", G_TYPE_DOUBLE,
      &h, "confidence", G_TYPE_DOUBLE, &confidence, "objectness", G_TYPE_DOUBLE, &objectness,
      "class-index", G_TYPE_UINT, &class_index, "id", G_TYPE_INT64, &id, NULL));
  assert_close (x, 40.5);
  assert_close (y, 60.25);
  assert_close (w, 80);
  assert_close (h, 120);
  assert_close (confidence, 0.875);
  assert_close (objectness, 0.9375);
  g_assert_cmpuint (class_index, ==, 2);
  g_assert_cmpint (id, ==, -1);
  g_assert_cmpstr (gst_structure_get_string (d, "label"), ==, "car");
}

/* It crosses process borders as text where an element serializes it (unixfdsink, since 1.24). */
static void
the_custom_meta_survives_serialization (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame_new ();
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstYolov7Detections");
  GstStructure *s = gst_custom_meta_get_structure (meta);
  g_autofree char *text = gst_structure_to_string (s);
  g_autoptr (GstStructure) back = gst_structure_from_string (text, NULL);

  g_assert_nonnull (back);
  g_assert_true (gst_structure_is_equal (s, back));
}

static void
a_region_of_interest_is_what_dl_streamer_writes (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame_new ();
  GstVideoRegionOfInterestMeta *roi = gst_buffer_get_video_region_of_interest_meta_id (buffer, 0);
  GstStructure *s = gst_video_region_of_interest_meta_get_param (roi, "detection");
  static const struct {
    const char *name;
    double value;
  } fields[] = {
      {"confidence", 0.875}, {"x_min", 40.5 / W},   {"x_max", 120.5 / W},
      {"y_min", 60.25 / H},  {"y_max", 180.25 / H}, {"rotation", 0},
  };
  gint label_id = -1;

  g_assert_cmpstr (g_quark_to_string (roi->roi_type), ==, "car");
  g_assert_cmpint (roi->id, ==, 0);
  g_assert_cmpint (roi->parent_id, ==, -1);
  g_assert_cmpuint (roi->x, ==, 41); /* lround: halves away from zero */
  g_assert_cmpuint (roi->y, ==, 60);
  g_assert_cmpuint (roi->w, ==, 121 - 41);
  g_assert_cmpuint (roi->h, ==, 180 - 60);
  g_assert_cmpint (gst_structure_n_fields (s), ==, 8);
  g_assert_true (gst_structure_get_int (s, "label_id", &label_id));
  g_assert_cmpint (label_id, ==, 2);
  g_assert_cmpstr (gst_structure_get_string (s, "label"), ==, "car");
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    double value = -1;
    g_assert_true (gst_structure_get_double (s, fields[i].name, &value));
    assert_close (value, fields[i].value);
  }
  g_assert_nonnull (gst_buffer_get_video_region_of_interest_meta_id (buffer, 1));
}

static void
regions_lie_inside_the_frame_and_are_never_empty (void)
{
  static const GstYolov7Detection edge[] = {
      {.x = W - 0.2, .y = H - 0.2, .w = 0.2, .h = 0.2, .label = "corner"},
      {.x = 10.1, .y = 10.1, .w = 0.2, .h = 0.2, .label = "dot"},
      {.x = 0, .y = 0, .w = W, .h = H, .label = "all"},
  };
  g_autoptr (GstBuffer) buffer = frame_new (GST_VIDEO_FORMAT_GRAY8, W, H);

  yv_test_attach (buffer, W, H, edge, 3, GST_YOLOV7_META_ROI);
  for (gint id = 0; id < 3; id++) {
    GstVideoRegionOfInterestMeta *roi =
        gst_buffer_get_video_region_of_interest_meta_id (buffer, id);
    g_assert_cmpuint (roi->w, >=, 1);
    g_assert_cmpuint (roi->h, >=, 1);
    g_assert_cmpuint (roi->x + roi->w, <=, W);
    g_assert_cmpuint (roi->y + roi->h, <=, H);
  }
}

static void
regions_are_attached_only_when_asked_for (void)
{
  g_autoptr (GstBuffer) buffer = frame_new (GST_VIDEO_FORMAT_GRAY8, W, H);

  yv_test_attach (buffer, W, H, two, 2, 0);
  g_assert_cmpuint (gst_buffer_get_n_meta (buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), ==,
                    0);
  assert_buffer_holds_two (buffer, 1, 1, 0, 0);
}

static void
an_analysed_frame_without_detections_is_not_an_unseen_one (void)
{
  g_autoptr (GstBuffer) seen = frame_new (GST_VIDEO_FORMAT_GRAY8, W, H);
  g_autoptr (GstBuffer) unseen = frame_new (GST_VIDEO_FORMAT_GRAY8, W, H);
  gboolean analysed;

  yv_test_attach (seen, W, H, NULL, 0, GST_YOLOV7_META_ROI);
  g_autoptr (GArray) a = read_new (seen, &analysed);
  g_assert_true (analysed);
  g_assert_cmpuint (a->len, ==, 0);
  g_autoptr (GArray) b = read_new (unseen, &analysed);
  g_assert_false (analysed);
  g_assert_cmpuint (b->len, ==, 0);
}

static void
a_class_that_is_not_known_stays_unknown (void)
{
  static const GstYolov7Detection unknown = {.x = 1,
                                             .y = 2,
                                             .w = 3,
                                             .h = 4,
                                             .confidence = -1,
                                             .objectness = -1,
                                             .class_index = -1,
                                             .id = -1};
  g_autoptr (GstBuffer) buffer = frame_new (GST_VIDEO_FORMAT_GRAY8, W, H);
  gboolean analysed;

  yv_test_attach (buffer, W, H, &unknown, 1, GST_YOLOV7_META_ROI);
  g_autoptr (GArray) found = read_new (buffer, &analysed);
  g_assert_cmpint (g_array_index (found, GstYolov7Detection, 0).class_index, ==, -1);
  g_assert_cmpfloat (g_array_index (found, GstYolov7Detection, 0).confidence, ==, -1);
  GstVideoRegionOfInterestMeta *roi = gst_buffer_get_video_region_of_interest_meta_id (buffer, 0);
  GstStructure *s = gst_video_region_of_interest_meta_get_param (roi, "detection");
  g_assert_false (gst_structure_has_field (s, "label_id"));
  g_assert_false (gst_structure_has_field (s, "confidence"));
}

static void
two_detectors_may_use_one_buffer (void)
{
  g_autoptr (GstBuffer) buffer = frame_new (GST_VIDEO_FORMAT_GRAY8, W, H);
  gboolean analysed;

  yv_test_attach (buffer, W, H, &two[0], 1, GST_YOLOV7_META_ROI);
  yv_test_attach (buffer, W, H, &two[1], 1, GST_YOLOV7_META_ROI);
  g_autoptr (GArray) found = read_new (buffer, &analysed);
  assert_is_two (found, 1, 1, 0, 0);
  g_assert_nonnull (gst_buffer_get_video_region_of_interest_meta_id (buffer, 0));
  g_assert_nonnull (gst_buffer_get_video_region_of_interest_meta_id (buffer, 1));
}

/* ---- of others ------------------------------------------------------------------------------ */

static void
regions_of_other_elements_are_read (void)
{
  g_autoptr (GstBuffer) buffer = frame_new (GST_VIDEO_FORMAT_GRAY8, W, H);
  gboolean analysed;

  gst_buffer_add_video_region_of_interest_meta (buffer, "plain", 1, 2, 3, 4);
  GstVideoRegionOfInterestMeta *onnx =
      gst_buffer_add_video_region_of_interest_meta (buffer, "onnx", 5, 6, 7, 8);
  gst_video_region_of_interest_meta_add_param (
      onnx, gst_structure_new ("extra-data", "label", G_TYPE_STRING, "onnx", "score", G_TYPE_DOUBLE,
                               0.5, NULL));
  GstVideoRegionOfInterestMeta *dls =
      gst_buffer_add_video_region_of_interest_meta (buffer, "dls", 9, 10, 11, 12);
  gst_video_region_of_interest_meta_add_param (
      dls, gst_structure_new ("detection", "confidence", G_TYPE_DOUBLE, 0.75, "label_id",
                              G_TYPE_INT, 3, NULL));
  gst_video_region_of_interest_meta_add_param (
      dls, gst_structure_new ("object_id", "id", G_TYPE_INT, 17, NULL));

  g_autoptr (GArray) found = read_new (buffer, &analysed);
  const GstYolov7Detection *d = (const GstYolov7Detection *) found->data;
  g_assert_true (analysed);
  g_assert_cmpuint (found->len, ==, 3);
  g_assert_cmpstr (d[0].label, ==, "plain");
  assert_close (d[0].x + 10 * d[0].y + 100 * d[0].w + 1000 * d[0].h, 4321);
  g_assert_cmpfloat (d[0].confidence, <, 0);
  g_assert_cmpint (d[0].class_index, <, 0);
  assert_close (d[1].confidence, 0.5);
  assert_close (d[2].confidence, 0.75);
  g_assert_cmpint (d[2].class_index, ==, 3);
  g_assert_cmpint (d[2].id, ==, 17);
}

/* @text: a structure whose fields become those of our meta. */
static GstBuffer *
with_fields (const char *text)
{
  GstBuffer *buffer = frame_new (GST_VIDEO_FORMAT_GRAY8, W, H);
  g_autoptr (GstStructure) s = gst_structure_from_string (text, NULL);
  GstStructure *own = gst_custom_meta_get_structure (
      gst_buffer_add_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME));

  g_assert_nonnull (s);
  for (gint k = 0; k < gst_structure_n_fields (s); k++) {
    const char *name = gst_structure_nth_field_name (s, k);
    gst_structure_set_value (own, name, gst_structure_get_value (s, name));
  }
  return buffer;
}

/* Ours among those of others, and not all of them. */
static void
fields_are_read_in_any_order (void)
{
  g_autoptr (GstBuffer) buffer =
      with_fields ("x, detections=(structure)< \"d, id=(gint64)5, mine=(int)3, label=(string)dog, "
                   "class-index=(uint)16, h=(double)4, y=(double)2, mine-too=(string)x, "
                   "predicted=(boolean)true, "
                   "x=(double)1, w=(double)3;\" >");
  gboolean analysed;
  g_autoptr (GArray) found = read_new (buffer, &analysed);
  const GstYolov7Detection *d = (const GstYolov7Detection *) found->data;

  g_assert_cmpuint (found->len, ==, 1);
  assert_close (d->x + 10 * d->y + 100 * d->w + 1000 * d->h, 4321);
  g_assert_cmpfloat (d->confidence, ==, -1);
  g_assert_cmpfloat (d->objectness, ==, -1);
  g_assert_cmpint (d->class_index, ==, 16);
  g_assert_cmpint (d->id, ==, 5);
  g_assert_true (d->predicted);
  g_assert_cmpstr (d->label, ==, "dog");
}

/* Each is of a type that another one has. */
static void
fields_of_another_type_are_not_known (void)
{
  g_autoptr (GstBuffer) buffer = with_fields (
      "x, detections=(structure)< \"d, x=(int)1, y=(gint64)2, w=(string)w, h=(double)4, "
      "confidence=(boolean)true, objectness=(uint)1, label=(double)3, id=(uint)5, "
      "class-index=(gint64)16, predicted=(string)yes;\" >");
  gboolean analysed;
  g_autoptr (GArray) found = read_new (buffer, &analysed);
  const GstYolov7Detection *d = (const GstYolov7Detection *) found->data;

  g_assert_cmpuint (found->len, ==, 1);
  assert_close (d->x + 10 * d->y + 100 * d->w + 1000 * d->h, 4000);
  g_assert_cmpfloat (d->confidence, ==, -1);
  g_assert_cmpfloat (d->objectness, ==, -1);
  g_assert_cmpint (d->class_index, ==, -1);
  g_assert_cmpint (d->id, ==, -1);
  g_assert_false (d->predicted);
  g_assert_null (d->label);
}

static void
nonsense_under_our_name_is_harmless (void)
{
  static const char *const nonsense[] = {
      "x, detections=(int)3",
      "x, detections=(string)\"\"",
      "x, detections=(int)< 1, 2 >",
      "x, detections=(structure)< \"d, x=(string)left, y=(int)3, class-index=(string)q;\" >",
      "x, width=(string)wide",
      "x",
  };

  for (guint i = 0; i < G_N_ELEMENTS (nonsense); i++) {
    g_autoptr (GstBuffer) buffer = with_fields (nonsense[i]);
    gboolean analysed;

    g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (buffer);
    g_autoptr (GArray) found = read_new (copy, &analysed);
    g_assert_true (analysed);
    g_assert_cmpuint (found->len, <=, 1);
  }
}

/* ---- behind other elements ------------------------------------------------------------------ */

static GstBuffer *
push_through (const char *launch, const char *out_caps, GstBuffer *buffer)
{
  GstHarness *h = gst_harness_new_parse (launch);
  g_autofree char *in_caps = g_strdup_printf (
      "video/x-raw, format=I420, width=%d, height=%d, framerate=25/1, pixel-aspect-ratio=1/1", W,
      H);

  gst_harness_set_caps_str (h, in_caps, out_caps);
  GST_BUFFER_PTS (buffer) = 0;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 25;
  GstBuffer *out = gst_harness_push_and_pull (h, buffer);
  g_assert_nonnull (out);
  gst_harness_teardown (h);
  return out;
}

static void
detections_survive_whatever_keeps_the_picture (void)
{
  static const char *const rows[][2] = {
      {"queue", "I420"},
      {"identity", "I420"},
      {"videoconvert", "RGB"},
      {"videoconvert n-threads=2", "NV12"},
      {"videoconvert ! queue ! videoconvert", "GRAY8"},
      {"tee ! queue", "I420"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *caps = g_strdup_printf (
        "video/x-raw, format=%s, width=%d, height=%d, framerate=25/1", rows[i][1], W, H);
    g_autoptr (GstBuffer) out = push_through (rows[i][0], caps, analysed_frame_new ());
    assert_buffer_holds_two (out, 1, 1, 0, 0);
  }
}

static void
a_deep_copy_keeps_detections_and_a_part_loses_them (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame_new ();
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (buffer);
  g_autoptr (GstBuffer) part =
      gst_buffer_copy_region (buffer, GST_BUFFER_COPY_META | GST_BUFFER_COPY_MEMORY, 16, 160);

  assert_buffer_holds_two (copy, 1, 1, 0, 0);
  g_assert_null (gst_buffer_get_custom_meta (part, GST_YOLOV7_DETECTIONS_META_NAME));
}

static void
scaling_scales_boxes_and_keeps_the_rest (void)
{
  static const struct {
    const char *launch;
    guint w, h;
  } rows[] = {
      {"videoscale", 640, 480},
      {"videoscale", 160, 120},
      {"videoscale ! videoconvert", 80, 60},
      {"videoscale add-borders=true", 1280, 960},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *caps = g_strdup_printf (
        "video/x-raw, format=I420, width=%u, height=%u, framerate=25/1, pixel-aspect-ratio=1/1",
        rows[i].w, rows[i].h);
    g_autoptr (GstBuffer) out = push_through (rows[i].launch, caps, analysed_frame_new ());
    assert_buffer_holds_two (out, rows[i].w / (double) W, rows[i].h / (double) H, 0, 0);
  }
}

/* Where the picture is stretched in the file but not on the screen, no borders appear. */
static void
a_change_of_the_pixels_shape_stretches_boxes (void)
{
  g_autofree char *caps = g_strdup_printf ("video/x-raw, format=I420, width=%d, height=%d, "
                                           "framerate=25/1, pixel-aspect-ratio=2/1",
                                           W / 2, H);
  g_autoptr (GstBuffer) out = push_through ("videoscale", caps, analysed_frame_new ());

  assert_buffer_holds_two (out, 0.5, 1, 0, 0);
}

/* A white rectangle is detected; wherever videoscale puts it, the box must lie on it. */
static void
borders_move_boxes_with_the_picture (void)
{
  static const guint sizes[][2] = {{640, 640}, {400, 200}, {333, 500}, {1280, 240}};
  static const GstYolov7Detection white = {.x = 96, .y = 64, .w = 128, .h = 96, .label = "white"};

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const guint w = sizes[i][0], h = sizes[i][1];
    GstBuffer *buffer = frame_new (GST_VIDEO_FORMAT_I420, W, H);
    GstMapInfo map;
    guint x_min = w, x_max = 0, y_min = h, y_max = 0;
    gboolean analysed;

    gst_buffer_memset (buffer, 0, 16, W * H);
    gst_buffer_map (buffer, &map, GST_MAP_WRITE);
    for (guint y = 64; y < 64 + 96; y++)
      memset (map.data + y * W + 96, 235, 128);
    gst_buffer_unmap (buffer, &map);
    yv_test_attach (buffer, W, H, &white, 1, GST_YOLOV7_META_ROI);

    g_autofree char *caps = g_strdup_printf (
        "video/x-raw, format=I420, width=%u, height=%u, framerate=25/1, pixel-aspect-ratio=1/1", w,
        h);
    g_autoptr (GstBuffer) out = push_through ("videoscale add-borders=true", caps, buffer);
    gst_buffer_map (out, &map, GST_MAP_READ);
    for (guint y = 0; y < h; y++)
      for (guint x = 0; x < w; x++)
        if (map.data[y * GST_ROUND_UP_4 (w) + x] > 126) {
          x_min = MIN (x_min, x);
          x_max = MAX (x_max, x + 1);
          y_min = MIN (y_min, y);
          y_max = MAX (y_max, y + 1);
        }
    gst_buffer_unmap (out, &map);

    g_autoptr (GArray) found = read_new (out, &analysed);
    g_assert_cmpuint (found->len, ==, 1);
    const GstYolov7Detection *d = &g_array_index (found, GstYolov7Detection, 0);
    g_assert_cmpfloat_with_epsilon (d->x, x_min, 1.5);
    g_assert_cmpfloat_with_epsilon (d->x + d->w, x_max, 1.5);
    g_assert_cmpfloat_with_epsilon (d->y, y_min, 1.5);
    g_assert_cmpfloat_with_epsilon (d->y + d->h, y_max, 1.5);
  }
}

static guint64
frame_pts_on (GstBuffer *buffer)
{
  const GstStructure *s = gst_custom_meta_get_structure (
      gst_buffer_get_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME));
  guint64 pts = 0;

  g_assert_true (gst_structure_get_uint64 (s, "frame-pts", &pts));
  return pts;
}

/* Whatever the PTS of the buffer that the detections travel on. */
static void
the_frame_that_was_analysed_stays_known (void)
{
  const GstYolov7Frame earlier = {.width = W, .height = H, .pts = 7 * GST_SECOND};
  g_autoptr (GstBuffer) buffer = frame_new (GST_VIDEO_FORMAT_I420, W, H);

  GST_BUFFER_PTS (buffer) = 9 * GST_SECOND;
  gst_yolov7_detections_attach (buffer, &earlier, two, 2, 0);
  g_assert_cmpuint (frame_pts_on (buffer), ==, 7 * GST_SECOND);
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (buffer);
  g_assert_cmpuint (frame_pts_on (copy), ==, 7 * GST_SECOND);
  g_autoptr (GstBuffer) scaled =
      push_through ("videoscale", "video/x-raw, format=I420, width=640, height=480, framerate=25/1",
                    g_steal_pointer (&buffer));
  g_assert_cmpuint (frame_pts_on (scaled), ==, 7 * GST_SECOND);
  assert_buffer_holds_two (scaled, 2, 2, 0, 0);
}

static void
an_unknown_frame_stays_unknown (void)
{
  GstBuffer *buffer = analysed_frame_new ();
  GstStructure *s = gst_custom_meta_get_structure (
      gst_buffer_get_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME));

  g_assert_cmpuint (frame_pts_on (buffer), ==, GST_CLOCK_TIME_NONE);
  gst_structure_remove_field (s, "frame-pts"); /* somebody else's */
  g_autoptr (GstBuffer) out = push_through (
      "videoscale", "video/x-raw, format=I420, width=640, height=480, framerate=25/1", buffer);
  g_assert_cmpuint (frame_pts_on (out), ==, GST_CLOCK_TIME_NONE);
}

static void
fields_of_applications_travel_along (void)
{
  g_autoptr (GstBuffer) buffer = analysed_frame_new ();
  GstStructure *s = gst_custom_meta_get_structure (
      gst_buffer_get_custom_meta (buffer, GST_YOLOV7_DETECTIONS_META_NAME));
  GValue *array = (GValue *) gst_structure_get_value (s, "detections");
  GstStructure *first =
      (GstStructure *) gst_value_get_structure (gst_value_array_get_value (array, 0));

  gst_structure_set (first, "plate", G_TYPE_STRING, "B-YV 7", NULL);
  g_autoptr (GstBuffer) out =
      push_through ("videoscale", "video/x-raw, format=I420, width=640, height=480, framerate=25/1",
                    g_steal_pointer (&buffer));
  s = gst_custom_meta_get_structure (
      gst_buffer_get_custom_meta (out, GST_YOLOV7_DETECTIONS_META_NAME));
  const GValue *scaled = gst_structure_get_value (s, "detections");
  const GstStructure *d = gst_value_get_structure (gst_value_array_get_value (scaled, 0));
  g_assert_cmpstr (gst_structure_get_string (d, "plate"), ==, "B-YV 7");
}

/* GStreamer 1.22 tells no meta what these do to the picture: no boxes are better than wrong ones.
 */
static void
detections_never_survive_with_wrong_boxes (void)
{
  static const struct {
    const char *launch;
    guint w, h;
  } rows[] = {
      {"videocrop left=32", W - 32, H},
      {"videoflip video-direction=90r", H, W},
      {"videoflip video-direction=horiz", W, H},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *caps = g_strdup_printf (
        "video/x-raw, format=I420, width=%u, height=%u, framerate=25/1", rows[i].w, rows[i].h);
    g_autoptr (GstBuffer) out = push_through (rows[i].launch, caps, analysed_frame_new ());
    GstCustomMeta *meta = gst_buffer_get_custom_meta (out, GST_YOLOV7_DETECTIONS_META_NAME);
    if (meta)
      g_error ("kept behind %s, which moves the picture in a way we were not told", rows[i].launch);
  }
}

static void
what_cannot_be_attached_is_refused (void)
{
  const GstYolov7Frame frame = {.width = W, .height = H}, nothing = {0};
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));

  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "gst_yolov7_detections_attach: assertion*");
  gst_yolov7_detections_attach (buffer, &nothing, two, 2, GST_YOLOV7_META_ROI);
  g_test_assert_expected_messages ();
  g_autoptr (GstBuffer) shared = gst_buffer_ref (buffer);
  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "gst_yolov7_detections_attach: assertion*");
  gst_yolov7_detections_attach (shared, &frame, two, 2, GST_YOLOV7_META_ROI);
  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "gst_yolov7_detections_set_ids: assertion*");
  gst_yolov7_detections_set_ids (shared, found);
  g_test_assert_expected_messages ();
  g_assert_false (gst_yolov7_detections_read (buffer, found));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/detectionmeta/read-back", what_is_attached_is_read_back);
  g_test_add_func ("/detectionmeta/by-name", an_application_reads_the_custom_meta_by_name);
  g_test_add_func ("/detectionmeta/serialization", the_custom_meta_survives_serialization);
  g_test_add_func ("/detectionmeta/dl-streamer", a_region_of_interest_is_what_dl_streamer_writes);
  g_test_add_func ("/detectionmeta/regions", regions_lie_inside_the_frame_and_are_never_empty);
  g_test_add_func ("/detectionmeta/no-regions", regions_are_attached_only_when_asked_for);
  g_test_add_func ("/detectionmeta/empty",
                   an_analysed_frame_without_detections_is_not_an_unseen_one);
  g_test_add_func ("/detectionmeta/unknown-class", a_class_that_is_not_known_stays_unknown);
  g_test_add_func ("/detectionmeta/two-detectors", two_detectors_may_use_one_buffer);
  g_test_add_func ("/detectionmeta/others", regions_of_other_elements_are_read);
  g_test_add_func ("/detectionmeta/fields/any-order", fields_are_read_in_any_order);
  g_test_add_func ("/detectionmeta/fields/another-type", fields_of_another_type_are_not_known);
  g_test_add_func ("/detectionmeta/nonsense", nonsense_under_our_name_is_harmless);
  g_test_add_func ("/detectionmeta/keep", detections_survive_whatever_keeps_the_picture);
  g_test_add_func ("/detectionmeta/copies", a_deep_copy_keeps_detections_and_a_part_loses_them);
  g_test_add_func ("/detectionmeta/scale", scaling_scales_boxes_and_keeps_the_rest);
  g_test_add_func ("/detectionmeta/pixel-shape", a_change_of_the_pixels_shape_stretches_boxes);
  g_test_add_func ("/detectionmeta/borders", borders_move_boxes_with_the_picture);
  g_test_add_func ("/detectionmeta/frame-pts", the_frame_that_was_analysed_stays_known);
  g_test_add_func ("/detectionmeta/frame-pts-unknown", an_unknown_frame_stays_unknown);
  g_test_add_func ("/detectionmeta/foreign-fields", fields_of_applications_travel_along);
  g_test_add_func ("/detectionmeta/wrong-boxes", detections_never_survive_with_wrong_boxes);
  g_test_add_func ("/detectionmeta/refused", what_cannot_be_attached_is_refused);
  return g_test_run ();
}
