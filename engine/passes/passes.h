/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/passes.h - graph -> an equivalent, smaller graph; one pass a file.
 *
 * Each pass rewrites the graph in place and keeps what it computes (tests/model/test-passes.c runs
 * the reference before and after each). A pass cannot fail: what it does not recognise it leaves.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "engine/graph/graph.h"

G_BEGIN_DECLS

typedef struct {
  const char *name;                 /* "fold_batchnorm" */
  const char *summary;              /* what it does, in one sentence, for inspect */
  uint32_t (*run) (YvGraph *graph); /* returns how many places it changed */
} YvPass;

uint32_t yv_pass_drop_aux (YvGraph *graph);        /* nodes that the output does not need */
uint32_t yv_pass_fold_implicit (YvGraph *graph);   /* AFFINE implicits into the head's 1x1 CONV */
uint32_t yv_pass_fold_batchnorm (YvGraph *graph);  /* AFFINE after CONV into its weight */
uint32_t yv_pass_fold_repconv (YvGraph *graph);    /* ADD of CONVs (and an AFFINE) of one input */
uint32_t yv_pass_fuse_activation (YvGraph *graph); /* ACT after CONV or ADD into it */
uint32_t yv_pass_chain_pools (YvGraph *graph);     /* MAXPOOL reads a smaller one of its input */
uint32_t yv_pass_hoist_upsample (YvGraph *graph);  /* 1x1 CONV after UPSAMPLE goes before it */
uint32_t yv_pass_fuse_shortcut (YvGraph *graph); /* ADD of a CONV and another value into the CONV */
uint32_t yv_pass_fuse_upsample (YvGraph *graph); /* UPSAMPLE by 2 of a CONV into it */
uint32_t yv_pass_elide_concat (YvGraph *graph);  /* inputs of CONCAT are written in place */
uint32_t yv_pass_fuse_pool_pyramid (YvGraph *graph); /* three MAXPOOLs in a row as one */
uint32_t yv_pass_merge_siblings (YvGraph *graph); /* 1x1 CONVs side by side in a CONCAT are one */
uint32_t yv_pass_fuse_detect (YvGraph *graph);    /* DECODE nodes into the DETECT that reads them */

/* All passes in the order in which they run; *n_passes is set. */
const YvPass *yv_passes (uint32_t *n_passes);

/* What one pass did, for inspect. */
typedef struct {
  const YvPass *pass;
  uint32_t n_changes;
  uint32_t n_nodes_before, n_nodes_after;
  uint64_t n_params_before, n_params_after;
} YvPassReport;

/* Runs all passes and sorts; aborts where a pass leaves an invalid graph. @reports: (nullable):
 * array of n_passes, filled. */
void yv_passes_run (YvGraph *graph, YvPassReport *reports);

G_END_DECLS
