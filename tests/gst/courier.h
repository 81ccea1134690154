/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/courier.h - a publisher at work, with records for got.h, and counts of what it says.
 */
#pragma once

#include "gst/publish/publisher.h"

G_BEGIN_DECLS

typedef struct {
  YvPublisher *publisher;
  gint n_troubles, n_recoveries; /* atomic */
  bool is_stopped;
} Courier;

/* Its outbox holds 100,000 records, and it tries to connect at least each second. */
Courier *courier_new (const YvTransport *transport, const YvTransportConfig *config);
void courier_free (Courier *courier); /* stops it; what is left is lost */

/* Ends it at once. Returns: how many records are lost. */
uint64_t courier_stop (Courier *courier);

/* @n records from @first on. */
void courier_push (Courier *courier, uint32_t first, uint32_t n);

/* Waits for everything to arrive, at most a minute; @n records in all did, and none was dropped,
 * refused or lost. */
void courier_assert_all_arrive (Courier *courier, uint32_t n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Courier, courier_free)

G_END_DECLS
