/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/mqttpeer.h - a broker that does what a test tells it, lies included, in a thread of its
 * own. It takes one connection after the other, and remembers what it was sent.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "gst/publish/transport.h"

G_BEGIN_DECLS

typedef struct {
  uint16_t only_version; /* 0: 3.1.1 and 5; else 4 or 5: the other is refused, as the version is */
  uint8_t refusal;       /* of CONNECT; 0: none */
  const char *raw;       /* (nullable): instead of CONNACK */
  size_t n_raw;
  bool is_mute;           /* no CONNACK */
  bool hangs_up;          /* instead of CONNACK */
  bool resets;            /* instead of reading anything */
  uint32_t max_packet;    /* MQTT 5: bytes that it says it takes; 0: it doesn't say */
  int n_acknowledged;     /* PUBLISH packets of a connection that are; negative: all */
  bool hangs_up_then;     /* instead of reading on without acknowledging */
  uint8_t goodbye;        /* MQTT 5: reason of a DISCONNECT that comes first; 0: none */
  uint8_t publish_reason; /* MQTT 5: of each PUBACK */
  uint16_t wrong_mid;     /* acknowledged before each right one; 0: none */
} MqttScript;

typedef struct _MqttPeer MqttPeer;

MqttPeer *mqtt_peer_new (const MqttScript *script);
void mqtt_peer_free (MqttPeer *peer); /* ends its connection */

uint16_t mqtt_peer_port (const MqttPeer *peer);

/* From its next connection on. */
void mqtt_peer_set_script (MqttPeer *peer, const MqttScript *script);

/* Payloads, one a line, in the order in which they came. Free with g_free(). */
char *mqtt_peer_get_received (MqttPeer *peer);
guint mqtt_peer_n_connections (MqttPeer *peer);
/* Waits until so many payloads have come. */
void mqtt_peer_wait_for (MqttPeer *peer, guint n_payloads);
/* The bytes of the last CONNECT, without type and length. */
GBytes *mqtt_peer_get_connect (MqttPeer *peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MqttPeer, mqtt_peer_free)

/* One that listens at 127.0.0.1, and what a transport is told of it. */
typedef struct {
  MqttPeer *peer;
  char *address;            /* owned */
  YvTransportConfig config; /* to be changed before it is used */
} MqttBroker;

MqttBroker mqtt_broker_start (MqttScript script);
void mqtt_broker_end (MqttBroker *broker);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MqttBroker, mqtt_broker_end)

G_END_DECLS
