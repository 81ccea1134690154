/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/engine.h - what is inside a YvEngine, for the files that implement yolov7.h and
 * yolov7-tools.h.
 *
 * The graph keeps reading weights from the mapped checkpoint, because a size that comes later may
 * need them packed in another way; everything else of the file's model is dropped after loading.
 */
#pragma once

#include <glib.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/graph/graph.h"
#include "engine/model/model.h"
#include "engine/runner.h"
#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

struct _YvEngine {
  gatomicrefcount n_refs;

  YvCheckpoint *checkpoint; /* NULL: random weights */
  YvGraph *graph;           /* after its passes; reads the checkpoint */
  YvDevice *device;         /* NULL: engine/ref/ */
  YvWeightStore *store;     /* NULL where there is no device */
  YvWays *ways;             /* NULL there, too, and where the usual ones are asked for */
  YvEngineInfo info;
  uint32_t smallest_size; /* px a side: the smallest square that every layer can work on */
  char **class_names;     /* of info */
  char *device_name, *model_source, *warning;

  GMutex mutex;       /* of the fields below, never held while anything is made or run */
  GPtrArray *runners; /* of YvRunner *, owned */
  uint64_t n_uses;    /* a clock for YvRunner.last_use */

  struct _YvBatcher *batcher; /* the streams'; NULL: none shares batches */
  uint32_t n_shares;          /* that do */

  /* Of const YvPlanOptions *, borrowed: of runners that are being made, so that two threads don't
   * make the same, or seen to, and not among the runners meanwhile. */
  GPtrArray *busy;
  GCond done; /* one of these is */

  GMutex tuning; /* held while ways are measured */
};

/**
 * yv_engine_use_runner:
 * @options: dtype and ways are set by the engine
 *
 * The runner of these options, made if there is none. Each is kept for whoever comes next, except
 * that of those nobody uses only the few used last stay.
 *
 * Returns: (transfer none): until yv_engine_leave_runner(); NULL: codes as yv_plan_new() and the
 * executors. Thread safe. Blocks for up to seconds where it has to be made,
 * and not for others that are. */
YvRunner *yv_engine_use_runner (YvEngine *engine, const YvPlanOptions *options, GError **error);
/* One use more of a runner that the caller uses. */
YvRunner *yv_engine_share_runner (YvEngine *engine, YvRunner *runner);
void yv_engine_leave_runner (YvEngine *engine, YvRunner *runner);

/* Runners that nobody uses let go of the YvImage.memory they know. Thread safe. */
void yv_engine_forget_frames (YvEngine *engine);

/* Frees all runners that nobody uses, for their memory. Returns: whether there was one. Thread
 * safe; waits for the device. */
bool yv_engine_drop_idle_runners (YvEngine *engine);

/* The same, but for the caller alone, who may read and write its arena.
 * Returns: (transfer full): or NULL. */
YvRunner *yv_engine_make_runner (YvEngine *engine, const YvPlanOptions *options, GError **error);

/* Reads, builds and simplifies: what engine.c and info.c share. @checkpoint is NULL where
 * @model_file is. On failure both are left NULL and NULL is returned. */
YvModel *yv_engine_read_model (const char *model_file, const char *config_file,
                               YvCheckpoint **checkpoint, GError **error);

/* What the checkpoint warns of where it comes to the model's tensors, behind its path, or NULL.
 * Free with g_free(). */
char *yv_engine_warning_of (const YvCheckpoint *checkpoint, const YvModel *model);

/* yv_model_info_new() of what has been read; @checkpoint is NULL where there is none. The info
 * needs neither any longer. */
YvModelInfo *yv_engine_describe (const YvModel *model, const YvCheckpoint *checkpoint,
                                 uint32_t size, GError **error);

/* 640, or 1280 for models of stride 64 and more. */
uint32_t yv_engine_default_size (uint32_t max_stride);

/* Spec 3.3: the class of a one-class model is not trained. */
bool yv_engine_obj_only (const YvEngine *engine);

G_END_DECLS
