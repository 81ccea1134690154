/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/inspect.c - `yolov7 inspect`: layers as trained and as deployed, side by side. */
#include <stdio.h>

#include "tools/command.h"
#include "tools/diff.h"
#include "tools/graph.h"
#include "tools/json.h"

static void
print_layers (const YvModelInfo *info)
{
  printf ("%4s %-14s %-12s %-44s %-28s %15s %12s %12s %9s\n", "row", "from", "module", "trained",
          "deployed", "output", "parameters", "deployed", "MFLOP");
  for (uint32_t i = 0; i < info->n_layers; i++) {
    const YvLayerInfo *l = &info->layers[i];
    g_autofree char *shape = g_strdup_printf ("%ux%ux%u", l->c_out, l->h_out, l->w_out);
    printf ("%4u %-14s %-12s %-44s %-28s %15s %12" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT
            " %9.1f\n",
            l->row, l->from, l->module, l->trained, l->deployed, shape, l->n_params_trained,
            l->n_params_deployed, (double) l->flops / 1e6);
  }
}

static void
print_passes (const YvModelInfo *info)
{
  printf ("\n%-16s %8s %15s %25s  %s\n", "pass", "changes", "nodes", "parameters", "");
  for (uint32_t i = 0; i < info->n_passes; i++) {
    const YvPassInfo *p = &info->passes[i];
    printf ("%-16s %8u %6u -> %5u %10" G_GUINT64_FORMAT " -> %11" G_GUINT64_FORMAT "  %s\n",
            p->name, p->n_changes, p->n_nodes_before, p->n_nodes_after, p->n_params_before,
            p->n_params_after, p->summary);
  }
}

static void
print_head (const YvModelInfo *info)
{
  printf ("\n%u classes:", info->n_classes);
  for (uint32_t i = 0; i < info->n_classes; i++)
    printf (" %u %s%s", i, info->class_names[i], i + 1 < info->n_classes ? "," : "\n");
  for (uint32_t level = 0; level < info->n_levels; level++) {
    printf ("stride %2u, anchors", info->strides[level]);
    for (uint32_t a = 0; a < info->n_anchors; a++) {
      const float *wh = &info->anchors_px[(level * info->n_anchors + a) * 2];
      printf (" %gx%g", (double) wh[0], (double) wh[1]);
    }
    printf ("\n");
  }
}

static void
print_table (const YvModelInfo *info)
{
  printf ("%s (%s, %s)\n\n", info->source, info->format, info->weights_kind);
  print_layers (info);
  print_passes (info);
  print_head (info);
  printf ("\nparameters: %" G_GUINT64_FORMAT " as trained, %" G_GUINT64_FORMAT " as deployed; "
          "%.2f GFLOP at %ux%u\n",
          info->n_params_trained, info->n_params_deployed, (double) info->flops / 1e9, info->width,
          info->height);
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
    json_add_text (json, "from", l->from);
    json_add_text (json, "module", l->module);
    json_add_text (json, "trained", l->trained);
    json_add_text (json, "deployed", l->deployed);
    json_add_count (json, "channels", l->c_out);
    json_add_count (json, "height", l->h_out);
    json_add_count (json, "width", l->w_out);
    json_add_count (json, "parameters_trained", l->n_params_trained);
    json_add_count (json, "parameters_deployed", l->n_params_deployed);
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
  g_autoptr (YvModelDiff) diff = yv_model_diff_new (model_a, model_b, options->config_file, &error);

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
       "model description (yaml); alone, or for a bare state dict", "FILE"},
      {"size", 's', 0, G_OPTION_ARG_INT, &options.size,
       "network input for shapes and GFLOP [model's]", "PX"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &options.as_json, "everything as JSON", NULL},
      {"graph", 'g', 0, G_OPTION_ARG_FILENAME, &options.graph_file,
       "instead of the table: a picture of all rows and what reads what (SVG)", "FILE"},
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
          "changed. With --diff, two\nmodels compared: as deployed, so that a training file "
          "and its deploy file are equal but for\nrounding, and as stored. Needs no "
          "device.",
          entries, NULL))
    status = run (argc, argv, &options);
  clear_options (&options);
  return status;
}
