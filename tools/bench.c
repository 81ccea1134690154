/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/bench.c - `yolov7 bench`: how long each stage of a frame takes on this device. */
#include <stdio.h>

#include "engine/yolov7-tools.h"
#include "tools/chart.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/streams.h"

#define MAX_STREAMS 1024 /* threads */
#define NOT_GIVEN -1

typedef struct {
  const YvEngineInfo *info;
  const YvBenchOptions *options;
  const YvBenchResult *result;
  double load_ms, tflops;
} Report;

static void
print_stage (const char *name, const YvBenchStage *stage)
{
  printf ("  %-10s %10.3f %10.3f %10.3f\n", name, stage->median_ms, stage->p10_ms, stage->p90_ms);
}

static void
print_table (const Report *report)
{
  const YvBenchResult *r = report->result;

  printf ("%s on %s, %s, %ux%u, batch %u, %u in flight, %s, %u runs after %u\n",
          report->info->model_source, report->info->device_name,
          report->info->precision == YV_PRECISION_FP16 ? "fp16" : "fp32", report->options->width,
          report->options->height, report->options->batch, report->options->in_flight,
          report->options->in_place ? "in place" : "copied", report->options->n_runs, r->n_warmup);
  printf ("  %-10s %10s %10s %10s\n", "ms", "median", "p10", "p90");
  print_stage ("upload", &r->upload);
  print_stage ("letterbox", &r->letterbox);
  print_stage ("network", &r->network);
  print_stage ("decode", &r->decode);
  print_stage ("readback", &r->readback);
  print_stage ("nms", &r->nms);
  print_stage ("total", &r->total);
  print_stage ("host CPU", &r->host);
  printf ("%.1f images/s, %.3f TFLOP/s in the network (%.2f of %.2f GFLOP an image), %u steps\n",
          r->images_per_s, report->tflops, r->network_flops_per_image / 1e9,
          r->flops_per_image / 1e9, r->n_steps);
  printf ("memory: weights %.1f MiB, activations %.1f MiB, slots %.1f MiB; loaded in %.0f ms, "
          "first detections %.0f ms later\n",
          (double) r->weights_bytes / 1048576, (double) r->arena_bytes / 1048576,
          (double) r->slots_bytes / 1048576, report->load_ms, r->first_ms);
}

/* <name>_ms, the median, and the two around it. */
static void
add_stage (JsonBuilder *json, const char *name, const YvBenchStage *stage)
{
  g_autofree char *median = g_strconcat (name, "_ms", NULL);
  g_autofree char *p10 = g_strconcat (name, "_p10_ms", NULL);
  g_autofree char *p90 = g_strconcat (name, "_p90_ms", NULL);

  json_add_number (json, median, stage->median_ms);
  json_add_number (json, p10, stage->p10_ms);
  json_add_number (json, p90, stage->p90_ms);
}

static void
add_setup (JsonBuilder *json, const YvEngineInfo *info, const YvBenchOptions *options)
{
  json_add_text (json, "model", info->model_source);
  json_add_text (json, "device", info->device_name);
  json_add_text (json, "precision", info->precision == YV_PRECISION_FP16 ? "fp16" : "fp32");
  json_add_number (json, "width", options->width);
  json_add_number (json, "height", options->height);
  json_add_number (json, "batch", options->batch);
}

static void
print_json (const Report *report)
{
  const YvBenchResult *r = report->result;
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const struct {
    const char *name;
    const YvBenchStage *stage;
  } stages[] = {{"upload", &r->upload}, {"letterbox", &r->letterbox}, {"network", &r->network},
                {"decode", &r->decode}, {"readback", &r->readback},   {"nms", &r->nms},
                {"total", &r->total},   {"host_cpu", &r->host}};

  json_builder_begin_object (json);
  add_setup (json, report->info, report->options);
  json_add_number (json, "in_flight", report->options->in_flight);
  json_builder_set_member_name (json, "in_place");
  json_builder_add_boolean_value (json, report->options->in_place);
  for (guint i = 0; i < G_N_ELEMENTS (stages); i++)
    add_stage (json, stages[i].name, stages[i].stage);
  json_add_number (json, "images_per_s", r->images_per_s);
  json_add_number (json, "tflops", report->tflops);
  json_add_number (json, "gflop_per_image", r->flops_per_image / 1e9);
  json_add_number (json, "network_gflop_per_image", r->network_flops_per_image / 1e9);
  json_add_number (json, "load_ms", report->load_ms);
  json_add_number (json, "first_ms", r->first_ms);
  json_add_number (json, "weights_bytes", (double) r->weights_bytes);
  json_add_number (json, "arena_bytes", (double) r->arena_bytes);
  json_add_number (json, "slots_bytes", (double) r->slots_bytes);
  json_builder_end_object (json);

  g_autofree char *line = json_finish (json, FALSE);
  printf ("%s\n", line);
}

/* 0 where a clock is too coarse to see any time pass. */
static double
per_ms (double value, double ms)
{
  return ms > 0 ? value / ms : 0;
}

/* "C x H x W", or "-" for what is no picture: frames, lists of candidates. */
static char *
shape_text (uint32_t c, uint32_t h, uint32_t w)
{
  return c && h && w ? g_strdup_printf ("%ux%ux%u", c, h, w) : g_strdup ("-");
}

static void
print_profile_step (const YvProfileStep *step, const Ceilings *ceilings, double total_ms)
{
  g_autofree char *in = shape_text (step->c_in, step->h_in, step->w_in);
  g_autofree char *out = shape_text (step->c_out, step->h_out, step->w_out);
  g_autofree char *shape = g_strdup_printf ("%u: %s -> %s", step->n, in, out);

  printf ("%9.1f %9.1f %5.1f %8.1f %8.2f %5.1f  %-15s %-30s %-28s %s\n", step->median_ms * 1e3,
          step->min_ms * 1e3, per_ms (step->median_ms, total_ms) * 100,
          per_ms (step->flops, step->median_ms) / 1e6, per_ms (step->bytes, step->median_ms) / 1e6,
          roofline_share (ceilings, step) * 100, step->kernel, shape, step->op, step->name);
}

static void
add_shape (JsonBuilder *json, const char *name, uint32_t c, uint32_t h, uint32_t w)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
  json_builder_add_int_value (json, c);
  json_builder_add_int_value (json, h);
  json_builder_add_int_value (json, w);
  json_builder_end_array (json);
}

static void
add_profile_step (JsonBuilder *json, const Ceilings *ceilings, const YvProfileStep *step)
{
  json_builder_begin_object (json);
  json_add_text (json, "name", step->name);
  json_add_text (json, "op", step->op);
  json_add_text (json, "kernel", step->kernel);
  add_shape (json, "in", step->c_in, step->h_in, step->w_in);
  add_shape (json, "out", step->c_out, step->h_out, step->w_out);
  json_add_number (json, "flops", step->flops);
  json_add_number (json, "bytes", step->bytes);
  json_add_number (json, "median_ms", step->median_ms);
  json_add_number (json, "min_ms", step->min_ms);
  json_add_number (json, "roofline_share", roofline_share (ceilings, step));
  json_builder_end_object (json);
}

static void
print_profile_json (const YvEngineInfo *info, const YvBenchOptions *options,
                    const YvProfile *profile)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const Ceilings ceilings = ceilings_of (profile);

  json_builder_begin_object (json);
  add_setup (json, info, options);
  json_builder_set_member_name (json, "steps");
  json_builder_begin_array (json);
  for (uint32_t i = 0; i < profile->n_steps; i++)
    add_profile_step (json, &ceilings, &profile->steps[i]);
  json_builder_end_array (json);
  json_builder_end_object (json);

  g_autofree char *line = json_finish (json, FALSE);
  printf ("%s\n", line);
}

static void
print_profile_table (const YvProfile *profile)
{
  const Ceilings ceilings = ceilings_of (profile);
  double total_ms = 0, least_ms = 0, flops = 0;

  for (uint32_t i = 0; i < profile->n_steps; i++) {
    total_ms += profile->steps[i].median_ms;
    least_ms += profile->steps[i].min_ms;
    flops += profile->steps[i].flops;
  }
  printf ("%9s %9s %5s %8s %8s %5s  %-15s %-30s %-28s %s\n", "us", "least us", "%", "GFLOP/s",
          "GB/s", "roof%", "kernel", "shape", "step", "layer");
  for (uint32_t i = 0; i < profile->n_steps; i++)
    print_profile_step (&profile->steps[i], &ceilings, total_ms);
  printf ("%9.1f %9.1f %5.1f %8.1f %8s  sum of %u steps, each run alone\n", total_ms * 1e3,
          least_ms * 1e3, 100.0, per_ms (flops, total_ms) / 1e6, "", profile->n_steps);
  printf (
      "roof%%: of the time, what a step needs at %.1f GFLOP/s or %.1f GB/s, the best of any step "
      "here\n",
      ceilings.flops_per_ms / 1e6, ceilings.bytes_per_ms / 1e6);
}

typedef struct {
  int batch; /* or NOT_GIVEN */
  int runs, warmup, in_flight;
  int streams; /* 0: none, batches are timed */
  gboolean as_json, is_profile, in_place;
  char *chart; /* a path, or NULL */
} Wanted;

static bool
draw_chart (const YvEngineInfo *info, const YvBenchOptions *options, const YvProfile *profile,
            const char *path, GError **error)
{
  double total_ms = 0;

  for (uint32_t i = 0; i < profile->n_steps; i++)
    total_ms += profile->steps[i].median_ms;
  g_autofree char *title =
      g_strdup_printf ("%s on %s, %s, %ux%u, batch %u: %.2f ms", info->model_source,
                       info->device_name, info->precision == YV_PRECISION_FP16 ? "fp16" : "fp32",
                       options->width, options->height, options->batch, total_ms);
  return chart_profile (profile, title, path, error);
}

static int
profile (YvEngine *engine, const YvBenchOptions *options, const Wanted *wanted)
{
  g_autoptr (GError) error = NULL;
  const YvEngineInfo *info = yv_engine_info (engine);
  g_autoptr (YvProfile) profile = yv_engine_profile (engine, options, &error);

  if (!profile || (wanted->chart && !draw_chart (info, options, profile, wanted->chart, &error)))
    return fail (error);
  if (wanted->as_json)
    print_profile_json (info, options, profile);
  else
    print_profile_table (profile);
  return EXIT_OK;
}

/* What was done, which need not be what was asked for. */
static char *
way_text (const StreamsResult *result)
{
  if (result->n_copied > 0 && result->n_in_place > 0)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " in place and %" G_GUINT64_FORMAT " copied",
                            result->n_in_place, result->n_copied);
  return g_strdup (result->n_copied > 0 ? "copied" : "in place");
}

static void
print_streams (const YvEngineInfo *info, const StreamsOptions *options, const StreamsResult *result)
{
  g_autofree char *way = way_text (result);

  printf ("%s on %s, %s, %ux%u, %u streams, %u in flight each, %s, %u frames each after %u\n",
          info->model_source, info->device_name,
          info->precision == YV_PRECISION_FP16 ? "fp16" : "fp32", options->side_px,
          options->side_px, options->n_streams, options->in_flight, way, options->n_runs,
          options->n_warmup);
  printf ("%.1f images/s; means: %.2f images a batch, %.3f ms until it started, %.3f ms from "
          "submit to detections\n",
          result->images_per_s, result->batch, result->wait_ms, result->total_ms);
}

static void
print_streams_json (const YvEngineInfo *info, const StreamsOptions *options,
                    const StreamsResult *result)
{
  const YvBenchOptions setup = {
      .width = options->side_px, .height = options->side_px, .batch = options->batch};
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  add_setup (json, info, &setup);
  json_add_number (json, "streams", options->n_streams);
  json_add_number (json, "in_flight", options->in_flight);
  json_add_number (json, "frames_in_place", (double) result->n_in_place);
  json_add_number (json, "frames_copied", (double) result->n_copied);
  json_add_number (json, "images_per_s", result->images_per_s);
  json_add_number (json, "mean_batch", result->batch);
  json_add_number (json, "mean_wait_ms", result->wait_ms);
  json_add_number (json, "mean_total_ms", result->total_ms);
  json_builder_end_object (json);

  g_autofree char *line = json_finish (json, FALSE);
  printf ("%s\n", line);
}

static int
time_streams (YvEngine *engine, const Wanted *wanted, uint32_t side_px)
{
  g_autoptr (GError) error = NULL;
  const StreamsOptions options = {
      .n_streams = (uint32_t) wanted->streams,
      .side_px = side_px,
      .batch = wanted->batch == NOT_GIVEN ? 0 : (uint32_t) wanted->batch,
      .n_warmup = (uint32_t) wanted->warmup,
      .n_runs = (uint32_t) wanted->runs,
      .in_flight = (uint32_t) wanted->in_flight,
      .in_place = wanted->in_place,
  };
  StreamsResult result;

  if (!bench_streams (engine, &options, &result, &error))
    return fail (error);
  if (wanted->as_json)
    print_streams_json (yv_engine_info (engine), &options, &result);
  else
    print_streams (yv_engine_info (engine), &options, &result);
  return EXIT_OK;
}

static int
bench (YvEngine *engine, const Wanted *wanted, int size)
{
  g_autoptr (GError) error = NULL;
  const YvEngineInfo *info = yv_engine_info (engine);
  const uint32_t side = size ? (uint32_t) size : info->default_size;
  const YvBenchOptions options = {
      .width = side,
      .height = side,
      .batch = wanted->batch == NOT_GIVEN ? 1 : (uint32_t) wanted->batch,
      .n_warmup = (uint32_t) wanted->warmup,
      .n_runs = (uint32_t) wanted->runs,
      .in_flight = (uint32_t) wanted->in_flight,
      .in_place = wanted->in_place,
  };
  YvBenchResult result;

  if (wanted->streams)
    return time_streams (engine, wanted, side);
  if (wanted->is_profile || wanted->chart)
    return profile (engine, &options, wanted);
  if (!yv_engine_bench (engine, &options, &result, &error))
    return fail (error);

  const Report report = {
      .info = info,
      .options = &options,
      .result = &result,
      .load_ms = (double) info->load_ns / 1e6,
      .tflops =
          per_ms (result.network_flops_per_image * options.batch, result.network.median_ms) / 1e9,
  };
  if (wanted->as_json)
    print_json (&report);
  else
    print_table (&report);
  return EXIT_OK;
}

int
command_bench (int argc, char **argv)
{
  ModelOptions model = {0};
  Wanted wanted = {.batch = NOT_GIVEN, .runs = 20, .warmup = 3, .in_flight = 1};
  const GOptionEntry entries[] = {
      {"batch", 'b', 0, G_OPTION_ARG_INT, &wanted.batch,
       "pictures at once [1]; with --streams the most [what suits the device]", "N"},
      {"runs", 'n', 0, G_OPTION_ARG_INT, &wanted.runs, "timed runs [20]", "N"},
      {"warmup", 0, 0, G_OPTION_ARG_INT, &wanted.warmup,
       "runs before these, not timed, 0 or at least 2 for each in flight [3]", "N"},
      {"in-flight", 0, 0, G_OPTION_ARG_INT, &wanted.in_flight,
       "batches, or frames of each stream, submitted before the first is waited for, at most "
       "32; not with --profile [1]",
       "N"},
      {"streams", 0, 0, G_OPTION_ARG_INT, &wanted.streams,
       "so many streams, each a thread with frames of its own, share the device: --runs and "
       "--warmup are frames of each",
       "N"},
      {"in-place", 0, 0, G_OPTION_ARG_NONE, &wanted.in_place,
       "pictures in memory that the device reads, not copied", NULL},
      {"profile", 0, 0, G_OPTION_ARG_NONE, &wanted.is_profile,
       "a line for each step of the network", NULL},
      {"chart", 0, 0, G_OPTION_ARG_FILENAME, &wanted.chart,
       "the same, and as bars into this file (SVG)", "FILE"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &wanted.as_json, "one line of JSON, with --profile too",
       NULL},
      FALLBACK_ENTRY (model),
      G_OPTION_ENTRY_NULL,
  };

  const bool parsed = command_parse (
      &argc, &argv, "MODEL | --config FILE",
      "Times pictures of exactly the network's size through every stage: upload, letterbox,\n"
      "network, decode, readback, suppression. With --config alone the weights are random.",
      entries, &model);
  int status = EXIT_USAGE;
  if (parsed && (argc > 2 || (argc == 1 && !model.config_file)))
    status = fail_usage ("expected one MODEL, or --config FILE for random weights");
  else if (parsed && wanted.streams && (wanted.is_profile || wanted.chart))
    status = fail_usage ("--streams times frames, --profile and --chart time steps: not both");
  else if (parsed && (wanted.streams < 0 || wanted.streams > MAX_STREAMS))
    status = fail_usage ("--streams is %d, expected 1 to %d, or 0 for none", wanted.streams,
                         MAX_STREAMS);
  else if (parsed &&
           ((wanted.batch < 1 && wanted.batch != NOT_GIVEN) || wanted.runs < 1 ||
            wanted.warmup < 0 || wanted.in_flight < 1 || wanted.in_flight > YV_MAX_IN_FLIGHT))
    status =
        fail_usage ("--batch is %d, --runs %d, --warmup %d and --in-flight %d, expected 1, 1, "
                    "0 and 1 or more, and at most %d in flight",
                    wanted.batch, wanted.runs, wanted.warmup, wanted.in_flight, YV_MAX_IN_FLIGHT);
  else if (parsed) {
    g_autoptr (YvEngine) engine = engine_from_options (argc == 2 ? argv[1] : NULL, &model);
    status = engine ? bench (engine, &wanted, model.size) : EXIT_FAILED;
  }
  g_free (wanted.chart);
  model_options_clear (&model);
  return status;
}
