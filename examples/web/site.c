/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/site.c - what is behind which address. */
#include "examples/web/site.h"

#include <libsoup/soup.h>
#include <string.h>

#include "examples/common/metrics.h"
#include "examples/web/guard.h"
#include "examples/web/hosts.h"
#include "examples/web/waiters.h"

#define PAGE "/gst-yolov7/web/"
#define TELL_S 2

/* Nothing but our own files, and no frame of another site around them. blob: is Media Source. */
#define POLICY                                                                                     \
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "  \
  "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#define NEVER "no-store"
#define ASK "no-cache"
#define SHORTLY "private, max-age=60" /* of one viewer: it is what cameras see */

struct _Site {
  Http *http;
  Guard *guard;
  Hosts *hosts;
  Events *events;
  Waiters *waiters;
  char *run;
  GPtrArray *channels;
  guint tick;
};

/* ---- answers -------------------------------------------------------------------------------- */

static SoupMessageHeaders *
headers_of (SoupServerMessage *message)
{
  return soup_server_message_get_response_headers (message);
}

static void
answer (SoupServerMessage *message, const char *type, const char *caching, GBytes *bytes)
{
  SoupMessageHeaders *headers = headers_of (message);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_replace (headers, "Content-Type", type);
  soup_message_headers_replace (headers, "Cache-Control", caching);
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), bytes);
}

static void
answer_text (SoupServerMessage *message, const char *type, GString *text)
{
  g_autoptr (GBytes) bytes = g_string_free_to_bytes (text);

  answer (message, type, NEVER, bytes);
}

static void
refuse (SoupServerMessage *message, guint status)
{
  soup_server_message_set_status (message, status, NULL);
  soup_message_headers_replace (headers_of (message), "Cache-Control", NEVER);
  if (status == SOUP_STATUS_SERVICE_UNAVAILABLE)
    soup_message_headers_replace (headers_of (message), "Retry-After", "1");
}

/* ---- the page ------------------------------------------------------------------------------- */

static const char *
type_of (const char *name)
{
  if (g_str_has_suffix (name, ".js"))
    return "text/javascript; charset=utf-8";
  if (g_str_has_suffix (name, ".css"))
    return "text/css; charset=utf-8";
  if (g_str_has_suffix (name, ".svg"))
    return "image/svg+xml";
  return "text/html; charset=utf-8";
}

/* Browsers ask each time, and get what has changed: a page fits the server that it came from. */
static void
answer_page (SoupServerMessage *message, const char *name)
{
  g_autofree char *path = g_strconcat (PAGE, *name ? name : "index.html", NULL);
  g_autoptr (GBytes) bytes = NULL;
  if (!strchr (name, '/')) /* to GResource "a/" is "a" */
    bytes = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  if (!bytes) {
    refuse (message, SOUP_STATUS_NOT_FOUND);
    return;
  }

  g_autofree char *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
  g_autofree char *tag = g_strdup_printf ("\"%.32s\"", sum);
  const char *known = soup_message_headers_get_one (
      soup_server_message_get_request_headers (message), "If-None-Match");
  answer (message, type_of (path), ASK, bytes);
  soup_message_headers_replace (headers_of (message), "ETag", tag);
  soup_message_headers_replace (headers_of (message), "Content-Security-Policy", POLICY);
  soup_message_headers_replace (headers_of (message), "Referrer-Policy", "no-referrer");
  if (!known || !strstr (known, tag))
    return;
  soup_server_message_set_status (message, SOUP_STATUS_NOT_MODIFIED, NULL);
  soup_message_body_truncate (soup_server_message_get_response_body (message));
}

/* ---- cameras -------------------------------------------------------------------------------- */

static Channel *
find_channel (const Site *self, const char *name, gsize n_bytes)
{
  for (guint i = 0; i < self->channels->len; i++) {
    const char *known = channel_name (self->channels->pdata[i]);
    if (strlen (known) == n_bytes && memcmp (known, name, n_bytes) == 0)
      return self->channels->pdata[i];
  }
  return NULL;
}

static GString *
describe_cameras (const Site *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "run");
  json_builder_add_string_value (builder, self->run);
  json_builder_set_member_name (builder, "cameras");
  json_builder_begin_array (builder);
  for (guint i = 0; i < self->channels->len; i++)
    channel_describe (self->channels->pdata[i], builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);

  JsonNode *root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json_node_unref (root);
  return json_generator_to_gstring (generator, g_string_new (NULL));
}

/* @why: (nullable): for people */
static void
refuse_playlist (SoupServerMessage *message, const char *why)
{
  refuse (message, SOUP_STATUS_SERVICE_UNAVAILABLE);
  if (!why)
    return;
  soup_message_headers_replace (headers_of (message), "Content-Type", "text/plain; charset=utf-8");
  soup_message_body_append (soup_server_message_get_response_body (message), SOUP_MEMORY_COPY, why,
                            strlen (why));
}

/* Returns: false where there is none yet, nothing says why, and it is not @is_last */
static bool
answer_playlist (SoupServerMessage *message, gpointer channel, bool is_last)
{
  Stream *stream = channel_stream (channel);
  GString *text = g_string_new (NULL);

  if (stream_watch (stream, text)) {
    answer_text (message, "application/vnd.apple.mpegurl", text);
    return true;
  }
  g_string_free (text, TRUE);
  const char *why = stream_failure (stream);
  if (!why && !is_last)
    return false;
  refuse_playlist (message, why);
  return true;
}

/* @rest: NAME/FILE */
static void
answer_camera (Site *self, SoupServerMessage *message, const char *rest)
{
  const char *slash = strchr (rest, '/');
  Channel *channel = slash ? find_channel (self, rest, (gsize) (slash - rest)) : NULL;
  if (!channel) {
    refuse (message, SOUP_STATUS_NOT_FOUND);
    return;
  }
  if (g_str_equal (slash, "/live.m3u8")) {
    if (!answer_playlist (message, channel, false))
      waiters_add (self->waiters, message, channel);
    return;
  }

  g_autoptr (GBytes) bytes = stream_get (channel_stream (channel), slash + 1);
  if (bytes)
    answer (message, "video/mp4", SHORTLY, bytes);
  else
    refuse (message, SOUP_STATUS_NOT_FOUND);
}

/* ---- events --------------------------------------------------------------------------------- */

static GBytes *
states_event (const Site *self)
{
  GString *text = describe_cameras (self);
  GBytes *event = events_format ("cameras", text->str, text->len);

  g_string_free (text, TRUE);
  return event;
}

static void
fill_first (const Site *self, const Channel *channel, GQueue *first)
{
  g_queue_push_tail (first, states_event (self));
  if (!channel)
    return;
  for (const GList *link = channel_recent (channel)->head; link; link = link->next)
    g_queue_push_tail (first, g_bytes_ref (link->data));
}

/* His connection is taken out of libsoup's hands, which would keep all that he does not read. */
static void
accept_viewer (Site *self, SoupServerMessage *message, Channel *channel)
{
  GSocket *borrowed = http_get_socket (message);
  GQueue first = G_QUEUE_INIT;

  if (!borrowed || !events_make_room (self->events, borrowed)) {
    refuse (message, SOUP_STATUS_SERVICE_UNAVAILABLE);
    return;
  }
  g_autoptr (GSocket) socket = g_object_ref (borrowed);
  guard_forget (self->guard, socket);
  fill_first (self, channel, &first);
  events_accept (self->events, soup_server_message_steal_connection (message), socket,
                 channel ? channel_name (channel) : NULL, &first);
  g_queue_clear_full (&first, (GDestroyNotify) g_bytes_unref);
}

static void
answer_events (Site *self, SoupServerMessage *message, GHashTable *query)
{
  const char *name = query ? g_hash_table_lookup (query, "camera") : NULL;
  Channel *channel = name ? find_channel (self, name, strlen (name)) : NULL;

  if ((name && !channel) || !g_str_equal (soup_server_message_get_method (message), "GET"))
    refuse (message, SOUP_STATUS_NOT_FOUND);
  else
    accept_viewer (self, message, channel);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
            gpointer user_data)
{
  Site *self = user_data;
  (void) server;

  /* Connections may go on: examples/common/http.c ends them for want of a guard, and pages ask
   * twice a second. */
  soup_message_headers_remove (headers_of (message), "Connection");
  if (g_str_equal (path, "/cameras"))
    answer_text (message, "application/json", describe_cameras (self));
  else if (g_str_equal (path, "/events"))
    answer_events (self, message, query);
  else if (g_str_has_prefix (path, "/cameras/"))
    answer_camera (self, message, path + strlen ("/cameras/"));
  else
    answer_page (message, path + 1);
}

static double
get_bytes (const StreamCounters *counters)
{
  return (double) counters->n_bytes;
}

static double
get_segments (const StreamCounters *counters)
{
  return (double) counters->n_segments;
}

static double
get_failures (const StreamCounters *counters)
{
  return (double) counters->n_failures;
}

static double
is_encoding (const StreamCounters *counters)
{
  return counters->is_running;
}

static const struct {
  const char *name, *type, *help;
  double (*get) (const StreamCounters *);
} families[] = {
    {"yolov7_web_video_bytes_total", "counter", "Bytes of video that were made.", get_bytes},
    {"yolov7_web_segments_total", "counter", "Segments of video that were made.", get_segments},
    {"yolov7_web_encoder_failures_total", "counter", "Times that the encoder failed.",
     get_failures},
    {"yolov7_web_encoding", "gauge", "1: somebody watches, and video is encoded.", is_encoding},
};

static void
add_stream_metrics (const Site *self, GString *out)
{
  StreamCounters counters;

  for (guint family = 0; family < G_N_ELEMENTS (families); family++) {
    metrics_begin (out, families[family].name, families[family].type, families[family].help);
    for (guint i = 0; i < self->channels->len; i++) {
      stream_get_counters (channel_stream (self->channels->pdata[i]), &counters);
      metrics_add (out, families[family].name, families[family].get (&counters), "camera",
                   channel_name (self->channels->pdata[i]), NULL);
    }
  }
}

static void
write_metrics (GString *out, gpointer user_data)
{
  const Site *self = user_data;
  g_autoptr (GPtrArray) cameras = g_ptr_array_new ();
  EventsCounters viewers;

  for (guint i = 0; i < self->channels->len; i++)
    g_ptr_array_add (cameras, channel_camera (self->channels->pdata[i]));
  metrics_add_cameras (out, cameras);
  add_stream_metrics (self, out);
  events_get_counters (self->events, &viewers);
  metrics_begin (out, "yolov7_web_viewers", "gauge", "Who is told of events now.");
  metrics_add (out, "yolov7_web_viewers", viewers.n_viewers, NULL);
  metrics_begin (out, "yolov7_web_dropped_viewers_total", "counter",
                 "Who did not read, or had to make room.");
  metrics_add (out, "yolov7_web_dropped_viewers_total", (double) viewers.n_dropped, NULL);
  metrics_begin (out, "yolov7_web_closed_connections_total", "counter",
                 "Of clients that were too slow, too many, or sent what nobody wants.");
  metrics_add (out, "yolov7_web_closed_connections_total", (double) guard_n_refused (self->guard),
               NULL);
}

/* ---- exported ------------------------------------------------------------------------------- */

static gboolean
on_tick (gpointer user_data)
{
  site_tell_states (user_data);
  return G_SOURCE_CONTINUE;
}

Site *
site_new (Http *http, const char *run, GPtrArray *channels, const GPtrArray *hosts,
          const SiteLimits *limits)
{
  Site *self = g_new0 (Site, 1);

  self->http = http;
  self->run = g_strdup (run);
  self->channels = channels;
  self->guard = guard_new (http_server (http), limits->connections);
  self->hosts = hosts_new (http_server (http), hosts);
  self->events = events_new (limits->viewers);
  self->waiters = waiters_new (answer_playlist);
  http_add_text (http, "/metrics", METRICS_TYPE, write_metrics, self);
  soup_server_add_handler (http_server (http), "/", on_request, self, NULL);
  self->tick = g_timeout_add_seconds (TELL_S, on_tick, self);
  return self;
}

void
site_free (Site *self)
{
  if (!self)
    return;
  soup_server_remove_handler (http_server (self->http), "/");
  soup_server_remove_handler (http_server (self->http), "/metrics");
  g_source_remove (self->tick);
  waiters_free (self->waiters);
  events_free (self->events);
  hosts_free (self->hosts);
  guard_free (self->guard);
  g_free (self->run);
  g_free (self);
}

void
site_tell_states (Site *self)
{
  g_autoptr (GBytes) event = states_event (self);

  events_send (self->events, NULL, event);
}

void
site_tell_record (Site *self, Channel *channel, GBytes *event)
{
  events_send (self->events, channel_name (channel), event);
}
