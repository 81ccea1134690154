/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-batcher.c - frames of several streams in one batch: each finds what it finds
 * alone, whatever the others want or do.
 */
#include <string.h>

#include "engine/batcher.h"
#include "engine/engine.h"
#include "engine/error.h"
#include "engine/vulkan/device.h"
#include "tests/common/device.h"
#include "tests/model/enginecase.h"

#define FRAME_BYTES (3 * FRAME_W * FRAME_H)

/* Longer than any test: what waits so long waits for a full batch. */
#define FOR_EVER_NS (UINT64_C (3600) * 1000000000)

static YvEngine *
open_vulkan (void)
{
  return yv_test_needs_vulkan () ? open_engine (NULL) : NULL;
}

static YvStreamOptions
shared_options (void)
{
  YvStreamOptions options = low_options ();

  options.shares_batches = true;
  return options;
}

static YvStream *
open_prepared (YvEngine *engine, const YvStreamOptions *options)
{
  YvStream *stream = open_stream (engine, options);
  g_autoptr (GError) error = NULL;

  yv_stream_prepare (stream, FRAME_W, FRAME_H, &error);
  g_assert_no_error (error);
  return stream;
}

static void
submit (YvStream *stream, const YvImage *image)
{
  g_autoptr (GError) error = NULL;

  yv_stream_submit (stream, image, 1, &error);
  g_assert_no_error (error);
}

static const YvDetections *
collect (YvStream *stream)
{
  g_autoptr (GError) error = NULL;
  uint32_t n_results = 0;
  const YvDetections *found = yv_stream_collect (stream, &n_results, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (n_results, ==, 1);
  return found;
}

static GArray *
copy_detections (const YvDetections *found)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (YvDetection));

  g_array_append_vals (all, found->detections, found->n_detections);
  return all;
}

/* By a stream of its own that does not share. */
static GArray *
detect_alone (YvEngine *engine, const YvStreamOptions *shared, const YvImage *image)
{
  YvStreamOptions options = *shared;
  g_autoptr (GError) error = NULL;

  options.shares_batches = false;
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  const YvDetections *found = yv_stream_detect (stream, image, &error);
  g_assert_no_error (error);
  return copy_detections (found);
}

static void
assert_found (const YvDetections *found, const GArray *expected)
{
  g_assert_cmpmem (found->detections, found->n_detections * sizeof (YvDetection), expected->data,
                   expected->len * sizeof (YvDetection));
}

/* ---- results --------------------------------------------------------------------------------- */

#define N_STREAMS 8

/* Its own picture and wishes: of thresholds, classes, formats and sizes no two agree. */
typedef struct {
  YvStreamOptions options;
  uint8_t pixels[FRAME_BYTES];
  YvImage image;
  GArray *expected;
  YvStream *stream;
} Camera;

/* What fits into the same network. */
static void
make_picture (Camera *camera, uint32_t i)
{
  static const YvFormat formats[] = {YV_FORMAT_RGB, YV_FORMAT_BGR, YV_FORMAT_RGB};
  YvImage *image = &camera->image;

  *image = draw_picture (camera->pixels, 9 * i);
  image->format = formats[i % 3];
  if (i % 4 == 1) { /* half the size */
    image->width /= 2;
    image->height /= 2;
    image->stride_bytes[0] *= 2;
  }
  if (i == 6)
    *image = (YvImage){.format = YV_FORMAT_GRAY8,
                       .width = FRAME_W,
                       .height = FRAME_H,
                       .planes = {camera->pixels},
                       .stride_bytes = {3 * FRAME_W}};
}

static void
make_camera (Camera *camera, YvEngine *engine, uint32_t i)
{
  static const char *const classes[] = {NULL, "0", "1,2", "3", NULL, "4,0", "2", "0,1,2,3"};

  make_picture (camera, i);
  camera->options = shared_options ();
  camera->options.confidence_threshold = 0.01f + 0.007f * (float) i;
  camera->options.iou_threshold = 0.3f + 0.05f * (float) i;
  camera->options.class_agnostic_nms = i % 2;
  camera->options.classes = classes[i];
  camera->options.batch_size = N_STREAMS;
  camera->options.batch_timeout_ns = FOR_EVER_NS;
  camera->expected = detect_alone (engine, &camera->options, &camera->image);
  camera->stream = open_prepared (engine, &camera->options);
}

/* All of a frame are there, and no batch is full before. */
static void
streams_that_want_different_things_run_together (YvEngine *engine)
{
  g_autofree Camera *cameras = g_new0 (Camera, N_STREAMS);
  uint32_t n_found = 0;

  for (uint32_t i = 0; i < N_STREAMS; i++)
    make_camera (&cameras[i], engine, i);
  for (uint32_t round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < N_STREAMS; i++)
      submit (cameras[i].stream, &cameras[i].image);
    for (uint32_t i = 0; i < N_STREAMS; i++) {
      const YvDetections *found = collect (cameras[i].stream);

      assert_found (found, cameras[i].expected);
      g_assert_cmpuint (found->n_batch, ==, N_STREAMS);
      g_assert_true (found->was_copied);
      g_assert_cmpuint (found->times.total_ns, >=, found->times.wait_ns);
      n_found += found->n_detections;
    }
  }
  g_assert_cmpuint (n_found, >, 0);
  for (uint32_t i = 0; i < N_STREAMS; i++) {
    yv_stream_free (cameras[i].stream);
    g_array_unref (cameras[i].expected);
  }
}

static void
streams_that_want_different_things_run_together_on_vulkan (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();

  if (engine)
    streams_that_want_different_things_run_together (engine);
}

static void
streams_that_want_different_things_run_together_on_the_reference (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");

  streams_that_want_different_things_run_together (engine);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/batcher/wishes/vulkan",
                   streams_that_want_different_things_run_together_on_vulkan);
  g_test_add_func ("/batcher/wishes/reference",
                   streams_that_want_different_things_run_together_on_the_reference);
  return g_test_run ();
}
