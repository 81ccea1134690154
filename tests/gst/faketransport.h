/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/faketransport.h - a transport that does what a test says.
 *
 * One at a time: what it was told to do, and what it was given, is in yv_fake.
 */
#pragma once

#include "gst/publish/transport.h"

G_BEGIN_DECLS

typedef struct {
  /* set by the test */
  bool is_refusing_config, is_unreachable;
  bool answers;                 /* for each record at once, inside of send() */
  bool poll_breaks;             /* the next poll() says that the connection is of no more use */
  int n_before_break;           /* records that are taken before send() is BROKEN; -1: never */
  int n_before_full;            /* not answered for, before send() is FULL; -1: never */
  uint64_t refused_id;          /* 0: none */
  void (*on_poll) (void *data); /* once, inside of the next poll() */
  void *on_poll_data;

  /* told by the transport */
  GPtrArray *texts; /* of all records that were taken, again and again */
  GArray *open;     /* of uint64_t: ids that were taken and not answered for */
  uint32_t n_connects, n_disconnects, n_polls, n_wakes;
  int last_timeout_ms; /* of connect() and poll() */
  bool is_connected, is_cancelled, is_freed;
  YvTransportEvents events;
} YvFake;

extern YvFake yv_fake;
extern const YvTransport yv_transport_fake;

/* Before each test: reachable, answers, nothing told. */
void yv_fake_reset (void);

/* Answers for the oldest @n that are open, as poll() would. */
void yv_fake_answer (uint32_t n);

G_END_DECLS
