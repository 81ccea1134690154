/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/permits.c - lists of what is allowed, and a walk over a message's tree. */
#include "examples/fleet/permits.h"

#include <stdlib.h>
#include <string.h>

#include "common/excerpt.h"
#include "engine/error.h"
#include "examples/common/config.h"
#include "examples/common/source.h"

#define MALFORMED(error, ...) g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, __VA_ARGS__)

struct _FleetPermits {
  GHashTable *sources;    /* words */
  GHashTable *properties; /* "element.property" */
  GPtrArray *directories; /* of char *, resolved */
};

static const char *const source_words[] = {"rtsp", "rtsps", "rtspt", "file", "v4l2", "test", NULL};
static const char *const default_sources[] = {"rtsp", "rtsps", "rtspt"};
static const char *const elements[] = {"rtspsrc",       "v4l2src",       "yolov7",
                                       "yolov7tracker", "yolov7publish", NULL};

static const char *const default_properties[] = {
    "rtspsrc.protocols",
    "rtspsrc.latency",
    "yolov7.class-agnostic-nms",
    "yolov7.classes",
    "yolov7.confidence-threshold",
    "yolov7.inference-interval",
    "yolov7.iou-threshold",
    "yolov7.max-detections",
    "yolov7.multi-label",
    "yolov7tracker.iou-score-threshold",
    "yolov7tracker.min-frame-count-for-lost-track",
    "yolov7tracker.zones",
    "yolov7publish.source",
    "yolov7publish.tags",
    "yolov7publish.when",
};

/* Which name files that are read. */
static const char *const file_properties[] = {"yolov7.model-file", "yolov7.config-file",
                                              "yolov7.label-file", "yolov7tracker.zones"};

static void
add_words (GHashTable *table, const char *const *words, guint n_words)
{
  for (guint i = 0; i < n_words; i++)
    g_hash_table_add (table, g_strdup (words[i]));
}

/* ---- the configuration ----------------------------------------------------------------------- */

static bool
check_sequence (const char *file, const char *key, const YvYaml *node, GError **error)
{
  if (node->kind == YV_YAML_SEQUENCE)
    return true;
  g_autofree char *found = config_describe (node);
  MALFORMED (error, "%s:%u: %s is %s; expected a list, [one, another]", file, node->line, key,
             found);
  return false;
}

static bool
read_sources (FleetPermits *permits, const char *file, const YvYaml *node, GError **error)
{
  if (!node) {
    add_words (permits->sources, default_sources, G_N_ELEMENTS (default_sources));
    return true;
  }
  if (!check_sequence (file, "sources", node, error))
    return false;
  for (guint i = 0; i < node->items->len; i++) {
    guint index = 0;
    if (!config_choice (file, "a source", node->items->pdata[i], source_words, &index, error))
      return false;
    g_hash_table_add (permits->sources, g_strdup (source_words[index]));
  }
  return true;
}

static bool
read_directory (FleetPermits *permits, const char *file, const YvYaml *node, GError **error)
{
  const char *text = NULL;

  if (!config_text (file, "a directory", node, &text, error))
    return false;
  char *resolved = g_path_is_absolute (text) ? realpath (text, NULL) : NULL;
  if (!resolved || !g_file_test (resolved, G_FILE_TEST_IS_DIR)) {
    free (resolved);
    MALFORMED (error, "%s:%u: there is no directory %s; expected an absolute path of one", file,
               node->line, text);
    return false;
  }
  g_ptr_array_add (permits->directories, g_strdup (resolved));
  free (resolved);
  return true;
}

static bool
read_directories (FleetPermits *permits, const char *file, const YvYaml *node, GError **error)
{
  if (!node)
    return true;
  if (!check_sequence (file, "directories", node, error))
    return false;
  for (guint i = 0; i < node->items->len; i++)
    if (!read_directory (permits, file, node->items->pdata[i], error))
      return false;
  return true;
}

static bool
read_element (FleetPermits *permits, const char *file, const char *element, const YvYaml *node,
              GError **error)
{
  if (!check_sequence (file, element, node, error))
    return false;
  for (guint i = 0; i < node->items->len; i++) {
    const char *property = NULL;
    if (!config_text (file, element, node->items->pdata[i], &property, error))
      return false;
    g_hash_table_add (permits->properties, g_strdup_printf ("%s.%s", element, property));
  }
  return true;
}

static bool
read_properties (FleetPermits *permits, const char *file, const YvYaml *node, GError **error)
{
  add_words (permits->properties, default_properties, G_N_ELEMENTS (default_properties));
  if (!node)
    return true;
  if (!config_check_keys (file, node, "properties", elements, error))
    return false;
  for (guint i = 0; i + 1 < node->items->len; i += 2) {
    const YvYaml *key = node->items->pdata[i];
    if (!read_element (permits, file, key->text, node->items->pdata[i + 1], error))
      return false;
  }
  return true;
}

FleetPermits *
fleet_permits_new (const char *file, const YvYaml *allow, GError **error)
{
  static const char *const keys[] = {"sources", "directories", "properties", NULL};
  g_autoptr (FleetPermits) permits = g_new0 (FleetPermits, 1);

  permits->sources = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  permits->properties = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  permits->directories = g_ptr_array_new_with_free_func (g_free);
  if (allow && !config_check_keys (file, allow, "allow", keys, error))
    return NULL;
  if (!read_sources (permits, file, yv_yaml_get (allow, "sources"), error) ||
      !read_directories (permits, file, yv_yaml_get (allow, "directories"), error) ||
      !read_properties (permits, file, yv_yaml_get (allow, "properties"), error))
    return NULL;
  return g_steal_pointer (&permits);
}

void
fleet_permits_free (FleetPermits *permits)
{
  if (!permits)
    return;
  g_hash_table_unref (permits->sources);
  g_hash_table_unref (permits->properties);
  g_ptr_array_unref (permits->directories);
  g_free (permits);
}

/* ---- a message ------------------------------------------------------------------------------- */

static bool
is_below (const char *path, const char *directory)
{
  const size_t length = strlen (directory);

  return strncmp (path, directory, length) == 0 &&
         (path[length] == '/' || path[length] == 0 || strcmp (directory, "/") == 0);
}

/* Links are followed first. Whoever can write into a directory that is allowed can change that
 * afterwards, and is trusted with it. */
static bool
check_path (const FleetPermits *permits, const char *file, uint32_t line, const char *what,
            const char *path, GError **error)
{
  char *resolved = g_path_is_absolute (path) ? realpath (path, NULL) : NULL;
  bool is_allowed = false;

  for (guint i = 0; resolved && i < permits->directories->len; i++)
    is_allowed |= is_below (resolved, permits->directories->pdata[i]);
  free (resolved);
  if (is_allowed)
    return true;
  g_autofree char *excerpt = yv_excerpt (path);
  MALFORMED (error,
             "%s:%u: %s is \"%s\", which is no absolute path of a file in one of the worker's "
             "allow: directories",
             file, line, what, excerpt);
  return false;
}

/* The word of allow: sources. Free with g_free(). */
static char *
source_word (const char *source)
{
  switch (source_kind (source)) {
  case SOURCE_RTSP:
    return g_strndup (source, strcspn (source, ":"));
  case SOURCE_V4L2:
    return g_strdup ("v4l2");
  case SOURCE_TEST:
    return g_strdup ("test");
  case SOURCE_FILE:
    return g_strdup ("file");
  }
  g_assert_not_reached ();
}

/* What the camera itself makes of the text is looked at: "rtsp:/../etc" is a path. */
static bool
check_source (const FleetPermits *permits, const char *file, const YvYaml *camera, GError **error)
{
  const YvYaml *node = yv_yaml_get (camera, "source");
  const char *text = NULL;

  if (!config_text (file, "source", node, &text, error))
    return false;
  if (!text) {
    MALFORMED (error, "%s:%u: there is no source; expected rtsp://HOST/PATH", file, camera->line);
    return false;
  }
  g_autofree char *source = source_complete (text, file, error);
  if (!source) {
    g_prefix_error (error, "%s:%u: ", file, node->line);
    return false;
  }
  g_autofree char *word = source_word (source);
  if (g_hash_table_contains (permits->sources, word))
    return source_kind (source) != SOURCE_FILE ||
           check_path (permits, file, node->line, "source", source, error);
  MALFORMED (error,
             "%s:%u: source is of the kind \"%s\", which is none of the worker's allow: sources",
             file, node->line, word);
  return false;
}

static bool
names_file (const char *setting, const char *text)
{
  for (guint i = 0; i < G_N_ELEMENTS (file_properties); i++)
    if (strcmp (setting, file_properties[i]) == 0)
      return strcmp (setting, "yolov7tracker.zones") != 0 || text[strspn (text, " \t\r\n")] != '{';
  return false;
}

static bool
check_setting (const FleetPermits *permits, const char *file, const char *element,
               const YvYaml *key, const YvYaml *value, GError **error)
{
  g_autofree char *setting = g_strdup_printf ("%s.%s", element, key->text ? key->text : "?");

  if (!g_hash_table_contains (permits->properties, setting)) {
    g_autofree char *excerpt = yv_excerpt (setting);
    MALFORMED (error,
               "%s:%u: %s is none of the properties that a message may set, see allow: "
               "properties",
               file, key->line, excerpt);
    return false;
  }
  return value->kind != YV_YAML_SCALAR || !names_file (setting, value->text) ||
         check_path (permits, file, value->line, setting, value->text, error);
}

static bool
check_element (const FleetPermits *permits, const char *file, const char *element,
               const YvYaml *map, GError **error)
{
  if (map->kind != YV_YAML_MAPPING) {
    g_autofree char *found = config_describe (map);
    MALFORMED (error, "%s:%u: %s is %s; expected an object of its properties", file, map->line,
               element, found);
    return false;
  }
  for (guint i = 0; i + 1 < map->items->len; i += 2)
    if (!check_setting (permits, file, element, map->items->pdata[i], map->items->pdata[i + 1],
                        error))
      return false;
  return true;
}

bool
fleet_permits_check (const FleetPermits *permits, const char *file, const YvYaml *camera,
                     GError **error)
{
  static const char *const keys[] = {"name",   "source",        "rtspsrc",       "v4l2src",
                                     "yolov7", "yolov7tracker", "yolov7publish", NULL};

  if (!config_check_keys (file, camera, "a camera", keys, error) ||
      !check_source (permits, file, camera, error))
    return false;
  for (guint i = 0; elements[i]; i++) {
    const YvYaml *map = yv_yaml_get (camera, elements[i]);
    if (map && !check_element (permits, file, elements[i], map, error))
      return false;
  }
  return true;
}
