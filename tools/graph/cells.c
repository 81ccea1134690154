/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/cells.c - the cells of a row, from left to right, as texts. */
#include "tools/graph/cells.h"

#include "tools/graph/kinds.h"

const CellStyle cell_styles[N_CELLS] = {
    [CELL_ROW] = {"row", true, false},
    [CELL_MODULE] = {"module", false, true},
    [CELL_TRAINED] = {"operations", false, false},
    [CELL_SHAPE] = {"output", true, false},
    [CELL_PARAMS_TRAINED] = {"parameters", true, false},
    [CELL_FOLDED] = {"folded", false, false},
    [CELL_DEPLOYED] = {"operations", false, false},
    [CELL_PARAMS_DEPLOYED] = {"parameters", true, false},
    [CELL_GFLOP] = {"GFLOP", true, false},
    [CELL_COST] = {"", false, false},
};

char *
format_count (uint64_t count)
{
  GString *text = g_string_new (NULL);

  g_string_printf (text, "%" G_GUINT64_FORMAT, count);
  for (gssize at = (gssize) text->len - 3; at > 0; at -= 3)
    g_string_insert_c (text, at, ',');
  return g_string_free (text, FALSE);
}

char *
format_gflop (uint64_t flops)
{
  const double gflop = (double) flops / 1e9;

  return g_strdup_printf (gflop < 1 ? "%.3f" : "%.2f", gflop);
}

static char *
format_shape (const YvLayerInfo *layer)
{
  if (layer->h_out == 0)
    return g_strdup ("boxes");
  return g_strdup_printf ("%ux%ux%u", layer->c_out, layer->h_out, layer->w_out);
}

/* Lines may only be broken after a plus. */
static char *
keep_together (const char *operations)
{
  GString *text = g_string_new (operations);

  g_string_replace (text, " ", "\xc2\xa0", 0); /* no-break spaces */
  g_string_replace (text, "+\xc2\xa0", "+ ", 0);
  return g_string_free (text, FALSE);
}

char *
cell_text (const YvLayerInfo *layer, Cell cell)
{
  switch (cell) {
  case CELL_ROW:
    return g_strdup_printf ("%u", layer->row);
  case CELL_MODULE:
    return g_strdup (layer->module);
  case CELL_TRAINED:
    return keep_together (layer->trained);
  case CELL_SHAPE:
    return format_shape (layer);
  case CELL_PARAMS_TRAINED:
    return layer->n_params_trained > 0 ? format_count (layer->n_params_trained) : g_strdup ("");
  case CELL_FOLDED:
    return is_dropped (layer) ? g_strdup ("") : keep_together (layer->folded);
  case CELL_DEPLOYED:
    return is_dropped (layer) ? g_strdup ("dropped") : keep_together (layer->deployed);
  case CELL_PARAMS_DEPLOYED:
    return layer->n_params_deployed > 0 ? format_count (layer->n_params_deployed) : g_strdup ("");
  case CELL_GFLOP:
    return layer->flops > 0 ? format_gflop (layer->flops) : g_strdup ("");
  case CELL_COST:
    return g_strdup ("");
  case N_CELLS:
    break;
  }
  g_assert_not_reached ();
}
