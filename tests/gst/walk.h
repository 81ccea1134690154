/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/walk.h - a person walks through the frames that go through a yolov7tracker with zones:
 * frames of 1000x1000 px, 25 a second; the person is 100x100 px, with a margin of 20 px.
 */
#pragma once

#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"
#include "gst/zonemeta.h"

G_BEGIN_DECLS

#define FRAME_NS (GST_SECOND / 25)
/* x and y 250 to 750 */
#define SQUARE                                                                                     \
  "{\"name\": \"square\", \"polygon\": [[0.25,0.25],[0.75,0.25],[0.75,0.75],[0.25,0.75]]}"
/* At x 505; forward is to the right. */
#define GATE "{\"name\": \"gate\", \"from\": [0.505,1], \"to\": [0.505,0]}"
#define ZONES "{\"zones\": [" SQUARE "]}"
#define LINES "{\"lines\": [" GATE "]}"

typedef struct {
  GstHarness *h;
  GstBus *bus;      /* the element's */
  guint64 n_frames; /* that were pushed; it says the time of the next one */
} Walk;

void walk_init (Walk *walk, const char *zones);
void walk_clear (Walk *walk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Walk, walk_clear)

/* The middle of its bottom is at @x, @y. */
GstYolov7Detection person_at (double x, double y);
GstBuffer *analysed_frame (Walk *walk, const GstYolov7Detection *detections, guint n);

/* @buffer: (transfer full). Returns: (transfer full): what came out */
GstBuffer *push_walk (Walk *walk, GstBuffer *buffer);
GstBuffer *push_person (Walk *walk, double x, double y);
void push_empty (Walk *walk, guint n_frames);

/* From @from to @to at y 500, 20 px a frame. @told: (out): the first zone, or line, as the last
 * frame tells it, without the name, which was the buffer's. */
void go (Walk *walk, double from, double to, GstYolov7Zone *told);

/* Returns: (transfer full) (nullable): the next message of the kind */
GstMessage *pop (Walk *walk, GstMessageType type);

/* The next event must be this one. Returns: (transfer full): its message */
GstMessage *expect (Walk *walk, const char *zone, const char *event, guint64 count);
void expect_no_event (Walk *walk);

/* The next error or warning must say this. */
void expect_text (Walk *walk, GstMessageType type, const char *text);

/* It must be there. */
guint64 uint64_of (const GstStructure *s, const char *field);

G_END_DECLS
