/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/bench.h - what this machine's device can do, and that it can at all.
 *
 * A pipeline with the yolov7 that the defaults describe. It is kept while the worker lives, so that
 * the model stays loaded between cameras, which share it.
 *
 * A device that hangs can't be ended, nor can what is in its memory be freed: then the process
 * ends, with a message and the status 1.
 *
 * Threads: all functions from the one that made it; it has another one for the pipeline.
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
 * Loads the model and analyses a frame; blocks for seconds, ten minutes at most. Returns: NULL with
 * an error where that does not work: a worker that can't analyse takes no cameras.
 */
FleetBench *fleet_bench_new (const FleetSettings *settings, double *frames_per_s, GError **error);

/* Begins to analyse a picture once more, from the start, as after a failure; nothing where that
 * goes on already. Takes a minute at most, and does not block. */
void fleet_bench_try (FleetBench *bench);

/* To be called about once a second. Returns: whether a try has ended, once for each. @error: (out):
 * set where it did not work. */
bool fleet_bench_has_tried (FleetBench *bench, GError **error);

/* Blocks until the pipeline is closed, 20 s at most. NULL ok */
void fleet_bench_free (FleetBench *bench);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetBench, fleet_bench_free)

G_END_DECLS
