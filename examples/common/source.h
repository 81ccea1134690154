/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/source.h - where a camera's pictures come from, as a text: its kinds, and what
 * of it may be shown.
 *
 * In:    the "source" of cameraconfig.h.  Out: elements for input.h.
 * Threads: any.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef enum {
  SOURCE_RTSP, /* rtsp://, rtsps://, rtspt://, rtsph://; capitals, too */
  SOURCE_FILE, /* an absolute path */
  SOURCE_V4L2, /* v4l2:///dev/video0 */
  SOURCE_TEST, /* test:PATTERN[,CAPS FIELDS] */
} SourceKind;

/* @source: of source_complete() */
SourceKind source_kind (const char *source);

/**
 * source_complete:
 * @file: whose folder relative paths start from
 *
 * Returns: (transfer full): @text with an absolute path where it is one, and a scheme without
 * capitals; NULL with an error of YV_ERROR that does not show the text where it could have a
 * password.
 */
char *source_complete (const char *text, const char *file, GError **error);

/* Returns: (transfer full): of an RTSP source scheme, host and port, because paths may have
 * passwords, too; of others all. */
char *source_show (const char *source);

/* Returns: (transfer full): @text, of any origin, for a message. Where the source is an RTSP one,
 * each URI is scheme and host alone, and "***" is where the source's password, path, values of its
 * query, or user with ":" or "@" are. */
char *source_redact (const char *source, const char *text);

/* The URI of an RTSP source without user and password, and those, decoded, or NULL. Free all with
 * g_free(). */
void source_split (const char *source, char **uri, char **user, char **password);

G_END_DECLS
