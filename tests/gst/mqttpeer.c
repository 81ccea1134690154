/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/mqttpeer.c - a broker that does what a test tells it. */
#include "tests/gst/mqttpeer.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/gst/mqttwire.h"

#define V5 5
#define V5_WRONG_VERSION 0x84
#define V311_WRONG_VERSION 1
/* Where a CONNECT of "MQTT" says its version. */
#define VERSION_AT 6
#define MAXIMUM_PACKET_SIZE 0x27

struct _MqttPeer {
  GThread *thread;
  int listening;
  uint16_t port;

  GMutex lock;
  GCond came;
  MqttScript script;
  GString *received;
  GBytes *connect;
  guint n_received, n_connections;
  int connection; /* -1: none */
  bool is_ending;
};

static void
answer_connect (int fd, const MqttScript *script, bool is_v5)
{
  const uint8_t version = is_v5 ? V5 : 4;
  const bool is_wrong = script->only_version && script->only_version != version;
  const uint8_t wrong = is_v5 ? V5_WRONG_VERSION : V311_WRONG_VERSION;
  const uint8_t code = is_wrong ? wrong : script->refusal;
  const uint32_t max = script->max_packet;
  const uint8_t v311[] = {0, code}, plain[] = {0, code, 0},
                limited[] = {0,
                             code,
                             5,
                             MAXIMUM_PACKET_SIZE,
                             (uint8_t) (max >> 24),
                             (uint8_t) (max >> 16),
                             (uint8_t) (max >> 8),
                             (uint8_t) max};

  if (!is_v5)
    mqtt_packet_write (fd, MQTT_CONNACK, v311, sizeof v311);
  else if (max)
    mqtt_packet_write (fd, MQTT_CONNACK, limited, sizeof limited);
  else
    mqtt_packet_write (fd, MQTT_CONNACK, plain, sizeof plain);
}

static void
acknowledge (int fd, const MqttScript *script, uint8_t type, uint16_t mid)
{
  const uint8_t body[] = {(uint8_t) (mid >> 8), (uint8_t) mid, script->publish_reason};

  mqtt_packet_write (fd, type, body, script->publish_reason ? 3 : 2);
}

static void
remember (MqttPeer *peer, const MqttMessage *message)
{
  g_mutex_lock (&peer->lock);
  g_string_append_len (peer->received, message->payload, (gssize) message->n_bytes);
  g_string_append_c (peer->received, '\n');
  peer->n_received++;
  g_cond_broadcast (&peer->came);
  g_mutex_unlock (&peer->lock);
}

/* Returns: false where it hangs up. */
static bool
take_message (MqttPeer *peer, int fd, const MqttScript *script, const MqttMessage *message,
              int *n_left)
{
  const uint8_t goodbye[] = {script->goodbye, 0};

  remember (peer, message);
  if (*n_left == 0 && script->goodbye)
    mqtt_packet_write (fd, MQTT_DISCONNECT, goodbye, sizeof goodbye);
  if (*n_left == 0)
    return !script->hangs_up_then;
  *n_left -= *n_left > 0;
  if (script->wrong_mid)
    acknowledge (fd, script, MQTT_PUBACK, script->wrong_mid);
  if (message->qos > 0)
    acknowledge (fd, script, message->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, message->mid);
  return true;
}

static void
serve (MqttPeer *peer, int fd, const MqttScript *script)
{
  MqttPacket packet;
  bool is_v5 = false, goes_on = true;
  int n_left = script->n_acknowledged;

  mqtt_packet_init (&packet);
  while (goes_on && mqtt_packet_read (fd, &packet)) {
    if (packet.first == MQTT_CONNECT) {
      is_v5 = packet.body->data[VERSION_AT] == V5;
      g_mutex_lock (&peer->lock);
      g_clear_pointer (&peer->connect, g_bytes_unref);
      peer->connect = g_bytes_new (packet.body->data, packet.body->len);
      g_mutex_unlock (&peer->lock);
      if (script->raw)
        (void) !send (fd, script->raw, script->n_raw, MSG_NOSIGNAL);
      else if (!script->is_mute && !script->hangs_up)
        answer_connect (fd, script, is_v5);
      goes_on = !script->hangs_up;
    } else if ((packet.first & 0xf0) == MQTT_PUBLISH) {
      const MqttMessage message = mqtt_packet_get_message (&packet, is_v5);
      goes_on = take_message (peer, fd, script, &message, &n_left);
    } else if ((packet.first & 0xf0) == MQTT_PUBREL) {
      mqtt_packet_write (fd, MQTT_PUBCOMP, packet.body->data, 2);
    } else if (packet.first == MQTT_PINGREQ) {
      mqtt_packet_write (fd, MQTT_PINGRESP, "", 0);
    }
  }
  mqtt_packet_clear (&packet);
}

static void
reset (int fd)
{
  const struct linger at_once = {.l_onoff = 1};

  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), ==, 0);
}

static gpointer
run (gpointer data)
{
  MqttPeer *peer = data;

  for (;;) {
    const int fd = accept (peer->listening, NULL, NULL);
    g_mutex_lock (&peer->lock);
    const bool is_ending = peer->is_ending || fd < 0;
    const MqttScript script = peer->script;
    peer->connection = fd;
    peer->n_connections += !is_ending;
    g_mutex_unlock (&peer->lock);
    if (!is_ending && script.resets)
      reset (fd);
    else if (!is_ending)
      serve (peer, fd, &script);
    g_mutex_lock (&peer->lock);
    peer->connection = -1;
    g_mutex_unlock (&peer->lock);
    if (fd >= 0)
      close (fd);
    if (is_ending)
      return NULL;
  }
}

MqttPeer *
mqtt_peer_new (const MqttScript *script)
{
  MqttPeer *peer = g_new0 (MqttPeer, 1);

  g_mutex_init (&peer->lock);
  g_cond_init (&peer->came);
  peer->script = *script;
  peer->received = g_string_new (NULL);
  peer->connection = -1;
  peer->listening = mqtt_wire_listen (&peer->port);
  peer->thread = g_thread_new ("peer", run, peer);
  return peer;
}

void
mqtt_peer_free (MqttPeer *peer)
{
  if (!peer)
    return;
  g_mutex_lock (&peer->lock);
  peer->is_ending = true;
  if (peer->connection >= 0)
    shutdown (peer->connection, SHUT_RDWR);
  g_mutex_unlock (&peer->lock);
  shutdown (peer->listening, SHUT_RDWR); /* accept() returns */
  g_thread_join (peer->thread);
  close (peer->listening);
  g_string_free (peer->received, TRUE);
  g_clear_pointer (&peer->connect, g_bytes_unref);
  g_cond_clear (&peer->came);
  g_mutex_clear (&peer->lock);
  g_free (peer);
}

uint16_t
mqtt_peer_port (const MqttPeer *peer)
{
  return peer->port;
}

void
mqtt_peer_set_script (MqttPeer *peer, const MqttScript *script)
{
  g_mutex_lock (&peer->lock);
  peer->script = *script;
  g_mutex_unlock (&peer->lock);
}

char *
mqtt_peer_get_received (MqttPeer *peer)
{
  g_mutex_lock (&peer->lock);
  char *received = g_strdup (peer->received->str);
  g_mutex_unlock (&peer->lock);
  return received;
}

guint
mqtt_peer_n_connections (MqttPeer *peer)
{
  g_mutex_lock (&peer->lock);
  const guint n = peer->n_connections;
  g_mutex_unlock (&peer->lock);
  return n;
}

void
mqtt_peer_wait_for (MqttPeer *peer, guint n_payloads)
{
  g_mutex_lock (&peer->lock);
  while (peer->n_received < n_payloads)
    g_cond_wait (&peer->came, &peer->lock);
  g_mutex_unlock (&peer->lock);
}

GBytes *
mqtt_peer_get_connect (MqttPeer *peer)
{
  g_mutex_lock (&peer->lock);
  GBytes *bytes = g_bytes_ref (peer->connect);
  g_mutex_unlock (&peer->lock);
  return bytes;
}

MqttBroker
mqtt_broker_start (MqttScript script)
{
  MqttBroker broker = {.peer = mqtt_peer_new (&script)};

  broker.address = g_strdup_printf ("127.0.0.1:%u", mqtt_peer_port (broker.peer));
  broker.config = (YvTransportConfig){.address = broker.address, .topic = "cameras/door"};
  return broker;
}

void
mqtt_broker_end (MqttBroker *broker)
{
  mqtt_peer_free (broker->peer);
  g_free (broker->address);
}
