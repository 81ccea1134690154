/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-split.c - engine/ops/split.c and engine/ref/split.c: a network whose sums over K
 * are cut into parts, however its kernels count K, computes on the reference what it computes
 * whole. */
#include <math.h>

#include "engine/ops/conv.h"
#include "tests/common/refrun.h"

#define SIZE 64

/* Convolutions of 16, 72 and 40 channels, then the head. */
static YvGraph *
new_graph (void)
{
  static const uint32_t rows[][4] = {{16, 3, 8, 1}, {72, 3, 2, 1}, {40, 1, 1, 0}};
  YvGraph *graph = yv_graph_new ();
  uint32_t last = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  uint32_t c_in = 3;

  for (size_t i = 0; i <= G_N_ELEMENTS (rows); i++) {
    const bool is_head = i == G_N_ELEMENTS (rows);
    const uint32_t c_out = is_head ? YV_TEST_ROW : rows[i][0], k = is_head ? 1 : rows[i][1];
    YvWeight *weight = yv_weight_new (c_out, c_in, 1, k, k);

    yv_weight_add_random (weight, i);
    for (uint32_t o = 0; o < c_out; o++)
      weight->bias[o] = 0.125 * o;
    YvNode *conv =
        yv_test_add_conv (graph, last, weight, is_head ? 2 : rows[i][2], is_head ? 0 : rows[i][3]);
    conv->act.kind = is_head ? YV_ACT_NONE : YV_ACT_SILU;
    last = conv->id;
    c_in = c_out;
  }
  yv_test_add_detect (graph, last, 32);
  return graph;
}

/* What all kinds have in common. */
static YvCaps
gpu (void)
{
  return (YvCaps){
      .name = "a GPU",
      .fp16_storage = true,
      .subgroup_size = 32,
      .max_shared_bytes = 49152,
      .max_groups = {65535, 65535, 65535},
      .max_storage_range_bytes = 1u << 30,
      .max_texels = 1u << 27,
      .align_bytes = 64,
      .conv_parts = 3,
  };
}

static void
assert_same_heads (const YvTestRun *got, const YvTestRun *expected, double tolerance)
{
  g_autofree float *a = yv_test_read_value (got, &got->plan->heads[0]);
  g_autofree float *b = yv_test_read_value (expected, &expected->plan->heads[0]);

  for (uint32_t i = 0; i < YV_TEST_ROW * (SIZE / 32) * (SIZE / 32); i++)
    g_assert_cmpfloat_with_epsilon (a[i], b[i], tolerance);
}

static void
check (const YvCaps *caps, YvDType dtype, YvKernel kernel)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autofree float *input = yv_test_random_floats (rand, 3 * SIZE * SIZE);
  g_autoptr (YvGraph) graph = new_graph ();
  g_auto (YvTestRun) whole = yv_test_run_graph (graph, dtype, SIZE, SIZE, input);
  g_auto (YvTestRun) cut = yv_test_run_graph_for (graph, caps, dtype, SIZE, SIZE, input);
  uint32_t n_products = 0, n_sums = 0, n_of_kernel = 0;

  for (guint i = 0; i < cut.plan->steps->len; i++) {
    const YvStep *step = &g_array_index (cut.plan->steps, YvStep, i);

    n_products += step->part == YV_PART_SPLIT_PRODUCT;
    n_sums += step->part == YV_PART_SPLIT_SUM;
    n_of_kernel += step->kernel == kernel;
    if (step->part == YV_PART_SPLIT_PRODUCT)
      g_assert_cmpuint (step->groups[2], ==, step->dst.n);
  }
  g_assert_cmpuint (n_products, >=, 3);
  g_assert_cmpuint (n_products, ==, n_sums);
  g_assert_cmpuint (n_of_kernel, >=, 3);
  assert_same_heads (&cut, &whole, dtype == YV_DTYPE_F16 ? 1e-2 : 1e-4);
}

static void
parts_of_conv_tile_add_up (void)
{
  const YvCaps caps = gpu ();

  check (&caps, YV_DTYPE_F32, YV_KERNEL_CONV_TILE);
  check (&caps, YV_DTYPE_F16, YV_KERNEL_CONV_TILE);
}

static void
parts_of_conv_coopmat_add_up (void)
{
  YvCaps caps = gpu ();

  caps.coopmat_m = caps.coopmat_n = caps.coopmat_k = 16;
  check (&caps, YV_DTYPE_F16, YV_KERNEL_CONV_COOPMAT);
}

static void
parts_of_conv_coopmat2_add_up (void)
{
  YvCaps caps = gpu ();

  caps.coopmat2[0] = (YvMatrixUnit){16, 16, 16};
  caps.coopmat2_max_side = 256;
  caps.coopmat2_wanted = true;
  check (&caps, YV_DTYPE_F16, YV_KERNEL_CONV_COOPMAT2);
}

/* Two workgroups a core, but no part of less than 16 steps, and no part where all cores are busy.
 */
static void
few_tiles_are_cut_into_more_parts (void)
{
  YvCaps caps = gpu ();

  caps.conv_parts = 0;
  caps.n_cores = 32;
  g_assert_cmpuint (yv_split_n_parts (&caps, 16, 1000), ==, 4);
  g_assert_cmpuint (yv_split_n_parts (&caps, 1, 1000), ==, YV_SPLIT_MAX_PARTS);
  g_assert_cmpuint (yv_split_n_parts (&caps, 1, 47), ==, 2);
  g_assert_cmpuint (yv_split_n_parts (&caps, 1, 1), ==, 1);
  g_assert_cmpuint (yv_split_n_parts (&caps, 65, 1000), ==, 1);
  caps.is_cpu = true;
  g_assert_cmpuint (yv_split_n_parts (&caps, 1, 1000), ==, 1);
  caps.conv_parts = 4;
  g_assert_cmpuint (yv_split_n_parts (&caps, 1, 3), ==, 3);
}

/* The tile of a convolution with an epilogue is not chosen for parts that it cannot have. */
static void
what_may_not_be_cut_costs_what_it_does_whole (void)
{
  const YvCaps caps = {.n_cores = 132};
  YvMatrixWork work = {.tile_pixels = 64,
                       .tile_channels = 64,
                       .n_tiles = 56,
                       .n_outputs = 400 * 512,
                       .n_steps = 144,
                       .k_step = 32,
                       .may_split = true};
  const uint64_t cost = yv_matrix_cost (&caps, &work);
  YvCaps asked = caps;

  g_assert_cmpuint (yv_matrix_n_parts (&caps, &work), >, 1);
  work.may_split = false;
  g_assert_cmpuint (yv_matrix_n_parts (&caps, &work), ==, 1);
  g_assert_cmpuint (yv_matrix_cost (&caps, &work), >, cost);
  asked.conv_parts = 3;
  g_assert_cmpuint (yv_matrix_n_parts (&asked, &work), ==, 1);
}

/* Nobody has run it: a table of ways, as a tuner fills it, is not enough. */
static void
conv_coopmat2_is_for_those_who_ask (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  g_autoptr (YvWays) ways = yv_ways_new ();
  const YvWay way = {YV_KERNEL_CONV_COOPMAT2, false, 64, 64};
  const YvPlanOptions options = {.n = 1, .h = SIZE, .w = SIZE, .dtype = YV_DTYPE_F16, .ways = ways};
  YvCaps caps = gpu ();

  caps.coopmat2[0] = (YvMatrixUnit){16, 16, 16};
  caps.coopmat2_max_side = 256;
  yv_ways_set_for_all (ways, &way);
  for (int is_wanted = 0; is_wanted <= 1; is_wanted++) {
    caps.coopmat2_wanted = is_wanted;
    g_autoptr (YvPlan) plan = yv_plan_new (graph, &caps, &options, NULL);
    uint32_t n = 0;

    for (guint i = 0; i < plan->steps->len; i++)
      n += g_array_index (plan->steps, YvStep, i).kernel == YV_KERNEL_CONV_COOPMAT2;
    g_assert_true ((n > 0) == is_wanted);
  }
}

/* Although nobody measured another one. */
static void
a_refused_way_is_not_guessed (void)
{
  g_autoptr (YvGraph) graph = new_graph ();
  g_autoptr (YvWays) ways = yv_ways_new ();
  const YvPlanOptions options = {.n = 1, .h = SIZE, .w = SIZE, .dtype = YV_DTYPE_F16, .ways = ways};
  YvCaps caps = gpu ();

  caps.coopmat_m = caps.coopmat_n = caps.coopmat_k = 16;
  g_autoptr (YvPlan) usual = yv_plan_new (graph, &caps, &options, NULL);
  for (guint i = 0; i < usual->steps->len; i++) {
    const YvStep *step = &g_array_index (usual->steps, YvStep, i);
    const bool is_cut = step->part == YV_PART_SPLIT_PRODUCT;

    if (step->kernel != YV_KERNEL_CONV_COOPMAT)
      continue;
    g_autofree char *shape =
        yv_way_shape (step->node, &step->src[0], is_cut ? &step[1].dst : &step->dst);
    yv_ways_refuse (ways, shape, &step->way);
    if (is_cut)
      g_assert_true (yv_way_equal (&step[0].way, &step[1].way));
  }
  g_autoptr (YvPlan) plan = yv_plan_new (graph, &caps, &options, NULL);
  uint32_t n_tile = 0;
  for (guint i = 0; i < plan->steps->len; i++) {
    const YvKernel kernel = g_array_index (plan->steps, YvStep, i).kernel;

    g_assert_cmpint (kernel, !=, YV_KERNEL_CONV_COOPMAT);
    n_tile += kernel == YV_KERNEL_CONV_TILE;
  }
  g_assert_cmpuint (n_tile, >=, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/split/conv_tile", parts_of_conv_tile_add_up);
  g_test_add_func ("/split/conv_coopmat", parts_of_conv_coopmat_add_up);
  g_test_add_func ("/split/conv_coopmat2", parts_of_conv_coopmat2_add_up);
  g_test_add_func ("/split/not-cut", what_may_not_be_cut_costs_what_it_does_whole);
  g_test_add_func ("/split/asked", conv_coopmat2_is_for_those_who_ask);
  g_test_add_func ("/split/refused", a_refused_way_is_not_guessed);
  g_test_add_func ("/split/number", few_tiles_are_cut_into_more_parts);
  return g_test_run ();
}
