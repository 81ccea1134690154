/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/bench.h - what this machine's device can do, and that it can at all.
 *
 * A pipeline with the yolov7 that the defaults describe. It is kept while the worker lives, so that
 * the model stays loaded between cameras, which share it.
 */
#pragma once

#include "examples/fleet/settings.h"

G_BEGIN_DECLS

typedef struct _FleetBench FleetBench;

/**
 * fleet_bench_new:
 * @frames_per_s: (out) (nullable): analysed in 3 s of 640x360 frames as fast as can be; NULL: not
 * measured
 *
 * Loads the model and analyses a frame; blocks for seconds. Returns: NULL with an error where that
 * does not work: a worker that can't analyse takes no cameras.
 */
FleetBench *fleet_bench_new (const FleetSettings *settings, double *frames_per_s, GError **error);

/* Analyses a picture once more, from the start, as after a failure. Blocks for seconds; a minute at
 * most. Returns: false with an error where it does not work any longer. */
bool fleet_bench_try (FleetBench *bench, GError **error);
void fleet_bench_free (FleetBench *bench); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetBench, fleet_bench_free)

G_END_DECLS
