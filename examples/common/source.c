/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/source.c - takes URIs apart by itself, because what GLib can't parse must not
 * show either. */
#include "examples/common/source.h"

#include <string.h>

#include "common/excerpt.h"
#include "engine/error.h"
#include "examples/common/config.h"

static const char *const rtsp_schemes[] = {"rtsp://", "rtsps://", "rtspt://", "rtspu://",
                                           "rtsph://"};

/* NULL where it is none. */
static const char *
rtsp_scheme (const char *source)
{
  for (guint i = 0; i < G_N_ELEMENTS (rtsp_schemes); i++)
    if (g_str_has_prefix (source, rtsp_schemes[i]))
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

  if (!end || end == copy || strpbrk (copy, " \t\r\n@%"))
    return false;
  end += *copy == '[' ? 1 : 0;
  return *end == '\0' ||
         (*end == ':' && g_ascii_string_to_unsigned (end + 1, 10, 1, 65535, NULL, NULL));
}

static bool
check_rtsp (const char *text, GError **error)
{
  const Parts parts = take_apart (text);

  if (is_host (parts.host, (gsize) (parts.path - parts.host)))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "source is no address of a camera; expected rtsp://host:port/path, or "
               "rtsp://user:password@host:port/path with @ / : ? in a password as %%40 %%2F %%3A "
               "%%3F");
  return false;
}

static bool
check_test (const char *text, GError **error)
{
  const char *pattern = text + strlen ("test:");

  if (*pattern && strspn (pattern, "abcdefghijklmnopqrstuvwxyz0123456789-=,/") == strlen (pattern))
    return true;
  g_autofree char *found = yv_excerpt (text);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "source is \"%s\"; expected test:PATTERN of videotestsrc, such as test:ball or "
               "test:ball,width=320,height=180,framerate=10/1",
               found);
  return false;
}

/* A path, or a file:// URI. */
static char *
complete_path (const char *text, const char *file, GError **error)
{
  if (g_str_has_prefix (text, "file://")) {
    g_autoptr (GError) problem = NULL;
    char *path = g_filename_from_uri (text, NULL, &problem);
    if (!path)
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "source: %s", problem->message);
    return path;
  }
  if (!strstr (text, "://"))
    return config_path (file, text);
  g_autofree char *scheme = g_uri_parse_scheme (text);
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "source has the scheme \"%s\"; expected rtsp://, rtsps://, rtspt://, v4l2://, "
               "file://, a path, or test:PATTERN",
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
  return g_strdup (text);
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

/* Every @secret in @text. */
static void
hide (GString *text, const char *secret)
{
  if (secret && *secret && !g_str_equal (secret, "/"))
    g_string_replace (text, secret, "***", 0);
}

char *
source_redact (const char *source, const char *text)
{
  GString *out = g_string_new (text);

  if (rtsp_scheme (source)) {
    g_autofree char *uri = NULL, *user = NULL, *password = NULL;
    const Parts parts = take_apart (source);
    source_split (source, &uri, &user, &password);
    g_autofree char *as_written =
        parts.user ? g_strndup (parts.user, (gsize) (parts.host - parts.user)) : NULL;
    hide (out, as_written);
    hide (out, password);
    hide (out, user);
    hide (out, parts.path);
  }
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
