/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/lineup.h - what is inside yolov7 between its pads: frames and serialized events in the order
 * they came, and the analyses that some of the frames wait for.
 *
 * An item leaves when it is the first one and waits for nothing. Analyses come back in the order of
 * their frames, but a frame may leave before its analysis does (leaky=downstream).
 *
 * Pure; not thread safe: the element's lock protects it. Its memory grows to the longest line seen,
 * and stays.
 */
#pragma once

#include <gst/base/gstqueuearray.h>
#include <gst/gst.h>

#include "gst/detectionmeta.h"
#include "gst/frameview.h"
#include "gst/session.h"

G_BEGIN_DECLS

typedef enum {
  GST_YOLOV7_ITEM_FREE,     /* an event, or a frame that leaves as it came */
  GST_YOLOV7_ITEM_WAITING,  /* a frame whose analysis is under way */
  GST_YOLOV7_ITEM_ANALYSED, /* a frame that carries what was found */
} GstYolov7ItemState;

typedef struct {
  GstMiniObject *object; /* owned: a GstBuffer or a GstEvent */
  GstYolov7ItemState state;
  GstClockTime arrival; /* of a frame, on the monotonic clock */
  GstClockTime ready;   /* since when it waits for nothing of its own, once that is so */
} GstYolov7Item;

/* The analysis of one frame. */
typedef struct {
  guint64 number; /* the frame's, see gst_yolov7_lineup_find() */
  GstYolov7Frame frame;
  GstVideoInfo info;         /* of the caps that the frame came with */
  GstSegment segment;        /* that it is in */
  GstYolov7Session *session; /* owned */
  GstYolov7FrameView view;   /* where is_mapped: the device reads it where it lies */
  GstClockTime submitted;    /* on the monotonic clock */
  gboolean is_mapped;
  gboolean is_imported; /* it lies in memory of others, which the device reads */
  gboolean is_lost;     /* its device was lost */
} GstYolov7Flight;

typedef struct {
  GstQueueArray *items;   /* of GstYolov7Item */
  GstQueueArray *flights; /* of GstYolov7Flight */
  guint64 n_left;         /* items that have left; the first one there is has this number */
  guint n_frames;         /* among the items */
  gboolean has_eos;       /* among the items */
  guint n_restarts;       /* among the items: see gst_yolov7_lineup_restarts() */
} GstYolov7Lineup;

void gst_yolov7_lineup_init (GstYolov7Lineup *lineup);

/* Of nothing but memory: items are taken, and flights landed, by the element. */
void gst_yolov7_lineup_clear (GstYolov7Lineup *lineup);

/* Take @event, or @frame. Returns: the frame's number. */
void gst_yolov7_lineup_add_event (GstYolov7Lineup *lineup, GstEvent *event);
guint64 gst_yolov7_lineup_add_frame (GstYolov7Lineup *lineup, GstBuffer *frame,
                                     GstYolov7ItemState state, GstClockTime arrival);

/* Returns: (nullable): valid until something is added or taken; NULL where it has left. */
GstYolov7Item *gst_yolov7_lineup_find (GstYolov7Lineup *lineup, guint64 number);

gboolean gst_yolov7_lineup_is_empty (const GstYolov7Lineup *lineup);

/* Is there a first one, and does it wait for nothing? */
gboolean gst_yolov7_lineup_may_leave (const GstYolov7Lineup *lineup);

/* Takes the first one. There is one. */
GstYolov7Item gst_yolov7_lineup_take (GstYolov7Lineup *lineup);

/* Frames that wait wait no longer, as of @time. Returns: how many did. */
guint gst_yolov7_lineup_release (GstYolov7Lineup *lineup, GstClockTime time);

/* Is @object an event with which a stream begins, or goes on after its end? */
gboolean gst_yolov7_lineup_restarts (const GstMiniObject *object);

void gst_yolov7_lineup_add_flight (GstYolov7Lineup *lineup, const GstYolov7Flight *flight);
guint gst_yolov7_lineup_n_flights (const GstYolov7Lineup *lineup);

/* The oldest, or the newest. Returns: (nullable): valid until one is added or taken. */
GstYolov7Flight *gst_yolov7_lineup_oldest_flight (GstYolov7Lineup *lineup);
GstYolov7Flight *gst_yolov7_lineup_newest_flight (GstYolov7Lineup *lineup);

/* Takes the oldest; what it owns is the caller's. There is one. */
GstYolov7Flight gst_yolov7_lineup_take_flight (GstYolov7Lineup *lineup);

G_END_DECLS
