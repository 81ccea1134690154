/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/inbox.h - what several pipelines say, in one queue for one thread.
 *
 * Errors, warnings, infos and ends are kept, all else is dropped: also LATENCY, because no sink of
 * a camera waits for the clock but that of files, which nothing delays.
 *
 * Threads: inbox_wake(), inbox_ref() and inbox_unref() any, all else the one that made it.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

#include "examples/common/cameraconfig.h"

G_BEGIN_DECLS

typedef struct _Inbox Inbox;

/* @config: borrowed: for its secrets, which no text shows; until inbox_free() */
Inbox *inbox_new (const CameraConfig *config);

/* Nobody reads it any more: what comes is dropped, from pipelines that outlive it, too. NULL ok */
void inbox_free (Inbox *inbox);

/* For those that wake it later than its thread may read it. */
Inbox *inbox_ref (Inbox *inbox);
void inbox_unref (Inbox *inbox);

/* The bus of @pipeline is for nobody else then. It keeps a reference. */
void inbox_listen (Inbox *inbox, GstElement *pipeline);

/* Makes inbox_pop() return a message of type APPLICATION. */
void inbox_wake (Inbox *inbox);

/* Returns: (transfer full) (nullable): NULL where there is none until then, of the monotonic
 * clock. */
GstMessage *inbox_pop (Inbox *inbox, gint64 until_us);

/* Drops what waits from @pipeline, which fails to start, and nothing else. Returns: (transfer
 * full): the first error among it, or @otherwise. */
char *inbox_take_error (Inbox *inbox, GstElement *pipeline, const char *otherwise);

/* Whether it is from @pipeline (nullable), or an element in it. */
bool inbox_is_from (GstMessage *message, GstElement *pipeline);

/* Returns: (transfer full): what an error, warning or info says, on one line, with what it says
 * for those who debug. */
char *inbox_describe (const Inbox *inbox, GstMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Inbox, inbox_free)

G_END_DECLS
