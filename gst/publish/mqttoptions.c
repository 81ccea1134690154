/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/mqttoptions.c - what a user asks of gst/publish/mqtt.h, checked and copied. */
#include "gst/publish/mqttoptions.h"

#include <string.h>

#include "engine/yolov7.h"
#include "gst/publish/certificates.h"

#define DEFAULT_QOS 1
#define DEFAULT_KEEPALIVE_S 20

/* MQTT's strings carry their length in 16 bits. */
#define MAX_STRING 65535

typedef struct {
  const char *name;
  size_t offset; /* of a char * in YvMqttOptions */
} Setting;

static const Setting settings[] = {
    {"ssl_private_key_pwd", G_STRUCT_OFFSET (YvMqttOptions, key_password)},
    {"psk", G_STRUCT_OFFSET (YvMqttOptions, psk)},
    {"psk-identity", G_STRUCT_OFFSET (YvMqttOptions, psk_identity)},
    {"will-topic", G_STRUCT_OFFSET (YvMqttOptions, will_topic)},
    {"will-payload", G_STRUCT_OFFSET (YvMqttOptions, will_payload)},
};

static bool fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static bool
fail (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_autofree char *readable = g_utf8_make_valid (text, -1);
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "MQTT: %s", readable);
  return false;
}

static char **
string_at (YvMqttOptions *options, size_t offset)
{
  return (char **) G_STRUCT_MEMBER_P (options, offset);
}

static bool
parse_number (const char *name, const char *text, guint64 min, guint64 max, int *number,
              GError **error)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, min, max, &value, NULL))
    return fail (
        error, "%s is \"%.20s\"; expected a number of %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
        name, text, min, max);
  *number = (int) value;
  return true;
}

static bool
take_setting (YvMqttOptions *options, const char *name, const char *value, GError **error)
{
  if (g_str_equal (name, "qos"))
    return parse_number (name, value, 0, 2, &options->qos, error);
  if (g_str_equal (name, "keepalive"))
    return parse_number (name, value, 5, MAX_STRING, &options->keepalive_s, error);
  for (size_t i = 0; i < G_N_ELEMENTS (settings); i++) {
    if (!g_str_equal (name, settings[i].name))
      continue;
    char **string = string_at (options, settings[i].offset);
    if (*string)
      return fail (error, "%s is set twice", name);
    *string = g_strdup (value);
    return true;
  }
  return fail (error,
               "there is no setting \"%.60s\"; there are qos, keepalive, ssl_private_key_pwd, psk, "
               "psk-identity, will-topic and will-payload",
               name);
}

static bool
take_settings (YvMqttOptions *options, const char *const *pairs, GError **error)
{
  for (; pairs && pairs[0]; pairs += 2) {
    if (!take_setting (options, pairs[0], pairs[1], error))
      return false;
  }
  return true;
}

/* @value: (nullable): may be secret, and is no text where it fails; so it is not quoted */
static bool
check_string (const char *name, const char *value, GError **error)
{
  if (!value)
    return true;
  if (strlen (value) > MAX_STRING)
    return fail (error, "%s has more than 65535 bytes", name);
  return mosquitto_validate_utf8 (value, (int) strlen (value)) == MOSQ_ERR_SUCCESS ||
         fail (error, "%s is not UTF-8, or has control characters", name);
}

static bool
check_topic (const char *name, const char *topic, GError **error)
{
  if (!topic || !*topic)
    return fail (error, "%s is not set; records need one, as in %s=cameras/door", name, name);
  if (!check_string (name, topic, error))
    return false;
  if (strpbrk (topic, "+#"))
    return fail (error, "%s \"%.80s\" has a wildcard, + or #, which is for subscribers only", name,
                 topic);
  return mosquitto_pub_topic_check (topic) == MOSQ_ERR_SUCCESS ||
         fail (error, "%s \"%.80s\" is none that one can publish to", name, topic);
}

static bool
is_hex (const char *text)
{
  return *text && strspn (text, "0123456789abcdefABCDEF") == strlen (text);
}

static bool
check_shared_key (const YvMqttOptions *o, GError **error)
{
  if (!o->psk != !o->psk_identity)
    return fail (error, "%s is set without %s", o->psk ? "psk" : "psk-identity",
                 o->psk ? "psk-identity" : "psk");
  if (o->psk && (o->ca_file || o->cert_file))
    return fail (error, "psk is set, and so are certificates; TLS is with either");
  return !o->psk || is_hex (o->psk) || fail (error, "psk is not hexadecimal");
}

static bool
check_session (const YvMqttOptions *o, GError **error)
{
  if (o->will_payload && !o->will_topic)
    return fail (error, "will-payload is set without will-topic");
  return check_string ("client-id", o->client_id, error) &&
         check_string ("username", o->username, error) &&
         check_string ("psk-identity", o->psk_identity, error) &&
         (!o->password || strlen (o->password) <= MAX_STRING ||
          fail (error, "the password has more than 65535 bytes")) &&
         (!o->will_topic || check_topic ("will-topic", o->will_topic, error)) &&
         (!o->will_payload || strlen (o->will_payload) <= MAX_STRING ||
          fail (error, "will-payload has more than 65535 bytes"));
}

bool
yv_mqtt_options_init (YvMqttOptions *options, const YvTransportConfig *config, GError **error)
{
  *options = (YvMqttOptions){
      .topic = g_strdup (config->topic),
      .client_id = g_strdup (config->client_id),
      .username = g_strdup (config->username),
      .password = g_strdup (config->password),
      .tls_insecure = config->tls_insecure,
      .ca_file = g_strdup (config->ca_file),
      .cert_file = g_strdup (config->cert_file),
      .key_file = g_strdup (config->key_file),
      .qos = DEFAULT_QOS,
      .keepalive_s = DEFAULT_KEEPALIVE_S,
  };
  if (!take_settings (options, config->settings, error))
    return false;
  const bool tls = yv_certificates_want_tls (config) || options->psk;
  if (!yv_address_parse (config->address, tls, &options->address, error) ||
      !check_topic ("topic", options->topic, error) || !check_session (options, error) ||
      !check_shared_key (options, error) ||
      !yv_certificates_check (config, options->address.is_tls, error))
    return false;
  if (options->will_topic && !options->will_payload)
    options->will_payload = g_strdup ("");
  return true;
}

static int
set_tls (const YvMqttOptions *o, struct mosquitto *client, YvMqttAskFunc ask)
{
  if (!o->address.is_tls)
    return MOSQ_ERR_SUCCESS;
  if (o->psk)
    return mosquitto_tls_psk_set (client, o->psk, o->psk_identity, NULL);
  int rc =
      o->ca_file ? MOSQ_ERR_SUCCESS : mosquitto_int_option (client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
  if (rc == MOSQ_ERR_SUCCESS && (o->ca_file || o->cert_file))
    rc = mosquitto_tls_set (client, o->ca_file, NULL, o->cert_file, o->key_file, ask);
  if (rc == MOSQ_ERR_SUCCESS && o->tls_insecure)
    rc = mosquitto_tls_opts_set (client, 0 /* SSL_VERIFY_NONE */, NULL, NULL);
  return rc == MOSQ_ERR_SUCCESS ? mosquitto_tls_insecure_set (client, o->tls_insecure) : rc;
}

int
yv_mqtt_options_apply (const YvMqttOptions *o, struct mosquitto *client, YvMqttAskFunc ask)
{
  int rc = mosquitto_int_option (client, MOSQ_OPT_TCP_NODELAY, 1);

  if (rc == MOSQ_ERR_SUCCESS && o->username)
    rc = mosquitto_username_pw_set (client, o->username, o->password);
  if (rc == MOSQ_ERR_SUCCESS && o->will_topic)
    rc = mosquitto_will_set (client, o->will_topic, (int) strlen (o->will_payload), o->will_payload,
                             o->qos, false);
  return rc == MOSQ_ERR_SUCCESS ? set_tls (o, client, ask) : rc;
}

void
yv_mqtt_options_clear (YvMqttOptions *options)
{
  yv_address_clear (&options->address);
  g_free (options->topic);
  g_free (options->client_id);
  g_free (options->username);
  g_free (options->password);
  g_free (options->ca_file);
  g_free (options->cert_file);
  g_free (options->key_file);
  g_free (options->key_password);
  g_free (options->psk);
  g_free (options->psk_identity);
  g_free (options->will_topic);
  g_free (options->will_payload);
  *options = (YvMqttOptions){0};
}
