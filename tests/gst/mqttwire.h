/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/mqttwire.h - packets of MQTT 3.1.1 and 5 on a socket, as a broker or a client that a
 * test plays needs them. Blocking.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* The first byte of a packet; those with flags without them. */
#define MQTT_CONNECT 0x10
#define MQTT_CONNACK 0x20
#define MQTT_PUBLISH 0x30
#define MQTT_PUBACK 0x40
#define MQTT_PUBREC 0x50
#define MQTT_PUBREL 0x60
#define MQTT_PUBCOMP 0x70
#define MQTT_SUBSCRIBE 0x82
#define MQTT_SUBACK 0x90
#define MQTT_PINGREQ 0xc0
#define MQTT_PINGRESP 0xd0
#define MQTT_DISCONNECT 0xe0

typedef struct {
  uint8_t first;
  GByteArray *body; /* what comes behind the length */
} MqttPacket;

void mqtt_packet_init (MqttPacket *packet);
void mqtt_packet_clear (MqttPacket *packet);

/* Returns: false at the end of the connection. */
bool mqtt_packet_read (int fd, MqttPacket *packet);

/* Returns: false where the other side has gone. */
bool mqtt_packet_write (int fd, uint8_t first, const void *body, size_t n_bytes);

typedef struct {
  const char *payload; /* in the packet */
  size_t n_bytes;
  int qos;
  uint16_t mid; /* 0 with QoS 0 */
  bool is_dup;
} MqttMessage;

/* @is_v5: there are properties, which are skipped. */
MqttMessage mqtt_packet_get_message (const MqttPacket *packet, bool is_v5);

/* To 127.0.0.1; -1: refused */
int mqtt_wire_connect (uint16_t port);
/* Listens at a port of its own on 127.0.0.1. */
int mqtt_wire_listen (uint16_t *port);

G_END_DECLS
