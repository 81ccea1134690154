/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publishbroker.c - yolov7publish with brokers: records that arrive, and words about
 * those that can't. */
#include <string.h>

#include "tests/gst/got.h"
#include "tests/gst/kafkacluster.h"
#include "tests/gst/mosquittoprocess.h"
#include "tests/gst/mqttpeer.h"
#include "tests/gst/mqttsubscriber.h"
#include "tests/gst/publishharness.h"

#define TOPIC "cameras/door"
#define SECRET "tr0ub4dor-and-3"

/* ---- records that arrive --------------------------------------------------------------------- */

static void
look_at_message (void *user_data, const char *text, size_t n_bytes, bool is_dup)
{
  g_assert_true (g_strstr_len (text, (gssize) n_bytes, "\"label\":\"dog\"") != NULL);
  got_add (user_data, text, n_bytes, is_dup);
}

static void
through_mosquitto (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (NULL);
  Got got = {.wanted = 300};
  g_autoptr (MqttSubscriber) subscriber = mqtt_subscriber_new (TOPIC, look_at_message, &got);
  mosquitto_process_start (mosquitto);
  mqtt_subscriber_connect (subscriber, mosquitto->port);
  g_autofree char *properties =
      g_strdup_printf ("method=mqtt topic=" TOPIC " address=tcp://%s", mosquitto->address);
  Fixture f = fixture_new (properties);

  push_dogs (&f, 300);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 300);
  mqtt_subscriber_wait (subscriber, got_wanted_records);
  g_assert_cmpuint (got.last, ==, 300);
  g_assert_cmpuint (got.n_marked + got.n_unmarked, ==, 0);
  fixture_clear (&f);
}

/* The broker wants a certificate of the client. */
static void
certificates_as_properties (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto =
      mosquitto_process_new ("allow_anonymous true\ncertfile %s/server.crt\n"
                             "keyfile %s/server.key\ncafile %s/ca.crt\nrequire_certificate true\n");
  mosquitto_process_make_certificates (mosquitto, "localhost", NULL);
  mosquitto_process_start (mosquitto);
  g_autofree char *properties = g_strdup_printf (
      "method=mqtt topic=" TOPIC " address=%s ca-file=%s/ca.crt cert-file=%s/client.crt "
      "key-file=%s/client.key",
      mosquitto->address, mosquitto->folder, mosquitto->folder, mosquitto->folder);
  Fixture f = fixture_new (properties);

  push_dogs (&f, 10);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 10);
  fixture_clear (&f);
}

/* All that a broker with certificates asks for, without a file; and too little of it. */
static void
certificates_by_properties (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (
      "allow_anonymous true\ncertfile %s/server.crt\nkeyfile %s/server.key\ncafile %s/ca.crt\n"
      "require_certificate true\n");
  mosquitto_process_make_certificates (mosquitto, "localhost", SECRET);
  mosquitto_process_run (mosquitto, "openssl", "pkey", "-in", "client.key", "-passin",
                         "pass:" SECRET, "-out", "plain.key", NULL);
  mosquitto_process_start (mosquitto);
  const char *folder = mosquitto->folder;
  g_autofree char *unknown = g_strdup_printf ("method=mqtt topic=" TOPIC " address=%s tls=true "
                                              "drain-timeout=0",
                                              mosquitto->address);
  g_autofree char *good = g_strdup_printf ("method=mqtt topic=" TOPIC " address=%s "
                                           "ca-file=%s/ca.crt cert-file=%s/client.crt "
                                           "key-file=%s/plain.key",
                                           mosquitto->address, folder, folder, folder);

  Fixture f = fixture_new (good);
  push_dogs (&f, 10);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 10);
  fixture_clear (&f);

  f = fixture_new (unknown);
  push_dogs (&f, 1);
  g_autofree char *text = pop_trouble (&f);
  assert_says (text, "certificate verify failed");
  fixture_clear (&f);
}

/* The mock cluster does not know TLS, which shows that it was asked for. */
static void
certificates_as_properties_of_kafka (void)
{
  g_autoptr (Mosquitto) certificates = mosquitto_process_new (NULL);
  mosquitto_process_make_certificates (certificates, "localhost", NULL);
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autofree char *properties =
      g_strdup_printf ("method=kafka topic=" KAFKA_TOPIC " address=%s ca-file=%s/ca.crt "
                       "drain-timeout=0",
                       cluster->address, certificates->folder);
  Fixture f = fixture_new (properties);

  push_dogs (&f, 1);
  g_autofree char *text = pop_trouble (&f);
  assert_says (text, "SSL");
  fixture_clear (&f);
}

static void
look_at_record (void *user_data, int partition, const char *text, size_t n_bytes)
{
  (void) partition;
  look_at_message (user_data, text, n_bytes, false);
}

static void
through_kafka (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  Got got = {.wanted = 300};
  g_autoptr (KafkaReader) reader = kafka_reader_new (cluster, look_at_record, &got);
  g_autofree char *properties =
      g_strdup_printf ("method=kafka topic=" KAFKA_TOPIC " address=%s", cluster->address);
  Fixture f = fixture_new (properties);

  push_dogs (&f, 300);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 300);
  kafka_reader_wait (reader, got_wanted_records);
  g_assert_cmpuint (got.last, ==, 300);
  g_assert_cmpuint (got.n_marked + got.n_unmarked, ==, 0);
  fixture_clear (&f);
}

/* ---- what can't work ------------------------------------------------------------------------- */

static void
starts_that_fail (void)
{
  static const struct {
    const char *properties, *says;
  } rows[] = {
      {"method=mqtt topic=t", "address"},
      {"method=mqtt topic=t address=a:b", "port"},
      {"method=mqtt address=h", "topic is not set"},
      {"method=mqtt address=h topic=cameras/#", "wildcard"},
      {"method=mqtt address=h topic=t password=" SECRET, "no username"},
      {"method=mqtt address=h topic=t mqtt-config=/no/such.json", "/no/such.json"},
      {"method=mqtt address=h topic=t ca-file=/no/such.pem", "ca-file"},
      {"method=mqtt address=h topic=t cert-file=/dev/null", "without key-file"},
      {"method=kafka address=h topic=t ca-file=/no/such.pem", "\"/no/such.pem\" can't be read"},
      {"method=kafka address=h topic=t key-file=/dev/null", "without cert-file"},
      {"method=kafka topic=t", "address is not set"},
      {"method=kafka address=h", "topic is not set"},
      {"method=kafka address=h topic=a/b", "no name for one"},
      {"method=kafka address=h topic=t password=" SECRET, "no username"},
      {"method=kafka address=h topic=t ca-file=/no/such.pem", "/no/such.pem"},
      {"method=kafka address=h topic=t key-file=/no/such.pem", "ssl_client_certificate"},
      {"method=mqtt address=h topic=t cert-file=/no/such.pem", "ssl_private_key"},
      {"method=kafka address=h topic=t kafka-config=/no/such.json", "/no/such.json"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    Fixture f = fixture_prepare (rows[i].properties);
    g_assert_cmpint (gst_element_set_state (f.element, GST_STATE_PAUSED), ==,
                     GST_STATE_CHANGE_FAILURE);
    g_autofree char *text = pop_trouble (&f);
    assert_says (text, rows[i].says);
    g_assert_null (strstr (text, SECRET));
    fixture_clear (&f);
  }
}

/* The stream goes on, one warning says why, and its end is not held up. */
static void
brokers_that_do_not_work (void)
{
  const MqttScript mute = {.is_mute = true}, refusing = {.refusal = 0x87},
                   silent = {.n_acknowledged = 0};
  g_autoptr (MqttPeer) mute_peer = mqtt_peer_new (&mute);
  g_autoptr (MqttPeer) refusing_peer = mqtt_peer_new (&refusing);
  g_autoptr (MqttPeer) silent_peer = mqtt_peer_new (&silent);
  const struct {
    const MqttPeer *peer;
    const char *method, *says; /* NULL: nothing yet */
  } rows[] = {
      {mute_peer, "mqtt", NULL},
      {refusing_peer, "mqtt", "Not authorized"},
      {silent_peer, "mqtt", NULL},
      {mute_peer, "kafka", NULL},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *properties =
        g_strdup_printf ("method=%s topic=t address=127.0.0.1:%u drain-timeout=0 queue-size=20",
                         rows[i].method, mqtt_peer_port (rows[i].peer));
    Fixture f = fixture_new (properties);
    push_dogs (&f, 10);
    if (rows[i].says) {
      g_autofree char *text = pop_trouble (&f);
      assert_says (text, rows[i].says);
    }
    push_dogs (&f, 1000);
    g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
    g_assert_cmpuint (get_count (f.element, "records"), ==, 1010);
    g_assert_cmpuint (get_count (f.element, "arrived"), ==, 0);
    g_assert_cmpuint (get_count (f.element, "waiting"), <=, 20);
    fixture_clear (&f);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  (gst_debug_remove_log_function) (NULL); /* the one that prints */
  g_test_add_func ("/publish-broker/mosquitto", through_mosquitto);
  g_test_add_func ("/publish-broker/kafka", through_kafka);
  g_test_add_func ("/publish-broker/certificates/mqtt", certificates_as_properties);
  g_test_add_func ("/publish-broker/certificates/kafka", certificates_as_properties_of_kafka);
  g_test_add_func ("/publish-broker/bad/starts", starts_that_fail);
  g_test_add_func ("/publish-broker/bad/brokers", brokers_that_do_not_work);
  g_test_add_func ("/publish-broker/certificates", certificates_by_properties);
  const int result = g_test_run ();
  remove_folder ();
  return result;
}
