/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/detect/job.h - what the user asked of `yolov7 detect`, and one file on its way through.
 */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include "tools/command.h"

G_BEGIN_DECLS

typedef struct {
  ModelOptions model;
  double confidence, iou;
  int max_detections, max_frames;
  gboolean agnostic, multi_label, multiply_one_class, square, shrink_only, json;
  char *classes;
  char *output;
} DetectOptions;

/* One file on its way through. The streaming thread writes, the main thread reads after EOS; the
 * counters that the progress line shows are read with g_atomic. */
typedef struct {
  const DetectOptions *options;
  YvEngine *engine; /* borrowed: main's */
  YvStream *stream; /* borrowed: main's */
  const char *path;
  GstVideoInfo video;
  int is_busy;      /* a frame is being analysed; atomic */
  int n_frames;     /* so far; atomic */
  int n_detections; /* so far; atomic */
  int n_expected;   /* frames in the file, 0 where unknown */
  guint *n_of_class;
  GArray *attached; /* of GstYolov7Detection; reused from frame to frame */
  double ms_of_last;
  gint64 started_us;
} Job;

G_END_DECLS
