/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/rtsp-server/serverconfig.h - the configuration of yolov7-rtsp-server.
 *
 *   address: "::"              # of the interface to serve on; default: all, of IPv4 and IPv6
 *   port: 8554                 # 0: any that is free
 *   metrics-address: 127.0.0.1 # default
 *   metrics-port: 9554         # 0: any that is free; without it there are no metrics
 *   max-clients: 100           # connections; more are refused
 *   client-timeout: 60         # seconds of silence, after which one counts as gone
 *   users-file: users          # name:password a line; else YV_RTSP_USERNAME and YV_RTSP_PASSWORD
 *                              # in the environment; else everybody may look
 *   authentication: digest     # or basic
 *   tls-certificate: server.pem # with its key; clients come with rtsps://
 *   defaults: ...              # as cameras; examples/common/cameraconfig.h
 *   cameras:
 *     - name: street
 *       source: rtsp://10.0.0.7/stream
 *       path: /street          # default: / and the name
 *       sharing: shared        # one encoder for all clients; per-client: one for each
 *       bitrate: 2000          # kbit/s
 *       metadata: false        # true: a second stream with the detections as JSON
 *
 * All errors are of YV_ERROR, "FILE:LINE: ...". Needs gst_init().
 */
#pragma once

#include "examples/common/cameraconfig.h"

G_BEGIN_DECLS

typedef struct {
  CameraConfig *camera; /* NULL once it is stolen */
  char *path;
  bool is_shared;
  uint32_t bitrate_kbps;
  bool has_metadata;
} MountConfig;

typedef struct {
  char *name, *password;
} User;

typedef struct {
  char *address; /* (nullable): all */
  guint16 port;
  char *metrics_address;
  int metrics_port; /* -1: no metrics */
  guint max_clients, client_timeout_s;
  bool is_basic;         /* passwords go over the network as they are */
  char *tls_certificate; /* (nullable): a path */
  GPtrArray *users;      /* of User *; none: everybody may look */
  GPtrArray *mounts;     /* of MountConfig * */
} ServerConfig;

/* Returns: NULL with an error. */
ServerConfig *server_config_read (const char *path, GError **error);
void server_config_free (ServerConfig *config); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServerConfig, server_config_free)

G_END_DECLS
