/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/publisher.h - records on their way out, whatever the network does.
 *
 * In:    records, each a JSON object, from the streaming thread, which never waits here.
 * Out:   the same records in the same order through a transport, from a worker thread; each at
 *        least once unless it is dropped, and counted, because the outbox is full, the transport
 *        refused it, or time is up at the end.
 *
 * A connection that can't be made, or breaks, is an outage: it is told once, and once more when it
 * is over, by YvPublisherEvents. Meanwhile records pile up in the outbox, and connections are tried
 * after 1 s, 2 s, 4 s ... up to max_wait_us, each shortened by chance by up to a half so that many
 * publishers don't come back to a broker at the same moment. An outage is over when a record has
 * arrived, or none is there to: a transport that connects and breaks at once does not start over.
 * Records that were sent when a connection broke are sent again, in order, with
 * "redelivered": true. Outages that follow each other closely are told once in ten seconds.
 *
 * Threads: push(), stats() and drain() on any; step() on one alone, which start()
 * makes and stop() ends. Tests call step() themselves, with a clock of their own.
 */
#pragma once

#include "gst/publish/transport.h"

G_BEGIN_DECLS

typedef struct _YvPublisher YvPublisher;

/* What the user should know. On the worker's thread, without any lock. */
typedef struct {
  /* An outage began, or nothing is tried any more, or records are lost: @error says which, why, and
   * what to do. */
  void (*trouble) (void *user_data, const GError *error);
  /* It is over. @text: "the broker is back after 12 s; 40 records were sent again" */
  void (*recovery) (void *user_data, const char *text);
  void (*log) (void *user_data, const char *text); /* of the transport; on any thread */
  void *user_data;
} YvPublisherEvents;

typedef struct {
  uint32_t max_records; /* >= 1; in the outbox */
  size_t max_bytes;
  int64_t rest_us;      /* after all was sent; records that come meanwhile go together, so that a
                           fast stream is not interrupted by the worker for each of them */
  int64_t max_wait_us;  /* >= 1 s: the longest time between two attempts to connect */
  int max_attempts;     /* in one outage, then nothing is tried any more; <= 0: for ever */
  uint32_t random_seed; /* of what shortens the waits */
} YvPublisherOptions;

/* Counts since the start. Each record that was pushed has arrived, was dropped, refused or lost, or
 * waits; those that have arrived before an older one wait for it, too. */
typedef struct {
  uint64_t n_pushed;      /* records */
  uint64_t n_arrived;     /* the transport said so */
  uint64_t n_dropped;     /* the outbox was full, or nothing is tried any more */
  uint64_t n_refused;     /* the transport said that they can't ever arrive */
  uint64_t n_lost;        /* were there when time was up at the end */
  uint64_t n_sent_again;  /* records taken back when connections broke */
  uint64_t n_connections; /* made */
  uint64_t n_outages;
  uint64_t n_attempts_failed; /* connections that could not be made, or broke before any use */
  uint32_t n_waiting;         /* now in the outbox */
  size_t n_waiting_bytes;
  bool is_connected; /* now */
  bool has_given_up;
} YvPublisherStats;

/**
 * yv_publisher_new:
 * @transport: outlives the publisher
 * @config: borrowed for the call
 *
 * Returns: NULL with an error where the transport refuses @config.
 */
YvPublisher *yv_publisher_new (const YvTransport *transport, const YvTransportConfig *config,
                               const YvPublisherOptions *options, const YvPublisherEvents *events,
                               GError **error);

/* After stop(), or where start() was never called. NULL ok. */
void yv_publisher_free (YvPublisher *publisher);

/* Starts the worker. */
void yv_publisher_start (YvPublisher *publisher);

/* @text: a JSON object of @n_bytes; copied. Never waits for the transport. */
void yv_publisher_push (YvPublisher *publisher, const char *text, size_t n_bytes);

/* Waits until nothing is in the outbox, at most @timeout_us, not at all between interrupt() and
 * resume(). Where there is no connection the next attempt is made now. Returns: whether it is
 * empty. Needs a worker. */
bool yv_publisher_drain (YvPublisher *publisher, int64_t timeout_us);

/* Ends a drain() that waits, and those that come until resume(); any thread. */
void yv_publisher_interrupt (YvPublisher *publisher);
void yv_publisher_resume (YvPublisher *publisher);

/* Drains for at most @timeout_us, drops the rest as lost, disconnects and ends the worker.
 * Returns: how many records were lost. */
uint64_t yv_publisher_stop (YvPublisher *publisher, int64_t timeout_us);

YvPublisherStats yv_publisher_stats (YvPublisher *publisher);

/**
 * yv_publisher_step:
 * @now_us: a clock that never goes back
 *
 * Does the next piece of work: connects, or sends what can be sent and polls once.
 *
 * Returns: when to call it again, in terms of @now_us; not later than it for "at once"; -1 at the
 * end, when no transport is connected and everything is sent or lost.
 */
int64_t yv_publisher_step (YvPublisher *publisher, int64_t now_us);

/* For tests: what stop() does before it waits for the worker. @until_us: when time is up. */
void yv_publisher_finish (YvPublisher *publisher, int64_t until_us);

/* How long to wait before attempt @n_failed + 1, without what chance takes from it: 1 s, doubled
 * with each failure, at most @max_us. @n_failed: >= 1 */
int64_t yv_publisher_wait_us (uint32_t n_failed, int64_t max_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvPublisher, yv_publisher_free)

G_END_DECLS
