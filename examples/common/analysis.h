/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/analysis.h - the part of a camera that stays: appsrc ! yolov7 ! yolov7tracker !
 * ... ! appsink.
 *
 * In:    raw frames with PTS.  Out: the same with metadata.  Next: camera.c runs it.
 * Threads: one at a time starts, stops and finishes it, all else any.
 */
#pragma once

#include <gst/gst.h>

#include "examples/common/camera.h"
#include "examples/common/inbox.h"

G_BEGIN_DECLS

typedef struct _Analysis Analysis;

/* What it is bound to; all borrowed, and outlives it. */
typedef struct {
  Inbox *inbox; /* hears what it says */
  GstClock *clock;
  GstClockTime base_time;
  /* Each frame, in order, on a streaming thread. The sample is borrowed. */
  void (*frame) (GstSample *sample, gpointer user_data);
  gpointer user_data;
} AnalysisLinks;

typedef struct {
  guint64 n_analysed;   /* of all starts; it never falls */
  guint64 mean_ns;      /* of an analysis, lately; 0: none yet, or it does not run */
  guint64 latency_ns;   /* of the newest frame: from its PTS until it came out */
  gint64 last_frame_us; /* monotonic: when it came out; 0: none yet */
} AnalysisCounters;

/* Returns: (transfer full): not started; NULL with an error that says what is missing or wrong. */
Analysis *analysis_new (const CameraConfig *config, const CameraOptions *options,
                        const AnalysisLinks *links, GError **error);
void analysis_free (Analysis *analysis); /* NULL ok */

/* Returns: (transfer full): what frames should be converted to before they come in. */
GstCaps *analysis_caps (const CameraOptions *options);

/* Borrowed. */
GstElement *analysis_pipeline (Analysis *analysis);
GstElement *analysis_source (Analysis *analysis); /* the appsrc */

/* Loads the model. @reason: (out) (transfer full): where it can't */
bool analysis_start (Analysis *analysis, char **reason);
bool analysis_is_running (Analysis *analysis);

/* At once: what waits is lost. */
void analysis_stop (Analysis *analysis);

/* After the last records of publishers, or half a minute. Takes what waits in the inbox. */
void analysis_finish (Analysis *analysis);

void analysis_get (Analysis *analysis, AnalysisCounters *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Analysis, analysis_free)

G_END_DECLS
