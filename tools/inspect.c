/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/inspect.c - `yolov7 inspect`: layers as trained and as deployed, side by side. */
#include <stdio.h>

#include <glib/gstdio.h>

#include "tools/command.h"
#include "tools/diff/diff.h"
#include "tools/graph/graph.h"
#include "tools/json.h"
#include "tools/table.h"

#define MAX_LINE_W 100

/* A row without convolutions has none of these. */
static char *
count_or_blank (uint64_t count)
{
  return count > 0 ? g_strdup_printf ("%" G_GUINT64_FORMAT, count) : g_strdup ("");
}

static char *
shape_text (const YvLayerInfo *layer)
{
  if (layer->h_out == 0)
    return g_strdup ("boxes");
  return g_strdup_printf ("%ux%ux%u", layer->c_out, layer->h_out, layer->w_out);
}

static void
print_layers (const YvModelInfo *info)
{
  static const TableColumn columns[] = {
      {"row", true, 0},          {"from", false, 16},     {"module", false, 0},
      {"as trained", false, 44}, {"parameters", true, 0}, {"as deployed", false, 36},
      {"parameters", true, 0},   {"output", true, 0},     {"MFLOP", true, 0},
  };
  g_autoptr (Table) table = table_new (columns, G_N_ELEMENTS (columns));

  for (uint32_t i = 0; i < info->n_layers; i++) {
    const YvLayerInfo *l = &info->layers[i];

    table_add (table, g_strdup_printf ("%u", l->row));
    table_add (table, g_strdup (l->from));
    table_add (table, g_strdup (l->module));
    table_add (table, g_strdup (l->trained));
    table_add (table, count_or_blank (l->n_params_trained));
    table_add (table, g_strdup (*l->deployed ? l->deployed : "(dropped)"));
    table_add (table, count_or_blank (l->n_params_deployed));
    table_add (table, shape_text (l));
    table_add (table,
               l->flops > 0 ? g_strdup_printf ("%.1f", (double) l->flops / 1e6) : g_strdup (""));
  }
  table_print (table);
}

/* "201 -> 195", or what it still is. */
static char *
change_text (uint64_t before, uint64_t after)
{
  if (before == after)
    return g_strdup_printf ("%" G_GUINT64_FORMAT, after);
  return g_strdup_printf ("%" G_GUINT64_FORMAT " -> %" G_GUINT64_FORMAT, before, after);
}

static void
print_passes (const YvModelInfo *info)
{
  static const TableColumn columns[] = {
      {"pass", false, 0},      {"changes", true, 0},       {"nodes", true, 0},
      {"parameters", true, 0}, {"what it does", false, 0},
  };
  g_autoptr (Table) table = table_new (columns, G_N_ELEMENTS (columns));

  for (uint32_t i = 0; i < info->n_passes; i++) {
    const YvPassInfo *p = &info->passes[i];

    table_add (table, g_strdup (p->name));
    table_add (table, g_strdup_printf ("%u", p->n_changes));
    table_add (table, change_text (p->n_nodes_before, p->n_nodes_after));
    table_add (table, change_text (p->n_params_before, p->n_params_after));
    table_add (table, g_strdup (p->summary));
  }
  printf ("\n");
  table_print (table);
}

/* In lines of a width that can be read. */
static void
print_classes (const YvModelInfo *info)
{
  glong line_w = printf ("\n%u class%s:", info->n_classes, info->n_classes == 1 ? "" : "es");

  for (uint32_t i = 0; i < info->n_classes; i++) {
    g_autofree char *name =
        g_strdup_printf (" %u %s%s", i, info->class_names[i], i + 1 < info->n_classes ? "," : "");
    const glong w = g_utf8_strlen (name, -1);

    if (line_w + w > MAX_LINE_W) {
      printf ("\n ");
      line_w = 1;
    }
    printf ("%s", name);
    line_w += w;
  }
  printf ("\n");
}

static void
print_anchors (const YvModelInfo *info)
{
  for (uint32_t level = 0; level < info->n_levels; level++) {
    printf ("stride %2u, anchors", info->strides[level]);
    for (uint32_t a = 0; a < info->n_anchors; a++) {
      const float *wh = &info->anchors_px[(level * info->n_anchors + a) * 2];
      printf (" %gx%g", (double) wh[0], (double) wh[1]);
    }
    printf ("\n");
  }
}

static uint32_t
count_deployed_layers (const YvModelInfo *info)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < info->n_layers; i++)
    n += *info->layers[i].deployed != '\0';
  return n;
}

static void
print_table (const YvModelInfo *info)
{
  printf ("%s (%s, %s)\n\n", info->source, info->format, info->weights_kind);
  print_layers (info);
  print_passes (info);
  print_classes (info);
  print_anchors (info);
  printf ("\nas trained:  %u layers, %" G_GUINT64_FORMAT " parameters, %.2f GFLOP at %ux%u\n"
          "as deployed: %u layers, %" G_GUINT64_FORMAT " parameters, %.2f GFLOP\n",
          info->n_layers, info->n_params_trained, (double) info->flops_trained / 1e9, info->width,
          info->height, count_deployed_layers (info), info->n_params_deployed,
          (double) info->flops / 1e9);
}

static void
add_rows (JsonBuilder *json, const char *name, const int32_t *rows, uint32_t n_rows)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < n_rows; i++)
    json_builder_add_int_value (json, rows[i]);
  json_builder_end_array (json);
}

static void
add_layers (JsonBuilder *json, const YvModelInfo *info)
{
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < info->n_layers; i++) {
    const YvLayerInfo *l = &info->layers[i];
    json_builder_begin_object (json);
    json_add_count (json, "row", l->row);
    add_rows (json, "from", l->sources_trained, l->n_sources_trained);
    add_rows (json, "from_deployed", l->sources_deployed, l->n_sources_deployed);
    json_add_text (json, "module", l->module);
    json_add_text (json, "trained", l->trained);
    json_add_text (json, "deployed", l->deployed);
    json_add_text (json, "folded", l->folded);
    json_add_count (json, "channels", l->c_out);
    json_add_count (json, "height", l->h_out);
    json_add_count (json, "width", l->w_out);
    json_add_count (json, "parameters_trained", l->n_params_trained);
    json_add_count (json, "parameters_deployed", l->n_params_deployed);
    json_add_count (json, "flops_trained", l->flops_trained);
    json_add_count (json, "flops", l->flops);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_passes (JsonBuilder *json, const YvModelInfo *info)
{
  json_builder_set_member_name (json, "passes");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < info->n_passes; i++) {
    const YvPassInfo *p = &info->passes[i];
    json_builder_begin_object (json);
    json_add_text (json, "name", p->name);
    json_add_text (json, "summary", p->summary);
    json_add_count (json, "changes", p->n_changes);
    json_add_count (json, "nodes_before", p->n_nodes_before);
    json_add_count (json, "nodes_after", p->n_nodes_after);
    json_add_count (json, "parameters_before", p->n_params_before);
    json_add_count (json, "parameters_after", p->n_params_after);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_head (JsonBuilder *json, const YvModelInfo *info)
{
  json_builder_set_member_name (json, "classes");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < info->n_classes; i++)
    json_builder_add_string_value (json, info->class_names[i]);
  json_builder_end_array (json);

  json_builder_set_member_name (json, "levels");
  json_builder_begin_array (json);
  for (uint32_t level = 0; level < info->n_levels; level++) {
    json_builder_begin_object (json);
    json_add_count (json, "stride", info->strides[level]);
    json_builder_set_member_name (json, "anchors");
    json_builder_begin_array (json);
    for (uint32_t i = 0; i < info->n_anchors * 2; i++)
      json_builder_add_double_value (json,
                                     (double) info->anchors_px[level * info->n_anchors * 2 + i]);
    json_builder_end_array (json);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
print_json (const YvModelInfo *info)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  json_add_text (json, "source", info->source);
  json_add_text (json, "format", info->format);
  json_add_text (json, "weights", info->weights_kind);
  json_add_count (json, "parameters_trained", info->n_params_trained);
  json_add_count (json, "parameters_deployed", info->n_params_deployed);
  json_add_count (json, "width", info->width);
  json_add_count (json, "height", info->height);
  json_add_number (json, "gflop_trained", (double) info->flops_trained / 1e9);
  json_add_number (json, "gflop", (double) info->flops / 1e9);
  add_head (json, info);
  add_passes (json, info);
  add_layers (json, info);
  json_builder_end_object (json);

  g_autofree char *text = json_finish (json, TRUE);
  printf ("%s\n", text);
}

typedef struct {
  char *config_file, *graph_file;
  int size;
  gboolean as_json, is_diff, tells_by_status;
} Options;

static void
clear_options (Options *options)
{
  g_free (options->config_file);
  g_free (options->graph_file);
}

static int
inspect (const char *model_file, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModelInfo) info =
      yv_model_info_new (model_file, options->config_file, (uint32_t) options->size, &error);

  if (!info)
    return fail (error);
  warn (info->warning);
  if (options->graph_file && !graph_write (info, options->graph_file, &error))
    return fail (error);
  if (options->as_json)
    print_json (info);
  else if (!options->graph_file)
    print_table (info);
  return EXIT_OK;
}

static int
compare (const char *model_a, const char *model_b, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModelDiff) diff =
      yv_model_diff_new (model_a, options->config_file, model_b, options->config_file, &error);

  if (!diff)
    return fail (error);
  warn (diff->a->warning);
  warn (diff->b->warning);
  if (options->as_json)
    diff_print_json (diff);
  else
    diff_print_text (diff);
  return options->tells_by_status && diff->deployed == YV_UNEQUAL ? EXIT_DIFFERENT : EXIT_OK;
}

static bool
is_same_file (const char *a, const char *b)
{
  GStatBuf stat_a, stat_b;

  return a && b && g_stat (a, &stat_a) == 0 && g_stat (b, &stat_b) == 0 &&
         stat_a.st_dev == stat_b.st_dev && stat_a.st_ino == stat_b.st_ino;
}

/* By whatever name. */
static bool
is_input (const char *file, const Options *options, const char *model_file)
{
  return is_same_file (file, model_file) || is_same_file (file, options->config_file);
}

static int
run (int argc, char **argv, const Options *options)
{
  if (options->is_diff && argc != 3)
    return fail_usage ("--diff: expected two models");
  if (options->is_diff && (options->graph_file || options->size != 0))
    return fail_usage ("--diff goes with --config, --json and --exit-code only");
  if (!options->is_diff && options->tells_by_status)
    return fail_usage ("--exit-code goes with --diff only");
  if (options->is_diff)
    return compare (argv[1], argv[2], options);
  if (argc > 2 || (argc == 1 && !options->config_file))
    return fail_usage ("expected one MODEL, or --config FILE");
  if (options->graph_file && !g_str_has_suffix (options->graph_file, ".svg"))
    return fail_usage ("--graph %s: expected a name that ends in .svg", options->graph_file);
  if (is_input (options->graph_file, options, argc == 2 ? argv[1] : NULL))
    return fail_usage ("--graph %s: the picture would overwrite what is read", options->graph_file);
  if (options->size < 0)
    return fail_usage ("--size is %d, expected 0 or more pixels", options->size);
  return inspect (argc == 2 ? argv[1] : NULL, options);
}

int
command_inspect (int argc, char **argv)
{
  Options options = {0};
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options.config_file,
       "model description (yaml); alone, or for a bare state dict, with --diff for both", "FILE"},
      {"size", 's', 0, G_OPTION_ARG_INT, &options.size,
       "network input for shapes and GFLOP [model's]", "PX"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &options.as_json, "everything as JSON", NULL},
      {"graph", 'g', 0, G_OPTION_ARG_FILENAME, &options.graph_file,
       "instead of the table: a picture of all rows and what reads what (SVG)", "FILE.svg"},
      {"diff", 0, 0, G_OPTION_ARG_NONE, &options.is_diff,
       "what differs between two models: settings, layers, weights", NULL},
      {"exit-code", 0, 0, G_OPTION_ARG_NONE, &options.tells_by_status,
       "with --diff: exit with 3 where they differ as deployed [0]", NULL},
      G_OPTION_ENTRY_NULL,
  };

  int status = EXIT_USAGE;
  if (command_parse (
          &argc, &argv, "MODEL | --config FILE | --diff MODEL MODEL",
          "Shows what is in a checkpoint or a model description: every layer as trained "
          "and as deployed,\nparameters, GFLOP, classes, anchors, and what each pass "
          "changed. With --diff, two models\ncompared: as deployed, so that a training file "
          "and its deployed form are equal but for\nrounding, and as stored. Needs no device.",
          entries, NULL))
    status = run (argc, argv, &options);
  clear_options (&options);
  return status;
}
