/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/bench/brokers.c - 100,000 records through yolov7publish and a broker that is stopped and
 * started three times while they flow: a real mosquitto, whose subscriber has a session that it
 * keeps, and librdkafka's mock cluster. Fails where a record is missing, out of order, or there
 * twice without saying so.
 *
 *   brokers [mqtt] [kafka]     both, without arguments
 */
#include <gst/check/gstharness.h>

#include "gst/detectionmeta.h"
#include "tests/gst/frames.h"
#include "tests/gst/got.h"
#include "tests/gst/kafkacluster.h"
#include "tests/gst/mosquittoprocess.h"
#include "tests/gst/mqttsubscriber.h"

#define N_RECORDS 100000
#define N_OUTAGES 3
#define N_WHILE_DOWN 5000
#define CHUNK 1000
/* The mock cluster forgets what is older than 5 MB, so its reader must be near: records are of 350
 * bytes. */
#define MAX_BEHIND 2000

/* A broker, and who reads what comes out of it. */
typedef struct {
  const char *name;
  char *properties; /* of the element */
  Got got;
  void (*stop) (gpointer self);
  void (*start) (gpointer self);
  void (*wait) (gpointer self, bool (*is_reached) (const void *got));
  gpointer self;
} Broker;

/* ---- the element ----------------------------------------------------------------------------- */

static guint64
get_count (GstElement *element, const char *name)
{
  g_autoptr (GstStructure) stats = NULL;
  guint64 n = 0;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &n));
  return n;
}

static void
push (GstHarness *h, guint n)
{
  static const GstYolov7Detection dog = {
      .x = 16, .y = 12, .w = 80, .h = 60, .confidence = 0.5, .class_index = 16, .label = "dog"};

  for (guint i = 0; i < n; i++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 1, NULL);
    yv_test_attach (buffer, 160, 120, &dog, 1, 0);
    g_assert_cmpint (gst_harness_push (h, buffer), ==, GST_FLOW_OK);
    gst_buffer_unref (gst_harness_pull (h));
  }
}

/* ---- brokers --------------------------------------------------------------------------------- */

typedef struct {
  Mosquitto *process;
  MqttSubscriber *subscriber;
} Mqtt;

static void
look_at_message (void *user_data, const char *text, size_t n_bytes, bool is_dup)
{
  got_add (user_data, text, n_bytes, is_dup);
}

static void
stop_mqtt (gpointer self)
{
  mosquitto_process_end (((Mqtt *) self)->process);
}

static void
start_mqtt (gpointer self)
{
  Mqtt *mqtt = self;

  mosquitto_process_start (mqtt->process);
  mqtt_subscriber_connect (mqtt->subscriber, mqtt->process->port);
}

static void
wait_for_mqtt (gpointer self, bool (*is_reached) (const void *got))
{
  mqtt_subscriber_wait (((Mqtt *) self)->subscriber, is_reached);
}

static void
look_at_record (void *user_data, int partition, const char *text, size_t n_bytes)
{
  (void) partition;
  got_add (user_data, text, n_bytes, false);
}

typedef struct {
  KafkaCluster *cluster;
  KafkaReader *reader;
} Kafka;

static void
stop_kafka (gpointer self)
{
  kafka_cluster_set_down (((Kafka *) self)->cluster);
}

static void
start_kafka (gpointer self)
{
  kafka_cluster_set_up (((Kafka *) self)->cluster);
}

static void
wait_for_kafka (gpointer self, bool (*is_reached) (const void *got))
{
  kafka_reader_wait (((Kafka *) self)->reader, is_reached);
}

/* ---- 100,000 records ------------------------------------------------------------------------- */

/* So many more, in chunks, never far ahead of who reads. */
static void
push_and_follow (Broker *broker, GstHarness *h, guint64 *n_pushed, guint n)
{
  for (guint i = 0; i < n; i += CHUNK) {
    push (h, CHUNK);
    *n_pushed += CHUNK;
    broker->got.wanted = (uint32_t) MAX ((gint64) *n_pushed - MAX_BEHIND, 0);
    broker->wait (broker->self, got_wanted_last);
  }
}

/* In the middle of the stream; it comes back when the element knows, or at once. */
static void
stop_and_start (Broker *broker, GstHarness *h, GstElement *element, guint64 *n_pushed, guint outage)
{
  const guint64 n_outages = get_count (element, "outages");

  push (h, CHUNK);
  broker->stop (broker->self);
  push (h, N_WHILE_DOWN - CHUNK);
  *n_pushed += N_WHILE_DOWN;
  while (outage > 0 && get_count (element, "outages") == n_outages)
    g_usleep (1000); /* its outages are seconds */
  broker->start (broker->self);
}

static bool
judge (const Broker *broker, GstElement *element, double seconds)
{
  const Got *got = &broker->got;
  const guint64 n_lost =
      get_count (element, "dropped") + get_count (element, "refused") + get_count (element, "lost");
  const bool is_fine = got->n_different == N_RECORDS && got->last == N_RECORDS &&
                       got->n_unmarked == 0 && n_lost == 0;

  g_print ("%s: %u of %u records arrived, %u missing; %u more than once, all of them marked; %u "
           "twice or out of order without a mark; dropped, refused or lost by the element: "
           "%" G_GUINT64_FORMAT "; outages it told: %" G_GUINT64_FORMAT ", records it sent again: "
           "%" G_GUINT64_FORMAT "; %.1f s: %s\n",
           broker->name, got->n_different, N_RECORDS, N_RECORDS - got->n_different, got->n_marked,
           got->n_unmarked, n_lost, get_count (element, "outages"),
           get_count (element, "redelivered"), seconds, is_fine ? "ok" : "FAILED");
  return is_fine;
}

static bool
run (Broker *broker)
{
  g_autofree char *launch = g_strdup_printf (
      "yolov7publish queue-size=%u max-reconnect-interval=1 drain-timeout=%" G_GUINT64_FORMAT " %s",
      N_RECORDS, 120 * GST_SECOND, broker->properties);
  GstHarness *h = gst_harness_new_parse (launch);
  g_autoptr (GstElement) element = gst_harness_find_element (h, "yolov7publish");
  g_autoptr (GTimer) timer = g_timer_new ();
  guint64 n_pushed = 0;

  gst_harness_set_src_caps_str (h, "video/x-raw,format=GRAY8,width=160,height=120");
  for (guint i = 0; i < N_OUTAGES; i++) {
    push_and_follow (broker, h, &n_pushed, N_RECORDS / (N_OUTAGES + 1) - N_WHILE_DOWN);
    stop_and_start (broker, h, element, &n_pushed, i);
  }
  push_and_follow (broker, h, &n_pushed, (guint) (N_RECORDS - n_pushed));
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  broker->got.wanted = N_RECORDS;
  broker->wait (broker->self, got_wanted_last);
  const bool is_fine = judge (broker, element, g_timer_elapsed (timer, NULL));
  gst_harness_teardown (h);
  return is_fine;
}

static bool
run_mqtt (void)
{
  if (!mosquitto_is_installed ())
    return false;
  Mqtt mqtt = {.process = mosquitto_process_new (NULL)};
  Broker broker = {"mqtt", NULL, {0}, stop_mqtt, start_mqtt, wait_for_mqtt, &mqtt};

  mqtt.subscriber = mqtt_subscriber_new ("cameras/door", look_at_message, &broker.got);
  start_mqtt (&mqtt);
  broker.properties =
      g_strdup_printf ("method=mqtt topic=cameras/door address=%s", mqtt.process->address);
  const bool is_fine = run (&broker);
  mqtt_subscriber_free (mqtt.subscriber);
  mosquitto_process_free (mqtt.process);
  g_free (broker.properties);
  return is_fine;
}

static bool
run_kafka (void)
{
  Kafka kafka = {.cluster = kafka_cluster_new (1, 1)};
  Broker broker = {"kafka", NULL, {0}, stop_kafka, start_kafka, wait_for_kafka, &kafka};

  kafka.reader = kafka_reader_new (kafka.cluster, look_at_record, &broker.got);
  broker.properties =
      g_strdup_printf ("method=kafka topic=" KAFKA_TOPIC " address=%s", kafka.cluster->address);
  const bool is_fine = run (&broker);
  kafka_reader_free (kafka.reader);
  kafka_cluster_free (kafka.cluster);
  g_free (broker.properties);
  return is_fine;
}

static bool
is_asked (const char *const *names, const char *name)
{
  return !names[0] || g_strv_contains (names, name);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  const char *const *names = (const char *const *) argv + 1;
  const bool mqtt_is_fine = !is_asked (names, "mqtt") || run_mqtt ();
  const bool kafka_is_fine = !is_asked (names, "kafka") || run_kafka ();

  return mqtt_is_fine && kafka_is_fine ? 0 : 1;
}
