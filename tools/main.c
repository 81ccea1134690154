/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/main.c - `yolov7 SUBCOMMAND`: finds the subcommand and runs it.
 *
 * `detect` is a program of its own, yolov7-detect, because it alone needs GStreamer: the rest of
 * the tool must run on machines that have none. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"

/* Replaces this process by yolov7-detect beside it (build folder), or in the installed libexec. */
static int
command_detect (int argc G_GNUC_UNUSED, char **argv)
{
  char self[4096] = "";
  const ssize_t length = readlink ("/proc/self/exe", self, sizeof self - 1);
  g_autofree char *folder = length > 0 ? g_path_get_dirname (self) : g_strdup (".");
  g_autofree char *beside = g_build_filename (folder, "yolov7-detect", NULL);
  const char *program =
      g_file_test (beside, G_FILE_TEST_IS_EXECUTABLE) ? beside : YV_LIBEXECDIR "/yolov7-detect";

  execv (program, argv);
  g_printerr ("yolov7: cannot run %s: %s. 'detect' needs GStreamer; is the package complete?\n",
              program, g_strerror (errno));
  return EXIT_FAILED;
}

static const struct {
  const char *name;
  int (*run) (int argc, char **argv);
  const char *summary;
} commands[] = {
    {"detect", command_detect, "find objects in pictures and videos"},
    {"track", command_track, "follow the objects of a file of detections"},
    {"eval", command_eval, "measure a model on pictures with labels"},
    {"inspect", command_inspect, "show a model: layers as trained and as deployed"},
    {"forward", command_forward, "run tensors through a model, for comparisons"},
    {"bench", command_bench, "time a model on a device"},
    {"tune", command_tune, "find the fastest kernels for a model on a device"},
    {"selftest", command_selftest, "compare what a device computes with the reference"},
};

static void
print_help (FILE *out)
{
  g_autofree char *devices = yv_device_list_text ();

  fprintf (out, "yolov7 - YOLOv7 checkpoints on any Vulkan device\n\n"
                "usage: yolov7 SUBCOMMAND [OPTION...] ...\n\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (out, "  %-9s %s\n", commands[i].name, commands[i].summary);
  fprintf (out,
           "\n'yolov7 SUBCOMMAND --help' tells its options; 'yolov7 --version' the version.\n"
           "Exit status: 0 all went well, 1 it failed, 2 the arguments are wrong, 3 the models of\n"
           "'inspect --diff --exit-code' differ.\n\n"
           "Devices for --device:\n%s\n  reference: plain C, slow and exact\n",
           devices);
}

int
main (int argc, char **argv)
{
  setlocale (LC_CTYPE, ""); /* for names beyond ASCII in messages; numbers stay as JSON has them */
  g_set_prgname ("yolov7");
  if (argc < 2) {
    print_help (stderr);
    return EXIT_USAGE;
  }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0) {
    print_help (stdout);
    return EXIT_OK;
  }
  if (strcmp (argv[1], "--version") == 0) {
    printf ("yolov7 %s\n", YV_VERSION);
    return EXIT_OK;
  }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (argv[1], commands[i].name) == 0)
      return finish_stdout (commands[i].run (argc - 1, argv + 1));
  return fail_usage ("there is no subcommand '%s'", argv[1]);
}
