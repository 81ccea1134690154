/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/serverconfig.c - what is not about cameras. */
#include "examples/rtsp-server/serverconfig.h"

#include <gio/gio.h>
#include <string.h>

#include "engine/error.h"
#include "examples/rtsp-server/users.h"

#define DEFAULT_PORT 8554
#define DEFAULT_CLIENTS 100
#define DEFAULT_TIMEOUT_S 60
#define DEFAULT_BITRATE 2000

static const char *const own_keys[] = {"path", "sharing", "bitrate", "metadata", NULL};

static const char *const top_keys[] = {"address",      "port",           "metrics-address",
                                       "metrics-port", "max-clients",    "client-timeout",
                                       "users-file",   "authentication", "tls-certificate",
                                       "defaults",     "cameras",        NULL};

static void
free_mount (gpointer data)
{
  MountConfig *mount = data;

  camera_config_free (mount->camera);
  g_free (mount->path);
  g_free (mount);
}

void
server_config_free (ServerConfig *config)
{
  if (!config)
    return;
  g_clear_pointer (&config->mounts, g_ptr_array_unref);
  g_clear_pointer (&config->users, g_ptr_array_unref);
  g_free (config->address);
  g_free (config->metrics_address);
  g_free (config->tls_certificate);
  g_free (config);
}

#define PATH_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./"

static bool
is_path (const char *path)
{
  return path[0] == '/' && path[1] && strspn (path, PATH_CHARS) == strlen (path) &&
         !strstr (path, "//") && !strstr (path, "..") && !g_str_has_suffix (path, "/");
}

static bool
read_path (const char *file, MountConfig *mount, GError **error)
{
  const YvYaml *node = camera_config_own (mount->camera, "path");
  const char *path = NULL;

  if (!config_text (file, "path", node, &path, error))
    return false;
  mount->path = path ? g_strdup (path) : g_strconcat ("/", mount->camera->name, NULL);
  if (is_path (mount->path))
    return true;
  g_autofree char *found = config_quote (mount->path);
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s:%u: path is %s; expected one such as /street, of A-Z a-z 0-9 _ - . /", file,
               node->line, found);
  return false;
}

static bool
read_mount (const char *file, MountConfig *mount, GError **error)
{
  static const char *const sharings[] = {"shared", "per-client", NULL};
  const CameraConfig *camera = mount->camera;
  guint sharing = 0;
  gint64 bitrate = DEFAULT_BITRATE;

  if (!read_path (file, mount, error) ||
      !config_choice (file, "sharing", camera_config_own (camera, "sharing"), sharings, &sharing,
                      error) ||
      !config_number (file, "bitrate", camera_config_own (camera, "bitrate"), 100, 100000, &bitrate,
                      error) ||
      !config_bool (file, "metadata", camera_config_own (camera, "metadata"), &mount->has_metadata,
                    error))
    return false;
  mount->is_shared = sharing == 0;
  mount->bitrate_kbps = (uint32_t) bitrate;
  return true;
}

static bool
add_mount (ServerConfig *config, const char *file, CameraConfig *camera, GError **error)
{
  MountConfig *mount = g_new0 (MountConfig, 1);

  mount->camera = camera;
  g_ptr_array_add (config->mounts, mount);
  if (!read_mount (file, mount, error))
    return false;
  for (guint i = 0; i + 1 < config->mounts->len; i++) {
    const MountConfig *other = config->mounts->pdata[i];
    if (!g_str_equal (other->path, mount->path))
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s:%u: cameras %s and %s have the same path %s; give one another", file,
                 camera->line, other->camera->name, camera->name, mount->path);
    return false;
  }
  return true;
}

static bool
read_cameras (ServerConfig *config, const char *file, const YvYaml *root, GError **error)
{
  GPtrArray *cameras = camera_configs_new (file, root, own_keys, error);

  if (!cameras)
    return false;
  bool ok = true;
  while (ok && cameras->len > 0)
    ok = add_mount (config, file, g_ptr_array_steal_index (cameras, 0), error);
  g_ptr_array_unref (cameras);
  return ok;
}

static bool
read_address (const char *file, const char *key, const YvYaml *root, char **address, GError **error)
{
  const YvYaml *node = yv_yaml_get (root, key);
  const char *text = NULL;

  if (!config_text (file, key, node, &text, error))
    return false;
  if (text && !g_hostname_is_ip_address (text)) {
    g_autofree char *found = config_describe (node);
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "%s:%u: %s is %s; expected the address of an interface, such as 127.0.0.1, "
                 "0.0.0.0 or ::",
                 file, node->line, key, found);
    return false;
  }
  if (text) {
    g_free (*address);
    *address = g_strdup (text);
  }
  return true;
}

static bool
read_certificate (ServerConfig *config, const char *file, const YvYaml *root, GError **error)
{
  const YvYaml *node = yv_yaml_get (root, "tls-certificate");
  const char *text = NULL;

  if (!config_text (file, "tls-certificate", node, &text, error))
    return false;
  if (!text)
    return true;
  config->tls_certificate = config_path (file, text);
  if (config_check_file (config->tls_certificate, "a PEM file with a certificate and its key",
                         error))
    return true;
  g_prefix_error (error, "%s:%u: tls-certificate: ", file, node->line);
  return false;
}

static bool
read_users (ServerConfig *config, const char *file, const YvYaml *root, GError **error)
{
  static const char *const methods[] = {"digest", "basic", NULL};
  const YvYaml *node = yv_yaml_get (root, "users-file");
  const char *text = NULL;
  guint method = 0;

  if (!config_text (file, "users-file", node, &text, error) ||
      !config_choice (file, "authentication", yv_yaml_get (root, "authentication"), methods,
                      &method, error))
    return false;
  config->is_basic = method == 1;
  if (!text)
    return users_from_environment (config->users, error);
  g_autofree char *path = config_path (file, text);
  if (users_read (path, config->users, error))
    return true;
  g_prefix_error (error, "%s:%u: users-file: ", file, node->line);
  return false;
}

static bool
read_top (ServerConfig *config, const char *file, const YvYaml *root, GError **error)
{
  gint64 port = DEFAULT_PORT, metrics_port = -1, max_clients = DEFAULT_CLIENTS;
  gint64 timeout_s = DEFAULT_TIMEOUT_S;

  if (!config_check_keys (file, root, "the file", top_keys, error) ||
      !read_address (file, "address", root, &config->address, error) ||
      !read_address (file, "metrics-address", root, &config->metrics_address, error) ||
      !config_number (file, "port", yv_yaml_get (root, "port"), 0, 65535, &port, error) ||
      !config_number (file, "metrics-port", yv_yaml_get (root, "metrics-port"), 0, 65535,
                      &metrics_port, error) ||
      !config_number (file, "max-clients", yv_yaml_get (root, "max-clients"), 1, 100000,
                      &max_clients, error) ||
      !config_number (file, "client-timeout", yv_yaml_get (root, "client-timeout"), 1, 3600,
                      &timeout_s, error))
    return false;
  config->port = (guint16) port;
  config->metrics_port = (int) metrics_port;
  config->max_clients = (guint) max_clients;
  config->client_timeout_s = (guint) timeout_s;
  return read_certificate (config, file, root, error) && read_users (config, file, root, error);
}

/* Values of cameras' own keys are read before the tree goes. */
static void
forget_tree (ServerConfig *config)
{
  for (guint i = 0; i < config->mounts->len; i++) {
    CameraConfig *camera = ((MountConfig *) config->mounts->pdata[i])->camera;
    camera->node = camera->defaults = NULL;
  }
}

ServerConfig *
server_config_read (const char *path, GError **error)
{
  g_autoptr (YvYaml) root = config_read (path, error);
  g_autoptr (ServerConfig) config = g_new0 (ServerConfig, 1);

  config->metrics_address = g_strdup ("127.0.0.1");
  config->mounts = g_ptr_array_new_with_free_func (free_mount);
  config->users = users_new ();
  if (!root || !read_top (config, path, root, error) || !read_cameras (config, path, root, error))
    return NULL;
  forget_tree (config);
  return g_steal_pointer (&config);
}
