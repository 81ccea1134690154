/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/main.c - `yolov7-fleet SUBCOMMAND`: a worker, or one of the commands. */
#include <glib-unix.h>
#include <gst/gst.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/http.h"
#include "examples/common/metrics.h"
#include "examples/common/service.h"
#include "examples/fleet/bench.h"
#include "examples/fleet/commands.h"
#include "examples/fleet/settings.h"
#include "examples/fleet/worker.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static const char help[] =
    "yolov7-fleet - cameras for many machines, through a RabbitMQ\n\n"
    "usage: yolov7-fleet worker CONFIG.yaml      take cameras and analyse them\n"
    "       yolov7-fleet add CAMERA.json...      give cameras to the fleet; -: from stdin\n"
    "       yolov7-fleet remove NAME...          take them away from it\n"
    "       yolov7-fleet list                    what workers have, and what waits\n"
    "       yolov7-fleet failed                  what was put away, and why\n"
    "       yolov7-fleet retry NAME... | --all   try that again\n\n"
    "All but worker take\n"
    "  --broker URI           amqp[s]://USER@HOST[:PORT][/VHOST]; else $YV_FLEET_BROKER\n"
    "  --password-file FILE   whose first line is the password; else $YV_FLEET_PASSWORD\n"
    "  --ca-file FILE         who may vouch for the broker (amqps://)\n\n"
    "Exit status: 0 all went well, 1 it failed, 2 the arguments are wrong.\n";

static int
fail_usage (const char *what)
{
  g_printerr ("yolov7-fleet: %s; see yolov7-fleet --help\n", what);
  return EXIT_USAGE;
}

static int
fail (const GError *error)
{
  g_printerr ("yolov7-fleet: %s\n", error->message);
  return EXIT_FAILED;
}

/* ---- worker ---------------------------------------------------------------------------------- */

typedef struct {
  GMainLoop *loop;
  FleetWorker *worker;
  bool is_ending; /* a signal has come */
} Run;

static void
hear_ended (gpointer run)
{
  g_main_loop_quit (((Run *) run)->loop);
}

/* The first one ends cameras in order; whoever sends another does not want to wait for that. */
static gboolean
hear_signal (gpointer run_)
{
  Run *run = run_;

  if (run->is_ending) {
    g_printerr ("yolov7-fleet: ends at once\n");
    _exit (EXIT_FAILED);
  }
  run->is_ending = true;
  g_printerr ("yolov7-fleet: ends\n");
  fleet_worker_end (run->worker);
  return G_SOURCE_CONTINUE;
}

static void
write_metrics (GString *out, gpointer worker)
{
  fleet_worker_write_metrics (worker, out);
}

/* @http: (out): NULL where none is asked for. */
static bool
serve_metrics (const FleetSettings *settings, FleetWorker *worker, Http **http, GError **error)
{
  *http = NULL;
  if (settings->metrics_port < 0)
    return true;
  *http = http_new (settings->metrics_address, (guint16) settings->metrics_port, error);
  if (!*http)
    return false;
  http_limit (*http, HTTP_FEW);
  http_add_text (*http, "/metrics", METRICS_TYPE, write_metrics, worker);
  g_printerr ("yolov7-fleet: metrics on http://%s:%u/metrics\n", settings->metrics_address,
              http_port (*http));
  return true;
}

static int
run_worker (FleetSettings *settings, FleetBench *bench)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (Http) http = NULL;
  g_autoptr (GError) error = NULL;
  Run run = {.loop = loop};

  run.worker = fleet_worker_new (settings, bench, hear_ended, &run);
  g_unix_signal_add (SIGTERM, hear_signal, &run);
  g_unix_signal_add (SIGINT, hear_signal, &run);
  /* What ended already, which is told in the loop alone, ends the loop as well. */
  if (serve_metrics (settings, run.worker, &http, &error))
    g_main_loop_run (loop);
  if (!error && fleet_worker_error (run.worker))
    error = g_error_copy (fleet_worker_error (run.worker));
  g_clear_pointer (&http, http_free);
  fleet_worker_free (run.worker);
  return error ? fail (error) : 0;
}

/* Loads the model: a worker that can't analyse takes nothing. */
static FleetBench *
try_device (FleetSettings *settings, GError **error)
{
  double frames_per_s = 0;
  FleetBench *bench =
      fleet_bench_new (settings, settings->is_measured ? &frames_per_s : NULL, error);

  if (bench && settings->is_measured) {
    settings->capacity.most =
        fleet_capacity_measured (frames_per_s, settings->camera_fps, settings->share);
    g_printerr ("yolov7-fleet: %.1f frames a second, so up to %u cameras of %.0f\n", frames_per_s,
                settings->capacity.most, settings->camera_fps);
  }
  return bench;
}

static int
command_worker (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FleetSettings) settings = NULL;
  g_autoptr (FleetBench) bench = NULL;

  if (argc != 2)
    return fail_usage ("worker takes one argument, CONFIG.yaml");
  service_raise_files ();
  gst_init (NULL, NULL);
  settings = fleet_settings_read (argv[1], &error);
  bench = settings ? try_device (settings, &error) : NULL;
  return bench ? run_worker (settings, bench) : fail (error);
}

/* ---- commands -------------------------------------------------------------------------------- */

typedef struct {
  char *broker, *password_file, *ca_file;
  gboolean is_all;
  char **words;
} Arguments;

static void
clear_arguments (Arguments *arguments)
{
  g_free (arguments->broker);
  g_free (arguments->password_file);
  g_free (arguments->ca_file);
  g_strfreev (arguments->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, clear_arguments)

static bool
parse_arguments (Arguments *arguments, int argc, char **argv, GError **error)
{
  const GOptionEntry entries[] = {
      {"broker", 'b', 0, G_OPTION_ARG_STRING, &arguments->broker, NULL, NULL},
      {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &arguments->password_file, NULL, NULL},
      {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &arguments->ca_file, NULL, NULL},
      {"all", 0, 0, G_OPTION_ARG_NONE, &arguments->is_all, NULL, NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->words, NULL, NULL},
      {0}};
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return false;
  if (!arguments->words)
    arguments->words = g_new0 (char *, 1);
  return true;
}

static bool
find_broker (FleetAddress *address, const Arguments *arguments, GError **error)
{
  const char *uri = arguments->broker ? arguments->broker : g_getenv ("YV_FLEET_BROKER");

  if (!fleet_address_parse (address, uri ? uri : "", error) ||
      !fleet_address_take_password (address, arguments->password_file, error))
    return false;
  if (arguments->ca_file) {
    g_free (address->ca_file);
    address->ca_file = g_strdup (arguments->ca_file);
  }
  return true;
}

static int
add (const FleetAddress *address, const Arguments *arguments)
{
  return fleet_command_add (address, arguments->words);
}

static int
remove_cameras (const FleetAddress *address, const Arguments *arguments)
{
  return fleet_command_remove (address, arguments->words);
}

static int
list (const FleetAddress *address, const Arguments *arguments G_GNUC_UNUSED)
{
  return fleet_command_list (address);
}

static int
failed (const FleetAddress *address, const Arguments *arguments G_GNUC_UNUSED)
{
  return fleet_command_failed (address);
}

static int
retry (const FleetAddress *address, const Arguments *arguments)
{
  return fleet_command_retry (address, arguments->words, arguments->is_all);
}

static const struct {
  const char *name;
  int (*run) (const FleetAddress *address, const Arguments *arguments);
  bool takes_words, may_be_all;
} commands[] = {
    {"add", add, true, false},    {"remove", remove_cameras, true, false},
    {"list", list, false, false}, {"failed", failed, false, false},
    {"retry", retry, true, true},
};

static int
run_command (guint index, int argc, char **argv)
{
  g_auto (Arguments) arguments = {0};
  g_auto (FleetAddress) address = {0};
  g_autoptr (GError) error = NULL;

  if (!parse_arguments (&arguments, argc, argv, &error))
    return fail_usage (error->message);
  if (arguments.is_all && !commands[index].may_be_all)
    return fail_usage ("--all is for retry alone");
  if ((arguments.words[0] || arguments.is_all) != commands[index].takes_words)
    return fail_usage (commands[index].takes_words ? "it takes at least one argument more"
                                                   : "it takes no arguments but options");
  if (!find_broker (&address, &arguments, &error))
    return fail (error);
  return commands[index].run (&address, &arguments);
}

int
main (int argc, char **argv)
{
  setlocale (LC_CTYPE, "");
  g_set_prgname ("yolov7-fleet");
  signal (SIGPIPE, SIG_IGN); /* of OpenSSL */
  if (argc < 2)
    return fail_usage ("a subcommand is missing");
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0) {
    g_print ("%s", help);
    return 0;
  }
  if (strcmp (argv[1], "--version") == 0) {
    g_print ("yolov7-fleet %s\n", YV_VERSION);
    return 0;
  }
  if (strcmp (argv[1], "worker") == 0)
    return command_worker (argc - 1, argv + 1);
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (argv[1], commands[i].name) == 0)
      return run_command (i, argc - 1, argv + 1);
  return fail_usage ("there is no such subcommand");
}
