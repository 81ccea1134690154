/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/kafkaconfig.c - what a user asks of gst/publish/kafka.h, checked. */
#include "gst/publish/kafkaconfig.h"

#include <string.h>

#include "engine/yolov7.h"
#include "gst/publish/certificates.h"

#define MAX_TOPIC 249 /* Kafka's own limit */
#define WORD_SIGNS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

typedef struct {
  const char *name, *value;
} Property;

/* What users may change. Batches are small, because brokers refuse them as a whole. */
static const Property defaults[] = {
    {"batch.size", "65536"},
    {"reconnect.backoff.max.ms", "1000"},
    {"socket.keepalive.enable", "true"},
    {"socket.nagle.disable", "true"},
    {"socket.timeout.ms", "10000"},
    /* The publisher's queue decides what is too old. */
    {"message.timeout.ms", "0"},
};

/* What they may not, by the start of its name, with the reason. */
static const Property kept[] = {
    {"bootstrap.servers", "it is the property address"},
    {"metadata.broker.list", "it is the property address"},
    {"enable.idempotence", "it is always on, so that order is kept and nothing is stored twice "
                           "without saying so"},
    {"delivery.report.only.error", "records are kept until they are known to have arrived"},
    {"log.queue", "the element reads it"},
    {"enabled_events", "the element reads them"},
    {"plugin.library.paths", "a configuration may not load code"},
    {"ssl.engine.", "a configuration may not load code"},
    {"ssl.providers", "a configuration may not load code"},
    {"sasl.kerberos.kinit.cmd", "a configuration may not run commands"},
    {"test.mock.", "records would go nowhere"},
    {"transactional.id", "records are no transactions"},
};

static bool
fail (GError **error, const char *trouble)
{
  g_autofree char *readable = g_utf8_make_valid (trouble, -1);

  g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "Kafka: %s", readable);
  return false;
}

static bool
set (rd_kafka_conf_t *conf, const char *name, const char *value, GError **error)
{
  char text[512];

  return rd_kafka_conf_set (conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK ||
         fail (error, text);
}

/* @value: NULL: left alone */
static bool
set_if (rd_kafka_conf_t *conf, const char *name, const char *value, GError **error)
{
  return !value || set (conf, name, value, error);
}

static bool
refuse (GError **error, const char *name, const char *reason)
{
  g_autofree char *text = g_strdup_printf ("%.80s can't be set%s", name, reason);

  return fail (error, text);
}

/* @name: without "topic.", which the library ignores */
static bool
check_setting (const char *name, const char *value, GError **error)
{
  for (size_t i = 0; i < G_N_ELEMENTS (kept); i++) {
    if (!g_str_has_prefix (name, kept[i].name))
      continue;
    g_autofree char *reason = g_strconcat (": ", kept[i].value, NULL);
    return refuse (error, name, reason);
  }
  /* The library gives these to a shell, as words of kinit's command. */
  if (g_str_has_prefix (name, "sasl.kerberos.") &&
      strspn (value, WORD_SIGNS "/@:") != strlen (value))
    return refuse (error, name, " to this: expected letters, digits, and signs of . _ - / @ :");
  if (g_str_equal (name, "partitioner") && g_str_equal (value, "random"))
    return refuse (error, name, " to random: records keep their order only in one partition");
  return true;
}

static bool
set_user_settings (rd_kafka_conf_t *conf, const char *const *pairs, GError **error)
{
  for (; pairs && pairs[0]; pairs += 2) {
    const char *name = pairs[0] + (g_str_has_prefix (pairs[0], "topic.") ? strlen ("topic.") : 0);
    if (!check_setting (name, pairs[1], error) || !set (conf, pairs[0], pairs[1], error))
      return false;
  }
  return true;
}

static const char *
protocol_of (const YvTransportConfig *asked)
{
  const bool tls = yv_certificates_want_tls (asked);

  if (asked->username)
    return tls ? "sasl_ssl" : "sasl_plaintext";
  return tls ? "ssl" : "plaintext";
}

static bool
set_security (rd_kafka_conf_t *conf, const YvTransportConfig *asked, GError **error)
{
  const bool is_insecure = asked->tls_insecure && yv_certificates_want_tls (asked);

  if (is_insecure && (!set (conf, "enable.ssl.certificate.verification", "false", error) ||
                      !set (conf, "ssl.endpoint.identification.algorithm", "none", error)))
    return false;
  return set (conf, "security.protocol", protocol_of (asked), error) &&
         set_if (conf, "sasl.mechanisms", asked->username ? "PLAIN" : NULL, error) &&
         set_if (conf, "sasl.username", asked->username, error) &&
         set_if (conf, "sasl.password", asked->password, error) &&
         set_if (conf, "ssl.ca.location", asked->ca_file, error) &&
         set_if (conf, "ssl.certificate.location", asked->cert_file, error) &&
         set_if (conf, "ssl.key.location", asked->key_file, error);
}

static bool
set_all (rd_kafka_conf_t *conf, const YvTransportConfig *asked, GError **error)
{
  for (size_t i = 0; i < G_N_ELEMENTS (defaults); i++) {
    if (!set (conf, defaults[i].name, defaults[i].value, error))
      return false;
  }
  return set_if (conf, "client.id", asked->client_id, error) && set_security (conf, asked, error) &&
         set_user_settings (conf, asked->settings, error) &&
         set (conf, "enable.idempotence", "true", error) && set (conf, "log.queue", "true", error);
}

/* @name: of a property that is a number of ms. */
static int64_t
get_us (const rd_kafka_conf_t *conf, const char *name)
{
  char text[64] = "";
  size_t n_bytes = sizeof text;

  rd_kafka_conf_get (conf, name, text, &n_bytes);
  return (int64_t) (g_ascii_strtod (text, NULL) * 1000);
}

static bool
check_topic (const char *topic, GError **error)
{
  g_autofree char *text = NULL;

  if (!topic || !*topic)
    return fail (error, "topic is not set; records need one, as in topic=cameras.door");
  const bool has_good_signs = strspn (topic, WORD_SIGNS) == strlen (topic);
  if (has_good_signs && strlen (topic) <= MAX_TOPIC && strcmp (topic, ".") && strcmp (topic, ".."))
    return true;
  text = g_strdup_printf ("topic \"%.80s\" is no name for one; expected up to 249 letters, "
                          "digits, points, hyphens and underscores",
                          topic);
  return fail (error, text);
}

/* The library reads certificates only when it makes a producer; this one knows no broker. */
static bool
try_producer (const rd_kafka_conf_t *conf, GError **error)
{
  rd_kafka_conf_t *copy = rd_kafka_conf_dup (conf);

  rd_kafka_conf_set_log_cb (copy, NULL);
  rd_kafka_t *producer = yv_kafka_config_make_producer (copy, error);
  if (!producer)
    return false;
  rd_kafka_destroy (producer);
  return true;
}

bool
yv_kafka_config_init (YvKafkaConfig *config, const YvTransportConfig *asked, GError **error)
{
  *config = (YvKafkaConfig){
      .conf = rd_kafka_conf_new (),
      .address = g_strdup (asked->address),
      .topic = g_strdup (asked->topic),
      .key = asked->client_id ? g_strdup (asked->client_id) : g_uuid_string_random (),
  };
  if (!asked->address || !*asked->address)
    return fail (error, "address is not set; expected HOST:PORT, or several with commas");
  if (strchr (asked->address, '@'))
    return fail (error, "address has an @; user name and password have properties of their own");
  if (!check_topic (asked->topic, error) ||
      !yv_certificates_check (asked, yv_certificates_want_tls (asked), error) ||
      !set_all (config->conf, asked, error) || !try_producer (config->conf, error) ||
      !set (config->conf, "bootstrap.servers", asked->address, error))
    return false;
  config->linger_us = get_us (config->conf, "queue.buffering.max.ms");
  config->answer_limit_us = get_us (config->conf, "request.timeout.ms");
  return true;
}

void
yv_kafka_config_clear (YvKafkaConfig *config)
{
  g_clear_pointer (&config->conf, rd_kafka_conf_destroy);
  g_free (config->address);
  g_free (config->topic);
  g_free (config->key);
  *config = (YvKafkaConfig){0};
}

rd_kafka_t *
yv_kafka_config_make_producer (rd_kafka_conf_t *conf, GError **error)
{
  char text[512];
  rd_kafka_t *producer = rd_kafka_new (RD_KAFKA_PRODUCER, conf, text, sizeof text);

  if (producer)
    return producer;
  rd_kafka_conf_destroy (conf);
  fail (error, text);
  return NULL;
}
