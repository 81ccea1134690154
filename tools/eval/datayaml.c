/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/datayaml.c - libyaml's tree of a data.yaml -> paths and names.
 */
#include "tools/eval/datayaml.h"

#include <stdbool.h>
#include <string.h>

#include <yaml.h>

#include "engine/yolov7.h"

#define MAX_BYTES (1024 * 1024) /* of a file; names of ten thousand classes are less */
#define MAX_CLASSES 100000

typedef struct {
  yaml_document_t document;
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
set_error (const Reader *reader, const yaml_node_t *node, const char *message, GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%zu: %s", reader->file,
               node ? node->start_mark.line + 1 : 1, message);
}

static yaml_node_t *
node_of (Reader *reader, int index)
{
  return yaml_document_get_node (&reader->document, index);
}

/* NULL where it is no text. */
static const char *
text_of (const yaml_node_t *node)
{
  return node && node->type == YAML_SCALAR_NODE ? (const char *) node->data.scalar.value : NULL;
}

/* The value under a key of the top level. */
static yaml_node_t *
find (Reader *reader, const char *key)
{
  const yaml_node_t *root = yaml_document_get_root_node (&reader->document);

  if (!root || root->type != YAML_MAPPING_NODE)
    return NULL;
  for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
       pair < root->data.mapping.pairs.top; pair++) {
    const char *name = text_of (node_of (reader, pair->key));

    if (name && strcmp (name, key) == 0)
      return node_of (reader, pair->value);
  }
  return NULL;
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

/* ---- names ------------------------------------------------------------------------------------
 */

static bool
read_name_list (Reader *reader, const yaml_node_t *node, GPtrArray *names, GError **error)
{
  for (const yaml_node_item_t *item = node->data.sequence.items.start;
       item < node->data.sequence.items.top; item++) {
    const yaml_node_t *name = node_of (reader, *item);

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
read_name_mapping (Reader *reader, const yaml_node_t *node, GPtrArray *names, GError **error)
{
  const yaml_node_pair_t *start = node->data.mapping.pairs.start;
  const uint32_t n = (uint32_t) (node->data.mapping.pairs.top - start);

  g_ptr_array_set_size (names, (gint) n);
  for (uint32_t i = 0; i < n; i++) {
    const yaml_node_t *key = node_of (reader, start[i].key);
    const char *name = text_of (node_of (reader, start[i].value));
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
read_names (Reader *reader, DataYaml *yaml, GError **error)
{
  const yaml_node_t *node = find (reader, "names");
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  bool ok = true;

  if (node && node->type == YAML_SEQUENCE_NODE)
    ok = read_name_list (reader, node, names, error);
  else if (node && node->type == YAML_MAPPING_NODE)
    ok = read_name_mapping (reader, node, names, error);
  if (!ok)
    return false;
  yaml->n_names = names->len;
  g_ptr_array_add (names, NULL);
  yaml->names = (char **) g_ptr_array_steal (names, NULL);
  return true;
}

static bool
read_n_classes (Reader *reader, DataYaml *yaml, GError **error)
{
  const yaml_node_t *node = find (reader, "nc");

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

/* ---- places -----------------------------------------------------------------------------------
 */

/* From the file's folder and `path`, else from the current folder; the first where neither is. */
static char *
resolve (Reader *reader, const char *place)
{
  g_autofree char *folder = g_path_get_dirname (reader->file);
  const char *root = text_of (find (reader, "path"));
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
add_place (Reader *reader, const yaml_node_t *node, GPtrArray *places, GError **error)
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
add_places (Reader *reader, const yaml_node_t *node, GPtrArray *places, GError **error)
{
  if (!node || node->type != YAML_SEQUENCE_NODE)
    return add_place (reader, node, places, error);
  for (const yaml_node_item_t *item = node->data.sequence.items.start;
       item < node->data.sequence.items.top; item++)
    if (!add_place (reader, node_of (reader, *item), places, error))
      return false;
  if (places->len == 0)
    set_error (reader, node, "val: the list is empty", error);
  return places->len > 0;
}

static bool
read_places (Reader *reader, DataYaml *yaml, GError **error)
{
  g_autoptr (GPtrArray) places = g_ptr_array_new_with_free_func (g_free);

  if (!add_places (reader, find (reader, "val"), places, error))
    return false;
  yaml->n_places = places->len;
  g_ptr_array_add (places, NULL);
  yaml->places = (char **) g_ptr_array_steal (places, NULL);
  return true;
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static bool
load (Reader *reader, const char *text, gsize length, GError **error)
{
  yaml_parser_t parser;

  if (!yaml_parser_initialize (&parser))
    g_error ("out of memory");
  yaml_parser_set_input_string (&parser, (const unsigned char *) text, length);
  const bool ok = yaml_parser_load (&parser, &reader->document);
  if (!ok)
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%zu: yaml syntax error: %s", reader->file,
                 parser.problem_mark.line + 1, parser.problem ? parser.problem : "not a yaml text");
  yaml_parser_delete (&parser);
  return ok;
}

static bool
read_text (const char *file, char **text, gsize *length, GError **error)
{
  g_autoptr (GError) theirs = NULL;

  if (!g_file_get_contents (file, text, length, &theirs)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: %s", file, theirs->message);
    return false;
  }
  if (*length > MAX_BYTES) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: %" G_GSIZE_FORMAT " bytes, expected a data.yaml of at most %d", file, *length,
                 MAX_BYTES);
    return false;
  }
  return true;
}

DataYaml *
datayaml_read (const char *file, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (DataYaml) yaml = g_new0 (DataYaml, 1);
  Reader reader = {.file = file};
  gsize length;

  if (!read_text (file, &text, &length, error) || !load (&reader, text, length, error))
    return NULL;
  const bool ok = read_places (&reader, yaml, error) && read_names (&reader, yaml, error) &&
                  read_n_classes (&reader, yaml, error);
  yaml_document_delete (&reader.document);
  return ok ? g_steal_pointer (&yaml) : NULL;
}
