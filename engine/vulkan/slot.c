/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/slot.c - a batch from frames in host memory to candidates in host memory. */
#include "engine/vulkan/slot.h"

#include <string.h>

#include "engine/error.h"
#include "engine/plan/cut.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/place.h"

static YvBuffer *
new_buffer (const YvSlot *slot, YvBufferUse use, uint64_t size_bytes, const char *what,
            GError **error)
{
  g_autofree char *name = g_strdup_printf ("slot %u %s", slot->index, what);

  return yv_buffer_new (slot->shared->device, use, size_bytes, name, error);
}

static YvRecording
recording_of_slot (const YvSlot *slot)
{
  const YvShared *shared = slot->shared;

  return (YvRecording){
      .shared = shared,
      .places = {.weights = shared->weights,
                 .arena = shared->arena,
                 .params = slot->params,
                 .candidates = slot->candidates,
                 .n_images = shared->plan->options.n},
      .queries = slot->queries,
      .step_queries = slot->step_queries,
      .ticks = slot->ticks,
  };
}

static uint32_t
n_letterboxes (const YvSlot *slot)
{
  return slot->shared->plan->first_network_step;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void
drop_commands (YvSlot *slot)
{
  YvDevice *device = slot->shared->device;

  device->vk.vkDestroyCommandPool (device->handle, slot->pool, NULL);
  slot->pool = VK_NULL_HANDLE;
  slot->n_pieces = 0;
}

/* Of a piece that ends with step @end - 1; the last also copies the results. */
static bool
has_network (const YvSlot *slot, uint32_t end)
{
  return end > n_letterboxes (slot) || end == slot->shared->plan->steps->len;
}

static bool
make_commands (YvSlot *slot, uint32_t n_pieces, GError **error)
{
  YvDevice *device = slot->shared->device;
  VkCommandBuffer *network = slot->commands + 1 + n_letterboxes (slot);
  const VkCommandPoolCreateInfo pool_info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
      .queueFamilyIndex = device->queue_family,
  };
  if (!yv_vk_check (device->vk.vkCreateCommandPool (device->handle, &pool_info, NULL, &slot->pool),
                    "vkCreateCommandPool", error))
    return false;

  VkCommandBufferAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = slot->pool,
      .commandBufferCount = 1,
  };
  if (!yv_vk_check (device->vk.vkAllocateCommandBuffers (device->handle, &info, slot->commands),
                    "vkAllocateCommandBuffers", error))
    return false;
  info.commandBufferCount = 0;
  for (uint32_t i = 0; i < n_pieces; i++)
    info.commandBufferCount += has_network (slot, slot->ends[i]);
  return yv_vk_check (device->vk.vkAllocateCommandBuffers (device->handle, &info, network),
                      "vkAllocateCommandBuffers", error);
}

/* slot->ends: indices of steps before, of commands after. Letterbox i is command 1 + i. */
static bool
record_pieces (YvSlot *slot, uint32_t n_pieces, GError **error)
{
  const YvRecording recording = recording_of_slot (slot);
  uint32_t first = n_letterboxes (slot), next_command = 1 + first;

  if (!yv_record_start (&recording, slot->commands[0], error))
    return false;
  for (uint32_t i = 0; i < n_pieces; i++) {
    const uint32_t end = slot->ends[i];

    if (!has_network (slot, end)) {
      slot->ends[i] = 1 + end;
      continue;
    }
    if (!yv_record_piece (&recording, first, end, slot->commands[next_command], error))
      return false;
    first = end;
    slot->ends[i] = ++next_command;
  }
  return true;
}

/* What a piece may have, and whether that will stay. */
static uint64_t
look_up_pace (YvSlot *slot)
{
  YvPace *pace = slot->shared->pace;

  if (slot->shared->device->caps.is_cpu)
    return UINT64_MAX;
  g_mutex_lock (&pace->mutex);
  const uint64_t piece_flops = pace->piece_flops;
  slot->is_measured = pace->is_measured;
  g_mutex_unlock (&pace->mutex);
  return piece_flops;
}

static bool
record (YvSlot *slot, GError **error)
{
  const uint32_t n_pieces = yv_plan_cut (slot->shared->plan, look_up_pace (slot), slot->ends);

  if (!make_commands (slot, n_pieces, error) || !record_pieces (slot, n_pieces, error)) {
    drop_commands (slot);
    return false;
  }
  slot->n_pieces = n_pieces;
  return true;
}

/* A slot that ran cut as for a weak device is recorded anew; those made later are right at once. */
static void
measure_device (YvSlot *slot, uint64_t device_ns)
{
  YvPace *pace = slot->shared->pace;

  if (slot->is_measured || device_ns == 0 || slot->shared->device->caps.is_cpu)
    return;
  g_mutex_lock (&pace->mutex);
  if (!pace->is_measured)
    pace->piece_flops = yv_plan_piece_flops (slot->shared->plan, device_ns);
  pace->is_measured = true;
  g_mutex_unlock (&pace->mutex);
  drop_commands (slot);
}

/* ---- making and freeing ---------------------------------------------------------------------- */

static bool
make_queries (YvSlot *slot, uint32_t n, VkQueryPool *queries, GError **error)
{
  YvDevice *device = slot->shared->device;
  const VkQueryPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
      .queryType = VK_QUERY_TYPE_TIMESTAMP,
      .queryCount = n,
  };

  return yv_vk_check (device->vk.vkCreateQueryPool (device->handle, &info, NULL, queries),
                      "vkCreateQueryPool", error);
}

/* Room for those of all steps, too. */
static bool
make_ticks (YvSlot *slot, GError **error)
{
  const uint64_t n_ticks = YV_N_TICKS + slot->shared->plan->steps->len + 1;

  if (slot->shared->device->tick_mask == 0)
    return true;
  slot->ticks =
      new_buffer (slot, YV_BUFFER_READBACK, n_ticks * sizeof (uint64_t), "timestamps", error);
  return slot->ticks && make_queries (slot, YV_N_TICKS, &slot->queries, error);
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
  const guint n_steps = shared->plan->steps->len;

  slot->shared = shared;
  slot->index = index;
  slot->commands = g_new0 (VkCommandBuffer, n_steps + 2);
  slot->ends = g_new0 (uint32_t, n_steps + 1);
  if (!make_buffers (slot, error) || !make_ticks (slot, error) ||
      !yv_timeline_init (&slot->timeline, shared->device, error) ||
      !yv_intake_init (&slot->intake, shared, index, error))
    return NULL;
  return record (slot, error) ? g_steal_pointer (&slot) : NULL;
}

void
yv_slot_free (YvSlot *slot)
{
  if (!slot)
    return;

  YvDevice *device = slot->shared->device;
  if (slot->running)
    yv_timeline_wait (&slot->timeline, NULL);
  drop_commands (slot);
  yv_intake_clear (&slot->intake);
  device->vk.vkDestroyQueryPool (device->handle, slot->step_queries, NULL);
  device->vk.vkDestroyQueryPool (device->handle, slot->queries, NULL);
  yv_timeline_clear (&slot->timeline);
  yv_buffer_free (slot->ticks);
  yv_buffer_free (slot->candidates);
  yv_buffer_free (slot->params);
  g_free (slot->step_ns);
  g_free (slot->commands);
  g_free (slot->ends);
  g_free (slot);
}

/* ---- running --------------------------------------------------------------------------------- */

/* Without images those of the last submit are still there, and the commands that read them. */
static bool
take_frames (YvSlot *slot, const YvBatch *batch, GError **error)
{
  const YvRecording recording = recording_of_slot (slot);

  if (n_letterboxes (slot) == 0)
    return true;
  if (!batch->images) {
    g_assert (slot->has_frames);
    return true;
  }
  g_assert (batch->n_images >= 1 && batch->n_images <= slot->shared->plan->options.n);
  slot->has_frames = yv_intake_take (&slot->intake, &recording, batch, slot->params->mapped,
                                     slot->commands + 1, error);
  return slot->has_frames;
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

  g_assert (!slot->running);
  if (!take_frames (slot, batch, error) || (slot->n_pieces == 0 && !record (slot, error)))
    return false;
  write_thresholds (slot, batch);
  slot->n_images =
      slot->shared->plan->options.tensor_input ? slot->shared->plan->options.n : batch->n_images;
  slot->submitted_ns = yv_executor_now_ns ();
  slot->upload_ns = slot->submitted_ns - start_ns;
  slot->running =
      yv_timeline_submit (&slot->timeline, slot->commands, slot->ends, slot->n_pieces, error);
  return slot->running;
}

static uint64_t
ticks_to_ns (const YvDevice *device, uint64_t from, uint64_t to)
{
  return (uint64_t) ((double) ((to - from) & device->tick_mask) * device->ns_per_tick);
}

static void
read_ticks (const YvSlot *slot, YvTiming *timing)
{
  const YvDevice *device = slot->shared->device;

  if (!slot->ticks)
    return;
  const uint64_t *ticks = (const uint64_t *) (const void *) slot->ticks->mapped;
  timing->letterbox_ns = ticks_to_ns (device, ticks[YV_TICK_START], ticks[YV_TICK_NETWORK]);
  timing->network_ns = ticks_to_ns (device, ticks[YV_TICK_NETWORK], ticks[YV_TICK_DECODE]);
  timing->decode_ns = ticks_to_ns (device, ticks[YV_TICK_DECODE], ticks[YV_TICK_END]);
}

/* The timestamps around each step as durations. */
static void
read_step_ticks (const YvSlot *slot, YvTiming *timing)
{
  if (!slot->step_queries)
    return;
  const uint64_t *ticks = (const uint64_t *) (const void *) slot->ticks->mapped + YV_N_TICKS;
  for (uint32_t i = 0; i < slot->shared->plan->steps->len; i++)
    slot->step_ns[i] = ticks_to_ns (slot->shared->device, ticks[i], ticks[i + 1]);
  timing->step_ns = slot->step_ns;
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

/* Without timestamps what the host saw: it includes what was submitted before, so that pieces come
 * out shorter than they could be, but never longer. */
static uint64_t
device_ns (const YvSlot *slot, const YvTiming *timing)
{
  return slot->ticks ? timing->letterbox_ns + timing->network_ns + timing->decode_ns
                     : yv_executor_now_ns () - slot->submitted_ns;
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
  YvTiming own = {.upload_ns = slot->upload_ns};
  read_ticks (slot, &own);
  read_step_ticks (slot, &own);
  measure_device (slot, device_ns (slot, &own));
  if (lists)
    read_candidates (slot, lists, n);
  own.readback_ns = yv_executor_now_ns () - start_ns;
  if (timing)
    *timing = own;
  return true;
}

static bool
make_step_queries (YvSlot *slot, GError **error)
{
  YvDevice *device = slot->shared->device;
  const uint32_t n_steps = slot->shared->plan->steps->len;

  if (device->tick_mask == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%s has no timestamps, so its steps cannot be timed", device->caps.name);
    return false;
  }
  slot->step_ns = g_new (uint64_t, n_steps);
  return make_queries (slot, n_steps + 1, &slot->step_queries, error);
}

void
yv_slot_forget_frames (YvSlot *slot)
{
  g_assert (!slot->running);
  yv_intake_forget_memories (&slot->intake);
  slot->has_frames = false;
}

bool
yv_slot_profile (YvSlot *slot, bool is_wanted, GError **error)
{
  YvDevice *device = slot->shared->device;

  g_assert (!slot->running);
  device->vk.vkDestroyQueryPool (device->handle, slot->step_queries, NULL);
  slot->step_queries = VK_NULL_HANDLE;
  g_clear_pointer (&slot->step_ns, g_free);
  drop_commands (slot); /* with the queries that are gone */
  yv_intake_forget (&slot->intake);
  slot->has_frames = false;
  return !is_wanted || make_step_queries (slot, error);
}

uint64_t
yv_slot_size_bytes (const YvSlot *slot)
{
  return slot->params->size_bytes + slot->candidates->size_bytes +
         (slot->ticks ? slot->ticks->size_bytes : 0) +
         (slot->intake.staging ? slot->intake.staging->size_bytes : 0);
}
