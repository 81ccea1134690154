/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/mqtt.h - records to an MQTT broker, through libmosquitto.
 *
 * MQTT 5, or 3.1.1 where the broker does not speak 5. A record has arrived when the broker has
 * acknowledged it; with QoS 0, which has no acknowledgements, when it was handed to the socket.
 * Each connection is a session of its own: the library repeats nothing by itself, so what a
 * subscriber gets twice says "redelivered" in its text, or is marked DUP by its own broker. At most
 * 255 records are in flight. A broker that acknowledges nothing for twice the keep-alive time is
 * taken for broken, as is one that answers with anything but MQTT, or does not take a record for a
 * reason that may pass, as a quota. It refuses one for good with MQTT 5's reasons "not authorized",
 * "topic name invalid", "packet too large" and "payload format invalid".
 *
 * Of YvTransportConfig: address (gst/publish/address.h), topic, client_id (NULL: the broker gives
 * one), username, password, tls*, the three files, and of settings, each at most once:
 *
 *   qos            "0", "1" (default) or "2"
 *   keepalive      seconds, 5 to 65535 (default 20)
 *   ssl_private_key_pwd   of key_file
 *   psk            hexadecimal, with psk-identity: TLS with this key instead of certificates
 *   will-topic     where the broker sends will-payload (default empty), with the same QoS, when
 *                  this connection ends without a goodbye
 *
 * All addresses of a host are tried, one after the other, until one can be connected to; with TLS
 * the first IPv6 and the first IPv4 one. Names are resolved by the C library inside connect(),
 * which is the one thing that cancel() does not interrupt. libmosquitto makes the process ignore
 * SIGPIPE from the first connection on.
 */
#pragma once

#include "gst/publish/transport.h"

G_BEGIN_DECLS

extern const YvTransport yv_transport_mqtt;

G_END_DECLS
