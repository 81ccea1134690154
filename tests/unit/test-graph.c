/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-graph.c - engine/graph/graph.h: edits, order, text and activations. */
#include "engine/graph/graph.h"

#include <math.h>
#include <string.h>

static YvNode *
add_conv (YvGraph *graph, const char *name, uint32_t input, uint32_t c_in, uint32_t c_out)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, name, 0, &input, 1, c_out);

  node->conv.weight = yv_weight_new (c_out, c_in, 1, 1, 1);
  yv_weight_add_random (node->conv.weight, node->id);
  node->conv.stride_h = node->conv.stride_w = 1;
  return node;
}

/* input -> a -> b -> cat [b, a] -> head -> detect */
static YvGraph *
make_graph (void)
{
  YvGraph *graph = yv_graph_new ();
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "images", 0, NULL, 0, 3)->id;
  const uint32_t a = add_conv (graph, "a", input, 3, 8)->id;
  YvNode *b = add_conv (graph, "b", a, 8, 8);
  const uint32_t cat =
      yv_graph_add (graph, YV_OP_CONCAT, "cat", 0, (uint32_t[]){b->id, a}, 2, 16)->id;
  const uint32_t head = add_conv (graph, "head", cat, 16, 21)->id;
  YvNode *detect = yv_graph_add (graph, YV_OP_DETECT, "detect", 0, &head, 1, 7);

  b->act = (YvAct){.kind = YV_ACT_LEAKY_RELU, .slope = 0.1f};
  b->parent = cat;
  detect->detect = (YvDetectSpec){
      .n_levels = 1, .n_anchors = 3, .n_classes = 2, .stride = {1}, .anchor_px = {{{1, 2}}}};
  graph->n_rows = 1;
  return graph;
}

static void
readers_are_counted_and_replaced (void)
{
  g_autoptr (YvGraph) graph = make_graph ();

  yv_graph_assert_valid (graph);
  g_assert_cmpuint (yv_graph_n_readers (graph, 1), ==, 2);
  yv_graph_replace (graph, 2, 1); /* cat reads a twice now */
  g_assert_cmpuint (yv_graph_n_readers (graph, 1), ==, 3);
  g_assert_cmpuint (yv_graph_n_readers (graph, 2), ==, 0);
  yv_graph_remove (graph, 2);
  g_assert_null (yv_graph_node (graph, 2));
  yv_graph_assert_valid (graph);
}

static void
sorting_puts_inputs_first_and_renumbers (void)
{
  g_autoptr (YvGraph) graph = make_graph ();

  /* A pass has replaced a by a node that it appended behind everything. */
  const uint32_t late = add_conv (graph, "late", 0, 3, 8)->id;
  yv_graph_replace (graph, 1, late);
  yv_graph_remove (graph, 1);
  yv_graph_sort (graph);
  yv_graph_assert_valid (graph);

  const char *const names[] = {"images", "late", "b", "cat", "head", "detect"};
  g_assert_cmpuint (graph->nodes->len, ==, G_N_ELEMENTS (names));
  for (uint32_t i = 0; i < G_N_ELEMENTS (names); i++) {
    const YvNode *node = graph->nodes->pdata[i];
    g_assert_cmpuint (node->id, ==, i);
    g_assert_cmpstr (node->name, ==, names[i]);
  }
  g_assert_cmpuint (yv_graph_node (graph, 2)->parent, ==, 3);
  g_assert_cmpuint (graph->next_id, ==, G_N_ELEMENTS (names));
}

static void
sorting_keeps_an_order_that_is_right (void)
{
  g_autoptr (YvGraph) graph = make_graph ();
  g_autofree char *before = yv_graph_print (graph);

  yv_graph_sort (graph);
  g_autofree char *after = yv_graph_print (graph);
  g_assert_cmpstr (before, ==, after);
}

static void
every_node_prints_as_one_line (void)
{
  g_autoptr (YvGraph) graph = make_graph ();
  g_autofree char *text = yv_graph_print (graph);

  g_assert_cmpstr (text, ==,
                   "   0 input    images <- : c3\n"
                   "   1 conv     a <- 0 : c8 k1 s1 p0\n"
                   "   2 conv     b <- 1 : c8 k1 s1 p0 leaky_relu 0.1 in 3+0\n"
                   "   3 concat   cat <- 2 1 : c16\n"
                   "   4 conv     head <- 3 : c21 k1 s1 p0\n"
                   "   5 detect   detect <- 4 : c7 classes 2 anchors 3 of logits strides 1\n");
}

static void
a_bias_counts_once_it_is_there (void)
{
  g_autoptr (YvGraph) graph = make_graph ();
  const YvNode *conv = yv_graph_node (graph, 1);
  const double ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};

  g_assert_cmpuint (yv_node_n_params (conv), ==, 24);
  yv_weight_scale (conv->conv.weight, ones, ones);
  g_assert_cmpuint (yv_node_n_params (conv), ==, 32);
  g_assert_cmpuint (yv_node_n_params (yv_graph_node (graph, 3)), ==, 0);
}

/* Values of torch.nn.functional of the same names, in double. */
static void
activations_have_the_values_that_pytorch_gives (void)
{
  static const struct {
    YvAct act;
    double y[4]; /* at -4, -0.5, 0.75, 7 */
  } rows[] = {
      {{.kind = YV_ACT_NONE}, {-4, -0.5, 0.75, 7}},
      {{.kind = YV_ACT_SILU},
       {-0.07194483984836623, -0.1887703343990727, 0.5093840243815447, 6.993622641639196}},
      {{.kind = YV_ACT_LEAKY_RELU, .slope = 0.125f}, {-0.5, -0.0625, 0.75, 7}},
      {{.kind = YV_ACT_RELU}, {0, 0, 0.75, 7}},
      {{.kind = YV_ACT_RELU6}, {0, 0, 0.75, 6}},
      {{.kind = YV_ACT_HARDSWISH}, {0, -0.20833333333333334, 0.46875, 7}},
      {{.kind = YV_ACT_MISH},
       {-0.07259174079202535, -0.22074377465173, 0.6100183352182934, 6.999988379809741}},
      {{.kind = YV_ACT_SIGMOID},
       {0.01798620996209156, 0.3775406687981454, 0.679178699175393, 0.9990889488055994}},
  };
  static const double x[] = {-4, -0.5, 0.75, 7};

  G_STATIC_ASSERT (G_N_ELEMENTS (rows) == YV_N_ACTS);
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++)
    for (size_t j = 0; j < G_N_ELEMENTS (x); j++)
      g_assert_cmpfloat_with_epsilon (yv_act_apply (rows[i].act, x[j]), rows[i].y[j], 1e-12);
}

static void
activations_stay_finite_far_out (void)
{
  for (uint32_t kind = 0; kind < YV_N_ACTS; kind++) {
    const YvAct act = {.kind = (YvActKind) kind, .slope = 0.1f};
    g_assert_true (isfinite (yv_act_apply (act, 1e30)));
    g_assert_true (isfinite (yv_act_apply (act, -1e30)));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/readers", readers_are_counted_and_replaced);
  g_test_add_func ("/graph/sort/order", sorting_puts_inputs_first_and_renumbers);
  g_test_add_func ("/graph/sort/stable", sorting_keeps_an_order_that_is_right);
  g_test_add_func ("/graph/print", every_node_prints_as_one_line);
  g_test_add_func ("/graph/params", a_bias_counts_once_it_is_there);
  g_test_add_func ("/graph/act/values", activations_have_the_values_that_pytorch_gives);
  g_test_add_func ("/graph/act/finite", activations_stay_finite_far_out);
  return g_test_run ();
}
