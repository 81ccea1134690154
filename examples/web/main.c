/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/main.c - yolov7-web: a live page of cameras, with what a model sees in them.
 *
 * usage: yolov7-web CONFIG.yaml
 *
 * Ends with SIGINT and SIGTERM. Exit status: 0; 2 where the configuration is wrong, and 1 for what
 * may pass, after a message on stderr. docs/web.md is for its users.
 */
#include <glib-unix.h>
#include <gst/gst.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/yolov7.h"
#include "examples/common/encoder.h"
#include "examples/common/service.h"
#include "examples/web/events.h"
#include "examples/web/guard.h"
#include "examples/web/site.h"
#include "examples/web/webconfig.h"

#define RUN_LETTERS 12
#define EXIT_USAGE 2 /* what is wrong here does not get right by another try; the unit knows it */

/* Descriptors. A camera that is watched and connects anew takes 20, program and device 40. */
#define FOR_CAMERA 24
#define FOR_PROGRAM 64
#define FOR_CLIENTS 16 /* at least */

typedef struct {
  GMainLoop *loop;
  char *run;
  StreamLimit encoders;
  SiteLimits clients;
  GPtrArray *channels; /* of Channel * */
  Http *http;
  Site *site;
} Program;

/* ---- the life of the program ---------------------------------------------------------------- */

static void
on_changed (gpointer user_data)
{
  Program *program = user_data;

  if (program->site)
    site_tell_states (program->site);
}

static void
on_record (Channel *channel, GBytes *event, gpointer user_data)
{
  Program *program = user_data;

  if (program->site)
    site_tell_record (program->site, channel, event);
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

/* Names the run, in file names and for pages that outlive us; no secret. */
static char *
make_run (void)
{
  g_autofree char *uuid = g_uuid_string_random ();
  GString *run = g_string_new (NULL);

  for (const char *at = uuid; run->len < RUN_LETTERS && *at; at++)
    if (*at != '-')
      g_string_append_c (run, *at);
  return g_string_free (run, FALSE);
}

/* ---- what the system allows ------------------------------------------------------------------ */

/* What cameras need is not for clients. */
static bool
limit_clients (Program *program, guint n_cameras, GError **error)
{
  const guint n_files = service_raise_files ();
  const guint n_ours = FOR_PROGRAM + n_cameras * FOR_CAMERA;

  if (n_files < n_ours + FOR_CLIENTS) {
    g_set_error (
        error, YV_ERROR, YV_ERROR_IO,
        "%u open files are allowed, and %u are needed for %u cameras; raise the limit (ulimit -n, "
        "or LimitNOFILE= of a service)",
        n_files, n_ours + FOR_CLIENTS, n_cameras);
    return false;
  }
  const guint n_free = n_files - n_ours;
  program->clients.viewers = MIN (EVENTS_MOST, n_free / 3);
  program->clients.connections = MIN (GUARD_MOST, n_free / 2);
  return true;
}

/* ---- what the file asks for ----------------------------------------------------------------- */

static bool
make_channels (Program *program, const WebConfig *config, GError **error)
{
  StreamOptions options = {
      .encoder = encoder_choose (NULL, error),
      .linger_s = (guint) config->linger_s,
      .run = program->run,
      .limit = &program->encoders,
  };
  const ChannelCalls calls = {on_changed, on_record, program};

  if (!options.encoder)
    return false;
  program->encoders.most = (guint) config->max_encoders;
  while (config->cameras->len > 0) {
    g_autoptr (CameraConfig) camera = g_ptr_array_steal_index (config->cameras, 0);
    gint64 kbps;
    if (!web_config_bitrate (camera, &kbps, error))
      return false;
    options.bitrate_kbps = (guint32) kbps;
    Channel *channel = channel_new (g_steal_pointer (&camera), &options, &calls, error);
    if (!channel)
      return false;
    g_ptr_array_add (program->channels, channel);
  }
  return true;
}

static bool
start_channels (const Program *program, GError **error)
{
  for (guint i = 0; i < program->channels->len; i++)
    if (!channel_start (program->channels->pdata[i], error))
      return false;
  return true;
}

/* An address of IPv6 stands in brackets there. */
static void
say_address (const Program *program, const WebConfig *config)
{
  const bool is_v6 = strchr (config->address, ':') != NULL;

  printf ("http://%s%s%s:%u/\n", is_v6 ? "[" : "", config->address, is_v6 ? "]" : "",
          http_port (program->http));
  fflush (stdout);
}

/* The port first: two servers on one would load their models in vain. */
static bool
start (Program *program, const WebConfig *config, GError **error)
{
  if (!limit_clients (program, config->cameras->len, error))
    return false;
  program->http = http_new (config->address, (guint16) config->port, error);
  if (!program->http || !make_channels (program, config, error) || !start_channels (program, error))
    return false;
  program->site =
      site_new (program->http, program->run, program->channels, config->hosts, &program->clients);
  return true;
}

/* All cameras are asked to end before any is waited for. */
static void
program_clear (Program *program)
{
  g_clear_pointer (&program->site, site_free);
  g_clear_pointer (&program->http, http_free);
  for (guint i = 0; i < program->channels->len; i++)
    channel_stop (program->channels->pdata[i]);
  g_ptr_array_unref (program->channels);
  g_main_loop_unref (program->loop);
  g_free (program->run);
}

static int
run (const char *path)
{
  g_autoptr (GError) error = NULL;
  Program program = {
      .loop = g_main_loop_new (NULL, FALSE),
      .run = make_run (),
      .channels = g_ptr_array_new_with_free_func ((GDestroyNotify) channel_free),
  };
  g_autoptr (WebConfig) config = web_config_read (path, &error);
  const bool is_good = config && start (&program, config, &error);

  if (is_good) {
    const guint interrupted = g_unix_signal_add (SIGINT, on_signal, program.loop);
    const guint terminated = g_unix_signal_add (SIGTERM, on_signal, program.loop);
    say_address (&program, config); /* who reads it may end us at once */
    service_tell_ready ();
    g_main_loop_run (program.loop);
    g_source_remove (interrupted);
    g_source_remove (terminated);
  } else {
    fprintf (stderr, "yolov7-web: %s\n", error->message);
  }
  program_clear (&program);
  if (is_good)
    return EXIT_SUCCESS;
  return config ? EXIT_FAILURE : EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) options = g_option_context_new ("CONFIG.yaml");

  setlocale (LC_ALL, "");
  g_option_context_set_summary (options, "A live page of cameras, with what a model sees in them.");
  g_option_context_add_group (options, gst_init_get_option_group ());
  if (!g_option_context_parse (options, &argc, &argv, &error)) {
    fprintf (stderr, "yolov7-web: %s\n", error->message);
    return EXIT_USAGE;
  }
  if (argc != 2) {
    fprintf (stderr, "yolov7-web: expected one file, and got %d. Usage: yolov7-web CONFIG.yaml\n",
             argc - 1);
    return EXIT_USAGE;
  }
  return run (argv[1]);
}
