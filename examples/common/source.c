/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/source.c - takes URIs apart by itself, because what GLib can't parse must not
 * show either. */
#include "examples/common/source.h"

#include <string.h>

#include "engine/error.h"
#include "examples/common/config.h"

#define WHITE " \t\r\n"
#define MIN_LONG 4  /* bytes: shorter ones are in words by chance */
#define MIN_VALUE 3 /* bytes: shorter ones in a query are numbers of channels */

/* Not rtspu://, which leaves rtspsrc without a transport where protocols=tcp. */
static const char *const rtsp_schemes[] = {"rtsp://", "rtsps://", "rtspt://", "rtsph://"};

/* NULL where it is none. */
static const char *
rtsp_scheme (const char *source)
{
  for (guint i = 0; i < G_N_ELEMENTS (rtsp_schemes); i++)
    if (g_ascii_strncasecmp (source, rtsp_schemes[i], strlen (rtsp_schemes[i])) == 0)
      return rtsp_schemes[i];
  return NULL;
}

SourceKind
source_kind (const char *source)
{
  if (rtsp_scheme (source))
    return SOURCE_RTSP;
  if (g_str_has_prefix (source, "v4l2://"))
    return SOURCE_V4L2;
  return g_str_has_prefix (source, "test:") ? SOURCE_TEST : SOURCE_FILE;
}

/* Where things are in an RTSP source. */
typedef struct {
  const char *user, *host, *path; /* @user: NULL where none */
} Parts;

static Parts
take_apart (const char *source)
{
  const char *start = source + strlen (rtsp_scheme (source));
  const char *path = start + strcspn (start, "/?#");
  const char *at = g_strrstr_len (start, path - start, "@");

  return (Parts){.user = at ? start : NULL, .host = at ? at + 1 : start, .path = path};
}

/* host, host:port, [v6]:port */
static bool
is_host (const char *host, gsize n_bytes)
{
  g_autofree char *copy = g_strndup (host, n_bytes);
  char *end = *copy == '[' ? strchr (copy, ']') : copy + strcspn (copy, ":");

  if (!end || end == copy || strpbrk (copy, WHITE "@%"))
    return false;
  end += *copy == '[' ? 1 : 0;
  return *end == '\0' ||
         (*end == ':' && g_ascii_string_to_unsigned (end + 1, 10, 1, 65535, NULL, NULL));
}

static bool
check_rtsp (const char *text, GError **error)
{
  const Parts parts = take_apart (text);

  if (is_host (parts.host, (gsize) (parts.path - parts.host)) && !strpbrk (text, WHITE))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "source is no address of a camera; expected rtsp://host:port/path, or "
               "rtsp://user:password@host:port/path with @ / : ? and a blank in a password as "
               "%%40 %%2F %%3A %%3F %%20");
  return false;
}

static bool
check_test (const char *text, GError **error)
{
  const char *pattern = text + strlen ("test:");

  if (*pattern && strspn (pattern, "abcdefghijklmnopqrstuvwxyz0123456789-=,/") == strlen (pattern))
    return true;
  g_autofree char *found = config_quote (text);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "source is %s; expected test:PATTERN of videotestsrc, such as test:ball or "
               "test:ball,width=320,height=180,framerate=10/1",
               found);
  return false;
}

/* A path, or a file:// URI. */
static char *
complete_path (const char *text, const char *file, GError **error)
{
  if (g_str_has_prefix (text, "file://")) {
    char *path = g_filename_from_uri (text, NULL, NULL);
    if (path)
      return path;
    g_autofree char *found = config_quote (text);
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "source is %s; expected file:///path", found);
    return NULL;
  }
  if (!strstr (text, "://"))
    return config_path (file, text);
  g_autofree char *scheme = g_uri_parse_scheme (text);
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "source has the scheme \"%s\"; expected rtsp:// (with rtspsrc: {protocols: udp} for "
               "UDP), rtsps://, rtspt://, v4l2://, file://, a path, or test:PATTERN",
               scheme ? scheme : "?");
  return NULL;
}

char *
source_complete (const char *text, const char *file, GError **error)
{
  const SourceKind kind = source_kind (text);

  if (kind == SOURCE_FILE)
    return complete_path (text, file, error);
  if (kind == SOURCE_RTSP && !check_rtsp (text, error))
    return NULL;
  if (kind == SOURCE_TEST && !check_test (text, error))
    return NULL;
  if (kind == SOURCE_V4L2 && !g_str_has_prefix (text, "v4l2:///dev/")) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "source is no device; expected v4l2:///dev/video0");
    return NULL;
  }
  const char *scheme = rtsp_scheme (text);
  return scheme ? g_strconcat (scheme, text + strlen (scheme), NULL) : g_strdup (text);
}

char *
source_show (const char *source)
{
  const char *scheme = rtsp_scheme (source);

  if (!scheme)
    return g_strdup (source);
  const Parts parts = take_apart (source);
  return g_strdup_printf ("%s%.*s", scheme, (int) (parts.path - parts.host), parts.host);
}

/* Whether the @n_bytes at @at are no part of a longer word of @text. */
static bool
stands_alone (const GString *text, const char *at, gsize n_bytes)
{
  const char *last = at + n_bytes - 1;
  const bool is_glued_before = at > text->str && g_ascii_isalnum (at[-1]) && g_ascii_isalnum (*at);

  return !is_glued_before && !(g_ascii_isalnum (*last) && g_ascii_isalnum (last[1]));
}

/* Every @secret (nullable) in @text; a short one only where it stands alone. */
static void
hide (GString *text, const char *secret)
{
  const gsize n_bytes = secret ? strlen (secret) : 0;
  const char *at = text->str;

  if (n_bytes == 0 || g_str_equal (secret, "/"))
    return;
  while ((at = strstr (at, secret))) {
    const gssize position = at - text->str;
    if (n_bytes < MIN_LONG && !stands_alone (text, at, n_bytes)) {
      at++;
      continue;
    }
    g_string_erase (text, position, (gssize) n_bytes);
    g_string_insert (text, position, "***");
    at = text->str + position + strlen ("***");
  }
}

/* As it is written and as it is meant. */
static void
hide_escaped (GString *text, const char *escaped)
{
  g_autofree char *plain = g_uri_unescape_string (escaped, NULL);

  hide (text, escaped);
  hide (text, plain);
}

/* A user's name may be a word as any; with what follows it in a URI it is none. */
static void
hide_user (GString *text, const char *user)
{
  g_autofree char *before_password = g_strconcat (user, ":", NULL);
  g_autofree char *before_host = g_strconcat (user, "@", NULL);

  hide (text, before_password);
  hide (text, before_host);
}

/* What follows each "=": cameras say it again in other places than in a URI. */
static void
hide_values (GString *text, const char *path)
{
  for (const char *at = strchr (path, '='); at; at = strchr (at + 1, '=')) {
    g_autofree char *value = g_strndup (at + 1, strcspn (at + 1, "&;/#"));
    if (strlen (value) >= MIN_VALUE)
      hide_escaped (text, value);
  }
}

/* Of what follows "://" until @end the host; where that may be a part of a password, nothing. */
static void
append_host (GString *out, const char *start, const char *end)
{
  const char *path = start;
  while (path < end && !strchr ("/?#", *path))
    path++;
  const char *at = g_strrstr_len (start, path - start, "@");
  const char *host = at ? at + 1 : start;
  const bool has_more = memchr (path, '@', (gsize) (end - path)) != NULL;

  if (path == start && !has_more) { /* such as file:///path */
    g_string_append_len (out, start, end - start);
    return;
  }
  gsize n_bytes = (gsize) (path - host);
  while (n_bytes > 0 && strchr (".,;:!)'\"", host[n_bytes - 1]))
    n_bytes--;
  if (!has_more && is_host (host, n_bytes))
    g_string_append_len (out, host, (gssize) n_bytes);
  else
    g_string_append (out, "***");
}

/* @text, and of each URI in it, which end with a blank, scheme and host. */
static GString *
shorten_uris (const char *text)
{
  GString *out = g_string_new (NULL);
  const char *at;

  while ((at = strstr (text, "://"))) {
    const char *start = at + strlen ("://");
    const char *end = start + strcspn (start, WHITE);
    g_string_append_len (out, text, start - text);
    append_host (out, start, end);
    text = end;
  }
  return g_string_append (out, text);
}

char *
source_redact (const char *source, const char *text)
{
  if (!rtsp_scheme (source))
    return g_strdup (text);

  const Parts parts = take_apart (source);
  GString *out = shorten_uris (text);
  if (parts.user) {
    g_autofree char *both = g_strndup (parts.user, (gsize) (parts.host - 1 - parts.user));
    char *colon = strchr (both, ':');
    if (colon) {
      *colon = '\0';
      hide_escaped (out, colon + 1);
    }
    hide_user (out, both);
  }
  hide (out, parts.path);
  hide_values (out, parts.path);
  return g_string_free (out, FALSE);
}

void
source_split (const char *source, char **uri, char **user, char **password)
{
  const Parts parts = take_apart (source);

  *uri = g_strconcat (rtsp_scheme (source), parts.host, NULL);
  *user = *password = NULL;
  if (!parts.user)
    return;
  g_autofree char *both = g_strndup (parts.user, (gsize) (parts.host - 1 - parts.user));
  char *colon = strchr (both, ':');
  if (colon) {
    *colon = '\0';
    *password = g_uri_unescape_string (colon + 1, NULL);
  }
  *user = g_uri_unescape_string (both, NULL);
}
