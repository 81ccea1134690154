/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/service.c - limits may always be raised up to the hard ones. */
#include "examples/common/service.h"

#include <sys/resource.h>

guint
service_raise_files (void)
{
  struct rlimit files;

  if (getrlimit (RLIMIT_NOFILE, &files) != 0)
    return G_MAXINT;
  const rlim_t soft = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &files) != 0)
    files.rlim_cur = soft;
  return (guint) MIN (files.rlim_cur, (rlim_t) G_MAXINT);
}
