/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/tally.c - counts what an element does. */
#include "gst/tally.h"

#include "gst/settings.h"

void
gst_yolov7_tally_found (GstYolov7Tally *tally, const YvDetections *found, gboolean is_imported)
{
  GstYolov7Stats *stats = &tally->stats;
  const YvTimes *times = &found->times;
  const guint64 stages[GST_YOLOV7_N_STAGES] = {
      [GST_YOLOV7_STAGE_WAIT] = times->wait_ns,
      [GST_YOLOV7_STAGE_UPLOAD] = times->upload_ns,
      [GST_YOLOV7_STAGE_LETTERBOX] = times->letterbox_ns,
      [GST_YOLOV7_STAGE_NETWORK] = times->network_ns,
      [GST_YOLOV7_STAGE_DECODE] = times->decode_ns,
      [GST_YOLOV7_STAGE_READBACK] = times->readback_ns,
      [GST_YOLOV7_STAGE_NMS] = times->nms_ns,
      [GST_YOLOV7_STAGE_TOTAL] = times->total_ns,
  };

  stats->frames_analysed++;
  stats->detections += found->n_detections;
  stats->frames_copied += found->was_copied;
  stats->frames_imported += !found->was_copied && is_imported;
  stats->frames_in_place += !found->was_copied && !is_imported;
  tally->n_runs += 1.0 / found->n_batch;
  for (guint i = 0; i < GST_YOLOV7_N_STAGES; i++)
    gst_yolov7_meter_add (&tally->meters[i], stages[i]);
}

GstYolov7Stats
gst_yolov7_tally_read (const GstYolov7Tally *tally)
{
  GstYolov7Stats stats = tally->stats;

  if (stats.frames_analysed > 0)
    stats.batch_fill = (double) stats.frames_analysed / tally->n_runs;
  for (guint i = 0; i < GST_YOLOV7_N_STAGES; i++)
    stats.stages[i] = gst_yolov7_meter_read (&tally->meters[i]);
  return stats;
}

GstStructure *
gst_yolov7_tally_report (GstYolov7Stats *stats, YvEngine *engine)
{
  YvEngineMemory memory;

  if (!engine)
    return gst_yolov7_report_stats (stats);
  const YvEngineInfo *info = yv_engine_info (engine);
  yv_engine_memory (engine, &memory);
  stats->weights_bytes = memory.weights_bytes;
  stats->activations_bytes = memory.activations_bytes;
  stats->frames_bytes = memory.frames_bytes;
  stats->model = info->model_source;
  stats->device = info->device_name;
  stats->precision = gst_yolov7_precision_nick (info->precision);
  return gst_yolov7_report_stats (stats);
}
