/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/common/wrongsum.c - a checkpoint with a wrong checksum. */
#include "tests/common/wrongsum.h"

#include <string.h>

char *
yv_test_write_wrong_sum (const char *good, const char *folder)
{
  char *path = g_build_filename (folder, "wrong-sum.pt", NULL);
  g_autofree char *bytes = NULL;
  gsize size_bytes;

  g_assert_true (g_file_get_contents (good, &bytes, &size_bytes, NULL));
  gsize row = size_bytes - 46;
  while (memcmp (bytes + row, "PK\1\2", 4) != 0)
    row--;
  bytes[row + 16] = (char) ~bytes[row + 16];
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size_bytes, NULL));
  return path;
}
