/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/mqttsubscriber.c - who reads what comes out of a broker. */
#include "tests/gst/mqttsubscriber.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/gst/mqttwire.h"

#define CLIENT_ID "subscriber"

struct _MqttSubscriber {
  char *topic;
  MqttSubscriberFunc got;
  void *user_data;
  GThread *thread; /* (nullable): of the connection in use */
  int fd;          /* -1: none */

  GMutex lock;
  GCond came;
  bool is_subscribed;
};

static void
append_string (GByteArray *bytes, const char *text)
{
  const size_t n = strlen (text);
  const uint8_t length[] = {(uint8_t) (n >> 8), (uint8_t) n};

  g_byte_array_append (bytes, length, sizeof length);
  g_byte_array_append (bytes, (const uint8_t *) text, (guint) n);
}

/* A session that the broker keeps, no keep-alive. */
static void
ask_for_session (int fd)
{
  static const uint8_t v311[] = {4, 0, 0, 0};
  g_autoptr (GByteArray) body = g_byte_array_new ();

  append_string (body, "MQTT");
  g_byte_array_append (body, v311, sizeof v311);
  append_string (body, CLIENT_ID);
  mqtt_packet_write (fd, MQTT_CONNECT, body->data, body->len);
}

static void
subscribe (MqttSubscriber *subscriber)
{
  static const uint8_t mid[] = {0, 1}, qos = 1;
  g_autoptr (GByteArray) body = g_byte_array_new ();

  g_byte_array_append (body, mid, sizeof mid);
  append_string (body, subscriber->topic);
  g_byte_array_append (body, &qos, 1);
  mqtt_packet_write (subscriber->fd, MQTT_SUBSCRIBE, body->data, body->len);
}

static void
take_message (MqttSubscriber *subscriber, const MqttPacket *packet)
{
  const MqttMessage message = mqtt_packet_get_message (packet, false);
  const uint8_t mid[] = {(uint8_t) (message.mid >> 8), (uint8_t) message.mid};

  g_mutex_lock (&subscriber->lock);
  subscriber->got (subscriber->user_data, message.payload, message.n_bytes, message.is_dup);
  g_cond_broadcast (&subscriber->came);
  g_mutex_unlock (&subscriber->lock);
  if (message.qos > 0)
    mqtt_packet_write (subscriber->fd, MQTT_PUBACK, mid, sizeof mid);
}

static gpointer
run (gpointer data)
{
  MqttSubscriber *subscriber = data;
  MqttPacket packet;

  mqtt_packet_init (&packet);
  while (mqtt_packet_read (subscriber->fd, &packet)) {
    if (packet.first == MQTT_CONNACK)
      subscribe (subscriber);
    if ((packet.first & 0xf0) == MQTT_PUBLISH)
      take_message (subscriber, &packet);
    if (packet.first == MQTT_SUBACK) {
      g_mutex_lock (&subscriber->lock);
      subscriber->is_subscribed = true;
      g_cond_broadcast (&subscriber->came);
      g_mutex_unlock (&subscriber->lock);
    }
  }
  mqtt_packet_clear (&packet);
  return NULL;
}

MqttSubscriber *
mqtt_subscriber_new (const char *topic, MqttSubscriberFunc got, void *user_data)
{
  MqttSubscriber *subscriber = g_new0 (MqttSubscriber, 1);

  g_mutex_init (&subscriber->lock);
  g_cond_init (&subscriber->came);
  subscriber->topic = g_strdup (topic);
  subscriber->got = got;
  subscriber->user_data = user_data;
  subscriber->fd = -1;
  return subscriber;
}

static void
disconnect (MqttSubscriber *subscriber)
{
  if (!subscriber->thread)
    return;
  shutdown (subscriber->fd, SHUT_RDWR);
  g_clear_pointer (&subscriber->thread, g_thread_join);
  close (subscriber->fd);
  subscriber->fd = -1;
}

void
mqtt_subscriber_free (MqttSubscriber *subscriber)
{
  if (!subscriber)
    return;
  disconnect (subscriber);
  g_cond_clear (&subscriber->came);
  g_mutex_clear (&subscriber->lock);
  g_free (subscriber->topic);
  g_free (subscriber);
}

void
mqtt_subscriber_connect (MqttSubscriber *subscriber, uint16_t port)
{
  disconnect (subscriber);
  subscriber->is_subscribed = false;
  subscriber->fd = mqtt_wire_connect (port);
  g_assert_cmpint (subscriber->fd, >=, 0);
  ask_for_session (subscriber->fd);
  subscriber->thread = g_thread_new ("subscriber", run, subscriber);
  g_mutex_lock (&subscriber->lock);
  while (!subscriber->is_subscribed)
    g_cond_wait (&subscriber->came, &subscriber->lock);
  g_mutex_unlock (&subscriber->lock);
}

void
mqtt_subscriber_wait (MqttSubscriber *subscriber, bool (*is_reached) (const void *user_data))
{
  g_mutex_lock (&subscriber->lock);
  while (!is_reached (subscriber->user_data))
    g_cond_wait (&subscriber->came, &subscriber->lock);
  g_mutex_unlock (&subscriber->lock);
}
