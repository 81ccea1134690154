/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/stepping.h - a publisher with the transport of faketransport.h, which a test moves on
 * step by step, with a clock of its own.
 */
#pragma once

#include "gst/publish/publisher.h"
#include "tests/gst/faketransport.h"

G_BEGIN_DECLS

#define S G_USEC_PER_SEC
#define START (1000 * S)

/* What the publisher told: of char *. */
extern GPtrArray *troubles, *recoveries;

/* @options: where something is 0, it is large enough to be out of the way */
YvPublisher *publisher_new (YvPublisherOptions options);

/* @n records, {"n":first} and so on. */
void push_records (YvPublisher *publisher, int first, int n);

/* Steps until there is something to wait for other than the transport, or @most steps are done.
 * Returns: what the last step said. */
int64_t steps (YvPublisher *publisher, int64_t now_us, int most);

/* The record that was taken as number @i, from 0. */
void assert_text (guint i, const char *expected);

/* Each record has one fate. */
void assert_adds_up (YvPublisher *publisher);

/* Ends and frees @publisher, whose worker was never started. */
void end (YvPublisher *publisher);

G_END_DECLS
