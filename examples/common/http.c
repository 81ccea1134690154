/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/http.c - what is no plain question is refused before its body comes. */
#include "examples/common/http.h"

#include <libsoup/soup.h>

#include "engine/error.h"

typedef struct {
  char *path, *type;
  HttpText text;
  gpointer user_data;
} Page;

struct _Http {
  SoupServer *server;
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

static gboolean
listen_on (SoupServer *server, const char *address, guint16 port, GError **error)
{
  if (!address)
    return soup_server_listen_all (server, port, 0, error);
  g_autoptr (GSocketAddress) socket = g_inet_socket_address_new_from_string (address, port);
  if (socket)
    return soup_server_listen (server, socket, 0, error);
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "not the address of an interface; expected one such as 127.0.0.1, 0.0.0.0 or ::");
  return FALSE;
}

Http *
http_new (const char *address, guint16 port, GError **error)
{
  g_autoptr (Http) http = g_new0 (Http, 1);

  http->server = soup_server_new (NULL, NULL);
  http->pages = g_ptr_array_new_with_free_func (free_page);
  if (!listen_on (http->server, address, port, error)) {
    g_prefix_error (error, "HTTP on %s port %u: ", address ? address : "all addresses", port);
    return NULL;
  }
  GSList *uris = soup_server_get_uris (http->server);
  http->port = (guint16) g_uri_get_port (uris->data);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  http_guard (http, "/");
  soup_server_add_handler (http->server, "/", know_nothing, NULL, NULL);
  return g_steal_pointer (&http);
}

void
http_free (Http *http)
{
  if (!http)
    return;
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
  http_guard (http, path);
  soup_server_add_handler (http->server, path, serve_page, page, NULL);
  /* Of the handlers for all paths libsoup asks none where a path has one of its own. */
  soup_server_add_early_handler (http->server, path, refuse_all_but_questions, NULL, NULL);
}
