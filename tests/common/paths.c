/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/paths.c - where the tests find their files. */
#include "tests/common/paths.h"

static const char *
source_root (void)
{
  const char *root = g_getenv ("YV_SOURCE_ROOT");

  return root ? root : ".";
}

char *
yv_test_source_path (const char *path)
{
  return g_build_filename (source_root (), path, NULL);
}

char *
yv_test_shared_path (const char *path)
{
  const char *shared = g_getenv ("YV_SHARED");
  g_autofree char *full = shared ? g_build_filename (shared, path, NULL)
                                 : g_build_filename (source_root (), "..", "shared", path, NULL);

  return g_file_test (full, G_FILE_TEST_EXISTS) ? g_steal_pointer (&full) : NULL;
}
