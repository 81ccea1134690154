/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/selftest.c - `yolov7 selftest`: does the driver compute what the reference computes? */
#include <stdio.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "engine/yolov7-tools.h"
#include "tools/command.h"
#include "tools/json.h"

/* Without a model: every kernel, every activation, groups, and channels that fill no tile. */
static const char every_kernel[] =
    "nc: 2\n"
    "depth_multiple: 1.0\n"
    "width_multiple: 1.0\n"
    "anchors:\n"
    "  - [10,16, 20,24, 32,30]\n"
    "  - [40,60, 70,90, 120,110]\n"
    "backbone:\n"
    "  - [-1, 1, ReOrg, []]                                        # 0\n"
    "  - [-1, 1, Conv, [32, 3, 2]]                                 # 1: stride 4\n"
    "  - [-1, 1, Conv, [64, 3, 1, None, 1, nn.LeakyReLU(0.1)]]     # 2\n"
    "  - [-1, 1, Conv, [64, 1, 1, None, 1, nn.Hardswish()]]        # 3\n"
    "  - [-1, 1, Conv, [64, 3, 1, None, 4, nn.ReLU()]]             # 4\n"
    "  - [[-1, -3], 1, Shortcut, [1]]                              # 5\n"
    "  - [-1, 1, Conv, [21, 1, 1, None, 1, nn.Mish()]]             # 6: as wide as a head\n"
    "  - [[-1, -1, -2, 1], 1, Concat, [1]]                         # 7\n"
    "  - [-1, 1, MP, []]                                           # 8: stride 8\n"
    "  - [[-1, -1], 1, Shortcut, [1]]                              # 9: of no convolution\n"
    "  - [-1, 1, Conv, [40, [1, 7], 1, None, 1, nn.ReLU6()]]       # 10\n"
    "  - [-1, 1, RepConv, [40, 3, 1]]                              # 11\n"
    "  - [-1, 1, DWConv, [40, 5, 1, nn.Sigmoid()]]                 # 12\n"
    "  - [-1, 1, SPPCSPC, [32]]                                    # 13\n"
    "  - [-1, 1, Conv, [128, 3, 2, None, 1, False]]                # 14: stride 16\n"
    "  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]                # 15: stride 8\n"
    "  - [[-1, 13], 1, Concat, [1]]                                # 16\n"
    "head:\n"
    "  - [[16, 14], 1, IDetect, [nc, anchors]]\n";

/* What the rows are printed for. */
typedef struct {
  bool as_json;
  JsonBuilder *json;
} Report;

static const char *
precision_name (YvPrecision precision)
{
  return precision == YV_PRECISION_FP16 ? "fp16" : "fp32";
}

/* ---- a step ---------------------------------------------------------------------------------- */

/* A step of which nothing could be compared is neither right nor wrong. */
static const char *
verdict_of (const YvSelftestStep *step)
{
  return step->n_wrong ? "FAIL" : step->n_elems ? "ok" : "-";
}

static void
print_row (const YvSelftestStep *step)
{
  g_autofree char *count =
      step->n_steps > 1 ? g_strdup_printf (" (and %u more)", step->n_steps - 1) : g_strdup ("");
  g_autofree char *share = step->share_of_bound < 10
                               ? g_strdup_printf ("%.0f %%", step->share_of_bound * 100)
                               : g_strdup ("> 999 %");

  printf ("%-4s %-4s %-15s %10.2e %10.2e %8s  %s%s: %s\n", verdict_of (step),
          precision_name (step->precision), step->kernel, step->max_error, step->relative_error,
          share, step->step, count, step->what);
  if (step->n_wrong)
    printf ("          %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " values are wrong\n",
            step->n_wrong, step->n_elems);
  fflush (stdout); /* the next one may hang or crash */
}

static void
add_row (JsonBuilder *json, const YvSelftestStep *step)
{
  json_builder_begin_object (json);
  json_add_text (json, "kernel", step->kernel);
  json_add_text (json, "step", step->step);
  json_add_text (json, "what", step->what);
  json_add_count (json, "steps", step->n_steps);
  json_add_text (json, "precision", precision_name (step->precision));
  json_add_count (json, "values", step->n_elems);
  json_add_count (json, "wrong", step->n_wrong);
  json_add_number (json, "max_error", step->max_error);
  json_add_number (json, "relative_error", step->relative_error);
  json_add_number (json, "share_of_bound", step->share_of_bound);
  json_builder_end_object (json);
}

/* A table that cannot be written is no reason to compute more of it. */
static bool
report_step (const YvSelftestStep *step, void *data)
{
  const Report *report = data;

  if (report->as_json)
    add_row (report->json, step);
  else
    print_row (step);
  return !ferror (stdout);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void
print_head (const YvEngineInfo *info, const char *model_name, int64_t seed)
{
  printf ("%s on %s, seed %" G_GINT64_FORMAT "\n", model_name, info->device_name, seed);
  printf ("%-4s %-4s %-15s %10s %10s %8s  %s\n", "", "", "kernel", "max error", "relative",
          "of bound", "step");
}

static void
print_advice (const YvSelftestResult *result, const char *device_name)
{
  printf (
      "%u of %u distinct steps at %ux%u px are wrong on %s. Such a device detects nothing, or "
      "what is not there.\n"
      "  * Where only fp16 fails: --precision fp32 (precision=fp32), which is also chosen where "
      "no precision is.\n"
      "  * A newer driver often helps; vulkaninfo tells which one is installed.\n"
      "  * --device names another device: 'yolov7 --help' lists them.\n"
      "  * What fails on devices of several makers is our fault: please report it, with the "
      "output of 'yolov7 selftest --json'.\n",
      result->n_failed, result->n_tested, result->size, result->size, device_name);
}

static void
print_result (const YvSelftestResult *result, const YvEngineInfo *info)
{
  if (result->n_failed)
    print_advice (result, info->device_name);
  else
    printf ("%u distinct steps at %ux%u px are all as the reference computes them.\n",
            result->n_tested, result->size, result->size);
  if (result->n_untested)
    printf ("%u more gave nothing but overflows, and are untested (-).\n", result->n_untested);
}

static void
begin_json (JsonBuilder *json, const YvEngineInfo *info, const char *model_name, int64_t seed)
{
  json_builder_begin_object (json);
  json_add_text (json, "version", YV_VERSION);
  json_add_text (json, "model", model_name);
  json_add_text (json, "device", info->device_name);
  json_builder_set_member_name (json, "seed");
  json_builder_add_int_value (json, seed);
  json_builder_set_member_name (json, "steps");
  json_builder_begin_array (json);
}

static void
print_json (JsonBuilder *json, const YvSelftestResult *result)
{
  json_builder_end_array (json);
  json_add_count (json, "size", result->size);
  json_add_count (json, "tested", result->n_tested);
  json_add_count (json, "untested", result->n_untested);
  json_add_count (json, "failed", result->n_failed);
  json_builder_end_object (json);

  g_autofree char *line = json_finish (json, FALSE);
  printf ("%s\n", line);
}

static int
selftest (YvEngine *engine, const ModelOptions *model, const char *model_name, int64_t seed,
          bool as_json)
{
  const YvEngineInfo *info = yv_engine_info (engine);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (GError) error = NULL;
  Report report = {.as_json = as_json, .json = json};
  const YvSelftestOptions options = {.precision = model->precision,
                                     .size = (uint32_t) model->size,
                                     .seed = (uint64_t) seed,
                                     .report = report_step,
                                     .data = &report};
  YvSelftestResult result;

  if (as_json)
    begin_json (json, info, model_name, seed);
  else if (g_ascii_strcasecmp (info->device_name, "reference") != 0) /* which is refused */
    print_head (info, model_name, seed);
  if (!yv_engine_selftest (engine, &options, &result, &error))
    return fail (error);
  if (as_json)
    print_json (json, &result);
  else
    print_result (&result, info);
  return result.n_failed ? EXIT_FAILED : EXIT_OK;
}

/* The engine reads descriptions from files. */
static YvEngine *
load_every_kernel (const ModelOptions *model)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  const int fd = g_file_open_tmp ("yolov7-selftest-XXXXXX.yaml", &path, &error);
  ModelOptions own = *model;

  if (fd < 0) {
    fail (error);
    return NULL;
  }
  close (fd);
  own.config_file = path;
  YvEngine *engine = NULL;
  if (g_file_set_contents (path, every_kernel, sizeof every_kernel - 1, &error))
    engine = engine_from_options (NULL, &own);
  else
    fail (error);
  g_unlink (path);
  return engine;
}

static int
load_and_test (const char *model_file, const ModelOptions *model, int64_t seed, bool as_json)
{
  const bool own = !model_file && !model->config_file;
  ModelOptions in_fp32 = *model; /* loading must not judge what is to be tested */

  in_fp32.precision = YV_PRECISION_FP32;
  g_autoptr (YvEngine) engine =
      own ? load_every_kernel (&in_fp32) : engine_from_options (model_file, &in_fp32);
  if (!engine)
    return EXIT_FAILED;
  return selftest (engine, model,
                   own ? "a small network of every kernel" : yv_engine_info (engine)->model_source,
                   seed, as_json);
}

int
command_selftest (int argc, char **argv)
{
  ModelOptions model = {0};
  gint64 seed = 1;
  gboolean as_json = FALSE;
  const GOptionEntry entries[] = {
      {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "of the random input [1]", "N"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "one line of JSON, for reports", NULL},
      G_OPTION_ENTRY_NULL,
  };

  const bool parsed = command_parse (
      &argc, &argv, "[MODEL | --config FILE]",
      "Runs each distinct step of a model (kernel, parameters, shapes) on the device and, slowly,\n"
      "as plain C, from the same random input, and compares: so that a fault of the driver can be\n"
      "told from one of ours. Without a model: a small network of every kernel. In fp32 and, "
      "where\n"
      "the device has it, fp16, unless --precision says which; --size is 320 unless given.\n"
      "Exit status 1 where a step is wrong.",
      entries, &model);
  int status = EXIT_USAGE;
  if (parsed && argc > 2)
    status = fail_usage ("expected one MODEL, or --config FILE for random weights, or neither");
  else if (parsed)
    status = load_and_test (argc == 2 ? argv[1] : NULL, &model, seed, as_json);
  model_options_clear (&model);
  return status;
}
