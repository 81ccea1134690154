/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/bind.c - buffer views and descriptor sets. */
#include "engine/vulkan/bind.h"

#include "engine/align.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/debug.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/pipeline.h"

static VkFormat
texel_format (const YvStep *step, uint32_t binding)
{
  const bool is_weight = binding == YV_BINDING_WEIGHT && step->weight_source;
  const YvDType dtype = is_weight ? step->dtype : step->src[0].dtype;

  /* As the shader declares it, also where a source stands in that is not read. */
  if (binding == YV_BINDING_WEIGHT && step->kernel == YV_KERNEL_ELTWISE)
    return VK_FORMAT_R32G32B32A32_SFLOAT;
  if (step->kernel == YV_KERNEL_LETTERBOX)
    return VK_FORMAT_R16_UINT;
  return dtype == YV_DTYPE_F16 ? VK_FORMAT_R16G16B16A16_SFLOAT : VK_FORMAT_R32G32B32A32_SFLOAT;
}

static uint32_t
texel_bytes (VkFormat format)
{
  return format == VK_FORMAT_R16_UINT ? 2 : format == VK_FORMAT_R16G16B16A16_SFLOAT ? 8 : 16;
}

/* A view of exactly the operand, up to a whole texel: what lies outside reads as 0. */
static bool
new_view (YvBindings *bindings, const YvStep *step, uint32_t binding, YvPlace place,
          VkBufferView *out, GError **error)
{
  YvDevice *device = bindings->device;
  const VkFormat format = texel_format (step, binding);
  const uint64_t bytes = texel_bytes (format);
  const VkBufferViewCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
      .buffer = place.buffer->handle,
      .format = format,
      .offset = place.offset_bytes,
      .range = MIN (yv_round_up (place.size_bytes, bytes),
                    (place.buffer->size_bytes - place.offset_bytes) / bytes * bytes),
  };

  const VkResult result = device->vk.vkCreateBufferView (device->handle, &info, NULL, out);
  if (!yv_vk_check (result, "vkCreateBufferView", error))
    return false;
  g_array_append_val (bindings->views, *out);
  yv_debug_name (device, VK_OBJECT_TYPE_BUFFER_VIEW, (uint64_t) *out, step->name);
  return true;
}

/* A shader may name a source or a weight that its constants then keep it from reading; Vulkan still
 * wants something there, so the first source stands in. */
static YvPlace
texel_place (const YvPlaces *places, const YvStep *step, uint32_t binding)
{
  if (binding == YV_BINDING_WEIGHT && step->weight_source)
    return yv_weight_store_find (places->weights, step);
  if (binding == YV_BINDING_SRC1 && step->n_srcs > 1)
    return yv_place_operand (places, step, &step->src[1]);
  return yv_place_operand (places, step, &step->src[0]);
}

static bool
write_set (YvBindings *bindings, const YvPlaces *places, const YvStep *step, VkDescriptorSet set,
           GError **error)
{
  YvDevice *device = bindings->device;
  VkBufferView views[YV_BINDING_DST];
  VkWriteDescriptorSet writes[YV_N_BINDINGS];
  const YvPlace dst = yv_place_operand (places, step, &step->dst);
  const VkDescriptorBufferInfo dst_info = {
      .buffer = dst.buffer ? dst.buffer->handle : VK_NULL_HANDLE,
      .offset = dst.offset_bytes,
      .range = dst.size_bytes,
  };
  /* What decode writes is an address in both modes. */
  const uint32_t n_writes = step->kernel == YV_KERNEL_DECODE ? YV_BINDING_DST : YV_N_BINDINGS;

  for (uint32_t i = 0; i < n_writes; i++) {
    const bool is_dst = i == YV_BINDING_DST;
    if (!is_dst && !new_view (bindings, step, i, texel_place (places, step, i), &views[i], error))
      return false;
    writes[i] = (VkWriteDescriptorSet){
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
        .dstSet = set,
        .dstBinding = i,
        .descriptorCount = 1,
        .descriptorType =
            is_dst ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER : VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER,
        .pBufferInfo = is_dst ? &dst_info : NULL,
        .pTexelBufferView = is_dst ? NULL : &views[i],
    };
  }
  device->vk.vkUpdateDescriptorSets (device->handle, n_writes, writes, 0, NULL);
  return true;
}

static bool
make_pool (YvBindings *bindings, uint32_t n_sets, GError **error)
{
  YvDevice *device = bindings->device;
  const VkDescriptorPoolSize sizes[] = {
      {VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, n_sets * YV_BINDING_DST},
      {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, n_sets},
  };
  const VkDescriptorPoolCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
      .maxSets = n_sets,
      .poolSizeCount = G_N_ELEMENTS (sizes),
      .pPoolSizes = sizes,
  };

  return yv_vk_check (
      device->vk.vkCreateDescriptorPool (device->handle, &info, NULL, &bindings->pool),
      "vkCreateDescriptorPool", error);
}

static bool
make_set (YvBindings *bindings, const YvPlaces *places, const YvStep *step, VkDescriptorSet *set,
          GError **error)
{
  YvDevice *device = bindings->device;
  const VkDescriptorSetLayout layout = yv_pipeline_set_layout (device->pipelines);
  const VkDescriptorSetAllocateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
      .descriptorPool = bindings->pool,
      .descriptorSetCount = 1,
      .pSetLayouts = &layout,
  };

  if (!yv_vk_check (device->vk.vkAllocateDescriptorSets (device->handle, &info, set),
                    "vkAllocateDescriptorSets", error))
    return false;
  yv_debug_name (device, VK_OBJECT_TYPE_DESCRIPTOR_SET, (uint64_t) *set, step->name);
  return write_set (bindings, places, step, *set, error);
}

static uint32_t
count_texel_steps (const YvPlan *plan, uint32_t first_step, uint32_t n_steps)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < n_steps; i++)
    n += g_array_index (plan->steps, YvStep, first_step + i).texel;
  return n;
}

YvBindings *
yv_bindings_new (YvDevice *device, const YvPlaces *places, const YvPlan *plan, uint32_t first_step,
                 uint32_t n_steps, GError **error)
{
  g_autoptr (YvBindings) bindings = g_new0 (YvBindings, 1);
  const uint32_t n_sets = count_texel_steps (plan, first_step, n_steps);

  bindings->device = device;
  bindings->first_step = first_step;
  bindings->n_steps = n_steps;
  bindings->sets = g_new0 (VkDescriptorSet, n_steps + 1);
  bindings->views = g_array_new (FALSE, FALSE, sizeof (VkBufferView));
  if (n_sets == 0)
    return g_steal_pointer (&bindings);
  if (!make_pool (bindings, n_sets, error))
    return NULL;

  for (uint32_t i = 0; i < n_steps; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, first_step + i);
    if (step->texel && !make_set (bindings, places, step, &bindings->sets[i], error)) {
      g_prefix_error (error, "%s: ", step->name);
      return NULL;
    }
  }
  return g_steal_pointer (&bindings);
}

void
yv_bindings_free (YvBindings *bindings)
{
  if (!bindings)
    return;

  YvDevice *device = bindings->device;
  device->vk.vkDestroyDescriptorPool (device->handle, bindings->pool, NULL);
  for (guint i = 0; i < bindings->views->len; i++)
    device->vk.vkDestroyBufferView (device->handle,
                                    g_array_index (bindings->views, VkBufferView, i), NULL);
  g_array_unref (bindings->views);
  g_free (bindings->sets);
  g_free (bindings);
}

VkDescriptorSet
yv_bindings_set (const YvBindings *bindings, uint32_t step)
{
  g_assert (step - bindings->first_step < bindings->n_steps);
  return bindings->sets[step - bindings->first_step];
}
