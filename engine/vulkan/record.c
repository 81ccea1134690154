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

  recorder->what->device->vk.vkCmdPipelineBarrier (recorder->commands, src_stage, dst_stage, 0, 1,
                                                   &memory, 0, NULL, 0, NULL);
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
  barrier (recorder, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
           VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}

static void
tick (Recorder *recorder, uint32_t index)
{
  const YvRecording *what = recorder->what;

  if (what->queries)
    what->device->vk.vkCmdWriteTimestamp (recorder->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                          what->queries, index);
}

/* Everything before is done; then timestamp @index. */
static void
step_tick (Recorder *recorder, uint32_t index)
{
  const YvRecording *what = recorder->what;

  if (!what->step_queries)
    return;
  barrier_between_levels (recorder);
  what->device->vk.vkCmdWriteTimestamp (recorder->commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                        what->step_queries, index);
}

static bool
is_letterbox (const YvRecording *what, uint32_t index)
{
  return index < what->plan->first_network_step;
}

static VkDescriptorSet
set_of_step (const YvRecording *what, uint32_t index)
{
  return yv_bindings_set (is_letterbox (what, index) ? what->letterbox : what->network, index);
}

static void
dispatch (Recorder *recorder, uint32_t index, const YvStep *step)
{
  const YvRecording *what = recorder->what;
  const struct VolkDeviceTable *vk = &what->device->vk;
  const bool by_address = is_letterbox (what, index) && what->letterbox_by_address;
  const bool texel = step->texel && !by_address;
  const VkPipeline pipeline = by_address ? what->letterbox_by_address : what->pipelines[index];
  const VkPipelineLayout layout = yv_pipeline_layout (what->device->pipelines, texel);
  uint8_t push[YV_MAX_PUSH_BYTES];

  if (recorder->pipeline != pipeline) {
    recorder->pipeline = pipeline;
    vk->vkCmdBindPipeline (recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE, recorder->pipeline);
  }
  if (texel) {
    const VkDescriptorSet set = set_of_step (what, index);
    vk->vkCmdBindDescriptorSets (recorder->commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1,
                                 &set, 0, NULL);
  }
  yv_place_addresses (&what->places, step, push);
  vk->vkCmdPushConstants (recorder->commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                          step->n_push_bytes, push);
  vk->vkCmdDispatch (recorder->commands, step->groups[0], step->groups[1], step->groups[2]);
}

static void
record_steps (Recorder *recorder)
{
  const YvPlan *plan = recorder->what->plan;
  uint32_t level = 0;

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);
    if (i == plan->first_network_step)
      tick (recorder, YV_TICK_NETWORK);
    if (i == plan->first_decode_step)
      tick (recorder, YV_TICK_DECODE);
    if (i > 0 && step->level != level)
      barrier_between_levels (recorder);
    level = step->level;
    step_tick (recorder, i);
    dispatch (recorder, i, step);
  }
  step_tick (recorder, plan->steps->len);
  if (plan->first_network_step >= plan->steps->len)
    tick (recorder, YV_TICK_NETWORK);
  if (plan->first_decode_step >= plan->steps->len)
    tick (recorder, YV_TICK_DECODE);
}

bool
yv_record (const YvRecording *recording, VkCommandBuffer commands, GError **error)
{
  const struct VolkDeviceTable *vk = &recording->device->vk;
  Recorder recorder = {.what = recording, .commands = commands};
  const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};

  if (!yv_vk_check (vk->vkBeginCommandBuffer (commands, &begin), "vkBeginCommandBuffer", error))
    return false;
  if (recording->queries)
    vk->vkCmdResetQueryPool (commands, recording->queries, 0, YV_N_TICKS);
  if (recording->step_queries)
    vk->vkCmdResetQueryPool (commands, recording->step_queries, 0, recording->plan->steps->len + 1);
  barrier_between_levels (&recorder);
  tick (&recorder, YV_TICK_START);
  record_steps (&recorder);
  tick (&recorder, YV_TICK_END);
  barrier_to_host (&recorder);
  return yv_vk_check (vk->vkEndCommandBuffer (commands), "vkEndCommandBuffer", error);
}
