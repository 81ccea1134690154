/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/hosts.c - no page of another site reads what we serve. */
#include "examples/web/hosts.h"

#include <gio/gio.h>
#include <libsoup/soup.h>
#include <string.h>

#define WHY                                                                                        \
  "This server does not go by that name. If it should, list the name under hosts: in its "         \
  "configuration.\n"

struct _Hosts {
  SoupServer *server;
  const GPtrArray *names;
  char *local; /* the machine's name, under .local */
  gulong started;
};

/* Returns: (transfer full): of what a Host header says, without brackets, port and the dot at the
 * end. */
static char *
name_of (const char *host)
{
  const bool is_bracketed = *host == '[';
  const char *name = host + (is_bracketed ? 1 : 0);
  gsize n = strcspn (name, is_bracketed ? "]" : ":");

  if (n > 0 && name[n - 1] == '.')
    n--;
  return g_strndup (name, n);
}

static bool
is_ours (const Hosts *self, const char *host)
{
  g_autofree char *name = name_of (host);

  if (g_hostname_is_ip_address (name) || g_ascii_strcasecmp (name, "localhost") == 0 ||
      g_ascii_strcasecmp (name, g_get_host_name ()) == 0 ||
      g_ascii_strcasecmp (name, self->local) == 0)
    return true;
  for (guint i = 0; i < self->names->len; i++)
    if (g_ascii_strcasecmp (name, self->names->pdata[i]) == 0)
      return true;
  return false;
}

/* Who says no host is no browser. */
static void
on_headers (SoupServerMessage *message, gpointer user_data)
{
  SoupMessageHeaders *asked = soup_server_message_get_request_headers (message);
  SoupMessageHeaders *answered = soup_server_message_get_response_headers (message);
  const char *host = soup_message_headers_get_one (asked, "Host");

  soup_message_headers_replace (answered, "Cross-Origin-Resource-Policy", "same-origin");
  if (!host || is_ours (user_data, host))
    return;
  soup_message_headers_replace (answered, "Cache-Control", "no-store");
  soup_server_message_set_status (message, SOUP_STATUS_MISDIRECTED_REQUEST, NULL);
  soup_server_message_set_response (message, "text/plain; charset=utf-8", SOUP_MEMORY_STATIC, WHY,
                                    strlen (WHY));
}

static void
on_started (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  (void) server;

  g_signal_connect (message, "got-headers", G_CALLBACK (on_headers), user_data);
}

Hosts *
hosts_new (SoupServer *server, const GPtrArray *names)
{
  Hosts *self = g_new0 (Hosts, 1);

  self->server = server;
  self->names = names;
  self->local = g_strconcat (g_get_host_name (), ".local", NULL);
  self->started = g_signal_connect (server, "request-started", G_CALLBACK (on_started), self);
  return self;
}

void
hosts_free (Hosts *self)
{
  if (!self)
    return;
  g_signal_handler_disconnect (self->server, self->started);
  g_free (self->local);
  g_free (self);
}
