/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/post.h - a camera at work, on a thread of its own.
 *
 * To load a model, to close a source and to send a publisher's last records takes time in which the
 * worker must go on: so examples/common/camera.h is made, run and freed by the post's thread, with
 * a main context of its own.
 *
 * Threads: all functions, and the calls, in the main context that was the thread's default when the
 * post was made.
 */
#pragma once

#include "examples/common/camera.h"

G_BEGIN_DECLS

typedef struct _FleetPost FleetPost;

typedef struct {
  /* Each change, as camera.h tells it; and CAMERA_FAILED where the analysis can't be started, after
   * which nothing comes until fleet_post_end(). @reason: (nullable) */
  void (*state) (CameraState state, const char *reason, bool is_final, gpointer user_data);
  /* The last call: nothing of it is left but the post itself, which may be freed here. */
  void (*ended) (gpointer user_data);
  gpointer user_data;
} FleetPostCalls;

/* @config: (transfer full): checked. Starts. */
FleetPost *fleet_post_new (CameraConfig *config, const FleetPostCalls *calls);

/* Asks it to end, and does not wait. Twice is once. */
void fleet_post_end (FleetPost *post);

/* Whether nothing of it is left, also where "ended" is still to come. */
bool fleet_post_has_ended (FleetPost *post);

void fleet_post_free (FleetPost *post); /* only after it has ended; NULL ok */

/* Returns: false where there is no camera yet, or any more. */
bool fleet_post_get_counters (FleetPost *post, CameraCounters *out);

/* Of how many frames one is to be analysed: the property inference-interval. */
uint32_t fleet_post_interval (const FleetPost *post);

G_END_DECLS
