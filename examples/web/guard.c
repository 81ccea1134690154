/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/guard.c - no client holds a connection, or memory, for ever. */
#include "examples/web/guard.h"

#include <libsoup/soup.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "examples/common/http.h"
#include "examples/web/peers.h"

#define TICK_S 2
#define SOON_MS 50

typedef struct {
  guint64 peer;
  gint64 since_us; /* it last began something, or was shut */
  bool is_idle;    /* it was answered, and has not asked again */
  bool is_shut;    /* by us; libsoup has to see it before it closes */
} Visit;

struct _Guard {
  SoupServer *server;
  guint most;
  GHashTable *visits; /* GSocket *, until its end -> Visit * */
  Peers *peers;       /* of those that are not shut */
  guint n_open;       /* of these */
  gulong started, finished;
  guint tick;
  guint soon; /* 0, or a tick of its own: somebody had to make room, and holds his descriptor */
  guint64 n_refused;
};

/* Patience begins anew. */
static void
note (Guard *self, SoupServerMessage *message, bool is_idle)
{
  GSocket *socket = http_get_socket (message);
  Visit *visit = socket ? g_hash_table_lookup (self->visits, socket) : NULL;

  if (!visit)
    return;
  visit->since_us = g_get_monotonic_time ();
  visit->is_idle = is_idle;
}

static void
on_headers (SoupServerMessage *message, gpointer user_data)
{
  note (user_data, message, false);
}

static void
on_finished (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  (void) server;

  note (user_data, message, true);
}

static void
end_visit (Guard *self, Visit *visit)
{
  if (visit->is_shut)
    return;
  visit->is_shut = true;
  visit->since_us = g_get_monotonic_time ();
  self->n_open--;
  peers_remove (self->peers, visit->peer);
}

static void
on_gone (gpointer user_data, GObject *socket)
{
  Guard *self = user_data;

  end_visit (self, g_hash_table_lookup (self->visits, socket));
  g_hash_table_remove (self->visits, socket);
}

/* Not referenced: it is libsoup that closes a connection, by letting go of it. */
static void
take (Guard *self, GSocket *socket)
{
  Visit *visit = g_new0 (Visit, 1);

  visit->peer = peers_of (socket);
  visit->since_us = g_get_monotonic_time ();
  self->n_open++;
  peers_add (self->peers, visit->peer);
  g_object_weak_ref (G_OBJECT (socket), on_gone, self);
  g_hash_table_insert (self->visits, socket, visit);
}

/* What waits on it fails, and libsoup lets go of it. */
static void
shut (Guard *self, GSocket *socket, Visit *visit)
{
  self->n_refused += visit->is_idle ? 0 : 1;
  end_visit (self, visit);
  g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

static bool
has_hung_up (GSocket *socket)
{
  char byte;

  return recv (g_socket_get_fd (socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Returns: whether it is over. Before 3.3 libsoup forgets to close a connection whose client went
 * away between two requests; after SOON_MS it has seen the end, and looks at it no more. */
static bool
look_after (Guard *self, GSocket *socket, Visit *visit)
{
  const gint64 waited_us = g_get_monotonic_time () - visit->since_us;

  if (g_socket_is_closed (socket))
    return true;
  if (visit->is_shut) {
    const bool is_seen = waited_us >= SOON_MS * 1000;
    if (is_seen)
      g_socket_close (socket, NULL);
    return is_seen;
  }
  if (waited_us > GUARD_PATIENCE_S * G_USEC_PER_SEC)
    shut (self, socket, visit);
  else if (visit->is_idle && has_hung_up (socket))
    end_visit (self, visit);
  return false;
}

/* Returns: whether there are more to close */
static bool
look_after_all (Guard *self)
{
  GHashTableIter iter;
  gpointer socket, visit;

  g_hash_table_iter_init (&iter, self->visits);
  while (g_hash_table_iter_next (&iter, &socket, &visit)) {
    if (!look_after (self, socket, visit))
      continue;
    g_object_weak_unref (socket, on_gone, self);
    end_visit (self, visit);
    g_hash_table_iter_remove (&iter);
  }
  return g_hash_table_size (self->visits) > self->n_open;
}

static gboolean
on_tick (gpointer user_data)
{
  look_after_all (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_soon (gpointer user_data)
{
  Guard *self = user_data;

  if (look_after_all (self))
    return G_SOURCE_CONTINUE;
  self->soon = 0;
  return G_SOURCE_REMOVE;
}

/* Whether the place of @a goes to another before that of @b. */
static bool
goes_before (const Guard *self, const Visit *a, const Visit *b)
{
  const guint n_a = peers_count (self->peers, a->peer), n_b = peers_count (self->peers, b->peer);

  if (n_a != n_b)
    return n_a > n_b;
  if (a->is_idle != b->is_idle)
    return a->is_idle;
  return a->since_us < b->since_us;
}

static void
make_room (Guard *self)
{
  GHashTableIter iter;
  gpointer socket, visit, first_socket = NULL;
  Visit *first = NULL;

  g_hash_table_iter_init (&iter, self->visits);
  while (g_hash_table_iter_next (&iter, &socket, &visit)) {
    if (((Visit *) visit)->is_shut || (first && !goes_before (self, visit, first)))
      continue;
    first = visit;
    first_socket = socket;
  }
  if (!first)
    return;
  shut (self, first_socket, first);
  if (self->soon == 0)
    self->soon = g_timeout_add (SOON_MS, on_soon, self);
}

/* A connection opens, or its next request begins. */
static void
on_started (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  Guard *self = user_data;
  GSocket *socket = http_get_socket (message);
  (void) server;

  if (!socket)
    return;
  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), self);
  if (g_hash_table_contains (self->visits, socket)) {
    note (self, message, false);
    return;
  }
  take (self, socket);
  if (self->n_open > self->most)
    make_room (self);
}

Guard *
guard_new (SoupServer *server, guint most)
{
  Guard *self = g_new0 (Guard, 1);

  self->server = server;
  self->most = most;
  self->peers = peers_new ();
  self->visits = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->started = g_signal_connect (server, "request-started", G_CALLBACK (on_started), self);
  self->finished = g_signal_connect (server, "request-finished", G_CALLBACK (on_finished), self);
  self->tick = g_timeout_add_seconds (TICK_S, on_tick, self);
  return self;
}

void
guard_free (Guard *self)
{
  GHashTableIter iter;
  gpointer socket;

  if (!self)
    return;
  g_hash_table_iter_init (&iter, self->visits);
  while (g_hash_table_iter_next (&iter, &socket, NULL))
    g_object_weak_unref (socket, on_gone, self);
  g_signal_handler_disconnect (self->server, self->started);
  g_signal_handler_disconnect (self->server, self->finished);
  g_source_remove (self->tick);
  g_clear_handle_id (&self->soon, g_source_remove);
  g_hash_table_unref (self->visits);
  peers_free (self->peers);
  g_free (self);
}

void
guard_forget (Guard *self, GSocket *socket)
{
  Visit *visit = g_hash_table_lookup (self->visits, socket);

  if (!visit)
    return;
  end_visit (self, visit);
  g_hash_table_remove (self->visits, socket);
  g_object_weak_unref (G_OBJECT (socket), on_gone, self);
}

guint64
guard_n_refused (const Guard *self)
{
  return self->n_refused;
}
