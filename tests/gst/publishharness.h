/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/publishharness.h - the element yolov7publish in a harness, with a bus, and a file of
 * its own in a folder of its own.
 */
#pragma once

#include <gst/check/gstharness.h>
#include <json-glib/json-glib.h>

#include "gst/detectionmeta.h"

G_BEGIN_DECLS

/* Of frames, px. */
#define W 160
#define H 120
#define CAPS "video/x-raw,format=GRAY8,width=160,height=120"

typedef struct {
  GstHarness *h; /* NULL before fixture_start(), and after fixture_stop() */
  GstElement *element;
  GstBus *bus;
  char *path;
  guint64 n_frames; /* that were made */
} Fixture;

/* What most tests find in frames. */
extern const GstYolov7Detection dog;

/* Records as lines in the fixture's file. */
#define LINES "file-path=FILE file-format=json-lines "

/* @properties: as in a launch line; FILE in it is a path that the fixture knows */
Fixture fixture_new (const char *properties);
Fixture fixture_new_with_caps (const char *properties, const char *caps);

/* The same in two steps, so that properties can be set between them. @caps: (nullable) */
Fixture fixture_prepare (const char *properties);
void fixture_start (Fixture *f, const char *caps);

/* To NULL; the element, its bus and its file stay. */
void fixture_stop (Fixture *f);
void fixture_clear (Fixture *f);

/* A path in a folder that remove_folder() removes; of the folder itself where @name is "". */
char *path_of (const char *name);
void remove_folder (void);

/* A frame that nobody has analysed. */
GstBuffer *frame_new (Fixture *f);

/* Takes @buffer; it has to come out as it is. */
void push_frame (Fixture *f, GstBuffer *buffer);
void push_with (Fixture *f, const GstYolov7Detection *detections, guint n);

/* @n frames with a dog each. */
void push_dogs (Fixture *f, guint n);

/* Of the element's stats. */
guint64 get_count (GstElement *element, const char *name);

/* Until the worker has done so much; meson ends a test that waits for ever. */
void wait_for_count (Fixture *f, const char *name, guint64 n);

/* Returns: (transfer full) (nullable): the next message of these types that came before @timeout;
 * what came before it is dropped */
GstMessage *pop_message (Fixture *f, GstClockTime timeout, GstMessageType types);

/* The next message of this type must say @expected. */
void assert_message (Fixture *f, GstMessageType type, const char *expected);

/* The next error or warning. Free with g_free(). */
char *pop_trouble (Fixture *f);
void assert_says (const char *text, const char *expected);

/* No error, warning or info that was not asked for. */
void assert_no_message (Fixture *f);

/* Of a file of lines. Returns: (element-type JsonObject) */
GPtrArray *read_records (const char *path);
JsonObject *record_at (GPtrArray *records, guint i);

G_END_DECLS
