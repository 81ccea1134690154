/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/report.c - what yolov7 tells applications besides metadata. */
#include "gst/report.h"

#include <stdbool.h>
#include <stddef.h>

static const struct {
  const char *name;
  size_t offset;
} counts[] = {
    {"frames-in", offsetof (GstYolov7Stats, frames_in)},
    {"frames-analysed", offsetof (GstYolov7Stats, frames_analysed)},
    {"skipped-interval", offsetof (GstYolov7Stats, skipped_interval)},
    {"skipped-busy", offsetof (GstYolov7Stats, skipped_busy)},
    {"skipped-late", offsetof (GstYolov7Stats, skipped_late)},
    {"frames-dropped", offsetof (GstYolov7Stats, frames_dropped)},
    {"detections", offsetof (GstYolov7Stats, detections)},
    {"frames-in-place", offsetof (GstYolov7Stats, frames_in_place)},
    {"frames-imported", offsetof (GstYolov7Stats, frames_imported)},
    {"frames-copied", offsetof (GstYolov7Stats, frames_copied)},
    {"recoveries", offsetof (GstYolov7Stats, recoveries)},
    {"model-updates", offsetof (GstYolov7Stats, model_updates)},
    {"latency", offsetof (GstYolov7Stats, latency)},
    {"weights-memory", offsetof (GstYolov7Stats, weights_bytes)},
    {"activations-memory", offsetof (GstYolov7Stats, activations_bytes)},
    {"frames-memory", offsetof (GstYolov7Stats, frames_bytes)},
};

static const struct {
  const char *mean, *p99;
} stage_names[GST_YOLOV7_N_STAGES] = {
    [GST_YOLOV7_STAGE_WAIT] = {"wait-mean", "wait-p99"},
    [GST_YOLOV7_STAGE_UPLOAD] = {"upload-mean", "upload-p99"},
    [GST_YOLOV7_STAGE_LETTERBOX] = {"letterbox-mean", "letterbox-p99"},
    [GST_YOLOV7_STAGE_NETWORK] = {"network-mean", "network-p99"},
    [GST_YOLOV7_STAGE_DECODE] = {"decode-mean", "decode-p99"},
    [GST_YOLOV7_STAGE_READBACK] = {"readback-mean", "readback-p99"},
    [GST_YOLOV7_STAGE_NMS] = {"nms-mean", "nms-p99"},
    [GST_YOLOV7_STAGE_TOTAL] = {"total-mean", "total-p99"},
};

GstStructure *
gst_yolov7_report_stats (const GstYolov7Stats *stats)
{
  GstStructure *s = gst_structure_new (
      "yolov7-stats", "batch-fill", G_TYPE_DOUBLE, stats->batch_fill, "device-memory",
      G_TYPE_UINT64, stats->weights_bytes + stats->activations_bytes + stats->frames_bytes, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    const void *count = (const char *) stats + counts[i].offset;
    gst_structure_set (s, counts[i].name, G_TYPE_UINT64, *(const guint64 *) count, NULL);
  }
  if (stats->model)
    gst_structure_set (s, "model", G_TYPE_STRING, stats->model, "device", G_TYPE_STRING,
                       stats->device, "precision", G_TYPE_STRING, stats->precision, NULL);
  for (guint i = 0; i < GST_YOLOV7_N_STAGES; i++)
    gst_structure_set (s, stage_names[i].mean, G_TYPE_UINT64, stats->stages[i].mean_ns,
                       stage_names[i].p99, G_TYPE_UINT64, stats->stages[i].p99_ns, NULL);
  return s;
}

GstStructure *
gst_yolov7_report_detections (const GstYolov7Frame *frame, const GstSegment *segment,
                              const GstYolov7Detection *detections, guint n_detections)
{
  const bool is_timed = segment->format == GST_FORMAT_TIME;
  const GstClockTime stream_time =
      is_timed ? gst_segment_to_stream_time (segment, GST_FORMAT_TIME, frame->pts)
               : GST_CLOCK_TIME_NONE;
  const GstClockTime running_time =
      is_timed ? gst_segment_to_running_time (segment, GST_FORMAT_TIME, frame->pts)
               : GST_CLOCK_TIME_NONE;
  GstStructure *s =
      gst_structure_new ("yolov7-detections", "timestamp", G_TYPE_UINT64, frame->pts, "stream-time",
                         G_TYPE_UINT64, stream_time, "running-time", G_TYPE_UINT64, running_time,
                         "duration", G_TYPE_UINT64, frame->duration, "width", G_TYPE_UINT,
                         frame->width, "height", G_TYPE_UINT, frame->height, NULL);
  GValue array;

  gst_yolov7_detections_to_array (detections, n_detections, &array);
  gst_structure_take_value (s, "detections", &array);
  return s;
}
