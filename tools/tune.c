/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/tune.c - `yolov7 tune`: which way to compute each convolution is the fastest here? */
#include <math.h>
#include <stdio.h>

#include "engine/yolov7-tools.h"
#include "tools/command.h"
#include "tools/json.h"

/* What the layers are told to. */
typedef struct {
  JsonBuilder *json; /* NULL: as text */
} Report;

/* ---- a layer --------------------------------------------------------------------------------- */

static double
gflops (const YvTuneLayer *layer, const YvTuneWay *way)
{
  return way->ns > 0 ? (double) layer->flops / (double) way->ns : 0;
}

static const char *
remark_of (const YvTuneLayer *layer, uint32_t i)
{
  if (layer->ways[i].is_wrong)
    return "WRONG";
  if (i == layer->chosen)
    return i == layer->usual ? "taken, as usual" : "taken";
  return i == layer->usual ? "usual" : "";
}

static void
print_layer (const YvTuneLayer *layer)
{
  g_autofree char *count =
      layer->n_steps > 1 ? g_strdup_printf (" (and %u more)", layer->n_steps - 1) : g_strdup ("");

  printf ("%s%s: %s\n", layer->step, count, layer->what);
  if (layer->n_ways == 0)
    printf ("  not measured: no time was left, or it failed\n");
  for (uint32_t i = 0; i < layer->n_ways; i++) {
    const YvTuneWay *way = &layer->ways[i];

    printf ("  %-24s %10.1f us %9.1f GFLOP/s  %s\n", way->way, (double) way->ns / 1e3,
            gflops (layer, way), remark_of (layer, i));
  }
  fflush (stdout); /* the next one may take long, or hang */
}

static void
add_way (JsonBuilder *json, const YvTuneLayer *layer, const YvTuneWay *way)
{
  json_builder_begin_object (json);
  json_add_text (json, "way", way->way);
  json_add_number (json, "us", (double) way->ns / 1e3);
  json_add_number (json, "gflops", gflops (layer, way));
  json_add_flag (json, "wrong", way->is_wrong);
  json_add_number (json, "share_of_bound", way->worst_share);
  json_builder_end_object (json);
}

/* A way's name, or null. */
static void
add_name (JsonBuilder *json, const char *name, const YvTuneLayer *layer, uint32_t i)
{
  json_builder_set_member_name (json, name);
  if (i < layer->n_ways)
    json_builder_add_string_value (json, layer->ways[i].way);
  else
    json_builder_add_null_value (json);
}

static void
add_layer (JsonBuilder *json, const YvTuneLayer *layer)
{
  json_builder_begin_object (json);
  json_add_text (json, "step", layer->step);
  json_add_text (json, "what", layer->what);
  json_add_count (json, "steps", layer->n_steps);
  json_add_count (json, "flops", layer->flops);
  add_name (json, "taken", layer, layer->chosen);
  add_name (json, "usual", layer, layer->usual);
  json_builder_set_member_name (json, "ways");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < layer->n_ways; i++)
    add_way (json, layer, &layer->ways[i]);
  json_builder_end_array (json);
  json_builder_end_object (json);
}

/* What cannot be written is no reason to measure more of it. */
static bool
report_layer (const YvTuneLayer *layer, void *data)
{
  const Report *report = data;

  if (report->json)
    add_layer (report->json, layer);
  else
    print_layer (layer);
  return !ferror (stdout);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static const char *
precision_name (const YvEngineInfo *info)
{
  return info->precision == YV_PRECISION_FP16 ? "fp16" : "fp32";
}

static void
print_end (const YvTuneResult *result)
{
  printf ("%u of %u distinct convolutions tuned at %ux%u px, batch %u: together %.3f ms instead of "
          "%.3f ms\n",
          result->n_tuned, result->n_layers, result->width, result->height, result->batch,
          (double) result->chosen_ns / 1e6, (double) result->usual_ns / 1e6);
  if (result->n_wrong > 0)
    printf ("%u ways compute something wrong here, and are never taken; a newer driver may help\n",
            result->n_wrong);
  if (!result->is_kept)
    printf ("The result could not be kept, so nothing changes: see XDG_CACHE_HOME and YV_CACHE.\n");
}

static void
add_end (JsonBuilder *json, const YvEngineInfo *info, const YvTuneResult *result)
{
  json_builder_end_array (json);
  json_add_text (json, "model", info->model_source);
  json_add_text (json, "device", info->device_name);
  json_add_text (json, "precision", precision_name (info));
  json_add_count (json, "width", result->width);
  json_add_count (json, "height", result->height);
  json_add_count (json, "batch", result->batch);
  json_add_count (json, "distinct", result->n_layers);
  json_add_count (json, "tuned", result->n_tuned);
  json_add_count (json, "wrong", result->n_wrong);
  json_add_number (json, "usual_ms", (double) result->usual_ns / 1e6);
  json_add_number (json, "taken_ms", (double) result->chosen_ns / 1e6);
  json_add_flag (json, "kept", result->is_kept);
  json_builder_end_object (json);
}

static int
tune (YvEngine *engine, YvTuneOptions *options, bool as_json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonBuilder) json = as_json ? json_builder_new () : NULL;
  const YvEngineInfo *info = yv_engine_info (engine);
  Report report = {.json = json};
  YvTuneResult result;

  options->report = report_layer;
  options->data = &report;
  if (json) {
    json_builder_begin_object (json);
    json_builder_set_member_name (json, "convolutions");
    json_builder_begin_array (json);
  } else {
    printf ("%s on %s, %s\n", info->model_source, info->device_name, precision_name (info));
  }
  if (!yv_engine_tune (engine, options, &result, &error))
    return fail (error);
  if (json) {
    add_end (json, info, &result);
    g_autofree char *line = json_finish (json, FALSE);
    printf ("%s\n", line);
  } else {
    print_end (&result);
  }
  return EXIT_OK;
}

int
command_tune (int argc, char **argv)
{
  ModelOptions model = {0};
  gboolean as_json = FALSE;
  int batch = 1;
  double budget_s = 0;
  const GOptionEntry entries[] = {
      {"batch", 'b', 0, G_OPTION_ARG_INT, &batch, "pictures at once [1]", "N"},
      {"budget", 0, 0, G_OPTION_ARG_DOUBLE, &budget_s,
       "seconds after which all else stays as it is [0: as long as it takes]", "S"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "one line of JSON", NULL},
      FALLBACK_ENTRY (model),
      G_OPTION_ENTRY_NULL,
  };

  const bool parsed = command_parse (
      &argc, &argv, "MODEL | --config FILE",
      "Times each way to compute the model's convolutions on this device, compares what they\n"
      "compute, and keeps the fastest for all later runs with this device, driver and build, in\n"
      "$XDG_CACHE_HOME/gst-yolov7, which YV_TUNING=off in the environment ignores. GPUs do so by "
      "themselves, too, for 1.5 s when a size is first\n"
      "used; this takes its time. Pictures are squares of --size.",
      entries, &model);
  int status = EXIT_USAGE;
  if (parsed && (argc > 2 || (argc == 1 && !model.config_file)))
    status = fail_usage ("expected one MODEL, or --config FILE for random weights");
  else if (parsed && (batch < 1 || !(budget_s >= 0 && budget_s <= 86400)))
    status = fail_usage ("--batch is %d and --budget %g, expected 1 or more, and 0 to 86400", batch,
                         budget_s);
  else if (parsed) {
    g_autoptr (YvEngine) engine = engine_from_options (argc == 2 ? argv[1] : NULL, &model);
    YvTuneOptions options = {
        .width = (uint32_t) model.size,
        .height = (uint32_t) model.size,
        .batch = (uint32_t) batch,
        .budget_ms = (uint32_t) ceil (budget_s * 1e3),
    };

    status = engine ? tune (engine, &options, as_json) : EXIT_FAILED;
  }
  model_options_clear (&model);
  return status;
}
