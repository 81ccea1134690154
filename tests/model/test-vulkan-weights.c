/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-vulkan-weights.c - packed weights are shared, and arrive whole however they
 * travel. */
#include <math.h>

#include "engine/vulkan/device.h"
#include "tests/common/device.h"
#include "tests/model/netcase.h"

static void
executors_of_different_sizes_share_one_weight_store (void)
{
  g_auto (NetRun) net = {0};
  const YvPlanOptions other_options = {.n = 2, .h = 32, .w = 96, .dtype = YV_DTYPE_F32};
  const struct YvCandidate *shared[NET_MAX_BATCH], *alone[NET_MAX_BATCH];
  uint32_t n_shared[NET_MAX_BATCH], n_alone[NET_MAX_BATCH];
  NetFrames frames;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  const uint64_t size_bytes = yv_weight_store_size_bytes (net.store);
  g_assert_cmpuint (size_bytes, >, 0);
  g_autoptr (YvPlan) plan = net_plan_new (net.device, net.graph, &other_options);
  g_autoptr (YvExecutor) executor = net_executor_new (net.device, net.store, plan, 1);
  g_assert_cmpuint (yv_weight_store_size_bytes (net.store), ==, size_bytes);

  g_autoptr (YvWeightStore) own_store = yv_weight_store_new (net.device);
  g_autoptr (YvExecutor) own = net_executor_new (net.device, own_store, plan, 1);
  net_frames_init (&frames, 2, 96, 32, 60);
  net_submit (executor, 0, &frames.batch, shared, n_shared);
  net_submit (own, 0, &frames.batch, alone, n_alone);
  for (uint32_t i = 0; i < 2; i++)
    net_candidates_assert_identical (shared[i], n_shared[i], alone[i], n_alone[i]);
  net_frames_clear (&frames);
}

static void
a_store_holds_each_weight_once_a_dtype (void)
{
  g_auto (NetRun) net = {0};
  YvPlanOptions half = net_one_image;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  half.dtype = YV_DTYPE_F16;
  const uint64_t size_bytes = yv_weight_store_size_bytes (net.store);
  if (yv_device_caps (net.device)->fp16_storage) {
    g_autoptr (YvPlan) plan = net_plan_new (net.device, net.graph, &half);
    g_autoptr (YvExecutor) executor = net_executor_new (net.device, net.store, plan, 1);
    g_assert_cmpuint (yv_weight_store_size_bytes (net.store), >, size_bytes);
    g_assert_cmpuint (yv_weight_store_size_bytes (net.store), <, 2 * size_bytes);
  }
}

/* 32 MB of weights, one of them larger than what is staged at once. */
static YvGraph *
new_heavy_net (void)
{
  YvGraph *graph = yv_graph_new ();
  uint32_t last = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;

  last = net_add_conv (graph, last, 1024, 3, 4, YV_ACT_SILU)->id;
  for (uint32_t i = 0; i < 3; i++)
    last = net_add_conv (graph, last, 1024, 1, 1, YV_ACT_SILU)->id;
  last = net_add_conv (graph, last, 4608, 1, 1, YV_ACT_SILU)->id;
  last = net_add_conv (graph, last, 3 * (5 + NET_CLASSES), 1, 1, YV_ACT_NONE)->id;
  net_add_detect (graph, &last, 1);
  graph->n_rows = 2;
  yv_graph_sort (graph);
  yv_graph_assert_valid (graph);
  return graph;
}

static float *
run_heavy_net (const YvGraph *graph, bool unified, uint64_t *n)
{
  const YvPlanOptions options = {.n = 1, .h = 16, .w = 16, .dtype = YV_DTYPE_F32, .keep_all = true};
  g_autoptr (YvDevice) device = yv_test_open_device ();
  const struct YvCandidate *list;
  uint32_t n_found;
  NetFrames frames;

  device->unified = device->unified && unified;
  g_autoptr (YvPlan) plan = net_plan_new (device, graph, &options);
  g_autoptr (YvWeightStore) store = yv_weight_store_new (device);
  g_autoptr (YvExecutor) executor = net_executor_new (device, store, plan, 1);
  g_assert_cmpuint (yv_weight_store_size_bytes (store), >, 30u << 20);
  net_frames_init (&frames, 1, 16, 16, 3);
  net_submit (executor, 0, &frames.batch, &list, &n_found);
  net_frames_clear (&frames);
  *n = net_operand_n_elems (&plan->heads[0]);
  return net_operand_read (executor, &plan->heads[0]);
}

static void
weights_larger_than_the_staging_memory_arrive_whole (void)
{
  g_autoptr (YvDevice) device = yv_test_open_device ();
  if (!device)
    return;

  g_autoptr (YvGraph) graph = new_heavy_net ();
  uint64_t n_mapped, n_staged;
  g_autofree float *mapped = run_heavy_net (graph, true, &n_mapped);
  g_autofree float *staged = run_heavy_net (graph, false, &n_staged);
  g_assert_cmpmem (staged, n_staged * sizeof *staged, mapped, n_mapped * sizeof *mapped);
  g_assert_cmpfloat (fabsf (staged[0]), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("YV_VALIDATION", "1", FALSE);
  g_test_add_func ("/vulkan/weights/store", executors_of_different_sizes_share_one_weight_store);
  g_test_add_func ("/vulkan/weights/store-dtypes", a_store_holds_each_weight_once_a_dtype);
  g_test_add_func ("/vulkan/weights/staged-weights",
                   weights_larger_than_the_staging_memory_arrive_whole);
  return g_test_run ();
}
