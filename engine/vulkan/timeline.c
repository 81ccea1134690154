/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/timeline.c - a counting semaphore beside the queue. */
#include "engine/vulkan/timeline.h"

#include "engine/error.h"
#include "engine/vulkan/check.h"
#include "engine/vulkan/device.h"

/* Pieces in one call of vkQueueSubmit(), so that what describes them has room on the stack. */
#define CALL_PIECES 16

bool
yv_timeline_init (YvTimeline *timeline, YvDevice *device, GError **error)
{
  const VkSemaphoreTypeCreateInfo type = {
      .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
      .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
  };
  const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                      .pNext = &type};

  *timeline = (YvTimeline){.device = device};
  return yv_vk_check (
      device->vk.vkCreateSemaphore (device->handle, &info, NULL, &timeline->semaphore),
      "vkCreateSemaphore", error);
}

void
yv_timeline_clear (YvTimeline *timeline)
{
  if (timeline->device)
    timeline->device->vk.vkDestroySemaphore (timeline->device->handle, timeline->semaphore, NULL);
}

/* Each piece signals: a driver that joins submits which nothing lies between must not join these.
 */
static VkResult
submit_some (YvTimeline *timeline, const VkCommandBuffer *commands, uint32_t first,
             const uint32_t *ends, uint32_t n_pieces)
{
  VkTimelineSemaphoreSubmitInfo values[CALL_PIECES];
  VkSubmitInfo infos[CALL_PIECES];
  uint64_t signals[CALL_PIECES];

  for (uint32_t i = 0; i < n_pieces; i++) {
    signals[i] = timeline->n_submitted + i + 1;
    values[i] = (VkTimelineSemaphoreSubmitInfo){
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .signalSemaphoreValueCount = 1,
        .pSignalSemaphoreValues = &signals[i],
    };
    infos[i] = (VkSubmitInfo){
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .pNext = &values[i],
        .commandBufferCount = ends[i] - first,
        .pCommandBuffers = commands + first,
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &timeline->semaphore,
    };
    first = ends[i];
  }
  const VkResult result =
      timeline->device->vk.vkQueueSubmit (timeline->device->queue, n_pieces, infos, VK_NULL_HANDLE);
  if (result == VK_SUCCESS)
    timeline->n_submitted += n_pieces;
  return result;
}

bool
yv_timeline_submit (YvTimeline *timeline, const VkCommandBuffer *commands, const uint32_t *ends,
                    uint32_t n_pieces, GError **error)
{
  const uint64_t n_before = timeline->n_submitted;
  VkResult result = VK_SUCCESS;

  g_mutex_lock (&timeline->device->queue_lock);
  for (uint32_t i = 0; i < n_pieces && result == VK_SUCCESS; i += CALL_PIECES)
    result = submit_some (timeline, commands, i > 0 ? ends[i - 1] : 0, ends + i,
                          MIN (n_pieces - i, CALL_PIECES));
  g_mutex_unlock (&timeline->device->queue_lock);
  if (result != VK_SUCCESS && timeline->n_submitted > n_before &&
      !yv_timeline_wait (timeline, error))
    return false;
  return yv_vk_check (result, "vkQueueSubmit", error);
}

/* Which the queue must not be used during. */
static VkResult
wait_until_idle (YvDevice *device)
{
  g_mutex_lock (&device->queue_lock);
  const VkResult result = device->vk.vkDeviceWaitIdle (device->handle);
  g_mutex_unlock (&device->queue_lock);
  return result;
}

/* Where there is no memory even to wait, an idle device is as good. One of which nobody knows what
 * it does may still read memory that is the caller's, which must not go on with it. */
bool
yv_timeline_wait (YvTimeline *timeline, GError **error)
{
  YvDevice *device = timeline->device;
  const VkSemaphoreWaitInfo info = {
      .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
      .semaphoreCount = 1,
      .pSemaphores = &timeline->semaphore,
      .pValues = &timeline->n_submitted,
  };
  g_autoptr (GError) why = NULL;

  const VkResult result = device->vk.vkWaitSemaphores (device->handle, &info, UINT64_MAX);
  if (result == VK_SUCCESS || result == VK_ERROR_DEVICE_LOST) /* a lost device runs nothing */
    return yv_vk_check (result, "vkWaitSemaphores", error);
  if (yv_vk_check (wait_until_idle (device), "vkDeviceWaitIdle", &why))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_DEVICE_LOST, "the device cannot be waited for: %s",
               why->message);
  return false;
}
