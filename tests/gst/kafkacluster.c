/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/kafkacluster.c - librdkafka's mock cluster, and who reads what is in it. */
#include "tests/gst/kafkacluster.h"

#define POLL_MS 100
#define SLOW_MS 100
#define PRODUCE 0 /* Kafka's number of that request */

static rd_kafka_t *
make_client (rd_kafka_type_t type, const char *const *pairs)
{
  rd_kafka_conf_t *conf = rd_kafka_conf_new ();
  char text[512];

  rd_kafka_conf_set_log_cb (conf, NULL);
  for (; pairs[0]; pairs += 2)
    g_assert_cmpint (rd_kafka_conf_set (conf, pairs[0], pairs[1], text, sizeof text), ==,
                     RD_KAFKA_CONF_OK);
  rd_kafka_t *client = rd_kafka_new (type, conf, text, sizeof text);
  if (!client)
    g_error ("%s", text);
  return client;
}

KafkaCluster *
kafka_cluster_new (int n_brokers, int n_partitions)
{
  static const char *const none[] = {NULL};
  KafkaCluster *cluster = g_new0 (KafkaCluster, 1);

  cluster->owner = make_client (RD_KAFKA_PRODUCER, none);
  cluster->mock = rd_kafka_mock_cluster_new (cluster->owner, n_brokers);
  g_assert_nonnull (cluster->mock);
  cluster->address = rd_kafka_mock_cluster_bootstraps (cluster->mock);
  cluster->n_partitions = n_partitions;
  rd_kafka_mock_topic_create (cluster->mock, KAFKA_TOPIC, n_partitions, n_brokers);
  return cluster;
}

void
kafka_cluster_free (KafkaCluster *cluster)
{
  if (!cluster)
    return;
  rd_kafka_mock_cluster_destroy (cluster->mock);
  rd_kafka_destroy (cluster->owner);
  g_free (cluster);
}

void
kafka_cluster_set_down (KafkaCluster *cluster)
{
  rd_kafka_mock_broker_set_down (cluster->mock, -1);
}

void
kafka_cluster_set_up (KafkaCluster *cluster)
{
  rd_kafka_mock_broker_set_up (cluster->mock, -1);
}

void
kafka_cluster_set_leader_down (KafkaCluster *cluster)
{
  rd_kafka_mock_partition_set_leader (cluster->mock, KAFKA_TOPIC, 0, 1);
  rd_kafka_mock_broker_set_down (cluster->mock, 1);
}

void
kafka_cluster_set_slow (KafkaCluster *cluster)
{
  rd_kafka_mock_broker_set_rtt (cluster->mock, -1, SLOW_MS);
}

void
kafka_cluster_fail_produce (KafkaCluster *cluster, const rd_kafka_resp_err_t *codes)
{
  size_t n = 0;

  while (codes[n])
    n++;
  rd_kafka_mock_push_request_errors_array (cluster->mock, PRODUCE, n, codes);
}

struct _KafkaReader {
  rd_kafka_t *client;
  KafkaReaderFunc got;
  void *user_data;
  GThread *thread;

  GMutex lock;
  GCond came;
  bool is_ending;
};

static bool
is_ending (KafkaReader *reader)
{
  g_mutex_lock (&reader->lock);
  const bool ends = reader->is_ending;
  g_mutex_unlock (&reader->lock);
  return ends;
}

/* Brokers that are down are no trouble; records that are gone are. */
static void
take (KafkaReader *reader, const rd_kafka_message_t *message)
{
  if (message->err) {
    g_assert_cmpint (message->err, !=, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
    return;
  }
  g_mutex_lock (&reader->lock);
  reader->got (reader->user_data, message->partition, message->payload, message->len);
  g_cond_broadcast (&reader->came);
  g_mutex_unlock (&reader->lock);
}

static gpointer
run (gpointer data)
{
  KafkaReader *reader = data;

  while (!is_ending (reader)) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll (reader->client, POLL_MS);
    if (message)
      take (reader, message);
    g_clear_pointer (&message, rd_kafka_message_destroy);
  }
  return NULL;
}

KafkaReader *
kafka_reader_new (const KafkaCluster *cluster, KafkaReaderFunc got, void *user_data)
{
  const char *const pairs[] = {"bootstrap.servers",
                               cluster->address,
                               "group.id",
                               "reader",
                               "auto.offset.reset",
                               "error",
                               "enable.auto.commit",
                               "false",
                               "reconnect.backoff.max.ms",
                               "200",
                               NULL};
  KafkaReader *reader = g_new0 (KafkaReader, 1);
  rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new (cluster->n_partitions);

  g_mutex_init (&reader->lock);
  g_cond_init (&reader->came);
  reader->got = got;
  reader->user_data = user_data;
  reader->client = make_client (RD_KAFKA_CONSUMER, pairs);
  rd_kafka_poll_set_consumer (reader->client);
  for (int i = 0; i < cluster->n_partitions; i++)
    rd_kafka_topic_partition_list_add (all, KAFKA_TOPIC, i)->offset = 0;
  g_assert_cmpint (rd_kafka_assign (reader->client, all), ==, 0);
  rd_kafka_topic_partition_list_destroy (all);
  reader->thread = g_thread_new ("reader", run, reader);
  return reader;
}

void
kafka_reader_free (KafkaReader *reader)
{
  if (!reader)
    return;
  g_mutex_lock (&reader->lock);
  reader->is_ending = true;
  g_mutex_unlock (&reader->lock);
  g_thread_join (reader->thread);
  rd_kafka_destroy_flags (reader->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  g_cond_clear (&reader->came);
  g_mutex_clear (&reader->lock);
  g_free (reader);
}

void
kafka_reader_wait (KafkaReader *reader, bool (*is_reached) (const void *user_data))
{
  g_mutex_lock (&reader->lock);
  while (!is_reached (reader->user_data))
    g_cond_wait (&reader->came, &reader->lock);
  g_mutex_unlock (&reader->lock);
}
