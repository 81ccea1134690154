/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/vulkan/known.h - which kernels are taken on devices that were measured, where nobody has
 * measured on the very device (engine/tune.h).
 *
 * Only what was measured is in the table (docs/performance.md): Mesa's CPU driver. No GPU has been
 * yet: there the rules and models of cost in engine/ops/ decide alone.
 */
#pragma once

#include <glib.h>
#include <volk.h>

#include "engine/plan/caps.h"

G_BEGIN_DECLS

/* Sets the preferences in @caps (wide_lanes, winograd); none for a device that is not known. */
void yv_known_apply (YvCaps *caps, VkDriverId driver_id);

G_END_DECLS
