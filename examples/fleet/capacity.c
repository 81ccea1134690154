/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/capacity.c - one less when slow, one more when steady. */
#include "examples/fleet/capacity.h"

void
fleet_capacity_start (FleetCapacity *capacity, gint64 now_us)
{
  capacity->now = capacity->most;
  capacity->slow_since_us = -1;
  capacity->steady_since_us = now_us;
}

static void
raise_when_steady (FleetCapacity *capacity, gint64 now_us)
{
  if (now_us - capacity->steady_since_us < capacity->raise_after_us)
    return;
  capacity->steady_since_us = now_us;
  capacity->now = MIN (capacity->now + 1, capacity->most);
}

bool
fleet_capacity_judge (FleetCapacity *capacity, double n_analysed, double n_wanted, uint32_t n_held,
                      gint64 now_us)
{
  if (n_analysed >= capacity->slow_below * n_wanted) {
    capacity->slow_since_us = -1;
    raise_when_steady (capacity, now_us);
    return false;
  }
  capacity->steady_since_us = now_us;
  if (capacity->slow_since_us < 0)
    capacity->slow_since_us = now_us;
  /* The last camera stays: it would be no faster anywhere, and somebody should have it. */
  if (now_us - capacity->slow_since_us < capacity->slow_after_us || n_held <= 1)
    return false;
  capacity->slow_since_us = -1;
  capacity->now = MIN (n_held - 1, capacity->most);
  return true;
}

uint32_t
fleet_capacity_measured (double frames_per_s, double camera_fps, double share)
{
  const double n = frames_per_s * share / camera_fps;

  return (uint32_t) CLAMP (n, 1, FLEET_MAX_CAPACITY);
}
