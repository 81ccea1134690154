/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/http.h - a small HTTP server (libsoup) in the main context.
 *
 * Texts that are made for each request, such as /metrics. Requests with another method than GET and
 * HEAD are refused with 405, bodies are not kept, other paths are 404. A connection on which
 * nothing is said, or taken, for HTTP_PATIENCE_S is closed. A program that serves more
 * adds its own handlers to http_server(), and http_guard() for their paths.
 *
 * Threads: all functions and all calls on the thread whose main context was the default when the
 * server was made.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define HTTP_PATIENCE_S 30

typedef struct _SoupServer SoupServer;
typedef struct _SoupServerMessage SoupServerMessage;
typedef struct _Http Http;

/**
 * http_new:
 * @address: of the interface to listen on, "127.0.0.1", "::1"; NULL: all
 * @port: 0: any that is free
 *
 * Returns: NULL with an error that names address and port, where it can't listen there.
 */
Http *http_new (const char *address, guint16 port, GError **error);
void http_free (Http *http); /* NULL ok */

guint16 http_port (const Http *http);
SoupServer *http_server (Http *http); /* borrowed */

#define HTTP_FEW 64 /* for those who ask a program how it is */

/* @most: connections, 1 or more; further ones wait until one has ended. Without that there is no
 * limit. */
void http_limit (Http *http, guint most);

/* The socket of the connection that @message came on, which libsoup does not know. It lives as long
 * as the connection. Borrowed; NULL where that has ended. */
GSocket *http_get_socket (SoupServerMessage *message);

/* For a handler of one's own: what is no GET or HEAD is refused before its body is read, because
 * libsoup asks only the handlers of the most exact path. */
void http_guard (Http *http, const char *path);

/* Appends the body. */
typedef void (*HttpText) (GString *out, gpointer user_data);

/* @path: served exactly, not what is below it. @type: "text/plain; version=0.0.4" */
void http_add_text (Http *http, const char *path, const char *type, HttpText text,
                    gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Http, http_free)

G_END_DECLS
