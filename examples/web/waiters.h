/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/waiters.h - requests that are answered a little later.
 *
 * The first viewer of a camera asks for a playlist before there is a segment. Players take 503 for
 * the end, so the answer waits until there is one, for WAITERS_PATIENCE_S at most.
 *
 * Threads: the server's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

G_BEGIN_DECLS

#define WAITERS_PATIENCE_S 6 /* less than what our page waits */

typedef struct _SoupServerMessage SoupServerMessage;
typedef struct _Waiters Waiters;

/* Answers @message if it can be answered now; if @is_last it has to. @what: of waiters_add()
 * Returns: whether it did */
typedef bool (*WaitersAnswer) (SoupServerMessage *message, gpointer what, bool is_last);

Waiters *waiters_new (WaitersAnswer answer);
void waiters_free (Waiters *self); /* NULL ok; who waits is answered */

/* @what: borrowed: it outlives the waiters */
void waiters_add (Waiters *self, SoupServerMessage *message, gpointer what);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Waiters, waiters_free)

G_END_DECLS
