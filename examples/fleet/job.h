/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/job.h - one camera of a worker, from its message until nothing of it runs.
 *
 * A post that ends takes its time. Meanwhile the same camera may come again, so a job starts the
 * next post only when the one before has ended: a camera is never analysed twice here.
 *
 * Threads: as post.h.
 */
#pragma once

#include "examples/fleet/post.h"
#include "examples/fleet/settings.h"

G_BEGIN_DECLS

/* After so much analysis earlier failures are forgotten. */
#define FLEET_STEADY_S 60
/* Within so long after it was asked to, a post has ended: all that it waits for has shorter limits,
 * but drivers, and networks below them, may hang. */
#define FLEET_END_S 10

typedef struct _FleetJob FleetJob;

/* In all calls the job may be ended, and in the last one freed. */
typedef struct {
  /* It did not work, and is ending. @reason: for people. @is_analysis: not for want of frames: the
   * analysis failed, and no frame was analysed since. */
  void (*failed) (FleetJob *job, const char *reason, bool is_analysis, gpointer user_data);
  /* Nothing runs any more. */
  void (*ended) (FleetJob *job, gpointer user_data);
  gpointer user_data;
} FleetJobCalls;

/* @settings: borrowed. Nothing runs yet. */
FleetJob *fleet_job_new (const FleetSettings *settings, const char *name,
                         const FleetJobCalls *calls);
void fleet_job_free (FleetJob *job); /* only while nothing runs; NULL ok */

/* Runs it from now on, or from when what runs has ended. @config: (transfer full). */
void fleet_job_start (FleetJob *job, CameraConfig *config);

/* Ends it; "ended" follows, at once where nothing runs. */
void fleet_job_end (FleetJob *job);

/* To be called about once a second. @n_analysed, @n_wanted: (inout): frames since the last time are
 * added; it fails where none was analysed for the settings' patience, also while it starts. */
void fleet_job_look (FleetJob *job, gint64 now_us, double *n_analysed, double *n_wanted);

const char *fleet_job_name (const FleetJob *job);
bool fleet_job_is_running (const FleetJob *job); /* or about to */

/* Whether it should have ended FLEET_END_S ago: nothing in this process can help it. */
bool fleet_job_hangs (const FleetJob *job, gint64 now_us);

/* From the first to the last of its frames that was seen analysed, since it was started. */
gint64 fleet_job_analysed_us (const FleetJob *job);

/* Whether a frame was analysed in the last 2 s. */
bool fleet_job_is_analysing (const FleetJob *job, gint64 now_us);

/* Returns: false where nothing runs. */
bool fleet_job_get_counters (FleetJob *job, CameraCounters *out);

G_END_DECLS
