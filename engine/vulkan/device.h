/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/device.h - an open device: its functions, its queue, its numbers, its pipelines.
 *
 * Everything but the queue and the pipeline cache is constant once the device is open. The queue is
 * used through yv_timeline_submit() (timeline.h) alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/plan/caps.h"
#include "engine/vulkan/instance.h"
#include "engine/vulkan/select.h"
#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

typedef struct _YvPipelineCache YvPipelineCache;

struct _YvDevice {
  gatomicrefcount n_refs;
  gint is_retired;      /* atomic */
  gint n_given_up;      /* atomic: frame memories of it that were, ever */
  YvInstance *instance; /* borrowed: there is one, for ever */
  VkPhysicalDevice physical;
  char uuid[YV_UUID_TEXT_BYTES];
  char *identity; /* owned */
  VkDevice handle;
  struct VolkDeviceTable vk; /* every call on the device goes through this */

  uint32_t queue_family;
  VkQueue queue;
  GMutex queue_lock; /* protects the use of queue */

  YvCaps caps;
  VkPhysicalDeviceMemoryProperties memory;
  bool unified; /* all device memory is host-visible too: nothing needs staging; tests clear it
                   before anything is made, and so have a discrete GPU's ways on a CPU */
  uint64_t max_allocation_bytes;
  uint64_t import_align_bytes;        /* of memory of others that it reads in place; 0: it cannot */
  gsize used_bytes[YV_N_BUFFER_USES]; /* atomic: of all buffers there are, by their use */
  double ns_per_tick;                 /* of timestamps */
  uint64_t tick_mask;                 /* their valid bits; 0: the queue has no timestamps */
  YvPipelineCache *pipelines;         /* owned; thread safe */
};

G_END_DECLS
