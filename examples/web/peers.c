/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/peers.c - how many connections each address has. */
#include "examples/web/peers.h"

#include <string.h>

struct _Peers {
  GHashTable *counts; /* guint64 * -> guint */
};

Peers *
peers_new (void)
{
  Peers *self = g_new0 (Peers, 1);

  self->counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  return self;
}

void
peers_free (Peers *self)
{
  if (!self)
    return;
  g_hash_table_unref (self->counts);
  g_free (self);
}

/* IPv4 within IPv6 has it in its last four bytes. */
guint64
peers_of (GSocket *socket)
{
  static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
  g_autoptr (GSocketAddress) address = g_socket_get_remote_address (socket, NULL);
  guint64 peer = 0;

  if (!address || !G_IS_INET_SOCKET_ADDRESS (address))
    return 0;
  GInetAddress *inet = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
  const guint8 *bytes = g_inet_address_to_bytes (inet);
  if (g_inet_address_get_family (inet) == G_SOCKET_FAMILY_IPV4)
    memcpy (&peer, bytes, 4);
  else if (memcmp (bytes, mapped, sizeof mapped) == 0)
    memcpy (&peer, bytes + sizeof mapped, 4);
  else
    memcpy (&peer, bytes, sizeof peer);
  return peer;
}

static void
set_count (Peers *self, guint64 peer, guint n)
{
  guint64 *key = g_new (guint64, 1);

  *key = peer;
  g_hash_table_replace (self->counts, key, GUINT_TO_POINTER (n));
}

void
peers_add (Peers *self, guint64 peer)
{
  set_count (self, peer, peers_count (self, peer) + 1);
}

void
peers_remove (Peers *self, guint64 peer)
{
  const guint n = peers_count (self, peer);

  g_assert (n > 0);
  if (n == 1)
    g_hash_table_remove (self->counts, &peer);
  else
    set_count (self, peer, n - 1);
}

guint
peers_count (const Peers *self, guint64 peer)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, &peer));
}
