/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/media.h - pipelines that encode a camera for RTSP clients, and how many.
 *
 * In:    a camera's relay.  Out: RTP, one pipeline for all clients of the camera or for each.
 *
 * An error of one ends its clients, is logged with the camera's name, and counted. Was it the
 * encoder, then the camera's next pipeline has the next encoder that works here.
 *
 * Threads: any, but media_factory_new().
 */
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include "examples/common/camera.h"
#include "examples/common/relay.h"
#include "examples/rtsp-server/serverconfig.h"

G_BEGIN_DECLS

/* The role of users that may look at every mount. */
#define MEDIA_ROLE "viewer"

/* What all cameras of a server share. */
typedef struct {
  const char *first; /* of encoder_choose(): what cameras begin with */
  guint max_own;     /* pipelines for a client of their own, at a time */
  guint n_own;       /* atomic */
} Encoders;

G_DECLARE_FINAL_TYPE (MediaFactory, media_factory, MEDIA, FACTORY, GstRTSPMediaFactory)

/**
 * media_factory_new:
 * @config, @encoders, @camera, @relay: borrowed; no client may be connected any more when they go
 *
 * Returns: (transfer full): NULL with an error where GStreamer lacks an element for it.
 */
MediaFactory *media_factory_new (const MountConfig *config, Encoders *encoders, Camera *camera,
                                 Relay *relay, GError **error);

/* Pipelines that ended with an error. */
guint media_factory_n_errors (MediaFactory *factory);

/* A client begins to play @media: its first picture should be a whole one. */
void media_make_key_frame (GstRTSPMedia *media);

G_END_DECLS
