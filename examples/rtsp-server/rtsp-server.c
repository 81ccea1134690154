/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/rtsp-server.c - yolov7-rtsp-server CONFIG.yaml: cameras with boxes drawn,
 * for RTSP clients. docs/rtsp-server.md is about it.
 */
#include <glib-unix.h>
#include <locale.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/error.h"
#include "examples/common/encoder.h"
#include "examples/common/http.h"
#include "examples/common/metrics.h"
#include "examples/common/service.h"
#include "examples/rtsp-server/clients.h"
#include "examples/rtsp-server/mount.h"

#define MAX_HEAPS 2
#define EXIT_USAGE 2 /* what is wrong here does not get right by another try; the unit knows it */
#define BACKLOG 128  /* after a restart all clients come at once */
/* A request waits for the encoder, and others of its thread for it. */
#define MAX_CLIENT_THREADS 8
#define MAX_BODY (64 * 1024) /* bytes; it is read before anybody is asked for a password */
#define CLIENTS_END_US (10 * G_USEC_PER_SEC) /* what takes longer hangs */

typedef struct {
  ServerConfig *config;
  Encoders encoders;
  guint n_files; /* that the process may have open */
  GstRTSPServer *rtsp;
  Clients *clients;
  GSource *listening;
  Http *http;         /* NULL: no metrics */
  GPtrArray *mounts;  /* of Mount * */
  GPtrArray *cameras; /* of Camera *, borrowed from the mounts */
  GMainLoop *loop;
  guint n_started;   /* cameras */
  GAsyncQueue *over; /* has something when clients are */
  GError *error;     /* of one that can't be started */
} Server;

static void
free_mount (gpointer mount)
{
  mount_free (mount);
}

static void
server_clear (Server *server)
{
  http_free (server->http);
  if (server->listening)
    g_source_destroy (server->listening);
  g_clear_pointer (&server->listening, g_source_unref);
  g_clear_object (&server->rtsp);
  g_clear_pointer (&server->over, g_async_queue_unref);
  g_clear_pointer (&server->clients, clients_free);
  g_clear_pointer (&server->cameras, g_ptr_array_unref);
  g_clear_pointer (&server->mounts, g_ptr_array_unref);
  g_clear_pointer (&server->loop, g_main_loop_unref);
  g_clear_error (&server->error);
  server_config_free (server->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Server, server_clear)

/* ---- metrics -------------------------------------------------------------------------------- */

static void
write_mounts (GString *out, const Server *server, const char *name, const char *help,
              double (*get) (Mount *mount))
{
  metrics_begin (out, name, "counter", help);
  for (guint i = 0; i < server->mounts->len; i++)
    metrics_add (out, name, get (server->mounts->pdata[i]), "camera",
                 camera_config (server->cameras->pdata[i])->name, NULL);
}

static double
get_dropped (Mount *mount)
{
  return (double) relay_n_dropped (mount_relay (mount));
}

static double
get_errors (Mount *mount)
{
  return media_factory_n_errors (mount_factory (mount));
}

static void
write_metrics (GString *out, gpointer user_data)
{
  Server *server = user_data;

  metrics_add_cameras (out, server->cameras);
  metrics_begin (out, "yolov7_rtsp_clients", "gauge", "Clients that are connected.");
  metrics_add (out, "yolov7_rtsp_clients", clients_n (server->clients), NULL);
  metrics_begin (out, "yolov7_rtsp_refused_clients_total", "counter",
                 "Clients that there was no room for.");
  metrics_add (out, "yolov7_rtsp_refused_clients_total", clients_n_refused (server->clients), NULL);
  write_mounts (out, server, "yolov7_rtsp_dropped_frames_total",
                "Frames that encoders had no room for.", get_dropped);
  write_mounts (out, server, "yolov7_rtsp_encoding_errors_total",
                "Pipelines for clients that failed.", get_errors);
}

static gboolean
start_metrics (Server *server, GError **error)
{
  const ServerConfig *config = server->config;

  if (config->metrics_port < 0)
    return TRUE;
  server->http = http_new (config->metrics_address, (guint16) config->metrics_port, error);
  if (!server->http)
    return FALSE;
  http_limit (server->http, HTTP_FEW);
  http_add_text (server->http, "/metrics", METRICS_TYPE, write_metrics, server);
  return TRUE;
}

/* ---- who may look --------------------------------------------------------------------------- */

static void
add_user (GstRTSPAuth *auth, const User *user, gboolean is_basic)
{
  GstRTSPToken *token =
      gst_rtsp_token_new (GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, MEDIA_ROLE, NULL);

  if (is_basic) {
    g_autofree char *basic = gst_rtsp_auth_make_basic (user->name, user->password);
    gst_rtsp_auth_add_basic (auth, basic, token);
  } else {
    gst_rtsp_auth_add_digest (auth, user->name, user->password, token);
  }
  gst_rtsp_token_unref (token);
}

static void
let_everybody_in (GstRTSPAuth *auth)
{
  GstRTSPToken *token =
      gst_rtsp_token_new (GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, MEDIA_ROLE, NULL);

  gst_rtsp_auth_set_default_token (auth, token);
  gst_rtsp_token_unref (token);
}

/* GLib takes a file without a key, and then no client gets through. */
static gboolean
has_key (const char *path)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && strstr (text, "PRIVATE KEY-----");
}

static GTlsCertificate *
read_certificate (const char *path, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_file (path, error);

  if (!certificate) {
    g_prefix_error (error, "%s: no certificate: ", path);
    return NULL;
  }
  if (has_key (path))
    return g_steal_pointer (&certificate);
  g_set_error (error, YV_ERROR, YV_ERROR_MALFORMED,
               "%s: has a certificate without its key; expected both in one PEM file", path);
  return NULL;
}

static gboolean
set_auth (Server *server, GError **error)
{
  const ServerConfig *config = server->config;
  g_autoptr (GstRTSPAuth) auth = gst_rtsp_auth_new ();

  gst_rtsp_auth_set_supported_methods (auth, config->is_basic ? GST_RTSP_AUTH_BASIC
                                                              : GST_RTSP_AUTH_DIGEST);
  gst_rtsp_auth_set_realm (auth, "yolov7-rtsp-server");
  for (guint i = 0; i < config->users->len; i++)
    add_user (auth, config->users->pdata[i], config->is_basic);
  if (config->users->len == 0)
    let_everybody_in (auth);
  if (config->tls_certificate) {
    g_autoptr (GTlsCertificate) certificate = read_certificate (config->tls_certificate, error);
    if (!certificate)
      return FALSE;
    gst_rtsp_auth_set_tls_certificate (auth, certificate);
  }
  gst_rtsp_server_set_auth (server->rtsp, auth);
  return TRUE;
}

/* ---- life ----------------------------------------------------------------------------------- */

static gboolean
find_encoder (Server *server, GError **error)
{
  server->encoders.first = encoder_choose (NULL, error);
  server->encoders.max_own = server->config->max_clients;
  if (server->encoders.first)
    g_message ("encoder: %s", server->encoders.first);
  return server->encoders.first != NULL;
}

static gboolean
add_mounts (Server *server, GError **error)
{
  g_autoptr (GstRTSPMountPoints) points = gst_rtsp_server_get_mount_points (server->rtsp);

  for (guint i = 0; i < server->config->mounts->len; i++) {
    Mount *mount = mount_new (server->config->mounts->pdata[i], &server->encoders, error);
    if (!mount)
      return FALSE;
    g_ptr_array_add (server->mounts, mount);
    g_ptr_array_add (server->cameras, mount_camera (mount));
    mount_add_to (mount, points);
  }
  return TRUE;
}

static gboolean
listen_on (Server *server, const char *address, GError **error)
{
  gst_rtsp_server_set_address (server->rtsp, address);
  server->listening = gst_rtsp_server_create_source (server->rtsp, NULL, error);
  if (server->listening)
    return TRUE;
  g_prefix_error (error, "RTSP on %s port %u: ", address, server->config->port);
  return FALSE;
}

static gboolean
listen_for_clients (Server *server, GError **error)
{
  const char *address = server->config->address;
  g_autofree char *service = g_strdup_printf ("%u", server->config->port);

  gst_rtsp_server_set_backlog (server->rtsp, BACKLOG);
  gst_rtsp_server_set_service (server->rtsp, service);
  /* IPv6's all addresses are IPv4's, too, on machines that have it. */
  if (address ? !listen_on (server, address, error)
              : !listen_on (server, "::", NULL) && !listen_on (server, "0.0.0.0", error))
    return FALSE;
  g_source_attach (server->listening, NULL);
  return TRUE;
}

/* On stdout: who starts us reads the ports there. */
static void
tell_addresses (const Server *server)
{
  const ServerConfig *config = server->config;
  const char *scheme = config->tls_certificate ? "rtsps" : "rtsp";
  g_autofree char *host = gst_rtsp_server_get_address (server->rtsp);
  g_autofree char *in_brackets = strchr (host, ':') ? g_strdup_printf ("[%s]", host) : NULL;

  for (guint i = 0; i < config->mounts->len; i++)
    g_print ("%s://%s:%d%s\n", scheme, in_brackets ? in_brackets : host,
             gst_rtsp_server_get_bound_port (server->rtsp),
             ((const MountConfig *) config->mounts->pdata[i])->path);
  if (server->http)
    g_print ("http://%s:%u/metrics\n", config->metrics_address, http_port (server->http));
  fflush (stdout);
}

/* One after the other, so that signals are heard between two models. */
static gboolean
start_next_camera (gpointer user_data)
{
  Server *server = user_data;

  if (server->n_started == server->cameras->len) {
    tell_addresses (server);
    service_tell_ready ();
    return G_SOURCE_REMOVE;
  }
  if (camera_start (server->cameras->pdata[server->n_started++], &server->error))
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (server->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
quit (gpointer user_data)
{
  g_main_loop_quit (((Server *) user_data)->loop);
  return G_SOURCE_CONTINUE;
}

static GstRTSPFilterResult
remove_client (GstRTSPServer *rtsp, GstRTSPClient *client, gpointer unused)
{
  (void) rtsp;
  (void) client;
  (void) unused;
  return GST_RTSP_FILTER_REMOVE;
}

/* On a thread of its own, because it waits for theirs, which know mounts. */
static gpointer
end_clients (gpointer user_data)
{
  Server *server = user_data;
  GList *left = gst_rtsp_server_client_filter (server->rtsp, remove_client, NULL);

  g_list_free_full (left, g_object_unref);
  g_clear_object (&server->rtsp);
  gst_rtsp_thread_pool_cleanup ();
  g_async_queue_push (server->over, server);
  return NULL;
}

/* Threads that hang know what is there, so that nothing can be freed. */
static void
leave_clients_behind (Server *server)
{
  g_warning ("pipelines for clients hang: not over within %d s, the server ends without them",
             (int) (CLIENTS_END_US / G_USEC_PER_SEC));
  for (guint i = 0; i < server->cameras->len; i++)
    camera_end (server->cameras->pdata[i]);
  _exit (EXIT_FAILURE);
}

/* Cameras end all at once: each may take as long as its publisher. */
static void
end (Server *server)
{
  g_source_destroy (server->listening);
  GThread *thread = g_thread_new ("end", end_clients, server);
  for (guint i = 0; i < server->cameras->len; i++)
    camera_stop (server->cameras->pdata[i]);
  if (!g_async_queue_timeout_pop (server->over, CLIENTS_END_US))
    leave_clients_behind (server);
  g_thread_join (thread);
}

static gboolean
set_up (Server *server, GError **error)
{
  server->rtsp = gst_rtsp_server_new ();
  server->over = g_async_queue_new ();
  g_autoptr (GstRTSPThreadPool) threads = gst_rtsp_server_get_thread_pool (server->rtsp);
  gst_rtsp_thread_pool_set_max_threads (threads, MAX_CLIENT_THREADS);
  gst_rtsp_server_set_content_length_limit (server->rtsp, MAX_BODY);
  server->clients = clients_new (server->rtsp, server->config->max_clients,
                                 server->config->client_timeout_s, server->n_files);
  server->loop = g_main_loop_new (NULL, FALSE);
  server->mounts = g_ptr_array_new_with_free_func (free_mount);
  server->cameras = g_ptr_array_new ();
  return set_auth (server, error) && find_encoder (server, error) && add_mounts (server, error) &&
         listen_for_clients (server, error) && start_metrics (server, error);
}

static void
serve (Server *server)
{
  const guint signals[] = {g_unix_signal_add (SIGINT, quit, server),
                           g_unix_signal_add (SIGTERM, quit, server)};

  g_idle_add (start_next_camera, server);
  g_main_loop_run (server->loop);
  /* Whoever sends a second signal does not want to wait: it has its usual effect. */
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_source_remove (signals[i]);
  end (server);
}

static int
run (Server *server, const char *path)
{
  g_autoptr (GError) error = NULL;

  server->config = server_config_read (path, &error);
  if (server->config && set_up (server, &error)) {
    serve (server);
    error = g_steal_pointer (&server->error);
  }
  if (!error)
    return EXIT_SUCCESS;
  g_printerr ("%s: %s\n", g_get_prgname (), error->message);
  return server->config ? EXIT_FAILURE : EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Server) server = {.n_files = service_raise_files ()};

  /* Threads come and go with sources and clients, and each of glibc's usual 8 heaps for each core
   * would keep its high-water mark. */
#ifdef __GLIBC__
  mallopt (M_ARENA_MAX, MAX_HEAPS);
#endif
  setlocale (LC_ALL, "");
  g_autoptr (GOptionContext) options = g_option_context_new ("CONFIG.yaml");
  g_option_context_set_summary (options, "Serves cameras over RTSP, with what YOLOv7 finds drawn.");
  g_option_context_add_group (options, gst_init_get_option_group ());
  if (!g_option_context_parse (options, &argc, &argv, &error) || argc != 2) {
    g_printerr ("%s: %s\nUsage: %s CONFIG.yaml; --help says more\n", g_get_prgname (),
                error ? error->message : "expected one file", g_get_prgname ());
    return EXIT_USAGE;
  }
  return run (&server, argv[1]);
}
