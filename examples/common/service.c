/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/service.c - limits may always be raised up to the hard ones; systemd is told as
 * sd_notify(3) does it. */
#include "examples/common/service.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

static void
tell_systemd (const char *what)
{
  const char *path = g_getenv ("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const size_t length = path ? strlen (path) : 0;

  if (length == 0 || length > sizeof address.sun_path)
    return;
  memcpy (address.sun_path, path, length);
  if (*path == '@')
    address.sun_path[0] = '\0'; /* one that is in no folder */
  const int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length);
  if (fd < 0 ||
      sendto (fd, what, strlen (what), MSG_NOSIGNAL, (struct sockaddr *) &address, size) < 0)
    g_warning ("systemd can't be told %s: %s", what, g_strerror (errno));
  if (fd >= 0)
    close (fd);
}

static gboolean
tell_alive (gpointer unused)
{
  (void) unused;
  tell_systemd ("WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

void
service_tell_ready (void)
{
  const char *text = g_getenv ("WATCHDOG_USEC");
  guint64 period_us = 0;

  tell_systemd ("READY=1");
  if (text && g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT, &period_us, NULL))
    g_timeout_add (MAX ((guint) (period_us / 2000), 1), tell_alive, NULL);
}
