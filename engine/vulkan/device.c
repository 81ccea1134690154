/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/device.c - opening a device and reading its numbers. */
#include "engine/vulkan/device.h"

#include <string.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/vulkan/buffer.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/features.h"
#include "engine/vulkan/kernels.h"
#include "engine/vulkan/known.h"
#include "engine/vulkan/pipeline.h"
#include "engine/vulkan/select.h"

/* Every operand's alignment, whatever the device asks for: a cache line. */
#define MIN_ALIGN_BYTES 64

#define TEXEL_LANES_MIN_SUBGROUP 8

/* One that computes; of those one without graphics, which no display waits for. */
static bool
find_queue_family (YvDevice *device, GError **error)
{
  uint32_t n = 0;
  vkGetPhysicalDeviceQueueFamilyProperties (device->physical, &n, NULL);
  g_autofree VkQueueFamilyProperties *families = g_new0 (VkQueueFamilyProperties, n + 1);
  vkGetPhysicalDeviceQueueFamilyProperties (device->physical, &n, families);

  uint32_t found = UINT32_MAX;
  for (uint32_t i = 0; i < n; i++) {
    const bool computes = families[i].queueFlags & VK_QUEUE_COMPUTE_BIT;
    const bool draws = families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT;
    if (computes && (found == UINT32_MAX || !draws))
      found = i;
    if (computes && !draws)
      break;
  }
  if (found == UINT32_MAX) {
    g_set_error (error, YV_ERROR, YV_ERROR_NO_DEVICE,
                 "the Vulkan device has no queue for compute shaders; choose another");
    return false;
  }

  const uint32_t bits = families[found].timestampValidBits;
  device->queue_family = found;
  device->tick_mask = bits >= 64 ? UINT64_MAX : (UINT64_C (1) << bits) - 1;
  return true;
}

/* Of a driver that lacks parts of Vulkan, such as MoltenVK. Who uses the device has to enable it;
 * the name is in Vulkan's beta headers alone. */
static const char portability_subset[] = "VK_KHR_portability_subset";

static bool
create_device (YvDevice *device, const YvChoice *choice, const YvFeatures *features, GError **error)
{
  const float priority = 1.0f;
  const VkDeviceQueueCreateInfo queue = {
      .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
      .queueFamilyIndex = device->queue_family,
      .queueCount = 1,
      .pQueuePriorities = &priority,
  };
  const char *extensions[5];
  uint32_t n_extensions = 0;

  if (yv_has_extension (choice->extensions, portability_subset))
    extensions[n_extensions++] = portability_subset;
  if (yv_features_have_coopmat (features)) {
    extensions[n_extensions++] = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
    extensions[n_extensions++] = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
  }
  if (yv_features_have_coopmat2 (features))
    extensions[n_extensions++] = VK_NV_COOPERATIVE_MATRIX_2_EXTENSION_NAME;
  if (device->import_align_bytes > 0)
    extensions[n_extensions++] = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;
  const VkDeviceCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
      .pNext = &features->core,
      .queueCreateInfoCount = 1,
      .pQueueCreateInfos = &queue,
      .enabledExtensionCount = n_extensions,
      .ppEnabledExtensionNames = extensions,
  };

  VkResult result = vkCreateDevice (device->physical, &info, NULL, &device->handle);
  if (!yv_vk_check (result, "vkCreateDevice", error))
    return false;
  volkLoadDeviceTable (&device->vk, device->handle);
  device->vk.vkGetDeviceQueue (device->handle, device->queue_family, 0, &device->queue);
  return true;
}

/* True where every memory type on the device is also the host's, as on CPUs and most integrated
 * GPUs. A small window into a discrete GPU's memory doesn't count. */
static bool
memory_is_unified (const VkPhysicalDeviceMemoryProperties *memory)
{
  for (uint32_t i = 0; i < memory->memoryHeapCount; i++)
    if (!(memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT))
      return false;

  const VkMemoryPropertyFlags both = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                     VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                     VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  for (uint32_t i = 0; i < memory->memoryTypeCount; i++)
    if ((memory->memoryTypes[i].propertyFlags & both) == both)
      return true;
  return false;
}

static bool
texel_format_ok (VkPhysicalDevice physical, VkFormat format)
{
  VkFormatProperties properties;

  vkGetPhysicalDeviceFormatProperties (physical, format, &properties);
  return properties.bufferFeatures & VK_FORMAT_FEATURE_STORAGE_TEXEL_BUFFER_BIT;
}

static bool
kernels_are_forced (const char *name)
{
  return g_strcmp0 (g_getenv ("YV_KERNELS"), name) == 0;
}

/* Kernels whose shape is for Mesa's CPU driver. YV_KERNELS=portable runs those for any GPU there,
 * YV_KERNELS=coopmat those for GPUs with cooperative matrices.
 * conv_lanes reads padding as texels out of range and wants zeros: robustBufferAccess promises no
 * access outside, that it is zeros (and alpha too) is what llvmpipe does and is assumed. */
static bool
use_texel_lanes (const YvDevice *device, const YvChoice *choice, const YvFeatures *features,
                 const VkPhysicalDeviceSubgroupProperties *subgroup)
{
  return choice->driver_id == VK_DRIVER_ID_MESA_LLVMPIPE && !kernels_are_forced ("portable") &&
         !kernels_are_forced ("coopmat") && subgroup->subgroupSize >= TEXEL_LANES_MIN_SUBGROUP &&
         (subgroup->supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
         (subgroup->supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) &&
         features->core.features.robustBufferAccess && features->core.features.shaderFloat64 &&
         features->core.features.shaderStorageImageExtendedFormats &&
         texel_format_ok (device->physical, VK_FORMAT_R32G32B32A32_SFLOAT) &&
         texel_format_ok (device->physical, VK_FORMAT_R16G16B16A16_SFLOAT) &&
         texel_format_ok (device->physical, VK_FORMAT_R16_UINT);
}

/* A CPU has them only to test them. */
static bool
use_coopmat (const YvChoice *choice, const YvFeatures *features)
{
  const bool is_cpu = choice->type == VK_PHYSICAL_DEVICE_TYPE_CPU;

  return yv_features_have_coopmat (features) && !kernels_are_forced ("portable") &&
         (!is_cpu || kernels_are_forced ("coopmat"));
}

/* Which extension tells it is the vendor's. 0: none. */
static uint32_t
count_cores (const YvChoice *choice)
{
  VkPhysicalDeviceShaderSMBuiltinsPropertiesNV nv = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV};
  VkPhysicalDeviceShaderCoreProperties2AMD amd = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_2_AMD};
  VkPhysicalDeviceProperties2 properties = {.sType =
                                                VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};

  if (yv_has_extension (choice->extensions, VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME))
    properties.pNext = &nv;
  else if (yv_has_extension (choice->extensions, VK_AMD_SHADER_CORE_PROPERTIES_2_EXTENSION_NAME))
    properties.pNext = &amd;
  vkGetPhysicalDeviceProperties2 (choice->handle, &properties);
  return nv.shaderSMCount + amd.activeComputeUnitCount;
}

/* 0 where it cannot. Pages of its own size would hold what may be unmapped while it reads, so they
 * are to be those of the system. */
static uint64_t
read_import_align (const YvChoice *choice)
{
  const VkPhysicalDeviceExternalBufferInfo info = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
      .usage = YV_BUFFER_USAGE,
      .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT,
  };
  VkExternalBufferProperties buffers = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
  VkPhysicalDeviceExternalMemoryHostPropertiesEXT host = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &host};

  if (!yv_has_extension (choice->extensions, VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME))
    return 0;
  vkGetPhysicalDeviceProperties2 (choice->handle, &properties);
  vkGetPhysicalDeviceExternalBufferProperties (choice->handle, &info, &buffers);
  const VkExternalMemoryFeatureFlags features =
      buffers.externalMemoryProperties.externalMemoryFeatures;
  const bool imports = (features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) &&
                       !(features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT);

  return imports && host.minImportedHostPointerAlignment <= (uint64_t) sysconf (_SC_PAGESIZE)
             ? host.minImportedHostPointerAlignment
             : 0;
}

static bool
read_matrix_caps (YvDevice *device, const YvFeatures *features, GError **error)
{
  const VkInstance instance = device->instance->handle;

  device->caps.coopmat2_wanted = kernels_are_forced ("coopmat2");
  return yv_coopmat_read_caps (&device->caps, instance, device->physical, error) &&
         (!yv_features_have_coopmat2 (features) ||
          yv_coopmat2_read_caps (&device->caps, instance, device->physical, error));
}

static bool
read_caps (YvDevice *device, const YvChoice *choice, const YvFeatures *features, GError **error)
{
  VkPhysicalDeviceSubgroupProperties subgroup = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
  VkPhysicalDeviceMaintenance3Properties sizes = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES, .pNext = &subgroup};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                            .pNext = &sizes};
  vkGetPhysicalDeviceProperties2 (device->physical, &properties);
  vkGetPhysicalDeviceMemoryProperties (device->physical, &device->memory);
  const VkPhysicalDeviceLimits *limits = &properties.properties.limits;
  const uint64_t slice_align =
      MAX (limits->minStorageBufferOffsetAlignment, limits->minTexelBufferOffsetAlignment);

  device->unified = memory_is_unified (&device->memory);
  device->max_allocation_bytes = sizes.maxMemoryAllocationSize;
  device->import_align_bytes = read_import_align (choice);
  device->ns_per_tick = limits->timestampPeriod;
  device->caps = (YvCaps){
      .is_cpu = choice->type == VK_PHYSICAL_DEVICE_TYPE_CPU,
      .texel_lanes = use_texel_lanes (device, choice, features, &subgroup),
      .fp16_storage = features->v11.storageBuffer16BitAccess,
      .subgroup_size = subgroup.subgroupSize,
      .max_shared_bytes = limits->maxComputeSharedMemorySize,
      .n_cores = count_cores (choice),
      .max_groups = {limits->maxComputeWorkGroupCount[0], limits->maxComputeWorkGroupCount[1],
                     limits->maxComputeWorkGroupCount[2]},
      .max_storage_range_bytes = limits->maxStorageBufferRange,
      .max_texels = limits->maxTexelBufferElements,
      .align_bytes = (uint32_t) MAX (slice_align, MIN_ALIGN_BYTES),
      .slice_align_bytes = (uint32_t) slice_align,
  };
  yv_known_apply (&device->caps, choice->driver_id);
  g_strlcpy (device->caps.name, choice->info.name, sizeof device->caps.name);
  return !use_coopmat (choice, features) || read_matrix_caps (device, features, error);
}

/* Drivers change pipelineCacheUUID with every build of theirs. On a CPU the name tells the width of
 * vectors, and a home folder may be that of several CPUs. */
static char *
new_identity (const YvDevice *device)
{
  const char *forced = g_getenv ("YV_KERNELS");
  VkPhysicalDeviceProperties properties;
  GString *text = g_string_new (device->uuid);

  vkGetPhysicalDeviceProperties (device->physical, &properties);
  g_string_append_printf (text, " %s %x:%x driver %x ", properties.deviceName, properties.vendorID,
                          properties.deviceID, properties.driverVersion);
  for (uint32_t i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (text, "%02x", properties.pipelineCacheUUID[i]);
  g_string_append_printf (text, "%s kernels %016" G_GINT64_MODIFIER "x%s%s, gst-yolov7 " YV_VERSION,
                          device->caps.wide_lanes ? " wide" : "", yv_kernels_hash (),
                          forced ? " " : "", forced ? forced : "");
  g_strdelimit (text->str, "\n", ' ');
  return g_string_free (text, FALSE);
}

static bool
open_device (YvDevice *device, const YvChoice *choice, GError **error)
{
  YvFeatures have, enabled;

  device->physical = choice->handle;
  yv_features_query (&have, device->physical, choice->extensions);
  if (!read_caps (device, choice, &have, error))
    return false;
  yv_features_choose (&enabled, &have);
  enabled.core.features.robustBufferAccess =
      have.core.features.robustBufferAccess && device->caps.texel_lanes;
  return find_queue_family (device, error) && create_device (device, choice, &enabled, error);
}

YvDevice *
yv_device_new (const char *selector, GError **error)
{
  g_autoptr (YvDevice) device = g_new0 (YvDevice, 1);

  g_atomic_ref_count_init (&device->n_refs);
  g_mutex_init (&device->queue_lock);
  device->instance = yv_instance_get (error);
  if (!device->instance)
    return NULL;
  g_autoptr (GArray) choices = yv_choice_list (device->instance, error);
  if (!choices)
    return NULL;
  const YvChoice *choice = yv_choice_select (choices, selector, error);
  if (!choice)
    return NULL;
  if (!open_device (device, choice, error)) {
    g_prefix_error (error, "%s: ", choice->info.name);
    return NULL;
  }
  g_strlcpy (device->uuid, choice->uuid, sizeof device->uuid);
  device->identity = new_identity (device);
  device->pipelines = yv_pipeline_cache_new (device, error);
  if (!device->pipelines)
    return NULL;
  return g_steal_pointer (&device);
}

const char *
yv_device_uuid (const YvDevice *device)
{
  return device->uuid;
}

const char *
yv_device_identity (const YvDevice *device)
{
  return device->identity;
}

void
yv_device_save_pipelines (YvDevice *device)
{
  yv_pipeline_cache_save (device->pipelines);
}

YvDevice *
yv_device_ref (YvDevice *device)
{
  g_atomic_ref_count_inc (&device->n_refs);
  return device;
}

void
yv_device_unref (YvDevice *device)
{
  if (!device || !g_atomic_ref_count_dec (&device->n_refs))
    return;

  yv_pipeline_cache_free (device->pipelines);
  g_free (device->identity);
  if (device->handle)
    device->vk.vkDestroyDevice (device->handle, NULL);
  g_mutex_clear (&device->queue_lock);
  g_free (device);
}

void
yv_device_retire (YvDevice *device)
{
  g_atomic_int_set (&device->is_retired, TRUE);
}

bool
yv_device_is_retired (const YvDevice *device)
{
  return g_atomic_int_get (&device->is_retired);
}

const YvCaps *
yv_device_caps (const YvDevice *device)
{
  return &device->caps;
}
