/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/mount.c - the camera's relay feeds a pipeline for all clients, or for each.
 */
#include "examples/rtsp-server/mount.h"

#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <string.h>

#include "examples/common/encoder.h"
#include "examples/rtsp-server/detections.h"

#define KEY_FRAME_INTERVAL 50 /* frames: 2 s of most cameras */
/* Clients can ask for key frames by coming anew; more often than this they share one. */
#define MIN_KEY_FRAME_INTERVAL (500 * GST_MSECOND)
#define MAX_RECORDS 8 /* that wait for a payloader */

struct _Mount {
  const MountConfig *config; /* borrowed */
  const char *encoder;
  Camera *camera;
  Relay *relay;
  bool has_note; /* since the loss: it says when that was */
};

/* ---- the camera -------------------------------------------------------------------------------
 */

static void
take_frame (Camera *camera, GstSample *sample, gpointer user_data)
{
  (void) camera;
  relay_give (((Mount *) user_data)->relay, sample);
}

/* What clients read in the picture. The reason is for the log: they are strangers. */
static char *
write_note (CameraState state)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%H:%M:%S");

  return g_strdup_printf ("no %s since %s", state == CAMERA_FAILED ? "analysis" : "signal", time);
}

static void
take_state (Camera *camera, CameraState state, const char *reason, gpointer user_data)
{
  Mount *mount = user_data;
  const char *name = camera_config (camera)->name;

  if (reason)
    g_warning ("camera %s: %s: %s", name, camera_state_name (state), reason);
  else
    g_message ("camera %s: %s", name, camera_state_name (state));
  if (state == CAMERA_CONNECTING || (state != CAMERA_PLAYING && mount->has_note))
    return;
  mount->has_note = state != CAMERA_PLAYING;
  g_autofree char *note = mount->has_note ? write_note (state) : NULL;
  relay_set_note (mount->relay, note);
}

static char *
describe_media (const Mount *mount)
{
  g_autofree char *encode =
      encoder_launch (mount->encoder, mount->config->bitrate_kbps, KEY_FRAME_INTERVAL);

  return g_strdup_printf (
      "( appsrc name=frames is-live=true format=time block=false "
      "! textoverlay name=note silent=true valignment=top shaded-background=true "
      "! %s ! rtph264pay name=pay0 pt=96 config-interval=-1 aggregate-mode=zero-latency %s)",
      encode,
      mount->config->has_metadata
          ? "appsrc name=records is-live=true format=time block=false caps=application/json "
            "! rtpgstpay name=pay1 pt=97 config-interval=1 "
          : "");
}

/* What clients would have to find out otherwise. */
static bool
check_media (const Mount *mount, GError **error)
{
  g_autofree char *launch = describe_media (mount);
  GstElement *bin = gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (bin) {
    gst_object_unref (gst_object_ref_sink (bin));
    return true;
  }
  g_prefix_error (error, "GStreamer is incomplete (gstreamer1.0-plugins-base, -good, -bad and "
                         "gstreamer1.0-x for text): ");
  return false;
}

Mount *
mount_new (MountConfig *config, const char *encoder, GError **error)
{
  g_autoptr (Mount) mount = g_new0 (Mount, 1);
  const CameraOptions options = {.is_shown = true, .is_drawn = true};
  const CameraCalls calls = {.frame = take_frame, .state = take_state, .user_data = mount};

  mount->config = config;
  mount->encoder = encoder;
  if (!check_media (mount, error))
    return NULL;
  mount->camera = camera_new (g_steal_pointer (&config->camera), &options, &calls, error);
  if (!mount->camera)
    return NULL;
  mount->relay = relay_new (camera_clock (mount->camera), camera_base_time (mount->camera));
  return g_steal_pointer (&mount);
}

void
mount_free (Mount *mount)
{
  if (!mount)
    return;
  camera_free (mount->camera);
  relay_free (mount->relay);
  g_free (mount);
}

Camera *
mount_camera (Mount *mount)
{
  return mount->camera;
}

Relay *
mount_relay (Mount *mount)
{
  return mount->relay;
}

/* ---- clients ----------------------------------------------------------------------------------
 */

/* Behind each picture its record, on the thread that encodes. */
static GstPadProbeReturn
add_record (GstPad *pad, GstPadProbeInfo *info, gpointer records)
{
  GstBuffer *frame = GST_PAD_PROBE_INFO_BUFFER (info);
  char *json = detections_to_json (frame);

  (void) pad;
  if (!json)
    return GST_PAD_PROBE_OK;
  GstBuffer *buffer = gst_buffer_new_wrapped (json, strlen (json));
  GST_BUFFER_PTS (buffer) = GST_BUFFER_PTS (frame);
  if (gst_app_src_get_current_level_buffers (records) < MAX_RECORDS)
    gst_app_src_push_buffer (records, buffer);
  else
    gst_buffer_unref (buffer);
  return GST_PAD_PROBE_OK;
}

static void
add_records (GstBin *bin)
{
  GstElement *records = gst_bin_get_by_name (bin, "records");
  g_autoptr (GstElement) frames = gst_bin_get_by_name (bin, "frames");

  if (!records)
    return;
  g_autoptr (GstPad) pad = gst_element_get_static_pad (frames, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, add_record, records, gst_object_unref);
}

static void
remove_output (gpointer output)
{
  relay_remove (output);
}

/* The base time is set here, and not by the pipeline when it plays, because frames come before. */
static void
configure_media (GstRTSPMediaFactory *factory, GstRTSPMedia *media, gpointer user_data)
{
  Mount *mount = user_data;
  GstClock *clock = camera_clock (mount->camera);
  g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
  g_autoptr (GstObject) pipeline = gst_object_get_parent (GST_OBJECT (bin));
  g_autoptr (GstElement) encoder = gst_bin_get_by_name (GST_BIN (bin), "encoder");
  const GstClockTime base_time = gst_clock_get_time (clock);

  (void) factory;
  gst_pipeline_use_clock (GST_PIPELINE (pipeline), clock);
  gst_element_set_start_time (GST_ELEMENT (pipeline), GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (GST_ELEMENT (pipeline), base_time);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (encoder), "min-force-key-unit-interval"))
    g_object_set (encoder, "min-force-key-unit-interval", MIN_KEY_FRAME_INTERVAL, NULL);
  add_records (GST_BIN (bin));
  g_object_set_data_full (G_OBJECT (media), "relay-output",
                          relay_add (mount->relay, GST_BIN (bin), base_time), remove_output);
}

void
mount_add_to (Mount *mount, GstRTSPMountPoints *points)
{
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();
  g_autofree char *launch = describe_media (mount);

  gst_rtsp_media_factory_set_launch (factory, launch);
  gst_rtsp_media_factory_set_shared (factory, mount->config->is_shared);
  gst_rtsp_media_factory_set_enable_rtcp (factory, TRUE);
  gst_rtsp_media_factory_add_role (factory, MOUNT_ROLE, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
                                   G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
                                   G_TYPE_BOOLEAN, TRUE, NULL);
  g_signal_connect (factory, "media-configure", G_CALLBACK (configure_media), mount);
  gst_rtsp_mount_points_add_factory (points, mount->config->path, factory);
}

void
mount_make_key_frame (GstRTSPMedia *media)
{
  g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
  g_autoptr (GstElement) encoder = gst_bin_get_by_name (GST_BIN (bin), "encoder");

  gst_element_send_event (
      encoder, gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
}
