/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/encoding.c - a pipeline from frames to pieces of MP4. */
#include "examples/web/encoding.h"

#include <gst/app/app.h>
#include <gst/video/video.h>

#include "examples/common/encoder.h"

#define SEGMENT_NS GST_SECOND
#define ROUNDING_NS GST_MSECOND /* more than the sum of 1/90000 s in a segment can be off */
#define LONGEST_MS 10000
#define STUCK_S 3 /* an encoder that owes a frame for so long may not end, either */

struct _Encoding { /* g_atomic_rc_box: probes and callbacks have references */
  GstElement *pipeline;
  gint wants_restart; /* atomic: the size has changed */

  /* streaming thread */
  Fragments *fragments;
  FragmentsPiece segment; /* the next one, so far */
  GstClockTime key_at;
  gint width, height; /* px; 0: before the first caps */

  GMutex lock;        /* of what follows */
  EncodingGive piece; /* NULL: nobody wants them any more */
  gpointer user_data;
  gint64 waits_us; /* monotonic: a frame came, and nothing has come out since; 0: none */
};

static void encoding_unref (gpointer self);

/* ---- before the encoder, on its thread ------------------------------------------------------ */

/* mp4mux takes no other size than the first. Returns: whether it is another one */
static bool
is_other_size (Encoding *self, GstEvent *event)
{
  GstCaps *caps;
  gint width = 0, height = 0;

  gst_event_parse_caps (event, &caps);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  gst_structure_get_int (structure, "width", &width);
  gst_structure_get_int (structure, "height", &height);
  const bool is_other = self->width > 0 && (width != self->width || height != self->height);
  self->width = width;
  self->height = height;
  return is_other;
}

static GstPadProbeReturn
on_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Encoding *self = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  (void) pad;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS && is_other_size (self, event))
    g_atomic_int_set (&self->wants_restart, 1);
  return g_atomic_int_get (&self->wants_restart) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static void
note_in (Encoding *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->waits_us == 0)
    self->waits_us = g_get_monotonic_time ();
}

/* A key frame at each full second of media time, so that segments begin there. */
static GstPadProbeReturn
on_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Encoding *self = user_data;
  const GstClockTime pts = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  g_autoptr (GstElement) encoder = gst_pad_get_parent_element (pad);

  if (g_atomic_int_get (&self->wants_restart))
    return GST_PAD_PROBE_DROP;
  note_in (self);
  if (!encoder || !GST_CLOCK_TIME_IS_VALID (pts) || pts < self->key_at)
    return GST_PAD_PROBE_OK;
  self->key_at = (pts / SEGMENT_NS + 1) * SEGMENT_NS;
  gst_element_send_event (
      encoder, gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_encoded (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Encoding *self = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  (void) pad, (void) info;

  self->waits_us = 0;
  return GST_PAD_PROBE_OK;
}

/* ---- behind the muxer, on its thread -------------------------------------------------------- */

static void
give (Encoding *self, FragmentsPiece *piece)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->piece)
    self->piece (piece, self->user_data);
  else
    fragments_piece_clear (piece);
}

/* mp4mux cuts at each key frame, whoever wanted it; a segment goes on into another second. */
static void
add_fragment (Encoding *self, FragmentsPiece *piece)
{
  if (!self->segment.bytes && !piece->is_sync) {
    fragments_piece_clear (piece);
    return;
  }
  fragments_piece_join (&self->segment, piece);
  const GstClockTime end = self->segment.pts_ns + self->segment.duration_ns + ROUNDING_NS;
  if (end / SEGMENT_NS > self->segment.pts_ns / SEGMENT_NS)
    give (self, &self->segment);
}

static void
take_pieces (Encoding *self)
{
  FragmentsPiece piece;

  while (fragments_take (self->fragments, &piece)) {
    if (piece.is_init)
      give (self, &piece);
    else
      add_fragment (self, &piece);
  }
}

static GstFlowReturn
refuse (GstAppSink *sink, const char *message)
{
  GST_ELEMENT_ERROR (sink, STREAM, MUX, ("%s", message), (NULL));
  return GST_FLOW_ERROR;
}

/* Frames go into a fragment with their PTS; headers have none. */
static GstFlowReturn
on_bytes (GstAppSink *sink, gpointer user_data)
{
  Encoding *self = user_data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  g_autoptr (GError) error = NULL;
  GstMapInfo map;

  if (!sample)
    return GST_FLOW_EOS;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return refuse (sink, "what the muxer made can't be read");
  const bool is_good =
      fragments_push (self->fragments, map.data, map.size,
                      GST_CLOCK_TIME_IS_VALID (GST_BUFFER_PTS (buffer)) ? GST_BUFFER_PTS (buffer)
                                                                        : FRAGMENTS_NO_TIME,
                      &error);
  gst_buffer_unmap (buffer, &map);
  if (!is_good)
    return refuse (sink, error->message);
  take_pieces (self);
  return GST_FLOW_OK;
}

/* ---- the pipeline --------------------------------------------------------------------------- */

static void
clear (gpointer data)
{
  Encoding *self = data;

  fragments_free (self->fragments);
  fragments_piece_clear (&self->segment);
  g_mutex_clear (&self->lock);
}

static void
encoding_unref (gpointer self)
{
  g_atomic_rc_box_release_full (self, clear);
}

static void
add_probe (Encoding *self, GstElement *encoder, const char *name, GstPadProbeType type,
           GstPadProbeCallback call)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (encoder, name);

  gst_pad_add_probe (pad, type, call, g_atomic_rc_box_acquire (self), encoding_unref);
}

static void
connect_elements (Encoding *self)
{
  g_autoptr (GstElement) encoder = gst_bin_get_by_name (GST_BIN (self->pipeline), "encoder");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (self->pipeline), "pieces");
  GstAppSinkCallbacks calls = {.new_sample = on_bytes};

  add_probe (self, encoder, "sink", GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event);
  add_probe (self, encoder, "sink", GST_PAD_PROBE_TYPE_BUFFER, on_frame);
  add_probe (self, encoder, "src", GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
             on_encoded);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &calls, g_atomic_rc_box_acquire (self),
                              encoding_unref);
}

/* ---- exported ------------------------------------------------------------------------------- */

Encoding *
encoding_new (const char *encoder, guint32 bitrate_kbps, guint32 key_frame_interval,
              EncodingGive piece, gpointer user_data, GError **error)
{
  g_autofree char *encode = encoder_launch (encoder, bitrate_kbps, key_frame_interval);
  g_autofree char *launch = g_strdup_printf (
      "appsrc name=frames ! %s ! h264parse ! video/x-h264,stream-format=avc,alignment=au ! "
      "mp4mux trak-timescale=90000 fragment-duration=%d ! appsink name=pieces sync=false",
      encode, LONGEST_MS);
  GstElement *pipeline = gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!pipeline)
    return NULL;
  Encoding *self = g_atomic_rc_box_new0 (Encoding);
  g_mutex_init (&self->lock);
  self->pipeline = gst_object_ref_sink (pipeline);
  self->fragments = fragments_new ();
  self->piece = piece;
  self->user_data = user_data;
  connect_elements (self);
  return self;
}

GstElement *
encoding_pipeline (Encoding *self)
{
  return self->pipeline;
}

bool
encoding_wants_restart (Encoding *self)
{
  return g_atomic_int_get (&self->wants_restart);
}

gint64
encoding_waits_us (Encoding *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->waits_us ? g_get_monotonic_time () - self->waits_us : 0;
}

/* Takes for ever where a driver hangs. */
static gpointer
end (gpointer data)
{
  GstElement *pipeline = data;

  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return NULL;
}

void
encoding_free (Encoding *self)
{
  GstElement *pipeline = g_steal_pointer (&self->pipeline);
  const bool is_stuck = encoding_waits_us (self) > STUCK_S * G_USEC_PER_SEC;

  g_mutex_lock (&self->lock);
  self->piece = NULL;
  g_mutex_unlock (&self->lock);
  encoding_unref (self);
  if (is_stuck)
    g_thread_unref (g_thread_new ("stuck", end, pipeline));
  else
    end (pipeline);
}
