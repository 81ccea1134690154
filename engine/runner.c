/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/runner.c - plan and executor of one size, and who uses which slot.
 */
#include "engine/runner.h"

#include "engine/error.h"
#include "engine/ref/ref.h"

YvRunner *
yv_runner_new (const YvGraph *graph, const YvPlanOptions *options, YvDevice *device,
               YvWeightStore *store, GError **error)
{
  g_autoptr (YvRunner) runner = g_new0 (YvRunner, 1);
  YvCaps caps;

  g_mutex_init (&runner->mutex);
  g_cond_init (&runner->slot_freed);

  if (device)
    caps = *yv_device_caps (device);
  else
    yv_caps_init_reference (&caps);
  runner->plan = yv_plan_new (graph, &caps, options, error);
  if (!runner->plan)
    return NULL;

  runner->executor =
      device ? yv_vulkan_executor_new (device, store, runner->plan, YV_RUNNER_MAX_SLOTS, error)
             : yv_ref_executor_new (runner->plan, YV_RUNNER_MAX_SLOTS, error);
  if (!runner->executor)
    return NULL;
  return g_steal_pointer (&runner);
}

void
yv_runner_free (YvRunner *runner)
{
  if (!runner)
    return;
  g_assert (runner->n_taken == 0);
  yv_executor_free (runner->executor);
  yv_plan_free (runner->plan);
  g_cond_clear (&runner->slot_freed);
  g_mutex_clear (&runner->mutex);
  g_free (runner);
}

/* The lowest, so that no more slots are made than are ever taken at once. */
static uint32_t
take_free_locked (YvRunner *runner, bool lasts)
{
  uint32_t slot = 0;

  while (runner->is_taken[slot])
    slot++;
  runner->is_taken[slot] = true;
  runner->is_lasting[slot] = lasts;
  runner->n_taken++;
  runner->n_lasting += lasts;
  return slot;
}

/* Those who wait have theirs, which those that last never take: else they could wait for ever. */
static bool
is_free_locked (const YvRunner *runner, bool lasts)
{
  return lasts ? runner->n_lasting < YV_RUNNER_MAX_LASTING
               : runner->n_taken - runner->n_lasting < YV_RUNNER_SLOTS;
}

bool
yv_runner_take_slot (YvRunner *runner, bool lasts, uint32_t *slot, GError **error)
{
  g_mutex_lock (&runner->mutex);
  while (!lasts && !is_free_locked (runner, false))
    g_cond_wait (&runner->slot_freed, &runner->mutex);
  const bool is_free = is_free_locked (runner, lasts);
  if (is_free)
    *slot = take_free_locked (runner, lasts);
  g_mutex_unlock (&runner->mutex);

  if (!is_free)
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%d batches of one model and size are in flight, the most there may be",
                 YV_RUNNER_MAX_LASTING);
  return is_free;
}

void
yv_runner_give_slot (YvRunner *runner, uint32_t slot)
{
  g_mutex_lock (&runner->mutex);
  g_assert (runner->is_taken[slot]);
  runner->is_taken[slot] = false;
  runner->n_taken--;
  runner->n_lasting -= runner->is_lasting[slot];
  g_cond_signal (&runner->slot_freed);
  g_mutex_unlock (&runner->mutex);
}

bool
yv_runner_run (YvRunner *runner, uint32_t slot, const YvBatch *batch,
               const struct YvCandidate **lists, uint32_t *n, YvTiming *timing, GError **error)
{
  const YvExecutorClass *klass = runner->executor->klass;

  return klass->submit (runner->executor, slot, batch, error) &&
         klass->wait (runner->executor, slot, lists, n, timing, error);
}
