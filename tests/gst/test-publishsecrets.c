/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publishsecrets.c - yolov7publish with passwords that brokers ask for, and that
 * nobody else gets to see: on the bus, in properties, in any log. */
#include <glib/gstdio.h>
#include <string.h>

#include "tests/gst/kafkacluster.h"
#include "tests/gst/mosquittoprocess.h"
#include "tests/gst/mqttpeer.h"
#include "tests/gst/publishharness.h"

#define TOPIC "cameras/door"
#define SECRET "tr0ub4dor-and-3"

static gint n_lines, n_betrayals; /* atomic */

static void
look_for_secret (GstDebugCategory *category, GstDebugLevel level, const char *file,
                 const char *function, gint line, GObject *object, GstDebugMessage *message,
                 gpointer unused)
{
  const char *text = gst_debug_message_get (message);

  (void) level, (void) file, (void) object, (void) unused;
  g_atomic_int_inc (&n_lines);
  if (!text || !strstr (text, SECRET))
    return;
  g_atomic_int_inc (&n_betrayals);
  g_printerr ("%s, %s:%d: %s\n", gst_debug_category_get_name (category), function, line, text);
}

static void
listen_to_everything (void)
{
  /* Not the macros of these names, which clang does not like. */
  (gst_debug_add_log_function) (look_for_secret, NULL, NULL);
  gst_debug_set_threshold_from_string ("*:9", TRUE);
  gst_debug_set_active (TRUE);
}

static void
stop_listening (void)
{
  gst_debug_set_active (FALSE);
  gst_debug_set_threshold_from_string ("*:0", TRUE);
  (gst_debug_remove_log_function) (look_for_secret);
  g_assert_cmpint (g_atomic_int_get (&n_lines), >, 100);
  g_assert_cmpint (g_atomic_int_get (&n_betrayals), ==, 0);
}

/* Nothing on the bus, and nothing that can be read from the element. */
static void
assert_keeps_secret (Fixture *f)
{
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (f->element), NULL);
  GstMessage *message;

  while ((message = gst_bus_pop (f->bus))) {
    const GstStructure *s = gst_message_get_structure (message);
    g_autofree char *text = s ? gst_structure_to_string (s) : g_strdup ("");
    g_assert_null (strstr (text, SECRET));
    gst_message_unref (message);
  }
  for (guint i = 0; specs[i]; i++) {
    g_auto (GValue) value = G_VALUE_INIT;
    if (!(specs[i]->flags & G_PARAM_READABLE))
      continue;
    g_value_init (&value, specs[i]->value_type);
    g_object_get_property (G_OBJECT (f->element), specs[i]->name, &value);
    g_autofree char *text = g_strdup_value_contents (&value);
    g_assert_null (strstr (text, SECRET));
  }
}

/* How a password comes to the element. */
typedef enum { BY_PROPERTY, BY_ENVIRONMENT, BY_FILE, N_WAYS } Way;

static Fixture
start_with_password (const char *properties, Way way, const char *config_property,
                     const char *config_path)
{
  Fixture f = fixture_prepare (properties);

  if (way == BY_PROPERTY)
    g_object_set (f.element, "username", "ann", "password", SECRET, NULL);
  if (way == BY_FILE)
    g_object_set (f.element, config_property, config_path, NULL);
  if (way == BY_ENVIRONMENT) {
    g_setenv ("YV_PUBLISH_USERNAME", "ann", TRUE);
    g_setenv ("YV_PUBLISH_PASSWORD", SECRET, TRUE);
  }
  fixture_start (&f, CAPS);
  if (way == BY_ENVIRONMENT) {
    g_unsetenv ("YV_PUBLISH_USERNAME");
    g_unsetenv ("YV_PUBLISH_PASSWORD");
  }
  return f;
}

/* With certificates, a key of the client that is encrypted, and a password: all are needed. */
static void
secrets_of_mqtt (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto = mosquitto_process_new (
      "allow_anonymous false\npassword_file %s/passwords\ncertfile %s/server.crt\n"
      "keyfile %s/server.key\ncafile %s/ca.crt\nrequire_certificate true\n");
  mosquitto_process_make_certificates (mosquitto, "localhost", SECRET);
  mosquitto_process_run (mosquitto, "mosquitto_passwd", "-b", "-c", "passwords", "ann", SECRET,
                         NULL);
  mosquitto_process_start (mosquitto);
  g_autofree char *path = mosquitto_process_path (mosquitto, "config.json");
  g_autofree char *json = g_strdup_printf (
      "{\"address\": \"%s\", \"TLS\": true, \"ssl_verify\": 1,"
      " \"ssl_CA_certificate\": \"%s/ca.crt\", \"ssl_client_certificate\": \"%s/client.crt\","
      " \"ssl_private_key\": \"%s/client.key\", \"ssl_private_key_pwd\": \"" SECRET "\","
      " \"qos\": 1, \"username\": \"ann\", \"password\": \"" SECRET "\"}",
      mosquitto->address, mosquitto->folder, mosquitto->folder, mosquitto->folder);
  g_assert_true (g_file_set_contents (path, json, -1, NULL));

  listen_to_everything ();
  Fixture f = start_with_password ("method=mqtt topic=" TOPIC, BY_FILE, "mqtt-config", path);
  push_dogs (&f, 10);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (f.element, "arrived"), ==, 10);
  assert_keeps_secret (&f);
  fixture_clear (&f);
  stop_listening ();
}

/* Right ones, in each way, and where the broker refuses them. */
static void
passwords_of_mqtt (void)
{
  if (!mosquitto_is_installed ())
    return;
  g_autoptr (Mosquitto) mosquitto =
      mosquitto_process_new ("allow_anonymous false\npassword_file %s/passwords\n");
  mosquitto_process_run (mosquitto, "mosquitto_passwd", "-b", "-c", "passwords", "ann", SECRET,
                         NULL);
  mosquitto_process_start (mosquitto);
  const MqttScript refusing = {.refusal = 0x86};
  g_autoptr (MqttPeer) peer = mqtt_peer_new (&refusing);
  g_autofree char *path = mosquitto_process_path (mosquitto, "config.json");
  g_assert_true (g_file_set_contents (path, "{\"username\": \"ann\", \"password\": \"" SECRET "\"}",
                                      -1, NULL));
  g_autofree char *good =
      g_strdup_printf ("method=mqtt topic=" TOPIC " address=%s", mosquitto->address);
  g_autofree char *bad = g_strdup_printf (
      "method=mqtt topic=" TOPIC " address=127.0.0.1:%u drain-timeout=0", mqtt_peer_port (peer));

  listen_to_everything ();
  for (Way way = BY_PROPERTY; way < N_WAYS; way++) {
    Fixture f = start_with_password (good, way, "mqtt-config", path);
    push_dogs (&f, 10);
    g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
    g_assert_cmpuint (get_count (f.element, "arrived"), ==, 10);
    assert_keeps_secret (&f);
    fixture_clear (&f);

    f = start_with_password (bad, way, "mqtt-config", path);
    push_dogs (&f, 10);
    g_autofree char *text = pop_trouble (&f);
    assert_says (text, "Bad User Name or Password");
    g_assert_null (strstr (text, SECRET));
    assert_keeps_secret (&f);
    fixture_clear (&f);
  }
  stop_listening ();
}

/* The mock cluster knows no passwords, so it refuses them; the library says all it can. */
static void
passwords_of_kafka (void)
{
  g_autoptr (KafkaCluster) cluster = kafka_cluster_new (1, 1);
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("yv-publish-XXXXXX", &error);
  g_assert_no_error (error);
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  g_assert_true (g_file_set_contents (path,
                                      "{\"username\": \"ann\", \"password\": \"" SECRET "\","
                                      " \"debug\": \"all\"}",
                                      -1, NULL));
  g_autofree char *properties = g_strdup_printf (
      "method=kafka topic=" KAFKA_TOPIC " address=%s drain-timeout=0", cluster->address);

  listen_to_everything ();
  for (Way way = BY_PROPERTY; way < N_WAYS; way++) {
    Fixture f = start_with_password (properties, way, "kafka-config", path);
    push_dogs (&f, 10);
    g_autofree char *text = pop_trouble (&f);
    assert_says (text, "SASL");
    g_assert_null (strstr (text, SECRET));
    assert_keeps_secret (&f);
    fixture_clear (&f);
  }
  stop_listening ();
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  (gst_debug_remove_log_function) (NULL); /* the one that prints */
  g_test_add_func ("/publish-secrets/mqtt-tls", secrets_of_mqtt);
  g_test_add_func ("/publish-secrets/mqtt", passwords_of_mqtt);
  g_test_add_func ("/publish-secrets/kafka", passwords_of_kafka);
  const int result = g_test_run ();
  remove_folder ();
  return result;
}
