/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/kafka.h - records to a Kafka cluster, through librdkafka.
 *
 * An idempotent producer (brokers since Kafka 0.11): what the library sends again by itself is
 * stored once and in order, so an outage that ends within 5 seconds shows nowhere. A longer one, in
 * which records wait, is a broken connection, and so is a cluster that acknowledges none of them
 * for request.timeout.ms (30 seconds) and 10 seconds, as one does whose only broker with the
 * partition is away. What the library has not delivered is then purged, and given again by the
 * publisher, with "redelivered" in its text; a record that had arrived, but whose answer had not,
 * is then stored twice. A record has arrived when all replicas in sync have it (acks=all). At most
 * 1000 are in flight.
 *
 * Kafka keeps order within a partition. All records of a transport have the same key, its client
 * id, so they are in one.
 *
 * Of YvTransportConfig: address (HOST:PORT,...: bootstrap.servers), topic, client_id, username and
 * password (SASL PLAIN unless sasl.mechanisms says otherwise), tls*, the three files; and settings,
 * which are librdkafka's configuration properties by their names, but for those that would take
 * away what is said above, load code or run commands: they are refused.
 */
#pragma once

#include "gst/publish/transport.h"

G_BEGIN_DECLS

extern const YvTransport yv_transport_kafka;

G_END_DECLS
