/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/peers.h - how many connections each address has, so that none takes the place of all
 * others.
 *
 * A peer is an address of IPv4, or the first half of one of IPv6, of which a client has as many as
 * it likes. What is no Internet address is all one peer.
 *
 * Threads: one at a time.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _Peers Peers;

Peers *peers_new (void);
void peers_free (Peers *self); /* NULL ok */

/* Whose connection it is. */
guint64 peers_of (GSocket *socket);

void peers_add (Peers *self, guint64 peer);
void peers_remove (Peers *self, guint64 peer); /* one that was added */
guint peers_count (const Peers *self, guint64 peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peers, peers_free)

G_END_DECLS
