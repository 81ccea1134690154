/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/kafkacluster.h - librdkafka's mock cluster, and who reads what is in it.
 */
#pragma once

#include <glib.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>

G_BEGIN_DECLS

#define KAFKA_TOPIC "cameras.door"

typedef struct {
  rd_kafka_t *owner;
  rd_kafka_mock_cluster_t *mock;
  const char *address; /* of all its brokers */
  int n_partitions;    /* of KAFKA_TOPIC */
} KafkaCluster;

KafkaCluster *kafka_cluster_new (int n_brokers, int n_partitions);
void kafka_cluster_free (KafkaCluster *cluster);

/* All its brokers. */
void kafka_cluster_set_down (KafkaCluster *cluster);
void kafka_cluster_set_up (KafkaCluster *cluster);

/* Only the broker that leads partition 0, which is told to be the first one. */
void kafka_cluster_set_leader_down (KafkaCluster *cluster);

/* Each answer of a broker takes some time. */
void kafka_cluster_set_slow (KafkaCluster *cluster);

/* The next requests to produce end like this, one for each code; 0 ends the codes. */
void kafka_cluster_fail_produce (KafkaCluster *cluster, const rd_kafka_resp_err_t *codes);

/* @text: of a record, valid for the call. In the reader's thread. */
typedef void (*KafkaReaderFunc) (void *user_data, int partition, const char *text, size_t n_bytes);

/* Reads all partitions from their start, in a thread; one that misses a record fails the test. */
typedef struct _KafkaReader KafkaReader;
KafkaReader *kafka_reader_new (const KafkaCluster *cluster, KafkaReaderFunc got, void *user_data);
void kafka_reader_free (KafkaReader *reader);
/* Waits until @is_reached says so; it is asked after each record, in the reader's lock. */
void kafka_reader_wait (KafkaReader *reader, bool (*is_reached) (const void *user_data));

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KafkaCluster, kafka_cluster_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KafkaReader, kafka_reader_free)

G_END_DECLS
