/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/address.c - where an MQTT broker listens. */
#include "gst/publish/address.h"

#include <string.h>

#include "engine/yolov7.h"

/* Assigned by IANA: mqtt and secure-mqtt. */
#define PLAIN_PORT 1883
#define TLS_PORT 8883

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
