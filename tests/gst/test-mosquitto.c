/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-mosquitto.c - gst/publish/mqtt.h, and the publisher on it, against a real
 * mosquitto: passwords, certificates, and a broker that is killed while records flow. */
#include "gst/publish/mqtt.h"

#include "tests/gst/carrier.h"
#include "tests/gst/courier.h"
#include "tests/gst/got.h"
#include "tests/gst/mosquittoprocess.h"
#include "tests/gst/mqttsubscriber.h"
#include "tests/gst/namesake.h"

#define TOPIC "cameras/door"

static void
look_at (void *user_data, const char *text, size_t n_bytes, bool is_dup)
{
  got_add (user_data, text, n_bytes, is_dup);
}

static void
assert_record_passes (Carrier *carrier, uint16_t plain_port)
{
  g_autoptr (MqttSubscriber) subscriber = NULL;
  Got got = {.wanted = 100};

  if (plain_port) {
    subscriber = mqtt_subscriber_new (TOPIC, look_at, &got);
    mqtt_subscriber_connect (subscriber, plain_port);
  }
  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 100));
  g_assert_true (carrier_wait_for (carrier, 100));
  carrier_assert_done (carrier, 1, 100);
  g_assert_null (carrier->refusal);
  if (subscriber)
    mqtt_subscriber_wait (subscriber, got_wanted_records);
  g_assert_cmpuint (got.n_unmarked, ==, 0);
}

/* That nobody is to be asked for a certificate asks for no encryption. */
static void
insecure_without_tls_is_plain (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (NULL);
  mosquitto_process_start (mosquitto);
  const YvTransportConfig config = {
      .address = mosquitto->address, .topic = TOPIC, .no_tls = true, .tls_insecure = true};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);

  assert_record_passes (carrier, mosquitto->port);
}

static void
records_reach_a_subscriber (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (NULL);
  mosquitto_process_start (mosquitto);
  const YvTransportConfig config = {.address = mosquitto->address, .topic = TOPIC};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);

  assert_record_passes (carrier, mosquitto->port);
}

/* ---- passwords ------------------------------------------------------------------------------- */

static Mosquitto *
start_with_password (void)
{
  Mosquitto *mosquitto =
      mosquitto_process_new ("allow_anonymous false\npassword_file %s/passwords");

  mosquitto_process_run (mosquitto, "mosquitto_passwd", "-b", "-c", "passwords", "ann",
                         CARRIER_SECRET, NULL);
  mosquitto_process_start (mosquitto);
  return mosquitto;
}

static void
the_right_password (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = start_with_password ();
  const YvTransportConfig config = {
      .address = mosquitto->address, .topic = TOPIC, .username = "ann", .password = CARRIER_SECRET};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);

  assert_record_passes (carrier, 0);
}

static void
wrong_passwords (void)
{
  static const struct {
    const char *username, *password;
  } rows[] = {{"ann", CARRIER_SECRET "x"},
              {"ann", ""},
              {"ann", NULL},
              {"bob", CARRIER_SECRET},
              {NULL, NULL}};

  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = start_with_password ();
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    const YvTransportConfig config = {.address = mosquitto->address,
                                      .topic = TOPIC,
                                      .username = rows[i].username,
                                      .password = rows[i].password};
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);
    carrier_assert_says (carrier_fail_to_connect (carrier, 10000), "Not authorized");
  }
}

/* The broker says so only with MQTT 5. */
static void
a_topic_that_one_may_not_publish_to (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new ("allow_anonymous true\nacl_file %s/acl");
  g_autofree char *acl = mosquitto_process_path (mosquitto, "acl");
  g_assert_true (g_file_set_contents (acl, "topic read #\n", -1, NULL));
  mosquitto_process_start (mosquitto);
  const YvTransportConfig config = {.address = mosquitto->address, .topic = TOPIC};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 1));
  g_assert_true (carrier_wait_for (carrier, 1));
  carrier_assert_says (carrier->refusal, "Not authorized");
}

/* ---- TLS ------------------------------------------------------------------------------------- */

#define TLS_OPTIONS "allow_anonymous true\ncertfile %s/server.crt\nkeyfile %s/server.key\n"

typedef struct {
  Mosquitto *mosquitto;
  char *ca, *other, *certificate, *key;
} Secured;

static Secured
start_secured (const char *options, const char *server_name)
{
  Secured secured = {.mosquitto = mosquitto_process_new (options)};

  mosquitto_process_make_certificates (secured.mosquitto, server_name, CARRIER_SECRET);
  secured.ca = mosquitto_process_path (secured.mosquitto, "ca.crt");
  secured.other = mosquitto_process_path (secured.mosquitto, "other.crt");
  secured.certificate = mosquitto_process_path (secured.mosquitto, "client.crt");
  secured.key = mosquitto_process_path (secured.mosquitto, "client.key");
  mosquitto_process_start (secured.mosquitto);
  return secured;
}

static void
end_secured (Secured *secured)
{
  mosquitto_process_free (secured->mosquitto);
  g_free (secured->ca);
  g_free (secured->other);
  g_free (secured->certificate);
  g_free (secured->key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Secured, end_secured)

static void
certificates_that_fit (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_auto (Secured) secured = start_secured (TLS_OPTIONS, "localhost");
  const YvTransportConfig config = {
      .address = secured.mosquitto->address, .topic = TOPIC, .ca_file = secured.ca};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);

  assert_record_passes (carrier, 0);
}

static void
certificates_that_do_not (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_auto (Secured) secured = start_secured (TLS_OPTIONS, "localhost");
  g_auto (Secured) misnamed = start_secured (TLS_OPTIONS, "elsewhere");
  g_autoptr (Mosquitto) plain = mosquitto_process_new (NULL);
  mosquitto_process_start (plain);
  const YvTransportConfig rows[] = {
      {.address = secured.mosquitto->address, .ca_file = secured.other},
      {.address = secured.mosquitto->address, .tls = true}, /* the system doesn't know it */
      {.address = misnamed.mosquitto->address, .ca_file = misnamed.ca},
      {.address = secured.mosquitto->address},
      {.address = plain->address, .ca_file = secured.ca},
  };
  const char *const says[] = {"certificate verify failed", "certificate verify failed",
                              "certificate verify failed", "does it want TLS?", "TLS"};

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    YvTransportConfig config = rows[i];
    config.topic = TOPIC;
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    carrier_assert_says (carrier_fail_to_connect (carrier, 10000), says[i]);
  }
}

/* The certificate is still compared with the name. */
static void
a_host_with_two_addresses (void)
{
  static const char *const names[] = {NAMESAKE_BOTH_KINDS, "elsewhere"};

  if (!mosquitto_is_installed ())
    return;
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    g_auto (Secured) secured = start_secured (TLS_OPTIONS, names[i]);
    g_autofree char *address =
        g_strdup_printf ("%s:%u", NAMESAKE_BOTH_KINDS, secured.mosquitto->port);
    const YvTransportConfig config = {.address = address, .topic = TOPIC, .ca_file = secured.ca};
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);
    if (i == 0)
      assert_record_passes (carrier, 0);
    else
      carrier_assert_says (carrier_fail_to_connect (carrier, G_MAXINT), "TLS failed");
  }
}

static void
insecure_takes_any_certificate (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_auto (Secured) secured = start_secured (TLS_OPTIONS, "elsewhere");
  const YvTransportConfig config = {
      .address = secured.mosquitto->address, .topic = TOPIC, .tls = true, .tls_insecure = true};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);

  assert_record_passes (carrier, 0);
}

#define CLIENT_OPTIONS TLS_OPTIONS "cafile %s/ca.crt\nrequire_certificate true\n"

static void
a_certificate_of_the_client (void)
{
  const char *const right[] = {"ssl_private_key_pwd", CARRIER_SECRET, NULL};
  const char *const wrong[] = {"ssl_private_key_pwd", CARRIER_SECRET "x", NULL};

  if (!mosquitto_is_installed ())
    return;
  g_auto (Secured) secured = start_secured (CLIENT_OPTIONS, "localhost");
  YvTransportConfig config = {
      .address = secured.mosquitto->address, .topic = TOPIC, .ca_file = secured.ca};
  g_autoptr (Carrier) without = carrier_new (&yv_transport_mqtt, &config);
  config.cert_file = secured.certificate;
  config.key_file = secured.key;
  g_autoptr (Carrier) without_password = carrier_new (&yv_transport_mqtt, &config);
  config.settings = wrong;
  g_autoptr (Carrier) with_wrong_password = carrier_new (&yv_transport_mqtt, &config);
  config.settings = right;
  g_autoptr (Carrier) with = carrier_new (&yv_transport_mqtt, &config);

  carrier_fail_to_connect (without, 10000);
  carrier_fail_to_connect (without_password, 10000);
  carrier_fail_to_connect (with_wrong_password, 10000);
  assert_record_passes (with, 0);
}

static void
a_key_that_both_know (void)
{
  const char *const right[] = {"psk", "00112233445566778899aabbccddeeff", "psk-identity", "door",
                               NULL};
  const char *const wrong[] = {"psk", "00", "psk-identity", "door", NULL};

  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (
      "allow_anonymous true\nuse_identity_as_username true\npsk_hint door\npsk_file %s/keys\n");
  g_autofree char *keys = mosquitto_process_path (mosquitto, "keys");
  g_assert_true (g_file_set_contents (keys, "door:00112233445566778899aabbccddeeff\n", -1, NULL));
  mosquitto_process_start (mosquitto);
  YvTransportConfig config = {.address = mosquitto->address, .topic = TOPIC, .settings = right};
  g_autoptr (Carrier) with = carrier_new (&yv_transport_mqtt, &config);
  config.settings = wrong;
  g_autoptr (Carrier) with_wrong = carrier_new (&yv_transport_mqtt, &config);

  assert_record_passes (with, 0);
  carrier_fail_to_connect (with_wrong, 10000);
}

/* ---- outages --------------------------------------------------------------------------------- */

static Courier *
start_courier (const Mosquitto *mosquitto)
{
  const YvTransportConfig config = {.address = mosquitto->address, .topic = TOPIC};

  return courier_new (&yv_transport_mqtt, &config);
}

/* It saves what subscribers have not got, and so do we. */
static void
a_broker_that_is_started_again (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (NULL);
  Got got = {0};
  g_autoptr (MqttSubscriber) subscriber = mqtt_subscriber_new (TOPIC, look_at, &got);

  mosquitto_process_start (mosquitto);
  mqtt_subscriber_connect (subscriber, mosquitto->port);
  g_autoptr (Courier) courier = start_courier (mosquitto);
  courier_push (courier, 1, 3000);
  got.wanted = 500;
  mqtt_subscriber_wait (subscriber, got_wanted_records);
  mosquitto_process_end (mosquitto);
  courier_push (courier, 3001, 3000);
  mosquitto_process_start (mosquitto);
  mqtt_subscriber_connect (subscriber, mosquitto->port);
  courier_push (courier, 6001, 3000);

  courier_assert_all_arrive (courier, 9000);
  got.wanted = 9000;
  mqtt_subscriber_wait (subscriber, got_wanted_records);
  g_assert_cmpuint (got.n_different, ==, 9000);
  g_assert_cmpuint (got.n_unmarked, ==, 0);
}

/* It forgets what it has acknowledged and a subscriber has not got, which nobody but it can help;
 * but what is published goes on, in order, and what comes twice says so. */
static void
a_broker_that_is_killed (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (NULL);
  Got got = {0};
  g_autoptr (MqttSubscriber) subscriber = mqtt_subscriber_new (TOPIC, look_at, &got);

  mosquitto_process_start (mosquitto);
  mqtt_subscriber_connect (subscriber, mosquitto->port);
  g_autoptr (Courier) courier = start_courier (mosquitto);
  for (uint32_t i = 0; i < 3; i++) {
    courier_push (courier, 1 + i * 2000, 2000);
    got.wanted = i * 2000 + 500;
    mqtt_subscriber_wait (subscriber, got_wanted_last);
    mosquitto_process_kill (mosquitto);
    mosquitto_process_start (mosquitto);
    mqtt_subscriber_connect (subscriber, mosquitto->port);
  }
  courier_push (courier, 6001, 1000);

  courier_assert_all_arrive (courier, 7000);
  got.wanted = 7000;
  mqtt_subscriber_wait (subscriber, got_wanted_last);
  g_assert_cmpuint (got.n_unmarked, ==, 0);
  g_test_message ("%u of 7000 records, %u of them twice", got.n_different, got.n_marked);
}

static void
a_broker_that_comes_late (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (NULL);
  g_autoptr (Courier) courier = start_courier (mosquitto);

  courier_push (courier, 1, 1000);
  while (yv_publisher_stats (courier->publisher).n_attempts_failed == 0)
    g_thread_yield ();
  mosquitto_process_start (mosquitto);
  courier_push (courier, 1001, 1000);
  courier_assert_all_arrive (courier, 2000);
  g_assert_cmpint (g_atomic_int_get (&courier->n_troubles), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&courier->n_recoveries), ==, 1);
}

/* Time is up at once, whatever the broker does. */
static void
a_broker_that_never_comes (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (NULL);
  g_autoptr (Courier) courier = start_courier (mosquitto);

  courier_push (courier, 1, 1000);
  g_assert_false (yv_publisher_drain (courier->publisher, 0));
  g_assert_cmpuint (courier_stop (courier), ==, 1000);
}

int
main (int argc, char **argv)
{
  namesake_init ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mosquitto/plain", records_reach_a_subscriber);
  g_test_add_func ("/mosquitto/plain/insecure", insecure_without_tls_is_plain);
  g_test_add_func ("/mosquitto/password/right", the_right_password);
  g_test_add_func ("/mosquitto/password/wrong", wrong_passwords);
  g_test_add_func ("/mosquitto/acl", a_topic_that_one_may_not_publish_to);
  g_test_add_func ("/mosquitto/tls/fits", certificates_that_fit);
  g_test_add_func ("/mosquitto/tls/fits-not", certificates_that_do_not);
  g_test_add_func ("/mosquitto/tls/addresses", a_host_with_two_addresses);
  g_test_add_func ("/mosquitto/tls/insecure", insecure_takes_any_certificate);
  g_test_add_func ("/mosquitto/tls/client", a_certificate_of_the_client);
  g_test_add_func ("/mosquitto/tls/psk", a_key_that_both_know);
  g_test_add_func ("/mosquitto/outage/restart", a_broker_that_is_started_again);
  g_test_add_func ("/mosquitto/outage/kill", a_broker_that_is_killed);
  g_test_add_func ("/mosquitto/outage/late", a_broker_that_comes_late);
  g_test_add_func ("/mosquitto/outage/never", a_broker_that_never_comes);
  return g_test_run ();
}
