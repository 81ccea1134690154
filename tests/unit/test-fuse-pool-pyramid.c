/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-fuse-pool-pyramid.c - engine/passes/fuse_pool_pyramid.c: which pools become one.
 * That they compute the same is shown by tests/model/test-passes.c.
 */
#include "engine/passes/passes.h"

#define C 8

typedef struct {
  YvGraph *graph;
  YvNode *stem, *pools[3];
} Pyramid;

static YvNode *
add_conv (YvGraph *graph, uint32_t input, uint32_t c_out)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, "conv", 0, &input, 1, c_out);

  node->conv.weight = yv_weight_new (c_out, yv_graph_node (graph, input)->c_out, 1, 1, 1);
  yv_weight_add_random (node->conv.weight, node->id);
  node->conv.stride_h = node->conv.stride_w = 1;
  return node;
}

/* A convolution of @c channels and its pools of 5, 9 and 13. */
static Pyramid
pyramid_new (uint32_t c)
{
  Pyramid pyramid = {.graph = yv_graph_new ()};

  yv_graph_add (pyramid.graph, YV_OP_INPUT, "images", 0, NULL, 0, C);
  pyramid.graph->n_rows = 1;
  pyramid.stem = add_conv (pyramid.graph, 0, c);
  for (uint32_t i = 0; i < 3; i++) {
    YvNode *pool = yv_graph_add (pyramid.graph, YV_OP_MAXPOOL, "pool", 0, &pyramid.stem->id, 1, c);

    pool->maxpool.kernel = 5 + 4 * i;
    pool->maxpool.stride = 1;
    pool->maxpool.pad = pool->maxpool.kernel / 2;
    pyramid.pools[i] = pool;
  }
  return pyramid;
}

static void
pyramid_clear (Pyramid *pyramid)
{
  yv_graph_free (pyramid->graph);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pyramid, pyramid_clear)

/* Puts stem (0) and pools (1 to 3) side by side in @order, ends the graph with a head, and runs the
 * passes. */
static uint32_t
finish (Pyramid *pyramid, const uint32_t order[4])
{
  YvGraph *graph = pyramid->graph;
  uint32_t inputs[4];

  for (uint32_t i = 0; i < 4; i++)
    inputs[i] = order[i] == 0 ? pyramid->stem->id : pyramid->pools[order[i] - 1]->id;
  const YvNode *concat =
      yv_graph_add (graph, YV_OP_CONCAT, "concat", 0, inputs, 4, 4 * pyramid->stem->c_out);
  const uint32_t logits = add_conv (graph, concat->id, 6)->id;
  YvNode *detect = yv_graph_add (graph, YV_OP_DETECT, "detect", 0, &logits, 1, 6);

  detect->detect = (YvDetectSpec){.n_levels = 1, .n_anchors = 1, .n_classes = 1, .stride = {1}};
  yv_pass_chain_pools (graph);
  yv_pass_elide_concat (graph);
  const uint32_t n_changes = yv_pass_fuse_pool_pyramid (graph);
  yv_graph_assert_valid (graph);
  return n_changes;
}

static void
assert_levels (const Pyramid *pyramid, YvPyramid first, YvPyramid others)
{
  g_assert_cmpint (pyramid->pools[0]->maxpool.pyramid, ==, first);
  g_assert_cmpint (pyramid->pools[1]->maxpool.pyramid, ==, others);
  g_assert_cmpint (pyramid->pools[2]->maxpool.pyramid, ==, others);
}

/* As in SPPCSPC. */
static void
levels_that_rise_become_one (void)
{
  g_auto (Pyramid) pyramid = pyramid_new (C);

  g_assert_cmpuint (finish (&pyramid, (const uint32_t[]){0, 1, 2, 3}), ==, 1);
  assert_levels (&pyramid, YV_PYRAMID_RISING, YV_PYRAMID_UPPER);
}

/* As in yolov7-tiny. */
static void
levels_that_fall_become_one (void)
{
  g_auto (Pyramid) pyramid = pyramid_new (C);

  g_assert_cmpuint (finish (&pyramid, (const uint32_t[]){3, 2, 1, 0}), ==, 1);
  assert_levels (&pyramid, YV_PYRAMID_FALLING, YV_PYRAMID_UPPER);
}

static void
levels_in_another_order_stay_apart (void)
{
  g_auto (Pyramid) pyramid = pyramid_new (C);

  g_assert_cmpuint (finish (&pyramid, (const uint32_t[]){1, 0, 2, 3}), ==, 0);
  assert_levels (&pyramid, YV_PYRAMID_NONE, YV_PYRAMID_NONE);
}

static void
other_windows_stay_apart (void)
{
  g_auto (Pyramid) pyramid = pyramid_new (C);

  pyramid.pools[2]->maxpool.kernel = 11;
  pyramid.pools[2]->maxpool.pad = 5;
  g_assert_cmpuint (finish (&pyramid, (const uint32_t[]){0, 1, 2, 3}), ==, 0);
}

/* The last level would be copied. */
static void
channels_that_fill_no_group_stay_apart (void)
{
  g_auto (Pyramid) pyramid = pyramid_new (C + 4);

  g_assert_cmpuint (finish (&pyramid, (const uint32_t[]){0, 1, 2, 3}), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fuse-pool-pyramid/rising", levels_that_rise_become_one);
  g_test_add_func ("/fuse-pool-pyramid/falling", levels_that_fall_become_one);
  g_test_add_func ("/fuse-pool-pyramid/order", levels_in_another_order_stay_apart);
  g_test_add_func ("/fuse-pool-pyramid/windows", other_windows_stay_apart);
  g_test_add_func ("/fuse-pool-pyramid/channels", channels_that_fill_no_group_stay_apart);
  return g_test_run ();
}
