/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/pipeline.c - making and keeping pipelines. */
#include "engine/vulkan/pipeline.h"

#include <string.h>

#include "engine/cache.h"
#include "engine/error.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/debug.h"
#include "engine/vulkan/kernels.h"

#define CACHE_KIND "pipelines"

struct _YvPipelineCache {
  YvDevice *device; /* borrowed: it owns the cache */
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout address_layout, texel_layout;
  VkPipelineCache driver_cache;
  GMutex lock;           /* protects what follows */
  GHashTable *pipelines; /* owned PipelineKey -> VkPipeline in a PipelineEntry */
  guint n_saved;         /* of pipelines */
  size_t kept_bytes;     /* of the driver's data in the cache's file; it grows with each new one */
};

/* All that tells two pipelines apart; zero where unused, so that keys compare as bytes. */
typedef struct {
  uint32_t kernel, dtype, texel, n_spec;
  uint32_t spec[YV_MAX_SPEC];
} PipelineKey;

typedef struct {
  PipelineKey key;
  VkPipeline pipeline;
} PipelineEntry;

static guint
hash_key (gconstpointer key)
{
  const uint32_t *words = key;
  guint hash = 2166136261u;

  for (size_t i = 0; i < sizeof (PipelineKey) / sizeof (uint32_t); i++)
    hash = (hash ^ words[i]) * 16777619u;
  return hash;
}

static gboolean
keys_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (PipelineKey)) == 0;
}

static PipelineKey
key_of_step (const YvStep *step)
{
  PipelineKey key = {
      .kernel = step->kernel,
      .dtype = step->dtype,
      .texel = step->texel,
      .n_spec = step->n_spec,
  };

  memcpy (key.spec, step->spec, step->n_spec * sizeof *key.spec);
  return key;
}

static bool
make_set_layout (YvPipelineCache *cache, GError **error)
{
  VkDescriptorSetLayoutBinding bindings[YV_N_BINDINGS];

  for (uint32_t i = 0; i < YV_N_BINDINGS; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){
        .binding = i,
        .descriptorType = i == YV_BINDING_DST ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                              : VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER,
        .descriptorCount = 1,
        .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    };
  const VkDescriptorSetLayoutCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .bindingCount = YV_N_BINDINGS,
      .pBindings = bindings,
  };
  YvDevice *device = cache->device;
  return yv_vk_check (
      device->vk.vkCreateDescriptorSetLayout (device->handle, &info, NULL, &cache->set_layout),
      "vkCreateDescriptorSetLayout", error);
}

static bool
make_pipeline_layout (YvPipelineCache *cache, bool texel, VkPipelineLayout *out, GError **error)
{
  const VkPushConstantRange push = {
      .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
      .size = YV_MAX_PUSH_BYTES,
  };
  const VkPipelineLayoutCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
      .setLayoutCount = texel ? 1 : 0,
      .pSetLayouts = &cache->set_layout,
      .pushConstantRangeCount = 1,
      .pPushConstantRanges = &push,
  };
  YvDevice *device = cache->device;
  return yv_vk_check (device->vk.vkCreatePipelineLayout (device->handle, &info, NULL, out),
                      "vkCreatePipelineLayout", error);
}

/* Drivers trust what they are given, so it has been checked: only what this build wrote on this
 * device, for this driver, comes back (engine/cache.h). A driver that doesn't like it all the same
 * starts with nothing. */
static bool
make_driver_cache (YvPipelineCache *cache, GError **error)
{
  YvDevice *device = cache->device;
  g_autoptr (GBytes) kept = yv_cache_read (CACHE_KIND, device->uuid, device->identity);
  VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};

  if (kept)
    info.pInitialData = g_bytes_get_data (kept, &info.initialDataSize);
  cache->kept_bytes = info.initialDataSize;
  VkResult result =
      device->vk.vkCreatePipelineCache (device->handle, &info, NULL, &cache->driver_cache);
  if (result != VK_SUCCESS && kept) {
    info.initialDataSize = 0;
    result = device->vk.vkCreatePipelineCache (device->handle, &info, NULL, &cache->driver_cache);
  }
  return yv_vk_check (result, "vkCreatePipelineCache", error);
}

YvPipelineCache *
yv_pipeline_cache_new (YvDevice *device, GError **error)
{
  YvPipelineCache *cache = g_new0 (YvPipelineCache, 1);

  cache->device = device;
  g_mutex_init (&cache->lock);
  cache->pipelines = g_hash_table_new_full (hash_key, keys_equal, NULL, g_free);
  if (make_set_layout (cache, error) &&
      make_pipeline_layout (cache, false, &cache->address_layout, error) &&
      make_pipeline_layout (cache, true, &cache->texel_layout, error) &&
      make_driver_cache (cache, error))
    return cache;

  yv_pipeline_cache_free (cache);
  return NULL;
}

void
yv_pipeline_cache_free (YvPipelineCache *cache)
{
  if (!cache)
    return;

  YvDevice *device = cache->device;
  GHashTableIter iter;
  gpointer entry;
  g_hash_table_iter_init (&iter, cache->pipelines);
  while (g_hash_table_iter_next (&iter, NULL, &entry))
    device->vk.vkDestroyPipeline (device->handle, ((PipelineEntry *) entry)->pipeline, NULL);
  g_hash_table_unref (cache->pipelines);
  device->vk.vkDestroyPipelineCache (device->handle, cache->driver_cache, NULL);
  device->vk.vkDestroyPipelineLayout (device->handle, cache->texel_layout, NULL);
  device->vk.vkDestroyPipelineLayout (device->handle, cache->address_layout, NULL);
  device->vk.vkDestroyDescriptorSetLayout (device->handle, cache->set_layout, NULL);
  g_mutex_clear (&cache->lock);
  g_free (cache);
}

/* The driver's data; NULL where there is none worth keeping: some give a header alone. */
static uint8_t *
get_driver_data (YvPipelineCache *cache, size_t *size_bytes)
{
  YvDevice *device = cache->device;
  VkResult result =
      device->vk.vkGetPipelineCacheData (device->handle, cache->driver_cache, size_bytes, NULL);

  if (result != VK_SUCCESS || *size_bytes <= sizeof (VkPipelineCacheHeaderVersionOne) ||
      *size_bytes > YV_CACHE_MAX_BYTES)
    return NULL;
  g_autofree uint8_t *data = g_malloc (*size_bytes);
  result =
      device->vk.vkGetPipelineCacheData (device->handle, cache->driver_cache, size_bytes, data);
  return result == VK_SUCCESS ? g_steal_pointer (&data) : NULL;
}

void
yv_pipeline_cache_save (YvPipelineCache *cache)
{
  YvDevice *device = cache->device;
  size_t size_bytes = 0;

  g_mutex_lock (&cache->lock);
  const guint n_new = g_hash_table_size (cache->pipelines) - cache->n_saved;
  cache->n_saved += n_new;
  g_autofree uint8_t *data = n_new > 0 ? get_driver_data (cache, &size_bytes) : NULL;
  const bool is_new = data && size_bytes != cache->kept_bytes;
  cache->kept_bytes = data ? size_bytes : cache->kept_bytes;
  g_mutex_unlock (&cache->lock);
  if (is_new)
    yv_cache_write (CACHE_KIND, device->uuid, device->identity, data, size_bytes);
}

static bool
make_module (YvDevice *device, const YvSpirv *spirv, VkShaderModule *out, GError **error)
{
  const VkShaderModuleCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
      .codeSize = spirv->size_bytes,
      .pCode = spirv->words,
  };

  return yv_vk_check (device->vk.vkCreateShaderModule (device->handle, &info, NULL, out),
                      "vkCreateShaderModule", error);
}

static VkResult
make_pipeline (YvPipelineCache *cache, const YvStep *step, VkShaderModule module, VkPipeline *out)
{
  YvDevice *device = cache->device;
  VkSpecializationMapEntry entries[YV_MAX_SPEC];

  for (uint32_t i = 0; i < step->n_spec; i++)
    entries[i] = (VkSpecializationMapEntry){
        .constantID = i, .offset = i * (uint32_t) sizeof (uint32_t), .size = sizeof (uint32_t)};
  const VkSpecializationInfo constants = {
      .mapEntryCount = step->n_spec,
      .pMapEntries = entries,
      .dataSize = step->n_spec * sizeof (uint32_t),
      .pData = step->spec,
  };
  /* The number of subgroups in a workgroup is part of conv_coopmat's arithmetic, and of what the
   * driver makes of conv_coopmat2. */
  const bool by_subgroups =
      step->kernel == YV_KERNEL_CONV_COOPMAT || step->kernel == YV_KERNEL_CONV_COOPMAT2;
  const VkPipelineShaderStageRequiredSubgroupSizeCreateInfoEXT subgroups = {
      .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO_EXT,
      .requiredSubgroupSize = device->caps.subgroup_size,
  };
  const VkComputePipelineCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .pNext = by_subgroups ? &subgroups : NULL,
                .flags = by_subgroups
                             ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT_EXT
                             : 0,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = module,
                .pName = "main",
                .pSpecializationInfo = &constants},
      .layout = yv_pipeline_layout (cache, step->texel),
  };
  return device->vk.vkCreateComputePipelines (device->handle, cache->driver_cache, 1, &info, NULL,
                                              out);
}

static void
name_pipeline (YvDevice *device, const YvStep *step, VkPipeline pipeline)
{
  g_autofree char *name =
      g_strdup_printf ("%s %s%s", yv_kernel_name (step->kernel), yv_dtype_name (step->dtype),
                       step->texel ? " texel" : "");

  yv_debug_name (device, VK_OBJECT_TYPE_PIPELINE, (uint64_t) pipeline, name);
}

static VkPipeline
new_pipeline (YvPipelineCache *cache, const YvStep *step, GError **error)
{
  YvDevice *device = cache->device;
  const YvSpirv spirv = yv_kernel_spirv (step->kernel, step->dtype, step->texel);
  VkShaderModule module = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;

  if (!spirv.words) {
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "kernel %s has no variant for %s%s",
                 yv_kernel_name (step->kernel), yv_dtype_name (step->dtype),
                 step->texel ? " texel buffers" : "");
    return VK_NULL_HANDLE;
  }
  if (!make_module (device, &spirv, &module, error))
    return VK_NULL_HANDLE;
  const VkResult result = make_pipeline (cache, step, module, &pipeline);
  device->vk.vkDestroyShaderModule (device->handle, module, NULL);
  if (!yv_vk_check (result, "vkCreateComputePipelines", error))
    return VK_NULL_HANDLE;
  name_pipeline (device, step, pipeline);
  return pipeline;
}

VkPipeline
yv_pipeline_for_step (YvPipelineCache *cache, const YvStep *step, GError **error)
{
  const PipelineKey key = key_of_step (step);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&cache->lock);
  PipelineEntry *entry = g_hash_table_lookup (cache->pipelines, &key);

  if (entry)
    return entry->pipeline;

  const VkPipeline pipeline = new_pipeline (cache, step, error);
  if (pipeline == VK_NULL_HANDLE) {
    g_prefix_error (error, "%s: ", step->name);
    return VK_NULL_HANDLE;
  }
  entry = g_new0 (PipelineEntry, 1);
  *entry = (PipelineEntry){.key = key, .pipeline = pipeline};
  g_hash_table_insert (cache->pipelines, &entry->key, entry);
  return pipeline;
}

VkPipelineLayout
yv_pipeline_layout (const YvPipelineCache *cache, bool texel)
{
  return texel ? cache->texel_layout : cache->address_layout;
}

VkDescriptorSetLayout
yv_pipeline_set_layout (const YvPipelineCache *cache)
{
  return cache->set_layout;
}
