/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-http.c - examples/common/http.c: what it does with connections, over months.
 */
#include "examples/common/http.h"

#include <libsoup/soup.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#define N_QUESTIONS 100

typedef struct {
  Http *http;
  guint n_served, n_gone; /* sockets */
  bool is_hasty;
} Server;

static void
on_gone (gpointer user_data, GObject *socket)
{
  (void) socket;
  ((Server *) user_data)->n_gone++;
}

static void
on_started (SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  Server *server = user_data;
  GSocket *socket = http_get_socket (message);

  (void) soup;
  g_assert_nonnull (socket);
  if (g_object_get_data (G_OBJECT (socket), "seen"))
    return;
  g_object_set_data (G_OBJECT (socket), "seen", socket);
  g_object_weak_ref (G_OBJECT (socket), on_gone, server);
  g_assert_cmpuint (g_socket_get_timeout (socket), ==, HTTP_PATIENCE_S);
  if (server->is_hasty)
    g_socket_set_timeout (socket, 1);
  server->n_served++;
}

static void
say_yes (GString *out, gpointer unused)
{
  (void) unused;
  g_string_append (out, "yes");
}

static Http *
start (Server *server)
{
  g_autoptr (GError) error = NULL;

  *server = (Server){.http = http_new ("127.0.0.1", 0, &error)};
  g_assert_no_error (error);
  http_add_text (server->http, "/yes", "text/plain", say_yes, NULL);
  g_signal_connect (http_server (server->http), "request-started", G_CALLBACK (on_started), server);
  return server->http;
}

/* A client that asks once, and leaves: its connection, or NULL where it can't have one. */
static GSocketConnection *
ask (const Server *server)
{
  static const char question[] =
      "GET /yes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection =
      g_socket_client_connect_to_host (client, "127.0.0.1", http_port (server->http), NULL, &error);

  g_assert_no_error (error);
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_assert_true (g_output_stream_write_all (out, question, strlen (question), NULL, NULL, &error));
  return connection;
}

static void
assert_answered (GSocketConnection *connection)
{
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  g_autoptr (GError) error = NULL;
  char answer[1024] = "";
  gsize n = 0;

  while (!g_pollable_input_stream_is_readable (G_POLLABLE_INPUT_STREAM (in)))
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (g_input_stream_read_all (in, answer, sizeof answer - 1, &n, NULL, &error));
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 200"));
  g_assert_true (g_str_has_suffix (answer, "\r\n\r\nyes"));
}

static void
nothing_is_left_of_a_connection (void)
{
  Server server;
  g_autoptr (Http) http = start (&server);

  for (guint i = 0; i < N_QUESTIONS; i++) {
    g_autoptr (GSocketConnection) connection = ask (&server);
    while (server.n_served == i)
      g_main_context_iteration (NULL, TRUE);
    assert_answered (connection);
  }
  while (server.n_gone < N_QUESTIONS)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (server.n_served, ==, N_QUESTIONS);
}

/* The first byte of a question is none, either. */
static void
who_says_nothing_is_let_go (void)
{
  Server server;
  g_autoptr (Http) http = start (&server);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;

  server.is_hasty = true;
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GSocketConnection) connection = g_socket_client_connect_to_host (
        client, "127.0.0.1", http_port (server.http), NULL, &error);
    g_assert_no_error (error);
    GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
    g_assert_true (g_output_stream_write_all (out, "G", i, NULL, NULL, &error));
    while (server.n_gone == i)
      g_main_context_iteration (NULL, TRUE);
  }
  g_assert_cmpuint (server.n_served, ==, 2);
}

static void
one_too_many_waits (void)
{
  Server server;
  g_autoptr (Http) http = start (&server);

  http_limit (http, 1);
  GSocketConnection *first = ask (&server);
  while (server.n_served == 0)
    g_main_context_iteration (NULL, TRUE);
  g_autoptr (GSocketConnection) second = ask (&server);
  while (server.n_gone == 0) {
    g_assert_cmpuint (server.n_served, ==, 1);
    g_main_context_iteration (NULL, TRUE);
  }
  g_object_unref (first);
  while (server.n_served == 1)
    g_main_context_iteration (NULL, TRUE);
  assert_answered (second);
}

static gboolean
give_descriptors_back (gpointer user_data)
{
  const struct rlimit *limit = user_data;

  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, limit), ==, 0);
  return G_SOURCE_REMOVE;
}

/* For as long as there is none it neither takes all of the processor nor gives up. */
static void
it_waits_for_descriptors (void)
{
  Server server;
  g_autoptr (Http) http = start (&server);
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_autoptr (GSocketConnection) connection = ask (&server);
  const struct rlimit none = {.rlim_cur = 3, .rlim_max = limit.rlim_max};
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_test_expect_message (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "*Too many open files; trying again*");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_test_assert_expected_messages ();
  g_idle_add (give_descriptors_back, &limit);
  while (server.n_served == 0)
    g_main_context_iteration (NULL, TRUE);
  assert_answered (connection);
}

static void
it_can_end_while_it_waits (void)
{
  Server server;
  Http *http = start (&server);
  g_autoptr (GSocketConnection) connection = ask (&server);

  http_free (http);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (server.n_served, ==, 0);
}

static void
a_port_that_is_taken (void)
{
  Server server;
  g_autoptr (Http) http = start (&server);
  g_autoptr (GError) error = NULL;
  g_autofree char *port = g_strdup_printf ("HTTP on 127.0.0.1 port %u: ", http_port (http));

  g_assert_null (http_new ("127.0.0.1", http_port (http), &error));
  g_assert_nonnull (strstr (error->message, port));
}

static void
what_is_no_address (void)
{
  static const char *const addresses[] = {"", "localhost", "127.0.0.1:80", "256.0.0.1"};

  for (size_t i = 0; i < G_N_ELEMENTS (addresses); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (http_new (addresses[i], 0, &error));
    g_assert_nonnull (strstr (error->message, "not the address of an interface"));
  }
}

static void
all_addresses (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Http) any = http_new (NULL, 0, &error);

  g_assert_no_error (error);
  g_assert_null (http_new (NULL, http_port (any), &error));
  g_assert_nonnull (strstr (error->message, "HTTP on all addresses port "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/connections/all-go", nothing_is_left_of_a_connection);
  g_test_add_func ("/http/connections/silent", who_says_nothing_is_let_go);
  g_test_add_func ("/http/connections/limit", one_too_many_waits);
  g_test_add_func ("/http/connections/no-descriptors", it_waits_for_descriptors);
  g_test_add_func ("/http/connections/end", it_can_end_while_it_waits);
  g_test_add_func ("/http/address/taken", a_port_that_is_taken);
  g_test_add_func ("/http/address/none", what_is_no_address);
  g_test_add_func ("/http/address/all", all_addresses);
  return g_test_run ();
}
