/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-hoist-upsample.c - engine/passes/hoist_upsample.c: which convolutions move. That
 * they compute the same is shown by tests/model/test-passes.c.
 */
#include "engine/passes/passes.h"

#define C 8

static YvNode *
add_conv (YvGraph *graph, uint32_t input, uint32_t c_out, uint32_t kernel)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, "conv", 0, &input, 1, c_out);

  node->conv.weight = yv_weight_new (c_out, yv_graph_node (graph, input)->c_out, 1, kernel, kernel);
  yv_weight_add_random (node->conv.weight, node->id);
  node->conv.stride_h = node->conv.stride_w = 1;
  node->conv.pad_h = node->conv.pad_w = kernel / 2;
  return node;
}

static uint32_t
add_upsample (YvGraph *graph, uint32_t input)
{
  YvNode *node =
      yv_graph_add (graph, YV_OP_UPSAMPLE, "up", 0, &input, 1, yv_graph_node (graph, input)->c_out);

  node->upsample.factor = 2;
  return node->id;
}

static YvGraph *
new_graph (void)
{
  YvGraph *graph = yv_graph_new ();

  yv_graph_add (graph, YV_OP_INPUT, "images", 0, NULL, 0, C);
  graph->n_rows = 1;
  return graph;
}

/* Ends the graph with a head on @logits and runs the pass. */
static uint32_t
finish (YvGraph *graph, uint32_t logits)
{
  YvNode *detect = yv_graph_add (graph, YV_OP_DETECT, "detect", 0, &logits, 1, C);

  detect->detect = (YvDetectSpec){.n_levels = 1, .n_anchors = 1, .n_classes = 3, .stride = {1}};
  const uint32_t n_changes = yv_pass_hoist_upsample (graph);
  yv_graph_assert_valid (graph);
  return n_changes;
}

static void
a_point_convolution_moves_with_its_activation (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  YvNode *conv = add_conv (graph, add_upsample (graph, 0), 2 * C, 1);
  const YvNode *reader = add_conv (graph, conv->id, C, 3);

  conv->act.kind = YV_ACT_SILU;
  g_assert_cmpuint (finish (graph, reader->id), ==, 1);
  g_assert_cmpuint (graph->nodes->len, ==, 5);
  const YvNode *upsample = graph->nodes->pdata[2];
  g_assert_true (graph->nodes->pdata[1] == conv);
  g_assert_cmpuint (conv->inputs[0], ==, 0);
  g_assert_cmpint (conv->act.kind, ==, YV_ACT_SILU);
  g_assert_cmpint (upsample->op, ==, YV_OP_UPSAMPLE);
  g_assert_cmpuint (upsample->inputs[0], ==, conv->id);
  g_assert_cmpuint (upsample->upsample.factor, ==, 2);
  g_assert_cmpuint (upsample->c_out, ==, 2 * C);
  g_assert_cmpuint (reader->inputs[0], ==, upsample->id);
}

static void
convolutions_in_a_row_all_move (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const YvNode *first = add_conv (graph, add_upsample (graph, add_upsample (graph, 0)), C, 1);
  const YvNode *second = add_conv (graph, first->id, C, 1);
  const YvNode *reader = add_conv (graph, second->id, C, 3);

  g_assert_cmpuint (finish (graph, reader->id), ==, 2);
  g_assert_cmpuint (second->inputs[0], ==, first->id);
  g_assert_cmpuint (graph->nodes->len, ==, 7);
}

/* An enlarged value that a concat holds, too, stays where it is and is written there. */
static void
an_upsample_that_others_read_stays (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t upsample = add_upsample (graph, 0);
  const YvNode *conv = add_conv (graph, upsample, C, 1);
  const uint32_t parts[] = {upsample, conv->id};
  const YvNode *concat = yv_graph_add (graph, YV_OP_CONCAT, "concat", 0, parts, 2, 2 * C);
  const YvNode *reader = add_conv (graph, concat->id, C, 3);

  g_assert_cmpuint (finish (graph, reader->id), ==, 1);
  g_assert_cmpuint (conv->inputs[0], ==, 0);
  g_assert_cmpuint (concat->inputs[0], ==, upsample);
  g_assert_cmpint (yv_graph_node (graph, concat->inputs[1])->op, ==, YV_OP_UPSAMPLE);
}

/* For a pixel of the source it would read and write 104 elements instead of 96. */
static void
a_wide_convolution_of_what_others_read_stays (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t upsample = add_upsample (graph, 0);
  const YvNode *conv = add_conv (graph, upsample, 2 * C, 1);
  const uint32_t parts[] = {upsample, conv->id};
  const YvNode *concat = yv_graph_add (graph, YV_OP_CONCAT, "concat", 0, parts, 2, 3 * C);
  const YvNode *reader = add_conv (graph, concat->id, C, 3);

  g_assert_cmpuint (finish (graph, reader->id), ==, 0);
  g_assert_cmpuint (conv->inputs[0], ==, upsample);
}

static void
convolutions_that_see_neighbours_stay (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  YvNode *padded = add_conv (graph, add_upsample (graph, 0), C, 1);
  YvNode *strided = add_conv (graph, add_upsample (graph, padded->id), C, 1);
  const YvNode *large = add_conv (graph, add_upsample (graph, strided->id), C, 3);

  padded->conv.pad_w = 1;
  strided->conv.stride_h = 2;
  g_assert_cmpuint (finish (graph, large->id), ==, 0);
}

static void
logits_of_a_head_are_left_to_the_convolution (void)
{
  g_autoptr (YvGraph) graph = new_graph ();

  g_assert_cmpuint (finish (graph, add_conv (graph, add_upsample (graph, 0), C, 1)->id), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hoist-upsample/moves", a_point_convolution_moves_with_its_activation);
  g_test_add_func ("/hoist-upsample/row", convolutions_in_a_row_all_move);
  g_test_add_func ("/hoist-upsample/readers", an_upsample_that_others_read_stays);
  g_test_add_func ("/hoist-upsample/wide", a_wide_convolution_of_what_others_read_stays);
  g_test_add_func ("/hoist-upsample/neighbours", convolutions_that_see_neighbours_stay);
  g_test_add_func ("/hoist-upsample/logits", logits_of_a_head_are_left_to_the_convolution);
  return g_test_run ();
}
