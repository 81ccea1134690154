/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/clients.c - connections are ended by their sockets alone: their own threads
 * see that, and close them. */
#include "examples/rtsp-server/clients.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>

#include "examples/rtsp-server/media.h"

#define CLEANUP_S 2
#define SESSIONS_PER_CLIENT 4 /* of several mounts, or of connections that are closed */
#define SPARE_FILES 64 /* for what is under way: cameras that connect again, a client that asks */
#define QUIET_US (60 * G_USEC_PER_SEC) /* between two complaints about strangers */

struct _Clients {
  GstRTSPServer *rtsp; /* borrowed */
  guint max_clients, timeout_s, n_files;
  guint timer;
  guint n; /* atomic */
  guint n_refused;
  gint64 told_us; /* when that was last told; 0: never */
};

static GSocket *
get_socket (GstRTSPClient *client)
{
  return g_object_get_data (G_OBJECT (client), "socket");
}

static void
hang_up (GstRTSPClient *client)
{
  g_socket_shutdown (get_socket (client), TRUE, TRUE, NULL);
}

/* ---- a client comes ------------------------------------------------------------------------- */

static void
begin_to_play (GstRTSPClient *client, GstRTSPContext *context, gpointer unused)
{
  (void) client;
  (void) unused;
  if (context->media)
    media_make_key_frame (context->media);
}

static void
lose_client (GstRTSPClient *client, gpointer clients)
{
  (void) client;
  g_atomic_int_add (&((Clients *) clients)->n, -1);
}

static void
limit_session (GstRTSPClient *client, GstRTSPSession *session, gpointer clients)
{
  (void) client;
  gst_rtsp_session_set_timeout (session, ((Clients *) clients)->timeout_s);
}

/* With a SETUP that is in no session yet one begins. */
static GstRTSPStatusCode
limit_sessions (GstRTSPClient *client, GstRTSPContext *context, gpointer unused)
{
  GList *sessions = gst_rtsp_client_session_filter (client, NULL, NULL);
  const guint n = g_list_length (sessions);

  (void) unused;
  g_list_free_full (sessions, g_object_unref);
  return context->session || n < SESSIONS_PER_CLIENT ? GST_RTSP_STS_OK
                                                     : GST_RTSP_STS_SERVICE_UNAVAILABLE;
}

/* Of a client that is gone without a word: else the system keeps trying for hours. */
static void
limit_socket (GSocket *socket, guint timeout_s)
{
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPIDLE, (int) timeout_s, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_USER_TIMEOUT, (int) timeout_s * 1000, NULL);
}

/* Returns: (nullable): why there is no room for another. Descriptors are given in order, so that
 * of @socket says how many there are. */
static const char *
find_no_room (Clients *clients, GSocket *socket)
{
  const guint spare = MIN (SPARE_FILES, clients->n_files / 4);

  if ((guint) g_socket_get_fd (socket) + spare >= clients->n_files)
    return "file descriptors (LimitNOFILE=, ulimit -n) are used up";
  return clients_n (clients) > clients->max_clients ? "max-clients are there" : NULL;
}

static void
refuse (Clients *clients, GstRTSPClient *client, const char *why)
{
  const gint64 now_us = g_get_monotonic_time ();

  clients->n_refused++;
  hang_up (client);
  if (clients->told_us && now_us - clients->told_us < QUIET_US)
    return;
  clients->told_us = now_us;
  g_warning ("a client is refused: %s; this is told once a minute", why);
}

static void
meet_client (GstRTSPServer *rtsp, GstRTSPClient *client, gpointer user_data)
{
  Clients *clients = user_data;
  GSocket *socket = gst_rtsp_connection_get_read_socket (gst_rtsp_client_get_connection (client));

  (void) rtsp;
  g_atomic_int_inc (&clients->n);
  g_object_set_data_full (G_OBJECT (client), "socket", g_object_ref (socket), g_object_unref);
  g_object_set (client, "post-session-timeout", (int) clients->timeout_s, NULL);
  g_signal_connect (client, "new-session", G_CALLBACK (limit_session), clients);
  g_signal_connect (client, "pre-setup-request", G_CALLBACK (limit_sessions), NULL);
  g_signal_connect (client, "play-request", G_CALLBACK (begin_to_play), NULL);
  g_signal_connect (client, "closed", G_CALLBACK (lose_client), clients);
  limit_socket (socket, clients->timeout_s);
  const char *why = find_no_room (clients, socket);
  if (why)
    refuse (clients, client, why);
}

/* ---- a client goes -------------------------------------------------------------------------- */

/* Whether a pipeline that @session gets has failed. */
static bool
has_failed (GstRTSPSession *session)
{
  GList *medias = gst_rtsp_session_filter (session, NULL, NULL);
  bool failed = false;

  for (const GList *at = medias; at; at = at->next) {
    GstRTSPMedia *media = gst_rtsp_session_media_get_media (at->data);
    failed |= media && gst_rtsp_media_get_status (media) == GST_RTSP_MEDIA_STATUS_ERROR;
  }
  g_list_free_full (medias, g_object_unref);
  return failed;
}

/* The library leaves it to wait for pictures. */
static GstRTSPFilterResult
hang_up_failed (GstRTSPServer *rtsp, GstRTSPClient *client, gpointer unused)
{
  GList *sessions = gst_rtsp_client_session_filter (client, NULL, NULL);
  bool failed = false;

  (void) rtsp;
  (void) unused;
  for (const GList *at = sessions; at; at = at->next)
    failed |= has_failed (at->data);
  g_list_free_full (sessions, g_object_unref);
  if (failed)
    hang_up (client);
  return GST_RTSP_FILTER_KEEP;
}

/* The library keeps those of closed connections until they time out, although nothing is left in
 * them, and they would keep others out. One that is new is empty for a moment. */
static GstRTSPFilterResult
remove_empty (GstRTSPSessionPool *pool, GstRTSPSession *session, gpointer clients)
{
  GList *medias = gst_rtsp_session_filter (session, NULL, NULL);
  const bool is_empty = medias == NULL;
  const bool was_empty = g_object_get_data (G_OBJECT (session), "empty") != NULL;

  (void) pool;
  g_list_free_full (medias, g_object_unref);
  g_object_set_data (G_OBJECT (session), "empty", is_empty ? clients : NULL);
  return is_empty && was_empty ? GST_RTSP_FILTER_REMOVE : GST_RTSP_FILTER_KEEP;
}

static gboolean
clean_up (gpointer user_data)
{
  Clients *clients = user_data;
  g_autoptr (GstRTSPSessionPool) pool = gst_rtsp_server_get_session_pool (clients->rtsp);

  gst_rtsp_session_pool_cleanup (pool);
  g_list_free_full (gst_rtsp_session_pool_filter (pool, remove_empty, clients), g_object_unref);
  g_list_free_full (gst_rtsp_server_client_filter (clients->rtsp, hang_up_failed, NULL),
                    g_object_unref);
  return G_SOURCE_CONTINUE;
}

Clients *
clients_new (GstRTSPServer *rtsp, guint max_clients, guint timeout_s, guint n_files)
{
  Clients *clients = g_new0 (Clients, 1);
  g_autoptr (GstRTSPSessionPool) pool = gst_rtsp_server_get_session_pool (rtsp);

  clients->rtsp = rtsp;
  clients->max_clients = max_clients;
  clients->timeout_s = timeout_s;
  clients->n_files = n_files;
  gst_rtsp_session_pool_set_max_sessions (pool, SESSIONS_PER_CLIENT * max_clients);
  g_signal_connect (rtsp, "client-connected", G_CALLBACK (meet_client), clients);
  clients->timer = g_timeout_add_seconds (CLEANUP_S, clean_up, clients);
  return clients;
}

void
clients_free (Clients *clients)
{
  if (!clients)
    return;
  g_source_remove (clients->timer);
  g_free (clients);
}

guint
clients_n (Clients *clients)
{
  return (guint) g_atomic_int_get (&clients->n);
}

guint
clients_n_refused (const Clients *clients)
{
  return clients->n_refused;
}
