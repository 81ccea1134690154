/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-batch.c - batches: what is found does not depend on them. */
#include <string.h>

#include "engine/engine.h"
#include "tests/common/device.h"
#include "tests/model/enginecase.h"

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

static uint32_t
n_runners (YvEngine *engine, uint32_t n_images)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < engine->runners->len; i++) {
    const YvRunner *runner = g_ptr_array_index (engine->runners, i);

    n += runner->plan->options.n == n_images;
  }
  return n;
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
  g_assert_cmpuint (n_runners (engine, 2), ==, 1); /* what was cut off ran there again */
  g_assert_cmpuint (n_runners (engine, 1), ==, 0);
  for (uint32_t i = 0; i < 2; i++) {
    const YvDetections *expected = yv_stream_detect (few, &images[i], NULL);

    g_test_message ("%u of the best", found[i].n_detections);
    g_assert_cmpuint (expected->n_detections, >, 10);
    assert_bit_equal (expected, &found[i]);
  }
}

/* 70875 candidates, of which 65536 fit; 14175 of them are wanted, one a row, and nothing is
 * suppressed at IoU 1: as many as rows have a best class. Those that are not wanted take no place
 * from them. */
static void
classes_that_are_not_wanted_push_no_other_out (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autoptr (YvEngine) engine = open_engine (NULL);
  YvStreamOptions options = low_options ();
  options.input_size = 480;
  options.letterbox = YV_LETTERBOX_FIXED;
  options.confidence_threshold = 0;
  options.iou_threshold = 1;
  options.max_detections = 100000;
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (3 * FRAME_W * FRAME_H);
  const YvImage image = draw_picture (pixels, 3);
  const uint32_t n_rows = yv_stream_detect (stream, &image, NULL)->n_detections;

  options.multi_label = true;
  options.classes = "3";
  g_assert_true (yv_stream_set_options (stream, &options, NULL));
  const YvDetections *found = yv_stream_detect (stream, &image, NULL);
  g_test_message ("%u rows in the frame, %u of class 3", n_rows, found->n_detections);
  g_assert_cmpuint (n_rows, >, 5000);
  g_assert_cmpuint (found->n_detections, ==, n_rows);
  for (uint32_t i = 0; i < found->n_detections; i++)
    g_assert_cmpuint (found->detections[i].class_index, ==, 3);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batch/reference",
                   an_image_has_the_same_detections_in_any_batch_on_the_reference);
  g_test_add_func ("/batch/vulkan", an_image_has_the_same_detections_in_any_batch_on_vulkan);
  g_test_add_func ("/batch/cut-off", more_candidates_than_fit_give_the_best);
  g_test_add_func ("/batch/wanted", classes_that_are_not_wanted_push_no_other_out);
  g_test_add_func ("/batch/refused", batches_that_cannot_be_are_refused);
  return g_test_run ();
}
