/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-vulkan-slot.c - frames of any size through slots, one after another and at once.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/memory.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/slot.h"
#include "tests/model/netcase.h"

static void
a_slot_gives_the_same_answer_again_after_larger_and_smaller_frames (void)
{
  g_auto (NetRun) net = {0};
  const uint32_t sizes[][2] = {{40, 30}, {640, 480}, {20, 20}, {1000, 700}, {40, 30}};
  struct YvCandidate *first = NULL;
  uint32_t n_first = 0;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  g_autoptr (YvExecutor) reference = net_reference_new (net.plan);
  for (uint32_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    NetPicture picture = net_picture_new (sizes[i][0], sizes[i][1], sizes[i][0]);
    YvLetterbox letterbox;
    g_assert_true (yv_letterbox_fit (sizes[i][0], sizes[i][1], 64, NET_STRIDE, YV_LETTERBOX_FIXED,
                                     true, &letterbox));
    const YvBatch batch = {
        .n_images = 1, .images = &picture.image, .letterboxes = &letterbox, .confidence = 0.2f};
    const struct YvCandidate *got, *expected;
    uint32_t n_got, n_expected;

    net_submit (net.executor, 0, &batch, &got, &n_got);
    net_submit (reference, 0, &batch, &expected, &n_expected);
    net_candidates_assert_close (got, n_got, expected, n_expected, 0.2f, 1e-4f);
    if (i == 0) {
      n_first = n_got;
      first = g_memdup2 (got, n_got * sizeof *got);
    } else if (i == G_N_ELEMENTS (sizes) - 1) {
      net_candidates_assert_identical (got, n_got, first, n_first);
    }
    g_free (picture.bytes);
  }
  g_free (first);
}

/* NetFrames that fit into a texel buffer and larger ones in turn, on a device whose texel buffers
 * are small. */
static void
frames_larger_than_a_texel_buffer_are_read_by_address (void)
{
  g_auto (NetRun) net = {0};
  const uint32_t sizes[][2] = {{20, 20}, {200, 100}, {30, 20}};

  if (!net_run_init (&net, &net_one_image, 2))
    return;
  for (uint32_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    NetPicture picture = net_picture_new (sizes[i][0], sizes[i][1], i);
    YvLetterbox letterbox;
    g_assert_true (yv_letterbox_fit (sizes[i][0], sizes[i][1], 64, NET_STRIDE, YV_LETTERBOX_FIXED,
                                     true, &letterbox));
    const YvBatch batch = {
        .n_images = 1, .images = &picture.image, .letterboxes = &letterbox, .confidence = 0.2f};
    const struct YvCandidate *got[2];
    uint32_t n_got[2];

    const uint64_t max_texels = net.device->caps.max_texels;
    net_submit (net.executor, 0, &batch, &got[0], &n_got[0]);
    net.device->caps.max_texels = 5000;
    net_submit (net.executor, 1, &batch, &got[1], &n_got[1]);
    net.device->caps.max_texels = max_texels;
    net_candidates_assert_identical (got[1], n_got[1], got[0], n_got[0]);
    g_assert_cmpuint (n_got[0], >, 0);
    g_free (picture.bytes);
  }
}

static void
a_frame_of_8k_with_four_bytes_a_pixel_is_analysed (void)
{
  const uint32_t w = 8192, h = 4320; /* more bytes than lavapipe's texel buffers have elements */
  const size_t n_bytes = (size_t) w * h * 4;
  g_auto (NetRun) net = {0};
  const struct YvCandidate *got, *expected;
  uint32_t n_got, n_expected;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  g_autofree uint8_t *bytes = g_malloc (n_bytes);
  for (size_t i = 0; i < n_bytes; i++)
    bytes[i] = (uint8_t) (i / 997 * 31 ^ i >> 15);
  const YvImage image = {.format = YV_FORMAT_RGBX,
                         .width = w,
                         .height = h,
                         .planes = {bytes},
                         .stride_bytes = {w * 4}};
  YvLetterbox letterbox;
  g_assert_true (yv_letterbox_fit (w, h, 64, NET_STRIDE, YV_LETTERBOX_FIXED, true, &letterbox));
  const YvBatch batch = {
      .n_images = 1, .images = &image, .letterboxes = &letterbox, .confidence = 0.2f};
  g_autoptr (YvExecutor) reference = net_reference_new (net.plan);
  net_submit (net.executor, 0, &batch, &got, &n_got);
  net_submit (reference, 0, &batch, &expected, &n_expected);
  net_candidates_assert_close (got, n_got, expected, n_expected, 0.2f, 1e-4f);
}

static VKAPI_ATTR VkResult VKAPI_CALL
refuse_to_begin (VkCommandBuffer commands G_GNUC_UNUSED,
                 const VkCommandBufferBeginInfo *info G_GNUC_UNUSED)
{
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

static void
a_slot_works_again_after_its_commands_could_not_be_recorded (void)
{
  g_auto (NetRun) net = {0};
  const struct YvCandidate *before, *after;
  uint32_t n_before, n_after;
  NetFrames frames;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  const YvExecutorClass *klass = net.executor->klass;
  const PFN_vkBeginCommandBuffer begin = net.device->vk.vkBeginCommandBuffer;
  g_autoptr (GError) error = NULL;
  net_frames_init (&frames, 1, 64, 64, 5);
  net_submit (net.executor, 0, &frames.batch, &before, &n_before);
  g_autofree struct YvCandidate *copy = g_memdup2 (before, n_before * sizeof *before);

  net.device->vk.vkBeginCommandBuffer = refuse_to_begin;
  g_assert_false (klass->profile (net.executor, 0, true, &error) &&
                  klass->submit (net.executor, 0, &frames.batch, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
  net.device->vk.vkBeginCommandBuffer = begin;
  net_submit (net.executor, 0, &frames.batch, &after, &n_after);
  net_candidates_assert_identical (after, n_after, copy, n_before);
  net_frames_clear (&frames);
}

static void
a_batch_may_have_fewer_images_than_the_plan (void)
{
  g_auto (NetRun) net = {0};
  const YvPlanOptions options = {.n = 3, .h = 64, .w = 64, .dtype = YV_DTYPE_F32};
  const struct YvCandidate *all[NET_MAX_BATCH], *some[NET_MAX_BATCH];
  uint32_t n_all[NET_MAX_BATCH], n_some[NET_MAX_BATCH];
  NetFrames frames;

  if (!net_run_init (&net, &options, 2))
    return;
  net_frames_init (&frames, 3, 64, 64, 5);
  net_submit (net.executor, 0, &frames.batch, all, n_all);
  frames.batch.n_images = 2;
  net_submit (net.executor, 1, &frames.batch, some, n_some);
  for (uint32_t i = 0; i < 2; i++)
    net_candidates_assert_identical (some[i], n_some[i], all[i], n_all[i]);
  net_frames_clear (&frames);
}

/* Fewer FLOPs than any convolution has, so that each is a piece; then what the device does, by the
 * clock of the device or, where it has none, of the host. A slot made later is right at once. */
static void
check_pieces (const YvPlanOptions *options, bool has_ticks)
{
  g_auto (NetRun) whole = {0}, cut = {0};
  NetFrames frames;
  const struct YvCandidate *got[NET_MAX_BATCH], *expected[NET_MAX_BATCH];
  uint32_t n_got[NET_MAX_BATCH], n_expected[NET_MAX_BATCH];

  if (!net_run_init (&whole, options, 1) || !net_run_init (&cut, options, 3))
    return;
  net_frames_init (&frames, options->n, 64, 64, 7);
  net_submit (whole.executor, 0, &frames.batch, expected, n_expected);
  cut.device->caps.is_cpu = false;
  if (!has_ticks)
    cut.device->tick_mask = 0;
  YvPace *pace = yv_vulkan_executor_slot (cut.executor, 0)->shared->pace;
  pace->piece_flops = 1;
  for (uint32_t round = 0; round < 4; round++) {
    const uint32_t index = round == 3 ? 2 : 1; /* not the first, made while the device was a CPU */
    g_assert_true (cut.executor->klass->submit (cut.executor, index, &frames.batch, NULL));
    const YvSlot *slot = yv_vulkan_executor_slot (cut.executor, index);
    g_assert_true ((slot->ticks != NULL) == has_ticks);
    g_assert_true (slot->is_measured == (round > 0));
    if (round == 0)
      g_assert_cmpuint (slot->n_pieces, >=, 5);
    if (round == 0 && g_array_index (cut.plan->steps, YvStep, 0).flops > 0)
      g_assert_cmpuint (slot->ends[0], ==, 2); /* the start and one fused letterbox */
    g_assert_true (cut.executor->klass->wait (cut.executor, index, got, n_got, NULL, NULL));
    g_assert_true (slot->n_pieces > 0 || round == 0);
    for (uint32_t i = 0; i < options->n; i++)
      net_candidates_assert_identical (got[i], n_got[i], expected[i], n_expected[i]);
    g_assert_true (pace->is_measured);
    g_assert_cmpuint (pace->piece_flops, >, 1);
  }
  net_frames_clear (&frames);
}

static void
a_network_in_pieces_gives_the_same_answer (void)
{
  check_pieces (&net_one_image, true);
  check_pieces (&(YvPlanOptions){.n = 3, .h = 64, .w = 64, .dtype = YV_DTYPE_F32}, true);
}

static void
a_device_without_a_clock_is_measured_by_the_hosts (void)
{
  check_pieces (&net_one_image, false);
}

/* The same picture copied, and where it lies: with rows that are far apart, in memory of its own
 * and in a batch with one that is copied. */
static void
frames_are_read_where_they_lie (void)
{
  g_auto (NetRun) net = {0};
  const YvPlanOptions options = {.n = 3, .h = 64, .w = 64, .dtype = YV_DTYPE_F32};
  const struct YvCandidate *copied[NET_MAX_BATCH], *in_place[NET_MAX_BATCH];
  uint32_t n_copied[NET_MAX_BATCH], n_in_place[NET_MAX_BATCH];
  YvFrameMemory *memories[2];
  NetFrames frames;

  if (!net_run_init (&net, &options, 2))
    return;
  net_frames_init (&frames, 2, 64, 64, 9);
  frames.batch.n_images = 2; /* of three: the third is padding */
  net_submit (net.executor, 0, &frames.batch, copied, n_copied);
  for (uint32_t i = 0; i < 2; i++) {
    YvImage *image = &frames.images[i];
    const uint32_t row_bytes = 3 * image->width, stride_bytes = row_bytes + 13;

    memories[i] = yv_vulkan_memory_new (net.device, 5 + image->height * stride_bytes, NULL);
    for (uint32_t y = 0; y < image->height; y++)
      memcpy (memories[i]->bytes + 5 + y * stride_bytes,
              image->planes[0] + y * image->stride_bytes[0], row_bytes);
    image->planes[0] = memories[i]->bytes + 5;
    image->stride_bytes[0] = stride_bytes;
    image->memory = memories[i];
    for (uint32_t round = 0; round < 2; round++) {
      net_submit (net.executor, 1, &frames.batch, in_place, n_in_place);
      for (uint32_t k = 0; k < 2; k++)
        net_candidates_assert_identical (in_place[k], n_in_place[k], copied[k], n_copied[k]);
    }
  }

  const YvIntake *intake = &yv_vulkan_executor_slot (net.executor, 1)->intake;
  g_assert_cmpuint (intake->n_entries, ==, 4); /* of the second image a copy, too */
  yv_memory_give_up (memories[0]);
  frames.images[0] = frames.images[1];
  net_submit (net.executor, 1, &frames.batch, in_place, n_in_place);
  g_assert_cmpuint (intake->n_entries, ==, 4); /* not 6: the first memory has gone */
  yv_memory_give_up (memories[1]);
  net.executor->klass->forget_frames (net.executor);
  g_assert_cmpuint (intake->n_entries, ==, 1); /* the copy of the second image */
  net_frames_clear (&frames);
}

/* The commands of as many as all pools have are kept; of more, those met last. */
static void
memories_that_were_met_longest_ago_are_forgotten (void)
{
  g_auto (NetRun) net = {0};
  static YvFrameMemory *memories[YV_INTAKE_MAX_MEMORIES + 3];
  const uint32_t n_memories = G_N_ELEMENTS (memories);
  const struct YvCandidate *list;
  YvLetterbox letterbox;
  uint32_t n;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  g_assert_true (yv_letterbox_fit (8, 8, 64, NET_STRIDE, YV_LETTERBOX_FIXED, true, &letterbox));
  YvImage image = {.format = YV_FORMAT_GRAY8, .width = 8, .height = 8, .stride_bytes = {8}};
  const YvBatch batch = {
      .n_images = 1, .images = &image, .letterboxes = &letterbox, .confidence = 0.9f};
  for (uint32_t i = 0; i < n_memories; i++) {
    memories[i] = yv_vulkan_memory_new (net.device, 64, NULL);
    image.memory = memories[i == n_memories - 3 ? 0 : i]; /* that again, so that it is kept */
    image.planes[0] = image.memory->bytes;
    net_submit (net.executor, 0, &batch, &list, &n);
  }

  const YvIntake *intake = &yv_vulkan_executor_slot (net.executor, 0)->intake;
  const uint32_t n_kept = intake->n_entries;
  g_assert_cmpuint (n_kept, <=, YV_INTAKE_MAX_MEMORIES / 2 + 1);
  g_assert_cmpuint (n_kept, >=, YV_INTAKE_MAX_MEMORIES / 2 - 1);
  image.memory = memories[0];
  image.planes[0] = memories[0]->bytes;
  net_submit (net.executor, 0, &batch, &list, &n);
  g_assert_cmpuint (intake->n_entries, ==, n_kept);
  for (uint32_t i = 0; i < n_memories; i++)
    yv_memory_give_up (memories[i]);
}

/* Pages between two that nobody may read, as many as @size_bytes take. */
static uint8_t *
map_guarded (size_t size_bytes)
{
  const size_t page_bytes = (size_t) sysconf (_SC_PAGESIZE);
  uint8_t *pages = mmap (NULL, 2 * page_bytes + size_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (pages != MAP_FAILED);
  g_assert_cmpint (mprotect (pages, page_bytes, PROT_NONE), ==, 0);
  g_assert_cmpint (mprotect (pages + page_bytes + size_bytes, page_bytes, PROT_NONE), ==, 0);
  return pages + page_bytes;
}

static void
unmap_guarded (uint8_t *bytes, size_t size_bytes)
{
  const size_t page_bytes = (size_t) sysconf (_SC_PAGESIZE);

  g_assert_cmpint (munmap (bytes - page_bytes, 2 * page_bytes + size_bytes), ==, 0);
}

/* Its first plane is at the start of @bytes, the others as far behind it as they were. */
static void
move_planes (YvImage *image, const YvImage *own, const uint8_t *bytes)
{
  for (uint32_t plane = 0; plane < 3 && own->planes[plane]; plane++)
    image->planes[plane] = bytes + (own->planes[plane] - own->planes[0]);
}

/* A picture at the start, in the middle and at the very end of pages that are not the device's.
 * They are gone as soon as they are given up, while the slot still knows them. */
static void
check_import (NetRun *net, const YvImage *own, size_t picture_bytes)
{
  const size_t size_bytes = 2 * (size_t) sysconf (_SC_PAGESIZE);
  const size_t offsets[] = {0, 1, 1001, size_bytes - picture_bytes};
  const struct YvCandidate *copied, *in_place;
  uint32_t n_copied, n_in_place;
  YvLetterbox letterbox;
  YvImage image = *own;
  const YvBatch batch = {
      .n_images = 1, .images = &image, .letterboxes = &letterbox, .confidence = 0.2f};

  g_assert_true (yv_letterbox_fit (40, 30, 64, NET_STRIDE, YV_LETTERBOX_FIXED, true, &letterbox));
  net_submit (net->executor, 0, &batch, &copied, &n_copied);
  for (uint32_t i = 0; i < G_N_ELEMENTS (offsets); i++) {
    uint8_t *pages = map_guarded (size_bytes), *bytes = pages + offsets[i];
    g_autoptr (GError) error = NULL;
    YvFrameMemory *memory = yv_vulkan_memory_import (net->device, bytes, picture_bytes, &error);

    g_assert_no_error (error);
    image.memory = memory;
    move_planes (&image, own, memcpy (bytes, own->planes[0], picture_bytes));
    net_submit (net->executor, 1, &batch, &in_place, &n_in_place);
    net_candidates_assert_identical (in_place, n_in_place, copied, n_copied);
    yv_memory_give_up (memory);
    unmap_guarded (pages, size_bytes);
  }
}

/* The second has samples of two bytes, which at odd addresses are copied. */
static void
memory_of_others_is_read_where_it_lies (void)
{
  g_auto (NetRun) net = {0};

  if (!net_run_init (&net, &net_one_image, 2))
    return;
  if (net.device->import_align_bytes == 0) {
    g_test_skip ("the device lacks VK_EXT_external_memory_host");
    return;
  }
  NetPicture picture = net_picture_new (40, 30, 9);
  const uint8_t *bytes = picture.image.planes[0];

  check_import (&net, &picture.image, 30 * picture.image.stride_bytes[0]);
  const YvIntake *intake = &yv_vulkan_executor_slot (net.executor, 1)->intake;
  g_assert_null (intake->staging); /* nothing was copied */
  g_assert_cmpuint (intake->n_entries, ==, 1);
  const YvImage deep = {.format = YV_FORMAT_P010_10LE,
                        .width = 40,
                        .height = 30,
                        .planes = {bytes, bytes + 30 * 80},
                        .stride_bytes = {80, 80}};
  check_import (&net, &deep, 45 * 80);
  g_assert_nonnull (intake->staging);
  g_free (picture.bytes);
}

static VKAPI_ATTR VkResult VKAPI_CALL
refuse_to_import (VkDevice device G_GNUC_UNUSED, const VkMemoryAllocateInfo *info G_GNUC_UNUSED,
                  const VkAllocationCallbacks *allocator G_GNUC_UNUSED,
                  VkDeviceMemory *memory G_GNUC_UNUSED)
{
  return VK_ERROR_INVALID_EXTERNAL_HANDLE;
}

static void
memory_that_can_not_be_imported_is_refused (void)
{
  g_auto (NetRun) net = {0};
  g_autoptr (GError) refused = NULL, lacking = NULL;
  uint8_t bytes[100];

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  const uint64_t align_bytes = net.device->import_align_bytes;
  const PFN_vkAllocateMemory allocate = net.device->vk.vkAllocateMemory;
  if (align_bytes > 0) {
    net.device->vk.vkAllocateMemory = refuse_to_import;
    g_assert_null (yv_vulkan_memory_import (net.device, bytes, sizeof bytes, &refused));
    g_assert_error (refused, YV_ERROR, YV_ERROR_UNSUPPORTED);
    g_assert_nonnull (strstr (refused->message, "cannot read this kind of memory"));
  }
  net.device->vk.vkAllocateMemory = allocate;
  net.device->import_align_bytes = 0;
  g_assert_null (yv_vulkan_memory_import (net.device, bytes, sizeof bytes, &lacking));
  g_assert_error (lacking, YV_ERROR, YV_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (lacking->message, "lacks VK_EXT_external_memory_host"));
  net.device->import_align_bytes = align_bytes;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fail_to_wait (VkDevice device G_GNUC_UNUSED, const VkSemaphoreWaitInfo *info G_GNUC_UNUSED,
              uint64_t timeout_ns G_GNUC_UNUSED)
{
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

static VKAPI_ATTR VkResult VKAPI_CALL
fail_to_wait_until_idle (VkDevice device G_GNUC_UNUSED)
{
  return VK_ERROR_OUT_OF_HOST_MEMORY;
}

/* Nobody knows when it has read the frames. */
static void
a_device_that_can_not_be_waited_for_is_lost (void)
{
  g_auto (NetRun) net = {0};
  g_autoptr (GError) error = NULL;
  const struct YvCandidate *list;
  NetFrames frames;
  uint32_t n;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  const PFN_vkWaitSemaphores wait = net.device->vk.vkWaitSemaphores;
  const PFN_vkDeviceWaitIdle wait_until_idle = net.device->vk.vkDeviceWaitIdle;
  net_frames_init (&frames, 1, 64, 64, 60);
  g_assert_true (net.executor->klass->submit (net.executor, 0, &frames.batch, NULL));
  net.device->vk.vkWaitSemaphores = fail_to_wait;
  net.device->vk.vkDeviceWaitIdle = fail_to_wait_until_idle;
  g_assert_false (net.executor->klass->wait (net.executor, 0, &list, &n, NULL, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
  net.device->vk.vkWaitSemaphores = wait;
  net.device->vk.vkDeviceWaitIdle = wait_until_idle;
  g_assert_cmpint (wait_until_idle (net.device->handle), ==, VK_SUCCESS);
  net_frames_clear (&frames);
}

static void
slots_in_flight_together_keep_their_results_apart (void)
{
  g_auto (NetRun) net = {0};
  NetFrames frames[3];
  const struct YvCandidate *alone[3], *together[3];
  struct YvCandidate *copies[3];
  uint32_t n_alone[3], n_together[3];

  if (!net_run_init (&net, &net_one_image, 3))
    return;
  for (uint32_t i = 0; i < 3; i++) {
    net_frames_init (&frames[i], 1, 64, 64, 20 + i);
    net_submit (net.executor, i, &frames[i].batch, &alone[i], &n_alone[i]);
    copies[i] = g_memdup2 (alone[i], n_alone[i] * sizeof **alone);
  }
  for (uint32_t round = 0; round < 5; round++) {
    for (uint32_t i = 0; i < 3; i++)
      g_assert_true (net.executor->klass->submit (net.executor, i, &frames[i].batch, NULL));
    for (uint32_t i = 0; i < 3; i++)
      g_assert_true (
          net.executor->klass->wait (net.executor, i, &together[i], &n_together[i], NULL, NULL));
    for (uint32_t i = 0; i < 3; i++)
      net_candidates_assert_identical (together[i], n_together[i], copies[i], n_alone[i]);
  }
  for (uint32_t i = 0; i < 3; i++) {
    g_free (copies[i]);
    net_frames_clear (&frames[i]);
  }
}

/* A thread that owns a slot. */
typedef struct {
  YvExecutor *executor;
  uint32_t slot;
  NetFrames frames;
  struct YvCandidate *expected;
  uint32_t n_expected;
} Worker;

static gpointer
work (gpointer user_data)
{
  Worker *worker = user_data;

  for (uint32_t round = 0; round < 10; round++) {
    const struct YvCandidate *got;
    uint32_t n_got;
    net_submit (worker->executor, worker->slot, &worker->frames.batch, &got, &n_got);
    net_candidates_assert_identical (got, n_got, worker->expected, worker->n_expected);
  }
  return NULL;
}

static void
threads_with_a_slot_each_do_not_disturb_each_other (void)
{
  g_auto (NetRun) net = {0};
  Worker workers[3];
  GThread *threads[3];

  if (!net_run_init (&net, &net_one_image, 3))
    return;
  for (uint32_t i = 0; i < 3; i++) {
    const struct YvCandidate *got;
    workers[i] = (Worker){.executor = net.executor, .slot = i};
    net_frames_init (&workers[i].frames, 1, 64, 64, 40 + i);
    net_submit (net.executor, i, &workers[i].frames.batch, &got, &workers[i].n_expected);
    workers[i].expected = g_memdup2 (got, workers[i].n_expected * sizeof *got);
  }
  for (uint32_t i = 0; i < 3; i++)
    threads[i] = g_thread_new ("slot", work, &workers[i]);
  for (uint32_t i = 0; i < 3; i++) {
    g_thread_join (threads[i]);
    g_free (workers[i].expected);
    net_frames_clear (&workers[i].frames);
  }
}

static void
times_and_footprint_are_told (void)
{
  g_auto (NetRun) net = {0};
  NetFrames frames;
  YvTiming timing = {0};
  YvFootprint footprint = {0};
  const struct YvCandidate *list;
  uint32_t n;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  net_frames_init (&frames, 1, 64, 64, 70);
  g_assert_true (net.executor->klass->submit (net.executor, 0, &frames.batch, NULL));
  g_assert_true (net.executor->klass->wait (net.executor, 0, &list, &n, &timing, NULL));
  g_assert_cmpuint (timing.upload_ns, >, 0);
  g_assert_cmpuint (timing.network_ns, >, 0);

  net.executor->klass->footprint (net.executor, &footprint);
  g_assert_cmpuint (footprint.weights, ==, yv_weight_store_size_bytes (net.store));
  g_assert_cmpuint (footprint.arena, >=, net.plan->arena_bytes);
  g_assert_cmpuint (footprint.slots, >, 64 * 64);
  net_frames_clear (&frames);
}

static void
an_impossible_image_is_refused_and_the_slot_lives_on (void)
{
  g_auto (NetRun) net = {0};
  NetFrames frames;
  g_autoptr (GError) error = NULL;
  const struct YvCandidate *list;
  uint32_t n;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  net_frames_init (&frames, 1, 64, 64, 80);
  const uint32_t stride_bytes = frames.images[0].stride_bytes[0];
  frames.images[0].stride_bytes[0] = 1;
  g_assert_false (net.executor->klass->submit (net.executor, 0, &frames.batch, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  frames.images[0].stride_bytes[0] = stride_bytes;
  net_submit (net.executor, 0, &frames.batch, &list, &n);
  net_frames_clear (&frames);
}

static void
an_executor_may_be_freed_while_a_slot_runs (void)
{
  g_auto (NetRun) net = {0};
  NetFrames frames;

  if (!net_run_init (&net, &net_one_image, 2))
    return;
  net_frames_init (&frames, 1, 64, 64, 90);
  g_assert_true (net.executor->klass->submit (net.executor, 0, &frames.batch, NULL));
  g_assert_true (net.executor->klass->submit (net.executor, 1, &frames.batch, NULL));
  net_frames_clear (&frames);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("YV_VALIDATION", "1", FALSE);
  g_test_add_func ("/vulkan/slot/record-fails",
                   a_slot_works_again_after_its_commands_could_not_be_recorded);
  g_test_add_func ("/vulkan/slot/frame-sizes",
                   a_slot_gives_the_same_answer_again_after_larger_and_smaller_frames);
  g_test_add_func ("/vulkan/slot/small-texel-buffers",
                   frames_larger_than_a_texel_buffer_are_read_by_address);
  g_test_add_func ("/vulkan/slot/8k", a_frame_of_8k_with_four_bytes_a_pixel_is_analysed);
  g_test_add_func ("/vulkan/slot/partial-batch", a_batch_may_have_fewer_images_than_the_plan);
  g_test_add_func ("/vulkan/slot/pieces", a_network_in_pieces_gives_the_same_answer);
  g_test_add_func ("/vulkan/slot/no-timestamps", a_device_without_a_clock_is_measured_by_the_hosts);
  g_test_add_func ("/vulkan/slot/in-place", frames_are_read_where_they_lie);
  g_test_add_func ("/vulkan/slot/many", memories_that_were_met_longest_ago_are_forgotten);
  g_test_add_func ("/vulkan/slot/imported", memory_of_others_is_read_where_it_lies);
  g_test_add_func ("/vulkan/slot/not-imported", memory_that_can_not_be_imported_is_refused);
  g_test_add_func ("/vulkan/slot/no-wait", a_device_that_can_not_be_waited_for_is_lost);
  g_test_add_func ("/vulkan/slot/slots", slots_in_flight_together_keep_their_results_apart);
  g_test_add_func ("/vulkan/slot/threads", threads_with_a_slot_each_do_not_disturb_each_other);
  g_test_add_func ("/vulkan/slot/timing", times_and_footprint_are_told);
  g_test_add_func ("/vulkan/slot/bad-image", an_impossible_image_is_refused_and_the_slot_lives_on);
  g_test_add_func ("/vulkan/slot/free-running", an_executor_may_be_freed_while_a_slot_runs);
  return g_test_run ();
}
