/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/config.h - what a user asks of a publisher: properties, a JSON file, the environment.
 *
 * The JSON file is an object with the names that DL Streamer's mqtt-config has, and what it says
 * counts before the properties:
 *
 *   address, topic, client-id             string, or null for what the property says
 *   username, password                    the same (ours)
 *   max-connect-attempts                  whole number; -1: for ever
 *   max-reconnect-interval                seconds, 1 to 300
 *   TLS                                   boolean; false is an error where anything else, as one of
 *                                         the files, asks for it
 *   ssl_CA_certificate, ssl_client_certificate, ssl_private_key   string (a path) or null
 *   ssl_verify, ssl_enable_server_cert_auth   0 or 1, not different from each other. 0: neither the
 *                                         broker's certificate nor its name is checked. Without
 *                                         them both are, where DL Streamer checks neither
 *   disable-proxy                         boolean; no proxy is used anyway
 *
 * Any other member, a string, number or boolean, is a setting of the transport, by its own name:
 * gst/publish/mqtt.h, or librdkafka's CONFIGURATION.md.
 *
 * The environment variables YV_PUBLISH_USERNAME and YV_PUBLISH_PASSWORD count, each of its own,
 * where neither a property nor the file says it.
 *
 * No error holds a value of the file that may be a secret: it names members and types.
 *
 * Threads: one at a time per object.
 */
#pragma once

#include "gst/publish/transport.h"

G_BEGIN_DECLS

/* Strings are owned; NULL: not set. */
typedef struct {
  char *file_path;
  bool json_array;
  char *address, *topic, *client_id, *username, *password;
  bool tls, no_tls, tls_insecure;
  char *ca_file, *cert_file, *key_file;
  GPtrArray *settings; /* of char *: name, value, ..., NULL; NULL: none */
  int max_attempts;    /* <= 0: for ever */
  uint32_t max_wait_s; /* 1..300 */
} YvPublishConfig;

void yv_publish_config_clear (YvPublishConfig *config); /* zeroed ok */

/* @copy: overwritten; clear it after use. */
void yv_publish_config_copy (const YvPublishConfig *config, YvPublishConfig *copy);

/* The same as the transport wants it; borrows everything. */
YvTransportConfig yv_publish_config_transport (const YvPublishConfig *config);

/* Takes what the file at @path says. Returns: false with YV_ERROR_IO or YV_ERROR_MALFORMED,
 * "PATH: ..."; @config is then to be cleared. */
bool yv_publish_config_read (YvPublishConfig *config, const char *path, GError **error);

/* The same for a text that may be hostile; @name: what to call it in errors. */
bool yv_publish_config_parse (YvPublishConfig *config, const char *text, size_t size_bytes,
                              const char *name, GError **error);

void yv_publish_config_take_environment (YvPublishConfig *config);

/* Returns: (transfer full): a JSON object in one line, the same as @text; NULL with
 * YV_ERROR_MALFORMED where @text is none. */
char *yv_publish_tags (const char *text, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (YvPublishConfig, yv_publish_config_clear)

G_END_DECLS
