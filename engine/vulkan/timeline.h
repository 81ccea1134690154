/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/timeline.h - what somebody submits, one after the other, and how to wait for it: a
 * timeline semaphore that counts.
 *
 * One thread at a time per timeline; any number of timelines submit to a device at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

typedef struct {
  YvDevice *device; /* borrowed: a device outlives its timelines */
  VkSemaphore semaphore;
  uint64_t n_submitted; /* its value once all is done */
} YvTimeline;

/* False with the code of yv_vk_check(); @timeline may be cleared all the same. */
bool yv_timeline_init (YvTimeline *timeline, YvDevice *device, GError **error);
void yv_timeline_clear (YvTimeline *timeline); /* zeroed ok; nothing of it is running */

/**
 * yv_timeline_submit:
 * @commands: (array): of all pieces, one after the other
 * @ends: (array length=n_pieces): piece i is commands [ends[i - 1], ends[i])
 *
 * Gives the pieces to the queue, in this order and with nothing of others between them. Each is a
 * job of its own to the driver, so that only the length of one counts for a watchdog. Doesn't wait
 * and allocates nothing. On failure nothing of it is running.
 */
bool yv_timeline_submit (YvTimeline *timeline, const VkCommandBuffer *commands,
                         const uint32_t *ends, uint32_t n_pieces, GError **error);

/* Sleeps until all that was submitted is done. False with YV_ERROR_DEVICE_LOST: it never goes on,
 * or nobody can tell. */
bool yv_timeline_wait (YvTimeline *timeline, GError **error);

G_END_DECLS
