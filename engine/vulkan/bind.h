/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/bind.h - descriptor sets of texel steps: one a step, written once.
 */
#pragma once

#include <stdint.h>

#include <glib.h>
#include <volk.h>

#include "engine/plan/plan.h"
#include "engine/vulkan/place.h"

G_BEGIN_DECLS

typedef struct {
  YvDevice *device; /* borrowed */
  uint32_t first_step, n_steps;
  VkDescriptorPool pool;
  VkDescriptorSet *sets; /* [n_steps], null for a step that is not texel */
  GArray *views;         /* of VkBufferView */
} YvBindings;

/* Sets for steps [first_step, first_step + n_steps) of @plan. NULL with the code of yv_vk_check().
 */
YvBindings *yv_bindings_new (YvDevice *device, const YvPlaces *places, const YvPlan *plan,
                             uint32_t first_step, uint32_t n_steps, GError **error);
void yv_bindings_free (YvBindings *bindings); /* NULL ok; no command that uses a set is running */

/* The set of a step by its index in the plan, or null. */
VkDescriptorSet yv_bindings_set (const YvBindings *bindings, uint32_t step);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvBindings, yv_bindings_free)

G_END_DECLS
