/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/stream.c - the video of a camera as HLS in memory. */
#include "examples/web/stream.h"

#include <gio/gio.h>

#include "examples/common/encoder.h"
#include "examples/web/encoding.h"
#include "examples/web/playlist.h"

#define LEFT_S 5      /* nobody has asked, where another one waits for the encoder */
#define RETRY_S 2     /* after the encoder failed */
#define PATIENCE_S 10 /* with an encoder that has a frame and gives nothing */

/* Key frames are asked for by time; this is for encoders that do not listen. What they make without
 * one for longer than mp4mux waits is cut there, and can't begin a segment. */
#define KEY_FRAME_S 2
#define KEY_FRAMES_MOST 240
#define USUAL_INTERVAL_NS (40 * GST_MSECOND)

struct _Stream {
  StreamOptions options;
  EncoderInput *input; /* borrowed: who made us keeps it longer */
  gint64 epoch_us; /* the wall clock at media time 0; a constant, whatever becomes of that clock */
  guint tick;
  const char *encoder;    /* of the next pipeline */
  GCancellable *choosing; /* (nullable): while another one is looked for */
  gint64 watched_us;      /* monotonic; somebody asked */
  gint64 failed_us;       /* monotonic; 0: it did not */
  char *failure;          /* (nullable): what is told of it, until an encoder starts */
  char *logged;           /* (nullable): what was, since somebody watches */
  guint64 n_failures;

  Encoding *encoding; /* (nullable): while it runs */
  guint bus_watch;

  GMutex lock; /* of what follows */
  Playlist *playlist;
  guint64 n_segments, n_bytes;
};

/* ---- what is encoded ------------------------------------------------------------------------- */

static void
on_piece (FragmentsPiece *piece, gpointer user_data)
{
  Stream *self = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->n_segments += piece->is_init ? 0 : 1;
  self->n_bytes += g_bytes_get_size (piece->bytes);
  playlist_add (self->playlist, piece);
}

static void
stop (Stream *self)
{
  if (!self->encoding)
    return;
  encoder_input_connect (self->input, NULL);
  g_clear_handle_id (&self->bus_watch, g_source_remove);
  g_clear_pointer (&self->encoding, encoding_free);
  if (self->options.limit)
    g_queue_remove (&self->options.limit->running, self);
}

/* What was listed is old when somebody comes again. */
static void
end_watch (Stream *self)
{
  stop (self);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  playlist_empty (self->playlist);
}

/* It is tried again every RETRY_S, and said once. @why: (transfer full) */
static void
refuse_video (Stream *self, char *why)
{
  if (g_strcmp0 (why, self->logged) != 0)
    g_printerr ("%s: %s\n", self->options.name, why);
  g_free (self->logged);
  self->logged = g_strdup (why);
  g_free (self->failure);
  self->failure = why;
  self->failed_us = g_get_monotonic_time ();
}

static void
fail (Stream *self, const char *message)
{
  self->n_failures++;
  refuse_video (self, g_strdup_printf ("the video can't be encoded: %s", message));
  end_watch (self);
}

static void
choose (GTask *task, gpointer source, gpointer failed, GCancellable *cancellable)
{
  (void) source, (void) cancellable;

  g_task_return_pointer (task, (gpointer) encoder_replace (failed), NULL);
}

static void
on_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Stream *self = user_data;
  g_autoptr (GError) error = NULL;
  const char *next = g_task_propagate_pointer (G_TASK (result), &error);
  (void) source;

  if (error)
    return; /* stream_free() */
  g_clear_object (&self->choosing);
  if (!next || g_str_equal (next, self->encoder))
    return;
  g_printerr ("%s: the video is encoded by %s from now on\n", self->options.name, next);
  self->encoder = next;
}

/* Devices have so many sessions and no more. On another thread, where a driver may hang. */
static void
replace_encoder (Stream *self, const char *failed)
{
  if (self->choosing || g_strcmp0 (failed, self->encoder) != 0)
    return;
  self->choosing = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (NULL, self->choosing, on_chosen, self);
  g_task_set_task_data (task, (gpointer) self->encoder, NULL);
  g_task_run_in_thread (task, choose);
}

/* What GStreamer says to those who debug, behind the place in its source, is often all that tells
 * anything. */
static char *
describe (GstMessage *message)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *debug = NULL;

  gst_message_parse_error (message, &problem, &debug);
  const char *line_end = debug ? strchr (debug, '\n') : NULL;
  char *text = g_strdup_printf ("%s: %s%s", GST_MESSAGE_SRC_NAME (message), problem->message,
                                line_end ? line_end : "");
  return g_strstrip (g_strdelimit (text, "\r\n", ' '));
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  (void) bus;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return G_SOURCE_CONTINUE;
  Stream *self = user_data;
  g_autofree char *said = describe (message);
  self->bus_watch = 0;
  fail (self, said);
  replace_encoder (self, encoder_find (GST_MESSAGE_SRC (message)));
  return G_SOURCE_REMOVE;
}

static guint32
key_frame_interval (Stream *self)
{
  const GstClockTime known = encoder_input_interval (self->input);
  const GstClockTime interval = known ? known : USUAL_INTERVAL_NS;

  return (guint32) CLAMP (KEY_FRAME_S * GST_SECOND / interval, 1, KEY_FRAMES_MOST);
}

/* Players ask again within 2 s, and then some. */
static bool
has_room (StreamLimit *limit)
{
  if (g_queue_get_length (&limit->running) < limit->most)
    return true;
  Stream *left = limit->running.head->data;
  for (const GList *link = limit->running.head; link; link = link->next) {
    Stream *stream = link->data;
    if (stream->watched_us < left->watched_us)
      left = stream;
  }
  if (g_get_monotonic_time () - left->watched_us < LEFT_S * G_USEC_PER_SEC)
    return false;
  end_watch (left);
  return true;
}

/* With the camera's clock and base time, which is what makes times equal. */
static void
play (Stream *self)
{
  GstElement *pipeline = encoding_pipeline (self->encoding);
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "frames");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  self->bus_watch = gst_bus_add_watch (bus, on_message, self);
  encoder_input_connect (self->input, source);
  gst_pipeline_use_clock (GST_PIPELINE (pipeline), self->options.clock);
  gst_element_set_start_time (pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (pipeline, self->options.base_time);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
}

static void
start (Stream *self)
{
  StreamLimit *limit = self->options.limit;
  g_autoptr (GError) error = NULL;

  if (limit && !has_room (limit)) {
    refuse_video (self, g_strdup_printf ("as many cameras are watched as max-encoders allows (%u)",
                                         limit->most));
    return;
  }
  self->encoding = encoding_new (self->encoder, self->options.bitrate_kbps,
                                 key_frame_interval (self), on_piece, self, &error);
  if (!self->encoding) {
    fail (self, error->message);
    return;
  }
  if (limit)
    g_queue_push_tail (&limit->running, self);
  play (self);
  g_clear_pointer (&self->failure, g_free); /* where it fails again that is told anew */
}

/* ---- watched or not ------------------------------------------------------------------------- */

static gboolean
on_tick (gpointer user_data)
{
  Stream *self = user_data;
  const gint64 idle_us = g_get_monotonic_time () - self->watched_us;

  if (idle_us > (gint64) self->options.linger_s * G_USEC_PER_SEC) {
    end_watch (self);
    g_clear_pointer (&self->failure, g_free);
    g_clear_pointer (&self->logged, g_free);
  } else if (self->encoding && encoding_waits_us (self->encoding) > PATIENCE_S * G_USEC_PER_SEC) {
    fail (self, "the encoder gives nothing");
    replace_encoder (self, self->encoder);
  } else if (self->encoding && encoding_wants_restart (self->encoding)) {
    stop (self);
    start (self);
  }
  return G_SOURCE_CONTINUE;
}

static bool
may_start (const Stream *self)
{
  if (self->choosing)
    return false;
  return self->failed_us == 0 ||
         g_get_monotonic_time () - self->failed_us > RETRY_S * G_USEC_PER_SEC;
}

/* ---- exported ------------------------------------------------------------------------------- */

Stream *
stream_new (EncoderInput *input, const StreamOptions *options)
{
  Stream *self = g_new0 (Stream, 1);

  self->input = input;
  self->options = *options;
  self->encoder = options->encoder;
  g_mutex_init (&self->lock);
  self->epoch_us = g_get_real_time () - (gint64) (stream_now_ns (self) / 1000);
  self->playlist = playlist_new (options->run, self->epoch_us);
  self->tick = g_timeout_add (250, on_tick, self);
  return self;
}

void
stream_free (Stream *self)
{
  if (!self)
    return;
  g_source_remove (self->tick);
  stop (self);
  g_cancellable_cancel (self->choosing); /* NULL ok */
  g_clear_object (&self->choosing);
  playlist_free (self->playlist);
  g_free (self->failure);
  g_free (self->logged);
  g_mutex_clear (&self->lock);
  g_free (self);
}

bool
stream_watch (Stream *self, GString *text)
{
  self->watched_us = g_get_monotonic_time ();
  if (!self->encoding && may_start (self))
    start (self);

  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  if (!playlist_is_ready (self->playlist))
    return false;
  playlist_write (self->playlist, text);
  return true;
}

const char *
stream_failure (Stream *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return playlist_is_ready (self->playlist) ? NULL : self->failure;
}

GBytes *
stream_get (Stream *self, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return playlist_get (self->playlist, name);
}

gint64
stream_epoch_us (const Stream *self)
{
  return self->epoch_us;
}

GstClockTime
stream_now_ns (const Stream *self)
{
  return gst_clock_get_time (self->options.clock) - self->options.base_time;
}

void
stream_get_counters (Stream *self, StreamCounters *out)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  *out = (StreamCounters){
      .is_running = self->encoding != NULL,
      .n_segments = self->n_segments,
      .n_bytes = self->n_bytes,
      .n_failures = self->n_failures,
  };
}
