/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/link.c - to connect, to declare, to consume and to send. */
#include <string.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

#include "engine/error.h"
#include "examples/fleet/link-private.h"
#include "examples/fleet/note.h"

#define NOTES_PREFETCH 200
#define PERSISTENT 2

/* The broker counts how often a message came back, and since 4.0 throws it away at 20, while a
 * camera may well see more workers die. Nor may anybody hold it for 30 minutes only, which brokers
 * before 3.12 are told in their own configuration. A year, in ms. */
#define MAX_DELIVERIES 2000000000
#define HOLD_MS G_GINT64_CONSTANT (31536000000)
/* Streams go away in segments: of notes that are too old, and beyond 20 MB. */
#define NOTES_AGE G_STRINGIFY (FLEET_NOTES_DAYS) "D"
#define NOTES_BYTES 20000000
#define NOTES_SEGMENT_BYTES 1000000

static const struct timeval answer_time = {.tv_sec = FLEET_ANSWER_S};

/* ---- tables ---------------------------------------------------------------------------------- */

static amqp_table_entry_t
text_entry (const char *key, const char *text)
{
  return (amqp_table_entry_t){
      .key = amqp_cstring_bytes (key),
      .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes (text)}};
}

static amqp_table_entry_t
number_entry (const char *key, int64_t n)
{
  return (amqp_table_entry_t){.key = amqp_cstring_bytes (key),
                              .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = n}};
}

static amqp_table_entry_t
true_entry (const char *key)
{
  return (amqp_table_entry_t){.key = amqp_cstring_bytes (key),
                              .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
}

/* ---- connecting ------------------------------------------------------------------------------ */

static bool
check_reply (FleetLink *link, const char *what, GError **error)
{
  const amqp_rpc_reply_t reply = amqp_get_rpc_reply (link->connection);

  if (reply.reply_type == AMQP_RESPONSE_NORMAL)
    return true;
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
    return fleet_link_fail_closed (link, what, &reply.reply, error);
  return fleet_link_fail (link, what, reply.library_error, error);
}

static amqp_socket_t *
make_socket (FleetLink *link, const FleetAddress *address, GError **error)
{
  amqp_socket_t *socket;
  int status = AMQP_STATUS_OK;

  if (!address->is_tls)
    return amqp_tcp_socket_new (link->connection);
  socket = amqp_ssl_socket_new (link->connection);
  if (!socket)
    return NULL;
  amqp_ssl_socket_set_verify_peer (socket, 1);
  amqp_ssl_socket_set_verify_hostname (socket, 1);
  if (amqp_ssl_socket_set_cacert (socket, address->ca_file) != AMQP_STATUS_OK) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s: no certificates of those who may vouch for the broker can be read there "
                 "(ca-file)",
                 address->ca_file);
    return NULL;
  }
  if (address->cert_file)
    status = amqp_ssl_socket_set_key (socket, address->cert_file, address->key_file);
  if (status == AMQP_STATUS_OK)
    return socket;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s and %s: can't be used as certificate and private key: %s", address->cert_file,
               address->key_file, amqp_error_string2 (status));
  return NULL;
}

static bool
open_socket (FleetLink *link, const FleetAddress *address, GError **error)
{
  g_autoptr (GError) cause = NULL;
  amqp_socket_t *socket = make_socket (link, address, &cause);

  if (cause) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return false;
  }
  if (!socket)
    return fleet_link_fail (link, "no socket", AMQP_STATUS_NO_MEMORY, error);
  const int status = amqp_socket_open_noblock (socket, address->host, address->port, &answer_time);
  return status == AMQP_STATUS_OK || fleet_link_fail (link, "can't connect", status, error);
}

static bool
log_in (FleetLink *link, const FleetAddress *address, const char *name, GError **error)
{
  /* That we understand when the broker says that it reads no more, or that a queue is gone. */
  amqp_table_entry_t able[] = {true_entry ("connection.blocked"),
                               true_entry ("consumer_cancel_notify")};
  amqp_table_entry_t entries[] = {
      text_entry ("connection_name", name),
      {.key = amqp_cstring_bytes ("capabilities"),
       .value = {.kind = AMQP_FIELD_KIND_TABLE,
                 .value.table = {.num_entries = G_N_ELEMENTS (able), .entries = able}}}};
  const amqp_table_t properties = {.num_entries = G_N_ELEMENTS (entries), .entries = entries};
  const amqp_rpc_reply_t reply = amqp_login_with_properties (
      link->connection, address->vhost, N_CHANNELS, AMQP_DEFAULT_FRAME_SIZE, FLEET_HEARTBEAT_S,
      &properties, AMQP_SASL_METHOD_PLAIN, address->user, address->password);

  if (reply.reply_type == AMQP_RESPONSE_NORMAL)
    return true;
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
    return fleet_link_fail_closed (link, "can't log in", &reply.reply, error);
  return fleet_link_fail (link, "can't log in", reply.library_error, error);
}

static bool
open_channels (FleetLink *link, GError **error)
{
  for (amqp_channel_t channel = 1; channel < N_CHANNELS; channel++) {
    amqp_channel_open (link->connection, channel);
    if (!check_reply (link, "can't open a channel", error))
      return false;
  }
  amqp_confirm_select (link->connection, CONTROL_CHANNEL);
  return check_reply (link, "it does not confirm messages", error);
}

FleetLink *
fleet_link_new (const FleetAddress *address, const char *name, GError **error)
{
  g_autoptr (FleetLink) link = g_new0 (FleetLink, 1);

  g_queue_init (&link->arrived);
  link->shown = g_strdup (address->shown);
  link->connection = amqp_new_connection ();
  amqp_set_handshake_timeout (link->connection, &answer_time);
  amqp_set_rpc_timeout (link->connection, &answer_time);
  if (!open_socket (link, address, error) || !log_in (link, address, name, error) ||
      !open_channels (link, error))
    return NULL;
  return g_steal_pointer (&link);
}

static void
free_arrival (gpointer arrival)
{
  fleet_arrival_free (arrival);
}

void
fleet_link_free (FleetLink *link)
{
  if (!link)
    return;
  /* To say goodbye would take an answer; the broker takes an end of the connection as well. */
  amqp_destroy_connection (link->connection);
  g_queue_clear_full (&link->arrived, free_arrival);
  for (guint i = 0; i < N_CHANNELS; i++)
    fleet_arrival_free (link->coming[i]);
  g_free (link->answers);
  g_free (link->blocked);
  g_free (link->shown);
  g_free (link);
}

/* ---- queues ---------------------------------------------------------------------------------- */

static bool
declare_queue (FleetLink *link, const char *queue, amqp_table_entry_t *entries, int n_entries,
               GError **error)
{
  const amqp_table_t arguments = {.num_entries = n_entries, .entries = entries};
  g_autofree char *what = g_strconcat ("queue ", queue, NULL);

  amqp_queue_declare (link->connection, CONTROL_CHANNEL, amqp_cstring_bytes (queue), 0, 1, 0, 0,
                      arguments);
  return check_reply (link, what, error);
}

static bool
declare_stream (FleetLink *link, const char *stream, GError **error)
{
  amqp_table_entry_t entries[] = {
      text_entry ("x-queue-type", "stream"),
      text_entry ("x-max-age", NOTES_AGE),
      number_entry ("x-max-length-bytes", NOTES_BYTES),
      number_entry ("x-stream-max-segment-size-bytes", NOTES_SEGMENT_BYTES),
  };

  return declare_queue (link, stream, entries, G_N_ELEMENTS (entries), error);
}

bool
fleet_link_declare (FleetLink *link, GError **error)
{
  amqp_table_entry_t entries[] = {
      text_entry ("x-queue-type", "quorum"),
      number_entry ("x-delivery-limit", MAX_DELIVERIES),
      number_entry ("x-consumer-timeout", HOLD_MS),
  };
  const int n_entries = G_N_ELEMENTS (entries);

  return declare_queue (link, FLEET_CAMERAS, entries, n_entries, error) &&
         declare_queue (link, FLEET_FAILED, entries, n_entries, error) &&
         declare_stream (link, FLEET_CONTROL, error) &&
         declare_stream (link, FLEET_REMOVALS, error);
}

bool
fleet_link_count_waiting (FleetLink *link, const char *queue, uint32_t *n_waiting, GError **error)
{
  const amqp_queue_declare_ok_t *ok = amqp_queue_declare (
      link->connection, CONTROL_CHANNEL, amqp_cstring_bytes (queue), 1, 0, 0, 0, amqp_empty_table);

  if (!check_reply (link, queue, error))
    return false;
  *n_waiting = ok->message_count;
  return true;
}

/* ---- what comes in --------------------------------------------------------------------------- */

static bool
consume (FleetLink *link, amqp_channel_t channel, const char *queue, const char *tag,
         uint32_t prefetch, amqp_table_t arguments, GError **error)
{
  const bool is_settled = prefetch > 0;

  if (is_settled) {
    amqp_basic_qos (link->connection, channel, 0, (uint16_t) MIN (prefetch, G_MAXUINT16), 0);
    if (!check_reply (link, queue, error))
      return false;
  }
  amqp_basic_consume (link->connection, channel, amqp_cstring_bytes (queue),
                      amqp_cstring_bytes (tag), 0, !is_settled, 0, arguments);
  return check_reply (link, queue, error);
}

bool
fleet_link_read_notes (FleetLink *link, GError **error)
{
  amqp_table_entry_t entry = text_entry ("x-stream-offset", "first");
  const amqp_table_t arguments = {.num_entries = 1, .entries = &entry};

  return consume (link, CONTROL_CHANNEL, FLEET_CONTROL, CONTROL_TAG, NOTES_PREFETCH, arguments,
                  error) &&
         consume (link, CONTROL_CHANNEL, FLEET_REMOVALS, REMOVALS_TAG, NOTES_PREFETCH, arguments,
                  error);
}

bool
fleet_link_read_queue (FleetLink *link, const char *queue, uint32_t prefetch, GError **error)
{
  g_snprintf (link->consumer_tag, sizeof link->consumer_tag, CAMERAS_TAG, 0u);
  return consume (link, CAMERAS_CHANNEL, queue, link->consumer_tag, prefetch, amqp_empty_table,
                  error);
}

bool
fleet_link_take_cameras (FleetLink *link, uint32_t consumer, uint32_t prefetch, GError **error)
{
  if (link->consumer_tag[0]) {
    amqp_basic_cancel (link->connection, CAMERAS_CHANNEL, amqp_cstring_bytes (link->consumer_tag));
    link->consumer_tag[0] = 0;
    if (!check_reply (link, FLEET_CAMERAS, error))
      return false;
  }
  if (prefetch == 0)
    return true;
  g_snprintf (link->consumer_tag, sizeof link->consumer_tag, CAMERAS_TAG, consumer);
  return consume (link, CAMERAS_CHANNEL, FLEET_CAMERAS, link->consumer_tag, prefetch,
                  amqp_empty_table, error);
}

const char *
fleet_link_open_answers (FleetLink *link, GError **error)
{
  const amqp_queue_declare_ok_t *ok = amqp_queue_declare (
      link->connection, CAMERAS_CHANNEL, amqp_empty_bytes, 0, 0, 1, 1, amqp_empty_table);

  if (!check_reply (link, "a queue for answers", error))
    return NULL;
  link->answers = g_strndup (ok->queue.bytes, ok->queue.len);
  if (!consume (link, CAMERAS_CHANNEL, link->answers, ANSWERS_TAG, 0, amqp_empty_table, error))
    return NULL;
  return link->answers;
}

bool
fleet_link_settle (FleetLink *link, uint64_t tag, bool is_deleted, GError **error)
{
  const int status = is_deleted ? amqp_basic_ack (link->connection, CAMERAS_CHANNEL, tag, 0)
                                : amqp_basic_nack (link->connection, CAMERAS_CHANNEL, tag, 0, 1);

  return status == AMQP_STATUS_OK || fleet_link_fail (link, "can't settle", status, error);
}

/* ---- what goes out --------------------------------------------------------------------------- */

static bool
publish (FleetLink *link, const char *queue, bool is_mandatory,
         const amqp_basic_properties_t *properties, amqp_bytes_t body, GError **error)
{
  const int status =
      amqp_basic_publish (link->connection, CONTROL_CHANNEL, amqp_empty_bytes,
                          amqp_cstring_bytes (queue), is_mandatory, 0, properties, body);

  if (status != AMQP_STATUS_OK)
    return fleet_link_fail (link, "can't send", status, error);
  link->n_sent++;
  link->sent_us = g_get_monotonic_time ();
  link->is_returned = link->is_refused = false;
  return true;
}

bool
fleet_link_begin_to_send (FleetLink *link, const char *queue, const FleetMessage *message,
                          GError **error)
{
  amqp_table_entry_t entries[3];
  amqp_basic_properties_t properties = {
      ._flags =
          AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG,
      .delivery_mode = PERSISTENT,
      .content_type = amqp_cstring_bytes ("application/json"),
      .headers.entries = entries,
  };

  if (message->attempts > 0) {
    entries[properties.headers.num_entries++] = number_entry ("yolov7-attempts", message->attempts);
    entries[properties.headers.num_entries++] =
        number_entry ("yolov7-failed-at", (int64_t) message->failed_s);
  }
  if (message->reason)
    entries[properties.headers.num_entries++] = text_entry ("yolov7-reason", message->reason);
  return publish (link, queue, true, &properties,
                  (amqp_bytes_t){.len = message->size_bytes, .bytes = (void *) message->body},
                  error);
}

bool
fleet_link_send (FleetLink *link, const char *queue, const FleetMessage *message, GError **error)
{
  return fleet_link_begin_to_send (link, queue, message, error) &&
         fleet_link_wait_confirmed (link, error);
}

bool
fleet_link_look_at_sent (const FleetLink *link, FleetReceipt *receipt, GError **error)
{
  const gint64 waited_us = g_get_monotonic_time () - link->sent_us;

  if (link->n_confirmed >= link->n_sent) {
    *receipt = link->is_refused || link->is_returned ? FLEET_REFUSED : FLEET_CONFIRMED;
    return true;
  }
  *receipt = FLEET_UNDERWAY;
  return link->blocked || waited_us < FLEET_ANSWER_S * G_USEC_PER_SEC ||
         fleet_link_fail (link, "it does not confirm a message", AMQP_STATUS_TIMEOUT, error);
}

const char *
fleet_link_why_refused (const FleetLink *link)
{
  return link->is_returned ? "there is no such queue"
                           : "its queue is full, or not ready, as after a start; try again";
}

const char *
fleet_link_why_blocked (const FleetLink *link)
{
  return link->blocked;
}

bool
fleet_link_answer (FleetLink *link, const char *queue, const char *text, GError **error)
{
  const amqp_basic_properties_t properties = {0};

  return publish (link, queue, false, &properties, amqp_cstring_bytes (text), error);
}
