/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/address.h - where an MQTT broker listens, as users write it.
 *
 *        [SCHEME://]HOST[:PORT]
 *
 * SCHEME is tcp or mqtt; or ssl, tls or mqtts, for a broker that encrypts. HOST is a name, an IPv4
 * address, or an IPv6 address in brackets. PORT is 1 to 65535; without one it is 1883, or 8883
 * for a broker that encrypts.
 *
 * Pure, but for yv_address_resolve().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct {
  char *host; /* without brackets */
  uint16_t port;
  bool is_tls;
} YvAddress;

/**
 * yv_address_parse:
 * @text: (nullable): NULL is an error, too
 * @tls: encrypted whatever the scheme says
 *
 * Returns: true with *@address filled, to be cleared with yv_address_clear(); or false with
 * YV_ERROR_INVALID, and *@address as it was. The message never quotes what stands before an
 * @-sign, which may be a password.
 */
bool yv_address_parse (const char *text, bool tls, YvAddress *address, GError **error);

void yv_address_clear (YvAddress *address); /* zeroed is ok */

/* A way to a broker, as libmosquitto takes it, which tries only one address of a host. */
typedef struct {
  char host[256];    /* an address as text; or, with TLS, the name, which certificates are for */
  const char *local; /* to be bound to, so that only addresses of one kind are tried; or NULL */
} YvRoute;

/**
 * yv_address_resolve:
 *
 * Asks the C library for all addresses of the host, which may block. With TLS there is one route
 * for IPv4 and one for IPv6, each to the first address of its kind.
 *
 * Returns: (transfer full): of YvRoute, at least one, in the order in which they are to be tried;
 * or NULL with YV_ERROR_IO, whose message is only what the C library says.
 */
GArray *yv_address_resolve (const YvAddress *address, GError **error);

G_END_DECLS
