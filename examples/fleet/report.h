/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/report.h - what a worker tells of itself: answers to `yolov7-fleet list`, and
 * metrics.
 */
#pragma once

#include "examples/fleet/job.h"

G_BEGIN_DECLS

/* Since the worker started. */
typedef struct {
  guint64 n_sessions; /* connections with the broker */
  guint64 n_taken;    /* cameras */
  guint64 n_removed, n_given_back;
  guint64 n_failures;  /* attempts */
  guint64 n_put_away;  /* cameras that failed too often */
  guint64 n_malformed; /* messages */
  guint64 n_bad_notes;
} FleetTotals;

typedef struct {
  FleetTotals totals;
  uint32_t capacity, n_held;
  bool is_connected;
  GPtrArray *jobs; /* of FleetJob * */
} FleetState;

/*   yolov7_fleet_connected                  gauge   1: the broker is there
 *   yolov7_fleet_capacity_cameras           gauge
 *   yolov7_fleet_held_cameras               gauge
 *   yolov7_fleet_sessions_total             counter
 *   yolov7_fleet_cameras_total              counter label what: taken, removed, given-back, failed
 *   yolov7_fleet_failed_attempts_total      counter
 *   yolov7_fleet_bad_messages_total         counter label what: camera, note
 * and what examples/common/metrics.h tells of cameras.
 */
void fleet_report_metrics (GString *out, const FleetState *state);

/* A line of JSON each, for an answer. Free with g_free(). */
char *fleet_report_worker (const char *worker, uint32_t capacity, uint32_t n_held);
char *fleet_report_camera (const char *worker, FleetJob *job);

/* An answer, which may be hostile, as a line for people. @n_cameras: (inout): one more where it
 * tells of one that runs. Returns: false where it is none. */
bool fleet_report_show (const char *text, size_t size_bytes, GString *out, uint32_t *n_cameras);

G_END_DECLS
