/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-merge-siblings.c - engine/passes/merge_siblings.c: which convolutions become one.
 * That they compute the same is shown by tests/model/test-passes.c and test-vulkan-exec.c.
 */
#include "engine/passes/passes.h"

#define C 8

static YvNode *
add_conv (YvGraph *graph, uint32_t input, uint32_t c_out)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, "conv", 0, &input, 1, c_out);

  g_free (node->name);
  node->name = g_strdup_printf ("conv%u", node->id);
  node->conv.weight = yv_weight_new (c_out, yv_graph_node (graph, input)->c_out, 1, 1, 1);
  yv_weight_add_random (node->conv.weight, node->id);
  for (uint32_t o = 0; o < c_out; o++)
    node->conv.weight->bias[o] = node->id + 0.01 * o;
  node->conv.stride_h = node->conv.stride_w = 1;
  return node;
}

static uint32_t
add_concat (YvGraph *graph, const uint32_t *inputs, uint32_t n_inputs)
{
  uint32_t c_out = 0;

  for (uint32_t i = 0; i < n_inputs; i++)
    c_out += yv_graph_node (graph, inputs[i])->c_out;
  return yv_graph_add (graph, YV_OP_CONCAT, "concat", 0, inputs, n_inputs, c_out)->id;
}

static YvGraph *
new_graph (void)
{
  YvGraph *graph = yv_graph_new ();

  yv_graph_add (graph, YV_OP_INPUT, "images", 0, NULL, 0, C);
  graph->n_rows = 1;
  return graph;
}

/* Ends the graph with a head on @input, places values, and runs the pass. */
static uint32_t
finish (YvGraph *graph, uint32_t input)
{
  const uint32_t logits = add_conv (graph, input, 6)->id;
  YvNode *detect = yv_graph_add (graph, YV_OP_DETECT, "detect", 0, &logits, 1, 6);

  detect->detect = (YvDetectSpec){.n_levels = 1, .n_anchors = 1, .n_classes = 1, .stride = {1}};
  yv_pass_elide_concat (graph);
  const uint32_t n_changes = yv_pass_merge_siblings (graph);
  yv_graph_assert_valid (graph);
  return n_changes;
}

static void
assert_same_row (const YvWeight *a, uint32_t a_row, const YvWeight *b, uint32_t b_row)
{
  double x[C], y[C];

  yv_weight_row (a, a_row, x);
  yv_weight_row (b, b_row, y);
  g_assert_cmpmem (x, sizeof x, y, sizeof y);
  g_assert_cmpfloat (a->bias[a_row], ==, b->bias[b_row]);
}

/* As in ELAN: the second branch lies before the first, and goes on. */
static void
siblings_are_stacked_in_the_order_of_their_channels (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  YvNode *a = add_conv (graph, 0, 16), *b = add_conv (graph, 0, 24);
  const uint32_t c = add_conv (graph, b->id, 8)->id;
  const uint32_t concat = add_concat (graph, (uint32_t[]){c, b->id, a->id}, 3);

  a->act.kind = b->act.kind = YV_ACT_SILU;
  g_assert_cmpuint (finish (graph, concat), ==, 1);
  const YvNode *merged = a->conv.merged;
  g_assert_nonnull (merged);
  g_assert_true (b->conv.by_sibling);
  g_assert_null (b->conv.merged);
  g_assert_cmpstr (merged->name, ==, "conv2+conv1");
  g_assert_cmpuint (merged->parent, ==, concat);
  g_assert_cmpuint (merged->c_offset, ==, 8);
  g_assert_cmpuint (merged->c_out, ==, 40);
  g_assert_cmpint (merged->act.kind, ==, YV_ACT_SILU);
  for (uint32_t o = 0; o < 40; o++)
    assert_same_row (merged->conv.weight, o, (o < 24 ? b : a)->conv.weight, o < 24 ? o : o - 24);
}

static void
three_in_any_order_become_one (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const YvNode *a = add_conv (graph, 0, 8), *b = add_conv (graph, 0, 8),
               *c = add_conv (graph, 0, 8);
  const uint32_t concat = add_concat (graph, (uint32_t[]){b->id, a->id, c->id}, 3);

  g_assert_cmpuint (finish (graph, concat), ==, 1);
  g_assert_cmpstr (a->conv.merged->name, ==, "conv2+conv1+conv3");
  g_assert_true (b->conv.by_sibling && c->conv.by_sibling);
}

/* New numbers reach what is in no list. */
static void
sorting_renumbers_what_was_merged (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t unused = add_conv (graph, 0, 8)->id;
  const uint32_t stem = add_conv (graph, 0, 8)->id;
  const YvNode *a = add_conv (graph, stem, 8), *b = add_conv (graph, stem, 8);
  const uint32_t concat = add_concat (graph, (uint32_t[]){a->id, b->id}, 2);

  g_assert_cmpuint (finish (graph, concat), ==, 1);
  yv_graph_remove (graph, unused);
  yv_graph_sort (graph);
  yv_graph_assert_valid (graph);
  g_assert_cmpuint (a->conv.merged->id, ==, a->id);
  g_assert_cmpuint (a->conv.merged->inputs[0], ==, stem - 1);
  g_assert_cmpuint (a->conv.merged->parent, ==, concat - 1);
}

static void
something_between_keeps_them_apart (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, 8)->id, b = add_conv (graph, 0, 8)->id;
  const uint32_t between = add_conv (graph, a, 8)->id;

  g_assert_cmpuint (finish (graph, add_concat (graph, (uint32_t[]){a, between, b}, 3)), ==, 0);
}

/* One is in the concat, the other goes elsewhere, as in SPPCSPC. */
static void
a_sibling_that_lies_elsewhere_stays_alone (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  const uint32_t a = add_conv (graph, 0, 8)->id, b = add_conv (graph, 0, 8)->id;
  const uint32_t deeper = add_conv (graph, a, 8)->id;

  g_assert_cmpuint (finish (graph, add_concat (graph, (uint32_t[]){deeper, b}, 2)), ==, 0);
}

/* The second differs from the first by one thing. */
static void
convolutions_that_differ_stay_apart (void)
{
  enum { KERNEL, GROUPS, STRIDE, PADDING, ACT, SLOPE, INPUT, N };

  for (int difference = 0; difference < N; difference++) {
    g_autoptr (YvGraph) graph = new_graph ();
    const uint32_t other = add_conv (graph, 0, C)->id;
    YvNode *a = add_conv (graph, 0, 8);
    YvNode *b = add_conv (graph, difference == INPUT ? other : 0, 8);
    const uint32_t concat = add_concat (graph, (uint32_t[]){a->id, b->id}, 2);

    a->act = b->act = (YvAct){.kind = YV_ACT_LEAKY_RELU, .slope = 0.1f};
    if (difference == KERNEL)
      b->conv.weight->kernel_w = 3;
    if (difference == GROUPS)
      b->conv.weight->groups = 2;
    b->conv.stride_w += difference == STRIDE;
    b->conv.pad_h += difference == PADDING;
    if (difference == ACT)
      b->act.kind = YV_ACT_SILU;
    if (difference == SLOPE)
      b->act.slope = 0.2f;
    g_assert_cmpuint (finish (graph, concat), ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/merge-siblings/stacked", siblings_are_stacked_in_the_order_of_their_channels);
  g_test_add_func ("/merge-siblings/three", three_in_any_order_become_one);
  g_test_add_func ("/merge-siblings/sorted", sorting_renumbers_what_was_merged);
  g_test_add_func ("/merge-siblings/between", something_between_keeps_them_apart);
  g_test_add_func ("/merge-siblings/elsewhere", a_sibling_that_lies_elsewhere_stays_alone);
  g_test_add_func ("/merge-siblings/differ", convolutions_that_differ_stay_apart);
  return g_test_run ();
}
