/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/carrier.h - a transport under test, driven without a publisher, and all that it says.
 *
 * Whatever it says, as an error, a refusal or a line of its log, is looked through for the secret,
 * which tests give as the password.
 */
#pragma once

#include "gst/publish/transport.h"

G_BEGIN_DECLS

#define CARRIER_SECRET "tr0ub4dor-and-3"

typedef struct {
  const YvTransport *transport;
  void *self;
  GArray *done;      /* of uint64_t: ids in the order in which they were answered for */
  char *refusal;     /* (nullable): the last one */
  GString *log;      /* all lines */
  GError *error;     /* (nullable): of what failed last */
  uint32_t n_polled; /* how often poll() returned */
} Carrier;

/* The test fails where @config is refused. */
Carrier *carrier_new (const YvTransport *transport, const YvTransportConfig *config);
void carrier_free (Carrier *carrier); /* looks for the secret */

/* Returns: why @config is refused; the test fails where it isn't. Free with g_free(). */
char *carrier_refuse (const YvTransport *transport, const YvTransportConfig *config);

/* The test fails where it does. */
void carrier_connect (Carrier *carrier);
/* Returns: the message; the test fails where it connects. Owned by the carrier. */
const char *carrier_fail_to_connect (Carrier *carrier, int timeout_ms);

/* Tries to connect, each time for @timeout_ms, until the message has @part: what a broker did in
 * that time is chance. Returns: as the last one. */
const char *carrier_fail_until_it_says (Carrier *carrier, int timeout_ms, const char *part);

/* Sends @n records, {"sequence":<id>}, from id @first on, and polls where it is full. Returns:
 * false with carrier->error where the connection broke. */
bool carrier_send (Carrier *carrier, uint64_t first, uint32_t n);

/* Polls until so many in all were answered for. Returns: as carrier_send(). */
bool carrier_wait_for (Carrier *carrier, guint n_done);
/* Polls until the connection breaks. Returns: the message, owned by the carrier. */
const char *carrier_wait_for_break (Carrier *carrier);

/* Those of ids @first to @first + @n - 1 were answered for, in this order, as the last ones. */
void carrier_assert_done (const Carrier *carrier, uint64_t first, uint32_t n);

/* @text holds @part; on failure both are printed. */
void carrier_assert_says (const char *text, const char *part);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Carrier, carrier_free)

G_END_DECLS
