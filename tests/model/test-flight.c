/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-flight.c - frames in flight: what comes of them is what detect finds, in order.
 */
#include <string.h>

#include "engine/engine.h"
#include "engine/error.h"
#include "engine/memory.h"
#include "engine/vulkan/device.h"
#include "tests/model/enginecase.h"

#define N_FRAMES 9
#define MAX_IN_FLIGHT 4 /* of these tests */

/* The detections of a picture of its own for each phase, one after the other. */
static GArray *
detect_one_by_one (YvEngine *engine, const YvStreamOptions *options, uint32_t n)
{
  GArray *all = g_array_new (FALSE, FALSE, sizeof (YvDetection));
  g_autoptr (YvStream) stream = open_stream (engine, options);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);

  for (uint32_t i = 0; i < n; i++) {
    const YvImage image = draw_picture (pixels, 7 * i);
    const YvDetections *found = yv_stream_detect (stream, &image, NULL);

    g_assert_cmpuint (found->n_detections, >, 0);
    g_array_append_vals (all, found->detections, found->n_detections);
  }
  return all;
}

static void
collect (YvStream *stream, GArray *all)
{
  g_autoptr (GError) error = NULL;
  uint32_t n_results;
  const YvDetections *found = yv_stream_collect (stream, &n_results, &error);

  g_assert_no_error (error);
  for (uint32_t i = 0; i < n_results; i++)
    g_array_append_vals (all, found[i].detections, found[i].n_detections);
}

static void
assert_same (GArray *got, GArray *expected)
{
  g_assert_cmpmem (got->data, got->len * sizeof (YvDetection), expected->data,
                   expected->len * sizeof (YvDetection));
}

/* The picture's memory is written again as soon as submit returns, but where it is read in place:
 * then there are as many as may be in flight. */
static void
frames_in_flight_are_found_in_order (YvEngine *engine, uint32_t max_in_flight, bool in_place,
                                     bool multi_label)
{
  YvStreamOptions options = low_options ();
  options.max_in_flight = max_in_flight;
  options.multi_label = multi_label;
  g_autoptr (GArray) expected = detect_one_by_one (engine, &options, N_FRAMES);
  g_autoptr (GArray) got = g_array_new (FALSE, FALSE, sizeof (YvDetection));
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  YvFrameMemory *memories[MAX_IN_FLIGHT];

  for (uint32_t i = 0; i < max_in_flight; i++)
    memories[i] = yv_frame_memory_new (engine, FRAME_BYTES, NULL);
  for (uint32_t i = 0; i < N_FRAMES; i++) {
    YvFrameMemory *memory = memories[in_place ? i % max_in_flight : 0];

    if (yv_stream_n_in_flight (stream) == max_in_flight)
      collect (stream, got);
    YvImage image = draw_picture (yv_frame_memory_bytes (memory), 7 * i);
    image.memory = in_place ? memory : NULL;
    g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  }
  g_assert_cmpuint (yv_stream_n_in_flight (stream), ==, max_in_flight);
  while (yv_stream_n_in_flight (stream) > 0)
    collect (stream, got);
  assert_same (got, expected);
  for (uint32_t i = 0; i < max_in_flight; i++)
    yv_frame_memory_free (memories[i]);
}

static void
frames_in_flight_are_found_in_order_on_vulkan (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();

  for (uint32_t max = 1; engine && max <= MAX_IN_FLIGHT; max++)
    frames_in_flight_are_found_in_order (engine, max, max % 2 == 0, max == 3);
}

static void
frames_in_flight_are_found_in_order_on_the_reference (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");

  frames_in_flight_are_found_in_order (engine, 2, true, false);
}

/* 70875 candidates of which 65536 fit, so that each frame is run again, behind the next. */
static void
frames_whose_lists_are_cut_off_run_again_behind_others (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  YvStreamOptions options = low_options ();
  options.input_size = 480;
  options.letterbox = YV_LETTERBOX_FIXED;
  options.confidence_threshold = 0;
  options.multi_label = true;
  g_autoptr (GArray) expected = detect_one_by_one (engine, &options, 2);
  g_autoptr (GArray) got = g_array_new (FALSE, FALSE, sizeof (YvDetection));
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);

  for (uint32_t i = 0; i < 2; i++) {
    const YvImage image = draw_picture (pixels, 7 * i);
    g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  }
  memset (pixels, 0, FRAME_BYTES);
  collect (stream, got);
  collect (stream, got);
  assert_same (got, expected);
}

static void
options_and_sizes_are_those_of_the_submit (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  YvStreamOptions few = low_options (), many = few;
  few.max_detections = 1;
  many.input_size = 96;
  g_autoptr (YvStream) stream = open_stream (engine, &few);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  const YvImage image = draw_picture (pixels, 0);
  const YvDetections *found;

  g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  g_assert_true (yv_stream_set_options (stream, &many, NULL));
  g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  found = yv_stream_collect (stream, NULL, NULL);
  g_assert_cmpuint (found->n_detections, ==, 1);
  g_assert_cmpuint (found->letterbox.net_w, !=, 96);
  found = yv_stream_collect (stream, NULL, NULL);
  g_assert_cmpuint (found->n_detections, >, 1);
  g_assert_cmpuint (found->letterbox.net_w, ==, 96);
}

static void
one_too_many_and_one_too_few_are_refused (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  YvStreamOptions options = low_options ();
  options.max_in_flight = 1;
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  YvImage image = draw_picture (pixels, 0);
  g_autoptr (GError) empty = NULL, full = NULL, busy = NULL, outside = NULL, size = NULL;
  g_autoptr (GError) number = NULL;

  g_assert_null (yv_stream_collect (stream, NULL, &empty));
  g_assert_error (empty, YV_ERROR, YV_ERROR_INVALID);
  g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  g_assert_false (yv_stream_submit (stream, &image, 1, &full));
  g_assert_error (full, YV_ERROR, YV_ERROR_INVALID);
  g_assert_null (yv_stream_detect (stream, &image, &busy));
  g_assert_error (busy, YV_ERROR, YV_ERROR_INVALID);
  g_assert_nonnull (yv_stream_collect (stream, NULL, NULL));
  g_assert_nonnull (yv_stream_detect (stream, &image, NULL));

  options.max_in_flight = YV_MAX_IN_FLIGHT + 1;
  g_assert_false (yv_stream_set_options (stream, &options, &number));
  g_assert_error (number, YV_ERROR, YV_ERROR_INVALID);
  g_assert_null (yv_frame_memory_new (engine, 0, &size));
  g_assert_error (size, YV_ERROR, YV_ERROR_INVALID);
  YvFrameMemory *memory = yv_frame_memory_new (engine, FRAME_BYTES - 1, NULL);
  image.memory = memory;
  image.planes[0] = yv_frame_memory_bytes (memory);
  g_assert_false (yv_stream_submit (stream, &image, 1, &outside));
  g_assert_error (outside, YV_ERROR, YV_ERROR_INVALID);
  g_assert_nonnull (strstr (outside->message, "does not lie in its memory"));
  yv_frame_memory_free (memory);
}

/* More than the slots that those share who wait. A single thread must never wait for itself. */
static void
two_streams_of_a_thread_do_not_wait_for_each_other (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  YvStreamOptions options = low_options ();
  options.max_in_flight = MAX_IN_FLIGHT;
  g_autoptr (GArray) expected = detect_one_by_one (engine, &options, MAX_IN_FLIGHT);
  g_autoptr (YvStream) sync = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  YvStream *streams[2];

  for (uint32_t k = 0; k < 2; k++)
    streams[k] = open_stream (engine, &options);
  for (uint32_t i = 0; i < MAX_IN_FLIGHT; i++) {
    const YvImage image = draw_picture (pixels, 7 * i);

    for (uint32_t k = 0; k < 2; k++)
      g_assert_true (yv_stream_submit (streams[k], &image, 1, NULL));
    g_assert_nonnull (yv_stream_detect (sync, &image, NULL));
  }
  for (uint32_t k = 0; k < 2; k++) {
    g_autoptr (GArray) got = g_array_new (FALSE, FALSE, sizeof (YvDetection));

    while (yv_stream_n_in_flight (streams[k]) > 0)
      collect (streams[k], got);
    assert_same (got, expected);
    yv_stream_free (streams[k]);
  }
}

static void
what_is_in_flight_may_be_dropped (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  const YvStreamOptions options = low_options ();
  g_autoptr (GArray) expected = detect_one_by_one (engine, &options, 1);
  g_autoptr (GArray) got = g_array_new (FALSE, FALSE, sizeof (YvDetection));
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  YvFrameMemory *memory = yv_frame_memory_new (engine, FRAME_BYTES, NULL);
  YvImage image = draw_picture (yv_frame_memory_bytes (memory), 7);

  image.memory = memory;
  for (uint32_t round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < 2; i++)
      g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
    yv_stream_abandon (stream);
    g_assert_cmpuint (yv_stream_n_in_flight (stream), ==, 0);
  }
  image = draw_picture (pixels, 0);
  g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  collect (stream, got);
  assert_same (got, expected);
  g_assert_true (yv_stream_submit (stream, &image, 1, NULL)); /* freed with the stream */
  yv_frame_memory_free (memory);
}

static YvDevice *lost_device;
static PFN_vkWaitSemaphores real_wait;
static uint32_t n_waits_until_lost;

static VKAPI_ATTR VkResult VKAPI_CALL
wait_and_lose (VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout_ns)
{
  const VkResult result = real_wait (device, info, timeout_ns);

  return n_waits_until_lost-- == 0 ? VK_ERROR_DEVICE_LOST : result;
}

static void
a_failure_is_of_one_frame (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  YvStreamOptions options = low_options ();
  options.max_in_flight = 3;
  g_autoptr (GArray) expected = detect_one_by_one (engine, &options, 3);
  g_autoptr (GArray) got = g_array_new (FALSE, FALSE, sizeof (YvDetection));
  g_autoptr (GArray) first = detect_one_by_one (engine, &options, 1);
  g_autoptr (GArray) two = detect_one_by_one (engine, &options, 2);
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  g_autoptr (GError) error = NULL, bad = NULL;

  lost_device = engine->device;
  real_wait = lost_device->vk.vkWaitSemaphores;
  n_waits_until_lost = 1;
  lost_device->vk.vkWaitSemaphores = wait_and_lose;
  for (uint32_t i = 0; i < 3; i++) {
    YvImage image = draw_picture (pixels, 7 * i);

    g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
    image.stride_bytes[0] = 1;
    if (i < 2)
      g_assert_false (yv_stream_submit (stream, &image, 1, i == 0 ? &bad : NULL));
  }
  g_assert_error (bad, YV_ERROR, YV_ERROR_INVALID);
  collect (stream, got);
  g_assert_null (yv_stream_collect (stream, NULL, &error)); /* the second */
  g_assert_error (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
  lost_device->vk.vkWaitSemaphores = real_wait;
  collect (stream, got);
  g_array_remove_range (expected, first->len, two->len - first->len);
  assert_same (got, expected);
}

static YvDevice *full_device;
static PFN_vkAllocateMemory real_allocate;
static PFN_vkFreeMemory real_free;
static bool is_full;

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_unless_full (VkDevice device, const VkMemoryAllocateInfo *info,
                      const VkAllocationCallbacks *allocator, VkDeviceMemory *memory)
{
  return is_full ? VK_ERROR_OUT_OF_DEVICE_MEMORY : real_allocate (device, info, allocator, memory);
}

static VKAPI_ATTR void VKAPI_CALL
free_and_make_room (VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *allocator)
{
  if (memory)
    is_full = false;
  real_free (device, memory, allocator);
}

static void
fill_device (YvDevice *device)
{
  full_device = device;
  real_allocate = device->vk.vkAllocateMemory;
  real_free = device->vk.vkFreeMemory;
  device->vk.vkAllocateMemory = allocate_unless_full;
  device->vk.vkFreeMemory = free_and_make_room;
  is_full = true;
}

static void
empty_device (void)
{
  full_device->vk.vkAllocateMemory = real_allocate;
  full_device->vk.vkFreeMemory = real_free;
}

/* The second slot finds no memory until the runner of a size that nobody uses is gone; the third
 * finds none to give up. */
static void
what_lies_idle_is_given_up_for_a_slot (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  YvStreamOptions options = low_options ();
  options.max_in_flight = 3;
  options.input_size = 96;
  g_array_unref (detect_one_by_one (engine, &options, 1)); /* idle from here on */
  options.input_size = 160;
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  g_autofree uint8_t *pixels = g_malloc (FRAME_BYTES);
  const YvImage image = draw_picture (pixels, 7);
  g_autoptr (GError) error = NULL;

  g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  g_assert_cmpuint (engine->runners->len, ==, 2);
  fill_device (engine->device);
  g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
  g_assert_cmpuint (engine->runners->len, ==, 1);
  is_full = true;
  g_assert_false (yv_stream_submit (stream, &image, 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
  empty_device ();
  g_assert_cmpuint (yv_stream_n_in_flight (stream), ==, 2);
  g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
}

/* Also by the runner of a size that the stream has left, which stays with the engine. */
static void
memory_is_forgotten_with_the_last_stream (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  YvStreamOptions options = low_options ();
  YvStream *stream = open_stream (engine, &options);
  YvFrameMemory *memory = yv_frame_memory_new (engine, FRAME_BYTES, NULL);
  YvImage image = draw_picture (yv_frame_memory_bytes (memory), 7);

  image.memory = memory;
  g_assert_nonnull (yv_stream_detect (stream, &image, NULL));
  options.input_size = 96;
  g_assert_true (yv_stream_set_options (stream, &options, NULL));
  g_assert_nonnull (yv_stream_detect (stream, &image, NULL));
  g_assert_false (g_atomic_ref_count_compare (&memory->n_refs, 1));
  yv_stream_free (stream);
  g_assert_cmpuint (engine->runners->len, ==, 2);
  g_assert_true (g_atomic_ref_count_compare (&memory->n_refs, 1)); /* ours */
  yv_frame_memory_free (memory);
}

/* Between two frames, while the slot and the stream go on. */
static void
memory_goes_at_once_when_it_is_freed (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine)
    return;

  const YvStreamOptions options = low_options ();
  g_autoptr (YvStream) stream = open_stream (engine, &options);
  for (uint32_t i = 0; i < 3; i++) {
    fill_device (engine->device);
    is_full = false;
    YvFrameMemory *memory = yv_frame_memory_new (engine, FRAME_BYTES, NULL);
    YvImage image = draw_picture (yv_frame_memory_bytes (memory), 7);

    image.memory = memory;
    g_assert_nonnull (yv_stream_detect (stream, &image, NULL));
    is_full = true;
    yv_frame_memory_free (memory);
    g_assert_false (is_full); /* vkFreeMemory() was called */
    empty_device ();
  }
}

static void
memory_is_of_the_engine_that_made_it (void)
{
  YvEngine *engine = open_vulkan ();
  if (!engine)
    return;

  g_autoptr (YvEngine) other = open_engine (NULL), reference = open_engine ("reference");
  g_autoptr (GError) size = NULL, unsupported = NULL;
  g_autofree uint8_t *bytes = g_malloc (FRAME_BYTES);
  YvFrameMemory *memory = yv_frame_memory_new (engine, FRAME_BYTES, NULL);
  YvFrameMemory *plain = yv_frame_memory_new (reference, FRAME_BYTES, NULL);

  g_assert_true (yv_frame_memory_is_of (memory, engine));
  g_assert_false (yv_frame_memory_is_of (memory, other));
  g_assert_false (yv_frame_memory_is_of (memory, reference));
  g_assert_true (yv_frame_memory_is_of (memory, NULL));
  g_assert_false (yv_frame_memory_is_of (plain, reference)); /* it copies */
  g_assert_false (yv_frame_memory_is_of (plain, NULL));
  g_assert_null (yv_frame_memory_import (engine, bytes, 0, &size));
  g_assert_error (size, YV_ERROR, YV_ERROR_INVALID);
  g_assert_null (yv_frame_memory_import (reference, bytes, FRAME_BYTES, &unsupported));
  g_assert_error (unsupported, YV_ERROR, YV_ERROR_UNSUPPORTED);
  g_assert_cmpstr (unsupported->message, ==, "the reference copies its frames");
  yv_engine_unref (engine);
  g_assert_false (yv_frame_memory_is_of (memory, NULL));
  yv_frame_memory_free (memory);
  yv_frame_memory_free (plain);
}

/* In the middle of a block, and freed before the block is while the stream lives on. */
static void
memory_of_others_is_found_the_same_in (void)
{
  g_autoptr (YvEngine) engine = open_vulkan ();
  if (!engine || engine->device->import_align_bytes == 0) {
    if (engine)
      g_test_skip ("the device lacks VK_EXT_external_memory_host");
    return;
  }
  const YvStreamOptions options = low_options ();
  g_autoptr (GArray) expected = detect_one_by_one (engine, &options, 3);
  g_autoptr (GArray) got = g_array_new (FALSE, FALSE, sizeof (YvDetection));
  g_autoptr (YvStream) stream = open_stream (engine, &options);

  for (uint32_t i = 0; i < 3; i++) {
    g_autoptr (GError) error = NULL;
    uint8_t *block = g_malloc (FRAME_BYTES + 77);
    YvFrameMemory *memory = yv_frame_memory_import (engine, block + 77, FRAME_BYTES, &error);

    g_assert_no_error (error);
    g_assert_true (yv_frame_memory_bytes (memory) == block + 77);
    YvImage image = draw_picture (block + 77, 7 * i);
    image.memory = memory;
    g_assert_true (yv_stream_submit (stream, &image, 1, NULL));
    collect (stream, got);
    yv_frame_memory_free (memory);
    g_free (block);
  }
  assert_same (got, expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flight/order/vulkan", frames_in_flight_are_found_in_order_on_vulkan);
  g_test_add_func ("/flight/order/reference", frames_in_flight_are_found_in_order_on_the_reference);
  g_test_add_func ("/flight/cut-off", frames_whose_lists_are_cut_off_run_again_behind_others);
  g_test_add_func ("/flight/options", options_and_sizes_are_those_of_the_submit);
  g_test_add_func ("/flight/refused", one_too_many_and_one_too_few_are_refused);
  g_test_add_func ("/flight/streams", two_streams_of_a_thread_do_not_wait_for_each_other);
  g_test_add_func ("/flight/dropped", what_is_in_flight_may_be_dropped);
  g_test_add_func ("/flight/failure", a_failure_is_of_one_frame);
  g_test_add_func ("/flight/out-of-memory", what_lies_idle_is_given_up_for_a_slot);
  g_test_add_func ("/flight/memory/forgotten", memory_is_forgotten_with_the_last_stream);
  g_test_add_func ("/flight/memory/freed", memory_goes_at_once_when_it_is_freed);
  g_test_add_func ("/flight/memory/engines", memory_is_of_the_engine_that_made_it);
  g_test_add_func ("/flight/memory/imported", memory_of_others_is_found_the_same_in);
  return g_test_run ();
}
