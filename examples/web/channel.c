/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/channel.c - a camera as the page shows it. */
#include "examples/web/channel.h"

#include "examples/web/encoderinput.h"
#include "examples/web/events.h"
#include "examples/web/records.h"

struct _Channel {
  ChannelCalls calls;
  Records *records;
  Camera *camera;
  EncoderInput *input;
  Stream *stream;
  char *reason;   /* of the last loss; NULL while it plays */
  GQueue recent;  /* GBytes * */
  gsize n_recent; /* bytes of these */
};

/* ---- what the camera tells ------------------------------------------------------------------ */

static void
on_frame (Camera *camera, GstSample *sample, gpointer user_data)
{
  Channel *self = user_data;
  (void) camera;

  encoder_input_give (self->input, sample);
}

static void
on_state (Camera *camera, CameraState state, const char *reason, gpointer user_data)
{
  Channel *self = user_data;
  (void) camera;

  g_free (self->reason);
  self->reason = state == CAMERA_PLAYING ? NULL : g_strdup (reason);
  self->calls.changed (self->calls.user_data);
}

static void
keep (Channel *self, GBytes *event)
{
  g_queue_push_tail (&self->recent, g_bytes_ref (event));
  self->n_recent += g_bytes_get_size (event);
  while (g_queue_get_length (&self->recent) > CHANNEL_KEPT_RECORDS ||
         self->n_recent > CHANNEL_KEPT_BYTES) {
    g_autoptr (GBytes) oldest = g_queue_pop_head (&self->recent);
    self->n_recent -= g_bytes_get_size (oldest);
  }
}

static void
on_record (const char *line, gsize n_bytes, gpointer user_data)
{
  Channel *self = user_data;
  g_autoptr (GBytes) event = events_format ("record", line, n_bytes);

  keep (self, event);
  self->calls.record (self, event, self->calls.user_data);
}

/* ---- exported ------------------------------------------------------------------------------- */

Channel *
channel_new (CameraConfig *config, const StreamOptions *options, const ChannelCalls *calls,
             GError **error)
{
  g_autoptr (CameraConfig) owned = config;
  g_autoptr (Channel) self = g_new0 (Channel, 1);

  g_queue_init (&self->recent);
  self->calls = *calls;
  self->records = records_new (on_record, self, error);
  if (!self->records)
    return NULL;
  g_autofree char *also = records_launch (self->records, owned->name);
  const CameraOptions camera_options = {.is_shown = true, .also = also};
  const CameraCalls camera_calls = {.frame = on_frame, .state = on_state, .user_data = self};
  self->camera = camera_new (g_steal_pointer (&owned), &camera_options, &camera_calls, error);
  if (!self->camera)
    return NULL;

  StreamOptions stream_options = *options;
  stream_options.name = channel_name (self);
  stream_options.clock = camera_clock (self->camera);
  stream_options.base_time = camera_base_time (self->camera);
  self->input = encoder_input_new (stream_options.clock);
  self->stream = stream_new (self->input, &stream_options);
  return g_steal_pointer (&self);
}

/* The video first, which takes from the input; then the camera, which gives to all others. */
void
channel_free (Channel *self)
{
  if (!self)
    return;
  stream_free (self->stream);
  camera_free (self->camera);
  encoder_input_free (self->input);
  records_free (self->records);
  g_queue_clear_full (&self->recent, (GDestroyNotify) g_bytes_unref);
  g_free (self->reason);
  g_free (self);
}

bool
channel_start (Channel *self, GError **error)
{
  return camera_start (self->camera, error);
}

void
channel_stop (Channel *self)
{
  camera_stop (self->camera);
}

const char *
channel_name (const Channel *self)
{
  return camera_config (self->camera)->name;
}

Camera *
channel_camera (Channel *self)
{
  return self->camera;
}

Stream *
channel_stream (Channel *self)
{
  return self->stream;
}

const GQueue *
channel_recent (const Channel *self)
{
  return &self->recent;
}

static void
add_number (JsonBuilder *to, const char *name, guint64 value)
{
  json_builder_set_member_name (to, name);
  json_builder_add_int_value (to, (gint64) value);
}

static void
add_text (JsonBuilder *to, const char *name, const char *value)
{
  json_builder_set_member_name (to, name);
  json_builder_add_string_value (to, value);
}

void
channel_describe (Channel *self, JsonBuilder *to)
{
  CameraCounters counters;

  camera_get_counters (self->camera, &counters);
  json_builder_begin_object (to);
  add_text (to, "name", channel_name (self));
  add_text (to, "state", camera_state_name (counters.state));
  const gint64 age_us = g_get_monotonic_time () - counters.since_us;
  add_number (to, "since", (guint64) (g_get_real_time () - age_us) / 1000);
  if (self->reason)
    add_text (to, "reason", self->reason);
  const char *failure = stream_failure (self->stream);
  if (failure)
    add_text (to, "video_error", failure);
  add_number (to, "frames", counters.n_frames);
  add_number (to, "analysed", counters.n_analysed);
  add_number (to, "dropped", counters.n_dropped);
  add_number (to, "losses", counters.n_losses);
  add_number (to, "now_ns", stream_now_ns (self->stream));
  add_number (to, "epoch_us", (guint64) stream_epoch_us (self->stream));
  json_builder_end_object (to);
}
