/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publish/config.c - what a user asks of a publisher. */
#include "gst/publish/config.h"

#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/excerpt.h"
#include "common/file.h"
#include "common/json.h"
#include "engine/error.h"

#define MAX_BYTES 65536
#define MAX_DEPTH 16
#define MAX_WAIT_S 300
#define MAX_SETTINGS 200

/* ---- the object ----------------------------------------------------------------------------- */

/* Every string, for what is done to all of them. */
static const size_t strings[] = {
    G_STRUCT_OFFSET (YvPublishConfig, file_path), G_STRUCT_OFFSET (YvPublishConfig, address),
    G_STRUCT_OFFSET (YvPublishConfig, topic),     G_STRUCT_OFFSET (YvPublishConfig, client_id),
    G_STRUCT_OFFSET (YvPublishConfig, username),  G_STRUCT_OFFSET (YvPublishConfig, password),
    G_STRUCT_OFFSET (YvPublishConfig, ca_file),   G_STRUCT_OFFSET (YvPublishConfig, cert_file),
    G_STRUCT_OFFSET (YvPublishConfig, key_file),
};

static char **
string_at (YvPublishConfig *config, size_t offset)
{
  return (char **) G_STRUCT_MEMBER_P (config, offset);
}

void
yv_publish_config_clear (YvPublishConfig *config)
{
  for (size_t i = 0; i < G_N_ELEMENTS (strings); i++)
    g_free (*string_at (config, strings[i]));
  g_clear_pointer (&config->settings, g_ptr_array_unref);
  *config = (YvPublishConfig){0};
}

static void
add_setting (YvPublishConfig *config, const char *name, char *value)
{
  if (!config->settings)
    config->settings = g_ptr_array_new_with_free_func (g_free);
  else
    g_ptr_array_set_size (config->settings, (gint) config->settings->len - 1);
  g_ptr_array_add (config->settings, g_strdup (name));
  g_ptr_array_add (config->settings, value);
  g_ptr_array_add (config->settings, NULL);
}

void
yv_publish_config_copy (const YvPublishConfig *config, YvPublishConfig *copy)
{
  *copy = *config;
  for (size_t i = 0; i < G_N_ELEMENTS (strings); i++)
    *string_at (copy, strings[i]) = g_strdup (*string_at (copy, strings[i]));
  copy->settings = NULL;
  for (guint i = 0; config->settings && i + 2 < config->settings->len; i += 2)
    add_setting (copy, g_ptr_array_index (config->settings, i),
                 g_strdup (g_ptr_array_index (config->settings, i + 1)));
}

YvTransportConfig
yv_publish_config_transport (const YvPublishConfig *config)
{
  return (YvTransportConfig){
      .file_path = config->file_path,
      .json_array = config->json_array,
      .address = config->address,
      .topic = config->topic,
      .client_id = config->client_id,
      .username = config->username,
      .password = config->password,
      .tls = config->tls,
      .no_tls = config->no_tls,
      .tls_insecure = config->tls_insecure,
      .ca_file = config->ca_file,
      .cert_file = config->cert_file,
      .key_file = config->key_file,
      .settings = config->settings ? (const char *const *) config->settings->pdata : NULL,
  };
}

void
yv_publish_config_take_environment (YvPublishConfig *config)
{
  if (!config->username)
    config->username = g_strdup (g_getenv ("YV_PUBLISH_USERNAME"));
  if (!config->password)
    config->password = g_strdup (g_getenv ("YV_PUBLISH_PASSWORD"));
}

/* ---- JSON ----------------------------------------------------------------------------------- */

typedef struct {
  guint line, character;
} Place;

/* What json-glib says of a fault quotes the text, and may quote a password: where it is will do. */
static void
note_place (JsonParser *parser, const GError *fault, gpointer place)
{
  (void) fault;
  *(Place *) place = (Place){
      json_parser_get_current_line (parser),
      json_parser_get_current_pos (parser),
  };
}

/* Returns: the object that @text is; NULL with an error, "NAME: ...". */
static JsonObject *
parse_object (const char *text, size_t size_bytes, const char *name, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  Place place = {0};

  if (size_bytes > MAX_BYTES) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: has %" G_GSIZE_FORMAT " bytes, expected at most %d", name, size_bytes,
                 MAX_BYTES);
    return NULL;
  }
  if (!yv_json_check (text, size_bytes, MAX_DEPTH, error)) {
    g_prefix_error (error, "%s: ", name);
    return NULL;
  }
  g_signal_connect (parser, "error", G_CALLBACK (note_place), &place);
  if (!json_parser_load_from_data (parser, text, (gssize) size_bytes, NULL)) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: line %u, character %u: is no JSON", name,
                 place.line, place.character);
    return NULL;
  }
  JsonNode *root = json_parser_get_root (parser);
  if (!root || !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: expected a JSON object, {...}", name);
    return NULL;
  }
  return json_object_ref (json_node_get_object (root));
}

/* json-glib would write 1e22 as 1e+22.0, which is no JSON: the text itself is taken, without the
 * white space between its parts. */
char *
yv_publish_tags (const char *text, GError **error)
{
  g_autoptr (JsonObject) object = parse_object (text, strlen (text), "tags", error);
  g_autoptr (GString) line = g_string_new (NULL);
  bool is_quoted = false, is_escaped = false;

  if (!object)
    return NULL;
  for (const char *at = text; *at; at++) {
    is_quoted ^= *at == '"' && !is_escaped;
    is_escaped = *at == '\\' && !is_escaped;
    if (is_quoted || !g_ascii_isspace (*at))
      g_string_append_c (line, *at);
  }
  return g_string_free (g_steal_pointer (&line), FALSE);
}

/* ---- members -------------------------------------------------------------------------------- */

typedef struct {
  YvPublishConfig *config;
  const char *name;   /* of the text */
  int verify, checks; /* ssl_verify, ssl_enable_server_cert_auth; -1: not there */
} Reader;

static bool
refuse (const Reader *reader, const char *member, const char *expected, GError **error)
{
  g_autofree char *excerpt = yv_excerpt (member);

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s: \"%s\": expected %s", reader->name,
               excerpt, expected);
  return false;
}

static GType
type_of (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
}

/* null leaves what the property says. */
static bool
read_string (const Reader *reader, const char *member, JsonNode *node, char **string,
             GError **error)
{
  if (JSON_NODE_HOLDS_NULL (node))
    return true;
  if (type_of (node) != G_TYPE_STRING)
    return refuse (reader, member, "a string or null", error);
  g_free (*string);
  *string = g_strdup (json_node_get_string (node));
  return true;
}

static bool
read_boolean (const Reader *reader, const char *member, JsonNode *node, bool *value, GError **error)
{
  if (type_of (node) != G_TYPE_BOOLEAN)
    return refuse (reader, member, "true or false", error);
  *value = json_node_get_boolean (node);
  return true;
}

static bool
read_number (const Reader *reader, const char *member, JsonNode *node, int64_t min, int64_t max,
             int64_t *value, GError **error)
{
  *value = type_of (node) == G_TYPE_INT64 ? json_node_get_int (node) : G_MININT64;
  if (*value >= min && *value <= max)
    return true;
  g_autofree char *expected =
      g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
  return refuse (reader, member, expected, error);
}

static const struct {
  const char *member;
  size_t offset; /* of a char * in YvPublishConfig */
} string_members[] = {
    {"address", G_STRUCT_OFFSET (YvPublishConfig, address)},
    {"topic", G_STRUCT_OFFSET (YvPublishConfig, topic)},
    {"client-id", G_STRUCT_OFFSET (YvPublishConfig, client_id)},
    {"username", G_STRUCT_OFFSET (YvPublishConfig, username)},
    {"password", G_STRUCT_OFFSET (YvPublishConfig, password)},
    {"ssl_CA_certificate", G_STRUCT_OFFSET (YvPublishConfig, ca_file)},
    {"ssl_client_certificate", G_STRUCT_OFFSET (YvPublishConfig, cert_file)},
    {"ssl_private_key", G_STRUCT_OFFSET (YvPublishConfig, key_file)},
};

static bool
read_setting (const Reader *reader, const char *member, JsonNode *node, GError **error)
{
  const GType type = type_of (node);

  if (type != G_TYPE_STRING && type != G_TYPE_INT64 && type != G_TYPE_DOUBLE &&
      type != G_TYPE_BOOLEAN)
    return refuse (reader, member, "a string, a number or a boolean", error);
  if (reader->config->settings && reader->config->settings->len > 2 * MAX_SETTINGS)
    return refuse (reader, member, "not so many settings", error);
  add_setting (reader->config, member,
               type == G_TYPE_STRING ? g_strdup (json_node_get_string (node))
                                     : json_to_string (node, FALSE));
  return true;
}

static bool
read_tls (const Reader *reader, JsonNode *node, GError **error)
{
  if (!read_boolean (reader, "TLS", node, &reader->config->tls, error))
    return false;
  reader->config->no_tls = !reader->config->tls;
  return true;
}

static bool
read_member (Reader *reader, const char *member, JsonNode *node, GError **error)
{
  YvPublishConfig *config = reader->config;
  int64_t number = 0;
  bool ignored;

  for (size_t i = 0; i < G_N_ELEMENTS (string_members); i++)
    if (g_str_equal (member, string_members[i].member))
      return read_string (reader, member, node, string_at (config, string_members[i].offset),
                          error);
  if (g_str_equal (member, "TLS"))
    return read_tls (reader, node, error);
  if (g_str_equal (member, "disable-proxy"))
    return read_boolean (reader, member, node, &ignored, error);
  if (g_str_equal (member, "max-connect-attempts")) {
    if (!read_number (reader, member, node, -1, G_MAXINT, &number, error))
      return false;
    config->max_attempts = (int) number;
    return true;
  }
  if (g_str_equal (member, "max-reconnect-interval")) {
    if (!read_number (reader, member, node, 1, MAX_WAIT_S, &number, error))
      return false;
    config->max_wait_s = (uint32_t) number;
    return true;
  }
  const bool is_verify = g_str_equal (member, "ssl_verify");
  if (!is_verify && !g_str_equal (member, "ssl_enable_server_cert_auth"))
    return read_setting (reader, member, node, error);
  if (!read_number (reader, member, node, 0, 1, &number, error))
    return false;
  *(is_verify ? &reader->verify : &reader->checks) = (int) number;
  return true;
}

static bool
read_members (Reader *reader, JsonObject *object, GError **error)
{
  g_autoptr (GList) members = json_object_get_members (object);

  for (const GList *l = members; l; l = l->next)
    if (!read_member (reader, l->data, json_object_get_member (object, l->data), error))
      return false;
  if (reader->verify >= 0 && reader->checks >= 0 && reader->verify != reader->checks)
    return refuse (reader, "ssl_verify",
                   "what \"ssl_enable_server_cert_auth\" is: a certificate is checked with the "
                   "name in it, or not at all",
                   error);
  reader->config->tls_insecure = reader->verify == 0 || reader->checks == 0;
  return true;
}

bool
yv_publish_config_parse (YvPublishConfig *config, const char *text, size_t size_bytes,
                         const char *name, GError **error)
{
  Reader reader = {.config = config, .name = name, .verify = -1, .checks = -1};
  g_autoptr (JsonObject) object = parse_object (text, size_bytes, name, error);

  return object && read_members (&reader, object, error);
}

bool
yv_publish_config_read (YvPublishConfig *config, const char *path, GError **error)
{
  g_autoptr (GError) fault = NULL;
  g_autofree char *text = NULL;
  struct stat info;
  gsize size_bytes = 0;

  if (!yv_check_is_file (path, "a JSON file with the configuration of a broker", error))
    return false;
  if (stat (path, &info) == 0 && info.st_size > MAX_BYTES) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: has %" G_GINT64_FORMAT " bytes, expected at most %d", path,
                 (gint64) info.st_size, MAX_BYTES);
    return false;
  }
  if (!g_file_get_contents (path, &text, &size_bytes, &fault)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s", fault->message);
    return false;
  }
  return yv_publish_config_parse (config, text, size_bytes, path, error);
}
