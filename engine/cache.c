/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/cache.c - files with a header that is checked. */
#include "engine/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#define MAGIC "gst-yolov7 cache 1"
#define FOLDER "gst-yolov7"

char *
yv_cache_path (const char *kind, const char *owner)
{
  g_autofree char *name = g_strconcat (kind, "-", owner, NULL);

  if (g_strcmp0 (g_getenv ("YV_CACHE"), "off") == 0)
    return NULL;
  return g_build_filename (g_get_user_cache_dir (), FOLDER, name, NULL);
}

/* What a file of this content begins with; its length is not in it, as the checksum tells that. */
static char *
new_header (const char *kind, const char *identity, const void *content, size_t size_bytes)
{
  g_autofree char *checksum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, content, size_bytes);

  g_assert (strchr (identity, '\n') == NULL);
  return g_strdup_printf ("%s\n%s\n%s\n%s\n", MAGIC, kind, identity, checksum);
}

/* A pipe would be waited for, so nothing is waited for. -1: there is no such file. */
static int
open_regular (const char *path, size_t *size_bytes)
{
  const int fd = g_open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  struct stat about;

  if (fd < 0)
    return -1;
  if (fstat (fd, &about) != 0 || !S_ISREG (about.st_mode) || about.st_size < 0 ||
      about.st_size > (off_t) YV_CACHE_MAX_BYTES) {
    close (fd);
    errno = EFBIG;
    return -1;
  }
  *size_bytes = (size_t) about.st_size;
  return fd;
}

/* At most what it was when it was opened: it is not mapped, because it may be cut short meanwhile.
 */
static GBytes *
read_all (int fd, size_t size_bytes)
{
  uint8_t *bytes = g_malloc (size_bytes + 1);
  size_t n_read = 0;

  while (n_read < size_bytes) {
    const ssize_t n = read (fd, bytes + n_read, size_bytes - n_read);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    n_read += (size_t) n;
  }
  bytes[n_read] = '\0';
  return g_bytes_new_take (bytes, n_read);
}

static GBytes *
read_file (const char *path)
{
  size_t size_bytes = 0;
  const int fd = open_regular (path, &size_bytes);

  if (fd < 0) {
    g_debug ("%s: %s", path, g_strerror (errno));
    return NULL;
  }
  GBytes *file = read_all (fd, size_bytes);

  close (fd);
  return file;
}

/* The content starts behind the fourth line. 0: there is none. */
static size_t
header_bytes (const char *bytes, size_t size_bytes)
{
  const char *end = bytes;

  for (uint32_t i = 0; i < 4; i++) {
    end = memchr (end, '\n', size_bytes - (size_t) (end - bytes));
    if (!end)
      return 0;
    end++;
  }
  return (size_t) (end - bytes);
}

GBytes *
yv_cache_read (const char *kind, const char *owner, const char *identity)
{
  g_autofree char *path = yv_cache_path (kind, owner);
  g_autoptr (GBytes) file = path ? read_file (path) : NULL;
  size_t size_bytes = 0;

  if (!file)
    return NULL;
  const char *bytes = g_bytes_get_data (file, &size_bytes);
  const size_t start = header_bytes (bytes, size_bytes);
  g_autofree char *header = new_header (kind, identity, bytes + start, size_bytes - start);

  if (start == 0 || start != strlen (header) || memcmp (bytes, header, start) != 0) {
    g_debug ("%s: is broken, or of another device, driver or build; ignored", path);
    return NULL;
  }
  return g_bytes_new_from_bytes (file, start, size_bytes - start);
}

static bool
write_file (const char *path, const GString *file, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  if (g_mkdir_with_parents (folder, 0700) != 0) {
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", folder,
                 g_strerror (errno));
    return false;
  }
  return g_file_set_contents_full (path, file->str, (gssize) file->len,
                                   G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

bool
yv_cache_write (const char *kind, const char *owner, const char *identity, const void *content,
                size_t size_bytes)
{
  g_autofree char *path = yv_cache_path (kind, owner);
  g_autoptr (GError) error = NULL;

  if (!path)
    return false;
  g_autofree char *header = new_header (kind, identity, content, size_bytes);
  g_autoptr (GString) file = g_string_new (header);

  if (size_bytes > YV_CACHE_MAX_BYTES - file->len) {
    g_debug ("%s: %zu bytes are too many to be kept", path, size_bytes);
    return false;
  }
  g_string_append_len (file, content, (gssize) size_bytes);
  if (write_file (path, file, &error))
    return true;
  g_debug ("%s", error->message);
  return false;
}
