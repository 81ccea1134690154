/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/mount.h - a camera under its path on the RTSP server.
 *
 * In:    a MountConfig.  Out: what each client that asks for the path gets.
 * Threads: the main one, whose context runs; clients have their own inside.
 */
#pragma once

#include "examples/rtsp-server/media.h"

G_BEGIN_DECLS

typedef struct _Mount Mount;

/**
 * mount_new:
 * @config: its camera is stolen; must outlive the mount otherwise
 * @encoders: must outlive it, too
 *
 * Returns: NULL with an error where the analysis, or what clients get, can't be built.
 */
Mount *mount_new (MountConfig *config, Encoders *encoders, GError **error);

/* Ends the camera. No client may be connected any more. NULL ok */
void mount_free (Mount *mount);

/* From now on the server has it under its path, for users of MEDIA_ROLE. */
void mount_add_to (Mount *mount, GstRTSPMountPoints *points);

Camera *mount_camera (Mount *mount);        /* borrowed */
Relay *mount_relay (Mount *mount);          /* borrowed */
MediaFactory *mount_factory (Mount *mount); /* borrowed */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mount, mount_free)

G_END_DECLS
