/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/config.c - every complaint has the same form: where, what was found, what is
 * expected. */
#include "examples/common/config.h"

#include <string.h>

#include "common/excerpt.h"
#include "common/file.h"
#include "engine/error.h"

YvYaml *
config_parse (const char *text, size_t size_bytes, const char *file, GError **error)
{
  g_autoptr (YvYaml) root = yv_yaml_parse (text, size_bytes, file, error);

  if (!root)
    return NULL;
  if (root->kind == YV_YAML_MAPPING)
    return g_steal_pointer (&root);
  g_autofree char *found = config_describe (root);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: is %s; expected a mapping, key: value",
               file, root->line, found);
  return NULL;
}

YvYaml *
config_read (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) problem = NULL;
  gsize size_bytes;

  if (!yv_check_is_file (path, "a YAML file", error))
    return NULL;
  if (g_file_get_contents (path, &text, &size_bytes, &problem))
    return config_parse (text, size_bytes, path, error);
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be read: %s", path, problem->message);
  return NULL;
}

bool
config_may_be_secret (const char *text)
{
  return strchr (text, '@') || strstr (text, ":/");
}

static const char hidden[] = "a text like a URI, which is not shown";

char *
config_describe (const YvYaml *node)
{
  if (node->kind == YV_YAML_SCALAR && config_may_be_secret (node->text))
    return g_strdup (hidden);
  return yv_yaml_describe (node);
}

char *
config_quote (const char *text)
{
  if (config_may_be_secret (text))
    return g_strdup (hidden);
  g_autofree char *excerpt = yv_excerpt (text);
  return g_strconcat ("\"", excerpt, "\"", NULL);
}

bool
config_check_file (const char *path, const char *expected, GError **error)
{
  if (!config_may_be_secret (path))
    return yv_check_is_file (path, expected, error);
  if (yv_check_is_file (path, expected, NULL))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s, is no file; expected %s", hidden, expected);
  return false;
}

static bool
is_among (const char *text, const char *const *known)
{
  for (guint i = 0; known[i]; i++)
    if (g_str_equal (text, known[i]))
      return true;
  return false;
}

/* The key at @index, which may not have come before. */
static bool
check_key (const char *file, const YvYaml *map, guint index, const char *what,
           const char *const *known, GError **error)
{
  const YvYaml *key = g_ptr_array_index (map->items, index);
  g_autofree char *found = config_describe (key);

  if (key->kind != YV_YAML_SCALAR || !is_among (key->text, known)) {
    g_autofree char *expected = g_strjoinv (", ", (char **) known);
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: %s has no key %s; expected %s", file,
                 key->line, what, found, expected);
    return false;
  }
  for (guint i = 0; i < index; i += 2) {
    const YvYaml *before = g_ptr_array_index (map->items, i);
    if (!g_str_equal (before->text, key->text))
      continue;
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s:%u: %s has the key %s twice, first in line %u; remove one", file, key->line,
                 what, found, before->line);
    return false;
  }
  return true;
}

bool
config_check_keys (const char *file, const YvYaml *map, const char *what, const char *const *known,
                   GError **error)
{
  if (map->kind != YV_YAML_MAPPING) {
    g_autofree char *found = config_describe (map);
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: %s is %s; expected a mapping", file,
                 map->line, what, found);
    return false;
  }
  for (guint i = 0; i + 1 < map->items->len; i += 2)
    if (!check_key (file, map, i, what, known, error))
      return false;
  return true;
}

static bool
refuse (const char *file, const char *key, const YvYaml *node, const char *expected, GError **error)
{
  g_autofree char *found = config_describe (node);

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: %s is %s; expected %s", file,
               node->line, key, found, expected);
  return false;
}

bool
config_text (const char *file, const char *key, const YvYaml *node, const char **value,
             GError **error)
{
  if (!node)
    return true;
  if (node->kind != YV_YAML_SCALAR || !*node->text)
    return refuse (file, key, node, "a text", error);
  *value = node->text;
  return true;
}

bool
config_number (const char *file, const char *key, const YvYaml *node, gint64 min, gint64 max,
               gint64 *value, GError **error)
{
  if (!node)
    return true;
  if (node->kind == YV_YAML_SCALAR &&
      g_ascii_string_to_signed (node->text, 10, min, max, value, NULL))
    return true;
  g_autofree char *expected =
      g_strdup_printf ("a whole number of %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min, max);
  return refuse (file, key, node, expected, error);
}

bool
config_bool (const char *file, const char *key, const YvYaml *node, bool *value, GError **error)
{
  static const char *const choices[] = {"false", "true", NULL};
  guint index = *value ? 1 : 0;

  if (!config_choice (file, key, node, choices, &index, error))
    return false;
  *value = index == 1;
  return true;
}

bool
config_choice (const char *file, const char *key, const YvYaml *node, const char *const *choices,
               guint *value, GError **error)
{
  if (!node)
    return true;
  for (guint i = 0; node->kind == YV_YAML_SCALAR && choices[i]; i++) {
    if (g_str_equal (node->text, choices[i])) {
      *value = i;
      return true;
    }
  }
  g_autofree char *expected = g_strjoinv (" or ", (char **) choices);
  return refuse (file, key, node, expected, error);
}

char *
config_path (const char *file, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (file);

  if (g_path_is_absolute (path))
    return g_strdup (path);
  g_autofree char *joined = g_build_filename (folder, path, NULL);
  return g_canonicalize_filename (joined, NULL);
}
