/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/tune.h - which way to compute each convolution of a network is the fastest on a device.
 *
 * In:   a graph after its passes, and the batch and size of a network.
 * Out:  entries in a table of ways (plan/way.h), with which the network's plan is made next.
 *
 * Each convolution of a shape that has no entry yet is run alone, on random input, in every way
 * that can, the costliest first. A way whose result is not that of conv_tile, but for what rounding
 * explains, is refused. Where time runs out the usual way stays.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

G_BEGIN_DECLS

/* The most that is spent on a network where nobody asked for it. */
#define YV_TUNE_BUDGET_NS UINT64_C (1500000000)

typedef struct {
  YvDevice *device;
  const YvGraph *graph;
  const YvPlanOptions *options; /* of the network; its ways are not looked at */
  YvWays *ways;                 /* in and out */
  uint64_t budget_ns;           /* 0: as long as it takes */
  bool is_thorough;             /* also what has entries, with more runs, comparing every value */
  bool keeps;                   /* what comes out in the cache, for other processes */
  bool (*report) (const YvTuneLayer *layer, void *data); /* (nullable); false stops */
  void *data;
} YvTuneRequest;

/* What came out. */
typedef struct {
  uint32_t n_layers, n_tuned, n_wrong;
  uint64_t usual_ns, chosen_ns; /* as in YvTuneResult */
  bool is_kept;                 /* the cache could be written */
} YvTuneTotals;

/**
 * yv_tune:
 *
 * Blocks. Not on two threads with the same table.
 *
 * Where it keeps, each way that has not run here yet is refused in the cache before it does, and
 * no longer after it: what takes the process down is not tried again.
 *
 * Returns: false with the codes of yv_plan_new(), or of the device where it fails altogether
 * (YV_ERROR_DEVICE_LOST; the way that did it is refused), or YV_ERROR_IO where it was stopped;
 * @out then tells how far it came, and what was measured is in the table.
 */
bool yv_tune (const YvTuneRequest *request, YvTuneTotals *out, GError **error);

/* What `yolov7 tune` and earlier processes found on this device (engine/cache.h); an empty table
 * where there is nothing. Free with yv_ways_free(). */
YvWays *yv_tune_load (const YvDevice *device);

G_END_DECLS
