/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/mqttsubscriber.h - who reads what comes out of a broker, in a thread of its own: with a
 * session that the broker keeps, QoS 1, and an eye for MQTT's own flag of duplicates. Where the
 * broker goes away it waits until it is told to come back.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

typedef struct _MqttSubscriber MqttSubscriber;

/* @text: of a record, valid for the call; @is_dup: the broker says that it may have sent it
 * before. In the thread. */
typedef void (*MqttSubscriberFunc) (void *user_data, const char *text, size_t n_bytes, bool is_dup);

MqttSubscriber *mqtt_subscriber_new (const char *topic, MqttSubscriberFunc got, void *user_data);
void mqtt_subscriber_free (MqttSubscriber *subscriber);

/* Returns once the broker at this port has confirmed the subscription. There is no connection
 * before the first call, nor after the broker has gone. */
void mqtt_subscriber_connect (MqttSubscriber *subscriber, uint16_t port);

/* Waits until @is_reached says so; it is asked after each record, in the thread's lock. */
void mqtt_subscriber_wait (MqttSubscriber *subscriber, bool (*is_reached) (const void *user_data));

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MqttSubscriber, mqtt_subscriber_free)

G_END_DECLS
