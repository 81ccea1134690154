/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/analysis.h - what yolov7 does between its pads: frames and events go in on one thread, and
 * come out on another in the same order, with detections on those that were analysed.
 *
 * In:    frames that fit the caps, serialized events, a policy.
 * Out:   the same, one after the other, for the element to push; messages of the element.
 *
 * Threads: "in" functions are called by the sink pad's streaming thread, "out" functions by the
 * source pad's task, others by any. Nothing is locked while the device, a file or another element
 * is waited for.
 */
#pragma once

#include <gst/video/video.h>

#include "gst/detectionmeta.h"
#include "gst/lineup.h"
#include "gst/settings.h"
#include "gst/tally.h"

G_BEGIN_DECLS

typedef struct _GstYolov7Analysis GstYolov7Analysis;

/* @element: borrowed, outlives it. */
GstYolov7Analysis *gst_yolov7_analysis_new (GstElement *element);
void gst_yolov7_analysis_free (GstYolov7Analysis *analysis); /* stopped */

/* What may change while playing and is no option of the stream. Takes effect at once. */
void gst_yolov7_analysis_set_policy (GstYolov7Analysis *analysis,
                                     const GstYolov7Settings *settings);

/* Loads the model; blocks for up to seconds. False with an error message posted. No streaming. */
gboolean gst_yolov7_analysis_start (GstYolov7Analysis *analysis, const GstYolov7Settings *settings);

/* Drops everything, and waits for what is under way. No streaming. */
void gst_yolov7_analysis_stop (GstYolov7Analysis *analysis);

/* TRUE wakes everybody who waits, who then leave; nothing is taken until it is FALSE again. */
void gst_yolov7_analysis_set_flushing (GstYolov7Analysis *analysis, gboolean is_flushing);

/* Drops what has not left, for FLUSH_STOP. No streaming. @src: (nullable): gets the sticky events
 * among it. */
void gst_yolov7_analysis_flush (GstYolov7Analysis *analysis, GstPad *src);

/* Runs @func on a thread of its own, which gst_yolov7_analysis_stop() waits for. False, and it does
 * not run, where nothing is started. */
gboolean gst_yolov7_analysis_run_beside (GstYolov7Analysis *analysis,
                                         void (*func) (GstElement *element));

/**
 * gst_yolov7_analysis_load:
 * @in_use: (out): on failure, free with g_free(): the model file that is used on
 *
 * Loads the model that @settings name beside the one in use; blocks for up to seconds, while frames
 * go on. The next frame is the first one for the new model. One call at a time, run beside.
 *
 * Returns: false, with a warning posted, where the old model stays.
 */
gboolean gst_yolov7_analysis_load (GstYolov7Analysis *analysis, const GstYolov7Settings *settings,
                                   char **in_use);

/* ---- in ------------------------------------------------------------------------------------- */

/* The session of the next frame. Returns: (transfer full): give it to
 * gst_yolov7_analysis_end_use(); nobody else uses its stream until then. @updated: (out)
 * (nullable): since somebody last asked for it a new model has taken over. */
GstYolov7Session *gst_yolov7_analysis_use_session (GstYolov7Analysis *analysis, gboolean *updated);
void gst_yolov7_analysis_end_use (GstYolov7Analysis *analysis, GstYolov7Session *session);

/* Makes ready for frames of @info. Blocks. Returns: false with @error. */
gboolean gst_yolov7_analysis_prepare (GstYolov7Analysis *analysis, const GstVideoInfo *info,
                                      GError **error);

/**
 * gst_yolov7_analysis_take_frame:
 * @frame: (transfer full)
 * @is_late: (inout): it is too late for its sink, and not worth an analysis; whether it goes
 * without one because of that
 *
 * Waits for room; starts the frame's analysis, unless the policy says that it goes without one.
 *
 * Returns: what was returned by the last push that was not OK; ERROR, with an error message posted,
 * where it can't be analysed.
 */
GstFlowReturn gst_yolov7_analysis_take_frame (GstYolov7Analysis *analysis, GstBuffer *frame,
                                              gboolean *is_late);

/* @event: (transfer full): serialized. Returns: why it can't go on: FLUSHING, or what was returned
 * by the last push that was not OK. */
GstFlowReturn gst_yolov7_analysis_take_event (GstYolov7Analysis *analysis, GstEvent *event);

/* Waits until all that was taken has been pushed. Returns: false where that will not be. */
gboolean gst_yolov7_analysis_drain (GstYolov7Analysis *analysis);

/* Answers an ALLOCATION query with memory that the device reads in place; see gst/framepool.h. */
gboolean gst_yolov7_analysis_propose (GstYolov7Analysis *analysis, GstPad *src, GstQuery *query);

/* ---- out ------------------------------------------------------------------------------------ */

/* Waits for what leaves next. Returns: (transfer full): a GstBuffer or GstEvent to push; NULL where
 * flushing. After it gst_yolov7_analysis_pushed() is called. */
GstMiniObject *gst_yolov7_analysis_next (GstYolov7Analysis *analysis);

/* @flow: what the push of a frame returned, OK for an event. Returns: whether nobody else will tell
 * of it, because the end of the stream has been taken already. */
gboolean gst_yolov7_analysis_pushed (GstYolov7Analysis *analysis, GstFlowReturn flow);

/* Downstream was linked again. */
void gst_yolov7_analysis_relinked (GstYolov7Analysis *analysis);

/* ---- what is known of it -------------------------------------------------------------------- */

/* Whether an error was posted since the last start or flush. */
gboolean gst_yolov7_analysis_has_failed (GstYolov7Analysis *analysis);

/* What to add to a live pipeline's latency. */
GstClockTime gst_yolov7_analysis_latency (GstYolov7Analysis *analysis);

/* Returns: (transfer full): see gst/report.h. */
GstStructure *gst_yolov7_analysis_stats (GstYolov7Analysis *analysis);

G_END_DECLS
