/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-mqtt.c - gst/publish/mqtt.h, with brokers that a test plays: those that refuse,
 * lie, or go away. Time passes where the test says so. */
#define _GNU_SOURCE /* memmem */
#include "gst/publish/mqtt.h"

#include <string.h>

#include "tests/gst/carrier.h"
#include "tests/gst/mqttpeer.h"
#include "tests/gst/mqttwire.h"

#define ALL -1

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
assert_received (const MqttBroker *broker, uint64_t first, uint32_t n)
{
  g_autofree char *received = mqtt_peer_get_received (broker->peer);
  g_autoptr (GString) expected = g_string_new (NULL);

  for (uint64_t id = first; id < first + n; id++)
    g_string_append_printf (expected, "{\"sequence\":%" G_GUINT64_FORMAT "}\n", id);
  g_assert_cmpstr (received, ==, expected->str);
}

/* ---- what works ------------------------------------------------------------------------------ */

static void
records_arrive_in_order (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = ALL});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 2000));
  g_assert_true (carrier_wait_for (carrier, 2000));
  carrier_assert_done (carrier, 1, 2000);
  assert_received (&broker, 1, 2000);
}

/* The library counts its packets in 16 bits, without 0. */
static void
more_records_than_a_packet_id_counts (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = ALL});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 70000));
  g_assert_true (carrier_wait_for (carrier, 70000));
  carrier_assert_done (carrier, 1, 70000);
}

static void
each_quality_of_service (void)
{
  static const char *const names[] = {"0", "1", "2"};

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    const char *const settings[] = {"qos", names[i], NULL};
    g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = ALL});
    broker.config.settings = settings;
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

    carrier_connect (carrier);
    g_assert_true (carrier_send (carrier, 1, 500));
    g_assert_true (carrier_wait_for (carrier, 500));
    mqtt_peer_wait_for (broker.peer, 500);
    carrier_assert_done (carrier, 1, 500);
    assert_received (&broker, 1, 500);
  }
}

/* At once, in the same attempt; and it is known the next time. */
static void
a_broker_that_speaks_3_1_1_only (void)
{
  g_auto (MqttBroker) broker =
      mqtt_broker_start ((MqttScript){.only_version = 4, .n_acknowledged = ALL});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 10));
  g_assert_true (carrier_wait_for (carrier, 10));
  assert_received (&broker, 1, 10);
  g_assert_cmpuint (mqtt_peer_n_connections (broker.peer), ==, 2);
  carrier_connect (carrier);
  g_assert_cmpuint (mqtt_peer_n_connections (broker.peer), ==, 3);
}

/* Then the next attempt is with 3.1.1, and the one after a failure of that with 5 again. */
static void
a_broker_that_hangs_up_on_a_version (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.hangs_up = true});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_assert_says (carrier_fail_to_connect (carrier, 10000), "without an answer");
  const MqttScript v311 = {.only_version = 4, .n_acknowledged = ALL};
  mqtt_peer_set_script (broker.peer, &v311);
  carrier_connect (carrier);
  g_assert_cmpuint (mqtt_peer_n_connections (broker.peer), ==, 2);
}

static void
connect_says_what_was_asked (void)
{
  const char *const settings[] = {
      "will-topic", "cameras/gone", "will-payload", "the door", "keepalive", "258", NULL};
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = ALL});
  broker.config.client_id = "door-camera";
  broker.config.username = "ann";
  broker.config.password = CARRIER_SECRET;
  broker.config.settings = settings;
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_autoptr (GBytes) connect = mqtt_peer_get_connect (broker.peer);
  gsize n;
  const uint8_t *bytes = g_bytes_get_data (connect, &n);
  /* User name, password, will with QoS 1, clean start; then the keep-alive time. */
  g_assert_cmphex (bytes[7], ==, 0xce);
  g_assert_cmphex (bytes[8] << 8 | bytes[9], ==, 258);
  const char *const parts[] = {"door-camera", "ann", CARRIER_SECRET, "cameras/gone", "the door"};
  for (size_t i = 0; i < G_N_ELEMENTS (parts); i++)
    g_assert_nonnull (memmem (bytes, n, parts[i], strlen (parts[i])));
}

static void
wake_ends_a_poll (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = 0});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  carrier->transport->wake (carrier->self);
  g_assert_true (carrier->transport->poll (carrier->self, G_MAXINT, NULL));
}

/* Nothing is repeated by the library itself: who sends again is the publisher. */
static void
a_new_connection_forgets_what_the_old_one_had (void)
{
  g_auto (MqttBroker) broker =
      mqtt_broker_start ((MqttScript){.n_acknowledged = 3, .hangs_up_then = true});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 4));
  carrier_assert_says (carrier_wait_for_break (carrier), "it ended the connection");
  carrier_assert_done (carrier, 1, 3);
  carrier->transport->disconnect (carrier->self);
  const MqttScript good = {.n_acknowledged = ALL};
  mqtt_peer_set_script (broker.peer, &good);
  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 5, 1));
  g_assert_true (carrier_wait_for (carrier, 4));
  carrier_assert_done (carrier, 5, 1);
  assert_received (&broker, 1, 5);
}

/* ---- brokers that refuse or lie ----------------------------------------------- */

static void
one_that_never_answers (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.is_mute = true});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_fail_until_it_says (carrier, 50, "and never answered");
}

static gpointer
cancel (gpointer data)
{
  Carrier *carrier = data;

  carrier->transport->cancel (carrier->self);
  return NULL;
}

static void
cancel_ends_a_connect (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.is_mute = true});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  GThread *thread = g_thread_new ("cancel", cancel, carrier);
  carrier_assert_says (carrier_fail_to_connect (carrier, G_MAXINT), "time is up");
  g_thread_join (thread);
}

static void
cancel_ends_a_poll (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = 0});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  GThread *thread = g_thread_new ("cancel", cancel, carrier);
  g_assert_true (carrier->transport->poll (carrier->self, G_MAXINT, NULL));
  g_thread_join (thread);
}

static void
lies_instead_of_an_answer (void)
{
#define RAW(bytes) .raw = (bytes), .n_raw = sizeof (bytes) - 1
  static const struct {
    MqttScript script;
    const char *says;
  } rows[] = {
      {{RAW ("HTTP/1.1 400 Bad Request\r\n\r\n"), .hangs_up = true}, "is this an MQTT broker"},
      {{RAW ("\x20\xff\xff\xff\xff\xff\x01"), .hangs_up = true}, "not MQTT"},
      {{RAW ("\x20\xff\xff\xff\x7f"), .hangs_up = true}, "without an answer"},
      {{RAW ("\x20\x00"), .hangs_up = true}, "not MQTT"},
      {{RAW ("\x20\x03\x00\x00\x7f"), .hangs_up = true}, "not MQTT"},
      {{RAW ("\x40\x02\x00\x01"), .hangs_up = true}, "not MQTT"},
      {{RAW ("\xf0\x00"), .hangs_up = true}, "MQTT broker"},
      {{RAW ("\x20"), .hangs_up = true}, "without an answer"},
      {{.hangs_up = true}, "does it want TLS?"},
      {{.refusal = 0x86}, "Bad User Name or Password"},
      {{.refusal = 0x87}, "Not authorized"},
      {{.refusal = 0x97}, "Quota exceeded"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (MqttBroker) broker = mqtt_broker_start (rows[i].script);
    broker.config.username = "ann";
    broker.config.password = CARRIER_SECRET;
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    carrier_assert_says (carrier_fail_to_connect (carrier, 10000), rows[i].says);
  }
}

/* 3.1.1's own codes. */
static void
refusals_of_3_1_1 (void)
{
  static const struct {
    uint8_t code;
    const char *says;
  } rows[] = {{2, "identifier rejected"}, {3, "broker unavailable"}, {5, "not authorised"}};

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (MqttBroker) broker =
        mqtt_broker_start ((MqttScript){.only_version = 4, .n_acknowledged = ALL});
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);
    const MqttScript refusing = {.only_version = 4, .refusal = rows[i].code};

    carrier_connect (carrier);
    mqtt_peer_set_script (broker.peer, &refusing);
    carrier_assert_says (carrier_fail_to_connect (carrier, 10000), rows[i].says);
  }
}

static void
no_version_suits (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.only_version = 3});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_assert_says (carrier_fail_to_connect (carrier, 10000), "protocol version");
  g_assert_cmpuint (mqtt_peer_n_connections (broker.peer), ==, 2);
}

static void
one_that_acknowledges_nothing (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = 2});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 5));
  g_assert_true (carrier_wait_for (carrier, 2));
  mqtt_peer_wait_for (broker.peer, 5);
  passed_us += 39 * G_USEC_PER_SEC;
  carrier->transport->wake (carrier->self);
  g_assert_true (carrier->transport->poll (carrier->self, 0, NULL));
  passed_us += 2 * G_USEC_PER_SEC;
  carrier_assert_says (carrier_wait_for_break (carrier), "acknowledges none");
  carrier_assert_done (carrier, 1, 2);
}

/* However long nothing was sent before. */
static void
silence_is_no_trouble_where_nothing_is_sent (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = ALL});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  passed_us += INT64_C (3600) * G_USEC_PER_SEC;
  g_assert_true (carrier->transport->poll (carrier->self, 0, NULL));
  g_assert_true (carrier_send (carrier, 1, 5));
  g_assert_true (carrier_wait_for (carrier, 5));
}

static void
the_window_fills_up (void)
{
  g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = 0});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 255));
  g_assert_cmpint (carrier->transport->send (carrier->self, 256, "{}", 2, false, NULL), ==,
                   YV_SEND_FULL);
}

static void
acknowledgements_of_what_nobody_sent (void)
{
  g_auto (MqttBroker) broker =
      mqtt_broker_start ((MqttScript){.n_acknowledged = ALL, .wrong_mid = 0xfffe});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 100));
  g_assert_true (carrier_wait_for (carrier, 100));
  carrier_assert_done (carrier, 1, 100);
}

static void
records_that_the_broker_refuses (void)
{
  static const struct {
    uint8_t reason;
    const char *says;
  } rows[] = {
      {0x87, "Not authorized"}, {0x90, "Topic Name invalid"}, {0x99, "Payload format invalid"}};

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (MqttBroker) broker =
        mqtt_broker_start ((MqttScript){.n_acknowledged = ALL, .publish_reason = rows[i].reason});
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

    carrier_connect (carrier);
    g_assert_true (carrier_send (carrier, 1, 1));
    g_assert_true (carrier_wait_for (carrier, 1));
    carrier_assert_says (carrier->refusal, rows[i].says);
  }
}

/* The publisher keeps the record, and gives it again. */
static void
reasons_that_may_pass (void)
{
  static const struct {
    uint8_t reason;
    const char *says;
  } rows[] = {{0x80, "Unspecified error"},
              {0x83, "Implementation specific error"},
              {0x91, "Packet Identifier in use"},
              {0x97, "Quota exceeded"}};

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (MqttBroker) broker =
        mqtt_broker_start ((MqttScript){.n_acknowledged = ALL, .publish_reason = rows[i].reason});
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

    carrier_connect (carrier);
    g_assert_true (carrier_send (carrier, 1, 1));
    carrier_assert_says (carrier_wait_for_break (carrier), rows[i].says);
    g_assert_cmpuint (carrier->done->len, ==, 0);
    const MqttScript good = {.n_acknowledged = ALL};
    mqtt_peer_set_script (broker.peer, &good);
    carrier_connect (carrier);
    g_assert_true (carrier_send (carrier, 1, 1));
    g_assert_true (carrier_wait_for (carrier, 1));
    g_assert_null (carrier->refusal);
  }
}

/* No subscriber is there, says a broker with a reason that is no error. */
static void
a_record_that_nobody_reads_has_arrived (void)
{
  g_auto (MqttBroker) broker =
      mqtt_broker_start ((MqttScript){.n_acknowledged = ALL, .publish_reason = 0x10});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 1));
  g_assert_true (carrier_wait_for (carrier, 1));
  g_assert_null (carrier->refusal);
}

/* And the next one is taken. */
static void
a_record_that_is_too_large_for_the_broker (void)
{
  g_auto (MqttBroker) broker =
      mqtt_broker_start ((MqttScript){.n_acknowledged = ALL, .max_packet = 200});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);
  g_autofree char *large = g_strnfill (300, ' ');
  g_autoptr (GError) error = NULL;

  carrier_connect (carrier);
  g_assert_cmpint (carrier->transport->send (carrier->self, 1, large, 300, false, &error), ==,
                   YV_SEND_REFUSED);
  carrier_assert_says (error->message, "300 bytes");
  g_assert_true (carrier_send (carrier, 2, 1));
  g_assert_true (carrier_wait_for (carrier, 1));
  carrier_assert_done (carrier, 2, 1);
  assert_received (&broker, 2, 1);
}

static void
a_broker_that_says_goodbye (void)
{
  g_auto (MqttBroker) broker =
      mqtt_broker_start ((MqttScript){.n_acknowledged = 1, .goodbye = 0x8b, .hangs_up_then = true});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);

  carrier_connect (carrier);
  g_assert_true (carrier_send (carrier, 1, 2));
  carrier_assert_says (carrier_wait_for_break (carrier), "Server shutting down");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mqtt/order", records_arrive_in_order);
  g_test_add_func ("/mqtt/many", more_records_than_a_packet_id_counts);
  g_test_add_func ("/mqtt/qos", each_quality_of_service);
  g_test_add_func ("/mqtt/version/3.1.1", a_broker_that_speaks_3_1_1_only);
  g_test_add_func ("/mqtt/version/hang-up", a_broker_that_hangs_up_on_a_version);
  g_test_add_func ("/mqtt/version/none", no_version_suits);
  g_test_add_func ("/mqtt/connect", connect_says_what_was_asked);
  g_test_add_func ("/mqtt/wake", wake_ends_a_poll);
  g_test_add_func ("/mqtt/anew", a_new_connection_forgets_what_the_old_one_had);
  g_test_add_func ("/mqtt/bad/mute", one_that_never_answers);
  g_test_add_func ("/mqtt/bad/cancel-connect", cancel_ends_a_connect);
  g_test_add_func ("/mqtt/bad/cancel-poll", cancel_ends_a_poll);
  g_test_add_func ("/mqtt/bad/lies", lies_instead_of_an_answer);
  g_test_add_func ("/mqtt/bad/refusals", refusals_of_3_1_1);
  g_test_add_func ("/mqtt/bad/no-acknowledgements", one_that_acknowledges_nothing);
  g_test_add_func ("/mqtt/silence", silence_is_no_trouble_where_nothing_is_sent);
  g_test_add_func ("/mqtt/window", the_window_fills_up);
  g_test_add_func ("/mqtt/bad/wrong-acknowledgements", acknowledgements_of_what_nobody_sent);
  g_test_add_func ("/mqtt/bad/refused-record", records_that_the_broker_refuses);
  g_test_add_func ("/mqtt/bad/setback", reasons_that_may_pass);
  g_test_add_func ("/mqtt/no-reader", a_record_that_nobody_reads_has_arrived);
  g_test_add_func ("/mqtt/bad/large-record", a_record_that_is_too_large_for_the_broker);
  g_test_add_func ("/mqtt/bad/goodbye", a_broker_that_says_goodbye);
  return g_test_run ();
}
