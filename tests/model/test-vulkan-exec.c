/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-vulkan-exec.c - the Vulkan executor against the reference: the same plan, the
 * same input, every value; and what goes wrong. The validation layers are on where they are
 * installed, and any message ends the program. */
#include <math.h>
#include <string.h>

#include "engine/error.h"
#include "engine/passes/passes.h"
#include "engine/vulkan/debug.h"
#include "engine/vulkan/device.h"
#include "tests/common/device.h"
#include "tests/model/netcase.h"

static void
compare_all_values (YvExecutor *executor, YvExecutor *reference, const YvGraph *graph, double bound)
{
  for (uint32_t id = 0; id < graph->nodes->len; id++) {
    const YvNode *node = yv_graph_node (graph, id);
    const YvOperand *operand = yv_plan_value (executor->plan, id);
    if (operand && operand->memory == YV_MEMORY_ARENA)
      net_operand_assert_equal (executor, reference, operand, node->name, bound);
  }
}

static void
compare_with_reference (const YvPlanOptions *options, double bound)
{
  g_autoptr (YvDevice) device = yv_test_open_device ();
  if (!device)
    return;
  if (options->dtype == YV_DTYPE_F16 && !yv_device_caps (device)->fp16_storage) {
    g_test_skip ("the device has no 16-bit storage");
    return;
  }
  g_autoptr (YvGraph) graph = net_graph_new ();
  g_autoptr (YvPlan) plan = net_plan_new (device, graph, options);
  g_autoptr (YvWeightStore) store = yv_weight_store_new (device);
  g_autoptr (YvExecutor) executor = net_executor_new (device, store, plan, 1);
  g_autoptr (YvExecutor) reference = net_reference_new (plan);
  const struct YvCandidate *got[NET_MAX_BATCH], *expected[NET_MAX_BATCH];
  uint32_t n_got[NET_MAX_BATCH], n_expected[NET_MAX_BATCH];
  NetFrames frames;

  net_frames_init (&frames, options->n, options->w, options->h, 1);
  net_submit (executor, 0, &frames.batch, got, n_got);
  net_submit (reference, 0, &frames.batch, expected, n_expected);
  if (options->keep_all) /* else later values lie where earlier ones were */
    compare_all_values (executor, reference, graph, bound);
  net_heads_assert_equal (executor, reference, bound);
  for (uint32_t i = 0; i < options->n; i++)
    net_candidates_assert_close (got[i], n_got[i], expected[i], n_expected[i],
                                 frames.batch.confidence, (float) (20 * bound));
  g_assert_cmpuint (yv_debug_n_messages (device), ==, 0);
  net_frames_clear (&frames);
}

static void
every_value_in_fp32_is_the_references (void)
{
  compare_with_reference (
      &(YvPlanOptions){
          .n = 1, .h = 64, .w = 96, .dtype = YV_DTYPE_F32, .keep_all = true, .dense_rows = true},
      NET_FP32_BOUND);
}

static void
every_value_in_fp16_is_the_references (void)
{
  compare_with_reference (
      &(YvPlanOptions){
          .n = 1, .h = 64, .w = 96, .dtype = YV_DTYPE_F16, .keep_all = true, .dense_rows = true},
      NET_FP16_BOUND);
}

static void
every_image_of_a_batch_is_the_references (void)
{
  compare_with_reference (
      &(YvPlanOptions){.n = 3, .h = 72, .w = 56, .dtype = YV_DTYPE_F32, .keep_all = true},
      NET_FP32_BOUND);
}

static void
every_image_of_a_batch_in_fp16_is_the_references (void)
{
  compare_with_reference (
      &(YvPlanOptions){.n = 3, .h = 72, .w = 56, .dtype = YV_DTYPE_F16, .keep_all = true},
      NET_FP16_BOUND);
}

static void
values_that_share_memory_give_the_same_heads (void)
{
  compare_with_reference (
      &(YvPlanOptions){.n = 2, .h = 64, .w = 64, .dtype = YV_DTYPE_F32, .dense_rows = true},
      NET_FP32_BOUND);
}

/* The picture and logits, where kernels need neither: the same rows become candidates. */
static void
candidates_do_not_depend_on_what_is_stored (void)
{
  YvPlanOptions options = {.n = 3, .h = 64, .w = 96, .dtype = YV_DTYPE_F32};
  g_auto (NetRun) streamed = {.device = yv_test_open_device ()};
  g_auto (NetRun) kept = {.device = yv_test_open_device ()};
  const struct YvCandidate *a[NET_MAX_BATCH], *b[NET_MAX_BATCH];
  uint32_t n_a[NET_MAX_BATCH], n_b[NET_MAX_BATCH];
  NetFrames frames;

  if (!streamed.device)
    return;
  net_run_fill (&streamed, &options, 1);
  options.keep_all = true;
  net_run_fill (&kept, &options, 1);
  if (!yv_device_caps (streamed.device)->texel_lanes)
    g_assert_cmpuint (streamed.plan->steps->len, <, kept.plan->steps->len);
  net_frames_init (&frames, options.n, options.w, options.h, 5);
  net_submit (streamed.executor, 0, &frames.batch, a, n_a);
  net_submit (kept.executor, 0, &frames.batch, b, n_b);
  for (uint32_t i = 0; i < options.n; i++)
    net_candidates_assert_close (a[i], n_a[i], b[i], n_b[i], frames.batch.confidence,
                                 (float) (20 * NET_FP32_BOUND));
  net_frames_clear (&frames);
}

/* Two 1x1 convolutions of one value, side by side in a concat, the second before the first; one
 * alone fills no block of channels of any kernel. */
static YvGraph *
graph_with_siblings (bool is_merged)
{
  YvGraph *graph = yv_graph_new ();
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const uint32_t stem = net_add_conv (graph, input, 16, 3, 2, YV_ACT_SILU)->id;
  const uint32_t trunk = net_add_conv (graph, stem, 72, 3, 2, YV_ACT_SILU)->id;
  const uint32_t a = net_add_conv (graph, trunk, 20, 1, 1, YV_ACT_SILU)->id;
  const uint32_t b = net_add_conv (graph, trunk, 40, 1, 1, YV_ACT_SILU)->id;
  const uint32_t deep = net_add_conv (graph, b, 40, 3, 1, YV_ACT_SILU)->id;
  const uint32_t parts[] = {deep, b, a};
  const uint32_t concat = yv_graph_add (graph, YV_OP_CONCAT, "concat", 0, parts, 3, 100)->id;
  const uint32_t head = net_add_conv (graph, concat, 3 * (5 + NET_CLASSES), 1, 1, YV_ACT_NONE)->id;

  net_add_detect (graph, &head, 1);
  graph->n_rows = 2;
  g_assert_cmpuint (yv_pass_elide_concat (graph), ==, 3);
  if (is_merged)
    g_assert_cmpuint (yv_pass_merge_siblings (graph), ==, 1);
  yv_graph_assert_valid (graph);
  return graph;
}

/* Every value of the graph, one after another. Free with g_free(). */
static float *
run_and_read_all (YvDevice *device, const YvGraph *graph, const YvPlanOptions *options,
                  uint64_t *n_elems, uint32_t *n_steps)
{
  g_autoptr (YvPlan) plan = net_plan_new (device, graph, options);
  g_autoptr (YvWeightStore) store = yv_weight_store_new (device);
  g_autoptr (YvExecutor) executor = net_executor_new (device, store, plan, 1);
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (float));
  const struct YvCandidate *lists[NET_MAX_BATCH];
  uint32_t n_found[NET_MAX_BATCH];
  NetFrames frames;

  net_frames_init (&frames, options->n, options->w, options->h, 1);
  net_submit (executor, 0, &frames.batch, lists, n_found);
  for (uint32_t id = 0; id < graph->nodes->len; id++) {
    const YvOperand *operand = yv_plan_value (plan, id);
    if (!operand)
      continue;
    g_autofree float *part = net_operand_read (executor, operand);
    g_array_append_vals (values, part, (guint) net_operand_n_elems (operand));
  }
  net_frames_clear (&frames);
  *n_elems = values->len;
  *n_steps = plan->steps->len;
  return (float *) (void *) g_array_free (g_steal_pointer (&values), FALSE);
}

static void
merged_siblings_compute_the_same_bits (void)
{
  g_autoptr (YvDevice) device = yv_test_open_device ();
  g_autoptr (YvGraph) apart = graph_with_siblings (false), merged = graph_with_siblings (true);

  for (uint32_t i = 0; device && i < 4; i++) {
    const YvPlanOptions options = {.n = i % 2 ? NET_MAX_BATCH : 1,
                                   .h = 64,
                                   .w = 96,
                                   .dtype = i < 2 ? YV_DTYPE_F32 : YV_DTYPE_F16,
                                   .keep_all = true};
    uint64_t n_a, n_b;
    uint32_t n_steps_a, n_steps_b;

    if (options.dtype == YV_DTYPE_F16 && !yv_device_caps (device)->fp16_storage)
      continue;
    g_autofree float *a = run_and_read_all (device, apart, &options, &n_a, &n_steps_a);
    g_autofree float *b = run_and_read_all (device, merged, &options, &n_b, &n_steps_b);
    g_assert_cmpmem (a, n_a * sizeof *a, b, n_b * sizeof *b);
    g_assert_cmpuint (n_steps_b, ==, n_steps_a - 1);
  }
  if (device)
    g_assert_cmpuint (yv_debug_n_messages (device), ==, 0);
}

static void
an_operand_written_reads_back (void)
{
  g_auto (NetRun) net = {0};
  const YvPlanOptions options = {
      .n = 2, .h = 32, .w = 48, .dtype = YV_DTYPE_F32, .tensor_input = true};
  g_autoptr (GError) error = NULL;

  if (!net_run_init (&net, &options, 1))
    return;
  const YvOperand *input = &net.plan->input;
  const uint64_t n = net_operand_n_elems (input);
  g_autofree float *values = g_new (float, n);
  for (uint64_t i = 0; i < n; i++)
    values[i] = sinf ((float) i);
  net.executor->klass->write (net.executor, input, values, &error);
  g_assert_no_error (error);
  g_autofree float *back = net_operand_read (net.executor, input);
  g_assert_cmpmem (back, n * sizeof *back, values, n * sizeof *values);
}

static void
a_tensor_input_goes_through_the_network (void)
{
  g_auto (NetRun) net = {0};
  const YvPlanOptions options = {
      .n = 2, .h = 32, .w = 48, .dtype = YV_DTYPE_F32, .tensor_input = true, .dense_rows = true};
  const YvBatch batch = {.confidence = 0.25f};

  if (!net_run_init (&net, &options, 1))
    return;
  g_autoptr (YvExecutor) reference = net_reference_new (net.plan);
  const uint64_t n = net_operand_n_elems (&net.plan->input);
  g_autofree float *values = g_new (float, n);
  for (uint64_t i = 0; i < n; i++)
    values[i] = 0.5f + 0.5f * sinf ((float) i);
  YvExecutor *const executors[] = {net.executor, reference};
  for (uint32_t i = 0; i < 2; i++) {
    const struct YvCandidate *lists[NET_MAX_BATCH];
    uint32_t n_found[NET_MAX_BATCH];
    g_assert_true (executors[i]->klass->write (executors[i], &net.plan->input, values, NULL));
    net_submit (executors[i], 0, &batch, lists, n_found);
  }
  net_operand_assert_equal (net.executor, reference, &net.plan->rows, "rows", NET_FP32_BOUND);
}

static void
without_mapped_device_memory_everything_goes_through_staging (void)
{
  const YvPlanOptions options = {
      .n = 2, .h = 64, .w = 64, .dtype = YV_DTYPE_F32, .tensor_input = true, .dense_rows = true};
  const YvBatch batch = {.confidence = 0.25f};
  g_auto (NetRun) net = {.device = yv_test_open_device ()};
  if (!net.device)
    return;

  net.device->unified = false;
  net_run_fill (&net, &options, 1);
  g_autoptr (YvExecutor) reference = net_reference_new (net.plan);
  const uint64_t n = net_operand_n_elems (&net.plan->input);
  g_autofree float *values = g_new (float, n);
  for (uint64_t i = 0; i < n; i++)
    values[i] = 0.5f + 0.5f * sinf ((float) i);
  YvExecutor *const executors[] = {net.executor, reference};
  for (uint32_t i = 0; i < 2; i++) {
    const struct YvCandidate *lists[NET_MAX_BATCH];
    uint32_t n_found[NET_MAX_BATCH];
    g_assert_true (executors[i]->klass->write (executors[i], &net.plan->input, values, NULL));
    net_submit (executors[i], 0, &batch, lists, n_found);
  }
  g_autofree float *back = net_operand_read (net.executor, &net.plan->input);
  g_assert_cmpmem (back, n * sizeof *back, values, n * sizeof *values);
  net_heads_assert_equal (net.executor, reference, NET_FP32_BOUND);
}

/* A thread that makes an executor of its own and runs it. */
typedef struct {
  YvDevice *device;
  YvWeightStore *store;
  const YvPlan *plan;
  YvBatch batch;
  struct YvCandidate *found;
  uint32_t n_found;
} Maker;

static gpointer
make_and_run (gpointer user_data)
{
  Maker *maker = user_data;
  g_autoptr (YvExecutor) executor = net_executor_new (maker->device, maker->store, maker->plan, 1);
  const struct YvCandidate *list;

  net_submit (executor, 0, &maker->batch, &list, &maker->n_found);
  maker->found = g_memdup2 (list, maker->n_found * sizeof *list);
  return NULL;
}

static void
threads_make_executors_on_one_device_and_store (void)
{
  g_autoptr (YvDevice) device = yv_test_open_device ();
  if (!device)
    return;

  g_autoptr (YvGraph) graph = net_graph_new ();
  g_autoptr (YvPlan) plan = net_plan_new (device, graph, &net_one_image);
  g_autoptr (YvWeightStore) store = yv_weight_store_new (device);
  Maker makers[3];
  GThread *threads[3];
  NetFrames frames;

  net_frames_init (&frames, 1, 64, 64, 50);
  for (uint32_t i = 0; i < 3; i++) {
    makers[i] = (Maker){.device = device, .store = store, .plan = plan, .batch = frames.batch};
    threads[i] = g_thread_new ("maker", make_and_run, &makers[i]);
  }
  for (uint32_t i = 0; i < 3; i++)
    g_thread_join (threads[i]);
  for (uint32_t i = 0; i < 3; i++)
    net_candidates_assert_identical (makers[i].found, makers[i].n_found, makers[0].found,
                                     makers[0].n_found);
  for (uint32_t i = 0; i < 3; i++)
    g_free (makers[i].found);
  g_assert_cmpuint (yv_debug_n_messages (device), ==, 0);
  net_frames_clear (&frames);
}

static void
more_memory_than_there_is_is_an_error (void)
{
  g_auto (NetRun) net = {0};
  g_autoptr (GError) error = NULL;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  YvPlan huge = *net.plan;
  huge.arena_bytes = UINT64_C (1) << 46;
  g_assert_null (yv_vulkan_executor_new (net.device, net.store, &huge, 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
  g_assert_nonnull (strstr (error->message, "arena"));
}

static void
a_kernel_without_the_variant_asked_for_is_an_error_that_names_the_step (void)
{
  g_auto (NetRun) net = {0};
  g_autoptr (GError) error = NULL;

  if (!net_run_init (&net, &net_one_image, 1))
    return;
  YvStep *step = &g_array_index (net.plan->steps, YvStep, net.plan->first_network_step);
  const YvStep before = *step;
  step->kernel = YV_KERNEL_CONV_TILE;
  step->texel = true;
  g_assert_null (yv_vulkan_executor_new (net.device, net.store, net.plan, 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, step->name));
  g_assert_nonnull (strstr (error->message, "conv_tile"));
  *step = before;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("YV_VALIDATION", "1", FALSE);
  g_test_add_func ("/vulkan/exec/siblings", merged_siblings_compute_the_same_bits);
  g_test_add_func ("/vulkan/exec/fp32", every_value_in_fp32_is_the_references);
  g_test_add_func ("/vulkan/exec/fp16", every_value_in_fp16_is_the_references);
  g_test_add_func ("/vulkan/exec/batch", every_image_of_a_batch_is_the_references);
  g_test_add_func ("/vulkan/exec/batch-fp16", every_image_of_a_batch_in_fp16_is_the_references);
  g_test_add_func ("/vulkan/exec/shared-memory", values_that_share_memory_give_the_same_heads);
  g_test_add_func ("/vulkan/exec/round-trip", an_operand_written_reads_back);
  g_test_add_func ("/vulkan/exec/not-stored", candidates_do_not_depend_on_what_is_stored);
  g_test_add_func ("/vulkan/exec/tensor-input", a_tensor_input_goes_through_the_network);
  g_test_add_func ("/vulkan/exec/staging",
                   without_mapped_device_memory_everything_goes_through_staging);
  g_test_add_func ("/vulkan/exec/making-threads", threads_make_executors_on_one_device_and_store);
  g_test_add_func ("/vulkan/exec/out-of-memory", more_memory_than_there_is_is_an_error);
  g_test_add_func ("/vulkan/exec/no-variant",
                   a_kernel_without_the_variant_asked_for_is_an_error_that_names_the_step);
  return g_test_run ();
}
