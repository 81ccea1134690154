/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/mqttoptions.h - what a user asks of gst/publish/mqtt.h, checked and copied.
 *
 * Everything that can be wrong without a broker is said here, by the name of what is wrong. No
 * message holds a password, a key, or a part of one.
 */
#pragma once

#include <mosquitto.h>

#include "gst/publish/address.h"
#include "gst/publish/transport.h"

G_BEGIN_DECLS

typedef struct {
  YvAddress address;
  char *topic;               /* without wildcards */
  char *client_id;           /* NULL: the broker gives one */
  char *username, *password; /* NULL: none; a password only with a user name */
  bool tls_insecure;
  char *ca_file;                   /* NULL: those that the system trusts */
  char *cert_file, *key_file;      /* both or neither */
  char *key_password;              /* NULL: the key is not encrypted */
  char *psk, *psk_identity;        /* both or neither; then TLS is with these */
  char *will_topic, *will_payload; /* will_payload is never NULL where will_topic isn't */
  int qos;                         /* 0, 1, 2 */
  int keepalive_s;                 /* 5..65535 */
} YvMqttOptions;

/**
 * yv_mqtt_options_init:
 *
 * Returns: false with YV_ERROR_INVALID, or YV_ERROR_IO for a file that can't be read. *@options is
 * to be cleared either way.
 */
bool yv_mqtt_options_init (YvMqttOptions *options, const YvTransportConfig *config, GError **error);

/* What the library asks for the password of a key with. */
typedef int (*YvMqttAskFunc) (char *buffer, int size, int is_writing, void *client);

/* Sets all of @client, which is not connected yet, but version and address. Returns: MOSQ_ERR_*. */
int yv_mqtt_options_apply (const YvMqttOptions *options, struct mosquitto *client,
                           YvMqttAskFunc ask);

/* Zeroed is ok. */
void yv_mqtt_options_clear (YvMqttOptions *options);

G_END_DECLS
