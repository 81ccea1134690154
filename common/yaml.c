/* SPDX-License-Identifier: LGPL-2.1-or-later
 * common/yaml.c - libyaml's events -> nodes, within limits. */
#include "common/yaml.h"

#include <yaml.h>

#include "common/excerpt.h"
#include "engine/error.h"

typedef struct {
  yaml_parser_t parser;
  const char *file; /* borrowed: the caller's */
  uint32_t n_nodes;
} Reader;

static void
free_node (gpointer node)
{
  yv_yaml_free (node);
}

static YvYaml *
new_node (YvYamlKind kind, const yaml_event_t *event)
{
  YvYaml *node = g_new0 (YvYaml, 1);

  node->kind = kind;
  node->line = (uint32_t) event->start_mark.line + 1;
  if (kind != YV_YAML_SCALAR)
    node->items = g_ptr_array_new_with_free_func (free_node);
  return node;
}

void
yv_yaml_free (YvYaml *node)
{
  if (!node)
    return;
  g_clear_pointer (&node->items, g_ptr_array_unref);
  g_free (node->text);
  g_free (node);
}

static void
set_syntax_error (const Reader *reader, GError **error)
{
  const yaml_parser_t *parser = &reader->parser;
  const size_t line = parser->problem_mark.line + 1;

  if (parser->context)
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s:%zu: yaml syntax error: %s (%s that began in line %zu)", reader->file, line,
                 parser->problem, parser->context, parser->context_mark.line + 1);
  else
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%zu: yaml syntax error: %s", reader->file,
                 line, parser->problem ? parser->problem : "not a yaml text");
}

static bool
next_event (Reader *reader, yaml_event_t *event, GError **error)
{
  if (yaml_parser_parse (&reader->parser, event))
    return true;
  set_syntax_error (reader, error);
  return false;
}

static bool
is_allowed (Reader *reader, const yaml_event_t *event, uint32_t depth, GError **error)
{
  const char *problem = NULL;

  if (event->type == YAML_ALIAS_EVENT)
    problem = "an alias (*name) is not supported here; write the value out";
  else if (depth > YV_YAML_MAX_DEPTH)
    problem = "nested more than " G_STRINGIFY (YV_YAML_MAX_DEPTH) " deep";
  else if (++reader->n_nodes > YV_YAML_MAX_NODES)
    problem = "more than " G_STRINGIFY (YV_YAML_MAX_NODES) " values, which no description has";
  if (problem)
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%zu: %s", reader->file,
                 event->start_mark.line + 1, problem);
  return problem == NULL;
}

static YvYaml *build_node (Reader *reader, const yaml_event_t *event, uint32_t depth,
                           GError **error);

/* One item of a collection into @items; *done at its end. */
static bool
read_item (Reader *reader, GPtrArray *items, uint32_t depth, bool *done, GError **error)
{
  yaml_event_t event;

  if (!next_event (reader, &event, error))
    return false;
  *done = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
  YvYaml *item = *done ? NULL : build_node (reader, &event, depth, error);
  yaml_event_delete (&event);
  if (item)
    g_ptr_array_add (items, item);
  return *done || item;
}

static YvYaml *
build_collection (Reader *reader, YvYamlKind kind, const yaml_event_t *event, uint32_t depth,
                  GError **error)
{
  g_autoptr (YvYaml) node = new_node (kind, event);

  for (bool done = false; !done;)
    if (!read_item (reader, node->items, depth + 1, &done, error))
      return NULL;
  return g_steal_pointer (&node);
}

static YvYaml *
build_scalar (const Reader *reader, const yaml_event_t *event, GError **error)
{
  const char *text = (const char *) event->data.scalar.value;
  const size_t length = event->data.scalar.length;

  if (!g_utf8_validate_len (text, length, NULL)) { /* also refuses a NUL inside */
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%zu: a text is not valid UTF-8",
                 reader->file, event->start_mark.line + 1);
    return NULL;
  }

  YvYaml *node = new_node (YV_YAML_SCALAR, event);
  node->text = g_strndup (text, length);
  node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  return node;
}

static YvYaml *
build_node (Reader *reader, const yaml_event_t *event, uint32_t depth, GError **error)
{
  if (!is_allowed (reader, event, depth, error))
    return NULL;
  if (event->type == YAML_SEQUENCE_START_EVENT)
    return build_collection (reader, YV_YAML_SEQUENCE, event, depth, error);
  if (event->type == YAML_MAPPING_START_EVENT)
    return build_collection (reader, YV_YAML_MAPPING, event, depth, error);

  g_assert (event->type == YAML_SCALAR_EVENT);
  return build_scalar (reader, event, error);
}

/* Reads events until the wanted one, or sets an error where @other comes first. */
static bool
skip_to (Reader *reader, yaml_event_type_t wanted, yaml_event_type_t other, const char *problem,
         GError **error)
{
  for (;;) {
    yaml_event_t event;
    if (!next_event (reader, &event, error))
      return false;

    const yaml_event_type_t type = event.type;
    const size_t line = event.start_mark.line + 1;
    yaml_event_delete (&event);
    if (type == wanted)
      return true;
    if (type == other) {
      g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%zu: %s", reader->file, line, problem);
      return false;
    }
  }
}

static YvYaml *
build_document (Reader *reader, GError **error)
{
  if (!skip_to (reader, YAML_DOCUMENT_START_EVENT, YAML_STREAM_END_EVENT,
                "the file is empty; expected a mapping", error))
    return NULL;

  yaml_event_t event;
  if (!next_event (reader, &event, error))
    return NULL;
  g_autoptr (YvYaml) root = build_node (reader, &event, 1, error);
  yaml_event_delete (&event);
  if (!root)
    return NULL;
  if (!skip_to (reader, YAML_STREAM_END_EVENT, YAML_DOCUMENT_START_EVENT,
                "a second yaml document; expected one", error))
    return NULL;
  return g_steal_pointer (&root);
}

YvYaml *
yv_yaml_parse (const char *text, size_t size_bytes, const char *file, GError **error)
{
  Reader reader = {.file = file};

  if (size_bytes > YV_YAML_MAX_BYTES) {
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: larger than %d bytes, which no description is", file, YV_YAML_MAX_BYTES);
    return NULL;
  }
  if (!yaml_parser_initialize (&reader.parser)) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY, "%s: no memory for a yaml parser", file);
    return NULL;
  }
  yaml_parser_set_input_string (&reader.parser, (const unsigned char *) text, size_bytes);
  YvYaml *root = build_document (&reader, error);
  yaml_parser_delete (&reader.parser);
  return root;
}

const YvYaml *
yv_yaml_get (const YvYaml *node, const char *key)
{
  if (!node || node->kind != YV_YAML_MAPPING)
    return NULL;
  for (guint i = 0; i + 1 < node->items->len; i += 2) {
    const YvYaml *candidate = g_ptr_array_index (node->items, i);
    if (candidate->kind == YV_YAML_SCALAR && g_str_equal (candidate->text, key))
      return g_ptr_array_index (node->items, i + 1);
  }
  return NULL;
}

char *
yv_yaml_describe (const YvYaml *node)
{
  if (node->kind == YV_YAML_MAPPING)
    return g_strdup ("a mapping");
  if (node->kind == YV_YAML_SEQUENCE)
    return g_strdup ("a sequence");

  g_autofree char *text = yv_excerpt (node->text);
  return g_strconcat ("\"", text, "\"", NULL);
}
