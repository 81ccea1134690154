/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/http.c - what is no plain question is refused before its body comes. */
#include "examples/common/http.h"

#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>

#include "engine/error.h"
#include "examples/common/config.h"

/* Connections that wait to be accepted. GLib asks for 10, which a page that is opened on some
 * screens at once is more than: each further one is lost for a second. */
#define QUEUE 512
#define PAUSE_S 1 /* where no connection can be accepted, as without descriptors */

typedef struct {
  char *path, *type;
  HttpText text;
  gpointer user_data;
} Page;

/* Sockets may outlive the server. */
typedef struct { /* g_rc_box */
  Http *http;    /* NULL: freed */
  guint n_open;
} Load;

struct _Http {
  Load *load;
  guint most;   /* connections */
  bool is_full; /* no more are accepted for now */
  SoupServer *server;
  GSocketListener *listener;
  GCancellable *accepting;
  guint pause; /* 0: none */
  guint16 port;
  GPtrArray *pages; /* of Page * */
};

static void
free_page (gpointer data)
{
  Page *page = data;

  g_free (page->path);
  g_free (page->type);
  g_free (page);
}

/* Before 3.3 libsoup keeps a connection for ever whose client went away after an answer. */
static void
end_connection (SoupServerMessage *message)
{
  if (!soup_check_version (3, 3, 0))
    soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection",
                                  "close");
}

static void
refuse_all_but_questions (SoupServer *server, SoupServerMessage *message, const char *path,
                          GHashTable *query, gpointer user_data)
{
  const char *method = soup_server_message_get_method (message);

  (void) server;
  (void) path;
  (void) query;
  (void) user_data;
  end_connection (message);
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  if (method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD)
    return;
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Allow",
                                "GET, HEAD");
  soup_server_message_set_status (message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
}

static void
serve_page (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer user_data)
{
  const Page *page = user_data;

  (void) server;
  (void) query;
  if (!g_str_equal (path, page->path)) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
    return;
  }
  GString *out = g_string_new (NULL);
  page->text (out, page->user_data);
  const gsize size_bytes = out->len;
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Cache-Control",
                                "no-store");
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, page->type, SOUP_MEMORY_TAKE,
                                    g_string_free (out, FALSE), size_bytes);
}

static void
know_nothing (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
              gpointer user_data)
{
  (void) server;
  (void) path;
  (void) query;
  (void) user_data;
  soup_server_message_set_status (message, SOUP_STATUS_NOT_FOUND, NULL);
}

/* ---- connections -----------------------------------------------------------------------------
 * libsoup's own listener leaks the socket of each connection (3.2; 3.6 does not), and ends for good
 * where one can't be accepted. */

static void accept_next (Http *http);

static void
on_socket_gone (gpointer data)
{
  Load *load = data;
  Http *http = load->http;

  load->n_open--;
  g_rc_box_release (load);
  if (!http || !http->is_full)
    return;
  http->is_full = false;
  accept_next (http);
}

static void
serve_connection (Http *http, GSocket *socket)
{
  g_autoptr (GSocketConnection) connection = g_socket_connection_factory_create_connection (socket);
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);
  g_autoptr (GSocketAddress) remote = g_socket_get_remote_address (socket, NULL);

  if (!local || !remote)
    return; /* it is gone */
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  g_socket_set_timeout (socket, HTTP_PATIENCE_S);
  http->load->n_open++;
  g_object_set_data_full (G_OBJECT (socket), "load", g_rc_box_acquire (http->load), on_socket_gone);
  g_object_set_data_full (G_OBJECT (remote), "socket", g_object_ref (socket), g_object_unref);
  soup_server_accept_iostream (http->server, G_IO_STREAM (connection), local, remote, NULL);
}

static gboolean
end_pause (gpointer user_data)
{
  Http *http = user_data;

  http->pause = 0;
  accept_next (http);
  return G_SOURCE_REMOVE;
}

static void
on_accepted (GObject *listener, GAsyncResult *result, gpointer user_data)
{
  Http *http = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket =
      g_socket_listener_accept_socket_finish (G_SOCKET_LISTENER (listener), result, NULL, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* http_free() */
  if (!socket) {
    g_warning ("HTTP on port %u: %s; trying again", http->port, error->message);
    http->pause = g_timeout_add_seconds (PAUSE_S, end_pause, http);
    return;
  }
  serve_connection (http, socket);
  http->is_full = http->load->n_open >= http->most;
  if (!http->is_full)
    accept_next (http);
}

static void
accept_next (Http *http)
{
  g_socket_listener_accept_socket_async (http->listener, http->accepting, on_accepted, http);
}

/* Returns: 0 where it can't. */
static guint16
listen_on (GSocketListener *listener, const char *address, guint16 port, GError **error)
{
  if (!address && port == 0)
    return g_socket_listener_add_any_inet_port (listener, NULL, error);
  if (!address)
    return g_socket_listener_add_inet_port (listener, port, NULL, error) ? port : 0;
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new_from_string (address, port);
  g_autoptr (GSocketAddress) got = NULL;
  if (!wanted) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "not the address of an interface; expected one such as 127.0.0.1, 0.0.0.0 or ::");
    return 0;
  }
  if (!g_socket_listener_add_address (listener, wanted, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                      NULL, &got, error))
    return 0;
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got));
}

/* ---- for users ------------------------------------------------------------------------------ */

Http *
http_new (const char *address, guint16 port, GError **error)
{
  g_autoptr (Http) http = g_new0 (Http, 1);

  http->most = G_MAXUINT;
  http->load = g_rc_box_new0 (Load);
  http->load->http = http;
  http->server = soup_server_new (NULL, NULL);
  http->listener = g_socket_listener_new ();
  g_socket_listener_set_backlog (http->listener, QUEUE);
  http->accepting = g_cancellable_new ();
  http->pages = g_ptr_array_new_with_free_func (free_page);
  http->port = listen_on (http->listener, address, port, error);
  if (!http->port) {
    const char *shown = !address                         ? "all addresses"
                        : config_may_be_secret (address) ? "an address that is not shown"
                                                         : address;
    g_prefix_error (error, "HTTP on %s port %u: ", shown, port);
    return NULL;
  }
  accept_next (http);
  http_guard (http, "/");
  soup_server_add_handler (http->server, "/", know_nothing, NULL, NULL);
  return g_steal_pointer (&http);
}

void
http_free (Http *http)
{
  if (!http)
    return;
  http->load->http = NULL;
  g_rc_box_release (http->load);
  g_cancellable_cancel (http->accepting);
  g_clear_handle_id (&http->pause, g_source_remove);
  g_socket_listener_close (http->listener);
  g_object_unref (http->listener);
  g_object_unref (http->accepting);
  soup_server_disconnect (http->server);
  g_object_unref (http->server);
  g_ptr_array_unref (http->pages);
  g_free (http);
}

guint16
http_port (const Http *http)
{
  return http->port;
}

SoupServer *
http_server (Http *http)
{
  return http->server;
}

GSocket *
http_get_socket (SoupServerMessage *message)
{
  GSocketAddress *remote = soup_server_message_get_remote_address (message);

  return remote ? g_object_get_data (G_OBJECT (remote), "socket") : NULL;
}

void
http_limit (Http *http, guint most)
{
  http->most = most;
}

void
http_guard (Http *http, const char *path)
{
  soup_server_add_early_handler (http->server, path, refuse_all_but_questions, NULL, NULL);
}

void
http_add_text (Http *http, const char *path, const char *type, HttpText text, gpointer user_data)
{
  Page *page = g_new0 (Page, 1);

  page->path = g_strdup (path);
  page->type = g_strdup (type);
  page->text = text;
  page->user_data = user_data;
  g_ptr_array_add (http->pages, page);
  http_guard (http, path); /* of those for all paths libsoup asks none where a path has its own */
  soup_server_add_handler (http->server, path, serve_page, page, NULL);
}
