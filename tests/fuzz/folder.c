/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/folder.c - the files of a fuzz target's folder, kept by name until the end. */
#include "tests/fuzz/folder.h"

#include <stdlib.h>

#include <glib/gstdio.h>

#include "engine/error.h"

#define MAX_FILES 4

static char *folder, *paths[MAX_FILES];

static void
remove_all (void)
{
  for (uint32_t i = 0; i < MAX_FILES; i++) {
    if (paths[i])
      g_remove (paths[i]);
    g_free (paths[i]);
  }
  g_rmdir (folder);
  g_free (folder);
}

static const char *
path_of (const char *name)
{
  if (!folder) {
    folder = g_dir_make_tmp ("yv-fuzz-XXXXXX", NULL);
    g_assert_nonnull (folder);
    atexit (remove_all);
  }
  g_autofree char *path = g_build_filename (folder, name, NULL);
  uint32_t i = 0;
  while (i < MAX_FILES && paths[i] && !g_str_equal (paths[i], path))
    i++;
  g_assert_cmpuint (i, <, MAX_FILES);
  if (!paths[i])
    paths[i] = g_steal_pointer (&path);
  return paths[i];
}

const char *
fuzz_put (const char *name, const void *bytes, size_t size_bytes)
{
  const char *path = path_of (name);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) size_bytes, NULL));
  return path;
}

void
fuzz_put_picture (const char *name)
{
  static const char ppm[] = "P6 1 1 255\n\1\2\3";

  fuzz_put (name, ppm, sizeof ppm - 1);
}

void
fuzz_check_error (const void *made, const GError *error)
{
  g_assert_true ((made == NULL) == (error != NULL));
  if (error)
    g_assert_true (error->domain == YV_ERROR && g_utf8_validate (error->message, -1, NULL));
}
