/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/record.c - steps to commands. */
#include "engine/vulkan/record.h"

#include "engine/vulkan/check.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/pipeline.h"

/* What is bound, so that it is not bound twice. */
typedef struct {
  const YvRecording *what; /* borrowed */
  VkCommandBuffer commands;
  VkPipeline pipeline;
} Recorder;

static void
barrier (Recorder *recorder, VkPipelineStageFlags src_stage, VkAccessFlags src_access,
         VkPipelineStageFlags dst_stage, VkAccessFlags dst_access)
{
  const VkMemoryBarrier memory = {
      .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
      .srcAccessMask = src_access,
      .dstAccessMask = dst_access,
  };

  recorder->what->shared->device->vk.vkCmdPipelineBarrier (recorder->commands, src_stage, dst_stage,
                                                           0, 1, &memory, 0, NULL, 0, NULL);
}

/* Also orders this submit after the one before: they share the arena. */
static void
barrier_between_levels (Recorder *recorder)
{
  barrier (recorder, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
           VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
           VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

static void
barrier_to_host (Recorder *recorder)
{
  barrier (recorder, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
           VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
           VK_ACCESS_HOST_READ_BIT);
}

static void
tick (Recorder *recorder, uint32_t index)
{
  const YvRecording *what = recorder->what;

  if (what->queries)
    what->shared->device->vk.vkCmdWriteTimestamp (
        recorder->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, what->queries, index);
}

/* Everything before is done; then timestamp @index. */
static void
step_tick (Recorder *recorder, uint32_t index)
{
  const YvRecording *what = recorder->what;

  if (!what->step_queries)
    return;
  barrier_between_levels (recorder);
  what->shared->device->vk.vkCmdWriteTimestamp (
      recorder->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, what->step_queries, index);
}

/* @set: null where operands are addresses. */
static void
dispatch (Recorder *recorder, const YvStep *step, VkPipeline pipeline, VkDescriptorSet set)
{
  const YvRecording *what = recorder->what;
  const struct VolkDeviceTable *vk = &what->shared->device->vk;
  const VkPipelineLayout layout =
      yv_pipeline_layout (what->shared->device->pipelines, set != VK_NULL_HANDLE);
  uint8_t push[YV_MAX_PUSH_BYTES];

  if (recorder->pipeline != pipeline) {
    recorder->pipeline = pipeline;
    vk->vkCmdBindPipeline (recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
  }
  if (set)
    vk->vkCmdBindDescriptorSets (recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1,
                                 &set, 0, NULL);
  yv_place_addresses (&what->places, step, push);
  vk->vkCmdPushConstants (recorder->commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                          step->n_push_bytes, push);
  vk->vkCmdDispatch (recorder->commands, step->groups[0], step->groups[1], step->groups[2]);
}

static void
record_steps (Recorder *recorder, uint32_t first, uint32_t end)
{
  const YvShared *shared = recorder->what->shared;
  const YvPlan *plan = shared->plan;
  uint32_t level = UINT32_MAX; /* of no step, so that there is a barrier before the first */

  for (uint32_t i = first; i < end; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);

    if (i == plan->first_network_step)
      tick (recorder, YV_TICK_NETWORK);
    if (i == plan->first_decode_step)
      tick (recorder, YV_TICK_DECODE);
    if (step->level != level)
      barrier_between_levels (recorder);
    level = step->level;
    step_tick (recorder, i);
    dispatch (recorder, step, shared->pipelines[i], yv_bindings_set (shared->network, i));
  }
}

/* By the device: a host that asks a query pool waits with lavapipe for all that is in flight. */
static void
copy_ticks (Recorder *recorder, VkQueryPool queries, uint32_t n, uint32_t first)
{
  const YvRecording *what = recorder->what;

  if (queries)
    what->shared->device->vk.vkCmdCopyQueryPoolResults (
        recorder->commands, queries, 0, n, what->ticks->handle, first * sizeof (uint64_t),
        sizeof (uint64_t), VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
}

static void
record_end (Recorder *recorder)
{
  const YvPlan *plan = recorder->what->shared->plan;

  step_tick (recorder, plan->steps->len);
  if (plan->first_network_step >= plan->steps->len)
    tick (recorder, YV_TICK_NETWORK);
  if (plan->first_decode_step >= plan->steps->len)
    tick (recorder, YV_TICK_DECODE);
  tick (recorder, YV_TICK_END);
  copy_ticks (recorder, recorder->what->queries, YV_N_TICKS, 0);
  copy_ticks (recorder, recorder->what->step_queries, plan->steps->len + 1, YV_N_TICKS);
  barrier_to_host (recorder);
}

static bool
begin (const Recorder *recorder, GError **error)
{
  const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};

  return yv_vk_check (
      recorder->what->shared->device->vk.vkBeginCommandBuffer (recorder->commands, &info),
      "vkBeginCommandBuffer", error);
}

static bool
finish (const Recorder *recorder, GError **error)
{
  return yv_vk_check (recorder->what->shared->device->vk.vkEndCommandBuffer (recorder->commands),
                      "vkEndCommandBuffer", error);
}

bool
yv_record_start (const YvRecording *recording, VkCommandBuffer commands, GError **error)
{
  const YvShared *shared = recording->shared;
  const struct VolkDeviceTable *vk = &shared->device->vk;
  Recorder recorder = {.what = recording, .commands = commands};

  if (!begin (&recorder, error))
    return false;
  if (recording->queries)
    vk->vkCmdResetQueryPool (commands, recording->queries, 0, YV_N_TICKS);
  if (recording->step_queries)
    vk->vkCmdResetQueryPool (commands, recording->step_queries, 0, shared->plan->steps->len + 1);
  barrier_between_levels (&recorder);
  tick (&recorder, YV_TICK_START);
  return finish (&recorder, error);
}

bool
yv_record_letterbox (const YvRecording *recording, const YvLetterboxing *letterboxing,
                     VkCommandBuffer commands, GError **error)
{
  const uint32_t index = letterboxing->image;
  const YvStep *step = &g_array_index (recording->shared->plan->steps, YvStep, index);
  const VkPipeline pipeline =
      letterboxing->by_address ? letterboxing->by_address : recording->shared->pipelines[index];
  Recorder recorder = {.what = recording, .commands = commands};

  g_assert (step->image == index); /* the plan begins with a letterbox for each image */
  if (!begin (&recorder, error))
    return false;
  step_tick (&recorder, index);
  dispatch (&recorder, step, pipeline,
            letterboxing->bindings ? yv_bindings_set (letterboxing->bindings, index)
                                   : VK_NULL_HANDLE);
  return finish (&recorder, error);
}

bool
yv_record_piece (const YvRecording *recording, uint32_t first, uint32_t end,
                 VkCommandBuffer commands, GError **error)
{
  Recorder recorder = {.what = recording, .commands = commands};

  if (!begin (&recorder, error))
    return false;
  record_steps (&recorder, first, end);
  if (end == recording->shared->plan->steps->len)
    record_end (&recorder);
  return finish (&recorder, error);
}
