/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/passes/passes.c - the ordered list of passes. */
#include "engine/passes/passes.h"

/* Removes first what nobody needs. Folding needs the bare sums and convolutions, so it comes before
 * fusing; where values are stored is decided when no node appears or goes any more, and what lies
 * side by side is known only then. */
static const YvPass passes[] = {
    {"drop_aux", "removes nodes that the output does not need, such as auxiliary heads",
     yv_pass_drop_aux},
    {"fold_implicit", "folds the implicit knowledge of a head into its convolution",
     yv_pass_fold_implicit},
    {"fold_batchnorm", "folds a batch-norm into the convolution before it", yv_pass_fold_batchnorm},
    {"fold_repconv", "merges the branches of a RepConv into one convolution", yv_pass_fold_repconv},
    {"fuse_activation", "lets a convolution or a sum apply the activation after it",
     yv_pass_fuse_activation},
    {"chain_pools", "computes a large max-pool from a smaller one of the same value",
     yv_pass_chain_pools},
    {"hoist_upsample", "computes a 1x1 convolution before its input is enlarged",
     yv_pass_hoist_upsample},
    {"fuse_shortcut", "lets a convolution add the other value of the sum that it is for",
     yv_pass_fuse_shortcut},
    {"fuse_upsample", "lets a convolution write the enlarged value that it is for",
     yv_pass_fuse_upsample},
    {"fuse_detect", "takes candidates from the logits, without decoding all rows",
     yv_pass_fuse_detect},
    {"elide_concat", "writes the inputs of a concat where the concat is stored",
     yv_pass_elide_concat},
    {"fuse_pool_pyramid", "computes three max-pools in a row, stored side by side, at once",
     yv_pass_fuse_pool_pyramid},
    {"merge_siblings", "computes 1x1 convolutions of one value that lie side by side as one",
     yv_pass_merge_siblings},
};

const YvPass *
yv_passes (uint32_t *n_passes)
{
  *n_passes = G_N_ELEMENTS (passes);
  return passes;
}

static uint64_t
n_params (const YvGraph *graph)
{
  uint64_t n = 0;

  for (uint32_t i = 0; i < graph->nodes->len; i++)
    n += yv_node_n_params (graph->nodes->pdata[i]);
  return n;
}

static YvPassReport
run_pass (const YvPass *pass, YvGraph *graph)
{
  YvPassReport report = {
      .pass = pass,
      .n_nodes_before = graph->nodes->len,
      .n_params_before = n_params (graph),
  };

  report.n_changes = pass->run (graph);
  yv_graph_assert_valid (graph);
  report.n_nodes_after = graph->nodes->len;
  report.n_params_after = n_params (graph);
  return report;
}

void
yv_passes_run (YvGraph *graph, YvPassReport *reports)
{
  for (uint32_t i = 0; i < G_N_ELEMENTS (passes); i++) {
    const YvPassReport report = run_pass (&passes[i], graph);
    if (reports)
      reports[i] = report;
  }
  yv_graph_sort (graph);
}
