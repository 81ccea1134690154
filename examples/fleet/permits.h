/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/fleet/permits.h - what a message from the network may say of a camera.
 *
 * Who may write to the broker's queue is not thereby allowed to read and write files here. So a
 * message may name sources of the kinds, and properties, that are listed, and files in directories
 * that are:
 *
 *   rtspsrc        protocols, latency
 *   yolov7         class-agnostic-nms, classes, confidence-threshold, inference-interval,
 *                  iou-threshold, max-detections, multi-label
 *   yolov7tracker  all: zones are written out, or a file in a directory
 *   yolov7publish  source, tags, when
 *
 * and what the configuration adds. Where it adds model-file, config-file or label-file, they must
 * be in a directory, too. Properties that name files to write, brokers or secrets can be added to
 * the list, by who trusts those that write messages as himself.
 *
 * Pure but for the paths that it looks up. Threads: any.
 */
#pragma once

#include "common/yaml.h"

G_BEGIN_DECLS

typedef struct _FleetPermits FleetPermits;

/* @allow: (nullable): the value of the key "allow". */
FleetPermits *fleet_permits_new (const char *file, const YvYaml *allow, GError **error);
void fleet_permits_free (FleetPermits *permits); /* NULL ok */

/* @camera: the tree of a message. Returns: false with YV_ERROR_MALFORMED, "FILE:LINE: ...". */
bool fleet_permits_check (const FleetPermits *permits, const char *file, const YvYaml *camera,
                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FleetPermits, fleet_permits_free)

G_END_DECLS
