/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/guard.h - no client holds a connection, or memory, for ever.
 *
 * A server of libsoup waits for its clients as long as they like. Here a connection is closed when
 * GUARD_PATIENCE_S are over since it was opened, or since its last request came or was answered:
 * one that says nothing, says it slowly, or does not read its answer. Where there are as many as
 * may be, a new one takes the place of another: of the peer that has most of them (peers.h) the one
 * that is idle, or else waits, the longest. So nobody locks out anybody else.
 *
 * Threads: the server's.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _SoupServer SoupServer;

#define GUARD_PATIENCE_S 30
#define GUARD_MOST 512

typedef struct _Guard Guard;

/* @server: borrowed: it outlives the guard
 * @most: connections */
Guard *guard_new (SoupServer *server, guint most);
void guard_free (Guard *self); /* NULL ok */

/* That connection is somebody else's business now. */
void guard_forget (Guard *self, GSocket *socket);

/* Connections that were closed while their clients had not got all that they wanted. */
guint64 guard_n_refused (const Guard *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Guard, guard_free)

G_END_DECLS
