/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/link-private.h - what link.c, which asks and sends, and arrivals.c, which reads,
 * share.
 */
#pragma once

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#endif

#include "examples/fleet/link.h"

G_BEGIN_DECLS

/* A channel each, because an error closes a channel with all that is on it. */
#define CAMERAS_CHANNEL 1 /* cameras and answers come in */
#define CONTROL_CHANNEL 2 /* notes come in; all that is sent goes out, and is confirmed */
#define N_CHANNELS 3

#define ANSWERS_TAG "answers" /* of the consumer */
#define CONTROL_TAG "control"
#define REMOVALS_TAG "removals"
#define CAMERAS_TAG "cameras-%u"

struct _FleetLink {
  amqp_connection_state_t connection;
  char *shown; /* for messages */
  char *answers;
  char consumer_tag[32]; /* of who takes cameras now; "" for nobody */

  GQueue arrived;                   /* of FleetArrival *, complete, in order */
  FleetArrival *coming[N_CHANNELS]; /* whose body is not complete */
  bool has_content[N_CHANNELS];     /* properties and body follow, of what is coming or came back */
  uint64_t n_left_bytes[N_CHANNELS]; /* of the body */

  uint64_t n_sent, n_confirmed; /* with confirmation, on CONTROL_CHANNEL */
  bool is_returned, is_refused; /* of the last one sent */
  gint64 sent_us;               /* when that was, or the broker began to read again */
  char *blocked;                /* (nullable): why it does not read */
  bool has_news;                /* of what was sent */
};

/* Reads one frame and takes it in. @n_frames: (out): 0 where none came. */
bool fleet_link_read_frame (FleetLink *link, gint64 timeout_us, uint32_t *n_frames, GError **error);

/* Waits until the broker has what was sent last. */
bool fleet_link_wait_confirmed (FleetLink *link, GError **error);

/* @status: of librabbitmq, negative. Returns: false. */
bool fleet_link_fail (const FleetLink *link, const char *what, int status, GError **error);

/* What the broker says when it closes a channel or the connection. Returns: false. */
bool fleet_link_fail_closed (const FleetLink *link, const char *what, const amqp_method_t *method,
                             GError **error);

G_END_DECLS
