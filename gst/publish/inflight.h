/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/inflight.h - the records that a broker was sent and has not answered for, oldest
 * first.
 *
 * Threads: one at a time per object.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  uint64_t id;      /* the publisher's */
  int mid;          /* the library's, where it has one */
  bool is_answered; /* and waits for older ones to be */
} YvSent;

typedef struct {
  YvSent *ring; /* @max of them; they stay where they are while they are in it */
  uint32_t max, first, n;
} YvInFlight;

void yv_in_flight_init (YvInFlight *self, uint32_t max);
void yv_in_flight_clear (YvInFlight *self); /* zeroed is ok */

/* Returns: the new youngest one, mid 0; it stays valid until it is answered. n < max. */
YvSent *yv_in_flight_add (YvInFlight *self, uint64_t id);

/* The youngest one was not sent after all; n > 0. */
void yv_in_flight_take_back (YvInFlight *self);

/* Returns: the oldest one with this mid that is not answered, or NULL. */
YvSent *yv_in_flight_find (YvInFlight *self, int mid);

void yv_in_flight_answer (YvInFlight *self, YvSent *sent);

void yv_in_flight_forget (YvInFlight *self); /* all of them */

G_END_DECLS
