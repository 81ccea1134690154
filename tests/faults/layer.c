/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/faults/layer.c - a layer between the loader and a driver; see faults.h.
 *
 * Version 2 of the loader's interface to layers: it negotiates, asks for wrappers by name, and
 * gives a chain along which the next layer's functions are found. There is one instance at a time.
 */
#include "tests/faults/faults.h"

#include <string.h>

#include <vulkan/vk_layer.h>

/* ---- which calls there are ------------------------------------------------------------------- */

#define MEMORY_RESULTS VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY

static const VkResult memory_results[] = {MEMORY_RESULTS, VK_SUCCESS};
static const VkResult map_results[] = {MEMORY_RESULTS, VK_ERROR_MEMORY_MAP_FAILED, VK_SUCCESS};
static const VkResult run_results[] = {MEMORY_RESULTS, VK_ERROR_DEVICE_LOST, VK_SUCCESS};
static const VkResult pool_results[] = {MEMORY_RESULTS, VK_ERROR_FRAGMENTED_POOL,
                                        VK_ERROR_OUT_OF_POOL_MEMORY, VK_SUCCESS};
static const VkResult list_results[] = {MEMORY_RESULTS, VK_ERROR_INITIALIZATION_FAILED, VK_SUCCESS};
static const VkResult import_results[] = {VK_ERROR_OUT_OF_HOST_MEMORY,
                                          VK_ERROR_INVALID_EXTERNAL_HANDLE, VK_SUCCESS};
static const VkResult instance_results[] = {MEMORY_RESULTS,
                                            VK_ERROR_INITIALIZATION_FAILED,
                                            VK_ERROR_LAYER_NOT_PRESENT,
                                            VK_ERROR_EXTENSION_NOT_PRESENT,
                                            VK_ERROR_INCOMPATIBLE_DRIVER,
                                            VK_SUCCESS};
static const VkResult device_results[] = {MEMORY_RESULTS,
                                          VK_ERROR_INITIALIZATION_FAILED,
                                          VK_ERROR_EXTENSION_NOT_PRESENT,
                                          VK_ERROR_FEATURE_NOT_PRESENT,
                                          VK_ERROR_TOO_MANY_OBJECTS,
                                          VK_ERROR_DEVICE_LOST,
                                          VK_SUCCESS};

/* Of an instance: X (call, results). */
#define INSTANCE_CALLS(X)                                                                          \
  X (vkCreateInstance, instance_results)                                                           \
  X (vkEnumeratePhysicalDevices, list_results)                                                     \
  X (vkEnumerateDeviceExtensionProperties, memory_results)                                         \
  X (vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR, memory_results)                            \
  X (vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV, memory_results)           \
  X (vkCreateDevice, device_results)

/* Of a device: all alike but for the type, X (call, type of the object). */
#define CREATE_CALLS(X)                                                                            \
  X (vkCreateBuffer, Buffer)                                                                       \
  X (vkCreateBufferView, BufferView)                                                               \
  X (vkCreateCommandPool, CommandPool)                                                             \
  X (vkCreateDescriptorPool, DescriptorPool)                                                       \
  X (vkCreateDescriptorSetLayout, DescriptorSetLayout)                                             \
  X (vkCreatePipelineCache, PipelineCache)                                                         \
  X (vkCreatePipelineLayout, PipelineLayout)                                                       \
  X (vkCreateQueryPool, QueryPool)                                                                 \
  X (vkCreateSemaphore, Semaphore)                                                                 \
  X (vkCreateShaderModule, ShaderModule)

/* And the rest: X (call, results, parameters, arguments); the first is a handle. */
#define OTHER_CALLS(X)                                                                             \
  X (vkBindBufferMemory, memory_results,                                                           \
     (VkDevice first, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize offset),                \
     (first, buffer, memory, offset))                                                              \
  X (vkMapMemory, map_results,                                                                     \
     (VkDevice first, VkDeviceMemory memory, VkDeviceSize offset, VkDeviceSize size,               \
      VkMemoryMapFlags flags, void **mapped),                                                      \
     (first, memory, offset, size, flags, mapped))                                                 \
  X (vkBeginCommandBuffer, memory_results,                                                         \
     (VkCommandBuffer first, const VkCommandBufferBeginInfo *info), (first, info))                 \
  X (vkEndCommandBuffer, memory_results, (VkCommandBuffer first), (first))                         \
  X (vkWaitSemaphores, run_results,                                                                \
     (VkDevice first, const VkSemaphoreWaitInfo *info, uint64_t timeout), (first, info, timeout))  \
  X (vkGetSemaphoreCounterValue, run_results,                                                      \
     (VkDevice first, VkSemaphore semaphore, uint64_t * value), (first, semaphore, value))         \
  X (vkDeviceWaitIdle, run_results, (VkDevice first), (first))                                     \
  X (vkGetPipelineCacheData, memory_results,                                                       \
     (VkDevice first, VkPipelineCache cache, size_t * size, void *data),                           \
     (first, cache, size, data))                                                                   \
  X (vkGetMemoryHostPointerPropertiesEXT, import_results,                                          \
     (VkDevice first, VkExternalMemoryHandleTypeFlagBits type, const void *pointer,                \
      VkMemoryHostPointerPropertiesEXT *properties),                                               \
     (first, type, pointer, properties))

/* Their wrappers are written out below. */
#define OWN_CALLS(X)                                                                               \
  X (vkAllocateMemory, memory_results)                                                             \
  X (vkAllocateCommandBuffers, memory_results)                                                     \
  X (vkAllocateDescriptorSets, pool_results)                                                       \
  X (vkCreateComputePipelines, memory_results)                                                     \
  X (vkQueueSubmit, run_results)

/* What does not fail but is counted, or changed, of an instance and of a device. */
#define VOID_INSTANCE_CALLS(X)                                                                     \
  X (vkDestroyInstance)                                                                            \
  X (vkGetPhysicalDeviceMemoryProperties)                                                          \
  X (vkGetPhysicalDeviceProperties)

#define VOID_CALLS(X)                                                                              \
  X (vkDestroyDevice)                                                                              \
  X (vkDestroyPipeline)                                                                            \
  X (vkFreeMemory)

#define ID(call, ...) ID_##call,
#define DESTROY_ID(call, Type) ID_vkDestroy##Type,

typedef enum {
  INSTANCE_CALLS (ID) CREATE_CALLS (ID) OTHER_CALLS (ID) OWN_CALLS (ID) N_FALLIBLE,
  N_BEFORE_VOID = N_FALLIBLE - 1,
  VOID_INSTANCE_CALLS (ID) VOID_CALLS (ID) CREATE_CALLS (DESTROY_ID) N_CALLS
} CallId;

#undef ID
#undef DESTROY_ID

#define NAME(call, ...) [ID_##call] = #call,
#define DESTROY_NAME(call, Type) [ID_vkDestroy##Type] = "vkDestroy" #Type,
static const char *const call_names[N_CALLS] = {
    INSTANCE_CALLS (NAME) CREATE_CALLS (NAME) OTHER_CALLS (NAME) OWN_CALLS (NAME)
        VOID_INSTANCE_CALLS (NAME) VOID_CALLS (NAME) CREATE_CALLS (DESTROY_NAME)};
#undef NAME
#undef DESTROY_NAME

#define RESULTS(call, results, ...) [ID_##call] = results,
#define CREATE_RESULTS(call, Type) [ID_##call] = memory_results,
static const VkResult *const call_results[N_FALLIBLE] = {INSTANCE_CALLS (RESULTS) CREATE_CALLS (
    CREATE_RESULTS) OTHER_CALLS (RESULTS) OWN_CALLS (RESULTS)};
#undef RESULTS
#undef CREATE_RESULTS

/* ---- state ----------------------------------------------------------------------------------- */

typedef struct {
  uint32_t n_uses;
  uint32_t n_until; /* uses until one fails; 0: none will */
  bool lasts;
  VkResult result;
} Order;

typedef struct {
  VkDevice handle;
  PFN_vkGetDeviceProcAddr get_proc;
  PFN_vkVoidFunction next[N_CALLS];
  GMutex queue_lock; /* nothing is submitted while the device is being lost */
  bool is_lost;
} Device;

static GMutex lock; /* of all that follows */
static Order orders[N_FALLIBLE];
static uint64_t budget_bytes = UINT64_MAX, live_bytes;
static uint32_t n_failed, n_live;
static bool looks_discrete;
static GHashTable *devices;      /* the loader's key of a dispatchable handle -> owned Device */
static GHashTable *memory_sizes; /* VkDeviceMemory -> its size */

static VkInstance the_instance;
static PFN_vkGetInstanceProcAddr next_instance_proc;
static PFN_vkVoidFunction instance_next[N_CALLS]; /* of the one's */

#define NEXT(device, call) ((PFN_##call) (device)->next[ID_##call])
#define INSTANCE_NEXT(call) ((PFN_##call) instance_next[ID_##call])

/* All handles of a device, its queues and its command buffers point to the loader's one table. */
static void *
key_of (const void *dispatchable)
{
  return *(void *const *) dispatchable;
}

static Device *
find_device (const void *dispatchable)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return g_hash_table_lookup (devices, key_of (dispatchable));
}

static bool
can_lose (CallId id)
{
  return call_results[id] == run_results;
}

/* Whether this use fails by order, and how. */
static bool
take_order (Device *device, CallId id, VkResult *result)
{
  Order *order = &orders[id];
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  order->n_uses++;
  if (device && device->is_lost && can_lose (id)) {
    *result = VK_ERROR_DEVICE_LOST;
    return true;
  }
  if (order->n_until == 0 || --order->n_until > 0)
    return false;
  if (order->lasts)
    order->n_until = 1;
  n_failed++;
  *result = order->result;
  return true;
}

/* What was submitted ends first: the driver doesn't know that it is lost. */
static void
lose (Device *device)
{
  g_mutex_lock (&device->queue_lock);
  NEXT (device, vkDeviceWaitIdle) (device->handle);
  g_mutex_lock (&lock);
  device->is_lost = true;
  g_mutex_unlock (&lock);
  g_mutex_unlock (&device->queue_lock);
}

static bool
fails (Device *device, CallId id, VkResult *result)
{
  if (!take_order (device, id, result))
    return false;
  if (device && *result == VK_ERROR_DEVICE_LOST && !device->is_lost)
    lose (device);
  return true;
}

static void
count (int32_t n_more)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_assert (n_more >= 0 || n_live > 0);
  n_live += (uint32_t) n_more;
}

/* ---- wrappers of a device's calls ------------------------------------------------------------ */

#define WRAP_CREATE(call, Type)                                                                    \
  static VKAPI_ATTR VkResult VKAPI_CALL wrap_##call (                                              \
      VkDevice first, const Vk##Type##CreateInfo *info, const VkAllocationCallbacks *callbacks,    \
      Vk##Type *out)                                                                               \
  {                                                                                                \
    Device *device = find_device (first);                                                          \
    VkResult result;                                                                               \
                                                                                                   \
    *out = VK_NULL_HANDLE;                                                                         \
    if (fails (device, ID_##call, &result))                                                        \
      return result;                                                                               \
    result = NEXT (device, call) (first, info, callbacks, out);                                    \
    count (result == VK_SUCCESS ? 1 : 0);                                                          \
    return result;                                                                                 \
  }                                                                                                \
                                                                                                   \
  static VKAPI_ATTR void VKAPI_CALL wrap_vkDestroy##Type (VkDevice first, Vk##Type handle,         \
                                                          const VkAllocationCallbacks *callbacks)  \
  {                                                                                                \
    Device *device = find_device (first);                                                          \
                                                                                                   \
    count (handle ? -1 : 0);                                                                       \
    NEXT (device, vkDestroy##Type) (first, handle, callbacks);                                     \
  }
CREATE_CALLS (WRAP_CREATE)
#undef WRAP_CREATE

#define WRAP_OTHER(call, results, parameters, arguments)                                           \
  static VKAPI_ATTR VkResult VKAPI_CALL wrap_##call parameters                                     \
  {                                                                                                \
    Device *device = find_device (first);                                                          \
    VkResult result;                                                                               \
                                                                                                   \
    return fails (device, ID_##call, &result) ? result : NEXT (device, call) arguments;            \
  }
OTHER_CALLS (WRAP_OTHER)
#undef WRAP_OTHER

static bool
is_over_budget (uint64_t size_bytes)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  const bool is_over = size_bytes > budget_bytes || live_bytes > budget_bytes - size_bytes;

  n_failed += is_over;
  return is_over;
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkAllocateMemory (VkDevice first, const VkMemoryAllocateInfo *info,
                       const VkAllocationCallbacks *callbacks, VkDeviceMemory *out)
{
  Device *device = find_device (first);
  VkResult result;

  *out = VK_NULL_HANDLE;
  if (fails (device, ID_vkAllocateMemory, &result))
    return result;
  if (is_over_budget (info->allocationSize))
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  result = NEXT (device, vkAllocateMemory) (first, info, callbacks, out);
  if (result != VK_SUCCESS)
    return result;

  uint64_t *size_bytes = g_memdup2 (&info->allocationSize, sizeof info->allocationSize);
  g_mutex_lock (&lock);
  g_hash_table_insert (memory_sizes, (void *) (uintptr_t) *out, size_bytes);
  live_bytes += *size_bytes;
  g_mutex_unlock (&lock);
  count (1);
  return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL
wrap_vkFreeMemory (VkDevice first, VkDeviceMemory memory, const VkAllocationCallbacks *callbacks)
{
  Device *device = find_device (first);
  void *key = (void *) (uintptr_t) memory;

  if (memory) {
    g_mutex_lock (&lock);
    live_bytes -= *(const uint64_t *) g_hash_table_lookup (memory_sizes, key);
    g_hash_table_remove (memory_sizes, key);
    g_mutex_unlock (&lock);
    count (-1);
  }
  NEXT (device, vkFreeMemory) (first, memory, callbacks);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkAllocateCommandBuffers (VkDevice first, const VkCommandBufferAllocateInfo *info,
                               VkCommandBuffer *out)
{
  Device *device = find_device (first);
  VkResult result;

  if (!fails (device, ID_vkAllocateCommandBuffers, &result))
    return NEXT (device, vkAllocateCommandBuffers) (first, info, out);
  memset (out, 0, info->commandBufferCount * sizeof *out);
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkAllocateDescriptorSets (VkDevice first, const VkDescriptorSetAllocateInfo *info,
                               VkDescriptorSet *out)
{
  Device *device = find_device (first);
  VkResult result;

  if (!fails (device, ID_vkAllocateDescriptorSets, &result))
    return NEXT (device, vkAllocateDescriptorSets) (first, info, out);
  memset (out, 0, info->descriptorSetCount * sizeof *out);
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkCreateComputePipelines (VkDevice first, VkPipelineCache cache, uint32_t n,
                               const VkComputePipelineCreateInfo *infos,
                               const VkAllocationCallbacks *callbacks, VkPipeline *out)
{
  Device *device = find_device (first);
  VkResult result;

  memset (out, 0, n * sizeof *out);
  if (fails (device, ID_vkCreateComputePipelines, &result))
    return result;
  result = NEXT (device, vkCreateComputePipelines) (first, cache, n, infos, callbacks, out);
  for (uint32_t i = 0; i < n; i++)
    count (out[i] ? 1 : 0);
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
wrap_vkDestroyPipeline (VkDevice first, VkPipeline pipeline, const VkAllocationCallbacks *callbacks)
{
  Device *device = find_device (first);

  count (pipeline ? -1 : 0);
  NEXT (device, vkDestroyPipeline) (first, pipeline, callbacks);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkQueueSubmit (VkQueue first, uint32_t n, const VkSubmitInfo *infos, VkFence fence)
{
  Device *device = find_device (first);
  VkResult result;

  if (fails (device, ID_vkQueueSubmit, &result))
    return result;
  g_mutex_lock (&device->queue_lock);
  result = device->is_lost ? VK_ERROR_DEVICE_LOST
                           : NEXT (device, vkQueueSubmit) (first, n, infos, fence);
  g_mutex_unlock (&device->queue_lock);
  return result;
}

static VKAPI_ATTR void VKAPI_CALL
wrap_vkDestroyDevice (VkDevice first, const VkAllocationCallbacks *callbacks)
{
  if (!first)
    return;

  Device *device = find_device (first);
  void *key = key_of (first);

  NEXT (device, vkDestroyDevice) (first, callbacks);
  g_mutex_lock (&lock);
  g_hash_table_remove (devices, key);
  g_mutex_unlock (&lock);
  g_mutex_clear (&device->queue_lock);
  g_free (device);
  count (-1);
}

/* ---- wrappers of an instance's calls --------------------------------------------------------- */

static VkLayerInstanceLink *
take_instance_link (const VkInstanceCreateInfo *info)
{
  VkLayerInstanceCreateInfo *link = (VkLayerInstanceCreateInfo *) info->pNext;

  while (link->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO ||
         link->function != VK_LAYER_LINK_INFO)
    link = (VkLayerInstanceCreateInfo *) link->pNext;
  VkLayerInstanceLink *own = link->u.pLayerInfo;
  link->u.pLayerInfo = own->pNext; /* the next layer's */
  return own;
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkCreateInstance (const VkInstanceCreateInfo *info, const VkAllocationCallbacks *callbacks,
                       VkInstance *out)
{
  const PFN_vkGetInstanceProcAddr get_proc = take_instance_link (info)->pfnNextGetInstanceProcAddr;
  const PFN_vkCreateInstance create =
      (PFN_vkCreateInstance) get_proc (VK_NULL_HANDLE, "vkCreateInstance");
  VkResult result;

  if (fails (NULL, ID_vkCreateInstance, &result))
    return result;
  g_assert (!the_instance);
  result = create (info, callbacks, out);
  if (result != VK_SUCCESS)
    return result;
  next_instance_proc = get_proc;
  the_instance = *out;
  for (uint32_t i = 0; i < N_CALLS;
       i++) /* now: later the loader gives what comes before this one */
    instance_next[i] = get_proc (*out, call_names[i]);
  return VK_SUCCESS;
}

static VKAPI_ATTR void VKAPI_CALL
wrap_vkDestroyInstance (VkInstance instance, const VkAllocationCallbacks *callbacks)
{
  INSTANCE_NEXT (vkDestroyInstance) (instance, callbacks);
  the_instance = VK_NULL_HANDLE;
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkEnumeratePhysicalDevices (VkInstance instance, uint32_t *n, VkPhysicalDevice *out)
{
  VkResult result;

  return fails (NULL, ID_vkEnumeratePhysicalDevices, &result)
             ? result
             : INSTANCE_NEXT (vkEnumeratePhysicalDevices) (instance, n, out);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkEnumerateDeviceExtensionProperties (VkPhysicalDevice physical, const char *layer,
                                           uint32_t *n, VkExtensionProperties *out)
{
  VkResult result;

  return fails (NULL, ID_vkEnumerateDeviceExtensionProperties, &result)
             ? result
             : INSTANCE_NEXT (vkEnumerateDeviceExtensionProperties) (physical, layer, n, out);
}

/* Headers of Debian 12 don't know these. */
typedef VkResult (VKAPI_PTR *PFN_list_rows) (VkPhysicalDevice physical, uint32_t *n, void *rows);

#define WRAP_ROWS(call)                                                                            \
  static VKAPI_ATTR VkResult VKAPI_CALL wrap_##call (VkPhysicalDevice physical, uint32_t *n,       \
                                                     void *rows)                                   \
  {                                                                                                \
    VkResult result;                                                                               \
                                                                                                   \
    return fails (NULL, ID_##call, &result)                                                        \
               ? result                                                                            \
               : ((PFN_list_rows) instance_next[ID_##call]) (physical, n, rows);                   \
  }
WRAP_ROWS (vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)
WRAP_ROWS (vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV)
#undef WRAP_ROWS

static VkLayerDeviceLink *
take_device_link (const VkDeviceCreateInfo *info)
{
  VkLayerDeviceCreateInfo *link = (VkLayerDeviceCreateInfo *) info->pNext;

  while (link->sType != VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO ||
         link->function != VK_LAYER_LINK_INFO)
    link = (VkLayerDeviceCreateInfo *) link->pNext;
  VkLayerDeviceLink *own = link->u.pLayerInfo;
  link->u.pLayerInfo = own->pNext;
  return own;
}

static void
add_device (VkDevice handle, PFN_vkGetDeviceProcAddr get_proc)
{
  Device *device = g_new0 (Device, 1);

  device->handle = handle;
  device->get_proc = get_proc;
  g_mutex_init (&device->queue_lock);
  for (uint32_t i = ID_vkCreateDevice + 1; i < N_CALLS; i++)
    device->next[i] = get_proc (handle, call_names[i]);
  g_mutex_lock (&lock);
  g_hash_table_insert (devices, key_of (handle), device);
  g_mutex_unlock (&lock);
  count (1);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wrap_vkCreateDevice (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                     const VkAllocationCallbacks *callbacks, VkDevice *out)
{
  const VkLayerDeviceLink *link = take_device_link (info);
  VkResult result;

  if (fails (NULL, ID_vkCreateDevice, &result))
    return result;
  const PFN_vkCreateDevice create =
      (PFN_vkCreateDevice) link->pfnNextGetInstanceProcAddr (the_instance, "vkCreateDevice");
  result = create (physical, info, callbacks, out);
  if (result == VK_SUCCESS)
    add_device (*out, link->pfnNextGetDeviceProcAddr);
  return result;
}

/* A discrete GPU's as far as the engine looks. */
static VKAPI_ATTR void VKAPI_CALL
wrap_vkGetPhysicalDeviceProperties (VkPhysicalDevice physical, VkPhysicalDeviceProperties *out)
{
  INSTANCE_NEXT (vkGetPhysicalDeviceProperties) (physical, out);
  if (looks_discrete)
    out->deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
}

static VKAPI_ATTR void VKAPI_CALL
wrap_vkGetPhysicalDeviceMemoryProperties (VkPhysicalDevice physical,
                                          VkPhysicalDeviceMemoryProperties *out)
{
  INSTANCE_NEXT (vkGetPhysicalDeviceMemoryProperties) (physical, out);
  if (looks_discrete)
    out->memoryHeaps[out->memoryHeapCount++] = (VkMemoryHeap){.size = 1}; /* of the host */
}

/* ---- what the loader asks for ---------------------------------------------------------------- */

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_instance_proc (VkInstance instance,
                                                                   const char *name);
static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device_proc (VkDevice handle, const char *name);

typedef struct {
  const char *name;
  PFN_vkVoidFunction wrapper;
} Wrapper;

#define ROW(call, ...) {#call, (PFN_vkVoidFunction) wrap_##call},
#define DESTROY_ROW(call, Type) {"vkDestroy" #Type, (PFN_vkVoidFunction) wrap_vkDestroy##Type},
static const Wrapper instance_wrappers[] = {
    INSTANCE_CALLS (ROW) VOID_INSTANCE_CALLS (ROW) /* */
    {"vkGetInstanceProcAddr", (PFN_vkVoidFunction) get_instance_proc},
};
static const Wrapper device_wrappers[] = {
    CREATE_CALLS (ROW) CREATE_CALLS (DESTROY_ROW) OTHER_CALLS (ROW) OWN_CALLS (ROW) VOID_CALLS (ROW)
    /* */
    {"vkGetDeviceProcAddr", (PFN_vkVoidFunction) get_device_proc},
};
#undef ROW
#undef DESTROY_ROW

static PFN_vkVoidFunction
find_wrapper (const Wrapper *wrappers, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp (wrappers[i].name, name) == 0)
      return wrappers[i].wrapper;
  return NULL;
}

static PFN_vkVoidFunction
find_device_wrapper (const char *name)
{
  return find_wrapper (device_wrappers, G_N_ELEMENTS (device_wrappers), name);
}

/* Nothing is wrapped that isn't there. */
static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
get_device_proc (VkDevice handle, const char *name)
{
  const PFN_vkVoidFunction next = find_device (handle)->get_proc (handle, name);
  const PFN_vkVoidFunction wrapper = find_device_wrapper (name);

  return next && wrapper ? wrapper : next;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
get_instance_proc (VkInstance instance, const char *name)
{
  PFN_vkVoidFunction wrapper =
      find_wrapper (instance_wrappers, G_N_ELEMENTS (instance_wrappers), name);

  if (!instance || !the_instance) /* the loader asks on behalf of one that it is about to make */
    return wrapper;
  if (!wrapper)
    wrapper = find_device_wrapper (name);
  const PFN_vkVoidFunction next = next_instance_proc (instance, name);
  return next && wrapper ? wrapper : next;
}

FAULT_API VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion (VkNegotiateLayerInterface *interface)
{
  if (interface->loaderLayerInterfaceVersion < 2)
    return VK_ERROR_INITIALIZATION_FAILED;

  interface->loaderLayerInterfaceVersion = 2;
  interface->pfnGetInstanceProcAddr = get_instance_proc;
  interface->pfnGetDeviceProcAddr = get_device_proc;
  interface->pfnGetPhysicalDeviceProcAddr = NULL;

  g_mutex_lock (&lock);
  if (!devices) {
    devices = g_hash_table_new (NULL, NULL);
    memory_sizes = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  }
  g_mutex_unlock (&lock);
  return VK_SUCCESS;
}

/* ---- faults.h -------------------------------------------------------------------------------- */

static Order *
find_order (const char *call)
{
  for (uint32_t i = 0; i < N_FALLIBLE; i++)
    if (strcmp (call_names[i], call) == 0)
      return &orders[i];
  g_error ("tests/faults/layer.c doesn't know %s", call);
}

bool
fault_is_loaded (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return devices != NULL;
}

const char *
fault_call_name (uint32_t index)
{
  return index < N_FALLIBLE ? call_names[index] : NULL;
}

VkResult
fault_call_result (const char *call, uint32_t index)
{
  const VkResult *results = call_results[find_order (call) - orders];

  for (uint32_t i = 0; i < index; i++)
    if (results[i] == VK_SUCCESS)
      return VK_SUCCESS;
  return results[index];
}

uint32_t
fault_count (const char *call)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return find_order (call)->n_uses;
}

void
fault_arm (const char *call, uint32_t nth, VkResult result, bool lasts)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  Order *order = find_order (call);

  g_assert (nth >= 1 && result < 0);
  order->n_until = nth;
  order->result = result;
  order->lasts = lasts;
}

void
fault_set_budget (uint64_t size_bytes)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  budget_bytes = size_bytes;
}

void
fault_disarm (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  for (uint32_t i = 0; i < N_FALLIBLE; i++)
    orders[i].n_until = 0;
  budget_bytes = UINT64_MAX;
  n_failed = 0;
}

uint32_t
fault_n_failed (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return n_failed;
}

uint32_t
fault_n_live (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return n_live;
}

uint64_t
fault_live_bytes (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return live_bytes;
}

void
fault_set_discrete (bool is_discrete)
{
  looks_discrete = is_discrete;
}
