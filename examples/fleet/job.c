/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/job.c - one post after the other, and a look at what they get done. */
#include "examples/fleet/job.h"

#define RECENT_US (2 * G_USEC_PER_SEC)

struct _FleetJob {
  const FleetSettings *settings; /* borrowed */
  char *name;
  FleetJobCalls calls;
  FleetPost *post;    /* NULL: nothing runs */
  bool is_ending;     /* the post has been asked to */
  CameraConfig *next; /* (nullable): what the next post is to run */

  char *reason;     /* (nullable): why there were no frames since the last analysed */
  bool is_analysis; /* the reason is of the analysis */
  CameraState state;
  guint64 n_before;             /* frames that had been analysed when the state was not PLAYING */
  gint64 first_us;              /* when its first analysed frame was seen; 0: not yet */
  gint64 progress_us;           /* when the last one was, or it was started */
  gint64 ending_us;             /* when it was asked to end */
  guint64 n_frames, n_analysed; /* its counters at the last look */
};

FleetJob *
fleet_job_new (const FleetSettings *settings, const char *name, const FleetJobCalls *calls)
{
  FleetJob *job = g_new0 (FleetJob, 1);

  job->settings = settings;
  job->name = g_strdup (name);
  job->calls = *calls;
  return job;
}

void
fleet_job_free (FleetJob *job)
{
  if (!job)
    return;
  g_assert (!job->post);
  camera_config_free (job->next);
  g_free (job->reason);
  g_free (job->name);
  g_free (job);
}

static void
fail (FleetJob *job, const char *reason)
{
  g_autofree char *text = g_strdup (reason);

  fleet_job_end (job);
  job->calls.failed (job, text, job->is_analysis, job->calls.user_data);
}

static guint64
get_n_analysed (FleetJob *job)
{
  CameraCounters counters;

  return fleet_post_get_counters (job->post, &counters) ? counters.n_analysed : 0;
}

/* It stays while the camera tries again, which is no better before a frame is analysed. */
static void
note_reason (FleetJob *job, CameraState state, const char *reason)
{
  g_free (job->reason);
  job->reason = g_strdup (reason);
  job->is_analysis = state == CAMERA_FAILED;
}

static void
forget_reason (FleetJob *job)
{
  g_clear_pointer (&job->reason, g_free);
  job->is_analysis = false;
}

static void
hear_state (CameraState state, const char *reason, bool is_final, gpointer job_)
{
  FleetJob *job = job_;

  if (job->is_ending)
    return;
  job->state = state;
  if (state != CAMERA_PLAYING)
    job->n_before = get_n_analysed (job);
  if (reason)
    g_printerr ("yolov7-fleet: camera %s: %s: %s\n", job->name, camera_state_name (state), reason);
  else if (state == CAMERA_PLAYING)
    g_printerr ("yolov7-fleet: camera %s: playing\n", job->name);
  if (reason)
    note_reason (job, state, reason);
  if (is_final)
    fail (job, reason);
}

static void start_next (FleetJob *job);

static void
hear_end (gpointer job_)
{
  FleetJob *job = job_;

  g_clear_pointer (&job->post, fleet_post_free);
  job->is_ending = false;
  if (job->next)
    start_next (job);
  else
    job->calls.ended (job, job->calls.user_data);
}

static void
start_next (FleetJob *job)
{
  const FleetPostCalls calls = {.state = hear_state, .ended = hear_end, .user_data = job};

  job->first_us = 0;
  job->progress_us = g_get_monotonic_time ();
  job->n_frames = job->n_analysed = 0;
  job->state = CAMERA_CONNECTING;
  job->n_before = 0;
  forget_reason (job);
  job->post = fleet_post_new (g_steal_pointer (&job->next), &calls);
}

static void
end_post (FleetJob *job)
{
  if (job->is_ending)
    return;
  job->is_ending = true;
  job->ending_us = g_get_monotonic_time ();
  fleet_post_end (job->post);
}

void
fleet_job_start (FleetJob *job, CameraConfig *config)
{
  camera_config_free (job->next);
  job->next = config;
  if (job->post)
    end_post (job);
  else
    start_next (job);
}

void
fleet_job_end (FleetJob *job)
{
  g_clear_pointer (&job->next, camera_config_free);
  if (job->post)
    end_post (job);
  else
    job->calls.ended (job, job->calls.user_data);
}

static void
lose_patience (FleetJob *job)
{
  CameraCounters counters;
  const bool has_started = fleet_post_get_counters (job->post, &counters);
  const char *why = has_started ? "the source gives none" : "it is still being started";
  g_autofree char *reason = g_strdup_printf ("no frame was analysed for %" G_GINT64_FORMAT " s: %s",
                                             job->settings->patience_us / G_USEC_PER_SEC,
                                             job->reason ? job->reason : why);

  fail (job, reason);
}

static void
look_at_counters (FleetJob *job, gint64 now_us, double *n_analysed, double *n_wanted)
{
  CameraCounters counters;

  if (!fleet_post_get_counters (job->post, &counters))
    return;
  if (counters.n_analysed != job->n_analysed)
    job->progress_us = now_us;
  if (job->state == CAMERA_PLAYING && counters.n_analysed > job->n_before)
    forget_reason (job);
  if (job->first_us == 0 && counters.n_analysed > 0)
    job->first_us = now_us;
  *n_analysed += (double) (counters.n_analysed - job->n_analysed);
  *n_wanted += (double) (counters.n_frames - job->n_frames) / fleet_post_interval (job->post);
  job->n_analysed = counters.n_analysed;
  job->n_frames = counters.n_frames;
}

void
fleet_job_look (FleetJob *job, gint64 now_us, double *n_analysed, double *n_wanted)
{
  if (!job->post || job->is_ending)
    return;
  look_at_counters (job, now_us, n_analysed, n_wanted);
  if (now_us - job->progress_us >= job->settings->patience_us)
    lose_patience (job);
}

const char *
fleet_job_name (const FleetJob *job)
{
  return job->name;
}

bool
fleet_job_is_running (const FleetJob *job)
{
  return job->post != NULL;
}

bool
fleet_job_hangs (const FleetJob *job, gint64 now_us)
{
  return job->post && job->is_ending && !fleet_post_has_ended (job->post) &&
         now_us - job->ending_us >= FLEET_END_S * G_USEC_PER_SEC;
}

gint64
fleet_job_analysed_us (const FleetJob *job)
{
  return job->first_us > 0 ? job->progress_us - job->first_us : 0;
}

bool
fleet_job_is_analysing (const FleetJob *job, gint64 now_us)
{
  return job->post && job->n_analysed > 0 && now_us - job->progress_us < RECENT_US;
}

bool
fleet_job_get_counters (FleetJob *job, CameraCounters *out)
{
  return job->post && !job->is_ending && fleet_post_get_counters (job->post, out);
}
