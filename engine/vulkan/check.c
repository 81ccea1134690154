/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/check.c - what each VkResult means to a caller of the engine. */
#include "engine/vulkan/check.h"

#include "engine/error.h"

typedef struct {
  VkResult result;
  const char *name;
  YvError code;
  const char *remedy;
} ResultRow;

static const char small_remedy[] =
    "; use a smaller input size or batch, fp16, or end other programs on the device";
static const char lost_remedy[] =
    "; the device stopped answering: load the model again, and look into the kernel's log";
static const char driver_remedy[] = "; install or update the device's Vulkan driver";

static const ResultRow result_rows[] = {
    {VK_ERROR_OUT_OF_HOST_MEMORY, "VK_ERROR_OUT_OF_HOST_MEMORY", YV_ERROR_OUT_OF_MEMORY,
     small_remedy},
    {VK_ERROR_OUT_OF_DEVICE_MEMORY, "VK_ERROR_OUT_OF_DEVICE_MEMORY", YV_ERROR_OUT_OF_MEMORY,
     small_remedy},
    {VK_ERROR_OUT_OF_POOL_MEMORY, "VK_ERROR_OUT_OF_POOL_MEMORY", YV_ERROR_OUT_OF_MEMORY,
     small_remedy},
    {VK_ERROR_FRAGMENTED_POOL, "VK_ERROR_FRAGMENTED_POOL", YV_ERROR_OUT_OF_MEMORY, small_remedy},
    {VK_ERROR_TOO_MANY_OBJECTS, "VK_ERROR_TOO_MANY_OBJECTS", YV_ERROR_OUT_OF_MEMORY, small_remedy},
    {VK_ERROR_MEMORY_MAP_FAILED, "VK_ERROR_MEMORY_MAP_FAILED", YV_ERROR_OUT_OF_MEMORY,
     small_remedy},
    {VK_ERROR_INVALID_EXTERNAL_HANDLE, "VK_ERROR_INVALID_EXTERNAL_HANDLE", YV_ERROR_UNSUPPORTED,
     "; the device cannot read this kind of memory where it lies"},
    {VK_ERROR_DEVICE_LOST, "VK_ERROR_DEVICE_LOST", YV_ERROR_DEVICE_LOST, lost_remedy},
    {VK_ERROR_INITIALIZATION_FAILED, "VK_ERROR_INITIALIZATION_FAILED", YV_ERROR_NO_DEVICE,
     driver_remedy},
    {VK_ERROR_INCOMPATIBLE_DRIVER, "VK_ERROR_INCOMPATIBLE_DRIVER", YV_ERROR_NO_DEVICE,
     driver_remedy},
    {VK_ERROR_LAYER_NOT_PRESENT, "VK_ERROR_LAYER_NOT_PRESENT", YV_ERROR_NO_DEVICE, driver_remedy},
    {VK_ERROR_EXTENSION_NOT_PRESENT, "VK_ERROR_EXTENSION_NOT_PRESENT", YV_ERROR_NO_DEVICE,
     driver_remedy},
    {VK_ERROR_FEATURE_NOT_PRESENT, "VK_ERROR_FEATURE_NOT_PRESENT", YV_ERROR_NO_DEVICE,
     driver_remedy},
    {VK_ERROR_FORMAT_NOT_SUPPORTED, "VK_ERROR_FORMAT_NOT_SUPPORTED", YV_ERROR_UNSUPPORTED,
     driver_remedy},
    {VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS, "VK_ERROR_INVALID_OPAQUE_CAPTURE_ADDRESS",
     YV_ERROR_OUT_OF_MEMORY, small_remedy},
};

bool
yv_vk_check (VkResult result, const char *call, GError **error)
{
  if (result >= 0)
    return true;

  for (size_t i = 0; i < G_N_ELEMENTS (result_rows); i++) {
    const ResultRow *row = &result_rows[i];
    if (row->result == result) {
      g_set_error (error, YV_ERROR, (int) row->code, "%s failed: %s%s", call, row->name,
                   row->remedy);
      return false;
    }
  }
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED, "%s failed: VkResult %d%s", call,
               (int) result, driver_remedy);
  return false;
}
