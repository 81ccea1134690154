/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/events.h - viewers that are told things as they happen (server-sent events).
 *
 * In:    events; each is one piece of bytes, made once for all viewers.
 * Out:   the same bytes on the connection of each viewer who asked for them.
 *
 * Nobody waits for a viewer. What he does not take is kept for him, as references to the same
 * bytes, up to EVENTS_MAX_WAITING; a viewer with more than that, and one who took nothing for
 * EVENTS_PATIENCE_S, is dropped. His browser comes back by itself. Where there are as many as may
 * be the peer that has most of them (peers.h) loses one to a peer that has less, two or more.
 *
 * Threads: the one whose main context was the default when it was made.
 * Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

G_BEGIN_DECLS

#define EVENTS_MOST 256                  /* viewers */
#define EVENTS_MAX_WAITING (1024 * 1024) /* bytes */
#define EVENTS_PATIENCE_S 20

typedef struct _Events Events;

typedef struct {
  guint n_viewers;
  guint64 n_dropped; /* who did not read, or had to make room */
  guint64 n_bytes;   /* sent */
} EventsCounters;

/* @most: viewers */
Events *events_new (guint most);
void events_free (Events *self); /* NULL ok; ends all connections */

/* Returns: (transfer full): an event of that name. @data: one line, of @n_bytes */
GBytes *events_format (const char *name, const char *data, gsize n_bytes);

/* Whether @socket may come. Another one may be dropped for it. */
bool events_make_room (Events *self, GSocket *socket);

/**
 * events_accept:
 * @connection: (transfer full): on which a request was read and nothing was written
 * @socket: its own, borrowed
 * @topic: (nullable): whose events he wants beside those for everybody
 * @first: (element-type GBytes): what he is told at once
 *
 * The viewer is ours from now on, the HTTP of his answer included.
 */
void events_accept (Events *self, GIOStream *connection, GSocket *socket, const char *topic,
                    const GQueue *first);

/* @topic: (nullable): to everybody */
void events_send (Events *self, const char *topic, GBytes *event);

void events_get_counters (const Events *self, EventsCounters *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Events, events_free)

G_END_DECLS
