/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/address.h - where the broker is, and how to log in there.
 *
 * amqp://user@host:5672/vhost, or amqps:// for TLS. The password is taken from the environment
 * variable YV_FLEET_PASSWORD, else from a file, else from the URI; no message, log or metric shows
 * it, nor the URI.
 *
 * Pure but for fleet_address_take_password(). Threads: any.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

#define FLEET_DEFAULT_CA_FILE "/etc/ssl/certs/ca-certificates.crt" /* Debian's ca-certificates */

/* Strings are owned. */
typedef struct {
  char *host, *user, *password, *vhost;
  uint16_t port;
  bool is_tls;
  char *ca_file;              /* who may vouch for the broker; with TLS alone */
  char *cert_file, *key_file; /* (nullable): ours, both or none */
  char *shown;                /* "broker.example:5671/fleet", for messages */
} FleetAddress;

void fleet_address_clear (FleetAddress *address); /* zeroed ok */

/* @copy: overwritten; clear it after use. */
void fleet_address_copy (const FleetAddress *address, FleetAddress *copy);

/* @address: overwritten; user and vhost are "guest" and "/" where the URI has none, as AMQP's
 * clients have it. Returns: false with YV_ERROR_INVALID, without the URI, and nothing to clear. */
bool fleet_address_parse (FleetAddress *address, const char *uri, GError **error);

/* @password_file: (nullable): its first line. Returns: false with YV_ERROR_IO. */
bool fleet_address_take_password (FleetAddress *address, const char *password_file, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FleetAddress, fleet_address_clear)

G_END_DECLS
