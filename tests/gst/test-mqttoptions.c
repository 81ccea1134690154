/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-mqttoptions.c - gst/publish/mqttoptions.h: what is refused without a broker. */
#include "gst/publish/mqtt.h"

#include "tests/gst/carrier.h"

static void
configurations_that_are_refused (void)
{
  static const struct {
    YvTransportConfig config;
    const char *settings[5];
    const char *says;
  } rows[] = {
      {{.topic = "t"}, {NULL}, "address"},
      {{.address = "", .topic = "t"}, {NULL}, "address"},
      {{.address = "h:0", .topic = "t"}, {NULL}, "port"},
      {{.address = "h"}, {NULL}, "topic is not set"},
      {{.address = "h", .topic = ""}, {NULL}, "topic is not set"},
      {{.address = "h", .topic = "cameras/#"}, {NULL}, "wildcard"},
      {{.address = "h", .topic = "+/door"}, {NULL}, "wildcard"},
      {{.address = "h", .topic = "a\xff"}, {NULL}, "UTF-8"},
      {{.address = "h", .topic = "t", .client_id = "a\xff"}, {NULL}, "client-id"},
      {{.address = "h", .topic = "t", .username = CARRIER_SECRET "\xff"}, {NULL}, "username"},
      {{.address = "h", .topic = "t", .password = CARRIER_SECRET}, {NULL}, "no username"},
      {{.address = "ann:" CARRIER_SECRET "@h", .topic = "t"}, {NULL}, "properties of their own"},
      {{.address = "h", .topic = "t", .cert_file = "/dev/null"}, {NULL}, "ssl_private_key"},
      {{.address = "h", .topic = "t", .key_file = "/dev/null"}, {NULL}, "ssl_client_certificate"},
      {{.address = "h", .topic = "t", .ca_file = "/no/such"}, {NULL}, "\"/no/such\" can't be read"},
      {{.address = "ssl://h", .topic = "t", .no_tls = true}, {NULL}, "\"TLS\" is false"},
      {{.address = "h", .topic = "t", .no_tls = true, .ca_file = "/dev/null"}, {NULL}, "is false"},
      {{.address = "h", .topic = "t", .no_tls = true},
       {"psk", "00ff", "psk-identity", "me", NULL},
       "is false"},
      {{.address = "h", .topic = "t"}, {"qos", "3", NULL}, "qos is \"3\"; expected"},
      {{.address = "h", .topic = "t"}, {"qos", "-1", NULL}, "qos"},
      {{.address = "h", .topic = "t"}, {"keepalive", "4", NULL}, "keepalive"},
      {{.address = "h", .topic = "t"}, {"keepalive", "1e3", NULL}, "keepalive"},
      {{.address = "h", .topic = "t"}, {"frobnicate", "1", NULL}, "no setting \"frobnicate\""},
      {{.address = "h", .topic = "t"}, {"psk", "00ff", NULL}, "without psk-identity"},
      {{.address = "h", .topic = "t"}, {"psk-identity", "me", NULL}, "without psk"},
      {{.address = "h", .topic = "t"},
       {"psk", CARRIER_SECRET, "psk-identity", "me", NULL},
       "not hexadecimal"},
      {{.address = "h", .topic = "t", .ca_file = "/dev/null"},
       {"psk", "00ff", "psk-identity", "me", NULL},
       "either"},
      {{.address = "h", .topic = "t"}, {"will-payload", "x", NULL}, "without will-topic"},
      {{.address = "h", .topic = "t"}, {"will-topic", "a/#", NULL}, "wildcard"},
      {{.address = "h", .topic = "t"}, {"psk", "00", "psk", "01", NULL}, "twice"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    YvTransportConfig config = rows[i].config;
    config.settings = rows[i].settings;
    g_autofree char *message = carrier_refuse (&yv_transport_mqtt, &config);
    g_test_message ("%s", message);
    carrier_assert_says (message, rows[i].says);
  }
}

static void
a_topic_that_is_too_long (void)
{
  g_autofree char *topic = g_strnfill (65536, 't');
  const YvTransportConfig config = {.address = "h", .topic = topic};
  g_autofree char *message = carrier_refuse (&yv_transport_mqtt, &config);

  carrier_assert_says (message, "65535");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mqtt-options/bad", configurations_that_are_refused);
  g_test_add_func ("/mqtt-options/long-topic", a_topic_that_is_too_long);
  return g_test_run ();
}
