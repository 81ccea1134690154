/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/file.c - asks the file system, and opens nothing. */
#include "common/file.h"

#include <errno.h>
#include <sys/stat.h>

#include "engine/error.h"

bool
yv_check_is_file (const char *path, const char *expected, GError **error)
{
  struct stat status;

  if (stat (path, &status) != 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be opened: %s; expected %s", path,
                 g_strerror (errno), expected);
    return false;
  }
  if (S_ISREG (status.st_mode))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: is %s; expected %s", path,
               S_ISDIR (status.st_mode) ? "a directory" : "no regular file", expected);
  return false;
}
