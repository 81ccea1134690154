/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-fold.c - the fold and fuse passes of engine/passes/ leave alone what they must
 * not touch. That they keep the result of what they do touch is shown by tests/model/test-passes.c.
 */
#include "engine/passes/passes.h"

#define C 8

typedef struct {
  uint32_t kernel, stride, pad, groups;
} ConvShape;

static YvNode *
add_conv (YvGraph *graph, uint32_t input, ConvShape shape)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, "conv", 0, &input, 1, C);

  node->conv.weight = yv_weight_new (C, C, shape.groups, shape.kernel, shape.kernel);
  yv_weight_add_random (node->conv.weight, node->id);
  node->conv.stride_h = node->conv.stride_w = shape.stride;
  node->conv.pad_h = node->conv.pad_w = shape.pad;
  return node;
}

static YvNode *
add_affine (YvGraph *graph, uint32_t input, YvAffineRole role, double scale)
{
  YvNode *node = yv_graph_add (graph, YV_OP_AFFINE, "affine", 0, &input, 1, C);

  node->affine.role = role;
  node->affine.n_params = C;
  node->affine.scale = g_new0 (double, C);
  node->affine.shift = g_new0 (double, C);
  for (uint32_t c = 0; c < C; c++) {
    node->affine.scale[c] = scale;
    node->affine.shift[c] = c + 1;
  }
  return node;
}

static YvNode *
add_act (YvGraph *graph, uint32_t input)
{
  YvNode *node = yv_graph_add (graph, YV_OP_ACT, "act", 0, &input, 1, C);

  node->act.kind = YV_ACT_SILU;
  return node;
}

static YvNode *
add_pool (YvGraph *graph, uint32_t input, uint32_t kernel, uint32_t stride, uint32_t pad)
{
  YvNode *node = yv_graph_add (graph, YV_OP_MAXPOOL, "pool", 0, &input, 1, C);

  node->maxpool.kernel = kernel;
  node->maxpool.stride = stride;
  node->maxpool.pad = pad;
  return node;
}

static YvNode *
add_sum (YvGraph *graph, const uint32_t *inputs, uint32_t n_inputs)
{
  return yv_graph_add (graph, YV_OP_ADD, "rep.add", 0, inputs, n_inputs, C);
}

static YvGraph *
new_graph (void)
{
  YvGraph *graph = yv_graph_new ();

  yv_graph_add (graph, YV_OP_INPUT, "images", 0, NULL, 0, C);
  graph->n_rows = 1;
  return graph;
}

/* Ends the graph with heads that read @input. */
static void
add_detect (YvGraph *graph, uint32_t input)
{
  YvNode *detect = yv_graph_add (graph, YV_OP_DETECT, "detect", 0, &input, 1, 8);

  detect->detect = (YvDetectSpec){.n_levels = 1, .n_anchors = 1, .n_classes = 3, .stride = {1}};
  yv_graph_assert_valid (graph);
}

static const ConvShape dense = {.kernel = 3, .stride = 1, .pad = 1, .groups = 1};
static const ConvShape point = {.kernel = 1, .stride = 1, .pad = 0, .groups = 1};

static void
branches_of_one_value_become_one_convolution (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t branches[] = {
      add_conv (graph, 0, point)->id,
      add_affine (graph, 0, YV_AFFINE_BATCHNORM, 2)->id,
      add_conv (graph, 0, dense)->id,
  };
  YvNode *sum = add_sum (graph, branches, 3);
  sum->act.kind = YV_ACT_SILU;
  add_detect (graph, sum->id);

  g_assert_cmpuint (yv_pass_fold_repconv (graph), ==, 1);
  yv_graph_assert_valid (graph);
  g_assert_cmpuint (graph->nodes->len, ==, 3);
  const YvNode *conv = graph->nodes->pdata[1];
  g_assert_cmpstr (conv->name, ==, "rep");
  g_assert_cmpint (conv->act.kind, ==, YV_ACT_SILU);
  g_assert_cmpuint (conv->conv.weight->kernel_h, ==, 3);
  g_assert_cmpuint (conv->conv.weight->terms->len, ==, 3);
  g_assert_cmpfloat (conv->conv.weight->bias[7], ==, 8);
}

/* The second branch is as in the row; the first is the dense one. */
static void
branches_that_see_other_pixels_stay_apart (void)
{
  static const ConvShape others[] = {
      {.kernel = 1, .stride = 1, .pad = 0, .groups = 2},
      {.kernel = 3, .stride = 1, .pad = 1, .groups = 8},
      {.kernel = 5, .stride = 1, .pad = 1, .groups = 1}, /* off centre, and smaller outside */
      {.kernel = 2, .stride = 1, .pad = 0, .groups = 1}, /* no centre */
      {.kernel = 1, .stride = 2, .pad = 0, .groups = 1},
      {.kernel = 1, .stride = 1, .pad = 1, .groups = 1},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (YvGraph) graph = new_graph ();
    const uint32_t branches[] = {add_conv (graph, 0, dense)->id,
                                 add_conv (graph, 0, others[i])->id};
    add_detect (graph, add_sum (graph, branches, 2)->id);
    g_assert_cmpuint (yv_pass_fold_repconv (graph), ==, 0);
    g_assert_cmpuint (graph->nodes->len, ==, 5);
  }
}

static void
a_shortcut_is_no_branch (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, point)->id;
  const uint32_t b = add_conv (graph, a, dense)->id; /* of another value */
  const uint32_t sum = add_sum (graph, (uint32_t[]){a, b}, 2)->id;
  add_detect (graph, sum);

  g_assert_cmpuint (yv_pass_fold_repconv (graph), ==, 0);
}

static void
a_branch_that_others_read_stays (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, dense)->id;
  const uint32_t b = add_conv (graph, 0, point)->id;
  const uint32_t sum = add_sum (graph, (uint32_t[]){a, b}, 2)->id;
  const uint32_t again = add_sum (graph, (uint32_t[]){sum, b}, 2)->id;
  add_detect (graph, again);

  g_assert_cmpuint (yv_pass_fold_repconv (graph), ==, 0);
}

static void
a_branch_with_an_activation_stays (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  YvNode *a = add_conv (graph, 0, dense);
  const uint32_t b = add_conv (graph, 0, point)->id;
  a->act.kind = YV_ACT_SILU;
  add_detect (graph, add_sum (graph, (uint32_t[]){a->id, b}, 2)->id);

  g_assert_cmpuint (yv_pass_fold_repconv (graph), ==, 0);
}

static void
a_batchnorm_is_folded_only_where_nobody_else_reads (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t conv = add_conv (graph, 0, dense)->id;
  const uint32_t bn = add_affine (graph, conv, YV_AFFINE_BATCHNORM, 2)->id;
  const uint32_t sum = add_sum (graph, (uint32_t[]){conv, bn}, 2)->id;
  add_detect (graph, sum);
  g_assert_cmpuint (yv_pass_fold_batchnorm (graph), ==, 0);

  yv_graph_node (graph, sum)->inputs[0] = 0; /* now the batch-norm is the only one */
  g_assert_cmpuint (yv_pass_fold_batchnorm (graph), ==, 1);
  yv_graph_assert_valid (graph);
  g_assert_cmpfloat (yv_graph_node (graph, conv)->conv.weight->bias[2], ==, 3);
}

static void
a_batchnorm_after_an_activation_stays (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  YvNode *conv = add_conv (graph, 0, dense);
  conv->act.kind = YV_ACT_SILU;
  add_detect (graph, add_affine (graph, conv->id, YV_AFFINE_BATCHNORM, 2)->id);

  g_assert_cmpuint (yv_pass_fold_batchnorm (graph), ==, 0);
}

/* Where a window reaches into the padding, the sum of the weights under it differs. */
static void
an_added_implicit_stays_before_a_padded_convolution (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t implicit = add_affine (graph, 0, YV_AFFINE_IMPLICIT, 1)->id;
  add_detect (graph, add_conv (graph, implicit, dense)->id);

  g_assert_cmpuint (yv_pass_fold_implicit (graph), ==, 0);
}

static void
an_added_implicit_moves_into_the_bias_of_its_group (void)
{
  const ConvShape grouped = {.kernel = 1, .stride = 1, .pad = 0, .groups = 8};
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t implicit = add_affine (graph, 0, YV_AFFINE_IMPLICIT, 1)->id;
  const YvNode *conv = add_conv (graph, implicit, grouped);
  add_detect (graph, conv->id);

  g_assert_cmpuint (yv_pass_fold_implicit (graph), ==, 1);
  yv_graph_assert_valid (graph);
  for (uint32_t o = 0; o < C; o++) {
    double weight;
    yv_weight_row (conv->conv.weight, o, &weight);
    g_assert_cmpfloat (conv->conv.weight->bias[o], ==, weight * (o + 1));
  }
}

static void
an_implicit_that_scales_stays_before_a_convolution (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t implicit = add_affine (graph, 0, YV_AFFINE_IMPLICIT, 2)->id;
  add_detect (graph, add_conv (graph, implicit, point)->id);

  g_assert_cmpuint (yv_pass_fold_implicit (graph), ==, 0);
}

static void
an_activation_is_fused_only_where_nobody_else_reads (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t conv = add_conv (graph, 0, dense)->id;
  const uint32_t act = add_act (graph, conv)->id;
  const uint32_t sum = add_sum (graph, (uint32_t[]){conv, act}, 2)->id;
  const uint32_t last = add_act (graph, sum)->id;
  add_detect (graph, add_act (graph, last)->id); /* of a sum that has one already */

  g_assert_cmpuint (yv_pass_fuse_activation (graph), ==, 1);
  yv_graph_assert_valid (graph);
  g_assert_cmpint (yv_graph_node (graph, sum)->act.kind, ==, YV_ACT_SILU);
  g_assert_cmpint (yv_graph_node (graph, conv)->act.kind, ==, YV_ACT_NONE);
}

static void
what_the_output_does_not_need_goes (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t used = add_conv (graph, 0, dense)->id;
  const uint32_t aux = add_act (graph, add_conv (graph, used, dense)->id)->id;
  add_conv (graph, aux, point);
  add_detect (graph, used);

  g_assert_cmpuint (yv_pass_drop_aux (graph), ==, 3);
  yv_graph_assert_valid (graph);
  g_assert_cmpuint (graph->nodes->len, ==, 3);
}

static void
a_pyramid_of_pools_becomes_a_chain (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  YvNode *p5 = add_pool (graph, 0, 5, 1, 2), *p9 = add_pool (graph, 0, 9, 1, 4);
  YvNode *p13 = add_pool (graph, 0, 13, 1, 6), *again = add_pool (graph, 0, 9, 1, 4);
  const uint32_t inputs[] = {p5->id, p9->id, p13->id, again->id};

  add_detect (graph, add_sum (graph, inputs, 4)->id);
  g_assert_cmpuint (yv_pass_chain_pools (graph), ==, 3);
  yv_graph_assert_valid (graph);
  g_assert_cmpuint (p5->inputs[0], ==, 0);
  g_assert_cmpuint (p9->inputs[0], ==, p5->id);
  g_assert_cmpuint (p13->inputs[0], ==, p9->id);
  g_assert_cmpuint (again->inputs[0], ==, p5->id);
  g_assert_cmpuint (p5->maxpool.kernel, ==, 5);
  g_assert_cmpuint (p9->maxpool.kernel, ==, 5);
  g_assert_cmpuint (p13->maxpool.kernel, ==, 5);
  g_assert_cmpuint (p13->maxpool.pad, ==, 2);
}

/* Of another value, with a stride, without the padding, of even size, before the smaller one. */
static void
other_pools_stay (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t ids[] = {
      add_pool (graph, 0, 13, 1, 6)->id, add_pool (graph, 0, 5, 1, 2)->id,
      add_pool (graph, 0, 9, 2, 4)->id,  add_pool (graph, 0, 9, 1, 0)->id,
      add_pool (graph, 0, 8, 1, 4)->id,  add_pool (graph, 1, 9, 1, 4)->id,
  };

  add_detect (graph, add_sum (graph, ids, G_N_ELEMENTS (ids))->id);
  g_assert_cmpuint (yv_pass_chain_pools (graph), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fold/repconv/merged", branches_of_one_value_become_one_convolution);
  g_test_add_func ("/fold/repconv/pixels", branches_that_see_other_pixels_stay_apart);
  g_test_add_func ("/fold/repconv/shortcut", a_shortcut_is_no_branch);
  g_test_add_func ("/fold/repconv/readers", a_branch_that_others_read_stays);
  g_test_add_func ("/fold/repconv/act", a_branch_with_an_activation_stays);
  g_test_add_func ("/fold/batchnorm/readers", a_batchnorm_is_folded_only_where_nobody_else_reads);
  g_test_add_func ("/fold/batchnorm/act", a_batchnorm_after_an_activation_stays);
  g_test_add_func ("/fold/implicit/padded", an_added_implicit_stays_before_a_padded_convolution);
  g_test_add_func ("/fold/implicit/groups", an_added_implicit_moves_into_the_bias_of_its_group);
  g_test_add_func ("/fold/implicit/scale", an_implicit_that_scales_stays_before_a_convolution);
  g_test_add_func ("/fold/activation", an_activation_is_fused_only_where_nobody_else_reads);
  g_test_add_func ("/fold/aux", what_the_output_does_not_need_goes);
  g_test_add_func ("/fold/chain-pools", a_pyramid_of_pools_becomes_a_chain);
  g_test_add_func ("/fold/other-pools", other_pools_stay);
  return g_test_run ();
}
