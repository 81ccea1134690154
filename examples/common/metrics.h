/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/metrics.h - counters in the text format of Prometheus (0.0.4).
 *
 * A family is begun once and then has one sample for each set of labels:
 *   metrics_begin (out, "yolov7_camera_frames_total", "counter", "Frames that came.");
 *   metrics_add (out, "yolov7_camera_frames_total", 17, "camera", "street", NULL);
 *
 * Pure, but for the last two. Threads: any.
 */
#pragma once

#include "examples/common/camera.h"

G_BEGIN_DECLS

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* @type: "counter" or "gauge" */
void metrics_begin (GString *out, const char *name, const char *type, const char *help);

/* Then name, value ... of labels, up to NULL. Values are escaped. */
void metrics_add (GString *out, const char *name, double value, ...) G_GNUC_NULL_TERMINATED;

typedef struct {
  const char *name;
  CameraCounters counters; /* zeroed where it is not running */
  bool is_running;         /* else yolov7_camera_up alone is told, as 0: alarms are about it */
} MetricsCamera;

/**
 * metrics_add_counted:
 *
 * What is known of every camera:
 *
 *   yolov7_camera_up                      gauge    1: frames come
 *   yolov7_camera_state_seconds           gauge    since when it is in its state; label state
 *   yolov7_camera_frames_total            counter
 *   yolov7_camera_dropped_frames_total    counter
 *   yolov7_camera_analysed_frames_total   counter
 *   yolov7_camera_losses_total            counter
 *   yolov7_camera_hanging                 gauge    attempts that could not be closed
 *   yolov7_camera_latency_seconds         gauge    of the newest frame
 *   yolov7_camera_analysis_seconds        gauge    mean time of an analysis lately
 *
 * Each has the label camera.
 */
void metrics_add_counted (GString *out, const MetricsCamera *cameras, guint n_cameras);

/* The same, of cameras that run. @cameras: (element-type Camera) */
void metrics_add_cameras (GString *out, GPtrArray *cameras);

G_END_DECLS
