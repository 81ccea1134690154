/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/kafka.c - records to a Kafka cluster. */
#include "gst/publish/kafka.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <string.h>
#include <sys/eventfd.h>

#include "engine/yolov7.h"
#include "gst/publish/inflight.h"
#include "gst/publish/kafkaconfig.h"
#include "gst/publish/wake.h"

#define MAX_IN_FLIGHT 1000

/* Brokers that restart one after the other, and idle connections that a broker closes, are back
 * sooner; librdkafka waits a second at most before it tries again (kafkaconfig.c). */
#define MAX_OUTAGE_US (5 * G_USEC_PER_SEC)

/* Time for brokers' other addresses: the library says that all are down when each broker has failed
 * at one. */
#define MAX_KNOCK_US (2 * G_USEC_PER_SEC)

/* Beyond what a broker may take to answer. */
#define MARGIN_US (10 * G_USEC_PER_SEC)

/* How often the library is asked for what it has no event for. */
#define LOOK_MS 100
/* The longest that it is asked for a topic at a time, which cancel() does not interrupt. */
#define ASK_MS 1000

typedef struct {
  YvKafkaConfig config;
  YvTransportEvents events;
  YvWake wake; /* the library wakes us, too, when it has something to tell */

  /* The worker's thread only. */
  rd_kafka_t *producer; /* NULL: no connection */
  rd_kafka_topic_t *topic;
  char *trouble;   /* (nullable): the last error that the library told */
  bool is_broken;  /* for the reason in trouble */
  int64_t down_us; /* since when no broker is connected; 0: not known to be so. The
                    * library doesn't tell when one is again */
  int64_t due_us;  /* from when on a delivery is late; of no meaning where nothing is in flight */
  YvInFlight in_flight; /* the library has pointers into it */
} Kafka;

static void
set_trouble (Kafka *kafka, const char *text)
{
  g_free (kafka->trouble);
  kafka->trouble = g_strdup (text);
}

/* The library may hold records back, to send more of them at once. */
static void
expect_delivery (Kafka *kafka)
{
  kafka->due_us = g_get_monotonic_time () + kafka->config.linger_us;
}

/* What the library calls back, always from inside rd_kafka_poll(). */

static void
on_log (const rd_kafka_t *producer, int level, const char *facility, const char *text)
{
  const Kafka *kafka = rd_kafka_opaque (producer);
  g_autofree char *line = g_strconcat (facility, ": ", text, NULL);

  (void) level;
  kafka->events.log (kafka->events.user_data, line);
}

static void
on_error (rd_kafka_t *producer, int code, const char *reason, void *self)
{
  Kafka *kafka = self;
  char text[512];

  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    if (kafka->down_us == 0)
      kafka->down_us = g_get_monotonic_time ();
    return;
  }
  if (code != RD_KAFKA_RESP_ERR__FATAL) {
    set_trouble (kafka, reason);
    return;
  }
  rd_kafka_fatal_error (producer, text, sizeof text);
  set_trouble (kafka, text);
  kafka->is_broken = true;
}

/* What no other connection would change: the record itself is wrong. */
static bool
is_refusal (rd_kafka_resp_err_t code)
{
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
         code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
         code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
         code == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

static void
on_delivery (rd_kafka_t *producer, const rd_kafka_message_t *message, void *self)
{
  Kafka *kafka = self;
  YvSent *sent = message->_private;

  (void) producer;
  if (message->err && !is_refusal (message->err)) {
    /* It stays unanswered, and is given again. */
    if (!kafka->is_broken)
      set_trouble (kafka, rd_kafka_err2str (message->err));
    kafka->is_broken = true;
    return;
  }
  kafka->down_us = 0;
  expect_delivery (kafka);
  const uint64_t id = sent->id;
  yv_in_flight_answer (&kafka->in_flight, sent);
  kafka->events.done (kafka->events.user_data, id,
                      message->err ? rd_kafka_err2str (message->err) : NULL);
}

static bool
fail (const Kafka *kafka, GError **error, const char *trouble)
{
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "Kafka at %.200s, topic %s: %s", kafka->config.address,
               kafka->config.topic, trouble);
  return false;
}

/* Waits for what the library tells, wake(), cancel() or the time, and handles it. */
static bool
turn (Kafka *kafka, int timeout_ms, GError **error)
{
  if (!yv_wake_wait (&kafka->wake, NULL, timeout_ms))
    return fail (kafka, error, g_strerror (errno));
  while (rd_kafka_poll (kafka->producer, 0) > 0)
    continue;
  return !kafka->is_broken || fail (kafka, error, kafka->trouble);
}

static void
disconnect_from_cluster (void *self)
{
  Kafka *kafka = self;

  if (!kafka->producer)
    return;
  rd_kafka_purge (kafka->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                       RD_KAFKA_PURGE_F_NON_BLOCKING);
  g_clear_pointer (&kafka->topic, rd_kafka_topic_destroy);
  g_clear_pointer (&kafka->producer, rd_kafka_destroy);
  yv_in_flight_forget (&kafka->in_flight);
}

static bool
make_producer (Kafka *kafka, GError **error)
{
  static const eventfd_t one = 1;

  kafka->is_broken = false;
  kafka->down_us = 0;
  g_clear_pointer (&kafka->trouble, g_free);
  rd_kafka_conf_t *conf = rd_kafka_conf_dup (kafka->config.conf);
  rd_kafka_conf_set_opaque (conf, kafka);
  rd_kafka_conf_set_log_cb (conf, on_log);
  rd_kafka_conf_set_error_cb (conf, on_error);
  rd_kafka_conf_set_dr_msg_cb (conf, on_delivery);
  kafka->producer = yv_kafka_config_make_producer (conf, error);
  if (!kafka->producer)
    return false;

  rd_kafka_set_log_queue (kafka->producer, NULL); /* so that on_log, too, is called by us */
  rd_kafka_queue_t *queue = rd_kafka_queue_get_main (kafka->producer);
  rd_kafka_queue_io_event_enable (queue, kafka->wake.fd, &one, sizeof one);
  rd_kafka_queue_destroy (queue);
  kafka->topic = rd_kafka_topic_new (kafka->producer, kafka->config.topic, NULL);
  return kafka->topic || fail (kafka, error, rd_kafka_err2str (rd_kafka_last_error ()));
}

/* What has gone wrong so far is the reason. */
static bool
fail_late (const Kafka *kafka, const char *what, GError **error)
{
  g_autofree char *text = g_strconcat (what, kafka->trouble ? ": " : "", kafka->trouble, NULL);

  return fail (kafka, error, text);
}

static bool
wait_for_broker (Kafka *kafka, int64_t deadline_us, GError **error)
{
  for (;;) {
    const int64_t now_us = g_get_monotonic_time ();
    const int64_t left_us = deadline_us - now_us;
    char *cluster = rd_kafka_clusterid (kafka->producer, 0);
    if (cluster) {
      rd_kafka_mem_free (kafka->producer, cluster);
      return true;
    }
    if (yv_wake_is_cancelled (&kafka->wake))
      return fail (kafka, error, "time is up");
    /* Who tries again, and when, is the publisher's. */
    if (left_us <= 0 || (kafka->down_us > 0 && now_us - kafka->down_us > MAX_KNOCK_US))
      return fail_late (kafka, "no broker answers", error);
    if (!turn (kafka, (int) MIN (left_us / 1000 + 1, LOOK_MS), error))
      return false;
  }
}

/* Returns: what the brokers say about the topic; many make it when they are first asked. */
static rd_kafka_resp_err_t
ask_for_topic (Kafka *kafka, int timeout_ms)
{
  const rd_kafka_metadata_t *metadata = NULL;
  rd_kafka_resp_err_t code =
      rd_kafka_metadata (kafka->producer, false, kafka->topic, &metadata, timeout_ms);

  if (code)
    return code;
  code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
  rd_kafka_metadata_destroy (metadata);
  return code;
}

static bool
may_come (rd_kafka_resp_err_t code)
{
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
         code == RD_KAFKA_RESP_ERR__TRANSPORT;
}

static bool
wait_for_topic (Kafka *kafka, int64_t deadline_us, GError **error)
{
  for (;;) {
    const int64_t left_us = MAX (deadline_us - g_get_monotonic_time (), 0);
    const rd_kafka_resp_err_t code = ask_for_topic (kafka, (int) MIN (left_us / 1000 + 1, ASK_MS));
    if (!code)
      return true;
    if (yv_wake_is_cancelled (&kafka->wake))
      return fail (kafka, error, "time is up");
    if (left_us == 0 || !may_come (code))
      return fail (kafka, error, rd_kafka_err2str (code));
    if (!turn (kafka, LOOK_MS, error))
      return false;
  }
}

static void
wake_up (void *self)
{
  yv_wake_up (&((Kafka *) self)->wake);
}

static void
cancel (void *self)
{
  yv_wake_cancel (&((Kafka *) self)->wake);
}

static bool
connect_to_cluster (void *self, int timeout_ms, GError **error)
{
  Kafka *kafka = self;
  const int64_t deadline_us = g_get_monotonic_time () + (int64_t) timeout_ms * 1000;

  disconnect_from_cluster (kafka);
  if (make_producer (kafka, error) && wait_for_broker (kafka, deadline_us, error) &&
      wait_for_topic (kafka, deadline_us, error)) {
    kafka->down_us = 0;
    wake_up (kafka); /* it may have been meant for poll() */
    return true;
  }
  disconnect_from_cluster (kafka);
  return false;
}

static YvSend
send_record (void *self, uint64_t id, const char *bytes, size_t n_bytes, bool again, GError **error)
{
  Kafka *kafka = self;

  (void) again; /* its text says it */
  if (kafka->in_flight.n == MAX_IN_FLIGHT)
    return YV_SEND_FULL;
  if (kafka->in_flight.n == 0)
    expect_delivery (kafka);
  YvSent *sent = yv_in_flight_add (&kafka->in_flight, id);
  /* The library copies the bytes and only reads them; its prototype says otherwise. */
  if (rd_kafka_produce (kafka->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (char *) bytes,
                        n_bytes, kafka->config.key, strlen (kafka->config.key), sent) == 0)
    return YV_SEND_TAKEN;
  yv_in_flight_take_back (&kafka->in_flight);
  const rd_kafka_resp_err_t code = rd_kafka_last_error ();
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    return YV_SEND_FULL;
  fail (kafka, error, rd_kafka_err2str (code));
  if (is_refusal (code)) {
    g_prefix_error (error, "a record of %" G_GSIZE_FORMAT " bytes was not taken: ", n_bytes);
    return YV_SEND_REFUSED;
  }
  return YV_SEND_BROKEN;
}

static bool
poll_cluster (void *self, int timeout_ms, GError **error)
{
  Kafka *kafka = self;

  if (!turn (kafka, timeout_ms, error))
    return false;
  if (kafka->in_flight.n == 0)
    return true;
  const int64_t now_us = g_get_monotonic_time ();
  if (kafka->down_us > 0 && now_us - MAX (kafka->down_us, kafka->due_us) > MAX_OUTAGE_US)
    return fail_late (kafka, "no broker answers", error);
  /* As where only the one broker is away that has the partition. */
  if (now_us - kafka->due_us > kafka->config.answer_limit_us + MARGIN_US)
    return fail_late (kafka, "it takes records, but acknowledges none", error);
  return true;
}

static void
free_kafka (void *self)
{
  Kafka *kafka = self;

  if (!kafka)
    return;
  disconnect_from_cluster (kafka);
  yv_wake_clear (&kafka->wake);
  g_free (kafka->trouble);
  yv_in_flight_clear (&kafka->in_flight);
  yv_kafka_config_clear (&kafka->config);
  g_free (kafka);
}

static void *
new_kafka (const YvTransportConfig *config, const YvTransportEvents *events, GError **error)
{
  Kafka *kafka = g_new0 (Kafka, 1);

  kafka->events = *events;
  yv_in_flight_init (&kafka->in_flight, MAX_IN_FLIGHT);
  if (!yv_wake_init (&kafka->wake))
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "Kafka: eventfd: %s", g_strerror (errno));
  else if (yv_kafka_config_init (&kafka->config, config, error))
    return kafka;
  free_kafka (kafka);
  return NULL;
}

const YvTransport yv_transport_kafka = {
    .name = "kafka",
    .new = new_kafka,
    .connect = connect_to_cluster,
    .send = send_record,
    .poll = poll_cluster,
    .wake = wake_up,
    .cancel = cancel,
    .disconnect = disconnect_from_cluster,
    .free = free_kafka,
};
