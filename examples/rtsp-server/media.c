/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/media.c - a factory whose pipelines begin with the relay's appsrc. */
#include "examples/rtsp-server/media.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <string.h>

#include "examples/common/encoder.h"
#include "examples/rtsp-server/detections.h"

#define KEY_FRAME_INTERVAL 50 /* frames: 2 s of most cameras */
/* Clients can ask for key frames by coming anew; more often than this they share one. */
#define MIN_KEY_FRAME_INTERVAL (500 * GST_MSECOND)
#define MAX_RECORDS 8 /* that wait for a payloader */

struct _MediaFactory {
  GstRTSPMediaFactory parent;
  const MountConfig *config; /* this and what follows: borrowed */
  Encoders *encoders;
  Camera *camera;
  Relay *relay;
  const char *encoder; /* atomic: of the next pipeline; a static string */
  guint n_errors;      /* atomic */
};

G_DEFINE_FINAL_TYPE (MediaFactory, media_factory, GST_TYPE_RTSP_MEDIA_FACTORY)

/* ---- errors --------------------------------------------------------------------------------- */

/* Others may see the same one fail meanwhile. */
static void
take_next_encoder (MediaFactory *factory, const char *failed)
{
  const char *encoder = g_atomic_pointer_get (&factory->encoder);

  if (!g_str_equal (encoder, failed))
    return;
  const char *next = encoder_replace (encoder);
  if (next && next != encoder &&
      g_atomic_pointer_compare_and_exchange (&factory->encoder, (gpointer) encoder,
                                             (gpointer) next))
    g_warning ("camera %s: clients get %s from now on", camera_config (factory->camera)->name,
               next);
}

/* On the thread that posts it. Others follow from the first. */
static void
hear_error (GstBus *bus, GstMessage *message, MediaFactory *factory)
{
  const CameraConfig *config = camera_config (factory->camera);
  const char *encoder = encoder_find (GST_MESSAGE_SRC (message));
  g_autoptr (GError) error = NULL;
  g_autofree char *details = NULL;

  if (!g_object_replace_data (G_OBJECT (bus), "failed", NULL, factory, NULL, NULL))
    return;
  gst_message_parse_error (message, &error, &details);
  g_autofree char *text = camera_config_redact (config, error->message);
  g_warning ("camera %s: pipeline for clients: %s: %s", config->name,
             GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), text);
  g_atomic_int_inc (&factory->n_errors);
  if (encoder)
    take_next_encoder (factory, encoder);
}

/* ---- detections ----------------------------------------------------------------------------- */

typedef struct {
  Camera *camera; /* borrowed: outlives clients */
  GstElement *source;
} Records;

static void
free_records (gpointer data)
{
  Records *records = data;

  gst_object_unref (records->source);
  g_free (records);
}

/* Behind each picture its record, on the thread that encodes. */
static GstPadProbeReturn
add_record (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Records *records = user_data;
  GstBuffer *frame = GST_PAD_PROBE_INFO_BUFFER (info);
  GstAppSrc *source = GST_APP_SRC (records->source);
  char *json = detections_to_json (frame, camera_has_signal (records->camera));

  (void) pad;
  if (!json)
    return GST_PAD_PROBE_OK;
  GstBuffer *buffer = gst_buffer_new_wrapped (json, strlen (json));
  GST_BUFFER_PTS (buffer) = GST_BUFFER_PTS (frame);
  if (gst_app_src_get_current_level_buffers (source) < MAX_RECORDS)
    gst_app_src_push_buffer (source, buffer);
  else
    gst_buffer_unref (buffer);
  return GST_PAD_PROBE_OK;
}

static void
add_records (MediaFactory *factory, GstBin *bin)
{
  GstElement *source = gst_bin_get_by_name (bin, "records");
  g_autoptr (GstElement) frames = gst_bin_get_by_name (bin, "frames");

  if (!source)
    return;
  Records *records = g_new0 (Records, 1);
  records->camera = factory->camera;
  records->source = source;
  g_autoptr (GstPad) pad = gst_element_get_static_pad (frames, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, add_record, records, free_records);
}

/* ---- pipelines ------------------------------------------------------------------------------ */

/* In front of a payloader: it is not linked as long as no client wants its stream, and those of the
 * others should not end because of that. */
#define UNWANTED                                                                                   \
  "errorignore ignore-notlinked=true ignore-error=false ignore-notnegotiated=false convert-to=ok " \
  "! "

static char *
describe (const MountConfig *config, const char *encoder)
{
  g_autofree char *encode = encoder_launch (encoder, config->bitrate_kbps, KEY_FRAME_INTERVAL);

  return g_strdup_printf (
      "( appsrc name=frames is-live=true format=time block=false "
      "! textoverlay name=note silent=true valignment=top shaded-background=true "
      "! %s ! " UNWANTED
      "rtph264pay name=pay0 pt=96 config-interval=-1 aggregate-mode=zero-latency %s)",
      encode,
      config->has_metadata
          ? "appsrc name=records is-live=true format=time block=false caps=application/json "
            "! " UNWANTED "rtpgstpay name=pay1 pt=97 config-interval=1 "
          : "");
}

/* Returns: (transfer floating) */
static GstElement *
make_bin (MediaFactory *factory, GError **error)
{
  const char *encoder = g_atomic_pointer_get (&factory->encoder);
  g_autofree char *launch = describe (factory->config, encoder);

  return gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
}

static GstElement *
create_element (GstRTSPMediaFactory *base, const GstRTSPUrl *url)
{
  MediaFactory *factory = MEDIA_FACTORY (base);
  g_autoptr (GError) error = NULL;
  GstElement *bin = make_bin (factory, &error);

  (void) url;
  if (!bin)
    g_warning ("camera %s: pipeline for clients: %s", camera_config (factory->camera)->name,
               error->message);
  return bin;
}

/* All of a path are the same, whatever stands behind it: else strangers could make many that are
 * said to be shared. */
static char *
gen_key (GstRTSPMediaFactory *base, const GstRTSPUrl *url)
{
  (void) url;
  return g_strdup (MEDIA_FACTORY (base)->config->path);
}

static void
give_back (gpointer encoders)
{
  g_atomic_int_add (&((Encoders *) encoders)->n_own, -1);
}

/* They cost an encoder each, before there is a session. */
static GstRTSPMedia *
construct (GstRTSPMediaFactory *base, const GstRTSPUrl *url)
{
  GstRTSPMediaFactoryClass *parent = GST_RTSP_MEDIA_FACTORY_CLASS (media_factory_parent_class);
  MediaFactory *factory = MEDIA_FACTORY (base);
  Encoders *encoders = factory->encoders;

  if (factory->config->is_shared)
    return parent->construct (base, url);
  if ((guint) g_atomic_int_add (&encoders->n_own, 1) >= encoders->max_own) {
    give_back (encoders);
    return NULL;
  }
  GstRTSPMedia *media = parent->construct (base, url);
  if (media)
    g_object_set_data_full (G_OBJECT (media), "own", encoders, give_back);
  else
    give_back (encoders);
  return media;
}

static void
remove_output (gpointer output)
{
  relay_remove (output);
}

/* The base time is set here, and not by the pipeline when it plays, because frames come before. */
static void
configure (GstRTSPMediaFactory *base, GstRTSPMedia *media)
{
  MediaFactory *factory = MEDIA_FACTORY (base);
  GstClock *clock = camera_clock (factory->camera);
  g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
  g_autoptr (GstObject) pipeline = gst_object_get_parent (GST_OBJECT (bin));
  g_autoptr (GstBus) bus = gst_element_get_bus (GST_ELEMENT (pipeline));
  g_autoptr (GstElement) encoder = gst_bin_get_by_name (GST_BIN (bin), "encoder");
  const GstClockTime base_time = gst_clock_get_time (clock);

  GST_RTSP_MEDIA_FACTORY_CLASS (media_factory_parent_class)->configure (base, media);
  gst_bus_enable_sync_message_emission (bus);
  g_signal_connect_object (bus, "sync-message::error", G_CALLBACK (hear_error), factory, 0);
  gst_pipeline_use_clock (GST_PIPELINE (pipeline), clock);
  gst_element_set_start_time (GST_ELEMENT (pipeline), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (GST_ELEMENT (pipeline), base_time);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (encoder), "min-force-key-unit-interval"))
    g_object_set (encoder, "min-force-key-unit-interval", MIN_KEY_FRAME_INTERVAL, NULL);
  add_records (factory, GST_BIN (bin));
  g_object_set_data_full (G_OBJECT (media), "relay-output",
                          relay_add (factory->relay, GST_BIN (bin), base_time), remove_output);
}

static void
media_factory_class_init (MediaFactoryClass *class)
{
  GstRTSPMediaFactoryClass *base = GST_RTSP_MEDIA_FACTORY_CLASS (class);

  base->gen_key = gen_key;
  base->create_element = create_element;
  base->construct = construct;
  base->configure = configure;
}

static void
media_factory_init (MediaFactory *factory)
{
  GstRTSPMediaFactory *base = GST_RTSP_MEDIA_FACTORY (factory);

  gst_rtsp_media_factory_set_enable_rtcp (base, TRUE);
  gst_rtsp_media_factory_add_role (base, MEDIA_ROLE, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
                                   G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
                                   G_TYPE_BOOLEAN, TRUE, NULL);
}

MediaFactory *
media_factory_new (const MountConfig *config, Encoders *encoders, Camera *camera, Relay *relay,
                   GError **error)
{
  g_autoptr (MediaFactory) factory = g_object_new (media_factory_get_type (), NULL);

  factory->config = config;
  factory->encoders = encoders;
  factory->encoder = encoders->first;
  factory->camera = camera;
  factory->relay = relay;
  gst_rtsp_media_factory_set_shared (GST_RTSP_MEDIA_FACTORY (factory), config->is_shared);
  /* What clients would have to find out otherwise. */
  GstElement *bin = make_bin (factory, error);
  if (!bin) {
    g_prefix_error (error, "GStreamer is incomplete (gstreamer1.0-plugins-base, -good, -bad and "
                           "gstreamer1.0-x for text): ");
    return NULL;
  }
  gst_object_unref (gst_object_ref_sink (bin));
  return g_steal_pointer (&factory);
}

guint
media_factory_n_errors (MediaFactory *factory)
{
  return (guint) g_atomic_int_get (&factory->n_errors);
}

void
media_make_key_frame (GstRTSPMedia *media)
{
  g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
  g_autoptr (GstElement) encoder = gst_bin_get_by_name (GST_BIN (bin), "encoder");

  gst_element_send_event (
      encoder, gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
}
