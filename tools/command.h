/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/command.h - what the subcommands of `yolov7` share: one file a subcommand, each with a run
 * function that parses its own arguments and returns the process's exit status.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* Exit statuses: everything worked; it failed (bad file, no device ...); the arguments are wrong;
 * what was compared differs, where the user wants to be told so. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_DIFFERENT = 3 };

/* argv[0] is the subcommand's name. */
int command_inspect (int argc, char **argv);
int command_forward (int argc, char **argv);
int command_bench (int argc, char **argv);
int command_eval (int argc, char **argv);
int command_selftest (int argc, char **argv);
int command_track (int argc, char **argv);
int command_tune (int argc, char **argv);

/* What every subcommand that loads a model takes; all strings owned, see model_options_clear(). */
typedef struct {
  char *config_file;
  char *device;
  char *precision_name, *fallback_name;
  YvPrecision precision; /* what precision_name says */
  YvFallback fallback;   /* what fallback_name says: fp32 where it is NULL */
  int size;              /* px; 0: the model's */
} ModelOptions;

void model_options_clear (ModelOptions *options);

/* An entry for those that use the model, instead of testing the device. */
#define FALLBACK_ENTRY(model)                                                                      \
  {                                                                                                \
    "fallback-precision", 0, 0, G_OPTION_ARG_STRING, &(model).fallback_name,                       \
        "fp32 or none: what to do where the device fails in fp16 [fp32]", "P"                      \
  }

/* Parses @entries, and --config, --device, --precision, --size where @model is not NULL. On --help
 * prints and exits. @usage: what follows the subcommand, e.g. "MODEL IN -o OUT". Returns false
 * after having told the user what was wrong. */
bool command_parse (int *argc, char ***argv, const char *usage, const char *description,
                    const GOptionEntry *entries, ModelOptions *model);

/* Loads an engine; NULL after having told the user why. */
YvEngine *engine_from_options (const char *model_file, const ModelOptions *options);

/* Prints what the engine warns of; NULL ok. */
void warn (const char *warning);

/* "yolov7: <message>" on stderr. */
int fail (const GError *error);                                /* returns EXIT_FAILED */
int fail_usage (const char *format, ...) G_GNUC_PRINTF (1, 2); /* returns EXIT_USAGE */

/* @status, or EXIT_FAILED after having told the user, where not all of stdout could be written. */
int finish_stdout (int status);

G_END_DECLS
