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

/* Those who wait for their frame share so many slots: one frame on the device, one being uploaded,
 * one whose candidates are being suppressed. */
#define YV_RUNNER_SLOTS 3

/* All slots, which are made when they are first used. */
#define YV_RUNNER_MAX_SLOTS 256

/* The others, of batches that stay in flight. */
#define YV_RUNNER_MAX_LASTING (YV_RUNNER_MAX_SLOTS - YV_RUNNER_SLOTS)

typedef struct {
  YvPlan *plan;
  YvExecutor *executor;

  GMutex mutex; /* of all that follow */
  GCond slot_freed;
  bool is_taken[YV_RUNNER_MAX_SLOTS], is_lasting[YV_RUNNER_MAX_SLOTS];
  uint32_t n_taken, n_lasting; /* n_lasting: of those that are taken */

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

/**
 * yv_runner_take_slot:
 * @lasts: the slot is kept after the caller has returned to code that isn't ours
 *
 * Takes a slot. One that does not last is given back whatever others do, so at most YV_RUNNER_SLOTS
 * of these are taken at a time, and the call waits for one. One that lasts comes in addition, up to
 * YV_RUNNER_MAX_LASTING, and without waiting, so that no stream waits for what another's user does
 * next.
 *
 * Returns: true; false, only where it lasts, with YV_ERROR_UNSUPPORTED: there are no more.
 */
bool yv_runner_take_slot (YvRunner *runner, bool lasts, uint32_t *slot, GError **error);
void yv_runner_give_slot (YvRunner *runner, uint32_t slot);

/* Submits one batch and waits for it: executor.h says what comes back, which is valid until the
 * slot is given back. */
bool yv_runner_run (YvRunner *runner, uint32_t slot, const YvBatch *batch,
                    const struct YvCandidate **lists, uint32_t *n, YvTiming *timing,
                    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvRunner, yv_runner_free)

G_END_DECLS
