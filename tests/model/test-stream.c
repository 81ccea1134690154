/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-stream.c - a stream as an application uses it, on the reference and on
 * Vulkan: detections and options. */
#include <string.h>

#include "engine/engine.h"
#include "engine/vulkan/device.h"
#include "tests/common/device.h"
#include "tests/model/enginecase.h"

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

/* How detections are chosen is said with each frame; only multi-label needs larger lists, once, and
 * which then serve without it too. */
static void
options_of_detections_need_one_more_plan_at_most (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 3);
  uint32_t n_found[4];

  for (uint32_t i = 0; i < G_N_ELEMENTS (n_found); i++) {
    options.classes = i & 1 ? "0,2" : NULL;
    options.class_agnostic_nms = i & 1;
    options.multiply_one_class = i & 1;
    options.multi_label = i & 2;
    g_assert_true (yv_stream_set_options (stream, &options, NULL));
    n_found[i] = yv_stream_detect (stream, &image, NULL)->n_detections;
    g_assert_cmpuint (engine->runners->len, ==, options.multi_label ? 2 : 1);
  }
  options.multi_label = false;
  g_assert_true (yv_stream_set_options (stream, &options, NULL));
  g_assert_cmpuint (yv_stream_detect (stream, &image, NULL)->n_detections, ==, n_found[1]);
  g_assert_cmpuint (engine->runners->len, ==, 2);
  g_assert_cmpuint (n_found[2], !=, n_found[0]);
  g_assert_cmpuint (n_found[3], !=, n_found[1]);
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

static VKAPI_ATTR VkResult VKAPI_CALL
submit_nothing (VkQueue queue, uint32_t n, const VkSubmitInfo *infos, VkFence fence)
{
  (void) queue;
  (void) n;
  (void) infos;
  (void) fence;
  return VK_ERROR_DEVICE_LOST;
}

/* Again and again, and without waiting for it; another engine opens it afresh. */
static void
a_lost_device_is_an_error_that_names_it (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (YvEngine) engine = open_engine (NULL);
  const YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 0);

  g_assert_nonnull (yv_stream_detect (stream, &image, NULL));
  engine->device->vk.vkQueueSubmit = submit_nothing;
  for (uint32_t i = 0; i < 5; i++) { /* more often than there are slots */
    g_autoptr (GError) error = NULL;

    g_assert_null (yv_stream_detect (stream, &image, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
    g_assert_nonnull (strstr (error->message, yv_engine_info (engine)->device_name));
    g_assert_nonnull (strstr (error->message, "load the model again"));
  }

  g_autoptr (YvEngine) fresh = open_engine (NULL);
  g_autoptr (YvStream) next = open_stream (fresh, &options);
  g_assert_nonnull (yv_stream_detect (next, &image, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stream/detect/reference", the_reference_detects);
  g_test_add_func ("/stream/detect/vulkan", vulkan_detects);
  g_test_add_func ("/stream/detect/same", vulkan_finds_what_the_reference_finds);
  g_test_add_func ("/stream/options/refused",
                   stream_options_out_of_range_are_refused_and_change_nothing);
  g_test_add_func ("/stream/options/next-frame", options_take_effect_with_the_next_frame);
  g_test_add_func ("/stream/options/plan", options_of_detections_need_one_more_plan_at_most);
  g_test_add_func ("/stream/multi-label/reference",
                   multi_label_adds_other_classes_of_a_box_on_the_reference);
  g_test_add_func ("/stream/multi-label/vulkan", multi_label_adds_other_classes_of_a_box_on_vulkan);
  g_test_add_func ("/stream/multi-label/one-class", multi_label_changes_nothing_for_one_class);
  g_test_add_func ("/stream/frames/refused", frames_that_cannot_be_fitted_are_refused);
  g_test_add_func ("/stream/lost", a_lost_device_is_an_error_that_names_it);
  return g_test_run ();
}
