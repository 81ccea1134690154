/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/holds.h - which cameras this worker holds, and which of several messages with one
 * name counts.
 *
 * A worker holds a camera while the message that describes it is unacknowledged. Of messages with
 * the same name the one that was added later counts; of two that were added at the same time the
 * one whose hold has the greater id. Workers find each other's through notes:
 *
 *   - who takes a camera says so (held);
 *   - who holds one with that name that counts more answers, against the other's id;
 *   - who holds one that counts less says so, too, and is then answered;
 *   - only who hears of an answer against its own id lets go.
 *
 * So a note of a worker that has died meanwhile deletes nothing: it answers no more.
 *
 * Removals are remembered, because a camera may come that was added before, from a worker that did
 * not live to hear of it, or from the queue.
 *
 * Pure: no broker, no GStreamer, no clock. Threads: one at a time per object.
 */
#pragma once

#include "examples/fleet/note.h"

G_BEGIN_DECLS

#define FLEET_REMOVAL_S (FLEET_NOTES_DAYS * 24.0 * 3600)

typedef struct {
  char *name;        /* owned */
  double added_s;    /* the message's, or when it was taken */
  char *id;          /* owned: another one each time a message is taken */
  uint64_t tag;      /* the delivery's */
  uint32_t consumer; /* the number of the consumer that it came to */
  uint32_t attempts; /* that failed before, on any worker, and are not forgotten */
  gint64 trial_us;   /* until when it is on trial (examples/fleet/history.h); 0: it is well */
  uint32_t company;  /* with how many it may be, itself among them */
} FleetHold;

void fleet_hold_free (FleetHold *hold); /* NULL ok */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetHold, fleet_hold_free)

typedef struct _FleetHolds FleetHolds;

FleetHolds *fleet_holds_new (void);
void fleet_holds_free (FleetHolds *holds); /* NULL ok */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetHolds, fleet_holds_free)

typedef enum {
  FLEET_TAKEN,    /* it is held now */
  FLEET_REPLACES, /* it is held now in the place of another */
  FLEET_REMOVED,  /* it was removed: acknowledge it */
  FLEET_REPLACED, /* a later one is held: acknowledge it */
  FLEET_NO_ROOM,  /* give it back */
} FleetVerdict;

/* A message has come. @hold: (transfer full): freed unless it is held now.
 * @capacity: cameras, with this one.
 * @other: (out) (transfer full): with FLEET_REPLACES the hold that ended; else NULL. */
FleetVerdict fleet_holds_take (FleetHolds *holds, FleetHold *hold, uint32_t capacity,
                               FleetHold **other);

/* Returns: (transfer full): the hold that ended, or NULL. Also remembers it. @now_s forgets what is
 * older than FLEET_REMOVAL_S. */
FleetHold *fleet_holds_remove (FleetHolds *holds, const char *name, double at_s, double now_s);

/* Until when a removal removes cameras of that name; negative: there was none. */
double fleet_holds_removed_s (const FleetHolds *holds, const char *name);

/* Another worker says that it holds a camera.
 * @answer: (out) (transfer full): what to tell all, or NULL.
 * Returns: (transfer full): the hold that ended, or NULL. */
FleetHold *fleet_holds_hear (FleetHolds *holds, const FleetNote *held, FleetNote **answer);

/* Ends one for another reason. Returns: (transfer full): or NULL where it isn't held. */
FleetHold *fleet_holds_drop (FleetHolds *holds, const char *name);

/* It is not on trial any more. */
void fleet_holds_trust (FleetHolds *holds, const char *name);

/* How many cameras it may hold at the moment, at most @capacity, where the next one may be on trial
 * with @company. */
uint32_t fleet_holds_limit (const FleetHolds *holds, uint32_t capacity, uint32_t company,
                            gint64 now_us);

/* The connection is gone, and with it every hold and consumer; removals stay. */
void fleet_holds_forget (FleetHolds *holds);

const FleetHold *fleet_holds_get (const FleetHolds *holds, const char *name); /* or NULL */
const FleetHold *fleet_holds_newest (const FleetHolds *holds);                /* or NULL */
uint32_t fleet_holds_n (const FleetHolds *holds);

/* (transfer full): what all workers are to hear of a hold. */
FleetNote *fleet_hold_note (const FleetHold *hold, const char *against);

/* ---- how many more ----------------------------------------------------------------------------
 *
 * The broker gives a consumer as many unacknowledged messages as its prefetch, which never changes.
 * So where capacity changes, or a camera of an earlier consumer is gone, a new one takes over. */

/* Whether a new consumer has to ask for @prefetch more messages; 0: none is to ask.
 * @n_parked: messages that came to the consumer, wait unacknowledged, and take nobody's place. */
bool fleet_holds_must_ask (const FleetHolds *holds, uint32_t capacity, uint32_t n_parked,
                           uint32_t *prefetch);

/* The new consumer is there. Returns: its number. */
uint32_t fleet_holds_asked (FleetHolds *holds, uint32_t prefetch);

G_END_DECLS
