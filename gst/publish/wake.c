/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/wake.c - what ends the waits of a transport's worker. */
#include "gst/publish/wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool
yv_wake_init (YvWake *self)
{
  self->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  atomic_init (&self->is_cancelled, false);
  return self->fd >= 0;
}

void
yv_wake_clear (YvWake *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

void
yv_wake_up (YvWake *self)
{
  /* It fails only where so many wakes wait already that one more changes nothing. */
  (void) eventfd_write (self->fd, 1);
}

void
yv_wake_cancel (YvWake *self)
{
  atomic_store (&self->is_cancelled, true);
  yv_wake_up (self);
}

bool
yv_wake_is_cancelled (const YvWake *self)
{
  return atomic_load (&self->is_cancelled);
}

bool
yv_wake_wait (YvWake *self, struct pollfd *other, int timeout_ms)
{
  struct pollfd fds[] = {
      {.fd = self->fd, .events = POLLIN},
      {.fd = other ? other->fd : -1, .events = other ? other->events : 0},
  };
  eventfd_t n_wakes;

  if (poll (fds, G_N_ELEMENTS (fds), timeout_ms) < 0 && errno != EINTR)
    return false;
  if (fds[0].revents)
    (void) eventfd_read (self->fd, &n_wakes); /* nobody else reads it: there is a number */
  if (other)
    other->revents = fds[1].revents;
  return true;
}
