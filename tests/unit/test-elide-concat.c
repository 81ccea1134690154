/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-elide-concat.c - engine/passes/elide_concat.c: what may be stored in place.
 */
#include "engine/passes/passes.h"

static uint32_t
add_conv (YvGraph *graph, uint32_t input, uint32_t c_out)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, "conv", 0, &input, 1, c_out);

  node->conv.weight = yv_weight_new (c_out, yv_graph_node (graph, input)->c_out, 1, 1, 1);
  yv_weight_add_random (node->conv.weight, node->id);
  node->conv.stride_h = node->conv.stride_w = 1;
  return node->id;
}

static uint32_t
add_concat (YvGraph *graph, const uint32_t *inputs, uint32_t n_inputs)
{
  uint32_t c_out = 0;

  for (uint32_t i = 0; i < n_inputs; i++)
    c_out += yv_graph_node (graph, inputs[i])->c_out;
  return yv_graph_add (graph, YV_OP_CONCAT, "concat", 0, inputs, n_inputs, c_out)->id;
}

/* A graph with its INPUT, of 8 channels so that alignment is not what keeps it from being placed.
 */
static YvGraph *
new_graph (void)
{
  YvGraph *graph = yv_graph_new ();

  yv_graph_add (graph, YV_OP_INPUT, "images", 0, NULL, 0, 8);
  graph->n_rows = 1;
  return graph;
}

/* Ends the graph with a head on @input and runs the pass. */
static uint32_t
finish (YvGraph *graph, uint32_t input)
{
  const uint32_t logits = add_conv (graph, input, 6);
  YvNode *detect = yv_graph_add (graph, YV_OP_DETECT, "detect", 0, &logits, 1, 6);

  detect->detect = (YvDetectSpec){.n_levels = 1, .n_anchors = 1, .n_classes = 1, .stride = {1}};
  const uint32_t n_changes = yv_pass_elide_concat (graph);
  yv_graph_assert_valid (graph);
  return n_changes;
}

static void
assert_placed (const YvGraph *graph, uint32_t id, uint32_t parent, uint32_t c_offset)
{
  g_assert_cmpuint (yv_graph_node (graph, id)->parent, ==, parent);
  g_assert_cmpuint (yv_graph_node (graph, id)->c_offset, ==, c_offset);
}

static void
aligned_inputs_lie_side_by_side (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, 16);
  const uint32_t b = add_conv (graph, 0, 8);
  const uint32_t c = add_conv (graph, 0, 13);
  const uint32_t concat = add_concat (graph, (uint32_t[]){b, a, c}, 3);

  g_assert_cmpuint (finish (graph, concat), ==, 3);
  assert_placed (graph, b, concat, 0);
  assert_placed (graph, a, concat, 8);
  assert_placed (graph, c, concat, 24); /* the last may end anywhere */
}

static void
an_odd_input_is_copied_and_so_are_those_it_displaces (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, 8);
  const uint32_t odd = add_conv (graph, 0, 12);
  const uint32_t b = add_conv (graph, 0, 8);
  const uint32_t even = add_conv (graph, 0, 4);
  const uint32_t c = add_conv (graph, 0, 8);
  const uint32_t concat = add_concat (graph, (uint32_t[]){a, odd, b, even, c}, 5);

  g_assert_cmpuint (finish (graph, concat), ==, 2);
  assert_placed (graph, a, concat, 0);
  assert_placed (graph, odd, YV_NO_PARENT, 0);
  assert_placed (graph, b, YV_NO_PARENT, 0);    /* at 20 */
  assert_placed (graph, even, YV_NO_PARENT, 0); /* at 28 */
  assert_placed (graph, c, concat, 32);
}

static void
the_picture_is_copied (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, 8);
  const uint32_t concat = add_concat (graph, (uint32_t[]){0, a}, 2);

  g_assert_cmpuint (finish (graph, concat), ==, 1);
  assert_placed (graph, 0, YV_NO_PARENT, 0);
  assert_placed (graph, a, concat, 8);
}

static void
a_value_is_placed_once (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, 8);
  const uint32_t b = add_conv (graph, 0, 8);
  const uint32_t first = add_concat (graph, (uint32_t[]){a, b, a}, 3);
  const uint32_t narrow = add_conv (graph, first, 8);
  const uint32_t second = add_concat (graph, (uint32_t[]){b, narrow}, 2);

  g_assert_cmpuint (finish (graph, second), ==, 3);
  assert_placed (graph, a, first, 0);
  assert_placed (graph, b, first, 8);
  assert_placed (graph, narrow, second, 8);
}

static void
a_concat_lies_in_a_concat (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, 8);
  const uint32_t b = add_conv (graph, 0, 8);
  const uint32_t inner = add_concat (graph, (uint32_t[]){a, b}, 2);
  const uint32_t c = add_conv (graph, inner, 8);
  const uint32_t outer = add_concat (graph, (uint32_t[]){c, inner}, 2);

  g_assert_cmpuint (finish (graph, outer), ==, 4);
  assert_placed (graph, b, inner, 8);
  assert_placed (graph, inner, outer, 8);
}

/* Its last input ends inside a group of channels, so nothing may follow it. */
static void
an_odd_concat_lies_only_at_the_end_of_a_concat (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, 8);
  const uint32_t b = add_conv (graph, 0, 4);
  const uint32_t inner = add_concat (graph, (uint32_t[]){a, b}, 2);
  const uint32_t c = add_conv (graph, inner, 8);
  const uint32_t outer = add_concat (graph, (uint32_t[]){inner, c}, 2);

  g_assert_cmpuint (finish (graph, outer), ==, 2);
  assert_placed (graph, a, inner, 0);
  assert_placed (graph, b, inner, 8);
  assert_placed (graph, inner, YV_NO_PARENT, 0);
  assert_placed (graph, c, YV_NO_PARENT, 0);
}

static void
logits_of_a_head_are_copied (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t logits = add_conv (graph, 0, 6);
  const uint32_t concat = add_concat (graph, &logits, 1);
  const uint32_t heads[] = {logits, add_conv (graph, concat, 6)};
  YvNode *detect = yv_graph_add (graph, YV_OP_DETECT, "detect", 0, heads, 2, 6);

  detect->detect = (YvDetectSpec){.n_levels = 2, .n_anchors = 1, .n_classes = 1, .stride = {1, 1}};
  g_assert_cmpuint (yv_pass_elide_concat (graph), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/elide-concat/aligned", aligned_inputs_lie_side_by_side);
  g_test_add_func ("/elide-concat/odd", an_odd_input_is_copied_and_so_are_those_it_displaces);
  g_test_add_func ("/elide-concat/picture", the_picture_is_copied);
  g_test_add_func ("/elide-concat/once", a_value_is_placed_once);
  g_test_add_func ("/elide-concat/nested", a_concat_lies_in_a_concat);
  g_test_add_func ("/elide-concat/nested-odd", an_odd_concat_lies_only_at_the_end_of_a_concat);
  g_test_add_func ("/elide-concat/logits", logits_of_a_head_are_copied);
  return g_test_run ();
}
