/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/labels.c - class names from a text file, instead of those in the checkpoint. */
#include "gst/labels.h"

#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>

/* 9999 classes of 100 bytes; whoever names a video here should be told so, not wait. */
#define MAX_FILE_BYTES 1000000

/* A special file (a pipe, /dev/zero) would never end. */
static gboolean
check_file (const char *path, GError **error)
{
  GStatBuf info;

  if (g_stat (path, &info) != 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "label-file %s: %s", path, g_strerror (errno));
    return FALSE;
  }
  if (!S_ISREG (info.st_mode)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "label-file %s: not a regular file", path);
    return FALSE;
  }
  if (info.st_size > MAX_FILE_BYTES) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "label-file %s: %" G_GINT64_FORMAT
                 " bytes, expected a text of at most %d with one class name a line",
                 path, (gint64) info.st_size, MAX_FILE_BYTES);
    return FALSE;
  }
  return TRUE;
}

static char *
read_text (const char *path, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;

  if (!check_file (path, error))
    return NULL;
  if (!g_file_get_contents (path, &text, &size, &cause)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "label-file: %s", cause->message);
    return NULL;
  }
  const char *end = text;
  if (!g_utf8_validate (text, (gssize) size, &end)) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "label-file %s: byte %" G_GSIZE_FORMAT
                 " is not UTF-8, expected a text with one class name a line",
                 path, (gsize) (end - text));
    return NULL;
  }
  return g_steal_pointer (&text);
}

/* Frees each line it drops. */
static guint
drop_empty_end (char **lines)
{
  guint n = g_strv_length (lines);

  while (n > 0 && *lines[n - 1] == '\0')
    g_clear_pointer (&lines[--n], g_free);
  return n;
}

char **
gst_yolov7_labels_read (const char *path, guint n_classes, GError **error)
{
  g_autofree char *text = read_text (path, error);
  if (!text)
    return NULL;

  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    g_strstrip (lines[i]);
  const guint n = drop_empty_end (lines);
  if (n != n_classes) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "label-file %s: %u name%s, but the model has %u class%s; write one name a line, "
                 "in the order of the training's data.yaml",
                 path, n, n == 1 ? "" : "s", n_classes, n_classes == 1 ? "" : "es");
    return NULL;
  }
  return g_steal_pointer (&lines);
}

static gboolean
is_index (const char *text)
{
  return *text && strspn (text, "0123456789") == strlen (text);
}

/* As the engine compares: any case, and digits alone are an index. */
static gint
find_label (char *const *labels, const char *name)
{
  for (guint i = 0; labels[i] && !is_index (name); i++)
    if (g_ascii_strcasecmp (labels[i], name) == 0)
      return (gint) i;
  return -1;
}

char *
gst_yolov7_labels_resolve (char *const *labels, const char *classes)
{
  if (!labels || !classes)
    return g_strdup (classes);

  g_auto (GStrv) names = g_strsplit (classes, ",", -1);
  for (guint i = 0; names[i]; i++) {
    const gint index = find_label (labels, g_strstrip (names[i]));
    if (index < 0)
      continue;
    g_free (names[i]);
    names[i] = g_strdup_printf ("%d", index);
  }
  return g_strjoinv (",", names);
}
