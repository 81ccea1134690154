/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/camera.h - a camera that is kept alive.
 *
 * Two pipelines with one clock. The input: source ! decoder ! appsink, which is made anew after a
 * loss. The analysis: appsrc ! yolov7 ! yolov7tracker [! yolov7publish] [! yolov7overlay] !
 * appsink, which stays: the model stays loaded, ids and totals of zones go on, and the publisher
 * keeps its queue, whatever becomes of the source.
 *
 * A source is lost after an error, its end (but of a file, which begins again, at most twice a
 * second), or 5 s without a frame. The next attempt is after 1 s, then 2, 4 ... 30 s, less a random
 * part of up to a quarter; 10 s of frames make it 1 s again. An analysis that fails, or that gives
 * nothing for 15 s while frames come, is started anew in the same way; where its device hangs it
 * can't be, and the state stays FAILED until the process ends.
 *
 * The loss is told before the source is closed. One that is not closed within 5 s hangs: it is left
 * behind, and counted, and the next attempt comes nevertheless, until 3 hang.
 *
 * Times: a frame's PTS is its time of capture (or arrival) by the camera's clock less the base
 * time of the analysis, so PTS + camera_base_time() is absolute, and never goes back.
 *
 * In:    cameraconfig.h.  Out: frames with metadata.  Next: relay.h gives them to consumers.
 * Threads: each camera has one of its own, which may block as long as its source likes. All
 * functions from the one that made it, unless they say otherwise.
 */
#pragma once

#include <gst/gst.h>

#include "examples/common/cameraconfig.h"

G_BEGIN_DECLS

typedef struct _Camera Camera;

typedef enum {
  CAMERA_CONNECTING, /* no frame yet, or none since the loss that was told */
  CAMERA_PLAYING,
  CAMERA_LOST,   /* waits until the next attempt */
  CAMERA_FAILED, /* the same, but it is the analysis that failed */
} CameraState;

/* "connecting", "playing", "lost", "failed" */
const char *camera_state_name (CameraState state);

typedef struct {
  /* (nullable): each frame behind the analysis, analysed or not, in order. On a streaming thread:
   * it should not block. The sample is borrowed, its buffer must not be changed. */
  void (*frame) (Camera *camera, GstSample *sample, gpointer user_data);
  /* (nullable): each change. @reason: (nullable): of a loss, without passwords, for people. In the
   * main context that was the thread's default when the camera was made. */
  void (*state) (Camera *camera, CameraState state, const char *reason, gpointer user_data);
  gpointer user_data;
} CameraCalls;

typedef struct {
  bool is_shown;    /* somebody looks at the frames: I420 or NV12, which encoders take */
  bool is_drawn;    /* with yolov7overlay; else it is left out */
  const char *also; /* (nullable): a launch fragment behind the tracker, such as a publisher */
} CameraOptions;

typedef struct {
  CameraState state;
  gint64 since_us;     /* of the state; g_get_monotonic_time() */
  guint64 n_frames;    /* that came from the source */
  guint64 n_dropped;   /* of those, that the analysis was not given because it was behind */
  guint64 n_analysed;  /* whose detections were found: yolov7's own count */
  guint64 n_losses;    /* times that the state left PLAYING */
  guint n_hanging;     /* attempts that were given up, and could not be closed so far */
  guint64 latency_ns;  /* of the newest frame: from its PTS until it was given to @frame */
  guint64 analysis_ns; /* mean time of an analysis lately: yolov7's total-mean */
} CameraCounters;

/**
 * camera_new:
 * @config: (transfer full): that camera_config_check() has passed
 * @options: (nullable)
 *
 * Builds the analysis; nothing runs yet.
 *
 * Returns: NULL with an error that names the camera, where an element is missing.
 */
Camera *camera_new (CameraConfig *config, const CameraOptions *options, const CameraCalls *calls,
                    GError **error);

/**
 * camera_start:
 *
 * Loads the model, which may take seconds and blocks, and begins to connect. From any thread.
 *
 * Returns: false where the analysis can't be: a model that is none, zones that make no sense.
 */
bool camera_start (Camera *camera, GError **error);

/* Asks it to end and does not wait, so that many end at once. Neither call comes after
 * camera_free(). */
void camera_stop (Camera *camera);

/* Waits for it as camera_free() does, which may follow. Returns: false where it hangs */
bool camera_end (Camera *camera);

/* Ends it: records that wait are sent within the publisher's drain-timeout. Blocks until the
 * source is closed, or hangs (2 s), and the analysis is over. One that is not over a minute after
 * camera_stop(), because its device hangs, is left behind with all its memory. NULL ok */
void camera_free (Camera *camera);

const CameraConfig *camera_config (const Camera *camera);
GstClock *camera_clock (const Camera *camera); /* borrowed; the system's monotonic clock */
GstClockTime camera_base_time (const Camera *camera);

/* Whether frames come now: its state is PLAYING. False before the first, too. From any thread, and
 * cheap enough for each frame. */
bool camera_has_signal (Camera *camera);

/* From any thread. */
void camera_get_counters (Camera *camera, CameraCounters *out);

/* Returns: (transfer full) (nullable): of the analysis, such as "yolov7"; to read its stats. From
 * any thread. */
GstElement *camera_get_element (Camera *camera, const char *factory);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Camera, camera_free)

G_END_DECLS
