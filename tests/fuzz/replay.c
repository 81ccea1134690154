/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/fuzz/replay.c - gives every file of a folder, in order of name, to a fuzz target.
 * An input that takes too long or too much memory ends the program, which is a failure.
 * usage: PROGRAM FOLDER */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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

/* Address sanitizers reserve terabytes of addresses, so memory is bounded only without one. */
#if defined(__SANITIZE_ADDRESS__)
#define BOUND_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BOUND_MEMORY 0
#endif
#endif
#ifndef BOUND_MEMORY
#define BOUND_MEMORY 1
#endif

#define MAX_SECONDS 20 /* of one input; the slowest takes less than one */
#define MAX_MEMORY_BYTES ((rlim_t) 1 << 30)

static void
bound_memory (void)
{
  const struct rlimit limit = {MAX_MEMORY_BYTES, MAX_MEMORY_BYTES};

  if (BOUND_MEMORY)
    g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
}

int
main (int argc, char **argv)
{
  g_assert_cmpint (argc, ==, 2);

  g_autoptr (GPtrArray) names = list_folder (argv[1]);
  g_assert_cmpuint (names->len, >, 0);
  printf ("1..%u\n", names->len);
  bound_memory ();
  for (uint32_t i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *path = g_build_filename (argv[1], name, NULL);
    g_autofree char *bytes = NULL;
    size_t size_bytes;
    g_assert_true (g_file_get_contents (path, &bytes, &size_bytes, NULL));
    alarm (MAX_SECONDS); /* its signal is not caught: the plan stays unfulfilled */
    LLVMFuzzerTestOneInput ((const uint8_t *) bytes, size_bytes);
    alarm (0);
    printf ("ok %u - %s\n", i + 1, name);
    fflush (stdout);
  }
  return 0;
}
