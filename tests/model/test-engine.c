/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-engine.c - engine/yolov7.h as an application uses it, on the reference and on
 * Vulkan. */
#include "engine/yolov7-tools.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "tests/common/device.h"
#include "tests/common/paths.h"

#define FRAME_W 200
#define FRAME_H 120

/* Five classes. */
static char *
model_path (void)
{
  return yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");
}

/* One class, and no amplified rounding (docs/numerics.md): devices agree on what it sees. */
static char *
calm_model_path (void)
{
  return yv_test_source_path ("tests/golden/checkpoints/tiny-silu.pt");
}

static YvEngine *
open_engine (const char *device)
{
  g_autofree char *path = model_path ();
  const YvEngineOptions options = {.model_file = path, .device = device};
  g_autoptr (GError) error = NULL;
  YvEngine *engine = yv_engine_new (&options, &error);

  g_assert_no_error (error);
  return engine;
}

/* A threshold this low makes a network of random weights see something everywhere. */
static YvStreamOptions
low_options (void)
{
  YvStreamOptions options = YV_STREAM_DEFAULTS;

  options.input_size = 160;
  options.confidence_threshold = 0.02f;
  return options;
}

static YvStream *
open_stream (YvEngine *engine, const YvStreamOptions *options)
{
  g_autoptr (GError) error = NULL;
  YvStream *stream = yv_stream_new (engine, options, &error);

  g_assert_no_error (error);
  return stream;
}

/* Coloured rectangles on a gradient; @phase moves them. */
static YvImage
draw_picture (uint8_t *pixels, uint32_t phase)
{
  for (uint32_t y = 0; y < FRAME_H; y++) {
    for (uint32_t x = 0; x < FRAME_W; x++) {
      uint8_t *pixel = pixels + 3 * (y * FRAME_W + x);
      const bool inside = (x + phase) % 50 < 20 && y % 40 < 25;

      pixel[0] = (uint8_t) (inside ? 230 : x);
      pixel[1] = (uint8_t) (inside ? 40 + phase : y);
      pixel[2] = (uint8_t) (inside ? y : 255 - x);
    }
  }
  return (YvImage){.format = YV_FORMAT_RGB,
                   .width = FRAME_W,
                   .height = FRAME_H,
                   .planes = {pixels},
                   .stride_bytes = {3 * FRAME_W}};
}

static void
check_detections (const YvDetections *found, const YvEngineInfo *info)
{
  float last = 1;

  g_assert_cmpuint (found->n_detections, >, 0);
  for (uint32_t i = 0; i < found->n_detections; i++) {
    const YvDetection *d = &found->detections[i];

    g_assert_cmpfloat (d->x, >=, 0);
    g_assert_cmpfloat (d->y, >=, 0);
    g_assert_cmpfloat (d->w, >, 0);
    g_assert_cmpfloat (d->h, >, 0);
    g_assert_cmpfloat (d->x + d->w, <=, FRAME_W + 1e-3f);
    g_assert_cmpfloat (d->y + d->h, <=, FRAME_H + 1e-3f);
    g_assert_cmpfloat (d->confidence, >, 0.02f);
    g_assert_cmpfloat (d->confidence, <=, last);
    g_assert_cmpfloat (d->objectness, >=, d->confidence);
    g_assert_cmpuint (d->class_index, <, info->n_classes);
    last = d->confidence;
  }
}

static void
detect_on (const char *device)
{
  g_autoptr (YvEngine) engine = open_engine (device);
  const YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 0);
  g_autoptr (GError) error = NULL;

  const YvDetections *found = yv_stream_detect (stream, &image, &error);
  g_assert_no_error (error);
  g_test_message ("%u detections on %s in %" G_GUINT64_FORMAT " us", found->n_detections,
                  yv_engine_info (engine)->device_name, found->times.total_ns / 1000);
  check_detections (found, yv_engine_info (engine));
  g_assert_cmpuint (found->letterbox.net_w, ==, 160);
  g_assert_cmpuint (found->letterbox.net_h, ==, 96);
  g_assert_cmpuint (found->times.total_ns, >, 0);
}

static void
the_reference_detects (void)
{
  detect_on ("reference");
}

static void
vulkan_detects (void)
{
  if (!!yv_test_needs_vulkan ())
    detect_on (NULL);
}

static void
vulkan_finds_what_the_reference_finds (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autofree char *path = calm_model_path ();
  const YvEngineOptions fp32 = {.model_file = path, .precision = YV_PRECISION_FP32};
  const YvStreamOptions options = low_options ();
  g_autoptr (YvEngine) engine = yv_engine_new (&fp32, NULL);
  const YvEngineOptions plain = {.model_file = path, .device = "reference"};
  g_autoptr (YvEngine) reference = yv_engine_new (&plain, NULL);
  g_autoptr (YvStream) a = open_stream (engine, &options);
  g_autoptr (YvStream) b = open_stream (reference, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 7);
  const YvDetections *found = yv_stream_detect (a, &image, NULL);
  const YvDetections *expected = yv_stream_detect (b, &image, NULL);
  uint32_t n_close = 0;

  for (uint32_t i = 0; i < expected->n_detections; i++) {
    const YvDetection *want = &expected->detections[i];

    for (uint32_t k = 0; k < found->n_detections; k++) {
      const YvDetection *got = &found->detections[k];

      if (got->class_index == want->class_index && ABS (got->x - want->x) < 0.05f &&
          ABS (got->y - want->y) < 0.05f && ABS (got->w - want->w) < 0.05f &&
          ABS (got->h - want->h) < 0.05f && ABS (got->confidence - want->confidence) < 1e-3f) {
        n_close++;
        break;
      }
    }
  }
  g_test_message ("%u of %u", n_close, expected->n_detections);
  g_assert_cmpuint (100 * n_close, >=, 99 * expected->n_detections);
  g_assert_cmpuint (100 * n_close, >=, 99 * found->n_detections);
}

/* ---- options -----------------------------------------------------------------------------------
 */

static void
refuse_engine (const YvEngineOptions *options, YvError code, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (yv_engine_new (options, &error));
  g_test_message ("%s", error->message);
  g_assert_error (error, YV_ERROR, (gint) code);
  g_assert_nonnull (strstr (error->message, message));
}

static void
engines_that_cannot_be_are_refused (void)
{
  g_autofree char *path = model_path ();

  refuse_engine (&(YvEngineOptions){0}, YV_ERROR_INVALID, "model file");
  refuse_engine (&(YvEngineOptions){.model_file = "/nowhere/best.pt"}, YV_ERROR_IO,
                 "/nowhere/best.pt");
  refuse_engine (&(YvEngineOptions){.config_file = "/nowhere/yolov7.yaml"}, YV_ERROR_IO,
                 "/nowhere/yolov7.yaml");
  refuse_engine (&(YvEngineOptions){.model_file = path, .device = "no such device"},
                 YV_ERROR_NO_DEVICE, "");
  refuse_engine (
      &(YvEngineOptions){.model_file = path, .device = "reference", .precision = (YvPrecision) 9},
      YV_ERROR_INVALID, "precision");
}

static void
networks_of_other_than_three_channels_are_refused (void)
{
  g_autofree char *from = yv_test_source_path ("cfg/deploy/yolov7-tiny.yaml");
  g_autofree char *text = NULL;
  g_autofree char *path = NULL;
  const int file = g_file_open_tmp ("yolov7-XXXXXX.yaml", &path, NULL);

  g_assert_true (g_file_get_contents (from, &text, NULL, NULL));
  g_autofree char *grey = g_strconcat ("ch: 1\n", text, NULL);
  g_assert_true (g_file_set_contents (path, grey, -1, NULL));
  refuse_engine (&(YvEngineOptions){.config_file = path, .device = "reference"},
                 YV_ERROR_UNSUPPORTED, "takes 1 input channels");
  g_assert_true (g_close (file, NULL));
  g_assert_cmpint (g_remove (path), ==, 0);
}

/* Down to stride 32 and up again to heads of stride 8. */
static void
layers_may_stride_more_than_the_heads (void)
{
  static const char text[] = "nc: 1\ndepth_multiple: 1\nwidth_multiple: 1\n"
                             "anchors: [[10,20]]\n"
                             "backbone:\n"
                             "  - [-1, 1, Conv, [8, 3, 2]]\n"
                             "  - [-1, 1, Conv, [8, 3, 2]]\n"
                             "  - [-1, 1, Conv, [8, 3, 2]]\n"
                             "  - [-1, 1, MP, []]\n"
                             "  - [-1, 1, MP, []]\n"
                             "head:\n"
                             "  - [-1, 1, nn.Upsample, [None, 4, 'nearest']]\n"
                             "  - [[-1], 1, Detect, [nc, anchors]]\n";
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  const int file = g_file_open_tmp ("yolov7-XXXXXX.yaml", &path, NULL);

  g_close (file, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  const YvEngineOptions options = {.config_file = path, .device = "reference"};
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (yv_engine_info (engine)->max_stride, ==, 8);
  g_unlink (path);
}

static void
engines_tell_what_they_are (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  const YvEngineInfo *info = yv_engine_info (engine);

  g_assert_cmpuint (info->n_classes, ==, 5);
  g_assert_nonnull (info->class_names[4]);
  g_assert_null (info->class_names[5]);
  g_assert_cmpuint (info->max_stride, ==, 32);
  g_assert_cmpuint (info->default_size, ==, 640);
  g_assert_cmpstr (info->device_name, ==, "reference");
  g_assert_nonnull (strstr (info->model_source, "x-legacy.pt"));
  g_assert_cmpint (info->precision, ==, YV_PRECISION_FP32);
  g_assert_cmpuint (info->load_ns, >, 0);
}

typedef struct {
  YvStreamOptions options;
  const char *message;
} BadOptions;

static BadOptions
bad_options (const char *message)
{
  return (BadOptions){YV_STREAM_DEFAULTS, message};
}

static void
stream_options_out_of_range_are_refused_and_change_nothing (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  const YvStreamOptions good = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &good);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 0);
  BadOptions bad[] = {bad_options ("confidence-threshold is 1.5"),
                      bad_options ("confidence-threshold is"),
                      bad_options ("iou-threshold is -0.1"),
                      bad_options ("max-detections is 0"),
                      bad_options ("input-size is 100000"),
                      bad_options ("letterbox is 7"),
                      bad_options ("net-width and net-height are 100 and 160"),
                      bad_options ("net-width and net-height are 160 and 0"),
                      bad_options ("\"unicorn\" is no class of this model")};

  bad[0].options.confidence_threshold = 1.5f;
  bad[1].options.confidence_threshold = 0.0f / 0.0f;
  bad[2].options.iou_threshold = -0.1f;
  bad[3].options.max_detections = 0;
  bad[4].options.input_size = 100000;
  bad[5].options.letterbox = (YvLetterboxMode) 7;
  bad[6].options.net_width = 100;
  bad[6].options.net_height = 160;
  bad[7].options.net_width = 160;
  bad[8].options.classes = "0,unicorn";

  const uint32_t n_before = yv_stream_detect (stream, &image, NULL)->n_detections;
  for (size_t i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (yv_stream_new (engine, &bad[i].options, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, bad[i].message));
    g_clear_error (&error);
    g_assert_false (yv_stream_set_options (stream, &bad[i].options, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  }
  g_assert_cmpuint (yv_stream_detect (stream, &image, NULL)->n_detections, ==, n_before);
}

static void
options_take_effect_with_the_next_frame (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 0);
  const YvDetections *found = yv_stream_detect (stream, &image, NULL);
  const uint32_t n_all = found->n_detections;
  const uint32_t class_index = found->detections[0].class_index;
  g_autofree char *classes = g_strdup_printf ("%u", class_index);

  g_assert_cmpuint (n_all, >, 3);
  options.max_detections = 3;
  g_assert_true (yv_stream_set_options (stream, &options, NULL));
  found = yv_stream_detect (stream, &image, NULL); /* fewer where one lies outside the frame */
  g_assert_cmpuint (found->n_detections, >, 0);
  g_assert_cmpuint (found->n_detections, <=, 3);

  options.max_detections = 300;
  options.classes = classes;
  g_assert_true (yv_stream_set_options (stream, &options, NULL));
  found = yv_stream_detect (stream, &image, NULL);
  g_assert_cmpuint (found->n_detections, >, 0);
  for (uint32_t i = 0; i < found->n_detections; i++)
    g_assert_cmpuint (found->detections[i].class_index, ==, class_index);

  options.classes = NULL;
  options.input_size = 70; /* raised to 96 */
  options.letterbox = YV_LETTERBOX_FIXED;
  g_assert_true (yv_stream_set_options (stream, &options, NULL));
  found = yv_stream_detect (stream, &image, NULL);
  g_assert_cmpuint (found->letterbox.net_w, ==, 96);
  g_assert_cmpuint (found->letterbox.net_h, ==, 96);

  options.confidence_threshold = 1;
  g_assert_true (yv_stream_set_options (stream, &options, NULL));
  g_assert_cmpuint (yv_stream_detect (stream, &image, NULL)->n_detections, ==, 0);
}

static bool
same_place (const YvDetection *a, const YvDetection *b)
{
  return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}

static bool
is_among (const YvDetection *wanted, const YvDetections *found)
{
  for (uint32_t i = 0; i < found->n_detections; i++)
    if (same_place (wanted, &found->detections[i]) &&
        wanted->class_index == found->detections[i].class_index)
      return true;
  return false;
}

/* Nothing is suppressed at IoU 1, so that what the best class finds is a part of what all find. */
static void
multi_label_adds_other_classes_of_a_box (const char *device)
{
  g_autoptr (YvEngine) engine = open_engine (device);
  YvStreamOptions options = low_options ();
  options.confidence_threshold = 0.05f;
  options.iou_threshold = 1;
  options.max_detections = 100000;
  g_autoptr (YvStream) best = open_stream (engine, &options);
  options.multi_label = true;
  g_autoptr (YvStream) all = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 3);
  const YvDetections *few = yv_stream_detect (best, &image, NULL);
  const YvDetections *many = yv_stream_detect (all, &image, NULL);

  g_test_message ("%u of best classes, %u of all", few->n_detections, many->n_detections);
  g_assert_cmpuint (few->n_detections, >, 0);
  g_assert_cmpuint (many->n_detections, >, few->n_detections);
  for (uint32_t i = 0; i < few->n_detections; i++)
    g_assert_true (is_among (&few->detections[i], many));
  for (uint32_t i = 0; i < many->n_detections; i++)
    g_assert_cmpfloat (many->detections[i].confidence, >, 0.05f);

  options.multi_label = false;
  g_assert_true (yv_stream_set_options (all, &options, NULL));
  g_assert_cmpuint (yv_stream_detect (all, &image, NULL)->n_detections, ==, few->n_detections);
}

static void
multi_label_adds_other_classes_of_a_box_on_the_reference (void)
{
  multi_label_adds_other_classes_of_a_box ("reference");
}

static void
multi_label_adds_other_classes_of_a_box_on_vulkan (void)
{
  if (yv_test_needs_vulkan ())
    multi_label_adds_other_classes_of_a_box (NULL);
}

static void
multi_label_changes_nothing_for_one_class (void)
{
  g_autofree char *path = calm_model_path ();
  const YvEngineOptions plain = {.model_file = path, .device = "reference"};
  g_autoptr (YvEngine) engine = yv_engine_new (&plain, NULL);
  YvStreamOptions options = low_options ();
  g_autoptr (YvStream) best = open_stream (engine, &options);
  options.multi_label = true;
  g_autoptr (YvStream) all = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 3);
  const YvDetections *a = yv_stream_detect (best, &image, NULL);
  const YvDetections *b = yv_stream_detect (all, &image, NULL);

  g_assert_cmpuint (a->n_detections, >, 0);
  g_assert_cmpmem (a->detections, a->n_detections * sizeof *a->detections, b->detections,
                   b->n_detections * sizeof *b->detections);
}

/* ---- batches -----------------------------------------------------------------------------------
 */

#define N_BATCH 7

static void
draw_pictures (uint8_t *pixels, YvImage *images)
{
  for (uint32_t i = 0; i < N_BATCH; i++)
    images[i] = draw_picture (pixels + i * 3 * FRAME_W * FRAME_H, 11 * i);
}

static void
assert_bit_equal (const YvDetections *a, const YvDetections *b)
{
  g_assert_cmpmem (a->detections, a->n_detections * sizeof *a->detections, b->detections,
                   b->n_detections * sizeof *b->detections);
}

/* Alone and in two batches of seven, at another place in each. */
static void
an_image_has_the_same_detections_in_any_batch (const char *device, bool multi_label)
{
  g_autoptr (YvEngine) engine = open_engine (device);
  YvStreamOptions options = low_options ();
  options.multi_label = multi_label;
  g_autoptr (YvStream) alone = open_stream (engine, &options);
  g_autoptr (YvStream) together = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (N_BATCH * 3 * FRAME_W * FRAME_H);
  YvImage images[N_BATCH];
  const YvDetections *found;

  draw_pictures (pixels, images);
  for (uint32_t round = 0; round < 2; round++) {
    const YvImage swapped = images[0];

    images[0] = images[5];
    images[5] = swapped;
    g_assert_true (yv_stream_detect_batch (together, images, N_BATCH, &found, NULL));
    for (uint32_t i = 0; i < N_BATCH; i++) {
      const YvDetections *single = yv_stream_detect (alone, &images[i], NULL);

      g_assert_cmpuint (single->n_detections, >, 0);
      assert_bit_equal (single, &found[i]);
      g_assert_cmpuint (found[i].letterbox.net_w, ==, 160);
    }
  }
}

static void
an_image_has_the_same_detections_in_any_batch_on_the_reference (void)
{
  an_image_has_the_same_detections_in_any_batch ("reference", false);
}

static void
an_image_has_the_same_detections_in_any_batch_on_vulkan (void)
{
  if (!yv_test_needs_vulkan ())
    return;
  an_image_has_the_same_detections_in_any_batch (NULL, false);
  an_image_has_the_same_detections_in_any_batch (NULL, true);
}

/* 126000 candidates of which 65536 fit: the best of them do not depend on which. */
static void
more_candidates_than_fit_give_the_best (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (YvEngine) engine = open_engine (NULL);
  YvStreamOptions options = low_options ();
  options.input_size = 640;
  options.letterbox = YV_LETTERBOX_FIXED;
  options.multi_label = true;
  options.max_detections = 30;
  options.confidence_threshold = 0.4f;
  g_autoptr (YvStream) few = open_stream (engine, &options);
  options.confidence_threshold = 0;
  g_autoptr (YvStream) all = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (N_BATCH * 3 * FRAME_W * FRAME_H);
  YvImage images[N_BATCH];
  const YvDetections *found;

  draw_pictures (pixels, images);
  g_assert_true (yv_stream_detect_batch (all, images, 2, &found, NULL));
  for (uint32_t i = 0; i < 2; i++) {
    const YvDetections *expected = yv_stream_detect (few, &images[i], NULL);

    g_test_message ("%u of the best", found[i].n_detections);
    g_assert_cmpuint (expected->n_detections, >, 10);
    assert_bit_equal (expected, &found[i]);
  }
}

static void
batches_that_cannot_be_are_refused (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (N_BATCH * 3 * FRAME_W * FRAME_H);
  YvImage images[N_BATCH];
  const YvDetections *found;
  g_autoptr (GError) error = NULL;

  draw_pictures (pixels, images);
  g_assert_false (yv_stream_detect_batch (stream, images, 0, &found, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_false (yv_stream_detect_batch (stream, images, YV_MAX_BATCH + 1, &found, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  g_clear_error (&error);

  images[2].height = 20; /* 160x32 instead of 160x96 */
  g_assert_false (yv_stream_detect_batch (stream, images, 3, &found, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "image 2 "));
  g_assert_nonnull (strstr (error->message, "160x32"));

  options.net_width = options.net_height = 160;
  g_assert_true (yv_stream_set_options (stream, &options, NULL));
  g_assert_true (yv_stream_detect_batch (stream, images, 3, &found, NULL));
  g_assert_cmpuint (found[0].letterbox.net_h, ==, 160);
  g_assert_cmpuint (found[0].letterbox.resized_h, ==, 96);
  g_assert_cmpuint (found[2].letterbox.net_h, ==, 160);
  g_assert_cmpuint (found[2].letterbox.resized_h, ==, 16);
}

static void
frames_that_cannot_be_fitted_are_refused (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  const YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  YvImage image = draw_picture (pixels, 0);
  g_autoptr (GError) error = NULL;

  g_assert_false (yv_stream_prepare (stream, 60000, 2, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "60000x2"));
  g_clear_error (&error);

  image.stride_bytes[0] = 7;
  g_assert_null (yv_stream_detect (stream, &image, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  image.stride_bytes[0] = 3 * FRAME_W;
  g_assert_nonnull (yv_stream_detect (stream, &image, NULL)); /* and the stream lives on */
}

/* ---- sharing -----------------------------------------------------------------------------------
 */

#define N_FRAMES 12
#define N_SIZES 6 /* more than an engine keeps idle */

typedef struct {
  YvEngine *engine;
  uint32_t first_phase;
  GArray *seen; /* out: of YvDetection, all frames one after the other */
} Camera;

static gpointer
watch (gpointer data)
{
  Camera *camera = data;
  YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (camera->engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  g_autoptr (GError) error = NULL;

  for (uint32_t i = 0; i < N_FRAMES; i++) {
    const YvImage image = draw_picture (pixels, camera->first_phase + i);

    options.input_size = 64 + 32 * (i % N_SIZES);
    g_assert_true (yv_stream_set_options (stream, &options, NULL));
    const YvDetections *found = yv_stream_detect (stream, &image, &error);
    g_assert_no_error (error);
    g_array_append_vals (camera->seen, found->detections, found->n_detections);
  }
  return NULL;
}

static void
streams_do_not_disturb_each_other (const char *device)
{
  Camera alone[2], together[4];
  GThread *threads[4];
  g_autoptr (YvEngine) engine = open_engine (device);

  for (uint32_t i = 0; i < 2; i++) {
    alone[i] = (Camera){engine, 5 * i, g_array_new (FALSE, FALSE, sizeof (YvDetection))};
    watch (&alone[i]);
    g_assert_cmpuint (alone[i].seen->len, >, 0);
  }
  for (uint32_t i = 0; i < 4; i++) {
    together[i] = (Camera){engine, 5 * (i % 2), g_array_new (FALSE, FALSE, sizeof (YvDetection))};
    threads[i] = g_thread_new ("camera", watch, &together[i]);
  }
  for (uint32_t i = 0; i < 4; i++) {
    g_thread_join (threads[i]);
    g_assert_cmpmem (together[i].seen->data, together[i].seen->len * sizeof (YvDetection),
                     alone[i % 2].seen->data, alone[i % 2].seen->len * sizeof (YvDetection));
    g_array_unref (together[i].seen);
  }
  g_array_unref (alone[0].seen);
  g_array_unref (alone[1].seen);
}

static void
streams_on_the_reference_do_not_disturb_each_other (void)
{
  streams_do_not_disturb_each_other ("reference");
}

static void
streams_on_vulkan_do_not_disturb_each_other (void)
{
  if (!!yv_test_needs_vulkan ())
    streams_do_not_disturb_each_other (NULL);
}

static void
a_stream_keeps_its_engine_alive (void)
{
  YvEngine *engine = open_engine ("reference");
  const YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 0);

  yv_engine_unref (engine);
  g_assert_nonnull (yv_stream_detect (stream, &image, NULL));
}

/* ---- bench and inspect -------------------------------------------------------------------------
 */

static void
bench_counts_and_times_every_stage (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  const YvBenchOptions options = {.width = 64, .height = 32, .batch = 2, .n_runs = 3};
  YvBenchResult result;
  g_autoptr (GError) error = NULL;

  yv_engine_bench (engine, &options, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (result.total.median_ms, >, 0);
  g_assert_cmpfloat (result.total.p10_ms, <=, result.total.median_ms);
  g_assert_cmpfloat (result.total.p90_ms, >=, result.total.median_ms);
  g_assert_cmpfloat (result.flops_per_image, >, 0);
  g_assert_cmpuint (result.arena_bytes, >, 0);
  g_assert_cmpuint (result.n_steps, >, 0);

  const YvBenchOptions bad = {.width = 64, .height = 33, .batch = 1, .n_runs = 1};
  g_assert_false (yv_engine_bench (engine, &bad, &result, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  g_clear_error (&error);
  const YvBenchOptions none = {.width = 64, .height = 32, .batch = 0, .n_runs = 1};
  g_assert_false (yv_engine_bench (engine, &none, &result, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
}

static void
check_profile (const char *device)
{
  const YvBenchOptions options = {
      .width = 64, .height = 32, .batch = 2, .n_warmup = 1, .n_runs = 3};
  g_autoptr (YvEngine) engine = open_engine (device);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvProfile) profile = yv_engine_profile (engine, &options, &error);
  YvBenchResult result;
  double sum_ms = 0, flops = 0;

  if (g_error_matches (error, YV_ERROR, YV_ERROR_UNSUPPORTED))
    return; /* a device without timestamps */
  g_assert_no_error (error);
  g_assert_true (yv_engine_bench (engine, &options, &result, NULL));
  g_assert_cmpuint (profile->n_steps, ==, result.n_steps);
  for (uint32_t i = 0; i < profile->n_steps; i++) {
    const YvProfileStep *step = &profile->steps[i];

    g_assert_cmpstr (step->name, !=, "");
    g_assert_cmpstr (step->op, !=, "");
    g_assert_cmpfloat (step->min_ms, >=, 0);
    g_assert_cmpfloat (step->median_ms, >=, step->min_ms);
    g_assert_cmpfloat (step->bytes, >, 0);
    sum_ms += step->median_ms;
    flops += step->flops;
  }
  g_assert_cmpfloat (sum_ms, >, 0);
  g_assert_cmpfloat_with_epsilon (flops / 2 / result.flops_per_image, 1, 1e-9);
}

static void
profile_times_every_step_on_every_device (void)
{
  check_profile ("reference");
  if (yv_test_needs_vulkan ())
    check_profile (NULL);
}

static void
counts_of_runs_out_of_range_are_refused (void)
{
  static const uint32_t cases[][2] = {{G_MAXUINT32, 3}, {1000001, 1}, {0, 0}, {0, 1000001}};
  g_autoptr (YvEngine) engine = open_engine ("reference");

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    const YvBenchOptions options = {
        .width = 64, .height = 32, .batch = 1, .n_warmup = cases[i][0], .n_runs = cases[i][1]};
    g_autoptr (GError) error = NULL, error_of_bench = NULL;
    YvBenchResult result;

    g_assert_null (yv_engine_profile (engine, &options, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
    g_assert_false (yv_engine_bench (engine, &options, &result, &error_of_bench));
    g_assert_error (error_of_bench, YV_ERROR, YV_ERROR_INVALID);
  }
}

static void
inspect_tells_rows_as_trained_and_as_deployed (void)
{
  g_autofree char *path = model_path ();
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModelInfo) info = yv_model_info_new (path, NULL, 0, &error);
  uint64_t n_trained = 0, n_deployed = 0, flops = 0;

  g_assert_no_error (error);
  g_assert_cmpuint (info->n_layers, ==, 122); /* spec 1.3: yolov7x */
  g_assert_cmpstr (info->format, ==, "torch legacy");
  g_assert_cmpuint (info->width, ==, 640);
  g_assert_cmpuint (info->n_levels, ==, 3);
  g_assert_cmpuint (info->strides[2], ==, 32);
  g_assert_cmpuint (info->n_anchors, ==, 3);
  g_assert_cmpstr (info->layers[0].module, ==, "Conv");
  g_assert_cmpstr (info->layers[0].from, ==, "-1");
  g_assert_cmpstr (info->layers[0].trained, ==, "conv 3x3 + bn + silu");
  g_assert_cmpstr (info->layers[0].deployed, ==, "conv 3x3 silu");
  g_assert_cmpuint (info->layers[0].h_out, ==, 640);
  g_assert_cmpuint (info->layers[120].h_out, ==, 20);
  g_assert_nonnull (strstr (info->layers[121].trained, "implicit"));
  g_assert_null (strstr (info->layers[121].deployed, "implicit"));
  for (uint32_t i = 0; i < info->n_layers; i++) {
    n_trained += info->layers[i].n_params_trained;
    n_deployed += info->layers[i].n_params_deployed;
    flops += info->layers[i].flops;
  }
  g_assert_cmpuint (n_trained, ==, info->n_params_trained);
  g_assert_cmpuint (n_deployed, ==, info->n_params_deployed);
  g_assert_cmpuint (n_deployed, <, n_trained);
  g_assert_cmpuint (flops, ==, info->flops);
  g_assert_cmpuint (info->n_passes, >=, 7);
  g_assert_null (yv_model_info_new (path, NULL, 100000, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
}

/* A zip whose directory's last row, which nothing but the checksum depends on, states a wrong one.
 */
static char *
write_wrong_sum (const char *folder)
{
  g_autofree char *good = calm_model_path ();
  char *path = g_build_filename (folder, "wrong-sum.pt", NULL);
  char *bytes;
  size_t size_bytes;

  g_assert_true (g_file_get_contents (good, &bytes, &size_bytes, NULL));
  size_t row = size_bytes - 46;
  while (memcmp (bytes + row, "PK\1\2", 4) != 0)
    row--;
  bytes[row + 16] = (char) ~bytes[row + 16];
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size_bytes, NULL));
  g_free (bytes);
  return path;
}

static void
wrong_checksums_are_told_to_whoever_asks (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yolov7-XXXXXX", NULL);
  g_autofree char *path = write_wrong_sum (folder);
  g_autofree char *start = g_strdup_printf ("%s: 1 of ", path);
  const YvEngineOptions options = {.model_file = path, .device = "reference"};
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);
  g_autoptr (YvModelInfo) info = yv_model_info_new (path, NULL, 0, &error);
  g_assert_no_error (error);
  g_autoptr (YvEngine) good = open_engine ("reference");

  g_assert_true (g_str_has_prefix (yv_engine_info (engine)->warning, start));
  g_assert_nonnull (strstr (yv_engine_info (engine)->warning, "checksum"));
  g_assert_cmpstr (info->warning, ==, yv_engine_info (engine)->warning);
  g_assert_null (yv_engine_info (good)->warning);
  g_remove (path);
  g_rmdir (folder);
}

static char *
write_model (const char *folder)
{
  g_autofree char *good = calm_model_path ();
  char *path = g_build_filename (folder, "best.pt", NULL);
  g_autofree char *bytes = NULL;
  size_t size_bytes;

  g_assert_true (g_file_get_contents (good, &bytes, &size_bytes, NULL));
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size_bytes, NULL));
  return path;
}

static void
files_rewritten_in_place_are_errors_and_replaced_ones_are_not (void)
{
  g_autofree char *folder = g_dir_make_tmp ("yolov7-XXXXXX", NULL);
  g_autofree char *path = write_model (folder);
  const YvEngineOptions options = {.model_file = path, .device = "reference"};
  const YvStreamOptions low = low_options ();
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);
  g_autoptr (YvStream) stream = open_stream (engine, &low);
  g_assert_true (yv_stream_prepare (stream, 160, 160, &error));

  g_autofree char *same = write_model (folder); /* writes another file and renames it */
  g_autoptr (YvEngine) newer = yv_engine_new (&options, &error);
  g_autoptr (YvStream) of_newer = open_stream (newer, &low);
  g_assert_true (yv_stream_prepare (stream, 160, 96, &error));
  g_assert_true (yv_stream_prepare (of_newer, 160, 96, &error));

  g_assert_cmpint (truncate (path, 0), ==, 0);
  g_assert_true (yv_stream_prepare (stream, 160, 64, &error));   /* its file is another */
  g_assert_true (yv_stream_prepare (of_newer, 160, 96, &error)); /* is there already */
  g_assert_false (yv_stream_prepare (of_newer, 160, 64, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_nonnull (strstr (error->message, "load the model again"));
  g_remove (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/refused", engines_that_cannot_be_are_refused);
  g_test_add_func ("/engine/channels", networks_of_other_than_three_channels_are_refused);
  g_test_add_func ("/engine/deep-layers", layers_may_stride_more_than_the_heads);
  g_test_add_func ("/engine/info", engines_tell_what_they_are);
  g_test_add_func ("/engine/warning", wrong_checksums_are_told_to_whoever_asks);
  g_test_add_func ("/engine/rewritten",
                   files_rewritten_in_place_are_errors_and_replaced_ones_are_not);
  g_test_add_func ("/engine/detect/reference", the_reference_detects);
  g_test_add_func ("/engine/detect/vulkan", vulkan_detects);
  g_test_add_func ("/engine/detect/same", vulkan_finds_what_the_reference_finds);
  g_test_add_func ("/engine/options/refused",
                   stream_options_out_of_range_are_refused_and_change_nothing);
  g_test_add_func ("/engine/options/next-frame", options_take_effect_with_the_next_frame);
  g_test_add_func ("/engine/batch/reference",
                   an_image_has_the_same_detections_in_any_batch_on_the_reference);
  g_test_add_func ("/engine/batch/vulkan", an_image_has_the_same_detections_in_any_batch_on_vulkan);
  g_test_add_func ("/engine/batch/cut-off", more_candidates_than_fit_give_the_best);
  g_test_add_func ("/engine/batch/refused", batches_that_cannot_be_are_refused);
  g_test_add_func ("/engine/multi-label/reference",
                   multi_label_adds_other_classes_of_a_box_on_the_reference);
  g_test_add_func ("/engine/multi-label/vulkan", multi_label_adds_other_classes_of_a_box_on_vulkan);
  g_test_add_func ("/engine/multi-label/one-class", multi_label_changes_nothing_for_one_class);
  g_test_add_func ("/engine/frames/refused", frames_that_cannot_be_fitted_are_refused);
  g_test_add_func ("/engine/threads/reference", streams_on_the_reference_do_not_disturb_each_other);
  g_test_add_func ("/engine/threads/vulkan", streams_on_vulkan_do_not_disturb_each_other);
  g_test_add_func ("/engine/lifetime", a_stream_keeps_its_engine_alive);
  g_test_add_func ("/engine/bench", bench_counts_and_times_every_stage);
  g_test_add_func ("/engine/bench/counts", counts_of_runs_out_of_range_are_refused);
  g_test_add_func ("/engine/profile", profile_times_every_step_on_every_device);
  g_test_add_func ("/engine/inspect", inspect_tells_rows_as_trained_and_as_deployed);
  return g_test_run ();
}
