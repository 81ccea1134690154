/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/address.c - an AMQP URI taken apart. */
#include "examples/fleet/address.h"

#include <string.h>

#include "common/file.h"
#include "engine/error.h"

#define EXPECTED "expected amqp://USER@HOST[:PORT][/VHOST], or amqps:// for TLS"

static void
wipe (char *secret)
{
  if (secret)
    explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

void
fleet_address_clear (FleetAddress *address)
{
  g_free (address->host);
  g_free (address->user);
  wipe (address->password);
  g_free (address->vhost);
  g_free (address->ca_file);
  g_free (address->cert_file);
  g_free (address->key_file);
  g_free (address->shown);
  memset (address, 0, sizeof *address);
}

void
fleet_address_copy (const FleetAddress *address, FleetAddress *copy)
{
  *copy = (FleetAddress){
      .host = g_strdup (address->host),
      .user = g_strdup (address->user),
      .password = g_strdup (address->password),
      .vhost = g_strdup (address->vhost),
      .port = address->port,
      .is_tls = address->is_tls,
      .ca_file = g_strdup (address->ca_file),
      .cert_file = g_strdup (address->cert_file),
      .key_file = g_strdup (address->key_file),
      .shown = g_strdup (address->shown),
  };
}

static char *
unescaped (const char *text, const char *otherwise)
{
  return text && *text ? g_uri_unescape_string (text, NULL) : g_strdup (otherwise);
}

/* A path of "/" alone is the vhost "", which nobody means. */
static char *
get_vhost (const char *path)
{
  return strlen (path) > 1 ? g_uri_unescape_string (path + 1, NULL) : g_strdup ("/");
}

static bool
is_complete (const FleetAddress *address)
{
  return address->host && *address->host && address->user && address->password && address->vhost;
}

static const char *
find_problem (GUri *uri)
{
  const char *scheme = g_uri_get_scheme (uri), *host = g_uri_get_host (uri);

  if (strcmp (scheme, "amqp") != 0 && strcmp (scheme, "amqps") != 0)
    return "it is no amqp:// or amqps://";
  if (!host || !*host)
    return "it names no host";
  if (g_uri_get_query (uri))
    return "what follows its '?' is not known; TLS has keys of its own, as ca-file";
  if (g_uri_get_port (uri) == 0 || g_uri_get_port (uri) > 65535)
    return "its port is none of 1 to 65535";
  return NULL;
}

bool
fleet_address_parse (FleetAddress *address, const char *text, GError **error)
{
  /* GLib's own message has parts of the text. */
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, NULL);
  const char *problem = uri ? find_problem (uri) : "it is no URI";
  g_auto (FleetAddress) found = {0};

  if (!problem) {
    found.is_tls = strcmp (g_uri_get_scheme (uri), "amqps") == 0;
    found.host = g_strdup (g_uri_get_host (uri));
    found.port =
        (uint16_t) (g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : (found.is_tls ? 5671 : 5672));
    found.user = unescaped (g_uri_get_user (uri), "guest");
    found.password = unescaped (g_uri_get_password (uri), "guest");
    found.vhost = get_vhost (g_uri_get_path (uri));
    if (!is_complete (&found))
      problem = "a %XX in it is none";
  }
  if (problem) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "the broker's URI can't be used: %s; " EXPECTED,
                 problem);
    return false;
  }
  found.ca_file = g_strdup (FLEET_DEFAULT_CA_FILE);
  found.shown = g_strdup_printf ("%s:%u%s%s", found.host, found.port,
                                 found.vhost[0] == '/' ? "" : "/", found.vhost);
  *address = found;
  memset (&found, 0, sizeof found);
  return true;
}

bool
fleet_address_take_password (FleetAddress *address, const char *password_file, GError **error)
{
  const char *given = g_getenv ("YV_FLEET_PASSWORD");
  g_autofree char *text = NULL;
  g_autoptr (GError) cause = NULL;

  if (given) {
    wipe (address->password);
    address->password = g_strdup (given);
    return true;
  }
  if (!password_file)
    return true;
  if (!yv_check_is_file (password_file, "a file whose first line is the broker's password", error))
    return false;
  if (!g_file_get_contents (password_file, &text, NULL, &cause)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be read: %s", password_file,
                 cause->message);
    return false;
  }
  text[strcspn (text, "\r\n")] = 0;
  wipe (address->password);
  address->password = g_steal_pointer (&text);
  return true;
}
