/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/pair.h - two models, read, deployed, and their rows aligned.
 *
 * In:    two files.
 * Next:  settings.c, rows.c and stored.c compare what is here.
 */
#pragma once

#include "engine/checkpoint/checkpoint.h"
#include "engine/graph/graph.h"
#include "engine/model/model.h"
#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

/* One of the two models; zeroed is empty. */
typedef struct {
  YvCheckpoint *checkpoint;
  bool has_names; /* of classes: a state dict has none */
  YvModel *model;
  YvGraph *graph; /* as deployed; sorted */
  YvModelInfo *info;
  GHashTable *tensors; /* name -> const YvTensor *: those the model needs */
  YvDType dtype;       /* the coarsest of them */
  GPtrArray **nodes;   /* by row, of YvNode * */
  uint32_t *place;     /* by node: which of its row's */
} YvSide;

typedef struct {
  YvSide a, b;
  int32_t *b_of_a; /* by row of A: the partner's row or YV_NO_ROW (align.h) */
} YvPair;

/* @config_a, @config_b: (nullable): used for a bare state dict only. Fills a zeroed @pair, which is
 * to be cleared on failure, too; codes as yv_engine_new(). */
bool yv_pair_read (YvPair *pair, const char *model_a, const char *config_a, const char *model_b,
                   const char *config_b, GError **error);
void yv_pair_clear (YvPair *pair); /* zeroed ok */

/* That of the coarser of the types in which the two store what they compute with. */
double yv_pair_rounding (const YvPair *pair);

G_END_DECLS
