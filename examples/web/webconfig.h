/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/webconfig.h - the settings of yolov7-web, out of a YAML file.
 *
 *   address: 127.0.0.1     # where to listen; "::" is every network
 *   port: 8080             # 0: any that is free
 *   hosts: [cams.example]  # further names that it is asked under: see examples/web/hosts.h
 *   linger: 15             # s that video is encoded when nobody asks for it any more
 *   max-encoders: 16       # cameras that are encoded at a time
 *   defaults: ...          # these two as in examples/common/cameraconfig.h; here a camera may also
 *   cameras: ...           # have bitrate: 2000, kbit/s of its video
 *
 * Only cameras has to be there. Where nothing else is said yolov7 has leaky=upstream here, so that
 * boxes are those of the frame that they are drawn on, however slow the device is. Errors are of
 * YV_ERROR, "FILE:LINE: ...".
 */
#pragma once

#include "examples/common/cameraconfig.h"

G_BEGIN_DECLS

typedef struct {
  YvYaml *tree;        /* of the file */
  const char *address; /* of the tree, or static */
  gint64 port;         /* 0..65535 */
  GPtrArray *hosts;    /* (element-type utf8): without a dot at the end */
  gint64 linger_s;     /* 1..3600 */
  gint64 max_encoders; /* 1..1000 */
  GPtrArray *cameras;  /* (element-type CameraConfig): checked */
} WebConfig;

/* Returns: NULL with an error. Needs gst_init(). */
WebConfig *web_config_read (const char *path, GError **error);
/* Of a camera, which must not outlive what it was read from: 100..100000. */
bool web_config_bitrate (const CameraConfig *camera, gint64 *kbps, GError **error);

void web_config_free (WebConfig *config); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WebConfig, web_config_free)

G_END_DECLS
