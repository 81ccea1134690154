/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publishsettings.c - the properties of yolov7publish. */
#include "gst/publishsettings.h"

#include <stddef.h>

#define MAX_FILE_WAIT_S 1 /* nobody minds an attempt to open a file */

enum {
  PROP_0,
  PROP_METHOD,
  PROP_FILE_PATH,
  PROP_FILE_FORMAT,
  PROP_ADDRESS,
  PROP_TOPIC,
  PROP_MQTT_CLIENT_ID,
  PROP_MQTT_CONFIG,
  PROP_KAFKA_CONFIG,
  PROP_USERNAME,
  PROP_PASSWORD,
  PROP_TLS,
  PROP_CA_FILE,
  PROP_CERT_FILE,
  PROP_KEY_FILE,
  PROP_MAX_CONNECT_ATTEMPTS,
  PROP_MAX_RECONNECT_INTERVAL,
  PROP_WHEN,
  PROP_SOURCE,
  PROP_TAGS,
  PROP_QUEUE_SIZE,
  PROP_QUEUE_BYTES,
  PROP_DRAIN_TIMEOUT,
  N_PROPS
};

static const GEnumValue methods[] = {
    {GST_YOLOV7_PUBLISH_FILE, "A file, a FIFO, or stdout", "file"},
    {GST_YOLOV7_PUBLISH_MQTT, "An MQTT broker", "mqtt"},
    {GST_YOLOV7_PUBLISH_KAFKA, "A Kafka cluster", "kafka"},
    {0, NULL, NULL},
};

static const GEnumValue formats[] = {
    {GST_YOLOV7_PUBLISH_JSON, "All of the file is one JSON array of records", "json"},
    {GST_YOLOV7_PUBLISH_JSON_LINES, "Each line is a record", "json-lines"},
    {0, NULL, NULL},
};

static const GEnumValue whens[] = {
    {GST_YOLOV7_PUBLISH_EVERY_FRAME, "A record for each analysed frame", "every-frame"},
    {GST_YOLOV7_PUBLISH_ON_CHANGE,
     "A record when an object came, went, or got another class or id, or a zone counted",
     "on-change"},
    {0, NULL, NULL},
};

#define GST_TYPE_YOLOV7_PUBLISH_METHOD (publish_method_get_type ())
static GType
publish_method_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstYolov7PublishMethod", methods));
  return type;
}

#define GST_TYPE_YOLOV7_PUBLISH_FORMAT (publish_format_get_type ())
static GType
publish_format_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstYolov7PublishFormat", formats));
  return type;
}

#define GST_TYPE_YOLOV7_PUBLISH_WHEN (publish_when_get_type ())
static GType
publish_when_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstYolov7PublishWhen", whens));
  return type;
}

/* Where a property's value is kept; its type is the property's own. */
static const gsize offsets[N_PROPS] = {
    [PROP_METHOD] = offsetof (GstYolov7PublishSettings, method),
    [PROP_FILE_PATH] = offsetof (GstYolov7PublishSettings, config.file_path),
    [PROP_FILE_FORMAT] = offsetof (GstYolov7PublishSettings, file_format),
    [PROP_ADDRESS] = offsetof (GstYolov7PublishSettings, config.address),
    [PROP_TOPIC] = offsetof (GstYolov7PublishSettings, config.topic),
    [PROP_MQTT_CLIENT_ID] = offsetof (GstYolov7PublishSettings, config.client_id),
    [PROP_MQTT_CONFIG] = offsetof (GstYolov7PublishSettings, mqtt_config),
    [PROP_KAFKA_CONFIG] = offsetof (GstYolov7PublishSettings, kafka_config),
    [PROP_USERNAME] = offsetof (GstYolov7PublishSettings, config.username),
    [PROP_PASSWORD] = offsetof (GstYolov7PublishSettings, config.password),
    [PROP_TLS] = offsetof (GstYolov7PublishSettings, config.tls),
    [PROP_CA_FILE] = offsetof (GstYolov7PublishSettings, config.ca_file),
    [PROP_CERT_FILE] = offsetof (GstYolov7PublishSettings, config.cert_file),
    [PROP_KEY_FILE] = offsetof (GstYolov7PublishSettings, config.key_file),
    [PROP_MAX_CONNECT_ATTEMPTS] = offsetof (GstYolov7PublishSettings, config.max_attempts),
    [PROP_MAX_RECONNECT_INTERVAL] = offsetof (GstYolov7PublishSettings, config.max_wait_s),
    [PROP_WHEN] = offsetof (GstYolov7PublishSettings, when),
    [PROP_SOURCE] = offsetof (GstYolov7PublishSettings, source),
    [PROP_TAGS] = offsetof (GstYolov7PublishSettings, tags),
    [PROP_QUEUE_SIZE] = offsetof (GstYolov7PublishSettings, queue_size),
    [PROP_QUEUE_BYTES] = offsetof (GstYolov7PublishSettings, queue_bytes),
    [PROP_DRAIN_TIMEOUT] = offsetof (GstYolov7PublishSettings, drain_timeout),
};
_Static_assert(sizeof (GstYolov7PublishMethod) == sizeof (int) &&
                   sizeof (GstYolov7PublishFormat) == sizeof (int) &&
                   sizeof (GstYolov7PublishWhen) == sizeof (int),
               "enums are stored through an int pointer");

/* ---- values --------------------------------------------------------------------------------- */

void
gst_yolov7_publish_settings_init (GstYolov7PublishSettings *settings)
{
  *settings = (GstYolov7PublishSettings){
      .method = GST_YOLOV7_PUBLISH_FILE,
      .file_format = GST_YOLOV7_PUBLISH_JSON,
      .config = {.file_path = g_strdup ("stdout"), .max_attempts = -1, .max_wait_s = 30},
      .queue_size = 10000,
      .queue_bytes = 64 * 1024 * 1024,
      .drain_timeout = 5 * GST_SECOND,
  };
}

void
gst_yolov7_publish_settings_clear (GstYolov7PublishSettings *settings)
{
  yv_publish_config_clear (&settings->config);
  g_free (settings->mqtt_config);
  g_free (settings->kafka_config);
  g_free (settings->source);
  g_free (settings->tags);
  *settings = (GstYolov7PublishSettings){0};
}

void
gst_yolov7_publish_settings_copy (const GstYolov7PublishSettings *settings,
                                  GstYolov7PublishSettings *copy)
{
  *copy = *settings;
  yv_publish_config_copy (&settings->config, &copy->config);
  copy->mqtt_config = g_strdup (settings->mqtt_config);
  copy->kafka_config = g_strdup (settings->kafka_config);
  copy->source = g_strdup (settings->source);
  copy->tags = g_strdup (settings->tags);
}

gboolean
gst_yolov7_publish_settings_complete (GstYolov7PublishSettings *settings, GError **error)
{
  const char *path = settings->method == GST_YOLOV7_PUBLISH_MQTT    ? settings->mqtt_config
                     : settings->method == GST_YOLOV7_PUBLISH_KAFKA ? settings->kafka_config
                                                                    : NULL;
  YvPublishConfig *config = &settings->config;

  config->json_array = settings->file_format == GST_YOLOV7_PUBLISH_JSON;
  if (path && !yv_publish_config_read (config, path, error))
    return FALSE;
  yv_publish_config_take_environment (config);
  if (settings->method == GST_YOLOV7_PUBLISH_FILE)
    config->max_wait_s = MAX_FILE_WAIT_S;
  return TRUE;
}

/* "" is not set: what a shell variable that does not exist gives. */
static void
replace_string (char **string, const GValue *value)
{
  const char *text = g_value_get_string (value);

  g_free (*string);
  *string = text && *text ? g_strdup (text) : NULL;
}

gboolean
gst_yolov7_publish_settings_set (GstYolov7PublishSettings *settings, guint id, const GValue *value)
{
  if (id == PROP_0 || id >= N_PROPS)
    return FALSE;

  void *field = (char *) settings + offsets[id];
  if (G_VALUE_HOLDS_STRING (value))
    replace_string (field, value);
  else if (G_VALUE_HOLDS_UINT (value))
    *(uint32_t *) field = g_value_get_uint (value);
  else if (G_VALUE_HOLDS_UINT64 (value))
    *(uint64_t *) field = g_value_get_uint64 (value);
  else if (G_VALUE_HOLDS_INT (value))
    *(int *) field = g_value_get_int (value);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    *(bool *) field = g_value_get_boolean (value);
  else
    *(int *) field = g_value_get_enum (value);
  return TRUE;
}

gboolean
gst_yolov7_publish_settings_get (const GstYolov7PublishSettings *settings, guint id, GValue *value)
{
  if (id == PROP_0 || id >= N_PROPS)
    return FALSE;

  const void *field = (const char *) settings + offsets[id];
  if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, *(char *const *) field);
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, *(const uint32_t *) field);
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_value_set_uint64 (value, *(const uint64_t *) field);
  else if (G_VALUE_HOLDS_INT (value))
    g_value_set_int (value, *(const int *) field);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, *(const bool *) field);
  else
    g_value_set_enum (value, *(const int *) field);
  return TRUE;
}

/* ---- specifications ------------------------------------------------------------------------- */

static void
init_place_properties (GParamSpec **properties)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags secret = flags & ~G_PARAM_READABLE;

  properties[PROP_METHOD] =
      g_param_spec_enum ("method", "Method", "Where records go", GST_TYPE_YOLOV7_PUBLISH_METHOD,
                         GST_YOLOV7_PUBLISH_FILE, flags);
  properties[PROP_FILE_PATH] = g_param_spec_string (
      "file-path", "File path",
      "method=file: a file, which is emptied first, a FIFO, a device, or \"stdout\"", "stdout",
      flags);
  properties[PROP_FILE_FORMAT] =
      g_param_spec_enum ("file-format", "File format", "method=file: what stands around records",
                         GST_TYPE_YOLOV7_PUBLISH_FORMAT, GST_YOLOV7_PUBLISH_JSON, flags);
  properties[PROP_ADDRESS] = g_param_spec_string (
      "address", "Address",
      "method=mqtt: host:port of the broker; method=kafka: the same of one or more, with commas",
      NULL, flags);
  properties[PROP_TOPIC] = g_param_spec_string (
      "topic", "Topic", "method=mqtt or kafka: what records are published as", NULL, flags);
  properties[PROP_MQTT_CLIENT_ID] = g_param_spec_string (
      "mqtt-client-id", "MQTT client ID",
      "method=mqtt: by which the broker knows this element; not set: one that nobody else has",
      NULL, flags);
  properties[PROP_MQTT_CONFIG] = g_param_spec_string (
      "mqtt-config", "MQTT configuration",
      "method=mqtt: a JSON file as DL Streamer's, with TLS; what it says counts before properties",
      NULL, flags);
  properties[PROP_KAFKA_CONFIG] = g_param_spec_string (
      "kafka-config", "Kafka configuration",
      "method=kafka: a JSON file of the same kind, with librdkafka's own properties", NULL, flags);
  properties[PROP_USERNAME] = g_param_spec_string (
      "username", "User name",
      "method=mqtt or kafka: who we are; not set: the environment variable YV_PUBLISH_USERNAME",
      NULL, secret);
  properties[PROP_PASSWORD] = g_param_spec_string (
      "password", "Password",
      "method=mqtt or kafka; not set: the environment variable YV_PUBLISH_PASSWORD. That is the "
      "better place: a launch line stands in the list of processes, and in GStreamer's debug log",
      NULL, secret);
}

static void
init_tls_properties (GParamSpec **properties)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  properties[PROP_TLS] = g_param_spec_boolean (
      "tls", "TLS",
      "method=mqtt or kafka: the connection is encrypted, and the broker's certificate is checked; "
      "also where one of the three files is set",
      FALSE, flags);
  properties[PROP_CA_FILE] =
      g_param_spec_string ("ca-file", "CA file",
                           "Certificates (PEM) of those who may vouch for the broker; not set: "
                           "those that the system trusts",
                           NULL, flags);
  properties[PROP_CERT_FILE] =
      g_param_spec_string ("cert-file", "Certificate file",
                           "Our certificate (PEM), where the broker asks for one", NULL, flags);
  properties[PROP_KEY_FILE] = g_param_spec_string (
      "key-file", "Key file", "The private key (PEM) of our certificate", NULL, flags);
}

static void
init_flow_properties (GParamSpec **properties)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  properties[PROP_MAX_CONNECT_ATTEMPTS] = g_param_spec_int (
      "max-connect-attempts", "Maximum of connection attempts",
      "After so many attempts in a row that failed nothing is published any more, until the next "
      "start; 0 or less: it is tried for ever",
      -1, G_MAXINT, -1, ready);
  properties[PROP_MAX_RECONNECT_INTERVAL] = g_param_spec_uint (
      "max-reconnect-interval", "Maximum reconnection interval",
      "Longest time between two attempts to connect, in seconds; it begins with one, and doubles. "
      "Files and FIFOs are tried every second",
      1, 300, 30, ready);
  properties[PROP_WHEN] =
      g_param_spec_enum ("when", "When", "Which frames a record is published for",
                         GST_TYPE_YOLOV7_PUBLISH_WHEN, GST_YOLOV7_PUBLISH_EVERY_FRAME, playing);
  properties[PROP_SOURCE] = g_param_spec_string (
      "source", "Source", "What records call the source of this stream", NULL, playing);
  properties[PROP_TAGS] = g_param_spec_string (
      "tags", "Tags", "A JSON object that all records carry: {\"site\":\"north\"}", NULL, playing);
  properties[PROP_QUEUE_SIZE] = g_param_spec_uint (
      "queue-size", "Queue size",
      "Most records that wait, sent ones without an acknowledgement among them; then the oldest of "
      "those not sent are dropped",
      1, 1000000, 10000, ready);
  properties[PROP_QUEUE_BYTES] =
      g_param_spec_uint64 ("queue-bytes", "Queue bytes", "The same, in bytes of their JSON", 1024,
                           (guint64) 4 << 30, 64 * 1024 * 1024, ready);
  properties[PROP_DRAIN_TIMEOUT] = g_param_spec_uint64 (
      "drain-timeout", "Drain timeout",
      "How long the end of the stream, or the way to READY, waits for records to arrive, in ns", 0,
      G_MAXINT64, 5 * GST_SECOND, ready);
}

void
gst_yolov7_publish_settings_install (GObjectClass *class)
{
  GParamSpec *properties[N_PROPS] = {NULL};

  init_place_properties (properties);
  init_tls_properties (properties);
  init_flow_properties (properties);
  g_object_class_install_properties (class, N_PROPS, properties);
  gst_type_mark_as_plugin_api (GST_TYPE_YOLOV7_PUBLISH_METHOD, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_YOLOV7_PUBLISH_FORMAT, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_YOLOV7_PUBLISH_WHEN, 0);
}
