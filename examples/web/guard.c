/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/guard.c - no client holds a connection, or memory, for ever. */
#include "examples/web/guard.h"

#include <libsoup/soup.h>

#define TICK_S 5

/* A request that is awaited, read or answered; a connection has one at a time. */
typedef struct {
  Guard *guard; /* borrowed */
  gint64 since_us;
} Visit;

struct _Guard {
  SoupServer *server;
  GHashTable *visits; /* SoupServerMessage *, not referenced: its end is told -> Visit * */
  gulong started;
  guint tick;
  guint64 n_refused;
};

static void
on_message_gone (gpointer user_data, GObject *message)
{
  Guard *self = user_data;

  g_hash_table_remove (self->visits, message);
}

/* What waits on it fails, and libsoup lets go of it. */
static void
shut (Guard *self, SoupServerMessage *message)
{
  GSocket *socket = soup_server_message_get_socket (message);

  self->n_refused++;
  if (socket)
    g_socket_shutdown (socket, TRUE, TRUE, NULL);
}

static void
on_headers (SoupServerMessage *message, gpointer user_data)
{
  Visit *visit = user_data;
  (void) message;

  visit->since_us = g_get_monotonic_time ();
}

static void
on_started (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  Guard *self = user_data;
  (void) server;

  if (g_hash_table_size (self->visits) >= GUARD_MAX_CONNECTIONS) {
    shut (self, message);
    return;
  }
  if (g_hash_table_contains (self->visits, message))
    return;
  Visit *visit = g_new (Visit, 1);
  *visit = (Visit){self, g_get_monotonic_time ()};
  g_hash_table_insert (self->visits, message, visit);
  g_object_weak_ref (G_OBJECT (message), on_message_gone, self);
  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), visit);
}

static gboolean
on_tick (gpointer user_data)
{
  Guard *self = user_data;
  const gint64 now_us = g_get_monotonic_time ();
  g_autoptr (GPtrArray) late = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer message, visit;

  g_hash_table_iter_init (&iter, self->visits);
  while (g_hash_table_iter_next (&iter, &message, &visit)) {
    if (now_us - ((Visit *) visit)->since_us > GUARD_PATIENCE_S * G_USEC_PER_SEC)
      g_ptr_array_add (late, message);
  }
  for (guint i = 0; i < late->len; i++)
    shut (self, late->pdata[i]);
  return G_SOURCE_CONTINUE;
}

Guard *
guard_new (SoupServer *server)
{
  Guard *self = g_new0 (Guard, 1);

  self->server = server;
  self->visits = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->started = g_signal_connect (server, "request-started", G_CALLBACK (on_started), self);
  self->tick = g_timeout_add_seconds (TICK_S, on_tick, self);
  return self;
}

void
guard_forget (Guard *self, SoupServerMessage *message)
{
  Visit *visit = g_hash_table_lookup (self->visits, message);

  if (!visit)
    return;
  g_signal_handlers_disconnect_by_data (message, visit);
  g_object_weak_unref (G_OBJECT (message), on_message_gone, self);
  g_hash_table_remove (self->visits, message);
}

void
guard_free (Guard *self)
{
  if (!self)
    return;
  g_autoptr (GList) messages = g_hash_table_get_keys (self->visits);
  for (GList *link = messages; link; link = link->next)
    guard_forget (self, link->data);
  g_signal_handler_disconnect (self->server, self->started);
  g_source_remove (self->tick);
  g_hash_table_unref (self->visits);
  g_free (self);
}

guint64
guard_n_refused (const Guard *self)
{
  return self->n_refused;
}
