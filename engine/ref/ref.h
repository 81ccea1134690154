/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ref/ref.h - runs a YvPlan with the plainest loops in C: the meaning of each op.
 *
 * Reads node and operands of a step and ignores kernel, groups and push bytes, so it can run a plan
 * that was made for any device. Sums in double, stores in the operand's dtype. Slow, and meant to
 * be.
 */
#pragma once

#include <glib.h>

#include "engine/plan/executor.h"

G_BEGIN_DECLS

/* @plan: borrowed. Returns: (transfer full): or NULL with YV_ERROR_OUT_OF_MEMORY. */
YvExecutor *yv_ref_executor_new (const YvPlan *plan, uint32_t n_slots, GError **error);

G_END_DECLS
