/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/mount.c - the camera feeds its relay, and clients read how it is.
 */
#include "examples/rtsp-server/mount.h"

struct _Mount {
  const MountConfig *config; /* borrowed */
  Camera *camera;
  Relay *relay;
  MediaFactory *factory;
  bool has_note; /* since the loss: it says when that was */
};

/* ---- the camera ----------------------------------------------------------------------------- */

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
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%d %H:%M:%S");

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

Mount *
mount_new (MountConfig *config, Encoders *encoders, GError **error)
{
  g_autoptr (Mount) mount = g_new0 (Mount, 1);
  const CameraOptions options = {.is_shown = true, .is_drawn = true};
  const CameraCalls calls = {.frame = take_frame, .state = take_state, .user_data = mount};

  mount->config = config;
  mount->camera = camera_new (g_steal_pointer (&config->camera), &options, &calls, error);
  if (!mount->camera)
    return NULL;
  mount->relay = relay_new (camera_clock (mount->camera), camera_base_time (mount->camera));
  mount->factory = media_factory_new (config, encoders, mount->camera, mount->relay, error);
  return mount->factory ? g_steal_pointer (&mount) : NULL;
}

void
mount_free (Mount *mount)
{
  if (!mount)
    return;
  camera_free (mount->camera);
  relay_free (mount->relay);
  g_clear_object (&mount->factory);
  g_free (mount);
}

void
mount_add_to (Mount *mount, GstRTSPMountPoints *points)
{
  gst_rtsp_mount_points_add_factory (points, mount->config->path,
                                     GST_RTSP_MEDIA_FACTORY (g_object_ref (mount->factory)));
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

MediaFactory *
mount_factory (Mount *mount)
{
  return mount->factory;
}
