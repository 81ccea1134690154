/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/capacity.h - how many cameras this worker takes.
 *
 * It begins with what the configuration says or what was measured, and never goes above that. A
 * worker that analyses less than a share of what it should for a while gives one camera back and
 * takes one less; one that has kept up for a while takes one more again.
 *
 * Pure: time is an argument. Threads: one at a time per object.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

#define FLEET_MAX_CAPACITY 1000

typedef struct {
  uint32_t most;        /* cameras */
  double slow_below;    /* 0..1: a smaller share of the frames is too slow */
  gint64 slow_after_us; /* for so long */
  gint64 raise_after_us;

  uint32_t now;           /* out: what it takes, 0 .. most */
  gint64 slow_since_us;   /* -1: it is not too slow */
  gint64 steady_since_us; /* since when nothing was wrong */
} FleetCapacity;

/* The fields above have their values; sets those below. */
void fleet_capacity_start (FleetCapacity *capacity, gint64 now_us);

/* To be called about once a second, with what happened since the last time.
 * @n_wanted: frames that should have been analysed
 * Returns: whether the camera that was taken last is to be given back. */
bool fleet_capacity_judge (FleetCapacity *capacity, double n_analysed, double n_wanted,
                           uint32_t n_held, gint64 now_us);

/* @frames_per_s: that the device analyses; @camera_fps: frames a second of a camera, > 0;
 * @share: of the device that is to be used, 0..1. Returns: 1 .. FLEET_MAX_CAPACITY */
uint32_t fleet_capacity_measured (double frames_per_s, double camera_fps, double share);

G_END_DECLS
