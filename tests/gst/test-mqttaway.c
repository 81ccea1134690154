/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-mqttaway.c - gst/publish/mqtt.h: brokers that are not there, or at one address of
 * several. */
#include "gst/publish/mqtt.h"

#include "tests/gst/carrier.h"
#include "tests/gst/mqttpeer.h"
#include "tests/gst/namesake.h"

static void
nobody_listens (void)
{
  MqttBroker broker = mqtt_broker_start ((MqttScript){0});
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);
  g_autofree char *address = g_strdup (broker.address);

  mqtt_broker_end (&broker);
  const char *message = carrier_fail_to_connect (carrier, 10000);
  carrier_assert_says (message, "Connection refused");
  carrier_assert_says (message, address);
}

/* The library itself would look at such a connection for ever. */
static void
nobody_listens_who_knows_tls (void)
{
  MqttBroker broker = mqtt_broker_start ((MqttScript){0});
  broker.config.tls_insecure = true;
  broker.config.tls = true;
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);
  g_autofree char *address = g_strdup (broker.address);

  mqtt_broker_end (&broker);
  const char *message = carrier_fail_to_connect (carrier, G_MAXINT);
  carrier_assert_says (message, "refused");
  carrier_assert_says (message, address);
}

static void
one_that_resets_connections (void)
{
  for (int tls = 0; tls <= 1; tls++) {
    g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.resets = true});
    broker.config.tls_insecure = broker.config.tls = tls;
    g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &broker.config);
    /* How far TLS had come is chance. */
    carrier_assert_says (carrier_fail_to_connect (carrier, G_MAXINT), tls ? "MQTT" : "ended");
  }
}

static Carrier *
start_for_host (MqttBroker *broker, const char *host)
{
  g_free (broker->address);
  broker->address = g_strdup_printf ("%s:%u", host, mqtt_peer_port (broker->peer));
  broker->config.address = broker->address;
  return carrier_new (&yv_transport_mqtt, &broker->config);
}

static void
hosts_with_more_than_one_address (void)
{
  static const char *const hosts[] = {NAMESAKE_TWICE, NAMESAKE_BOTH_KINDS};

  for (size_t i = 0; i < G_N_ELEMENTS (hosts); i++) {
    g_auto (MqttBroker) broker = mqtt_broker_start ((MqttScript){.n_acknowledged = -1 /* all */});
    g_autoptr (Carrier) carrier = start_for_host (&broker, hosts[i]);
    carrier_connect (carrier);
    g_assert_true (carrier_send (carrier, 1, 10));
    g_assert_true (carrier_wait_for (carrier, 10));
    g_assert_cmpuint (mqtt_peer_n_connections (broker.peer), ==, 1);
  }
}

static void
nobody_listens_at_any_address (void)
{
  static const char *const hosts[] = {NAMESAKE_TWICE, NAMESAKE_BOTH_KINDS};

  for (size_t i = 0; i < G_N_ELEMENTS (hosts); i++) {
    MqttBroker broker = mqtt_broker_start ((MqttScript){0});
    g_autoptr (Carrier) carrier = start_for_host (&broker, hosts[i]);
    mqtt_broker_end (&broker);
    const char *message = carrier_fail_to_connect (carrier, G_MAXINT);
    carrier_assert_says (message, "Connection refused");
    carrier_assert_says (message, hosts[i]);
  }
}

static void
no_such_host (void)
{
  const YvTransportConfig config = {.address = "no-such-host.invalid", .topic = "t"};
  g_autoptr (Carrier) carrier = carrier_new (&yv_transport_mqtt, &config);

  carrier_assert_says (carrier_fail_to_connect (carrier, 10000),
                       "MQTT broker no-such-host.invalid:1883: ");
}

int
main (int argc, char **argv)
{
  namesake_init ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mqtt-away/nobody", nobody_listens);
  g_test_add_func ("/mqtt-away/nobody-tls", nobody_listens_who_knows_tls);
  g_test_add_func ("/mqtt-away/resets", one_that_resets_connections);
  g_test_add_func ("/mqtt-away/later-address", hosts_with_more_than_one_address);
  g_test_add_func ("/mqtt-away/addresses", nobody_listens_at_any_address);
  g_test_add_func ("/mqtt-away/no-host", no_such_host);
  return g_test_run ();
}
