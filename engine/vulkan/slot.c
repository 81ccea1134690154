/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/slot.c - a batch from frames in host memory to candidates in host memory. */
#include "engine/vulkan/slot.h"

#include <string.h>

#include "engine/align.h"
#include "engine/error.h"
#include "engine/frame.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/pipeline.h"
#include "engine/vulkan/place.h"
#include "engine/vulkan/record.h"

static YvBuffer *
new_buffer (const YvSlot *slot, YvBufferUse use, uint64_t size_bytes, const char *what,
            GError **error)
{
  g_autofree char *name = g_strdup_printf ("slot %u %s", slot->index, what);

  return yv_buffer_new (slot->shared->device, use, size_bytes, name, error);
}

static YvPlaces
places_of_slot (const YvSlot *slot)
{
  return (YvPlaces){
      .weights = slot->shared->weights,
      .arena = slot->shared->arena,
      .staging = slot->staging,
      .staging_image_bytes = slot->image_bytes,
      .params = slot->params,
      .candidates = slot->candidates,
      .n_images = slot->shared->plan->options.n,
  };
}

static bool
record (YvSlot *slot, GError **error)
{
  const YvShared *shared = slot->shared;
  const YvRecording recording = {
      .device = shared->device,
      .plan = shared->plan,
      .pipelines = shared->pipelines,
      .places = places_of_slot (slot),
      .letterbox = slot->letterbox,
      .letterbox_by_address = slot->letterbox_by_address,
      .network = shared->network,
      .queries = slot->queries,
      .step_queries = slot->step_queries,
  };

  const VkResult result =
      shared->device->vk.vkResetCommandPool (shared->device->handle, slot->pool, 0);
  slot->is_recorded = yv_vk_check (result, "vkResetCommandPool", error) &&
                      yv_record (&recording, slot->commands, error);
  return slot->is_recorded;
}

static bool
make_commands (YvSlot *slot, GError **error)
{
  YvDevice *device = slot->shared->device;
  const VkCommandPoolCreateInfo pool_info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
      .queueFamilyIndex = device->queue_family,
  };
  if (!yv_vk_check (device->vk.vkCreateCommandPool (device->handle, &pool_info, NULL, &slot->pool),
                    "vkCreateCommandPool", error))
    return false;

  const VkCommandBufferAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = slot->pool,
      .commandBufferCount = 1,
  };
  return yv_vk_check (device->vk.vkAllocateCommandBuffers (device->handle, &info, &slot->commands),
                      "vkAllocateCommandBuffers", error);
}

static bool
make_signals (YvSlot *slot, GError **error)
{
  YvDevice *device = slot->shared->device;
  const VkQueryPoolCreateInfo query_info = {
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
      .queryType = VK_QUERY_TYPE_TIMESTAMP,
      .queryCount = YV_N_TICKS,
  };

  if (!yv_timeline_init (&slot->timeline, device, error))
    return false;
  if (device->tick_mask == 0)
    return true;
  return yv_vk_check (
      device->vk.vkCreateQueryPool (device->handle, &query_info, NULL, &slot->queries),
      "vkCreateQueryPool", error);
}

static bool
make_buffers (YvSlot *slot, GError **error)
{
  const YvPlan *plan = slot->shared->plan;
  const uint64_t params_bytes = yv_places_params_bytes (plan);
  const uint64_t candidates_bytes = (uint64_t) plan->list_bytes * plan->options.n;

  slot->params = new_buffer (slot, YV_BUFFER_UPLOAD, params_bytes, "parameters", error);
  if (!slot->params)
    return false;
  memset (slot->params->mapped, 0, params_bytes);
  slot->candidates = new_buffer (slot, YV_BUFFER_READBACK, candidates_bytes, "candidates", error);
  return slot->candidates != NULL;
}

YvSlot *
yv_slot_new (const YvShared *shared, uint32_t index, GError **error)
{
  g_autoptr (YvSlot) slot = g_new0 (YvSlot, 1);

  slot->shared = shared;
  slot->index = index;
  if (!make_buffers (slot, error) || !make_commands (slot, error) || !make_signals (slot, error))
    return NULL;
  if (shared->plan->first_network_step == 0 && !record (slot, error))
    return NULL;
  return g_steal_pointer (&slot);
}

static void
drop_staging (YvSlot *slot)
{
  g_clear_pointer (&slot->letterbox, yv_bindings_free);
  g_clear_pointer (&slot->staging, yv_buffer_free);
  slot->letterbox_by_address = VK_NULL_HANDLE;
  slot->image_bytes = 0;
  slot->is_recorded = false;
}

void
yv_slot_free (YvSlot *slot)
{
  if (!slot)
    return;

  YvDevice *device = slot->shared->device;
  if (slot->running)
    yv_timeline_wait (&slot->timeline, NULL);
  device->vk.vkDestroyQueryPool (device->handle, slot->step_queries, NULL);
  device->vk.vkDestroyQueryPool (device->handle, slot->queries, NULL);
  yv_timeline_clear (&slot->timeline);
  device->vk.vkDestroyCommandPool (device->handle, slot->pool, NULL);
  drop_staging (slot);
  yv_buffer_free (slot->candidates);
  yv_buffer_free (slot->params);
  g_free (slot->step_ticks);
  g_free (slot);
}

/* How the letterbox reads its frames: through texel buffers where the plan says so and they fit,
 * else by address, with a pipeline that all images of the batch share. */
static bool
bind_frames (YvSlot *slot, GError **error)
{
  const YvShared *shared = slot->shared;
  const YvPlan *plan = shared->plan;
  const YvPlaces places = places_of_slot (slot);

  if (slot->image_bytes <= shared->device->caps.max_texels) {
    slot->letterbox =
        yv_bindings_new (shared->device, &places, plan, 0, plan->first_network_step, error);
    return slot->letterbox != NULL;
  }
  YvStep step = g_array_index (plan->steps, YvStep, 0);
  step.texel = false;
  slot->letterbox_by_address = yv_pipeline_for_step (shared->device->pipelines, &step, error);
  return slot->letterbox_by_address != VK_NULL_HANDLE;
}

/* Frames of any size up to @image_bytes fit from now on; addresses and views of the old memory are
 * in commands and descriptors, so those are made again. */
static bool
grow_staging (YvSlot *slot, uint64_t image_bytes, GError **error)
{
  const YvShared *shared = slot->shared;
  const uint64_t aligned = yv_round_up (image_bytes, shared->device->caps.align_bytes);

  drop_staging (slot);
  slot->staging =
      new_buffer (slot, YV_BUFFER_UPLOAD, aligned * shared->plan->options.n, "frames", error);
  if (!slot->staging)
    return false;
  slot->image_bytes = aligned;
  if (bind_frames (slot, error))
    return true;

  drop_staging (slot); /* so that the next submit tries again */
  return false;
}

/* Bytes of the largest frame; 0, with @error set, where one contradicts itself. */
static uint64_t
largest_frame_bytes (const YvBatch *batch, GError **error)
{
  uint64_t largest = 0;

  for (uint32_t i = 0; i < batch->n_images; i++) {
    if (!yv_image_check (&batch->images[i], error))
      return 0;
    largest = MAX (largest, yv_image_size_bytes (&batch->images[i]));
  }
  return largest;
}

static void
copy_frames (YvSlot *slot, const YvBatch *batch)
{
  for (uint32_t i = 0; i < slot->shared->plan->options.n; i++) {
    struct YvFrameParams *params =
        (struct YvFrameParams *) (void *) (slot->params->mapped + yv_places_frame_offset (i));
    if (i >= batch->n_images) {
      memset (params, 0, sizeof *params); /* an empty picture: padding everywhere */
      continue;
    }
    yv_image_pack (&batch->images[i], slot->staging->mapped + i * slot->image_bytes);
    yv_frame_params_init (params, &batch->images[i], &batch->letterboxes[i], 0);
  }
}

static bool
upload (YvSlot *slot, const YvBatch *batch, GError **error)
{
  if (slot->shared->plan->first_network_step == 0)
    return true;

  g_assert (batch->n_images >= 1 && batch->n_images <= slot->shared->plan->options.n);
  const uint64_t image_bytes = largest_frame_bytes (batch, error);
  if (image_bytes == 0)
    return false;
  if (image_bytes > slot->image_bytes && !grow_staging (slot, image_bytes, error))
    return false;
  copy_frames (slot, batch);
  return true;
}

static struct YvCandidateList *
list_of_image (const YvSlot *slot, uint32_t image)
{
  return (struct YvCandidateList *) (void *) (slot->candidates->mapped +
                                              (uint64_t) image * slot->shared->plan->list_bytes);
}

static void
write_thresholds (YvSlot *slot, const YvBatch *batch)
{
  const YvPlan *plan = slot->shared->plan;
  struct YvThresholds *thresholds =
      (struct YvThresholds *) (void *) (slot->params->mapped +
                                        yv_places_thresholds_offset (plan->options.n));

  yv_thresholds_write (thresholds, &plan->detect, batch);
  if (plan->capacity > 0)
    for (uint32_t i = 0; i < plan->options.n; i++)
      list_of_image (slot, i)->n_found = 0;
}

bool
yv_slot_submit (YvSlot *slot, const YvBatch *batch, GError **error)
{
  const uint64_t start_ns = yv_executor_now_ns ();
  const uint32_t all = 1;

  g_assert (!slot->running);
  if (!upload (slot, batch, error) || (!slot->is_recorded && !record (slot, error)))
    return false;
  write_thresholds (slot, batch);
  slot->n_images =
      slot->shared->plan->options.tensor_input ? slot->shared->plan->options.n : batch->n_images;
  slot->upload_ns = yv_executor_now_ns () - start_ns;

  slot->running = yv_timeline_submit (&slot->timeline, &slot->commands, &all, 1, error);
  return slot->running;
}

static uint64_t
ticks_to_ns (const YvDevice *device, uint64_t from, uint64_t to)
{
  return (uint64_t) ((double) ((to - from) & device->tick_mask) * device->ns_per_tick);
}

static bool
read_ticks (const YvSlot *slot, YvTiming *timing, GError **error)
{
  const YvDevice *device = slot->shared->device;
  uint64_t ticks[YV_N_TICKS];

  if (!slot->queries)
    return true;
  const VkResult result = device->vk.vkGetQueryPoolResults (
      device->handle, slot->queries, 0, YV_N_TICKS, sizeof ticks, ticks, sizeof *ticks,
      VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
  if (!yv_vk_check (result, "vkGetQueryPoolResults", error))
    return false;
  timing->letterbox_ns = ticks_to_ns (device, ticks[YV_TICK_START], ticks[YV_TICK_NETWORK]);
  timing->network_ns = ticks_to_ns (device, ticks[YV_TICK_NETWORK], ticks[YV_TICK_DECODE]);
  timing->decode_ns = ticks_to_ns (device, ticks[YV_TICK_DECODE], ticks[YV_TICK_END]);
  return true;
}

/* Turns the timestamps around each step into durations, in place. */
static bool
read_step_ticks (const YvSlot *slot, YvTiming *timing, GError **error)
{
  const YvDevice *device = slot->shared->device;
  const uint32_t n_steps = slot->shared->plan->steps->len;
  uint64_t *ticks = slot->step_ticks;

  if (!slot->step_queries)
    return true;
  const VkResult result = device->vk.vkGetQueryPoolResults (
      device->handle, slot->step_queries, 0, n_steps + 1, (n_steps + 1) * sizeof *ticks, ticks,
      sizeof *ticks, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
  if (!yv_vk_check (result, "vkGetQueryPoolResults", error))
    return false;
  for (uint32_t i = 0; i < n_steps; i++)
    ticks[i] = ticks_to_ns (device, ticks[i], ticks[i + 1]);
  timing->step_ns = ticks;
  return true;
}

/* No copy: the lists lie in memory that the host caches. */
static void
read_candidates (const YvSlot *slot, const struct YvCandidate **lists, uint32_t *n)
{
  const YvPlan *plan = slot->shared->plan;

  for (uint32_t i = 0; i < slot->n_images; i++) {
    const struct YvCandidateList *list = list_of_image (slot, i);
    lists[i] = plan->capacity > 0 ? (const struct YvCandidate *) (list + 1) : NULL;
    n[i] = plan->capacity > 0 ? MIN (list->n_found, plan->capacity) : 0;
  }
}

bool
yv_slot_wait (YvSlot *slot, const struct YvCandidate **lists, uint32_t *n, YvTiming *timing,
              GError **error)
{
  g_assert (slot->running);
  const bool done = yv_timeline_wait (&slot->timeline, error);
  slot->running = false;
  if (!done)
    return false;

  const uint64_t start_ns = yv_executor_now_ns ();
  if (timing) {
    *timing = (YvTiming){.upload_ns = slot->upload_ns};
    if (!read_ticks (slot, timing, error) || !read_step_ticks (slot, timing, error))
      return false;
  }
  if (lists)
    read_candidates (slot, lists, n);
  if (timing)
    timing->readback_ns = yv_executor_now_ns () - start_ns;
  return true;
}

static bool
make_step_queries (YvSlot *slot, GError **error)
{
  YvDevice *device = slot->shared->device;
  const uint32_t n_ticks = slot->shared->plan->steps->len + 1;
  const VkQueryPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
      .queryType = VK_QUERY_TYPE_TIMESTAMP,
      .queryCount = n_ticks,
  };

  if (device->tick_mask == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%s has no timestamps, so its steps cannot be timed", device->caps.name);
    return false;
  }
  slot->step_ticks = g_new (uint64_t, n_ticks);
  return yv_vk_check (
      device->vk.vkCreateQueryPool (device->handle, &info, NULL, &slot->step_queries),
      "vkCreateQueryPool", error);
}

bool
yv_slot_profile (YvSlot *slot, bool is_wanted, GError **error)
{
  YvDevice *device = slot->shared->device;

  g_assert (!slot->running);
  device->vk.vkDestroyQueryPool (device->handle, slot->step_queries, NULL);
  slot->step_queries = VK_NULL_HANDLE;
  g_clear_pointer (&slot->step_ticks, g_free);
  slot->is_recorded = false; /* with the queries that are gone */
  return !is_wanted || make_step_queries (slot, error);
}

uint64_t
yv_slot_size_bytes (const YvSlot *slot)
{
  return slot->params->size_bytes + slot->candidates->size_bytes +
         (slot->staging ? slot->staging->size_bytes : 0);
}
