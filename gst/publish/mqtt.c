/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/mqtt.c - records to an MQTT broker. */
#include "gst/publish/mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/yolov7.h"
#include "gst/publish/address.h"
#include "gst/publish/inflight.h"
#include "gst/publish/mqttoptions.h"
#include "gst/publish/wake.h"

#define MAX_IN_FLIGHT 255

/* MQTT 5's first reason code that is an error, and 3.1.1's word for a version it doesn't know. */
#define FIRST_ERROR 0x80
#define V311_WRONG_VERSION 1

typedef struct {
  YvMqttOptions options;
  YvTransportEvents events;
  YvWake wake;

  /* The worker's thread only. */
  struct mosquitto *client; /* NULL: no connection */
  int version;              /* to try next, or in use */
  bool is_open;             /* the socket is connected */
  int answer;               /* to CONNECT; negative: none yet, 0: accepted */
  int goodbye;              /* MQTT 5: why the broker ended the connection; 0: it didn't say */
  int setback;              /* MQTT 5: why it did not take a record that it may yet take; or 0 */
  char *trouble;            /* (nullable): the last error that the library logged */
  YvInFlight in_flight;
  int64_t heard_us; /* when there was an acknowledgement, or nothing to acknowledge */
} Mqtt;

static int64_t
acknowledgement_limit_us (const Mqtt *mqtt)
{
  return 2 * (int64_t) mqtt->options.keepalive_s * G_USEC_PER_SEC;
}

/* What the library calls back, always from inside its functions. */

static void
on_log (struct mosquitto *client, void *self, int level, const char *text)
{
  Mqtt *mqtt = self;

  (void) client;
  if (level == MOSQ_LOG_ERR) {
    g_free (mqtt->trouble);
    mqtt->trouble = g_strdup (text);
  }
  mqtt->events.log (mqtt->events.user_data, text);
}

static void
on_connect (struct mosquitto *client, void *self, int answer, int flags,
            const mosquitto_property *properties)
{
  (void) client, (void) flags, (void) properties;
  ((Mqtt *) self)->answer = answer;
}

static void
on_disconnect (struct mosquitto *client, void *self, int reason,
               const mosquitto_property *properties)
{
  (void) client, (void) properties;
  if (reason >= FIRST_ERROR)
    ((Mqtt *) self)->goodbye = reason;
}

/* Those of MQTT 5's reasons that the record itself, or its topic, is the cause of; what has another
 * cause, as a quota, may pass. */
static bool
is_refusal (int reason)
{
  return reason == MQTT_RC_NOT_AUTHORIZED || reason == MQTT_RC_TOPIC_NAME_INVALID ||
         reason == MQTT_RC_PACKET_TOO_LARGE || reason == MQTT_RC_PAYLOAD_FORMAT_INVALID;
}

static void
on_publish (struct mosquitto *client, void *self, int mid, int reason,
            const mosquitto_property *properties)
{
  Mqtt *mqtt = self;
  YvSent *sent = yv_in_flight_find (&mqtt->in_flight, mid);

  (void) client, (void) properties;
  if (!sent)
    return;
  if (reason >= FIRST_ERROR && !is_refusal (reason)) {
    mqtt->setback = reason;
    return;
  }
  const uint64_t id = sent->id;
  yv_in_flight_answer (&mqtt->in_flight, sent);
  mqtt->heard_us = g_get_monotonic_time ();
  mqtt->events.done (mqtt->events.user_data, id,
                     is_refusal (reason) ? mosquitto_reason_string (reason) : NULL);
}

/* OpenSSL would ask on the terminal. */
static int
give_key_password (char *buffer, int size, int is_writing, void *client)
{
  const Mqtt *mqtt = mosquitto_userdata (client);
  const char *password = mqtt->options.key_password ? mqtt->options.key_password : "";
  const size_t n = strlen (password);

  (void) is_writing;
  if (n >= (size_t) size)
    return 0;
  memcpy (buffer, password, n + 1);
  return (int) n;
}

/* Messages. */

static bool
fail (const Mqtt *mqtt, GError **error, const char *trouble)
{
  const YvAddress *address = &mqtt->options.address;

  g_set_error (error, YV_ERROR, YV_ERROR_IO, "MQTT broker %s:%u: %s", address->host, address->port,
               trouble);
  return false;
}

static const char *
describe_refusal (const Mqtt *mqtt)
{
  return mqtt->version == MQTT_PROTOCOL_V5 ? mosquitto_reason_string (mqtt->answer)
                                           : mosquitto_connack_string (mqtt->answer);
}

/* Amid a packet the library has no word of its own for the end, and none for it where TLS had not
 * begun: newer ones call it a TLS error, without a reason. */
static bool
is_end (const Mqtt *mqtt, int rc)
{
  return rc == MOSQ_ERR_CONN_LOST || (rc == MOSQ_ERR_TLS && !mqtt->trouble && !mqtt->is_open) ||
         (rc == MOSQ_ERR_ERRNO && (errno == 0 || errno == ECONNRESET || errno == EPIPE));
}

/* Where newer libraries read, and TLS fails in that, only errno says so. */
static int
name_tls (const Mqtt *mqtt, int rc)
{
  if (rc != MOSQ_ERR_ERRNO || errno != EPROTO)
    return rc;
  return mqtt->trouble ? MOSQ_ERR_TLS : MOSQ_ERR_CONN_LOST;
}

/* @rc: of a function of the library, not MOSQ_ERR_SUCCESS */
static bool
fail_broken (const Mqtt *mqtt, int rc, GError **error)
{
  rc = name_tls (mqtt, rc);
  const bool is_lost = is_end (mqtt, rc);
  g_autofree char *text = NULL;

  if (mqtt->setback)
    text = g_strconcat ("it does not take records now: ", mosquitto_reason_string (mqtt->setback),
                        NULL);
  else if (mqtt->goodbye)
    text = g_strconcat ("it ended the connection: ", mosquitto_reason_string (mqtt->goodbye), NULL);
  else if (rc == MOSQ_ERR_PROTOCOL || rc == MOSQ_ERR_MALFORMED_PACKET)
    text = g_strdup ("it answers with something that is not MQTT; is this its port?");
  else if (rc == MOSQ_ERR_TLS && !is_lost)
    text = g_strconcat ("TLS failed: ", mqtt->trouble ? mqtt->trouble : "no reason known", NULL);
  else if (is_lost && !mqtt->is_open)
    text = g_strdup ("it can't be reached: the connection was refused, or ended before TLS began");
  else if (is_lost && mqtt->answer < 0)
    text =
        g_strdup_printf ("it ended the connection without an answer; is this an MQTT broker, and "
                         "does it %s TLS?",
                         mqtt->options.address.is_tls ? "speak" : "want");
  else if (is_lost)
    text = g_strdup ("it ended the connection");
  else
    text = g_strdup (rc == MOSQ_ERR_ERRNO ? g_strerror (errno) : mosquitto_strerror (rc));
  return fail (mqtt, error, text);
}

/* The connection. */

static bool
make_client (Mqtt *mqtt, GError **error)
{
  mqtt->client = mosquitto_new (mqtt->options.client_id, true /* clean session */, mqtt);
  if (!mqtt->client)
    return fail (mqtt, error, g_strerror (errno));
  mosquitto_log_callback_set (mqtt->client, on_log);
  mosquitto_connect_v5_callback_set (mqtt->client, on_connect);
  mosquitto_disconnect_v5_callback_set (mqtt->client, on_disconnect);
  mosquitto_publish_v5_callback_set (mqtt->client, on_publish);
  int rc = mosquitto_int_option (mqtt->client, MOSQ_OPT_PROTOCOL_VERSION, mqtt->version);
  if (rc == MOSQ_ERR_SUCCESS)
    rc = mosquitto_int_option (mqtt->client, MOSQ_OPT_SEND_MAXIMUM, MAX_IN_FLIGHT);
  if (rc == MOSQ_ERR_SUCCESS)
    rc = yv_mqtt_options_apply (&mqtt->options, mqtt->client, give_key_password);
  return rc == MOSQ_ERR_SUCCESS || fail_broken (mqtt, rc, error);
}

/* The library has no word for how a connect() that was under way went. With TLS it has already
 * tried to write, and may have been told; then that there is no peer is all that we can know. */
static bool
look_whether_open (Mqtt *mqtt, GError **error)
{
  const int fd = mosquitto_socket (mqtt->client);
  struct sockaddr_storage peer;
  int trouble = 0;
  socklen_t size = sizeof trouble, peer_size = sizeof peer;

  if (getsockopt (fd, SOL_SOCKET, SO_ERROR, &trouble, &size) != 0)
    trouble = errno;
  if (trouble && trouble != ECONNRESET) /* it was open, and reading will tell */
    return fail (mqtt, error, g_strerror (trouble));
  mqtt->is_open = trouble || getpeername (fd, (struct sockaddr *) &peer, &peer_size) == 0;
  return true;
}

/* While TLS begins the library takes the end of a connection for one that goes on. */
static bool
has_ended (const Mqtt *mqtt, int ready)
{
  char byte;

  return (ready & (POLLERR | POLLHUP)) &&
         recv (mosquitto_socket (mqtt->client), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

static bool
move_bytes (Mqtt *mqtt, int ready, GError **error)
{
  int rc = MOSQ_ERR_SUCCESS;

  errno = 0;
  if (!mqtt->is_open && ready && !look_whether_open (mqtt, error))
    return false;
  if (ready & (POLLIN | POLLERR | POLLHUP))
    rc = mosquitto_loop_read (mqtt->client, 1);
  if (rc == MOSQ_ERR_SUCCESS && (ready & POLLOUT))
    rc = mosquitto_loop_write (mqtt->client, 1);
  if (rc == MOSQ_ERR_SUCCESS)
    rc = mosquitto_loop_misc (mqtt->client);
  if (mqtt->answer > 0)
    return fail (mqtt, error, describe_refusal (mqtt));
  if (rc == MOSQ_ERR_SUCCESS && (mqtt->setback || has_ended (mqtt, ready)))
    rc = MOSQ_ERR_CONN_LOST;
  return rc == MOSQ_ERR_SUCCESS || fail_broken (mqtt, rc, error);
}

/* Waits for the socket, wake(), cancel() or the time, and does what there is to do. */
static bool
turn (Mqtt *mqtt, int timeout_ms, GError **error)
{
  const bool wants_write = !mqtt->is_open || mosquitto_want_write (mqtt->client);
  struct pollfd broker = {
      .fd = mosquitto_socket (mqtt->client),
      .events = POLLIN | (wants_write ? POLLOUT : 0),
  };

  if (!yv_wake_wait (&mqtt->wake, &broker, timeout_ms))
    return fail (mqtt, error, g_strerror (errno));
  return move_bytes (mqtt, broker.revents, error);
}

static void
disconnect_from_broker (void *self)
{
  Mqtt *mqtt = self;

  if (!mqtt->client)
    return;
  if (mqtt->answer == 0)
    mosquitto_disconnect (mqtt->client);
  g_clear_pointer (&mqtt->client, mosquitto_destroy);
  yv_in_flight_forget (&mqtt->in_flight);
}

/* @open_by_us: until when the socket has to be connected */
static bool
open_session (Mqtt *mqtt, const YvRoute *route, int64_t open_by_us, int64_t deadline_us,
              GError **error)
{
  mqtt->is_open = false;
  mqtt->answer = -1;
  mqtt->goodbye = 0;
  mqtt->setback = 0;
  g_clear_pointer (&mqtt->trouble, g_free);
  if (!make_client (mqtt, error))
    return false;
  const int rc =
      mosquitto_connect_bind_async (mqtt->client, route->host, mqtt->options.address.port,
                                    mqtt->options.keepalive_s, route->local);
  if (rc != MOSQ_ERR_SUCCESS)
    return fail_broken (mqtt, rc, error);
  while (mqtt->answer < 0) {
    const int64_t left_us = (mqtt->is_open ? deadline_us : open_by_us) - g_get_monotonic_time ();
    if (yv_wake_is_cancelled (&mqtt->wake))
      return fail (mqtt, error, "time is up");
    if (left_us <= 0)
      return fail (mqtt, error,
                   mqtt->is_open ? "it accepted the connection, and never answered"
                                 : "it can't be reached: no answer");
    if (!turn (mqtt, (int) (left_us / 1000) + 1, error))
      return false;
  }
  return true;
}

/* To the first address at which somebody listens; each has its share of the time to show it.
 * @error: not NULL; may be set from before */
static bool
open_any_session (Mqtt *mqtt, const GArray *routes, int64_t deadline_us, GError **error)
{
  for (guint i = 0; i < routes->len; i++) {
    const YvRoute *route = &g_array_index (routes, YvRoute, i);
    const int64_t now_us = g_get_monotonic_time ();
    const int64_t open_by_us = now_us + (deadline_us - now_us) / (routes->len - i);
    disconnect_from_broker (mqtt);
    g_clear_error (error);
    if (open_session (mqtt, route, open_by_us, deadline_us, error))
      return true;
    if (mqtt->is_open || yv_wake_is_cancelled (&mqtt->wake))
      break;
  }
  return false;
}

static bool
is_other_version_wanted (const Mqtt *mqtt)
{
  return mqtt->version == MQTT_PROTOCOL_V5 ? mqtt->answer == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION
                                           : mqtt->answer == V311_WRONG_VERSION;
}

static void
wake_up (void *self)
{
  yv_wake_up (&((Mqtt *) self)->wake);
}

static void
cancel (void *self)
{
  yv_wake_cancel (&((Mqtt *) self)->wake);
}

static bool
connect_to_broker (void *self, int timeout_ms, GError **error)
{
  Mqtt *mqtt = self;
  const int64_t deadline_us = g_get_monotonic_time () + (int64_t) timeout_ms * 1000;
  g_autoptr (GError) first = NULL;

  disconnect_from_broker (mqtt);
  g_autoptr (GArray) routes = yv_address_resolve (&mqtt->options.address, &first);
  if (!routes)
    return fail (mqtt, error, first->message);
  bool is_connected = open_any_session (mqtt, routes, deadline_us, &first);
  /* Some brokers know no way to refuse a version but to hang up: that is for the next time. */
  const bool is_mute = mqtt->is_open && mqtt->answer < 0;
  const bool is_refused = is_other_version_wanted (mqtt);
  if (!is_connected && (is_mute || is_refused))
    mqtt->version = mqtt->version == MQTT_PROTOCOL_V5 ? MQTT_PROTOCOL_V311 : MQTT_PROTOCOL_V5;
  if (!is_connected && is_refused)
    is_connected = open_any_session (mqtt, routes, deadline_us, &first);
  if (is_connected) {
    wake_up (mqtt); /* it may have been meant for poll() */
    return true;
  }
  disconnect_from_broker (mqtt);
  g_propagate_error (error, g_steal_pointer (&first));
  return false;
}

/* Records. */

static YvSend
refuse (const Mqtt *mqtt, size_t n_bytes, int rc, GError **error)
{
  g_autofree char *text = g_strdup_printf (
      "a record of %" G_GSIZE_FORMAT " bytes was not taken: %s", n_bytes, mosquitto_strerror (rc));
  fail (mqtt, error, text);
  return YV_SEND_REFUSED;
}

static YvSend
send_record (void *self, uint64_t id, const char *bytes, size_t n_bytes, bool again, GError **error)
{
  Mqtt *mqtt = self;

  (void) again; /* the library sets MQTT's own flag only for what it repeats itself */
  if (mqtt->in_flight.n == MAX_IN_FLIGHT)
    return YV_SEND_FULL;
  if (n_bytes > MQTT_MAX_PAYLOAD)
    return refuse (mqtt, n_bytes, MOSQ_ERR_PAYLOAD_SIZE, error);
  if (mqtt->in_flight.n == 0)
    mqtt->heard_us = g_get_monotonic_time ();

  /* In the ring before it is sent: with QoS 0 it is answered for inside of the call. */
  YvSent *sent = yv_in_flight_add (&mqtt->in_flight, id);
  const int rc = mosquitto_publish (mqtt->client, &sent->mid, mqtt->options.topic, (int) n_bytes,
                                    bytes, mqtt->options.qos, false);
  if (rc == MOSQ_ERR_SUCCESS)
    return YV_SEND_TAKEN;
  if (!sent->is_answered)
    yv_in_flight_take_back (&mqtt->in_flight);
  if (rc == MOSQ_ERR_PAYLOAD_SIZE || rc == MOSQ_ERR_OVERSIZE_PACKET)
    return refuse (mqtt, n_bytes, rc, error);
  fail_broken (mqtt, rc, error);
  return YV_SEND_BROKEN;
}

static bool
poll_broker (void *self, int timeout_ms, GError **error)
{
  Mqtt *mqtt = self;

  if (!turn (mqtt, timeout_ms, error))
    return false;
  if (mqtt->in_flight.n > 0 &&
      g_get_monotonic_time () - mqtt->heard_us > acknowledgement_limit_us (mqtt))
    return fail (mqtt, error, "it takes records, but acknowledges none");
  return true;
}

static void
free_mqtt (void *self)
{
  Mqtt *mqtt = self;

  if (!mqtt)
    return;
  disconnect_from_broker (mqtt);
  yv_wake_clear (&mqtt->wake);
  g_free (mqtt->trouble);
  yv_in_flight_clear (&mqtt->in_flight);
  yv_mqtt_options_clear (&mqtt->options);
  g_free (mqtt);
}

/* Its own count of users is not made for threads; so the library is never cleaned up. */
static void
init_library (void)
{
  static gsize is_ready = 0;

  if (g_once_init_enter (&is_ready)) {
    mosquitto_lib_init ();
    g_once_init_leave (&is_ready, 1);
  }
}

static void *
new_mqtt (const YvTransportConfig *config, const YvTransportEvents *events, GError **error)
{
  Mqtt *mqtt = g_new0 (Mqtt, 1);

  init_library ();
  mqtt->events = *events;
  mqtt->version = MQTT_PROTOCOL_V5;
  yv_in_flight_init (&mqtt->in_flight, MAX_IN_FLIGHT);
  if (!yv_wake_init (&mqtt->wake)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "MQTT: eventfd: %s", g_strerror (errno));
    free_mqtt (mqtt);
    return NULL;
  }
  if (!yv_mqtt_options_init (&mqtt->options, config, error)) {
    free_mqtt (mqtt);
    return NULL;
  }
  return mqtt;
}

const YvTransport yv_transport_mqtt = {
    .name = "mqtt",
    .new = new_mqtt,
    .connect = connect_to_broker,
    .send = send_record,
    .poll = poll_broker,
    .wake = wake_up,
    .cancel = cancel,
    .disconnect = disconnect_from_broker,
    .free = free_mqtt,
};
