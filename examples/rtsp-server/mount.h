/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/mount.h - a camera under its path on the RTSP server.
 *
 * In:    a MountConfig.  Out: what each client that asks for the path gets.
 * Threads: the main one, whose context runs; clients have their own inside.
 */
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include "examples/common/camera.h"
#include "examples/common/relay.h"
#include "examples/rtsp-server/serverconfig.h"

G_BEGIN_DECLS

/* The role of users that may look at every mount. */
#define MOUNT_ROLE "viewer"

typedef struct _Mount Mount;

/**
 * mount_new:
 * @config: its camera is stolen; must outlive the mount otherwise
 * @encoder: of encoder_choose()
 *
 * Returns: NULL with an error where the analysis can't be built.
 */
Mount *mount_new (MountConfig *config, const char *encoder, GError **error);

/* Ends the camera. No client may be connected any more. NULL ok */
void mount_free (Mount *mount);

Camera *mount_camera (Mount *mount); /* borrowed */
Relay *mount_relay (Mount *mount);   /* borrowed */

/* From now on the server has it under its path, for users of MOUNT_ROLE where it has any. */
void mount_add_to (Mount *mount, GstRTSPMountPoints *points);

/* A client begins to play @media: its first picture should be a whole one. */
void mount_make_key_frame (GstRTSPMedia *media);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mount, mount_free)

G_END_DECLS
