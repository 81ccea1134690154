/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/worker.h - takes cameras from the broker, runs them, and gives them back.
 *
 * In:    settings.
 * Out:   what the cameras' publishers send; log lines; metrics.
 *
 * What it decides with is pure: holds.h (which cameras), capacity.h (how many). What takes time is
 * on other threads: courier.h (the broker), post.h (a camera each).
 *
 * Threads: the one of the main context that was the default when it was made.
 */
#pragma once

#include "examples/fleet/bench.h"
#include "examples/fleet/settings.h"

G_BEGIN_DECLS

typedef struct _FleetWorker FleetWorker;

typedef void (*FleetWorkerEnded) (gpointer user_data);

/* @settings: borrowed, outlives the worker; capacity.most is known.
 * @bench: borrowed, outlives it, too: what tells a camera that fails from a device that does.
 * @ended: once everything has stopped, after fleet_worker_end() or because of
 * fleet_worker_error(). */
FleetWorker *fleet_worker_new (FleetSettings *settings, FleetBench *bench, FleetWorkerEnded ended,
                               gpointer user_data);

/* Stops every camera, and then the connection, so that nobody else has one of them before. */
void fleet_worker_end (FleetWorker *worker);

/* Why it ended by itself: the broker refused it before it had ever taken it, or its device does not
 * work any longer; NULL: it did not. */
const GError *fleet_worker_error (const FleetWorker *worker);

void fleet_worker_free (FleetWorker *worker); /* only after it has ended; NULL ok */

/* Metrics of the worker and its cameras, in the text format of Prometheus. */
void fleet_worker_write_metrics (FleetWorker *worker, GString *out);

G_END_DECLS
