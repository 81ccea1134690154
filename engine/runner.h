/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/runner.h - a model made ready for one batch and input size: plan, executor, free slots.
 *
 * In:   a graph after its passes and a device (engine.h).
 * Next: streams and tools take a slot, submit, wait, and give it back; any number of threads at
 *       once, each with its own slot. No lock is held while a device works.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/plan/executor.h"
#include "engine/plan/plan.h"
#include "engine/vulkan/vulkan.h"

G_BEGIN_DECLS

/* One frame on the device, one being uploaded, one whose candidates are being suppressed. */
#define YV_RUNNER_SLOTS 3

typedef struct {
  YvPlan *plan;
  YvExecutor *executor;

  GMutex mutex; /* of free_slots */
  GCond slot_freed;
  uint32_t free_slots; /* bit i: slot i */

  /* The engine's, under its mutex. */
  uint32_t n_users;
  uint64_t last_use;
} YvRunner;

/**
 * yv_runner_new:
 * @graph: borrowed, outlives the runner
 * @device: (nullable): borrowed, outlives the runner; NULL: engine/ref/
 * @store: (nullable): as @device
 *
 * Returns: (transfer full): or NULL; codes as yv_plan_new() and the executors.
 */
YvRunner *yv_runner_new (const YvGraph *graph, const YvPlanOptions *options, YvDevice *device,
                         YvWeightStore *store, GError **error);
void yv_runner_free (YvRunner *runner); /* NULL ok; all slots must be free */

/* Blocks until a slot is free and takes it. */
uint32_t yv_runner_take_slot (YvRunner *runner);
void yv_runner_give_slot (YvRunner *runner, uint32_t slot);

/* Submits one batch and waits for it: executor.h says what comes back, which is valid until the
 * slot is given back. */
bool yv_runner_run (YvRunner *runner, uint32_t slot, const YvBatch *batch,
                    const struct YvCandidate **lists, uint32_t *n, YvTiming *timing,
                    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvRunner, yv_runner_free)

G_END_DECLS
