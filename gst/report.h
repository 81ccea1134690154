/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/report.h - what yolov7 tells applications besides metadata: its property "stats", and the
 * messages of post-messages.
 *
 * Pure: plain values in, a GstStructure out. Threads: any.
 */
#pragma once

#include <gst/gst.h>

#include "gst/detectionmeta.h"
#include "gst/meter.h"

G_BEGIN_DECLS

/* A frame goes through them in this order, but that TOTAL is all of them and what lies between. */
typedef enum {
  GST_YOLOV7_STAGE_WAIT,      /* from submit until its batch started */
  GST_YOLOV7_STAGE_UPLOAD,    /* the host copies it */
  GST_YOLOV7_STAGE_LETTERBOX, /* the device scales, converts and pads it */
  GST_YOLOV7_STAGE_NETWORK,
  GST_YOLOV7_STAGE_DECODE,   /* the heads become candidates */
  GST_YOLOV7_STAGE_READBACK, /* candidates reach the host */
  GST_YOLOV7_STAGE_NMS,      /* the host suppresses */
  GST_YOLOV7_STAGE_TOTAL,    /* from submit to the detections */
  GST_YOLOV7_N_STAGES
} GstYolov7Stage;

/* Counts are since the element started. Each frame that arrived is analysed, skipped, dropped, or
 * still on its way. Strings are borrowed. */
typedef struct {
  guint64 frames_in;        /* that arrived */
  guint64 frames_analysed;  /* whose detections were found */
  guint64 skipped_interval; /* passed on unanalysed: inference-interval */
  guint64 skipped_busy;     /* the same, because the device was busy: leaky */
  guint64 skipped_late;     /* the same, because they were late: quality of service */
  guint64 frames_dropped;   /* whose analysis a flush, a stop or a failure has ended */
  guint64 detections;       /* attached */

  guint64 frames_in_place; /* read where they lay, in memory that we gave */
  guint64 frames_imported; /* read where they lay, in memory of others */
  guint64 frames_copied;

  double batch_fill; /* mean of YvDetections.n_batch over the runs; 0: none yet */

  guint64 recoveries;    /* times that a lost device was opened again */
  guint64 model_updates; /* times that another model-file was taken while playing */

  GstClockTime latency; /* that is reported now */

  /* Of the device, by the whole engine, whoever shares it. */
  guint64 weights_bytes, activations_bytes, frames_bytes;

  const char *model;     /* (nullable): YvEngineInfo.model_source; NULL before there is one */
  const char *device;    /* (nullable): YvEngineInfo.device_name */
  const char *precision; /* (nullable): "fp32" or "fp16": what is used */

  GstYolov7Measured stages[GST_YOLOV7_N_STAGES]; /* of the last frames: gst/meter.h */
} GstYolov7Stats;

/**
 * gst_yolov7_report_stats:
 *
 *   frames-in, frames-analysed     uint64  frames
 *   skipped-interval, skipped-busy,
 *   skipped-late, frames-dropped   uint64  frames
 *   detections                     uint64
 *   frames-in-place, frames-imported,
 *   frames-copied                  uint64  frames
 *   batch-fill                     double  frames a run of the device
 *   recoveries, model-updates      uint64
 *   latency                        uint64  ns
 *   device-memory                  uint64  bytes: the sum of the next three
 *   weights-memory, activations-memory,
 *   frames-memory                  uint64  bytes
 *   model, device, precision       string  no field where there is no model
 *   <stage>-mean, <stage>-p99      uint64  ns, over the last 512 frames; 0: none yet; stages: wait,
 *                                          upload, letterbox, network, decode, readback, nms, total
 *
 * Fields may be added; none changes its meaning.
 *
 * Returns: (transfer full): "yolov7-stats"
 */
GstStructure *gst_yolov7_report_stats (const GstYolov7Stats *stats);

/**
 * gst_yolov7_report_detections:
 * @segment: of the stream that @frame is in
 * @detections: (array length=n_detections) (nullable): as of gst_yolov7_detections_attach()
 *
 * What an element message says of an analysed frame, with times as level and spectrum give them:
 *
 *   timestamp, duration        uint64  PTS and duration of the frame
 *   stream-time, running-time  uint64  of its PTS
 *   width, height              uint    px
 *   detections                 GstValueArray, as in GstYolov7Detections (gst/detectionmeta.h)
 *
 * Times are ns, and GST_CLOCK_TIME_NONE where not known.
 *
 * Returns: (transfer full): "yolov7-detections"
 */
GstStructure *gst_yolov7_report_detections (const GstYolov7Frame *frame, const GstSegment *segment,
                                            const GstYolov7Detection *detections,
                                            guint n_detections);

G_END_DECLS
