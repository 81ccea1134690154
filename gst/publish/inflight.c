/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/inflight.c - the records that a broker was sent and has not answered for. */
#include "gst/publish/inflight.h"

void
yv_in_flight_init (YvInFlight *self, uint32_t max)
{
  *self = (YvInFlight){.ring = g_new0 (YvSent, max), .max = max};
}

void
yv_in_flight_clear (YvInFlight *self)
{
  g_free (self->ring);
  *self = (YvInFlight){0};
}

static YvSent *
nth (YvInFlight *self, uint32_t i)
{
  return &self->ring[(self->first + i) % self->max];
}

YvSent *
yv_in_flight_add (YvInFlight *self, uint64_t id)
{
  g_assert (self->n < self->max);
  YvSent *sent = nth (self, self->n++);
  *sent = (YvSent){.id = id};
  return sent;
}

void
yv_in_flight_take_back (YvInFlight *self)
{
  g_assert (self->n > 0);
  self->n--;
}

YvSent *
yv_in_flight_find (YvInFlight *self, int mid)
{
  /* Brokers acknowledge in order, so it is nearly always the first. */
  for (uint32_t i = 0; i < self->n; i++) {
    YvSent *sent = nth (self, i);
    if (sent->mid == mid && !sent->is_answered)
      return sent;
  }
  return NULL;
}

void
yv_in_flight_answer (YvInFlight *self, YvSent *sent)
{
  sent->is_answered = true;
  while (self->n > 0 && nth (self, 0)->is_answered) {
    self->first = (self->first + 1) % self->max;
    self->n--;
  }
}

void
yv_in_flight_forget (YvInFlight *self)
{
  self->first = self->n = 0;
}
