/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/courier.h - the thread that talks with the broker, and connects again and again.
 *
 * In:    what the worker asks for.
 * Out:   news, in the main context that was the thread's default when the courier was made.
 *
 * Each connection is a session with a number. What is asked for an earlier one is dropped: its
 * deliveries are nobody's any more. Requests are carried out in their order, each after what was
 * sent before it has been confirmed; they wait while the broker is low on memory or disk space and
 * so reads nothing, but what it sends comes. When a session ends, the courier tells so and waits
 * until the worker is idle before it connects again; a worker that is not within FLEET_STOP_S is
 * ended, since others analyse its cameras already.
 *
 * Functions do not block, unless they say so. Threads: the one of the main context.
 */
#pragma once

#include "examples/fleet/link.h"

G_BEGIN_DECLS

/* Together with the heartbeats less than the 15 s in which two may analyse one camera. */
#define FLEET_STOP_S 5

typedef struct _FleetCourier FleetCourier;

typedef enum {
  FLEET_CONNECTED, /* a session began; notes come, and no cameras yet */
  FLEET_LOST,      /* it ended: stop everything, then fleet_courier_idle() */
  FLEET_AWAY,      /* there was no connection; the next attempt follows */
  FLEET_ARRIVED,   /* a camera or a note */
  FLEET_UNSENT,    /* the broker refused what was to take the place of a delivery, which stays */
} FleetNewsKind;

typedef struct {
  FleetNewsKind kind;
  uint32_t session;
  const FleetArrival *arrival; /* ARRIVED */
  uint64_t tag;                /* UNSENT: the delivery's */
  const GError *error;         /* LOST, AWAY: YV_ERROR_INVALID where the broker refuses; UNSENT */
} FleetNews;

typedef void (*FleetNewsFunc) (const FleetNews *news, gpointer user_data);

/* @address: copied. @name: of the worker. Starts the thread. */
FleetCourier *fleet_courier_new (const FleetAddress *address, const char *name, FleetNewsFunc tell,
                                 gpointer user_data);

/* Carries out what was asked for, for which it waits up to some seconds where the broker does not
 * answer, and ends the session; nothing is told afterwards. NULL ok */
void fleet_courier_free (FleetCourier *courier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetCourier, fleet_courier_free)

/* As fleet_link_take_cameras(). */
void fleet_courier_take (FleetCourier *courier, uint32_t session, uint32_t consumer,
                         uint32_t prefetch);

/* As fleet_link_settle(). */
void fleet_courier_settle (FleetCourier *courier, uint32_t session, uint64_t tag, bool is_deleted);

/* Sends a message to a queue or stream. @tag: 0, or a delivery that is deleted when the broker has
 * that. @message: copied. */
void fleet_courier_send (FleetCourier *courier, uint32_t session, uint64_t tag, const char *queue,
                         const FleetMessage *message);

void fleet_courier_answer (FleetCourier *courier, uint32_t session, const char *queue,
                           const char *text);

/* Nothing of that session is analysed any more. */
void fleet_courier_idle (FleetCourier *courier, uint32_t session);

G_END_DECLS
