/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-fuse-epilogue.c - engine/passes/fuse_shortcut.c and fuse_upsample.c: what becomes
 * a part of a convolution; and drop_aux.c: what nobody needs goes. That they compute the same is
 * shown by tests/model/test-passes.c.
 */
#include "engine/passes/passes.h"

#define C 8

static YvNode *
add_conv (YvGraph *graph, uint32_t input, uint32_t c_out, YvActKind act)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, "conv", 0, &input, 1, c_out);

  node->conv.weight = yv_weight_new (c_out, yv_graph_node (graph, input)->c_out, 1, 1, 1);
  yv_weight_add_random (node->conv.weight, node->id);
  node->conv.stride_h = node->conv.stride_w = 1;
  node->act.kind = act;
  return node;
}

static YvNode *
add_sum (YvGraph *graph, uint32_t a, uint32_t b)
{
  return yv_graph_add (graph, YV_OP_ADD, "add", 0, (const uint32_t[]){a, b}, 2, C);
}

static YvNode *
add_upsample (YvGraph *graph, uint32_t input, uint32_t factor)
{
  YvNode *node =
      yv_graph_add (graph, YV_OP_UPSAMPLE, "up", 0, &input, 1, yv_graph_node (graph, input)->c_out);

  node->upsample.factor = factor;
  return node;
}

/* The picture (0) and a convolution of it (1). */
static YvGraph *
new_graph (void)
{
  YvGraph *graph = yv_graph_new ();

  yv_graph_add (graph, YV_OP_INPUT, "images", 0, NULL, 0, C);
  graph->n_rows = 1;
  add_conv (graph, 0, C, YV_ACT_SILU);
  return graph;
}

/* Ends the graph with heads on @logits and runs the pass. */
static uint32_t
finish_with (YvGraph *graph, const uint32_t *logits, uint32_t n, uint32_t (*pass) (YvGraph *))
{
  YvNode *detect = yv_graph_add (graph, YV_OP_DETECT, "detect", 0, logits, n, C);

  detect->detect = (YvDetectSpec){.n_levels = n, .n_anchors = 1, .n_classes = 3, .stride = {1, 1}};
  const uint32_t n_changes = pass (graph);
  yv_graph_assert_valid (graph);
  return n_changes;
}

/* The same with a head of one convolution on @input. */
static uint32_t
finish (YvGraph *graph, uint32_t input, uint32_t (*pass) (YvGraph *))
{
  const uint32_t logits = add_conv (graph, input, C, YV_ACT_NONE)->id;

  return finish_with (graph, &logits, 1, pass);
}

/* ---- residuals ------------------------------------------------------------------------------- */

static void
a_sum_after_the_activation_is_fused (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const YvNode *conv = add_conv (graph, 1, C, YV_ACT_MISH);
  const uint32_t conv_id = conv->id;
  const uint32_t sum = add_sum (graph, conv_id, 1)->id;

  g_assert_cmpuint (finish (graph, sum, yv_pass_fuse_shortcut), ==, 1);
  g_assert_cmpuint (conv->n_inputs, ==, 2);
  g_assert_cmpuint (conv->inputs[1], ==, 1);
  g_assert_cmpint (conv->act.kind, ==, YV_ACT_MISH);
  g_assert_false (conv->conv.act_last);
  g_assert_null (yv_graph_node (graph, sum));
  g_assert_cmpuint (yv_graph_n_readers (graph, conv_id), ==, 1);
}

static void
a_sum_before_the_activation_is_fused (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const YvNode *conv = add_conv (graph, 1, C, YV_ACT_NONE);
  YvNode *sum = add_sum (graph, 1, conv->id);

  sum->act.kind = YV_ACT_RELU;
  g_assert_cmpuint (finish (graph, sum->id, yv_pass_fuse_shortcut), ==, 1);
  g_assert_cmpint (conv->act.kind, ==, YV_ACT_RELU);
  g_assert_true (conv->conv.act_last);
}

/* As in E6E: both are convolutions, and the later one finds the other stored. */
static void
of_two_convolutions_the_later_one_adds (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const YvNode *a = add_conv (graph, 1, C, YV_ACT_SILU), *b = add_conv (graph, 1, C, YV_ACT_SILU);

  g_assert_cmpuint (finish (graph, add_sum (graph, b->id, a->id)->id, yv_pass_fuse_shortcut), ==,
                    1);
  g_assert_cmpuint (a->n_inputs, ==, 1);
  g_assert_cmpuint (b->inputs[1], ==, a->id);
}

static void
other_sums_stay (void)
{
  enum { READ, TWICE, ACTS, PICTURE, TWO_SUMS, N };

  for (int what = 0; what < N; what++) {
    g_autoptr (YvGraph) graph = new_graph ();
    const YvNode *conv = add_conv (graph, 1, C, YV_ACT_SILU);
    const uint32_t other = what == TWICE ? conv->id : what == PICTURE ? 0 : 1;
    YvNode *sum = add_sum (graph, conv->id, other);
    uint32_t end = sum->id;

    if (what == ACTS)
      sum->act.kind = YV_ACT_SILU;
    if (what == READ) /* also by the next sum, which has no other convolution */
      end = add_sum (graph, end, conv->id)->id;
    if (what == TWO_SUMS)
      end = add_sum (graph, end, 1)->id;
    g_assert_cmpuint (finish (graph, end, yv_pass_fuse_shortcut), ==, what == TWO_SUMS ? 1 : 0);
  }
}

static void
a_sum_that_is_logits_stays (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t sum = add_sum (graph, add_conv (graph, 1, C, YV_ACT_NONE)->id, 1)->id;

  g_assert_cmpuint (finish_with (graph, &sum, 1, yv_pass_fuse_shortcut), ==, 0);
}

/* ---- enlarging ------------------------------------------------------------------------------- */

static void
a_convolution_stores_enlarged (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const YvNode *conv = add_conv (graph, 1, C, YV_ACT_SILU);
  const uint32_t upsample = add_upsample (graph, conv->id, 2)->id;

  g_assert_cmpuint (finish (graph, upsample, yv_pass_fuse_upsample), ==, 1);
  g_assert_true (conv->conv.is_doubled);
  g_assert_null (yv_graph_node (graph, upsample));
  g_assert_cmpuint (yv_graph_n_readers (graph, conv->id), ==, 1);
}

static void
other_factors_stay (void)
{
  g_autoptr (YvGraph) graph = new_graph ();

  g_assert_cmpuint (finish (graph, add_upsample (graph, 1, 3)->id, yv_pass_fuse_upsample), ==, 0);
}

static void
enlarging_twice_is_fused_once (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t once = add_upsample (graph, 1, 2)->id;

  g_assert_cmpuint (finish (graph, add_upsample (graph, once, 2)->id, yv_pass_fuse_upsample), ==,
                    1);
}

static void
a_small_value_that_others_read_is_stored (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t upsample = add_upsample (graph, 1, 2)->id;
  const uint32_t logits[] = {add_conv (graph, upsample, C, YV_ACT_NONE)->id,
                             add_conv (graph, 1, C, YV_ACT_NONE)->id};

  g_assert_cmpuint (finish_with (graph, logits, 2, yv_pass_fuse_upsample), ==, 0);
}

/* ---- what nobody needs ----------------------------------------------------------------------- */

static void
what_nobody_reads_goes (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t unread = add_conv (graph, 1, C, YV_ACT_SILU)->id;
  const uint32_t of_unread = add_upsample (graph, unread, 2)->id;

  g_assert_cmpuint (finish (graph, 1, yv_pass_drop_aux), ==, 2);
  g_assert_null (yv_graph_node (graph, unread));
  g_assert_null (yv_graph_node (graph, of_unread));
  g_assert_cmpuint (graph->nodes->len, ==, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fuse-epilogue/after", a_sum_after_the_activation_is_fused);
  g_test_add_func ("/fuse-epilogue/before", a_sum_before_the_activation_is_fused);
  g_test_add_func ("/fuse-epilogue/later", of_two_convolutions_the_later_one_adds);
  g_test_add_func ("/fuse-epilogue/other-sums", other_sums_stay);
  g_test_add_func ("/fuse-epilogue/logits", a_sum_that_is_logits_stays);
  g_test_add_func ("/fuse-epilogue/enlarged", a_convolution_stores_enlarged);
  g_test_add_func ("/fuse-epilogue/factors", other_factors_stay);
  g_test_add_func ("/fuse-epilogue/twice", enlarging_twice_is_fused_once);
  g_test_add_func ("/fuse-epilogue/read", a_small_value_that_others_read_is_stored);
  g_test_add_func ("/fuse-epilogue/unread", what_nobody_reads_goes);
  return g_test_run ();
}
