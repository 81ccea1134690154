/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/trackerharness.h - the element yolov7tracker in a harness, and people for it to follow,
 * of 40x90 px in frames of 640x480 px, 25 a second.
 */
#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "gst/detectionmeta.h"

G_BEGIN_DECLS

#define W 640
#define H 480
#define FRAME (GST_SECOND / 25)

typedef struct {
  GstHarness *harness;
  GArray *found; /* of GstYolov7Detection: on the last frame that came out */
  GstBuffer *out;
  GstYolov7MetaKinds kinds; /* that are attached */
} Tracking;

/* Adds a function (Tracking *, gconstpointer) as /tracker/<its name>. */
#define ADD_TRACKING(test)                                                                         \
  g_test_add ("/tracker/" #test, Tracking, NULL, set_up_tracking, test, tear_down_tracking)

void set_up_tracking (Tracking *t, gconstpointer data);
void tear_down_tracking (Tracking *t, gconstpointer data);

/* Of the element's source and sink. Takes @caps. */
void change_caps (Tracking *t, GstCaps *caps);

/* A frame that nobody has analysed. The element never looks at the bytes: these are too few. */
GstBuffer *frame_at (GstClockTime pts);

/* The top left is at @x, @y. */
GstYolov7Detection walker_at (double x, double y);

/* Takes @buffer. Leaves what comes out in @t. */
void track_frame (Tracking *t, GstBuffer *buffer);
void track_detections (Tracking *t, GstClockTime pts, const GstYolov7Detection *d, guint n);

/* Returns: the id that a person gets, which is the first detection of the frame. */
gint64 track_walker (Tracking *t, GstClockTime pts, double x, double y);

/* @n frames in a row with a person who walks right by 2 px a frame, from @first_x on.
 * Returns: the id on the last one. */
gint64 walk (Tracking *t, guint first, guint n, double first_x);

/* It must be there. */
const GstYolov7Detection *found_at (const Tracking *t, guint i);

void begin_segment (Tracking *t);

/* A flush, and the segment after it. */
void flush_tracker (Tracking *t);

/* Returns: (nullable) (transfer none): the first region where @state is NULL, and then the next */
GstVideoRegionOfInterestMeta *next_roi (GstBuffer *buffer, gpointer *state);

G_END_DECLS
