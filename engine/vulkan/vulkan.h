/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/vulkan.h - the Vulkan executor as the rest of the engine sees it: no Vk type here.
 */
#pragma once

#include <glib.h>

#include "engine/plan/executor.h"

G_BEGIN_DECLS

typedef struct _YvDevice YvDevice;
typedef struct _YvWeightStore YvWeightStore;

/* One line a device: index, name, type, driver; for `yolov7 --help`, errors and tests. */
typedef struct {
  uint32_t index;
  char name[256];
  char type[32]; /* "discrete", "integrated", "virtual", "cpu" */
  char driver[256];
} YvDeviceInfo;

/* Lists what the loader offers; an array of YvDeviceInfo, perhaps empty. NULL with
 * YV_ERROR_NO_DEVICE where there is no loader or driver at all. */
GArray *yv_device_list (GError **error);

/**
 * yv_device_new:
 * @selector: (nullable): an index, a part of a name (any case), or a UUID; NULL: the best one,
 *   discrete before integrated before virtual before cpu
 *
 * Opens a device (Vulkan 1.2, buffer device addresses, timeline semaphores). The object is
 * reference counted and thread safe; all executors of a process on the same device may share it.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_NO_DEVICE, listing what there is.
 */
YvDevice *yv_device_new (const char *selector, GError **error);
YvDevice *yv_device_ref (YvDevice *device);
void yv_device_unref (YvDevice *device);

/* The engine that opened it is gone: who still has a reference is not going to run anything. Any
 * thread. */
void yv_device_retire (YvDevice *device);
bool yv_device_is_retired (const YvDevice *device);
const YvCaps *yv_device_caps (const YvDevice *device);
const char *yv_device_uuid (const YvDevice *device); /* a selector of this very device */

/* One line, for engine/cache.h: all that the speed of our kernels depends on, and what a driver
 * makes of them: device, driver, kernels, version. */
const char *yv_device_identity (const YvDevice *device);

/* Keeps what the driver compiled, if there is something new, for the next process
 * (engine/cache.h). Any thread. */
void yv_device_save_pipelines (YvDevice *device);

/* What memory is for. */
typedef enum {
  YV_BUFFER_LOCAL,    /* the device works on it; mapped only where all its memory is the host's */
  YV_BUFFER_UPLOAD,   /* the host writes front to back, the device reads; mapped */
  YV_BUFFER_FRAMES,   /* the host writes, and reads, too, the device reads: cached; mapped */
  YV_BUFFER_READBACK, /* the device writes, the host reads: cached; mapped */
  YV_N_BUFFER_USES
} YvBufferUse;

/* Of all that is allocated for it at this moment. Any thread. */
uint64_t yv_device_used_bytes (YvDevice *device, YvBufferUse use);

/* Packed weights on the device, shared by all executors of one graph whatever their size: each
 * (weight, packing, dtype) is packed once, on first need. Thread safe. */
YvWeightStore *yv_weight_store_new (YvDevice *device);
void yv_weight_store_free (YvWeightStore *store);
uint64_t yv_weight_store_size_bytes (const YvWeightStore *store);

/**
 * yv_vulkan_executor_new:
 * @store: borrowed, outlives the executor
 * @plan: borrowed, outlives the executor; made for this device's caps
 *
 * Allocates, packs what the store lacks, builds pipelines (shared per device), makes the first
 * slot. The others are made by the submit that first uses them, which may run out of memory.
 *
 * Returns: (transfer full): or NULL with YV_ERROR_OUT_OF_MEMORY, _UNSUPPORTED or _DEVICE_LOST.
 */
YvExecutor *yv_vulkan_executor_new (YvDevice *device, YvWeightStore *store, const YvPlan *plan,
                                    uint32_t n_slots, GError **error);

/* Memory for frames that the device reads where they lie (image.h); it keeps the device. Free with
 * yv_memory_give_up(). Returns: (transfer full): or NULL with YV_ERROR_OUT_OF_MEMORY. */
YvFrameMemory *yv_vulkan_memory_new (YvDevice *device, size_t size_bytes, GError **error);

/* The same of memory that is there already: @bytes stay mapped until yv_memory_give_up(). NULL with
 * YV_ERROR_UNSUPPORTED where the device or its driver cannot, or YV_ERROR_OUT_OF_MEMORY. */
YvFrameMemory *yv_vulkan_memory_import (YvDevice *device, uint8_t *bytes, size_t size_bytes,
                                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvDevice, yv_device_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvWeightStore, yv_weight_store_free)

G_END_DECLS
