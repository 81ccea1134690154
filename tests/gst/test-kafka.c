/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-kafka.c - gst/publish/kafka.h, and the publisher on it, with librdkafka's mock
 * cluster: brokers that go and come, and answer with errors. Time passes where the test says so. */
#include "gst/publish/kafka.h"

#include <string.h>

#include "tests/gst/carrier.h"
#include "tests/gst/courier.h"
#include "tests/gst/got.h"
#include "tests/gst/kafkacluster.h"
#include "tests/gst/namesake.h"

/* The linker puts this before GLib's (meson.build: --wrap). */
static int64_t passed_us;

gint64 __real_g_get_monotonic_time (void);
gint64 __wrap_g_get_monotonic_time (void);

gint64
__wrap_g_get_monotonic_time (void)
{
  return __real_g_get_monotonic_time () + passed_us;
}

static void
look_at (void *user_data, int partition, const char *text, size_t n_bytes)
{
  (void) partition;
  got_add (user_data, text, n_bytes, false);
}

static Carrier *
start_carrier (const KafkaCluster *cluster)
{
  const YvTransportConfig config = {.address = cluster->address, .topic = KAFKA_TOPIC};

  return carrier_new (&yv_transport_kafka, &config);
}

/* Records 1 to @n are there, once each and in order. */
static void
assert_stored (KafkaReader *reader, Got *got, uint32_t n)
{
  got->wanted = n;
  kafka_reader_wait (reader, got_wanted_records);
  g_assert_cmpuint (got->n_different, ==, n);
  g_assert_cmpuint (got->n_marked + got->n_unmarked, ==, 0);
}

/* ---- what works ------------------------------------------------------------------------------ */

static void
records_arrive_in_order (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);
  Got got = {0};
  g_autoptr (KafkaReader) reader = kafka_reader_new (cluster, look_at, &got);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 5000));
  g_assert_true (carrier_wait_for (carrier, 5000));
  carrier_assert_done (carrier, 1, 5000);
  assert_stored (reader, &got, 5000);
}

static void
note_partition (void *user_data, int partition, const char *text, size_t n_bytes)
{
  (void) text, (void) n_bytes;
  ((guint *) user_data)[partition]++;
}

static bool
has_200 (const void *counts)
{
  guint n = 0;

  for (int i = 0; i < 8; i++)
    n += ((const guint *) counts)[i];
  return n == 200;
}

/* Only there does Kafka keep their order. */
static void
all_records_are_in_one_partition (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (3, 8);
  g_autoptr (Carrier) carrier = start_carrier (cluster);
  guint n_records[8] = {0}, n_used = 0;
  g_autoptr (KafkaReader) reader = kafka_reader_new (cluster, note_partition, n_records);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 100));
  g_assert_true (carrier_wait_for (carrier, 100));
  carrier_connect (carrier); /* also behind a connection that broke */
  g_assert_true (carrier_send (carrier, 101, 100));
  g_assert_true (carrier_wait_for (carrier, 200));
  kafka_reader_wait (reader, has_200);
  for (size_t i = 0; i < G_N_ELEMENTS (n_records); i++)
    n_used += n_records[i] > 0;
  g_assert_cmpuint (n_used, ==, 1);
}

static void
wake_ends_a_poll (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);

  carrier_connect (carrier);
  carrier->transport->wake (carrier->self);
  g_assert_true (carrier->transport->poll (carrier->self, G_MAXINT, NULL));
}

/* The library sends again what may not have arrived, and the cluster knows what has. */
static void
errors_that_pass (void)
{
  static const rd_kafka_resp_err_t codes[] = {
      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 0};
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);
  Got got = {0};
  g_autoptr (KafkaReader) reader = kafka_reader_new (cluster, look_at, &got);

  carrier_connect (carrier);
  kafka_cluster_fail_produce (cluster, codes);
  g_assert_true (carrier_send (carrier, 1, 2000));
  g_assert_true (carrier_wait_for (carrier, 2000));
  carrier_assert_done (carrier, 1, 2000);
  assert_stored (reader, &got, 2000);
}

/* Nobody but the library notices. */
static void
a_short_outage (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (2, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);
  Got got = {0};
  g_autoptr (KafkaReader) reader = kafka_reader_new (cluster, look_at, &got);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 500));
  g_assert_true (carrier_wait_for (carrier, 1));
  kafka_cluster_set_down (cluster);
  g_assert_true (carrier_send (carrier, 501, 500));
  kafka_cluster_set_up (cluster);
  g_assert_true (carrier_wait_for (carrier, 1000));
  carrier_assert_done (carrier, 1, 1000);
  assert_stored (reader, &got, 1000);
}

/* ---- what breaks a connection ---------------------------------------------------------------- */

static void
a_long_outage (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);

  carrier_connect (carrier);
  kafka_cluster_set_down (cluster);
  g_assert_true (carrier_send (carrier, 1, 10));
  /* Time passes each time that it says nothing. */
  for (uint32_t i = 0; i < 100 && carrier->transport->poll (carrier->self, 1000, NULL); i++)
    passed_us += G_USEC_PER_SEC;
  carrier_assert_says (carrier_wait_for_break (carrier), "no broker answers");
  g_assert_cmpuint (carrier->done->len, ==, 0);
  carrier->transport->disconnect (carrier->self);

  kafka_cluster_set_up (cluster);
  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 10));
  g_assert_true (carrier_wait_for (carrier, 10));
  carrier_assert_done (carrier, 1, 10);
}

/* However long it takes: nothing waits to be sent. */
static void
an_outage_that_nobody_minds (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);

  carrier_connect (carrier);
  kafka_cluster_set_down (cluster);
  for (int i = 0; i < 5; i++) {
    g_assert_true (carrier->transport->poll (carrier->self, 100, NULL));
    passed_us += 10 * G_USEC_PER_SEC;
  }
  kafka_cluster_set_up (cluster);
  g_assert_true (carrier_send (carrier, 1, 10));
  g_assert_true (carrier_wait_for (carrier, 10));
  carrier_assert_done (carrier, 1, 10);
}

/* Records that the library has just been given are not late because brokers once were away. */
static void
the_first_record_behind_an_outage_that_nobody_minded (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);

  carrier_connect (carrier);
  kafka_cluster_set_down (cluster);
  for (int i = 0; i < 5; i++) {
    g_assert_true (carrier->transport->poll (carrier->self, 100, NULL));
    passed_us += 10 * G_USEC_PER_SEC;
  }
  kafka_cluster_set_slow (cluster);
  kafka_cluster_set_up (cluster);
  g_assert_true (carrier_send (carrier, 1, 10));
  carrier->transport->wake (carrier->self);
  g_assert_true (carrier->transport->poll (carrier->self, 0, NULL));
  g_assert_true (carrier_wait_for (carrier, 10));
  carrier_assert_done (carrier, 1, 10);
}

/* Polls that find nothing, each a second after the other. Returns: how many passed before the
 * connection broke. */
static uint32_t
count_seconds (Carrier *carrier, uint32_t max)
{
  for (uint32_t i = 0; i < max; i++) {
    carrier->transport->wake (carrier->self);
    if (!carrier->transport->poll (carrier->self, 0, NULL))
      return i;
    passed_us += G_USEC_PER_SEC;
  }
  return max;
}

/* Another one is there, so the library never says that all are down. */
static void
the_only_broker_with_the_partition_is_away (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (2, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);

  carrier_connect (carrier);
  kafka_cluster_set_leader_down (cluster);
  g_assert_true (carrier_send (carrier, 1, 10));
  const uint32_t n_seconds = count_seconds (carrier, 100);
  g_assert_cmpuint (n_seconds, >=, 39); /* request.timeout.ms, and 10 seconds */
  g_assert_cmpuint (n_seconds, <=, 42);
  carrier_assert_says (carrier_wait_for_break (carrier), "acknowledges none");
  g_assert_cmpuint (carrier->done->len, ==, 0);
}

static void
records_that_the_library_holds_back_are_not_late (void)
{
  const char *const settings[] = {"linger.ms", "60000", NULL};
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  const YvTransportConfig config = {
      .address = cluster->address, .topic = KAFKA_TOPIC, .settings = settings};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_kafka, &config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 10));
  g_assert_cmpuint (count_seconds (carrier, 90), ==, 90);
}

static void
a_host_with_two_addresses (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autofree char *address = g_strconcat (NAMESAKE_TWICE, strrchr (cluster->address, ':'), NULL);
  const YvTransportConfig config = {.address = address, .topic = KAFKA_TOPIC};

  /* Which one is tried first is chance. */
  for (int i = 0; i < 6; i++) {
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_kafka, &config);
    carrier_connect (carrier);
    g_assert_true (carrier_send (carrier, 1, 1));
    g_assert_true (carrier_wait_for (carrier, 1));
  }
}

static void
the_window_fills_up (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);

  carrier_connect (carrier);
  kafka_cluster_set_down (cluster);
  g_assert_true (carrier_send (carrier, 1, 1000));
  g_assert_cmpint (carrier->transport->send (carrier->self, 1001, "{}", 2, false, NULL), ==,
                   YV_SEND_FULL);
}

/* What the cluster says once and for all: the producer is of no more use, another one is. */
static void
errors_that_stay (void)
{
  static const struct {
    rd_kafka_resp_err_t code;
    const char *says;
  } rows[] = {
      {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "sequence"},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "authorization"},
      {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, "authorization"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    const rd_kafka_resp_err_t codes[] = {rows[i].code, 0};
    g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
    g_autoptr (Carrier) carrier = start_carrier (cluster);

    carrier_connect (carrier);
    kafka_cluster_fail_produce (cluster, codes);
    g_assert_true (carrier_send (carrier, 1, 1));
    carrier_assert_says (carrier_wait_for_break (carrier), rows[i].says);
    g_assert_cmpuint (carrier->done->len, ==, 0);
    carrier->transport->disconnect (carrier->self);
    carrier_connect (carrier);
    g_assert_true (carrier_send (carrier, 1, 10));
    g_assert_true (carrier_wait_for (carrier, 10));
  }
}

static void
records_that_are_refused (void)
{
  static const rd_kafka_resp_err_t codes[] = {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 0};
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);

  carrier_connect (carrier);
  kafka_cluster_fail_produce (cluster, codes);
  g_assert_true (carrier_send (carrier, 1, 1));
  g_assert_true (carrier_wait_for (carrier, 1));
  carrier_assert_says (carrier->refusal, "too large");
  g_clear_pointer (&carrier->refusal, g_free);
  g_assert_true (carrier_send (carrier, 2, 10));
  g_assert_true (carrier_wait_for (carrier, 11));
  g_assert_null (carrier->refusal);
}

static void
a_record_that_is_too_large (void)
{
  const char *const settings[] = {"message.max.bytes", "1000", NULL};
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  const YvTransportConfig config = {
      .address = cluster->address, .topic = KAFKA_TOPIC, .settings = settings};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_kafka, &config);
  g_autofree char *large = g_strnfill (2000, ' ');
  g_autoptr (GError) error = NULL;

  carrier_connect (carrier);
  g_assert_cmpint (carrier->transport->send (carrier->self, 1, large, 2000, false, &error), ==,
                   YV_SEND_REFUSED);
  carrier_assert_says (error->message, "2000 bytes");
  g_assert_true (carrier_send (carrier, 2, 1));
  g_assert_true (carrier_wait_for (carrier, 1));
  carrier_assert_done (carrier, 2, 1);
}

/* ---- the publisher --------------------------------------------------------------------------- */

static Courier *
start_courier (const KafkaCluster *cluster)
{
  const YvTransportConfig config = {.address = cluster->address, .topic = KAFKA_TOPIC};

  passed_us = 0; /* a publisher waits by GLib's own clock */
  return courier_new (&yv_transport_kafka, &config);
}

static void
brokers_that_go_and_come (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  Got got = {0};
  g_autoptr (KafkaReader) reader = kafka_reader_new (cluster, look_at, &got);
  g_autoptr (Courier) courier = start_courier (cluster);

  for (uint32_t i = 0; i < 3; i++) {
    courier_push (courier, 1 + i * 2000, 1000);
    got.wanted = i * 2000 + 100;
    kafka_reader_wait (reader, got_wanted_records);
    kafka_cluster_set_down (cluster);
    courier_push (courier, 1001 + i * 2000, 1000);
    kafka_cluster_set_up (cluster);
  }
  courier_assert_all_arrive (courier, 6000);
  got.wanted = 6000;
  kafka_reader_wait (reader, got_wanted_records);
  g_assert_cmpuint (got.n_different, ==, 6000);
  g_assert_cmpuint (got.n_unmarked, ==, 0);
}

/* The records of the batch that the error is for, and all behind them, come again. */
static void
a_producer_that_is_of_no_more_use (void)
{
  static const rd_kafka_resp_err_t codes[] = {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 0};
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  Got got = {.wanted = 100};
  g_autoptr (KafkaReader) reader = kafka_reader_new (cluster, look_at, &got);
  g_autoptr (Courier) courier = start_courier (cluster);

  courier_push (courier, 1, 100);
  kafka_reader_wait (reader, got_wanted_records);
  kafka_cluster_fail_produce (cluster, codes);
  courier_push (courier, 101, 900);
  courier_assert_all_arrive (courier, 1000);
  got.wanted = 1000;
  kafka_reader_wait (reader, got_wanted_records);
  g_assert_cmpuint (got.n_unmarked, ==, 0);
  g_assert_cmpint (g_atomic_int_get (&courier->n_troubles), ==, 1);
}

static void
a_cluster_that_never_comes (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  kafka_cluster_set_down (cluster);
  g_autoptr (Courier) courier = start_courier (cluster);

  courier_push (courier, 1, 1000);
  g_assert_false (yv_publisher_drain (courier->publisher, 0));
  g_assert_cmpuint (courier_stop (courier), ==, 1000);
}

int
main (int argc, char **argv)
{
  namesake_init ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kafka/order", records_arrive_in_order);
  g_test_add_func ("/kafka/partition", all_records_are_in_one_partition);
  g_test_add_func ("/kafka/wake", wake_ends_a_poll);
  g_test_add_func ("/kafka/errors/pass", errors_that_pass);
  g_test_add_func ("/kafka/outage/short", a_short_outage);
  g_test_add_func ("/kafka/outage/long", a_long_outage);
  g_test_add_func ("/kafka/outage/idle", an_outage_that_nobody_minds);
  g_test_add_func ("/kafka/outage/idle-slow", the_first_record_behind_an_outage_that_nobody_minded);
  g_test_add_func ("/kafka/outage/leader", the_only_broker_with_the_partition_is_away);
  g_test_add_func ("/kafka/linger", records_that_the_library_holds_back_are_not_late);
  g_test_add_func ("/kafka/addresses", a_host_with_two_addresses);
  g_test_add_func ("/kafka/window", the_window_fills_up);
  g_test_add_func ("/kafka/errors/stay", errors_that_stay);
  g_test_add_func ("/kafka/errors/refusal", records_that_are_refused);
  g_test_add_func ("/kafka/bad/large-record", a_record_that_is_too_large);
  g_test_add_func ("/kafka/publisher/outages", brokers_that_go_and_come);
  g_test_add_func ("/kafka/publisher/fatal", a_producer_that_is_of_no_more_use);
  g_test_add_func ("/kafka/publisher/never", a_cluster_that_never_comes);
  return g_test_run ();
}
