/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/namesake.h - a host with more than one address, as tests need it: this comes before the
 * C library's getaddrinfo(), also for the libraries that a test is linked with.
 */
#pragma once

/* Nobody listens at the first of its addresses, 127.0.0.2; the second is 127.0.0.1. */
#define NAMESAKE_TWICE "twice.invalid"
/* The first is ::1, which tests do not listen at; the second is 127.0.0.1. */
#define NAMESAKE_BOTH_KINDS "both-kinds.invalid"

/* So that a test that is linked with this is seen to use it. */
void namesake_init (void);
