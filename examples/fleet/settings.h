/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/settings.h - what a worker is told: a YAML file.
 *
 *   broker: amqps://fleet@broker.example/fleet     # the one key that is needed
 *   password-file: /etc/gst-yolov7/fleet.password  # or YV_FLEET_PASSWORD
 *   ca-file, cert-file, key-file                   # TLS; ca-file: what Debian trusts
 *   name: gpu-3            # the machine's name; as names of cameras
 *   capacity: measured     # or a number of cameras, 1 .. 1000
 *   fps: 25                # frames a second of a camera, for what is measured, 1 .. 1000
 *   share: 80              # percent of the device that may be used, 1 .. 100
 *   slow-below: 80         # percent of wanted frames that are analysed, 0 .. 100; 0: never slow
 *   slow-after: 30         # seconds, 1 .. 3600
 *   raise-after: 300       # seconds, 1 .. 86400
 *   patience: 60           # seconds without an analysed frame: a failed attempt, 1 .. 86400
 *   attempts: 5            # that may fail, on all workers, 0 .. 1000000; 0: any number
 *   metrics-address: 127.0.0.1
 *   metrics-port: 9471     # 0: any; not given: no metrics
 *   allow:                 # of what messages say
 *     sources: [rtsp, rtsps, rtspt]   # also file, v4l2, test
 *     directories: [/srv/videos]      # absolute; files that messages may name lie below
 *     properties: {yolov7publish: [topic]}
 *   defaults:              # of each camera, as in examples/common/cameraconfig.h
 *     yolov7: {model-file: best.pt}
 *     yolov7publish: {method: mqtt, address: "broker.example:1883", topic: "cameras/{name}"}
 *
 * {name} and {worker} in a value of "defaults" become the camera's and the worker's name. Relative
 * paths are relative to the file. Errors are of YV_ERROR, "FILE:LINE: ...". Threads: any.
 */
#pragma once

#include "examples/common/cameraconfig.h"
#include "examples/fleet/address.h"
#include "examples/fleet/capacity.h"
#include "examples/fleet/permits.h"

G_BEGIN_DECLS

typedef struct {
  char *file; /* owned */
  YvYaml *tree;
  FleetAddress address; /* with its password */
  char *name;           /* owned */
  bool is_measured;     /* capacity.most is to be found */
  FleetCapacity capacity;
  double camera_fps, share; /* share: 0..1 */
  gint64 patience_us;
  uint32_t attempts;
  char *metrics_address; /* owned */
  int metrics_port;      /* -1: none */
  FleetPermits *permits;
  const YvYaml *defaults; /* (nullable): of the tree */
} FleetSettings;

FleetSettings *fleet_settings_read (const char *path, GError **error);

/* The same of a text. @path: what to call it, and where relative paths begin. */
FleetSettings *fleet_settings_parse (const char *text, size_t size_bytes, const char *path,
                                     GError **error);
void fleet_settings_free (FleetSettings *settings); /* NULL ok */

/* What a camera's message asks for, with the defaults.
 * @camera: a JSON object. Returns: (transfer full): or NULL with YV_ERROR_MALFORMED or what
 * examples/common/cameraconfig.h says of it. Needs gst_init(). */
CameraConfig *fleet_settings_camera (const FleetSettings *settings, const char *name,
                                     const char *camera, GError **error);

/* A camera of which nothing is known but the defaults, to try them. Returns: (transfer full): or
 * NULL with an error that names the line. */
CameraConfig *fleet_settings_sample (const FleetSettings *settings, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetSettings, fleet_settings_free)

G_END_DECLS
