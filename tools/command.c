/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/command.c - options and messages that all subcommands share. */
#include "tools/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
model_options_clear (ModelOptions *options)
{
  g_clear_pointer (&options->config_file, g_free);
  g_clear_pointer (&options->device, g_free);
  g_clear_pointer (&options->precision_name, g_free);
  g_clear_pointer (&options->fallback_name, g_free);
}

static void
add_model_entries (GOptionContext *context, ModelOptions *model)
{
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &model->config_file,
       "model description (yaml); needed for a bare state dict", "FILE"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &model->device,
       "Vulkan device: index, part of a name or UUID; or \"reference\"", "DEVICE"},
      {"precision", 'p', 0, G_OPTION_ARG_STRING, &model->precision_name,
       "auto, fp32 or fp16 (storage; sums are fp32) [auto]", "P"},
      {"size", 's', 0, G_OPTION_ARG_INT, &model->size,
       "network input, px of the long side [model's]", "PX"},
      G_OPTION_ENTRY_NULL,
  };

  g_option_context_add_main_entries (context, entries, NULL);
}

static bool
parse_precision (ModelOptions *model)
{
  static const char *const names[] = {
      [YV_PRECISION_AUTO] = "auto", [YV_PRECISION_FP32] = "fp32", [YV_PRECISION_FP16] = "fp16"};

  if (!model->precision_name)
    return true;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (strcmp (model->precision_name, names[i]) == 0) {
      model->precision = (YvPrecision) i;
      return true;
    }
  }
  fail_usage ("--precision is '%s', expected auto, fp32 or fp16", model->precision_name);
  return false;
}

static bool
parse_fallback (ModelOptions *model)
{
  if (!model->fallback_name || strcmp (model->fallback_name, "fp32") == 0)
    return true;
  if (strcmp (model->fallback_name, "none") == 0) {
    model->fallback = YV_FALLBACK_NONE;
    return true;
  }
  fail_usage ("--fallback-precision is '%s', expected fp32 or none", model->fallback_name);
  return false;
}

bool
command_parse (int *argc, char ***argv, const char *usage, const char *description,
               const GOptionEntry *entries, ModelOptions *model)
{
  g_autoptr (GOptionContext) context = g_option_context_new (usage);
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("yolov7 %s", (*argv)[0]);

  g_set_prgname (name);
  g_option_context_set_summary (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  if (model)
    add_model_entries (context, model);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    fail_usage ("%s", error->message);
    return false;
  }
  if (model && model->size < 0) {
    fail_usage ("--size is %d, expected 0 or more pixels", model->size);
    return false;
  }
  return !model || (parse_precision (model) && parse_fallback (model));
}

YvEngine *
engine_from_options (const char *model_file, const ModelOptions *options)
{
  g_autoptr (GError) error = NULL;
  const YvEngineOptions engine_options = {
      .model_file = model_file,
      .config_file = options->config_file,
      .device = options->device,
      .precision = options->precision,
      .fallback = options->fallback,
  };

  YvEngine *engine = yv_engine_new (&engine_options, &error);
  if (engine)
    warn (yv_engine_info (engine)->warning);
  else
    fail (error);
  return engine;
}

void
warn (const char *warning)
{
  if (warning)
    g_printerr ("yolov7: warning: %s\n", warning);
}

int
fail (const GError *error)
{
  g_printerr ("yolov7: %s\n", error->message);
  return EXIT_FAILED;
}

int
fail_usage (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);
  g_printerr ("%s: %s\nTry '%s --help'.\n", g_get_prgname (), message, g_get_prgname ());
  return EXIT_USAGE;
}

int
finish_stdout (int status)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return status;
  g_printerr ("yolov7: can't write the output: %s\n", g_strerror (errno));
  return EXIT_FAILED;
}
