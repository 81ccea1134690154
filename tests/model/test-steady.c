/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-steady.c - once all has been seen, a frame allocates nothing.
 *
 * The linker puts functions of this file in the place of GLib's (meson.build: --wrap), in our code
 * alone: what the driver does is its own. */
#include "engine/yolov7.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"

#define FRAME_PX 64
#define N_BATCH 2

static int n_allocations;

/* clang-format off */
#define COUNT(name, args, call)                                                                    \
  gpointer __real_##name args;                                                                     \
  gpointer __wrap_##name args;                                                                     \
  gpointer __wrap_##name args                                                                      \
  {                                                                                                \
    n_allocations++;                                                                               \
    return __real_##name call;                                                                     \
  }

COUNT (g_malloc, (gsize n), (n))
COUNT (g_malloc0, (gsize n), (n))
COUNT (g_try_malloc, (gsize n), (n))
COUNT (g_try_malloc0, (gsize n), (n))
COUNT (g_malloc_n, (gsize n, gsize size), (n, size))
COUNT (g_malloc0_n, (gsize n, gsize size), (n, size))
COUNT (g_realloc_n, (gpointer memory, gsize n, gsize size), (memory, n, size))
#undef COUNT
/* clang-format on */

static YvImage
draw_picture (uint8_t *pixels, uint32_t phase)
{
  for (uint32_t i = 0; i < 3 * FRAME_PX * FRAME_PX; i++)
    pixels[i] = (uint8_t) (i * (phase + 3) / 7);
  return (YvImage){.format = YV_FORMAT_RGB,
                   .width = FRAME_PX,
                   .height = FRAME_PX,
                   .planes = {pixels},
                   .stride_bytes = {3 * FRAME_PX}};
}

/* Five classes at 480 px and threshold 0: 70875 candidates an image, more than its list holds, so
 * that each is run again. */
static void
frames_allocate_nothing (uint32_t n_images)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");
  const YvEngineOptions engine_options = {.model_file = path};
  YvStreamOptions options = YV_STREAM_DEFAULTS;
  options.input_size = 480;
  options.confidence_threshold = 0;
  options.multi_label = true;
  g_autoptr (YvEngine) engine = yv_engine_new (&engine_options, NULL);
  g_autoptr (YvStream) stream = yv_stream_new (engine, &options, NULL);
  static uint8_t pixels[N_BATCH][3 * FRAME_PX * FRAME_PX];
  YvImage images[N_BATCH];
  const YvDetections *found;

  for (uint32_t i = 0; i < N_BATCH; i++)
    images[i] = draw_picture (pixels[i], i);
  g_assert_true (yv_stream_detect_batch (stream, images, n_images, &found, NULL));
  g_assert_cmpint (n_allocations, >, 0); /* they are counted */
  n_allocations = 0;
  g_assert_true (yv_stream_detect_batch (stream, images, n_images, &found, NULL));
  g_assert_cmpint (n_allocations, ==, 0);
  g_assert_cmpuint (found->n_detections, >, 0);
}

static void
a_frame_whose_list_is_cut_off_allocates_nothing (void)
{
  if (yv_test_needs_vulkan ())
    frames_allocate_nothing (1);
}

static void
a_batch_whose_lists_are_cut_off_allocates_nothing (void)
{
  if (yv_test_needs_vulkan ())
    frames_allocate_nothing (N_BATCH);
}

/* Two in flight, from a pool of three memories, until each memory has met each slot and each flight
 * its detections; then as often again. */
static void
frames_in_flight_allocate_nothing (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");
  const YvEngineOptions engine_options = {.model_file = path};
  YvStreamOptions options = YV_STREAM_DEFAULTS;
  options.input_size = 64;
  options.confidence_threshold = 0;
  options.max_in_flight = 2;
  g_autoptr (YvEngine) engine = yv_engine_new (&engine_options, NULL);
  g_autoptr (YvStream) stream = yv_stream_new (engine, &options, NULL);
  YvFrameMemory *pool[3];
  YvImage images[3];
  uint32_t n_found = 0;

  for (uint32_t i = 0; i < 3; i++) {
    pool[i] = yv_frame_memory_new (engine, 3 * FRAME_PX * FRAME_PX, NULL);
    images[i] = draw_picture (yv_frame_memory_bytes (pool[i]), i);
    images[i].memory = pool[i];
  }
  for (uint32_t i = 0; i < 36; i++) {
    if (i == 18)
      n_allocations = 0;
    if (yv_stream_n_in_flight (stream) == 2)
      n_found += yv_stream_collect (stream, NULL, NULL)->n_detections;
    g_assert_true (yv_stream_submit (stream, &images[(i + i / 6) % 3], 1, NULL));
  }
  g_assert_cmpint (n_allocations, ==, 0);
  g_assert_cmpuint (n_found, >, 0);
  yv_stream_abandon (stream);
  for (uint32_t i = 0; i < 3; i++)
    yv_frame_memory_free (pool[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/steady/frame", a_frame_whose_list_is_cut_off_allocates_nothing);
  g_test_add_func ("/steady/batch", a_batch_whose_lists_are_cut_off_allocates_nothing);
  g_test_add_func ("/steady/in-flight", frames_in_flight_allocate_nothing);
  return g_test_run ();
}
