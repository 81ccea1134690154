/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/cameraconfig.c - merges defaults, our own below the file's below the camera's.
 */
#include "examples/common/cameraconfig.h"

#include <string.h>

#include "engine/error.h"
#include "examples/common/property.h"
#include "examples/common/source.h"

static const char *const elements[] = {"yolov7",        "yolov7tracker", "yolov7publish",
                                       "yolov7overlay", "rtspsrc",       "v4l2src"};

static const struct {
  const char *element, *property, *text;
} our_defaults[] = {
    {"yolov7", "leaky", "downstream"}, {"rtspsrc", "protocols", "tcp"},
    {"rtspsrc", "latency", "100"},     {"rtspsrc", "drop-on-latency", "true"},
    {"rtspsrc", "timeout", "2000000"},
};

/* What the source says. */
static const struct {
  const char *element, *property;
} refused[] = {
    {"rtspsrc", "location"},
    {"rtspsrc", "user-id"},
    {"rtspsrc", "user-pw"},
    {"v4l2src", "device"},
};

static void
free_setting (gpointer data)
{
  CameraSetting *setting = data;

  g_free (setting->element);
  g_free (setting->property);
  g_free (setting->text);
  g_free (setting);
}

void
camera_config_free (CameraConfig *config)
{
  if (!config)
    return;
  g_clear_pointer (&config->settings, g_ptr_array_unref);
  g_free (config->file);
  g_free (config->name);
  g_free (config->source);
  g_free (config->shown_source);
  g_free (config);
}

static CameraSetting *
find_setting (const CameraConfig *config, const char *element, const char *property)
{
  for (guint i = 0; i < config->settings->len; i++) {
    CameraSetting *setting = g_ptr_array_index (config->settings, i);
    if (g_str_equal (setting->element, element) && g_str_equal (setting->property, property))
      return setting;
  }
  return NULL;
}

static void
put (CameraConfig *config, const char *element, const char *property, const char *text,
     uint32_t line)
{
  CameraSetting *setting = find_setting (config, element, property);

  if (!setting) {
    setting = g_new0 (CameraSetting, 1);
    setting->element = g_strdup (element);
    setting->property = g_strdup (property);
    g_ptr_array_add (config->settings, setting);
  }
  g_free (setting->text);
  setting->text = g_strdup (text);
  setting->line = line;
}

static bool
check_not_refused (const CameraConfig *config, const char *element, const YvYaml *key,
                   GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    if (!g_str_equal (element, refused[i].element) || !g_str_equal (key->text, refused[i].property))
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s:%u: %s.%s is not set here; the camera's source says it", config->file,
                 key->line, element, key->text);
    return false;
  }
  return true;
}

/* For a message. */
static const char *
property_of (const YvYaml *key)
{
  return key->kind == YV_YAML_SCALAR && !config_may_be_secret (key->text) ? key->text : "?";
}

static bool
read_setting (CameraConfig *config, const char *element, const YvYaml *key, const YvYaml *value,
              GError **error)
{
  if (key->kind != YV_YAML_SCALAR || value->kind != YV_YAML_SCALAR) {
    g_autofree char *found = config_describe (key->kind != YV_YAML_SCALAR ? key : value);
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s:%u: %s.%s is %s; expected a property of the element and its value",
                 config->file, key->line, element, property_of (key), found);
    return false;
  }
  if (!check_not_refused (config, element, key, error))
    return false;
  g_autofree char *path = property_is_path (element, key->text, value->text)
                              ? config_path (config->file, value->text)
                              : NULL;
  put (config, element, key->text, path ? path : value->text, value->line);
  return true;
}

/* The map of one element. */
static bool
read_settings (CameraConfig *config, const char *element, const YvYaml *map, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  if (map->kind != YV_YAML_MAPPING) {
    g_autofree char *found = config_describe (map);
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s:%u: %s is %s; expected a mapping of its properties, {property: value}",
                 config->file, map->line, element, found);
    return false;
  }
  for (guint i = 0; i + 1 < map->items->len; i += 2) {
    const YvYaml *key = g_ptr_array_index (map->items, i);
    if (!read_setting (config, element, key, g_ptr_array_index (map->items, i + 1), error))
      return false;
    if (!g_hash_table_add (seen, key->text)) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: %s.%s is there twice; remove one",
                   config->file, key->line, element, property_of (key));
      return false;
    }
  }
  return true;
}

static bool
read_elements (CameraConfig *config, const YvYaml *node, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    const YvYaml *map = yv_yaml_get (node, elements[i]);
    if (map && !read_settings (config, elements[i], map, error))
      return false;
  }
  return true;
}

static bool
check_keys (const char *file, const YvYaml *node, const char *what, bool is_camera,
            const char *const *own_keys, GError **error)
{
  g_autoptr (GPtrArray) known = g_ptr_array_new ();

  if (is_camera) {
    g_ptr_array_add (known, (gpointer) "name");
    g_ptr_array_add (known, (gpointer) "source");
  }
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    g_ptr_array_add (known, (gpointer) elements[i]);
  for (guint i = 0; own_keys && own_keys[i]; i++)
    g_ptr_array_add (known, (gpointer) own_keys[i]);
  g_ptr_array_add (known, NULL);
  return config_check_keys (file, node, what, (const char *const *) known->pdata, error);
}

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
#define MAX_NAME 64

static bool
is_name (const char *name)
{
  const size_t length = strlen (name);

  return length > 0 && length <= MAX_NAME && *name != '.' && strspn (name, NAME_CHARS) == length;
}

static bool
read_name (CameraConfig *config, const YvYaml *node, GError **error)
{
  const YvYaml *value = yv_yaml_get (node, "name");

  if (value && value->kind == YV_YAML_SCALAR && is_name (value->text)) {
    config->name = g_strdup (value->text);
    return true;
  }
  g_autofree char *found = value ? config_describe (value) : g_strdup ("missing");
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s:%u: name is %s; expected 1 to %d of A-Z a-z 0-9 _ - . without a . in front",
               config->file, value ? value->line : node->line, found, MAX_NAME);
  return false;
}

static bool
read_source (CameraConfig *config, const YvYaml *node, GError **error)
{
  const YvYaml *value = yv_yaml_get (node, "source");

  if (!value || value->kind != YV_YAML_SCALAR || !*value->text) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s:%u: camera %s has no source; expected rtsp://..., a path, v4l2:///dev/video0 "
                 "or test:ball",
                 config->file, value ? value->line : node->line, config->name);
    return false;
  }
  config->source = source_complete (value->text, config->file, error);
  if (!config->source) {
    g_prefix_error (error, "%s:%u: ", config->file, value->line);
    return false;
  }
  config->shown_source = source_show (config->source);
  return true;
}

CameraConfig *
camera_config_new (const char *file, const YvYaml *node, const YvYaml *defaults,
                   const char *const *own_keys, GError **error)
{
  g_autoptr (CameraConfig) config = g_new0 (CameraConfig, 1);

  config->file = g_strdup (file);
  config->line = node->line;
  config->settings = g_ptr_array_new_with_free_func (free_setting);
  config->node = node;
  config->defaults = defaults;
  for (guint i = 0; i < G_N_ELEMENTS (our_defaults); i++)
    put (config, our_defaults[i].element, our_defaults[i].property, our_defaults[i].text, 0);

  if (defaults && (!check_keys (file, defaults, "defaults", false, own_keys, error) ||
                   !read_elements (config, defaults, error)))
    return NULL;
  if (!check_keys (file, node, "a camera", true, own_keys, error) ||
      !read_name (config, node, error) || !read_source (config, node, error) ||
      !read_elements (config, node, error))
    return NULL;
  return g_steal_pointer (&config);
}

static void
free_config (gpointer config)
{
  camera_config_free (config);
}

/* Of the camera at @node into @configs. */
static bool
add_config (GPtrArray *configs, GHashTable *lines, const char *file, const YvYaml *node,
            const YvYaml *defaults, const char *const *own_keys, GError **error)
{
  g_autoptr (CameraConfig) config = camera_config_new (file, node, defaults, own_keys, error);

  if (!config || !camera_config_check (config, error))
    return false;
  const guint other = GPOINTER_TO_UINT (g_hash_table_lookup (lines, config->name));
  if (other) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s:%u: a second camera with the name %s, as in line %u; give it another", file,
                 config->line, config->name, other);
    return false;
  }
  g_hash_table_insert (lines, config->name, GUINT_TO_POINTER (config->line));
  g_ptr_array_add (configs, g_steal_pointer (&config));
  return true;
}

GPtrArray *
camera_configs_new (const char *file, const YvYaml *root, const char *const *own_keys,
                    GError **error)
{
  const YvYaml *list = yv_yaml_get (root, "cameras"), *defaults = yv_yaml_get (root, "defaults");
  g_autoptr (GPtrArray) configs = g_ptr_array_new_with_free_func (free_config);
  g_autoptr (GHashTable) lines = g_hash_table_new (g_str_hash, g_str_equal);

  if (!list || list->kind != YV_YAML_SEQUENCE || list->items->len == 0) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s:%u: there are no cameras; expected cameras: and below it a list of - name: "
                 "..., source: ...",
                 file, list ? list->line : root->line);
    return NULL;
  }
  for (guint i = 0; i < list->items->len; i++)
    if (!add_config (configs, lines, file, g_ptr_array_index (list->items, i), defaults, own_keys,
                     error))
      return NULL;
  return g_steal_pointer (&configs);
}

const YvYaml *
camera_config_own (const CameraConfig *config, const char *key)
{
  const YvYaml *value = yv_yaml_get (config->node, key);

  return value ? value : yv_yaml_get (config->defaults, key);
}

const char *
camera_config_get (const CameraConfig *config, const char *element, const char *property)
{
  const CameraSetting *setting = find_setting (config, element, property);

  return setting ? setting->text : NULL;
}

bool
camera_config_has (const CameraConfig *config, const char *element)
{
  for (guint i = 0; i < config->settings->len; i++) {
    const CameraSetting *setting = g_ptr_array_index (config->settings, i);
    if (g_str_equal (setting->element, element))
      return true;
  }
  return false;
}

void
camera_config_set (CameraConfig *config, const char *element, const char *property,
                   const char *text)
{
  put (config, element, property, text, 0);
}

char *
camera_config_redact (const CameraConfig *config, const char *text)
{
  g_autofree char *redacted = source_redact (config->source, text);
  GString *out = g_string_new (redacted);

  for (guint i = 0; i < config->settings->len; i++) {
    const CameraSetting *setting = g_ptr_array_index (config->settings, i);
    if (property_is_secret (setting->property) && *setting->text)
      g_string_replace (out, setting->text, "***", 0);
  }
  return g_string_free (out, FALSE);
}
