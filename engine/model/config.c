/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/config.c - checks and reads the keys and rows of a model description. */
#include "engine/model/config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "common/file.h"
#include "engine/error.h"
#include "engine/model/limits.h"

#define MAX_FROM 64
#define MAX_ARGS 16
#define MAX_INPUT_CHANNELS 1024

static void
free_row (gpointer row_pointer)
{
  YvConfigRow *row = row_pointer;

  g_free (row->from);
  g_free (row);
}

void
yv_config_free (YvConfig *config)
{
  if (!config)
    return;
  g_ptr_array_unref (config->rows);
  yv_arg_free (config->anchors);
  yv_yaml_free (config->document);
  g_free (config->file);
  g_free (config);
}

static bool
fail (const YvConfig *config, const YvYaml *node, const char *what, const char *expected,
      GError **error)
{
  g_autofree char *found = yv_yaml_describe (node);

  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED, "%s:%u: %s: found %s, expected %s",
               config->file, node->line, what, found, expected);
  return false;
}

static const YvYaml *
require_key (const YvConfig *config, const char *key, GError **error)
{
  const YvYaml *node = yv_yaml_get (config->document, key);

  if (!node)
    g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
                 "%s: no key `%s`; a model description has nc, depth_multiple, width_multiple, "
                 "anchors, backbone and head",
                 config->file, key);
  return node;
}

static bool
read_whole (const YvConfig *config, const YvYaml *node, const char *what, uint32_t highest,
            uint32_t *value, GError **error)
{
  g_autoptr (YvArg) arg = yv_arg_new (node, NULL);

  if (!yv_arg_is_whole (arg, 1, highest)) {
    g_autofree char *expected = g_strdup_printf ("a whole number from 1 to %u", highest);
    return fail (config, node, what, expected, error);
  }
  *value = (uint32_t) arg->number;
  return true;
}

static bool
read_multiple (const YvConfig *config, const char *key, double *value, GError **error)
{
  const YvYaml *node = require_key (config, key, error);
  if (!node)
    return false;

  g_autoptr (YvArg) arg = yv_arg_new (node, NULL);
  if (arg->kind != YV_ARG_NUMBER || arg->number <= 0 || arg->number > 100)
    return fail (config, node, key, "a number above 0 and up to 100", error);
  *value = arg->number;
  return true;
}

static bool
read_anchors (YvConfig *config, GError **error)
{
  const YvYaml *node = require_key (config, "anchors", error);
  if (!node)
    return false;

  config->anchors = yv_arg_new (node, NULL);
  if (!yv_arg_is_anchors (config->anchors, &config->n_anchors))
    return fail (config, node, "anchors",
                 "a list of w,h pairs for each of 1 to " G_STRINGIFY (
                     YV_MAX_LEVELS) " levels, all of the same length, or the number of anchors",
                 error);
  return true;
}

static bool
read_from (const YvConfig *config, YvConfigRow *row, const YvYaml *node, const char *where,
           GError **error)
{
  g_autoptr (YvArg) arg = yv_arg_new (node, NULL);
  const bool is_list = arg->kind == YV_ARG_LIST;

  row->n_from = is_list ? arg->items->len : 1;
  if (row->n_from == 0 || row->n_from > MAX_FROM)
    return fail (config, node, where, "from to be a row or a list of 1 to 64 rows", error);
  row->from = g_new (int32_t, row->n_from);
  for (uint32_t i = 0; i < row->n_from; i++) {
    const YvArg *item = is_list ? g_ptr_array_index (arg->items, i) : arg;
    if (!yv_arg_is_whole (item, -YV_CONFIG_MAX_ROWS, YV_CONFIG_MAX_ROWS))
      return fail (config, is_list ? g_ptr_array_index (node->items, i) : node, where,
                   "from to be a row number, or a negative count of rows back", error);
    row->from[i] = (int32_t) item->number;
  }
  return true;
}

static bool
read_row (YvConfig *config, const char *section, const YvYaml *node, GError **error)
{
  g_autofree char *where = g_strdup_printf ("row %u (%s)", config->rows->len, section);
  if (node->kind != YV_YAML_SEQUENCE || node->items->len != 4)
    return fail (config, node, where, "a row [from, number, module, args]", error);

  YvConfigRow *row = g_new0 (YvConfigRow, 1);
  g_ptr_array_add (config->rows, row);
  row->line = node->line;
  row->section = section;
  const YvYaml *number = g_ptr_array_index (node->items, 1);
  const YvYaml *module = g_ptr_array_index (node->items, 2);
  row->args = g_ptr_array_index (node->items, 3);
  if (!read_from (config, row, g_ptr_array_index (node->items, 0), where, error))
    return false;
  if (module->kind != YV_YAML_SCALAR)
    return fail (config, module, where, "the name of a module", error);
  row->module = module->text;
  if (row->args->kind != YV_YAML_SEQUENCE || row->args->items->len > MAX_ARGS)
    return fail (config, row->args, where, "a list of up to " G_STRINGIFY (MAX_ARGS) " arguments",
                 error);

  g_autofree char *number_where = g_strdup_printf ("%s: number", where);
  return read_whole (config, number, number_where, 1000, &row->number, error);
}

static bool
read_section (YvConfig *config, const char *section, GError **error)
{
  const YvYaml *node = require_key (config, section, error);
  if (!node)
    return false;

  if (node->kind != YV_YAML_SEQUENCE || node->items->len == 0)
    return fail (config, node, section, "a list of rows [from, number, module, args]", error);
  for (guint i = 0; i < node->items->len; i++) {
    const YvYaml *row = g_ptr_array_index (node->items, i);
    if (config->rows->len >= YV_CONFIG_MAX_ROWS)
      return fail (config, row, section, "at most " G_STRINGIFY (YV_CONFIG_MAX_ROWS) " rows",
                   error);
    if (!read_row (config, section, row, error))
      return false;
  }
  return true;
}

static bool
read_document (YvConfig *config, GError **error)
{
  const YvYaml *root = config->document;

  if (root->kind != YV_YAML_MAPPING)
    return fail (config, root, "document", "a mapping with the keys nc, anchors, backbone, head",
                 error);

  const YvYaml *nc = require_key (config, "nc", error);
  if (!nc || !read_whole (config, nc, "nc", YV_MAX_CLASSES, &config->n_classes, error))
    return false;
  const YvYaml *ch = yv_yaml_get (root, "ch");
  config->n_input_channels = 3;
  if (ch && !read_whole (config, ch, "ch", MAX_INPUT_CHANNELS, &config->n_input_channels, error))
    return false;
  return read_multiple (config, "depth_multiple", &config->depth_multiple, error) &&
         read_multiple (config, "width_multiple", &config->width_multiple, error) &&
         read_anchors (config, error) && read_section (config, "backbone", error) &&
         read_section (config, "head", error);
}

YvConfig *
yv_config_parse (const char *text, size_t size_bytes, const char *file, GError **error)
{
  g_autoptr (YvConfig) config = g_new0 (YvConfig, 1);

  config->file = g_strdup (file);
  config->rows = g_ptr_array_new_with_free_func (free_row);
  config->document = yv_yaml_parse (text, size_bytes, file, error);
  if (!config->document || !read_document (config, error))
    return NULL;
  return g_steal_pointer (&config);
}

/* Not g_file_get_contents(), which would read a huge file to its end first. */
static char *
read_file (const char *file, size_t *size_bytes, GError **error)
{
  if (!yv_check_is_file (file, "a model description (cfg/.../*.yaml)", error))
    return NULL;

  FILE *stream = fopen (file, "rb");
  if (!stream) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be opened: %s", file, g_strerror (errno));
    return NULL;
  }

  g_autofree char *text = g_malloc (YV_YAML_MAX_BYTES + 1);
  *size_bytes = fread (text, 1, YV_YAML_MAX_BYTES + 1, stream);
  const bool failed = ferror (stream) != 0;
  fclose (stream);
  if (failed) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't be read", file);
    return NULL;
  }
  return g_steal_pointer (&text);
}

YvConfig *
yv_config_read (const char *file, GError **error)
{
  size_t size_bytes = 0;
  g_autofree char *text = read_file (file, &size_bytes, error);

  return text ? yv_config_parse (text, size_bytes, file, error) : NULL;
}
