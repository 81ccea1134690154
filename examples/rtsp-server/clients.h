/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/clients.h - who is connected to an RTSP server: so many and no more, and
 * nobody who is gone.
 *
 * A connection without room for it is closed at once; one may have 4 sessions. One ends, too,
 * without a sign of life (and, over TCP, with what was sent to it not taken) for a time, and when
 * the pipeline that it gets has failed: its player comes again, or tells its user.
 *
 * Threads: the one whose main context is the default and runs.
 */
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

G_BEGIN_DECLS

typedef struct _Clients Clients;

/**
 * clients_new:
 * @rtsp: that does not listen yet; borrowed
 * @max_clients: connections at a time
 * @timeout_s: of silence, after which one counts as gone; the library has 60 of its own for one
 * that has no session yet
 * @n_files: descriptors that the process may have: near them clients are refused, too
 */
Clients *clients_new (GstRTSPServer *rtsp, guint max_clients, guint timeout_s, guint n_files);

/* None may be connected any more. NULL ok */
void clients_free (Clients *clients);

/* That are connected. */
guint clients_n (Clients *clients);

/* That there was no room for, since the start. */
guint clients_n_refused (const Clients *clients);

G_END_DECLS
