/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/fakeharness.h - the element yolov7 in a harness, with analyses that end when the test
 * says so (fakestream.h), and frames that carry their number. */
#pragma once

#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"
#include "tests/gst/fakestream.h"
#include "tests/gst/frames.h"

G_BEGIN_DECLS

#define W 64
#define H 48
#define T (GST_SECOND / 25) /* from one frame to the next */

/* gst_init() and the element that the test is linked with; before all else. */
void fake_init (int *argc, char ***argv);

/* @properties: as in a launch line */
GstHarness *harness_new (const char *properties);

/* Stops the element, finds that assert_adds_up(), and frees all. */
void harness_end (GstHarness *h);

/* (transfer full) */
GstElement *element_of (GstHarness *h);

/* Of the size of the caps. Its number is its first pixel, and its time. */
GstBuffer *frame_new (guint8 number);

void push (GstHarness *h, guint8 number);

/* Pushes @n frames, or as many as OK is returned for. Returns: the last flow. */
GstFlowReturn push_some (GstHarness *h, guint8 first, guint8 n);

/* The same on a thread of its own. */
typedef struct {
  GstHarness *h;
  guint8 first, n;
  GstFlowReturn flow; /* of the last one */
} Pusher;

gpointer push_all (gpointer pusher);

/* What a frame says was found in it. */
typedef struct {
  int number; /* -1: nobody analysed it, and no metadata is on it; else of the frame it was */
  int stream; /* that it was analysed on: see fakestream.h */
  char label[16];
} Found;

Found found_in (GstBuffer *frame);

/* Waits for the next frame, which has @number and detections of the frame @found, or none (-1). */
Found pull (GstHarness *h, guint number, int found);

/* Waits until all that was pushed before is downstream. */
void drain (GstHarness *h);

guint64 stat_of (GstHarness *h, const char *name);

/* Each frame that came in was analysed, skipped or dropped. Nothing is under way. */
void assert_adds_up (GstHarness *h);

G_END_DECLS
