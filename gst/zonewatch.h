/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/zonewatch.h - what yolov7tracker does with zones: its property, messages and metadata.
 *
 * In:    the property's text; detections with the ids of their tracks.
 * Out:   GstYolov7Zones on buffers (gst/zonemeta.h), and element messages "yolov7-zone", one for
 *        each event, with the frame that makes it:
 *
 *          zone          string  its name
 *          kind          string  "zone" or "line"
 *          event         string  "enter" or "leave" a zone; "forward" or "backward" over a line
 *          id            int64   of the track
 *          label         string  the class name; empty where not known
 *          class-index   uint    no field where not known
 *          count         uint64  after it: objects inside the zone; crossings in this direction
 *          dwell         uint64  ns since it entered; only where it leaves. Where its track has
 *                                ended, up to the frame it was seen in last
 *          timestamp     uint64  PTS of the frame that was analysed, ns, or GST_CLOCK_TIME_NONE
 *          stream-time, running-time
 *                        uint64  the same two ways
 *
 * Rules: gst/track/zones.h. Totals begin with 0 when the element starts; a flush, a seek, or
 * whatever else lets the tracker begin anew, keeps them and ends visits without counting them. The
 * end of the stream ends all tracks: who is inside has left. Otherwise only frames that are
 * analysed change anything: while none is, everybody stays where they were.
 *
 * Threads: the text is set and got by any; the others are the streaming thread's, or those of state
 * changes while it rests.
 */
#pragma once

#include <gst/gst.h>

#include "gst/track/tracker.h"
#include "gst/track/zones.h"

G_BEGIN_DECLS

typedef struct _GstYolov7ZoneWatch GstYolov7ZoneWatch;

/* @element: borrowed: outlives it; its object lock protects what threads share */
GstYolov7ZoneWatch *gst_yolov7_zone_watch_new (GstElement *element);
void gst_yolov7_zone_watch_free (GstYolov7ZoneWatch *watch);

/**
 * gst_yolov7_zone_watch_set_text:
 * @text: (nullable): JSON or the path of a file (gst/track/zoneconfig.h); NULL or "": no zones
 *
 * Before start(), only keeps it. While running, reads it: the next frame is the first for the new
 * zones, and those that stay the same go on as they were. One that can't be used is a warning on
 * the bus; the old zones and the old text stay.
 */
void gst_yolov7_zone_watch_set_text (GstYolov7ZoneWatch *watch, const char *text);

/* Returns: (transfer full) (nullable): the text of the zones in use */
char *gst_yolov7_zone_watch_get_text (GstYolov7ZoneWatch *watch);

/* Returns: FALSE with an error posted where the text can't be used */
gboolean gst_yolov7_zone_watch_start (GstYolov7ZoneWatch *watch);
void gst_yolov7_zone_watch_stop (GstYolov7ZoneWatch *watch);

/* The tracker has forgotten its tracks. */
void gst_yolov7_zone_watch_flush (GstYolov7ZoneWatch *watch);

/* @frame was analysed. @found: (element-type GstYolov7Detection): in px of @frame, with the ids of
 * @tracker. Posts what happened. */
void gst_yolov7_zone_watch_see (GstYolov7ZoneWatch *watch, const YvZoneFrame *frame,
                                const GstSegment *segment, const GArray *found,
                                const YvTracker *tracker);

/* The stream ends. Posts what this ends, with @pts, of the last frame that was analysed. */
void gst_yolov7_zone_watch_end (GstYolov7ZoneWatch *watch, GstClockTime pts,
                                const GstSegment *segment);

/* Attaches the totals to a frame, analysed or not, where there are zones. */
void gst_yolov7_zone_watch_tell (GstYolov7ZoneWatch *watch, GstBuffer *buffer);

/* @told: (element-type GstYolov7Zone): @zones as they are attached, whose names they borrow until
 * @zones go; its old content is dropped, its memory is used again. Any thread. */
void gst_yolov7_zones_list (const YvZones *zones, GArray *told);

G_END_DECLS
