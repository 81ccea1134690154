/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-steady.c - once all has been seen, a frame allocates nothing, records nothing
 * and writes no descriptors.
 *
 * The linker puts functions of this file in the place of GLib's (meson.build: --wrap), in our code
 * alone: what the driver does is its own. Others take their place in the table of the device. */
#include "engine/engine.h"
#include "engine/vulkan/device.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"

#define FRAME_PX 64
#define N_BATCH 2

static gint n_allocations; /* atomic, as is the next: the batcher has threads */

/* clang-format off */
#define COUNT(name, args, call)                                                                    \
  gpointer __real_##name args;                                                                     \
  gpointer __wrap_##name args;                                                                     \
  gpointer __wrap_##name args                                                                      \
  {                                                                                                \
    g_atomic_int_inc (&n_allocations);                                                             \
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

static gint n_device_calls; /* that have no place in a frame */
static struct VolkDeviceTable real;

static VKAPI_ATTR VkResult VKAPI_CALL
count_begin (VkCommandBuffer commands, const VkCommandBufferBeginInfo *info)
{
  g_atomic_int_inc (&n_device_calls);
  return real.vkBeginCommandBuffer (commands, info);
}

static VKAPI_ATTR void VKAPI_CALL
count_update (VkDevice device, uint32_t n_writes, const VkWriteDescriptorSet *writes,
              uint32_t n_copies, const VkCopyDescriptorSet *copies)
{
  g_atomic_int_inc (&n_device_calls);
  real.vkUpdateDescriptorSets (device, n_writes, writes, n_copies, copies);
}

static VKAPI_ATTR VkResult VKAPI_CALL
count_allocate (VkDevice device, const VkMemoryAllocateInfo *info,
                const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  g_atomic_int_inc (&n_device_calls);
  return real.vkAllocateMemory (device, info, allocator, memory);
}

static YvEngine *
open_counted (void)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/x-legacy.pt");
  const YvEngineOptions options = {.model_file = path};
  YvEngine *engine = yv_engine_new (&options, NULL);

  real = engine->device->vk;
  engine->device->vk.vkBeginCommandBuffer = count_begin;
  engine->device->vk.vkUpdateDescriptorSets = count_update;
  engine->device->vk.vkAllocateMemory = count_allocate;
  n_allocations = n_device_calls = 0;
  return engine;
}

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
  YvStreamOptions options = YV_STREAM_DEFAULTS;
  options.input_size = 480;
  options.confidence_threshold = 0;
  options.multi_label = true;
  g_autoptr (YvEngine) engine = open_counted ();
  g_autoptr (YvStream) stream = yv_stream_new (engine, &options, NULL);
  static uint8_t pixels[N_BATCH][3 * FRAME_PX * FRAME_PX];
  YvImage images[N_BATCH];
  const YvDetections *found;

  for (uint32_t i = 0; i < N_BATCH; i++)
    images[i] = draw_picture (pixels[i], i);
  g_assert_true (yv_stream_detect_batch (stream, images, n_images, &found, NULL));
  g_assert_cmpint (n_allocations, >, 0); /* they are counted */
  g_assert_cmpint (n_device_calls, >, 0);
  n_allocations = n_device_calls = 0;
  g_assert_true (yv_stream_detect_batch (stream, images, n_images, &found, NULL));
  g_assert_cmpint (n_allocations, ==, 0);
  g_assert_cmpint (n_device_calls, ==, 0);
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

  YvStreamOptions options = YV_STREAM_DEFAULTS;
  options.input_size = 64;
  options.confidence_threshold = 0;
  options.max_in_flight = 2;
  g_autoptr (YvEngine) engine = open_counted ();
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
      n_allocations = n_device_calls = 0;
    if (yv_stream_n_in_flight (stream) == 2)
      n_found += yv_stream_collect (stream, NULL, NULL)->n_detections;
    g_assert_true (yv_stream_submit (stream, &images[(i + i / 6) % 3], 1, NULL));
  }
  g_assert_cmpint (n_allocations, ==, 0);
  g_assert_cmpint (n_device_calls, ==, 0);
  g_assert_cmpuint (n_found, >, 0);
  yv_stream_abandon (stream);
  for (uint32_t i = 0; i < 3; i++)
    yv_frame_memory_free (pool[i]);
}

/* Through the batcher, one after the other, so that it is always the same slot: copied, and in
 * place. */
static void
shared_frames_allocate_nothing (bool in_place)
{
  YvStreamOptions options = YV_STREAM_DEFAULTS;
  options.input_size = 64;
  options.confidence_threshold = 0;
  options.shares_batches = true;
  g_autoptr (YvEngine) engine = open_counted ();
  g_autoptr (YvStream) stream = yv_stream_new (engine, &options, NULL);
  static uint8_t pixels[3 * FRAME_PX * FRAME_PX];
  YvFrameMemory *memory = yv_frame_memory_new (engine, sizeof pixels, NULL);
  YvImage image = draw_picture (in_place ? yv_frame_memory_bytes (memory) : pixels, 1);

  image.memory = in_place ? memory : NULL;
  for (uint32_t i = 0; i < 16; i++) {
    if (i == 8)
      n_allocations = n_device_calls = 0;
    const YvDetections *found = yv_stream_detect (stream, &image, NULL);
    g_assert_cmpuint (found->n_detections, >, 0);
    g_assert_true (found->was_copied != in_place);
  }
  g_assert_cmpint (n_allocations, ==, 0);
  g_assert_cmpint (n_device_calls, ==, 0);
  yv_frame_memory_free (memory);
}

static void
shared_frames_allocate_nothing_copied_or_in_place (void)
{
  if (!yv_test_needs_vulkan ())
    return;
  shared_frames_allocate_nothing (false);
  shared_frames_allocate_nothing (true);
}

/* As on a GPU: recorded as for a weak device, run, recorded as the device wants it, run; from then
 * on nothing. Slots take turns. */
static void
slots_of_a_gpu_record_nothing_from_their_third_run_on (void)
{
  if (!yv_test_needs_vulkan ())
    return;

  YvStreamOptions options = YV_STREAM_DEFAULTS;
  options.input_size = 64;
  options.max_in_flight = 2;
  g_autoptr (YvEngine) engine = open_counted ();
  g_autoptr (YvStream) stream = yv_stream_new (engine, &options, NULL);
  static uint8_t pixels[3 * FRAME_PX * FRAME_PX];
  const YvImage image = draw_picture (pixels, 0);

  g_assert_true (yv_stream_prepare (stream, FRAME_PX, FRAME_PX, NULL));
  engine->device->caps.is_cpu = false; /* the plan is made; how it is submitted is still open */
  for (uint32_t i = 0; i < 10; i++) {
    if (i % 2 == 0 && i <= 4) {
      g_assert_true (i == 0 || n_device_calls > 0);
      n_device_calls = 0;
    }
    if (yv_stream_n_in_flight (stream) == 2)
      g_assert_nonnull (yv_stream_collect (stream, NULL, NULL));
    g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  }
  g_assert_cmpint (n_device_calls, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/steady/frame", a_frame_whose_list_is_cut_off_allocates_nothing);
  g_test_add_func ("/steady/batch", a_batch_whose_lists_are_cut_off_allocates_nothing);
  g_test_add_func ("/steady/in-flight", frames_in_flight_allocate_nothing);
  g_test_add_func ("/steady/shared", shared_frames_allocate_nothing_copied_or_in_place);
  g_test_add_func ("/steady/gpu", slots_of_a_gpu_record_nothing_from_their_third_run_on);
  return g_test_run ();
}
