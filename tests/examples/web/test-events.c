/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/web/test-events.c - examples/web/events.h: who reads gets all, who does not goes.
 */
#include "examples/web/events.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 4 /* viewers */

/* What both ends of a connection have of it: the viewer's is the descriptor. */
static int
connect_viewer (Events *events, const char *topic, GBytes *first)
{
  int fds[2];
  g_autoptr (GError) error = NULL;
  GQueue told = G_QUEUE_INIT;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fds[0], &error);
  g_assert_no_error (error);
  if (first)
    g_queue_push_tail (&told, first);
  events_accept (events, G_IO_STREAM (g_socket_connection_factory_create_connection (socket)),
                 socket, topic, &told);
  g_queue_clear (&told);
  return fds[1];
}

static GBytes *
event_of (const char *name, const char *text)
{
  return events_format (name, text, strlen (text));
}

/* All that is there, or comes until the connection ends. */
static char *
read_text (int fd)
{
  GString *text = g_string_new (NULL);
  char bytes[4096];
  ssize_t n;

  while ((n = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
    g_string_append_len (text, bytes, n);
  return g_string_free (text, FALSE);
}

static EventsCounters
counters_of (const Events *events)
{
  EventsCounters counters;

  events_get_counters (events, &counters);
  return counters;
}

static void
a_viewer_is_told_what_he_asked_for (void)
{
  g_autoptr (Events) events = events_new (MOST);
  g_autoptr (GBytes) first = event_of ("cameras", "[]");
  g_autoptr (GBytes) street = event_of ("record", "{\"a\":1}");
  g_autoptr (GBytes) door = event_of ("record", "{\"b\":2}");
  g_autoptr (GBytes) everybody = event_of ("cameras", "[3]");
  const int fd = connect_viewer (events, "street", first);
  const int other = connect_viewer (events, NULL, NULL);

  events_send (events, "street", street);
  events_send (events, "door", door);
  events_send (events, NULL, everybody);
  g_autofree char *text = read_text (fd);
  g_autofree char *other_text = read_text (other);
  g_assert_true (g_str_has_prefix (text, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"));
  g_assert_true (g_str_has_suffix (text, "event: cameras\ndata: []\n\n"
                                         "event: record\ndata: {\"a\":1}\n\n"
                                         "event: cameras\ndata: [3]\n\n"));
  g_assert_null (strstr (text, "\"b\""));
  g_assert_null (strstr (other_text, "record"));
  g_assert_nonnull (strstr (other_text, "[3]"));
  g_assert_cmpuint (counters_of (events).n_viewers, ==, 2);
  close (fd);
  close (other);
}

/* Sends until that one is dropped, which has to be before more than what may wait for him, and
 * what the sockets hold, was sent. */
static void
who_does_not_read_is_dropped_and_nobody_else (void)
{
  g_autoptr (Events) events = events_new (MOST);
  const int asleep = connect_viewer (events, "street", NULL);
  const int awake = connect_viewer (events, "street", NULL);
  g_autofree char *line = g_strnfill (65536, 'x');
  g_autoptr (GBytes) event = event_of ("record", line);
  gsize n_sent = 0, n_read = 0;

  while (counters_of (events).n_dropped == 0) {
    events_send (events, "street", event);
    n_sent += g_bytes_get_size (event);
    g_assert_cmpuint (n_sent, <, 16 * EVENTS_MAX_WAITING);
    g_autofree char *text = read_text (awake);
    n_read += strlen (text);
    while (g_main_context_iteration (NULL, FALSE))
      continue;
  }
  g_assert_cmpuint (counters_of (events).n_viewers, ==, 1);
  events_send (events, "street", event);
  for (int i = 0; i < 1000 && n_read < n_sent; i++) {
    g_autofree char *text = read_text (awake);
    n_read += strlen (text);
    g_main_context_iteration (NULL, FALSE);
  }
  g_assert_cmpuint (n_read, >=, n_sent);
  close (asleep);
  close (awake);
}

static void
who_goes_is_forgotten (void)
{
  g_autoptr (Events) events = events_new (MOST);
  const int fd = connect_viewer (events, "street", NULL);

  close (fd);
  while (counters_of (events).n_viewers > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (counters_of (events).n_dropped, ==, 0);
}

static void
who_says_something_is_sent_away (void)
{
  g_autoptr (Events) events = events_new (MOST);
  const int fd = connect_viewer (events, "street", NULL);
  char bytes[4096];

  g_assert_cmpint (send (fd, "GET / HTTP/1.1\r\n", 16, 0), ==, 16);
  while (counters_of (events).n_viewers > 0)
    g_main_context_iteration (NULL, TRUE);
  /* What was sent before, and then the end, which may be a reset. */
  g_assert_cmpint (recv (fd, bytes, sizeof bytes, 0), >, 0);
  g_assert_cmpint (recv (fd, bytes, sizeof bytes, 0), <=, 0);
  close (fd);
}

/* Returns: our end of a connection from another address of this machine; @served is the viewer's.
 */
static GSocket *
connect_from (const char *address, GSocket **served)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) server =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  GSocket *client =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);
  g_autoptr (GSocketAddress) here = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) there = g_inet_socket_address_new_from_string (address, 0);

  g_socket_bind (server, here, TRUE, &error);
  g_assert_no_error (error);
  g_socket_listen (server, &error);
  g_socket_bind (client, there, TRUE, &error);
  g_assert_no_error (error);
  g_autoptr (GSocketAddress) bound = g_socket_get_local_address (server, &error);
  g_assert_no_error (error);
  g_socket_connect (client, bound, NULL, &error);
  g_assert_no_error (error);
  *served = g_socket_accept (server, NULL, &error);
  g_assert_no_error (error);
  return client;
}

/* Returns: (nullable): the viewer's end; NULL where there was no room for him */
static GSocket *
come_from (Events *events, const char *address)
{
  g_autoptr (GSocket) served = NULL;
  g_autoptr (GSocket) viewer = connect_from (address, &served);
  const GQueue nothing = G_QUEUE_INIT;

  if (!events_make_room (events, served))
    return NULL;
  events_accept (events, G_IO_STREAM (g_socket_connection_factory_create_connection (served)),
                 served, NULL, &nothing);
  return g_steal_pointer (&viewer);
}

static bool
has_ended (GSocket *viewer)
{
  g_autofree char *rest = read_text (g_socket_get_fd (viewer));

  return g_socket_receive (viewer, (char[1]){0}, 1, NULL, NULL) == 0;
}

/* Whoever comes for a fifth place has none, unless one address has two or more places more than he.
 */
static void
nobody_takes_the_place_of_all_others (void)
{
  g_autoptr (Events) events = events_new (MOST);
  g_autoptr (GPtrArray) greedy = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < MOST; i++)
    g_ptr_array_add (greedy, come_from (events, "127.0.0.2"));
  g_assert_null (come_from (events, "127.0.0.2"));
  g_autoptr (GSocket) first = come_from (events, "127.0.0.3");
  g_assert_nonnull (first);
  g_assert_true (has_ended (greedy->pdata[0]));
  g_autoptr (GSocket) second = come_from (events, "127.0.0.3");
  g_assert_nonnull (second);
  g_assert_true (has_ended (greedy->pdata[1]));
  g_assert_null (come_from (events, "127.0.0.3")); /* they have the same now */
  g_assert_null (come_from (events, "127.0.0.2"));
  g_assert_cmpuint (counters_of (events).n_viewers, ==, MOST);
  g_assert_cmpuint (counters_of (events).n_dropped, ==, 2);
}

/* However many come and go between two ticks. */
static void
who_went_takes_no_place (void)
{
  g_autoptr (Events) events = events_new (MOST);

  for (guint i = 0; i < 5 * MOST; i++) {
    g_autoptr (GSocket) viewer = come_from (events, "127.0.0.2");
    g_assert_nonnull (viewer);
    g_socket_close (viewer, NULL);
    while (counters_of (events).n_viewers > 0)
      g_main_context_iteration (NULL, TRUE);
  }
  g_assert_cmpuint (counters_of (events).n_dropped, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/events/a_viewer_is_told_what_he_asked_for",
                   a_viewer_is_told_what_he_asked_for);
  g_test_add_func ("/events/who_does_not_read_is_dropped_and_nobody_else",
                   who_does_not_read_is_dropped_and_nobody_else);
  g_test_add_func ("/events/who_goes_is_forgotten", who_goes_is_forgotten);
  g_test_add_func ("/events/who_says_something_is_sent_away", who_says_something_is_sent_away);
  g_test_add_func ("/events/nobody_takes_the_place_of_all_others",
                   nobody_takes_the_place_of_all_others);
  g_test_add_func ("/events/who_went_takes_no_place", who_went_takes_no_place);
  return g_test_run ();
}
