/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/streams.h - `yolov7 bench --streams`: what cameras get that share a device.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

typedef struct {
  uint32_t n_streams;        /* each a thread */
  uint32_t side_px;          /* of the pictures, and of the network's input */
  uint32_t batch;            /* most frames of a batch; 0: what suits the device */
  uint32_t n_warmup, n_runs; /* frames of each stream, before those that count, and of these */
  uint32_t in_flight;        /* frames of each at a time */
  bool in_place;             /* pictures in memory that the device reads */
} StreamsOptions;

typedef struct {
  double images_per_s; /* of all streams together */
  uint64_t n_in_place; /* frames that the device read where they lay */
  uint64_t n_copied;   /* and the others */
  /* Means over all frames. */
  double batch;             /* pictures that ran together with one, and itself */
  double wait_ms, total_ms; /* until its batch started; from submit to detections */
} StreamsResult;

bool bench_streams (YvEngine *engine, const StreamsOptions *options, StreamsResult *out,
                    GError **error);

G_END_DECLS
