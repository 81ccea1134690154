/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/replay.c - gives every file of a folder, in order of name, to a fuzz target.
 * usage: PROGRAM FOLDER */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "tests/fuzz/fuzz.h"

static int
compare_names (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static GPtrArray *
list_folder (const char *folder)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (dir)))
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

int
main (int argc, char **argv)
{
  g_assert_cmpint (argc, ==, 2);

  g_autoptr (GPtrArray) names = list_folder (argv[1]);
  g_assert_cmpuint (names->len, >, 0);
  printf ("1..%u\n", names->len);
  for (uint32_t i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *path = g_build_filename (argv[1], name, NULL);
    g_autofree char *bytes = NULL;
    size_t size_bytes;
    g_assert_true (g_file_get_contents (path, &bytes, &size_bytes, NULL));
    LLVMFuzzerTestOneInput ((const uint8_t *) bytes, size_bytes);
    printf ("ok %u - %s\n", i + 1, name);
    fflush (stdout);
  }
  return 0;
}
