/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/wake.h - what ends the waits of a transport's worker: wake() and cancel() of
 * gst/publish/transport.h.
 *
 * Threads: up(), cancel() and is_cancelled() on any; wait() on the worker's alone.
 */
#pragma once

#include <glib.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef struct {
  int fd; /* an eventfd: who writes an eventfd_t of 1 to it calls up(); negative: none */
  atomic_bool is_cancelled;
} YvWake;

/* Returns: false with errno; @self may be cleared, and is of no other use. */
bool yv_wake_init (YvWake *self);
void yv_wake_clear (YvWake *self);

/* Ends the wait() that is under way, or the next one. */
void yv_wake_up (YvWake *self);

/* The same, and says so from then on. */
void yv_wake_cancel (YvWake *self);
bool yv_wake_is_cancelled (const YvWake *self);

/**
 * yv_wake_wait:
 * @other: (nullable): waited for, too; out: its revents; its fd may be negative
 * @timeout_ms: 0: don't wait; negative: for ever
 *
 * Waits for up(), @other, a signal, or the time.
 *
 * Returns: false with errno.
 */
bool yv_wake_wait (YvWake *self, struct pollfd *other, int timeout_ms);

G_END_DECLS
