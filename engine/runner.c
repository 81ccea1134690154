/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/runner.c - plan and executor of one size, and who uses which slot.
 */
#include "engine/runner.h"

#include "engine/ref/ref.h"

YvRunner *
yv_runner_new (const YvGraph *graph, const YvPlanOptions *options, YvDevice *device,
               YvWeightStore *store, GError **error)
{
  g_autoptr (YvRunner) runner = g_new0 (YvRunner, 1);
  YvCaps caps;

  g_mutex_init (&runner->mutex);
  g_cond_init (&runner->slot_freed);
  runner->free_slots = (1u << YV_RUNNER_SLOTS) - 1;

  if (device)
    caps = *yv_device_caps (device);
  else
    yv_caps_init_reference (&caps);
  runner->plan = yv_plan_new (graph, &caps, options, error);
  if (!runner->plan)
    return NULL;

  runner->executor =
      device ? yv_vulkan_executor_new (device, store, runner->plan, YV_RUNNER_SLOTS, error)
             : yv_ref_executor_new (runner->plan, YV_RUNNER_SLOTS, error);
  if (!runner->executor)
    return NULL;
  return g_steal_pointer (&runner);
}

void
yv_runner_free (YvRunner *runner)
{
  if (!runner)
    return;
  g_assert (runner->free_slots == (1u << YV_RUNNER_SLOTS) - 1);
  yv_executor_free (runner->executor);
  yv_plan_free (runner->plan);
  g_cond_clear (&runner->slot_freed);
  g_mutex_clear (&runner->mutex);
  g_free (runner);
}

uint32_t
yv_runner_take_slot (YvRunner *runner)
{
  g_mutex_lock (&runner->mutex);
  while (runner->free_slots == 0)
    g_cond_wait (&runner->slot_freed, &runner->mutex);
  const uint32_t slot = (uint32_t) g_bit_nth_lsf (runner->free_slots, -1);
  runner->free_slots &= ~(1u << slot);
  g_mutex_unlock (&runner->mutex);
  return slot;
}

void
yv_runner_give_slot (YvRunner *runner, uint32_t slot)
{
  g_mutex_lock (&runner->mutex);
  g_assert ((runner->free_slots & 1u << slot) == 0);
  runner->free_slots |= 1u << slot;
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
