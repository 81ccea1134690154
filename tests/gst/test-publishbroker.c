/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/test-publishbroker.c - yolov7publish with brokers: records that arrive, words about
 * those that can't, and passwords that nobody gets to see. */
#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <string.h>

#include "tests/gst/frames.h"
#include "tests/gst/got.h"
#include "tests/gst/kafkacluster.h"
#include "tests/gst/mosquittoprocess.h"
#include "tests/gst/mqttpeer.h"
#include "tests/gst/mqttsubscriber.h"

#define TOPIC "cameras/door"
#define SECRET "tr0ub4dor-and-3"
#define CAPS "video/x-raw,format=GRAY8,width=160,height=120"

/* ---- an element, and all that it says -------------------------------------------------------- */

typedef struct {
  GstHarness *h;
  GstElement *element;
  GstBus *bus;
} Fixture;

/* It is not started before the first frame, so that properties can be set. */
static Fixture
fixture_new (const char *properties)
{
  g_autofree char *launch =
      g_strdup_printf ("yolov7publish max-reconnect-interval=1 %s", properties);
  Fixture f = {.element = gst_parse_launch (launch, NULL), .bus = gst_bus_new ()};

  g_assert_nonnull (f.element);
  gst_object_ref_sink (f.element);
  gst_element_set_bus (f.element, f.bus);
  gst_element_add_property_notify_watch (f.element, NULL, TRUE); /* as gst-launch-1.0 -v does */
  return f;
}

static void
fixture_start (Fixture *f)
{
  f->h = gst_harness_new_with_element (f->element, "sink", "src");
  gst_element_set_bus (f->element, f->bus);
  gst_harness_set_src_caps_str (f->h, CAPS);
}

static void
fixture_clear (Fixture *f)
{
  if (f->h)
    gst_harness_teardown (f->h);
  gst_element_set_state (f->element, GST_STATE_NULL);
  gst_element_set_bus (f->element, NULL);
  g_clear_object (&f->element);
  g_clear_object (&f->bus);
}

static void
push (Fixture *f, guint n)
{
  static const GstYolov7Detection dog = {
      .x = 16, .y = 12, .w = 80, .h = 60, .confidence = 0.5, .class_index = 16, .label = "dog"};

  for (guint i = 0; i < n; i++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 1, NULL);
    yv_test_attach (buffer, 160, 120, &dog, 1, 0);
    g_assert_cmpint (gst_harness_push (f->h, buffer), ==, GST_FLOW_OK);
    gst_buffer_unref (gst_harness_pull (f->h));
  }
}

static guint64
get_count (Fixture *f, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (f->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &n));
  return n;
}

/* The next error or warning. Free with g_free(). */
static char *
pop_trouble (Fixture *f)
{
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      f->bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, NULL);
  else
    gst_message_parse_warning (message, &error, NULL);
  g_test_message ("%s", error->message);
  return g_strdup (error->message);
}

static void
assert_says (const char *text, const char *part)
{
  if (!strstr (text, part))
    g_error ("expected \"%s\" in \"%s\"", part, text);
}

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

  fixture_start (&f);
  push (&f, 300);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (&f, "arrived"), ==, 300);
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

  fixture_start (&f);
  push (&f, 10);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (&f, "arrived"), ==, 10);
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

  fixture_start (&f);
  push (&f, 1);
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

  fixture_start (&f);
  push (&f, 300);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (&f, "arrived"), ==, 300);
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
    Fixture f = fixture_new (rows[i].properties);
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
    fixture_start (&f);
    push (&f, 10);
    if (rows[i].says) {
      g_autofree char *text = pop_trouble (&f);
      assert_says (text, rows[i].says);
    }
    push (&f, 1000);
    g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
    g_assert_cmpuint (get_count (&f, "records"), ==, 1010);
    g_assert_cmpuint (get_count (&f, "arrived"), ==, 0);
    g_assert_cmpuint (get_count (&f, "waiting"), <=, 20);
    fixture_clear (&f);
  }
}

/* ---- secrets --------------------------------------------------------------------------------- */

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
  Fixture f = fixture_new (properties);

  if (way == BY_PROPERTY)
    g_object_set (f.element, "username", "ann", "password", SECRET, NULL);
  if (way == BY_FILE)
    g_object_set (f.element, config_property, config_path, NULL);
  if (way == BY_ENVIRONMENT) {
    g_setenv ("YV_PUBLISH_USERNAME", "ann", TRUE);
    g_setenv ("YV_PUBLISH_PASSWORD", SECRET, TRUE);
  }
  fixture_start (&f);
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
  push (&f, 10);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (&f, "arrived"), ==, 10);
  assert_keeps_secret (&f);
  fixture_clear (&f);
  stop_listening ();
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
  fixture_start (&f);
  push (&f, 10);
  g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
  g_assert_cmpuint (get_count (&f, "arrived"), ==, 10);
  fixture_clear (&f);

  f = fixture_new (unknown);
  fixture_start (&f);
  push (&f, 1);
  g_autofree char *text = pop_trouble (&f);
  assert_says (text, "certificate verify failed");
  fixture_clear (&f);
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
    push (&f, 10);
    g_assert_true (gst_harness_push_event (f.h, gst_event_new_eos ()));
    g_assert_cmpuint (get_count (&f, "arrived"), ==, 10);
    assert_keeps_secret (&f);
    fixture_clear (&f);

    f = start_with_password (bad, way, "mqtt-config", path);
    push (&f, 10);
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
    push (&f, 10);
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
  g_test_add_func ("/publish-broker/mosquitto", through_mosquitto);
  g_test_add_func ("/publish-broker/kafka", through_kafka);
  g_test_add_func ("/publish-broker/certificates/mqtt", certificates_as_properties);
  g_test_add_func ("/publish-broker/certificates/kafka", certificates_as_properties_of_kafka);
  g_test_add_func ("/publish-broker/bad/starts", starts_that_fail);
  g_test_add_func ("/publish-broker/bad/brokers", brokers_that_do_not_work);
  g_test_add_func ("/publish-broker/secrets/mqtt-tls", secrets_of_mqtt);
  g_test_add_func ("/publish-broker/certificates", certificates_by_properties);
  g_test_add_func ("/publish-broker/secrets/mqtt", passwords_of_mqtt);
  g_test_add_func ("/publish-broker/secrets/kafka", passwords_of_kafka);
  return g_test_run ();
}
