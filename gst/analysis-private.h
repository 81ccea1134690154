/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/analysis-private.h - what is inside a GstYolov7Analysis, for the files that implement it:
 * analysis.c its life, intake.c what the "in" thread does, outlet.c what the "out" thread does,
 * recovery.c what happens when something fails.
 */
#pragma once

#include "gst/analysis.h"
#include "gst/losses.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_yolov7_debug);

/* The first ones of a size also pay for what is made when it is first used. */
#define GST_YOLOV7_N_UNMEASURED 2

typedef struct {
  GstYolov7Leaky leaky;
  guint interval;
  gboolean posts_messages;
  GstYolov7MetaKinds kinds;
} GstYolov7Policy;

/* Detections that came after their frame had left; they go onto the next that leaves without. */
typedef struct {
  gboolean is_there;
  GstYolov7Session *session; /* owned; has the class names */
  GArray *detections;        /* of YvDetection */
  GstYolov7Frame frame;
  GstSegment segment;
} GstYolov7Late;

struct _GstYolov7Analysis {
  GstElement *element;

  /* "in" thread */
  guint64 n_counted;  /* frames, for the interval */
  GstSegment segment; /* of the next frame */

  /* "out" thread */
  GArray *scratch; /* of GstYolov7Detection */
  GstYolov7Late late;
  GstClockTime last_ready; /* when the last frame that left could have */
  GstYolov7Losses losses;

  GMutex mutex; /* of what follows */
  GCond changed;
  GstYolov7Policy policy;
  GstVideoInfo info;
  GstYolov7Lineup lineup;
  GstYolov7Session *session;      /* of the next frame; NULL: stopped */
  GstYolov7Session *next_session; /* (nullable): takes over with the next frame */
  gboolean is_update_untold;      /* one has, and nobody was told */
  GstFlowReturn flow;
  gboolean is_flushing;
  gboolean is_past_end;     /* downstream has ended the stream, and no other has begun */
  gboolean is_using;        /* the "in" thread changes the session's stream */
  gboolean is_submitting;   /* the "in" thread submits to it */
  gboolean is_replacing;    /* and may change the newest flight */
  gboolean is_recovering;   /* a device was lost: nothing is submitted by the "in" thread */
  gboolean is_restarting;   /* its model is being loaded again, beside */
  gboolean is_resubmitting; /* then the "out" thread uses the session's stream */
  gboolean restart_failed;  /* an error was posted, as */
  gboolean has_failed;      /* with any failure: nothing is analysed any more */
  gboolean is_leaving;      /* something is being pushed */
  guint n_jobs;             /* on threads of their own */
  guint n_unmeasured;
  GstYolov7Latency latency;
  GstYolov7Tally tally;
};

/* A YvReadyFunc. */
void gst_yolov7_analysis_on_ready (gpointer analysis);

/* Runs @func, where it isn't NULL, on a thread of its own, and drops @session (transfer full)
 * (nullable) there. The lock is held, and not stopped. */
void gst_yolov7_analysis_start_job_locked (GstYolov7Analysis *analysis,
                                           void (*func) (GstYolov7Analysis *analysis,
                                                         GstYolov7Session *session),
                                           GstYolov7Session *session);

/* Takes a reference, whose last one frees a device, which no frame shall wait for. */
void gst_yolov7_analysis_drop_session (GstYolov7Analysis *analysis, GstYolov7Session *session);

/* @info: of an unknown format: nothing is to be made ready yet. */
gboolean gst_yolov7_session_prepare (GstYolov7Session *session, const GstVideoInfo *info,
                                     GError **error);

/* ---- flights: of one thread until they are in the line --------------------------------------- */

/* @flight: has its info and session. False, with an error posted, where @frame is no such frame. */
gboolean gst_yolov7_analysis_map (GstYolov7Analysis *analysis, GstYolov7Flight *flight,
                                  GstBuffer *frame);
void gst_yolov7_flight_unmap (GstYolov7Flight *flight);
void gst_yolov7_flight_unmap_copied (GstYolov7Flight *flight); /* unless the device reads it */

/* A device that was lost is no failure: the flight is, and the frame will be submitted again. False
 * with an error posted. */
gboolean gst_yolov7_analysis_submit (GstYolov7Analysis *analysis, GstYolov7Flight *flight);

/* The device no longer reads it. */
void gst_yolov7_analysis_end_flight (GstYolov7Analysis *analysis, GstYolov7Flight *flight);

/* Neither thread is at work, or this is the "out" thread and the other returns an error. */
void gst_yolov7_analysis_drop_flights (GstYolov7Analysis *analysis);

/* ---- "out" thread ---------------------------------------------------------------------------- */

/* Out of the line, as long as only this thread needs it. NULL where it has left. */
GstBuffer *gst_yolov7_analysis_borrow_frame (GstYolov7Analysis *analysis, guint64 number);

void gst_yolov7_analysis_drop_late (GstYolov7Analysis *analysis);

/* Posts @error (transfer full). Nothing is analysed after it; frames that wait are dropped. */
void gst_yolov7_analysis_fail (GstYolov7Analysis *analysis, const char *doing, GError *error);

/* The device of @session was lost, says @error (transfer full): gst_yolov7_analysis_recover() is
 * due. */
void gst_yolov7_analysis_note_lost (GstYolov7Analysis *analysis, GstYolov7Session *session,
                                    GError *error);

/* All frames that were in flight on a lost device are submitted to a new one, in their order. */
void gst_yolov7_analysis_recover (GstYolov7Analysis *analysis);

G_END_DECLS
