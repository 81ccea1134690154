/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/events.c - viewers that are told things as they happen. */
#include "examples/web/events.h"

#include <sys/socket.h>

#include "examples/web/peers.h"

/* A comment now and then, so that proxies do not take the connection for an idle one, and viewers
 * who are gone without a word are found. */
#define HEARTBEAT ":\n\n"
#define TICK_S 5

/* What the system keeps for a viewer, beside what we keep: left to itself it may be megabytes. */
#define KERNEL_BYTES 65536

#define HEAD                                                                                       \
  "HTTP/1.1 200 OK\r\n"                                                                            \
  "Content-Type: text/event-stream\r\n"                                                            \
  "Cache-Control: no-store\r\n"                                                                    \
  "X-Content-Type-Options: nosniff\r\n"                                                            \
  "Cross-Origin-Resource-Policy: same-origin\r\n"                                                  \
  "X-Accel-Buffering: no\r\n" /* nginx would collect them */                                       \
  "Connection: close\r\n"                                                                          \
  "\r\n"                                                                                           \
  "retry: 1000\n\n"

typedef struct {
  Events *events; /* borrowed: it frees the viewers */
  GIOStream *connection;
  GSocket *socket;
  guint64 peer;
  char *topic;
  GQueue waiting;    /* GBytes * */
  gsize n_waiting;   /* bytes of these, less what was sent of the first */
  gsize n_sent;      /* of the first */
  gint64 since_us;   /* something was taken, or nothing waited */
  GSource *readable; /* what he says, which can only be good-bye */
  GSource *writable; /* while something waits */
  bool is_gone;      /* freed later: who drops him may be in the middle of the list */
} Viewer;

struct _Events {
  GQueue viewers; /* Viewer *, the oldest first */
  guint most;
  Peers *peers; /* of those that are not gone */
  guint tick;
  EventsCounters counters;
  GBytes *head, *heartbeat;
};

/* ---- a viewer ------------------------------------------------------------------------------- */

static void
end_source (GSource **source)
{
  if (!*source)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* Closed at once; what he holds is freed. */
static void
hang_up (Viewer *viewer)
{
  if (viewer->is_gone)
    return;
  viewer->is_gone = true;
  end_source (&viewer->readable);
  end_source (&viewer->writable);
  g_queue_clear_full (&viewer->waiting, (GDestroyNotify) g_bytes_unref);
  g_socket_close (viewer->socket, NULL);
  viewer->events->counters.n_viewers--;
  peers_remove (viewer->events->peers, viewer->peer);
}

static void
drop (Viewer *viewer)
{
  if (!viewer->is_gone)
    viewer->events->counters.n_dropped++;
  hang_up (viewer);
}

static void
viewer_free (Viewer *viewer)
{
  hang_up (viewer);
  g_object_unref (viewer->socket);
  g_object_unref (viewer->connection);
  g_free (viewer->topic);
  g_free (viewer);
}

static GSource *
watch (Viewer *viewer, GIOCondition condition, GSocketSourceFunc func)
{
  GSource *source = g_socket_create_source (viewer->socket, condition, NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (func), viewer, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

/* An event stream's client has nothing to say: whatever comes is his end, or nonsense. */
static gboolean
on_readable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  (void) socket, (void) condition;

  hang_up (user_data);
  return G_SOURCE_REMOVE;
}

static void
count_sent (Viewer *viewer, gsize n)
{
  viewer->events->counters.n_bytes += n;
  viewer->since_us = g_get_monotonic_time ();
  viewer->n_waiting -= n;
  viewer->n_sent += n;
  if (viewer->n_sent < g_bytes_get_size (g_queue_peek_head (&viewer->waiting)))
    return;
  g_bytes_unref (g_queue_pop_head (&viewer->waiting));
  viewer->n_sent = 0;
}

/* Returns: false where his connection is broken */
static bool
send_waiting (Viewer *viewer)
{
  while (!g_queue_is_empty (&viewer->waiting)) {
    g_autoptr (GError) error = NULL;
    gsize n_bytes;
    const char *bytes = g_bytes_get_data (g_queue_peek_head (&viewer->waiting), &n_bytes);
    const gssize n = g_socket_send (viewer->socket, bytes + viewer->n_sent,
                                    n_bytes - viewer->n_sent, NULL, &error);
    if (n < 0)
      return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    count_sent (viewer, (gsize) n);
  }
  return true;
}

static gboolean
on_writable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Viewer *viewer = user_data;
  (void) socket, (void) condition;

  if (!send_waiting (viewer)) {
    hang_up (viewer);
    return G_SOURCE_REMOVE;
  }
  if (!g_queue_is_empty (&viewer->waiting))
    return G_SOURCE_CONTINUE;
  end_source (&viewer->writable);
  return G_SOURCE_REMOVE;
}

static void
tell (Viewer *viewer, GBytes *event)
{
  if (viewer->is_gone)
    return;
  if (g_queue_is_empty (&viewer->waiting))
    viewer->since_us = g_get_monotonic_time ();
  g_queue_push_tail (&viewer->waiting, g_bytes_ref (event));
  viewer->n_waiting += g_bytes_get_size (event);
  if (viewer->writable) {
    if (viewer->n_waiting > EVENTS_MAX_WAITING)
      drop (viewer);
    return;
  }
  if (!send_waiting (viewer))
    hang_up (viewer);
  else if (!g_queue_is_empty (&viewer->waiting))
    viewer->writable = watch (viewer, G_IO_OUT, on_writable);
}

/* ---- all of them ---------------------------------------------------------------------------- */

static void
tick_viewer (Events *self, Viewer *viewer)
{
  const gint64 silent_us = g_get_monotonic_time () - viewer->since_us;

  if (!g_queue_is_empty (&viewer->waiting) && silent_us > EVENTS_PATIENCE_S * G_USEC_PER_SEC)
    drop (viewer);
  tell (viewer, self->heartbeat);
}

static void
free_gone (Events *self)
{
  for (GList *link = self->viewers.head; link;) {
    GList *next = link->next;
    Viewer *viewer = link->data;
    if (viewer->is_gone) {
      g_queue_delete_link (&self->viewers, link);
      viewer_free (viewer);
    }
    link = next;
  }
}

static gboolean
on_tick (gpointer user_data)
{
  Events *self = user_data;

  for (GList *link = self->viewers.head; link; link = link->next)
    tick_viewer (self, link->data);
  free_gone (self);
  return G_SOURCE_CONTINUE;
}

Events *
events_new (guint most)
{
  Events *self = g_new0 (Events, 1);

  g_queue_init (&self->viewers);
  self->most = most;
  self->peers = peers_new ();
  self->head = g_bytes_new_static (HEAD, sizeof (HEAD) - 1);
  self->heartbeat = g_bytes_new_static (HEARTBEAT, sizeof (HEARTBEAT) - 1);
  self->tick = g_timeout_add_seconds (TICK_S, on_tick, self);
  return self;
}

void
events_free (Events *self)
{
  if (!self)
    return;
  g_source_remove (self->tick);
  g_queue_clear_full (&self->viewers, (GDestroyNotify) viewer_free);
  g_bytes_unref (self->head);
  g_bytes_unref (self->heartbeat);
  peers_free (self->peers);
  g_free (self);
}

GBytes *
events_format (const char *name, const char *data, gsize n_bytes)
{
  GString *text = g_string_sized_new (n_bytes + 32);

  g_string_append_printf (text, "event: %s\ndata: ", name);
  g_string_append_len (text, data, (gssize) n_bytes);
  g_string_append (text, "\n\n");
  return g_string_free_to_bytes (text);
}

/* The oldest one of whom has most. */
static Viewer *
find_greedy (const Events *self)
{
  Viewer *found = NULL;
  guint most = 0;

  for (const GList *link = self->viewers.head; link; link = link->next) {
    Viewer *viewer = link->data;
    const guint n = viewer->is_gone ? 0 : peers_count (self->peers, viewer->peer);
    if (n <= most)
      continue;
    most = n;
    found = viewer;
  }
  return found;
}

bool
events_make_room (Events *self, GSocket *socket)
{
  free_gone (self);
  if (self->counters.n_viewers < self->most)
    return true;
  Viewer *greedy = find_greedy (self);
  const guint n_own = peers_count (self->peers, peers_of (socket));
  if (!greedy || peers_count (self->peers, greedy->peer) < n_own + 2)
    return false;
  drop (greedy);
  return true;
}

void
events_accept (Events *self, GIOStream *connection, GSocket *socket, const char *topic,
               const GQueue *first)
{
  Viewer *viewer = g_new0 (Viewer, 1);

  *viewer = (Viewer){
      .events = self,
      .connection = connection,
      .socket = g_object_ref (socket),
      .peer = peers_of (socket),
      .topic = g_strdup (topic),
      .since_us = g_get_monotonic_time (),
  };
  g_queue_init (&viewer->waiting);
  g_socket_set_option (socket, SOL_SOCKET, SO_SNDBUF, KERNEL_BYTES, NULL); /* or as it was */
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_timeout (socket, 0); /* of what he says, which is nothing */
  viewer->readable = watch (viewer, G_IO_IN, on_readable);
  self->counters.n_viewers++;
  peers_add (self->peers, viewer->peer);
  g_queue_push_tail (&self->viewers, viewer);
  tell (viewer, self->head);
  for (const GList *link = first->head; link; link = link->next)
    tell (viewer, link->data);
}

void
events_send (Events *self, const char *topic, GBytes *event)
{
  for (GList *link = self->viewers.head; link; link = link->next) {
    Viewer *viewer = link->data;
    if (!topic || g_strcmp0 (viewer->topic, topic) == 0)
      tell (viewer, event);
  }
}

void
events_get_counters (const Events *self, EventsCounters *out)
{
  *out = self->counters;
}
