/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/kafkaconfig.h - what a user asks of gst/publish/kafka.h, checked, as librdkafka wants
 * it.
 *
 * Everything that can be wrong without a broker is said here. No message holds a password.
 */
#pragma once

#include <librdkafka/rdkafka.h>

#include "gst/publish/transport.h"

G_BEGIN_DECLS

typedef struct {
  rd_kafka_conf_t *conf; /* to be copied for each producer */
  char *address;         /* for messages */
  char *topic;
  char *key;               /* of all records */
  int64_t linger_us;       /* how long the library may hold a record back: linger.ms */
  int64_t answer_limit_us; /* how long a broker may take for an answer: request.timeout.ms */
} YvKafkaConfig;

/**
 * yv_kafka_config_init:
 *
 * Returns: false with YV_ERROR_INVALID. *@config is to be cleared either way.
 */
bool yv_kafka_config_init (YvKafkaConfig *config, const YvTransportConfig *asked, GError **error);

void yv_kafka_config_clear (YvKafkaConfig *config); /* zeroed is ok */

/* @conf: (transfer full). Returns: NULL with YV_ERROR_INVALID where the library finds that its
 * properties do not go together, or can't read a file that one names. */
rd_kafka_t *yv_kafka_config_make_producer (rd_kafka_conf_t *conf, GError **error);

G_END_DECLS
