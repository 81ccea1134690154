/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/records.h - what yolov7publish writes of a camera, line by line, within the process.
 *
 * In:    a yolov7publish that writes json-lines into a pipe of ours; for it that is a FIFO like any
 *        other, so it keeps records while we are slow, and drops old ones only after 10000.
 * Out:   each record as it was written, one line.
 * Next:  examples/web/events.c sends it to viewers.
 *
 * Threads: the one whose main context was the default when it was made.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

#define RECORDS_MAX_BYTES (1024 * 1024) /* of a line; longer ones are left out */

typedef struct _Records Records;

/* @line: of @n_bytes, without its end, and not terminated */
typedef void (*RecordsFunc) (const char *line, gsize n_bytes, gpointer user_data);

/* Returns: NULL with an error where there are no more descriptors. */
Records *records_new (RecordsFunc func, gpointer user_data, GError **error);
void records_free (Records *self); /* NULL ok; after what writes into it */

/* Returns: (transfer full): a launch fragment, the yolov7publish that writes into it. There may be
 * one at a time. @source: the name that each record carries; without quotes and blanks */
char *records_launch (const Records *self, const char *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Records, records_free)

G_END_DECLS
