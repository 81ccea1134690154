/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/webconfig.c - the settings of yolov7-web. */
#include "examples/web/webconfig.h"

#include <gio/gio.h>
#include <string.h>

#include "engine/yolov7.h"

#define DEFAULT_KBPS 2000

static const char *const camera_keys[] = {"bitrate", NULL};

static bool
read_number (const char *path, const WebConfig *config, const char *key, gint64 min, gint64 max,
             gint64 *value, GError **error)
{
  return config_number (path, key, yv_yaml_get (config->tree, key), min, max, value, error);
}

static bool
read_address (const char *path, WebConfig *config, GError **error)
{
  const YvYaml *node = yv_yaml_get (config->tree, "address");

  if (!config_text (path, "address", node, &config->address, error))
    return false;
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (config->address, 0);
  if (address)
    return true;
  g_autofree char *found = config_describe (node);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s:%u: address is %s; expected the address of an interface, such as 127.0.0.1, "
               "0.0.0.0 or ::",
               path, node->line, found);
  return false;
}

static bool
refuse_host (const char *path, const YvYaml *node, const char *expected, GError **error)
{
  g_autofree char *found = config_describe (node);

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: hosts has %s; expected %s", path,
               node->line, found, expected);
  return false;
}

/* Returns: (transfer full) (nullable): without the dot at the end, as names are compared; NULL
 * where it is none */
static char *
read_name (const char *text)
{
  const gsize n = strlen (text);
  const gsize n_name = n > 0 && text[n - 1] == '.' ? n - 1 : n;
  const bool is_name = n_name > 0 && text[n_name - 1] != '.' &&
                       strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._") == n;

  return is_name ? g_strndup (text, n_name) : NULL;
}

static bool
read_hosts (const char *path, WebConfig *config, GError **error)
{
  const YvYaml *node = yv_yaml_get (config->tree, "hosts");

  if (!node)
    return true;
  if (node->kind != YV_YAML_SEQUENCE)
    return refuse_host (path, node, "a list of names", error);
  for (guint i = 0; i < node->items->len; i++) {
    const YvYaml *item = node->items->pdata[i];
    char *name = item->kind == YV_YAML_SCALAR ? read_name (item->text) : NULL;
    if (!name)
      return refuse_host (path, item, "a name without port, such as cameras.example.org", error);
    g_ptr_array_add (config->hosts, name);
  }
  return true;
}

static bool
read_own (const char *path, WebConfig *config, GError **error)
{
  static const char *const known[] = {"address",      "port",     "hosts",   "linger",
                                      "max-encoders", "defaults", "cameras", NULL};

  return config_check_keys (path, config->tree, "the configuration", known, error) &&
         read_address (path, config, error) && read_hosts (path, config, error) &&
         read_number (path, config, "port", 0, 65535, &config->port, error) &&
         read_number (path, config, "linger", 1, 3600, &config->linger_s, error) &&
         read_number (path, config, "max-encoders", 1, 1000, &config->max_encoders, error);
}

/* With leaky=downstream what was found late is on a later frame than the one that it was found in,
 * and its record has that one's time. Video of HLS is seconds late anyway, so here frames may wait
 * for their analysis instead. A line of the file goes before. */
static void
wait_for_analysis (CameraConfig *camera)
{
  for (guint i = 0; i < camera->settings->len; i++) {
    const CameraSetting *setting = camera->settings->pdata[i];
    const bool is_said = setting->line > 0 && g_str_equal (setting->element, "yolov7") &&
                         g_str_equal (setting->property, "leaky");
    if (is_said)
      return;
  }
  camera_config_set (camera, "yolov7", "leaky", "upstream");
}

WebConfig *
web_config_read (const char *path, GError **error)
{
  g_autoptr (WebConfig) config = g_new0 (WebConfig, 1);

  config->address = "127.0.0.1";
  config->port = 8080;
  config->hosts = g_ptr_array_new_with_free_func (g_free);
  config->linger_s = 15;
  config->max_encoders = 16;
  config->tree = config_read (path, error);
  if (!config->tree || !read_own (path, config, error))
    return NULL;
  config->cameras = camera_configs_new (path, config->tree, camera_keys, error);
  if (!config->cameras)
    return NULL;
  for (guint i = 0; i < config->cameras->len; i++) {
    gint64 kbps;
    if (!web_config_bitrate (config->cameras->pdata[i], &kbps, error))
      return NULL;
    wait_for_analysis (config->cameras->pdata[i]);
  }
  return g_steal_pointer (&config);
}

bool
web_config_bitrate (const CameraConfig *camera, gint64 *kbps, GError **error)
{
  *kbps = DEFAULT_KBPS;
  return config_number (camera->file, "bitrate", camera_config_own (camera, "bitrate"), 100, 100000,
                        kbps, error);
}

/* The cameras point into the tree. */
void
web_config_free (WebConfig *config)
{
  if (!config)
    return;
  g_clear_pointer (&config->cameras, g_ptr_array_unref);
  g_clear_pointer (&config->hosts, g_ptr_array_unref);
  yv_yaml_free (config->tree);
  g_free (config);
}
