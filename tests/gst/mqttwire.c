/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/mqttwire.c - packets of MQTT on a socket. */
#include "tests/gst/mqttwire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
mqtt_packet_init (MqttPacket *packet)
{
  packet->first = 0;
  packet->body = g_byte_array_new ();
}

void
mqtt_packet_clear (MqttPacket *packet)
{
  g_clear_pointer (&packet->body, g_byte_array_unref);
}

static bool
read_all (int fd, void *bytes, size_t n_bytes)
{
  for (size_t n = 0; n < n_bytes;) {
    const ssize_t got = recv (fd, (char *) bytes + n, n_bytes - n, 0);
    if (got <= 0)
      return false;
    n += (size_t) got;
  }
  return true;
}

bool
mqtt_packet_read (int fd, MqttPacket *packet)
{
  size_t length = 0;
  uint8_t byte = 0x80;

  if (!read_all (fd, &packet->first, 1))
    return false;
  for (int shift = 0; byte & 0x80; shift += 7) {
    if (!read_all (fd, &byte, 1))
      return false;
    length |= (size_t) (byte & 0x7f) << shift;
  }
  g_byte_array_set_size (packet->body, (guint) length);
  return read_all (fd, packet->body->data, length);
}

bool
mqtt_packet_write (int fd, uint8_t first, const void *body, size_t n_bytes)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  size_t length = n_bytes;

  g_byte_array_append (bytes, &first, 1);
  do {
    const uint8_t byte = (uint8_t) (length & 0x7f) | (length > 0x7f ? 0x80 : 0);
    g_byte_array_append (bytes, &byte, 1);
    length >>= 7;
  } while (length > 0);
  g_byte_array_append (bytes, body, (guint) n_bytes);
  return send (fd, bytes->data, bytes->len, MSG_NOSIGNAL) == (ssize_t) bytes->len;
}

static uint16_t
get_u16 (const uint8_t *bytes)
{
  return (uint16_t) (bytes[0] << 8 | bytes[1]);
}

MqttMessage
mqtt_packet_get_message (const MqttPacket *packet, bool is_v5)
{
  MqttMessage message = {.qos = packet->first >> 1 & 3, .is_dup = packet->first & 8};
  const uint8_t *bytes = packet->body->data, *end = bytes + packet->body->len;

  bytes += 2 + get_u16 (bytes); /* the topic */
  if (message.qos > 0) {
    message.mid = get_u16 (bytes);
    bytes += 2;
  }
  if (is_v5)
    bytes += 1 + *bytes; /* our own are short */
  g_assert (bytes <= end);
  message.payload = (const char *) bytes;
  message.n_bytes = (size_t) (end - bytes);
  return message;
}

int
mqtt_wire_connect (uint16_t port)
{
  const struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons (port), .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
  const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  if (connect (fd, (const struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

int
mqtt_wire_listen (uint16_t *port)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (listen (fd, 8), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  *port = ntohs (address.sin_port);
  return fd;
}
