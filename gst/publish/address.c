/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/address.c - where an MQTT broker listens. */
#include "gst/publish/address.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/yolov7.h"

/* Assigned by IANA: mqtt and secure-mqtt. */
#define PLAIN_PORT 1883
#define TLS_PORT 8883

#define MAX_ROUTES 16

static const struct {
  const char *name;
  bool is_tls;
} schemes[] = {{"tcp", false}, {"mqtt", false}, {"ssl", true}, {"tls", true}, {"mqtts", true}};

static bool
fail (const char *text, const char *trouble, GError **error)
{
  g_autofree char *start = g_strndup (text, 80), *readable = g_utf8_make_valid (start, -1);

  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "address \"%s\": %s; expected [tcp:// or ssl://]HOST[:PORT]", readable, trouble);
  return false;
}

/* Returns: what comes behind "://", or NULL where the scheme is none of ours. */
static const char *
skip_scheme (const char *text, bool *is_tls)
{
  const char *end = strstr (text, "://");

  if (!end)
    return text;
  for (size_t i = 0; i < G_N_ELEMENTS (schemes); i++) {
    const size_t n = strlen (schemes[i].name);
    if (n == (size_t) (end - text) && !g_ascii_strncasecmp (text, schemes[i].name, n)) {
      *is_tls |= schemes[i].is_tls;
      return end + strlen ("://");
    }
  }
  return NULL;
}

/* @rest: behind the host. Returns: 0 where it is no port. */
static uint16_t
parse_port (const char *rest, bool is_tls)
{
  guint64 port;

  if (!*rest)
    return is_tls ? TLS_PORT : PLAIN_PORT;
  if (*rest != ':' || !g_ascii_string_to_unsigned (rest + 1, 10, 1, UINT16_MAX, &port, NULL))
    return 0;
  return (uint16_t) port;
}

static bool
is_host (const char *host, size_t n)
{
  if (n == 0 || n > 255) /* the longest name that DNS has */
    return false;
  for (size_t i = 0; i < n; i++) {
    if (!g_ascii_isgraph (host[i]) || strchr ("/[],?#", host[i]))
      return false;
  }
  return true;
}

bool
yv_address_parse (const char *text, bool tls, YvAddress *address, GError **error)
{
  bool is_tls = tls;

  if (!text || !*text)
    return fail ("", "there is none", error);
  if (strchr (text, '@'))
    return fail (strrchr (text, '@') + 1, "user name and password have properties of their own",
                 error);
  const char *host = skip_scheme (text, &is_tls);
  if (!host)
    return fail (text, "what comes before :// is none of tcp, mqtt, ssl, tls and mqtts", error);

  const bool has_brackets = *host == '[';
  host += has_brackets;
  const size_t n = strcspn (host, has_brackets ? "]" : ":");
  if (has_brackets && host[n] != ']')
    return fail (text, "a bracket is not closed", error);
  const char *rest = host + n + has_brackets;
  if (!has_brackets && strchr (rest + (*rest != '\0'), ':'))
    return fail (text, "more than one colon; an IPv6 address stands in brackets", error);
  if (!is_host (host, n))
    return fail (text, "that is no name of a host", error);
  const uint16_t port = parse_port (rest, is_tls);
  if (port == 0)
    return fail (text, "behind the host stands no port of 1 to 65535", error);

  *address = (YvAddress){.host = g_strndup (host, n), .port = port, .is_tls = is_tls};
  return true;
}

void
yv_address_clear (YvAddress *address)
{
  g_clear_pointer (&address->host, g_free);
}

static YvRoute
make_route (const YvAddress *address, const struct addrinfo *info)
{
  YvRoute route = {0};

  if (!address->is_tls) {
    getnameinfo (info->ai_addr, info->ai_addrlen, route.host, sizeof route.host, NULL, 0,
                 NI_NUMERICHOST);
    return route;
  }
  g_strlcpy (route.host, address->host, sizeof route.host);
  route.local = info->ai_family == AF_INET6 ? "::" : "0.0.0.0";
  return route;
}

static bool
has_route (const GArray *routes, const YvRoute *route)
{
  for (guint i = 0; i < routes->len; i++) {
    const YvRoute *other = &g_array_index (routes, YvRoute, i);
    if (g_str_equal (other->host, route->host) && !g_strcmp0 (other->local, route->local))
      return true;
  }
  return false;
}

GArray *
yv_address_resolve (const YvAddress *address, GError **error)
{
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  const int code = getaddrinfo (address->host, NULL, &hints, &list);

  if (code) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s", gai_strerror (code));
    return NULL;
  }
  GArray *routes = g_array_new (FALSE, FALSE, sizeof (YvRoute));
  for (const struct addrinfo *info = list; info && routes->len < MAX_ROUTES; info = info->ai_next) {
    const YvRoute route = make_route (address, info);
    if (!has_route (routes, &route))
      g_array_append_val (routes, route);
  }
  freeaddrinfo (list);
  return routes;
}
