/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-kafkabad.c - gst/publish/kafka.h: configurations that are refused, and clusters
 * that are not there, refuse, or lie. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gst/publish/kafka.h"

#include "tests/gst/carrier.h"
#include "tests/gst/kafkacluster.h"
#include "tests/gst/mqttwire.h"

static Carrier *
start_carrier (const KafkaCluster *cluster)
{
  const YvTransportConfig config = {.address = cluster->address, .topic = KAFKA_TOPIC};

  return carrier_new (&yv_transport_kafka, &config);
}

/* ---- clusters that are not there, refuse or lie ---------------------------------------------- */

static void
nobody_listens (void)
{
  uint16_t port;
  close (mqtt_wire_listen (&port));
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", port);
  const YvTransportConfig config = {.address = address, .topic = KAFKA_TOPIC};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_kafka, &config);

  const char *message = carrier_fail_to_connect (carrier, G_MAXINT);
  carrier_assert_says (message, "Connection refused");
  carrier_assert_says (message, address);
  carrier_assert_says (message, KAFKA_TOPIC);
}

typedef struct {
  int listening;
  char *address;
  const char *answer; /* NULL: it hangs up */
  GThread *thread;
} Liar;

static gpointer
lie (gpointer data)
{
  const Liar *liar = data;
  char bytes[1000];

  for (int fd; (fd = accept (liar->listening, NULL, NULL)) >= 0; close (fd)) {
    if (recv (fd, bytes, sizeof bytes, 0) <= 0 || !liar->answer)
      continue;
    if (send (fd, liar->answer, strlen (liar->answer), MSG_NOSIGNAL) > 0)
      shutdown (fd, SHUT_WR);
  }
  return NULL;
}

static void
start_liar (Liar *liar)
{
  uint16_t port;

  liar->listening = mqtt_wire_listen (&port);
  liar->address = g_strdup_printf ("127.0.0.1:%u", port);
  liar->thread = g_thread_new ("liar", lie, liar);
}

static void
end_liar (Liar *liar)
{
  shutdown (liar->listening, SHUT_RDWR);
  g_thread_join (liar->thread);
  close (liar->listening);
  g_free (liar->address);
}

static void
lies_instead_of_an_answer (void)
{
  static const char *const answers[] = {NULL, "HTTP/1.1 400 Bad Request\r\n\r\n",
                                        "\x7f\xff\xff\xff garbage",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff"};

  for (size_t i = 0; i < G_N_ELEMENTS (answers); i++) {
    Liar liar = {.answer = answers[i]};
    start_liar (&liar);
    const YvTransportConfig config = {.address = liar.address, .topic = KAFKA_TOPIC};
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_kafka, &config);
    carrier_assert_says (carrier_fail_to_connect (carrier, G_MAXINT), "no broker answers");
    end_liar (&liar);
  }
}

static gpointer
cancel (gpointer data)
{
  Carrier *carrier = data;

  carrier->transport->cancel (carrier->self);
  return NULL;
}

/* Whoever connects is let in, and hears nothing. */
static void
one_that_never_answers (void)
{
  uint16_t port;
  const int listening = mqtt_wire_listen (&port);
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", port);
  const YvTransportConfig config = {.address = address, .topic = KAFKA_TOPIC};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_kafka, &config);

  carrier_assert_says (carrier_fail_to_connect (carrier, 300), "no broker answers");
  close (listening);
}

static void
cancel_ends_a_connect (void)
{
  uint16_t port;
  const int listening = mqtt_wire_listen (&port);
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", port);
  const YvTransportConfig config = {.address = address, .topic = KAFKA_TOPIC};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_kafka, &config);

  GThread *thread = g_thread_new ("cancel", cancel, carrier);
  carrier_assert_says (carrier_fail_to_connect (carrier, G_MAXINT), "time is up");
  g_thread_join (thread);
  close (listening);
}

static void
cancel_ends_a_poll (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (Carrier) carrier = start_carrier (cluster);

  carrier_connect (carrier);
  GThread *thread = g_thread_new ("cancel", cancel, carrier);
  g_assert_true (carrier->transport->poll (carrier->self, G_MAXINT, NULL));
  g_thread_join (thread);
}

/* Of Debian 13. Its main thread reads a topic that isn't there, in any producer that hears such an
 * error, also in one of five lines. */
#define CRASHES_ITSELF (rd_kafka_version () == 0x020800ff)

static void
topics_that_are_refused (void)
{
  static const struct {
    rd_kafka_resp_err_t code;
    const char *says;
  } rows[] = {
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "Unknown topic"},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "authorization failed"},
      {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, "Invalid topic"},
  };

  for (size_t i = 0; i < (CRASHES_ITSELF ? 1 : G_N_ELEMENTS (rows)); i++) {
    g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
    g_autoptr (Carrier) carrier = start_carrier (cluster);
    rd_kafka_mock_topic_set_error (cluster->mock, KAFKA_TOPIC, rows[i].code);
    carrier_fail_until_it_says (carrier, 1000, rows[i].says);
  }
}

/* The mock cluster knows neither passwords nor TLS. */
static void
security_that_the_cluster_does_not_have (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  const YvTransportConfig rows[] = {
      {.username = "ann", .password = CARRIER_SECRET},
      {.tls = true, .username = "ann", .password = CARRIER_SECRET},
      {.tls = true, .tls_insecure = true},
  };
  const char *const says[] = {"SASL", "SSL", "SSL"};

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *const settings[] = {"debug", "all", NULL};
    YvTransportConfig config = rows[i];
    config.address = cluster->address;
    config.topic = KAFKA_TOPIC;
    config.settings = settings;
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_kafka, &config);
    carrier_assert_says (carrier_fail_to_connect (carrier, G_MAXINT), says[i]);
    g_assert_cmpuint (carrier->log->len, >, 1000);
  }
}

static void
configurations_that_are_refused (void)
{
  static const struct {
    YvTransportConfig config;
    const char *settings[3];
    const char *says;
  } rows[] = {
      {{.topic = "t"}, {NULL}, "address is not set"},
      {{.address = "", .topic = "t"}, {NULL}, "address is not set"},
      {{.address = "ann:" CARRIER_SECRET "@h", .topic = "t"}, {NULL}, "properties of their own"},
      {{.address = "h"}, {NULL}, "topic is not set"},
      {{.address = "h", .topic = ""}, {NULL}, "topic is not set"},
      {{.address = "h", .topic = "cameras/door"}, {NULL}, "is no name for one"},
      {{.address = "h", .topic = ".."}, {NULL}, "is no name for one"},
      {{.address = "h", .topic = "a\xff"}, {NULL}, "is no name for one"},
      {{.address = "h", .topic = "t", .password = CARRIER_SECRET}, {NULL}, "no username"},
      {{.address = "h", .topic = "t", .username = "ann"}, {NULL}, "sasl.password"},
      {{.address = "h", .topic = "t", .ca_file = "/no/such"}, {NULL}, "\"/no/such\" can't be read"},
      {{.address = "h", .topic = "t", .key_file = "/no/such"}, {NULL}, "without"},
      {{.address = "h", .topic = "t", .cert_file = "/no/such"}, {NULL}, "without"},
      {{.address = "h", .topic = "t", .ca_file = "/dev/null"}, {NULL}, "ssl.ca.location"},
      {{.address = "h", .topic = "t", .no_tls = true, .ca_file = "/dev/null"}, {NULL}, "is false"},
      {{.address = "h", .topic = "t"}, {"frobnicate", CARRIER_SECRET}, "\"frobnicate\""},
      {{.address = "h", .topic = "t"}, {"linger.ms", "x"}, "queue.buffering.max.ms"},
      {{.address = "h", .topic = "t"}, {"acks", "1"}, "acks"},
      {{.address = "h", .topic = "t"}, {"enable.idempotence", "false"}, "always on"},
      {{.address = "h", .topic = "t"}, {"bootstrap.servers", "x"}, "property address"},
      {{.address = "h", .topic = "t"}, {"metadata.broker.list", "x"}, "property address"},
      {{.address = "h", .topic = "t"}, {"plugin.library.paths", "x"}, "load code"},
      {{.address = "h", .topic = "t"}, {"topic.plugin.library.paths", "x"}, "load code"},
      {{.address = "h", .topic = "t"}, {"ssl.engine.location", "/x.so"}, "load code"},
      {{.address = "h", .topic = "t"}, {"ssl.providers", "x"}, "load code"},
      {{.address = "h", .topic = "t"}, {"sasl.kerberos.kinit.cmd", "true"}, "run commands"},
      {{.address = "h", .topic = "t"}, {"sasl.kerberos.principal", "a; b"}, "expected letters"},
      {{.address = "h", .topic = "t"}, {"sasl.kerberos.keytab", "$(b)"}, "expected letters"},
      {{.address = "h", .topic = "t"}, {"partitioner", "random"}, "one partition"},
      {{.address = "h", .topic = "t"}, {"topic.partitioner", "random"}, "one partition"},
      {{.address = "h", .topic = "t"}, {"queuing.strategy", "lifo"}, "fifo"},
      {{.address = "h", .topic = "t"}, {"enabled_events", "1"}, "element reads"},
      {{.address = "h", .topic = "t"}, {"test.mock.num.brokers", "1"}, "nowhere"},
      {{.address = "h", .topic = "t"}, {"transactional.id", "x"}, "transactions"},
      {{.address = "h", .topic = "t"}, {"log.queue", "false"}, "log.queue"},
      {{.address = "h", .topic = "t"}, {"delivery.report.only.error", "true"}, "arrived"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    YvTransportConfig config = rows[i].config;
    config.settings = rows[i].settings;
    g_autofree char *message = carrier_refuse (&yv_transport_kafka, &config);
    g_test_message ("%s", message);
    carrier_assert_says (message, rows[i].says);
  }
}

static void
settings_that_are_taken (void)
{
  static const char *const rows[][3] = {
      {"partitioner", "murmur2_random", NULL},
      {"topic.partitioner", "consistent", NULL},
      {"sasl.kerberos.principal", "door/camera@EXAMPLE.ORG", NULL},
      {"linger.ms", "50", NULL},
      {"ssl.endpoint.identification.algorithm", "https", NULL},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    const YvTransportConfig config = {.address = "h", .topic = "t", .settings = rows[i]};
    carrier_free (carrier_new (&yv_transport_kafka, &config));
  }
}

static void
a_topic_that_is_too_long (void)
{
  g_autofree char *topic = g_strnfill (250, 't');
  const YvTransportConfig config = {.address = "h", .topic = topic};
  g_autofree char *message = carrier_refuse (&yv_transport_kafka, &config);

  carrier_assert_says (message, "249");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kafka-bad/nobody", nobody_listens);
  g_test_add_func ("/kafka-bad/lies", lies_instead_of_an_answer);
  g_test_add_func ("/kafka-bad/mute", one_that_never_answers);
  g_test_add_func ("/kafka-bad/cancel-connect", cancel_ends_a_connect);
  g_test_add_func ("/kafka-bad/cancel-poll", cancel_ends_a_poll);
  g_test_add_func ("/kafka-bad/topics", topics_that_are_refused);
  g_test_add_func ("/kafka-bad/security", security_that_the_cluster_does_not_have);
  g_test_add_func ("/kafka-bad/configurations", configurations_that_are_refused);
  g_test_add_func ("/kafka-bad/settings", settings_that_are_taken);
  g_test_add_func ("/kafka-bad/long-topic", a_topic_that_is_too_long);
  return g_test_run ();
}
