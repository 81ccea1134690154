/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/gate.c - a device that is held until a test lets it go on. */
#include "tests/model/gate.h"

#include "engine/engine.h"
#include "engine/vulkan/device.h"

static struct {
  YvDevice *device;
  PFN_vkWaitSemaphores real_wait;
  GMutex mutex;
  GCond opened;
  bool is_open;
} gate;

static VKAPI_ATTR VkResult VKAPI_CALL
wait_at_gate (VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout_ns)
{
  wait_for_gate ();
  return gate.real_wait (device, info, timeout_ns);
}

void
close_gate (YvEngine *engine)
{
  gate.device = engine->device;
  gate.is_open = false;
  gate.real_wait = gate.device->vk.vkWaitSemaphores;
  gate.device->vk.vkWaitSemaphores = wait_at_gate;
}

void
open_gate (void)
{
  g_mutex_lock (&gate.mutex);
  gate.is_open = true;
  g_cond_broadcast (&gate.opened);
  g_mutex_unlock (&gate.mutex);
}

bool
gate_is_open (void)
{
  g_mutex_lock (&gate.mutex);
  const bool is_open = gate.is_open;
  g_mutex_unlock (&gate.mutex);
  return is_open;
}

void
wait_for_gate (void)
{
  g_mutex_lock (&gate.mutex);
  while (!gate.is_open)
    g_cond_wait (&gate.opened, &gate.mutex);
  g_mutex_unlock (&gate.mutex);
}

void
remove_gate (void)
{
  gate.device->vk.vkWaitSemaphores = gate.real_wait;
}

/* ---- a bell ---------------------------------------------------------------------------------- */

void
ring (void *data)
{
  Bell *bell = data;

  g_mutex_lock (&bell->mutex);
  bell->n_calls++;
  g_cond_signal (&bell->changed);
  g_mutex_unlock (&bell->mutex);
}

void
wait_for_ring (Bell *bell)
{
  g_mutex_lock (&bell->mutex);
  while (bell->n_calls == 0)
    g_cond_wait (&bell->changed, &bell->mutex);
  g_mutex_unlock (&bell->mutex);
}

void
wait_for_rings (Bell *bell, uint32_t n)
{
  g_mutex_lock (&bell->mutex);
  while (bell->n_calls < n)
    g_cond_wait (&bell->changed, &bell->mutex);
  g_assert_cmpuint (bell->n_calls, ==, n);
  g_mutex_unlock (&bell->mutex);
}
