/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/inbox.h - what two pipelines say, in one queue for one thread.
 *
 * Errors, warnings, infos and ends are kept, all else is dropped: also LATENCY, because no sink of
 * a camera waits for the clock but that of files, which nothing delays.
 *
 * Threads: inbox_wake() any, all else one.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

#include "examples/common/cameraconfig.h"

G_BEGIN_DECLS

typedef struct _Inbox Inbox;

/* @config: borrowed: for its secrets, which no text shows */
Inbox *inbox_new (const CameraConfig *config);
void inbox_free (Inbox *inbox); /* pipelines are in NULL; NULL ok */

/* The bus of @pipeline is for nobody else then. */
void inbox_listen (Inbox *inbox, GstElement *pipeline);

/* Makes inbox_pop() return a message of type APPLICATION. */
void inbox_wake (Inbox *inbox);

/* Returns: (transfer full) (nullable): NULL where there is none until then, of the monotonic
 * clock. */
GstMessage *inbox_pop (Inbox *inbox, gint64 until_us);

/* Drops all that waits. Returns: (transfer full): the first error of @pipeline among it, or
 * @otherwise. */
char *inbox_take_error (Inbox *inbox, GstElement *pipeline, const char *otherwise);

/* Whether it is from @pipeline (nullable), or an element in it. */
bool inbox_is_from (GstMessage *message, GstElement *pipeline);

/* Returns: (transfer full): what an error, warning or info says, on one line, with what it says
 * for those who debug. */
char *inbox_describe (const Inbox *inbox, GstMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Inbox, inbox_free)

G_END_DECLS
