/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/guard.c - no client holds a connection, or memory, for ever. */
#include "examples/web/guard.h"

#include <libsoup/soup.h>

#define TICK_S 5

struct _Guard {
  SoupServer *server;
  GHashTable *connections; /* GSocket * -> gint64 *: when it last began something */
  gulong started, finished;
  guint tick;
  guint64 n_refused;
};

/* What waits on it fails, and libsoup lets go of it. */
static void
shut (Guard *self, GSocket *socket)
{
  self->n_refused++;
  g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

/* Patience begins anew. */
static void
note (Guard *self, SoupServerMessage *message)
{
  GSocket *socket = soup_server_message_get_socket (message);
  gint64 *since_us = socket ? g_hash_table_lookup (self->connections, socket) : NULL;

  if (since_us)
    *since_us = g_get_monotonic_time ();
}

static void
on_headers (SoupServerMessage *message, gpointer user_data)
{
  note (user_data, message);
}

static void
on_finished (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  (void) server;

  note (user_data, message);
}

static void
take (Guard *self, GSocket *socket)
{
  gint64 *since_us = g_new (gint64, 1);

  *since_us = g_get_monotonic_time ();
  g_hash_table_insert (self->connections, g_object_ref (socket), since_us);
}

/* A connection opens, or is about to hear its next request. */
static void
on_started (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  Guard *self = user_data;
  GSocket *socket = soup_server_message_get_socket (message);
  (void) server;

  if (!socket)
    return;
  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), self);
  if (g_hash_table_contains (self->connections, socket))
    note (self, message);
  else if (g_hash_table_size (self->connections) < GUARD_MAX_CONNECTIONS)
    take (self, socket);
  else
    shut (self, socket);
}

static gboolean
is_over (gpointer socket, gpointer since_us, gpointer user_data)
{
  Guard *self = user_data;
  const gint64 waited_us = g_get_monotonic_time () - *(gint64 *) since_us;

  if (g_socket_is_closed (socket))
    return TRUE;
  if (waited_us <= GUARD_PATIENCE_S * G_USEC_PER_SEC)
    return FALSE;
  shut (self, socket);
  return TRUE;
}

static gboolean
on_tick (gpointer user_data)
{
  Guard *self = user_data;

  g_hash_table_foreach_remove (self->connections, is_over, self);
  return G_SOURCE_CONTINUE;
}

Guard *
guard_new (SoupServer *server)
{
  Guard *self = g_new0 (Guard, 1);

  self->server = server;
  self->connections = g_hash_table_new_full (NULL, NULL, g_object_unref, g_free);
  self->started = g_signal_connect (server, "request-started", G_CALLBACK (on_started), self);
  self->finished = g_signal_connect (server, "request-finished", G_CALLBACK (on_finished), self);
  self->tick = g_timeout_add_seconds (TICK_S, on_tick, self);
  return self;
}

void
guard_free (Guard *self)
{
  if (!self)
    return;
  g_signal_handler_disconnect (self->server, self->started);
  g_signal_handler_disconnect (self->server, self->finished);
  g_source_remove (self->tick);
  g_hash_table_unref (self->connections);
  g_free (self);
}

void
guard_forget (Guard *self, GSocket *socket)
{
  g_hash_table_remove (self->connections, socket);
}

guint64
guard_n_refused (const Guard *self)
{
  return self->n_refused;
}
