/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/link.h - one connection to the broker, until it breaks. The only user of
 * librabbitmq.
 *
 *   yolov7.cameras   quorum queue: a message is a camera; unacknowledged: somebody runs it
 *   yolov7.failed    quorum queue: cameras that failed again and again, and what is no camera, each
 *                    with the header yolov7-reason
 *   yolov7.control   stream: notes, which the broker keeps for seven days, but the newest 20 MB at
 *                    most, and every worker reads from the start
 *   yolov7.removals  stream: the same, of removals, and a worker's hello, which tells it that it
 * has read all of them: so that no other notes displace them
 *
 * After a failure nothing works but fleet_link_free(): what was unacknowledged the broker gives to
 * others. Errors are YV_ERROR_INVALID where the broker refuses (a wrong password, a queue that
 * exists with other arguments), so that to try again is of no use, and YV_ERROR_IO where it is away
 * or misbehaves. Functions block, for FLEET_ANSWER_S seconds at most where they wait for an answer.
 *
 * Threads: one at a time per object.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "examples/fleet/address.h"

G_BEGIN_DECLS

#define FLEET_CAMERAS "yolov7.cameras"
#define FLEET_FAILED "yolov7.failed"
#define FLEET_CONTROL "yolov7.control"
#define FLEET_REMOVALS "yolov7.removals"

/* The broker closes a connection that it has not heard of for between one and two of these, and so
 * do we: a worker that is cut off knows within 6 s. */
#define FLEET_HEARTBEAT_S 3
#define FLEET_ANSWER_S 8

typedef struct _FleetLink FleetLink;

/* Connects and logs in. @name: what the broker's own tools call this connection. */
FleetLink *fleet_link_new (const FleetAddress *address, const char *name, GError **error);
void fleet_link_free (FleetLink *link); /* NULL ok; the broker gives what is held to others */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetLink, fleet_link_free)

/* Makes queues and streams, or sees that they are there and have the same arguments. */
bool fleet_link_declare (FleetLink *link, GError **error);

/* Notes come from now on, with those that the broker has kept first. */
bool fleet_link_read_notes (FleetLink *link, GError **error);

/* Cameras come from now on, @prefetch of them and one more for each that is settled; the consumer
 * before that one gets none any more, but those on their way still come. 0: none. */
bool fleet_link_take_cameras (FleetLink *link, uint32_t consumer, uint32_t prefetch,
                              GError **error);

/* The messages of a queue come, @prefetch at a time, as FLEET_FROM_CAMERAS: to be looked through.
 */
bool fleet_link_read_queue (FleetLink *link, const char *queue, uint32_t prefetch, GError **error);

/* A queue that is there as long as the connection, for answers. Returns: its name, borrowed. */
const char *fleet_link_open_answers (FleetLink *link, GError **error);

/* How many messages of a queue nobody has taken. Returns: false on failure. */
bool fleet_link_count_waiting (FleetLink *link, const char *queue, uint32_t *n_waiting,
                               GError **error);

typedef enum { FLEET_FROM_CAMERAS, FLEET_FROM_CONTROL, FLEET_FROM_ANSWERS } FleetOrigin;

/* A message. */
typedef struct {
  FleetOrigin origin;
  uint64_t tag;        /* CAMERAS: for fleet_link_settle() */
  uint32_t consumer;   /* CAMERAS: whose it is */
  uint32_t attempts;   /* of the header yolov7-attempts */
  double failed_s;     /* of the header yolov7-failed-at; 0: none */
  char *reason;        /* (nullable): of the header yolov7-reason */
  uint64_t size_bytes; /* of the body; what is longer than FLEET_MAX_BODY_BYTES is cut off */
  GString *body;       /* any bytes */
} FleetArrival;

void fleet_arrival_free (FleetArrival *arrival); /* NULL ok */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetArrival, fleet_arrival_free)

/* Waits for the next message, or until there is something new to be said of what was sent, and
 * meanwhile keeps the connection alive: to be called at least once in FLEET_HEARTBEAT_S.
 * @wake: a descriptor that ends the wait when it can be read, or -1.
 * @arrival: (out) (transfer full): or NULL where none came in time. */
bool fleet_link_wait (FleetLink *link, int wake, gint64 timeout_us, FleetArrival **arrival,
                      GError **error);

/* Ends the hold on a camera's message: it is deleted, or goes back to the queue. */
bool fleet_link_settle (FleetLink *link, uint64_t tag, bool is_deleted, GError **error);

/* What is sent. Borrowed. */
typedef struct {
  const char *body;
  size_t size_bytes;
  uint32_t attempts;  /* 0: without that header, and yolov7-failed-at */
  double failed_s;    /* when the last of them was, in seconds since 1970 */
  const char *reason; /* (nullable) */
} FleetMessage;

/* Sends to a queue or stream, and waits until the broker has it for good. */
bool fleet_link_send (FleetLink *link, const char *queue, const FleetMessage *message,
                      GError **error);

/* The same without waiting: fleet_link_look_at_sent() tells what became of the last one. */
bool fleet_link_begin_to_send (FleetLink *link, const char *queue, const FleetMessage *message,
                               GError **error);

typedef enum { FLEET_UNDERWAY, FLEET_CONFIRMED, FLEET_REFUSED } FleetReceipt;

/* Fails where the broker, which does take messages, has not confirmed it within FLEET_ANSWER_S. */
bool fleet_link_look_at_sent (const FleetLink *link, FleetReceipt *receipt, GError **error);

const char *fleet_link_why_refused (const FleetLink *link);

/* A broker that is low on memory or disk space does not read what is sent to it, and says so.
 * Until it reads again nothing should be asked of it. Returns: why; or NULL: it reads. */
const char *fleet_link_why_blocked (const FleetLink *link);

/* Sends an answer to a queue that may be gone, and does not wait. */
bool fleet_link_answer (FleetLink *link, const char *queue, const char *text, GError **error);

G_END_DECLS
