/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/settings.c - keys, ranges and defaults of a worker's file. */
#include "examples/fleet/settings.h"

#include <string.h>

#include "common/file.h"
#include "engine/error.h"
#include "examples/fleet/courier.h"
#include "examples/fleet/note.h"

#define S G_USEC_PER_SEC
/* A publisher's last records, within the time that a worker has to stop all cameras. */
#define DRAIN_NS "2000000000"
#define MAX_DRAIN_NS (3 * G_GINT64_CONSTANT (1000000000))

G_STATIC_ASSERT (MAX_DRAIN_NS < FLEET_STOP_S * G_GINT64_CONSTANT (1000000000));

void
fleet_settings_free (FleetSettings *settings)
{
  if (!settings)
    return;
  g_free (settings->file);
  g_free (settings->name);
  g_free (settings->metrics_address);
  fleet_address_clear (&settings->address);
  fleet_permits_free (settings->permits);
  yv_yaml_free (settings->tree);
  g_free (settings);
}

static bool
read_path (const FleetSettings *settings, const char *key, char **out, GError **error)
{
  const char *text = NULL;

  if (!config_text (settings->file, key, yv_yaml_get (settings->tree, key), &text, error))
    return false;
  if (text) {
    g_free (*out);
    *out = config_path (settings->file, text);
  }
  return true;
}

static bool
read_tls (FleetSettings *settings, GError **error)
{
  FleetAddress *address = &settings->address;
  static const char *const keys[] = {"ca-file", "cert-file", "key-file"};

  if (!read_path (settings, "ca-file", &address->ca_file, error) ||
      !read_path (settings, "cert-file", &address->cert_file, error) ||
      !read_path (settings, "key-file", &address->key_file, error))
    return false;
  for (guint i = 0; i < G_N_ELEMENTS (keys) && !address->is_tls; i++) {
    const YvYaml *node = yv_yaml_get (settings->tree, keys[i]);
    if (!node)
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s:%u: %s has no effect without TLS; make the broker's URI amqps://",
                 settings->file, node->line, keys[i]);
    return false;
  }
  if (!address->cert_file == !address->key_file)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s:%u: cert-file and key-file belong together; one of them is missing",
               settings->file, settings->tree->line);
  return false;
}

static bool
read_broker (FleetSettings *settings, GError **error)
{
  const YvYaml *node = yv_yaml_get (settings->tree, "broker");
  const char *uri = NULL;
  g_autofree char *password_file = NULL;

  if (!node) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s:%u: there is no key broker; expected broker: amqp://USER@HOST", settings->file,
                 settings->tree->line);
    return false;
  }
  if (node->kind != YV_YAML_SCALAR || !config_text (settings->file, "broker", node, &uri, NULL)) {
    /* The common message would show what may be a password. */
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s:%u: broker is no text; expected amqp://USER@HOST", settings->file, node->line);
    return false;
  }
  if (!fleet_address_parse (&settings->address, uri, error)) {
    g_prefix_error (error, "%s:%u: ", settings->file, node->line);
    return false;
  }
  return read_path (settings, "password-file", &password_file, error) &&
         fleet_address_take_password (&settings->address, password_file, error) &&
         read_tls (settings, error);
}

static bool
read_name (FleetSettings *settings, GError **error)
{
  const YvYaml *node = yv_yaml_get (settings->tree, "name");
  const char *name = g_get_host_name ();

  if (!config_text (settings->file, "name", node, &name, error))
    return false;
  settings->name = g_strdup (name);
  if (fleet_is_name (name))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s:%u: name is \"%s\"%s; expected 1 to 64 letters, digits, '.', '_' and '-', and "
               "first a letter, digit or '_'",
               settings->file, node ? node->line : settings->tree->line, name,
               node ? "" : ", the machine's name");
  return false;
}

static bool
read_capacity (FleetSettings *settings, GError **error)
{
  const YvYaml *node = yv_yaml_get (settings->tree, "capacity");
  gint64 most = 1;

  settings->is_measured =
      !node || (node->kind == YV_YAML_SCALAR && strcmp (node->text, "measured") == 0);
  if (!settings->is_measured &&
      !config_number (settings->file, "capacity", node, 1, FLEET_MAX_CAPACITY, &most, error)) {
    g_prefix_error (error, "capacity is \"measured\" or a number: ");
    return false;
  }
  settings->capacity.most = (uint32_t) most;
  return true;
}

static bool
read_numbers (FleetSettings *settings, GError **error)
{
  gint64 fps = 25, share = 80, slow_below = 80, slow_after = 30, raise_after = 300, patience = 60;
  gint64 attempts = 5, metrics_port = -1;
  const struct {
    const char *key;
    gint64 min, max, *value;
  } numbers[] = {
      {"fps", 1, 1000, &fps},
      {"share", 1, 100, &share},
      {"slow-below", 0, 100, &slow_below},
      {"slow-after", 1, 3600, &slow_after},
      {"raise-after", 1, 86400, &raise_after},
      {"patience", 1, 86400, &patience},
      {"attempts", 0, 1000000, &attempts},
      {"metrics-port", 0, 65535, &metrics_port},
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!config_number (settings->file, numbers[i].key,
                        yv_yaml_get (settings->tree, numbers[i].key), numbers[i].min,
                        numbers[i].max, numbers[i].value, error))
      return false;
  settings->camera_fps = (double) fps;
  settings->share = (double) share / 100;
  settings->capacity.slow_below = (double) slow_below / 100;
  settings->capacity.slow_after_us = slow_after * S;
  settings->capacity.raise_after_us = raise_after * S;
  settings->patience_us = patience * S;
  settings->attempts = (uint32_t) attempts;
  settings->metrics_port = (int) metrics_port;
  return true;
}

static bool
read_rest (FleetSettings *settings, GError **error)
{
  const char *address = "127.0.0.1";

  if (!config_text (settings->file, "metrics-address",
                    yv_yaml_get (settings->tree, "metrics-address"), &address, error))
    return false;
  settings->metrics_address = g_strdup (address);
  settings->permits =
      fleet_permits_new (settings->file, yv_yaml_get (settings->tree, "allow"), error);
  settings->defaults = yv_yaml_get (settings->tree, "defaults");
  return settings->permits != NULL;
}

CameraConfig *
fleet_settings_sample (const FleetSettings *settings, GError **error)
{
  static const char text[] = "{\"name\": \"sample\", \"source\": \"test:ball\"}";
  g_autoptr (YvYaml) tree = config_parse (text, strlen (text), settings->file, error);
  g_autoptr (CameraConfig) config = NULL;

  if (tree)
    config = camera_config_new (settings->file, tree, settings->defaults, NULL, error);
  if (!config || !camera_config_check (config, error))
    return NULL;
  config->node = config->defaults = NULL; /* the tree ends here */
  return g_steal_pointer (&config);
}

/* So that what is wrong with the defaults is said at the start, and not of each camera. */
static bool
check_defaults (const FleetSettings *settings, GError **error)
{
  g_autoptr (CameraConfig) config = fleet_settings_sample (settings, error);
  const char *drain = config ? camera_config_get (config, "yolov7publish", "drain-timeout") : NULL;

  if (!drain || g_ascii_strtoll (drain, NULL, 10) <= MAX_DRAIN_NS)
    return config != NULL;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s:%u: yolov7publish.drain-timeout is %s; expected at most %" G_GINT64_FORMAT
               " ns: a worker that has lost the broker stops its cameras within %d s",
               settings->file, settings->defaults->line, drain, MAX_DRAIN_NS, FLEET_STOP_S);
  return false;
}

FleetSettings *
fleet_settings_parse (const char *text, size_t size_bytes, const char *path, GError **error)
{
  static const char *const keys[] = {
      "broker",     "password-file",   "ca-file",      "cert-file", "key-file",
      "name",       "capacity",        "fps",          "share",     "slow-below",
      "slow-after", "raise-after",     "patience",     "attempts",  "allow",
      "defaults",   "metrics-address", "metrics-port", NULL};
  g_autoptr (FleetSettings) settings = g_new0 (FleetSettings, 1);

  settings->file = g_canonicalize_filename (path, NULL);
  settings->tree = config_parse (text, size_bytes, path, error);
  if (!settings->tree || !config_check_keys (path, settings->tree, "a worker", keys, error) ||
      !read_broker (settings, error) || !read_name (settings, error) ||
      !read_capacity (settings, error) || !read_numbers (settings, error) ||
      !read_rest (settings, error) || !check_defaults (settings, error))
    return NULL;
  return g_steal_pointer (&settings);
}

FleetSettings *
fleet_settings_read (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) cause = NULL;
  gsize size;

  if (!yv_check_is_file (path, "a worker's YAML file", error))
    return NULL;
  if (g_file_get_contents (path, &text, &size, &cause))
    return fleet_settings_parse (text, size, path, error);
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be read: %s", path, cause->message);
  return NULL;
}

/* ---- a camera -------------------------------------------------------------------------------- */

static void
put_names (const FleetSettings *settings, CameraConfig *config)
{
  for (guint i = 0; i < config->settings->len; i++) {
    CameraSetting *setting = config->settings->pdata[i];
    g_autoptr (GString) text = g_string_new (setting->text);
    g_string_replace (text, "{name}", config->name, 0);
    g_string_replace (text, "{worker}", settings->name, 0);
    g_free (setting->text);
    setting->text = g_strdup (text->str);
  }
}

static void
put_publisher_defaults (CameraConfig *config)
{
  if (!camera_config_has (config, "yolov7publish"))
    return;
  if (!camera_config_get (config, "yolov7publish", "source"))
    camera_config_set (config, "yolov7publish", "source", config->name);
  if (!camera_config_get (config, "yolov7publish", "drain-timeout"))
    camera_config_set (config, "yolov7publish", "drain-timeout", DRAIN_NS);
}

/* There is no such file as the message was called, so that paths begin in the folder. */
static const char *
without_folder (const char *text, const char *folder)
{
  return g_str_has_prefix (text, folder) ? text + strlen (folder) + 1 : text;
}

CameraConfig *
fleet_settings_camera (const FleetSettings *settings, const char *name, const char *camera,
                       GError **error)
{
  g_autofree char *folder = g_path_get_dirname (settings->file);
  g_autofree char *message = g_strdup_printf ("camera %s", name);
  /* Paths of the defaults begin at the file's folder. */
  g_autofree char *file = g_build_filename (folder, message, NULL);
  g_autoptr (YvYaml) tree = config_parse (camera, strlen (camera), message, error);
  g_autoptr (GError) problem = NULL;

  if (!tree || !fleet_permits_check (settings->permits, message, tree, error))
    return NULL;
  g_autoptr (CameraConfig) config =
      camera_config_new (file, tree, settings->defaults, NULL, &problem);
  if (config) {
    put_names (settings, config);
    put_publisher_defaults (config);
  }
  if (!config || !camera_config_check (config, &problem)) {
    g_set_error_literal (error, problem->domain, problem->code,
                         without_folder (problem->message, folder));
    return NULL;
  }
  g_free (config->file);
  config->file = g_steal_pointer (&message);
  config->node = config->defaults = NULL; /* the tree ends here */
  return g_steal_pointer (&config);
}
