/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/guard.c - no client holds a connection, or memory, for ever. */
#include "examples/web/guard.h"

#include <libsoup/soup.h>

#define TICK_S 5

struct _Guard {
  SoupServer *server;
  GHashTable *connections; /* GSocket *, until its end -> gint64 *: when it last began something */
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
on_gone (gpointer user_data, GObject *socket)
{
  Guard *self = user_data;

  g_hash_table_remove (self->connections, socket);
}

/* Not referenced: libsoup closes a connection by letting go of it. */
static void
take (Guard *self, GSocket *socket)
{
  gint64 *since_us = g_new (gint64, 1);

  *since_us = g_get_monotonic_time ();
  g_object_weak_ref (G_OBJECT (socket), on_gone, self);
  g_hash_table_insert (self->connections, socket, since_us);
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

/* Who was shut has patience again: if that did not end it, the next time it may. */
static gboolean
on_tick (gpointer user_data)
{
  Guard *self = user_data;
  const gint64 now_us = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer socket, since_us;

  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &socket, &since_us)) {
    if (now_us - *(gint64 *) since_us <= GUARD_PATIENCE_S * G_USEC_PER_SEC)
      continue;
    *(gint64 *) since_us = now_us;
    shut (self, socket); /* that ends it later, in the main loop: the table stays as it is */
  }
  return G_SOURCE_CONTINUE;
}

Guard *
guard_new (SoupServer *server)
{
  Guard *self = g_new0 (Guard, 1);

  self->server = server;
  self->connections = g_hash_table_new_full (NULL, NULL, NULL, g_free);
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
  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &socket, NULL))
    g_object_weak_unref (socket, on_gone, self);
  g_signal_handler_disconnect (self->server, self->started);
  g_signal_handler_disconnect (self->server, self->finished);
  g_source_remove (self->tick);
  g_hash_table_unref (self->connections);
  g_free (self);
}

void
guard_forget (Guard *self, GSocket *socket)
{
  if (g_hash_table_remove (self->connections, socket))
    g_object_weak_unref (G_OBJECT (socket), on_gone, self);
}

guint64
guard_n_refused (const Guard *self)
{
  return self->n_refused;
}
