/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/datayaml.c - the tree of a data.yaml -> paths and names.
 */
#include "tools/eval/datayaml.h"

#include <stdbool.h>
#include <string.h>

#include "common/file.h"
#include "common/yaml.h"
#include "engine/yolov7.h"

#define MAX_CLASSES 100000

typedef struct {
  const YvYaml *root;
  const char *file; /* borrowed */
} Reader;

void
datayaml_free (DataYaml *yaml)
{
  if (!yaml)
    return;
  g_strfreev (yaml->places);
  g_strfreev (yaml->names);
  g_free (yaml);
}

static void
set_error (const Reader *reader, const YvYaml *node, const char *message, GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: %s", reader->file,
               node ? node->line : 1, message);
}

/* NULL where it is no text. */
static const char *
text_of (const YvYaml *node)
{
  return node && node->kind == YV_YAML_SCALAR ? node->text : NULL;
}

static const YvYaml *
item_of (const YvYaml *node, uint32_t index)
{
  return g_ptr_array_index (node->items, index);
}

static bool
parse_count (const char *text, uint32_t limit, uint32_t *out)
{
  guint64 value;

  if (!text || !g_ascii_string_to_unsigned (text, 10, 0, limit, &value, NULL))
    return false;
  *out = (uint32_t) value;
  return true;
}

/* ---- names ---------------------------------------------------------------------------------- */

static bool
read_name_list (const Reader *reader, const YvYaml *node, GPtrArray *names, GError **error)
{
  for (uint32_t i = 0; i < node->items->len; i++) {
    const YvYaml *name = item_of (node, i);

    if (!text_of (name)) {
      set_error (reader, name, "a class name is no text", error);
      return false;
    }
    g_ptr_array_add (names, g_strdup (text_of (name)));
  }
  return true;
}

/* {0: person, 1: bicycle}: numbers without gaps, in any order. */
static bool
read_name_mapping (const Reader *reader, const YvYaml *node, GPtrArray *names, GError **error)
{
  const uint32_t n = node->items->len / 2;

  g_ptr_array_set_size (names, (gint) n);
  for (uint32_t i = 0; i < n; i++) {
    const YvYaml *key = item_of (node, 2 * i);
    const char *name = text_of (item_of (node, 2 * i + 1));
    uint32_t index;

    if (!name || !parse_count (text_of (key), n - 1, &index) || g_ptr_array_index (names, index)) {
      set_error (reader, key, "names: expected each number from 0 on once, and a text for it",
                 error);
      return false;
    }
    g_ptr_array_index (names, index) = g_strdup (name);
  }
  return true;
}

static bool
read_names (const Reader *reader, DataYaml *yaml, GError **error)
{
  const YvYaml *node = yv_yaml_get (reader->root, "names");
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  bool ok = true;

  if (node && node->kind == YV_YAML_SEQUENCE)
    ok = read_name_list (reader, node, names, error);
  else if (node && node->kind == YV_YAML_MAPPING)
    ok = read_name_mapping (reader, node, names, error);
  if (!ok)
    return false;
  yaml->n_names = names->len;
  g_ptr_array_add (names, NULL);
  yaml->names = (char **) g_ptr_array_steal (names, NULL);
  return true;
}

static bool
read_n_classes (const Reader *reader, DataYaml *yaml, GError **error)
{
  const YvYaml *node = yv_yaml_get (reader->root, "nc");

  yaml->n_classes = yaml->n_names;
  if (node && (!parse_count (text_of (node), MAX_CLASSES, &yaml->n_classes))) {
    set_error (reader, node, "nc: expected a number of classes", error);
    return false;
  }
  if (yaml->n_classes == 0 || (yaml->n_names > 0 && yaml->n_names != yaml->n_classes)) {
    g_autofree char *message =
        g_strdup_printf ("nc is %u, but there are %u names", yaml->n_classes, yaml->n_names);
    set_error (reader, node, message, error);
    return false;
  }
  return true;
}

/* ---- places --------------------------------------------------------------------------------- */

/* From the file's folder and `path`, else from the current folder; the first where neither is. */
static char *
resolve (const Reader *reader, const char *place)
{
  g_autofree char *folder = g_path_get_dirname (reader->file);
  const char *root = text_of (yv_yaml_get (reader->root, "path"));
  g_autofree char *base = !root                       ? g_strdup (folder)
                          : g_path_is_absolute (root) ? g_strdup (root)
                                                      : g_build_filename (folder, root, NULL);
  char *from_base =
      g_path_is_absolute (place) ? g_strdup (place) : g_build_filename (base, place, NULL);

  if (g_file_test (from_base, G_FILE_TEST_EXISTS) || !g_file_test (place, G_FILE_TEST_EXISTS))
    return from_base;
  g_free (from_base);
  return g_strdup (place);
}

static bool
add_place (const Reader *reader, const YvYaml *node, GPtrArray *places, GError **error)
{
  const char *text = text_of (node);

  if (!text || !*text) {
    set_error (reader, node, "val: expected a folder, or a text file that lists pictures", error);
    return false;
  }
  g_ptr_array_add (places, resolve (reader, text));
  return true;
}

static bool
add_places (const Reader *reader, const YvYaml *node, GPtrArray *places, GError **error)
{
  if (!node || node->kind != YV_YAML_SEQUENCE)
    return add_place (reader, node, places, error);
  for (uint32_t i = 0; i < node->items->len; i++)
    if (!add_place (reader, item_of (node, i), places, error))
      return false;
  if (places->len == 0)
    set_error (reader, node, "val: the list is empty", error);
  return places->len > 0;
}

static bool
read_places (const Reader *reader, DataYaml *yaml, GError **error)
{
  g_autoptr (GPtrArray) places = g_ptr_array_new_with_free_func (g_free);

  if (!add_places (reader, yv_yaml_get (reader->root, "val"), places, error))
    return false;
  yaml->n_places = places->len;
  g_ptr_array_add (places, NULL);
  yaml->places = (char **) g_ptr_array_steal (places, NULL);
  return true;
}

/* ---- the file ------------------------------------------------------------------------------- */

DataYaml *
datayaml_read (const char *file, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) theirs = NULL;
  gsize length;

  if (!yv_check_is_file (file, "a data.yaml, or COCO's instances_*.json", error))
    return NULL;
  if (!g_file_get_contents (file, &text, &length, &theirs)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s", file, theirs->message);
    return NULL;
  }
  g_autoptr (YvYaml) root = yv_yaml_parse (text, length, file, error);
  g_autoptr (DataYaml) yaml = g_new0 (DataYaml, 1);
  const Reader reader = {.root = root, .file = file};

  if (!root || !read_places (&reader, yaml, error) || !read_names (&reader, yaml, error) ||
      !read_n_classes (&reader, yaml, error))
    return NULL;
  return g_steal_pointer (&yaml);
}
