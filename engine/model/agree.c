/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/model/agree.c - compares row by row what the head depends on. */
#include "engine/model/agree.h"

#include <string.h>

#include "engine/error.h"

static const YvLayer *
row_at (const GPtrArray *layers, guint row)
{
  return g_ptr_array_index (layers, row);
}

static uint32_t
n_lead_sources (const YvLayer *head)
{
  return (uint32_t) MIN (yv_module_number (head->module, "nl", 0, 0), (double) head->n_from);
}

/* Rows that the first levels of the head depend on, itself left out. */
static GHashTable *
find_needed (const GPtrArray *layers)
{
  GHashTable *needed = g_hash_table_new (NULL, NULL);
  const YvLayer *head = row_at (layers, layers->len - 1);

  for (uint32_t i = 0; i < n_lead_sources (head); i++)
    g_hash_table_add (needed, GINT_TO_POINTER (head->from[i]));
  for (guint row = layers->len - 1; row-- > 0;) {
    const YvLayer *layer = row_at (layers, row);
    if (!g_hash_table_contains (needed, GINT_TO_POINTER ((int) row)))
      continue;
    for (uint32_t i = 0; i < layer->n_from; i++)
      g_hash_table_add (needed, GINT_TO_POINTER (layer->from[i]));
  }
  return needed;
}

static const YvModule *
first_conv (const YvModule *module)
{
  if (yv_module_is (module, "Conv2d"))
    return module;
  for (guint i = 0; i < module->children->len; i++) {
    const YvModule *found = first_conv (g_ptr_array_index (module->children, i));
    if (found)
      return found;
  }
  return NULL;
}

/* "Conv from [3,5], 64 -> 128 channels, 3x3, stride 2" */
static char *
describe (const YvLayer *layer, uint32_t n_from)
{
  GString *text = g_string_new (layer->module->class_name);
  const YvModule *conv = first_conv (layer->module);

  g_string_append (text, " from [");
  for (uint32_t i = 0; i < n_from; i++)
    g_string_append_printf (text, i ? ",%d" : "%d", layer->from[i]);
  g_string_append_c (text, ']');
  if (conv)
    g_string_append_printf (
        text, ", %g -> %g channels, %gx%g, stride %g", yv_module_number (conv, "in_channels", 0, 0),
        yv_module_number (conv, "out_channels", 0, 0), yv_module_number (conv, "kernel_size", 0, 0),
        yv_module_number (conv, "kernel_size", 1, 0), yv_module_number (conv, "stride", 0, 0));
  return g_string_free (text, FALSE);
}

static bool
fail (uint32_t row, const char *found, const char *described, const char *config_file,
      GError **error)
{
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "row %u is %s, but %s says %s; a file of whole modules needs no description, leave "
               "it out",
               row, found, config_file, described);
  return false;
}

static bool
rows_agree (const YvLayer *found, const YvLayer *described, const char *config_file, GError **error)
{
  g_autofree char *a = describe (found, found->n_from);
  g_autofree char *b = describe (described, described->n_from);

  return g_str_equal (a, b) || fail (found->row, a, b, config_file, error);
}

/* The class of a head may differ; its first sources and their number may not. */
static bool
heads_agree (const YvLayer *found, const YvLayer *described, const char *config_file,
             GError **error)
{
  const uint32_t n_from = n_lead_sources (found);
  g_autofree char *a = describe (found, n_from);
  g_autofree char *b = describe (described, n_lead_sources (described));

  return (n_from == n_lead_sources (described) &&
          memcmp (found->from, described->from, n_from * sizeof *found->from) == 0) ||
         fail (found->row, a, b, config_file, error);
}

bool
yv_layers_agree (const GPtrArray *in_file, const GPtrArray *described, const char *config_file,
                 GError **error)
{
  g_autoptr (GHashTable) needed = find_needed (in_file);

  if (!heads_agree (row_at (in_file, in_file->len - 1), row_at (described, described->len - 1),
                    config_file, error))
    return false;
  for (guint row = 0; row + 1 < in_file->len; row++) {
    if (!g_hash_table_contains (needed, GINT_TO_POINTER ((int) row)))
      continue;
    if (row + 1 >= described->len)
      return fail (row, row_at (in_file, row)->module->class_name, "there is no such row",
                   config_file, error);
    if (!rows_agree (row_at (in_file, row), row_at (described, row), config_file, error))
      return false;
  }
  return true;
}
