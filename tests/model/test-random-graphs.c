/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-random-graphs.c - 200 small networks made by chance: what Vulkan computes in
 * fp32 and in fp16 is what the reference computes from the same plan, and the plan is worth what
 * the graph was before its passes.
 *
 * A net that fails is made as small as it can be and printed as yaml, which --config takes.
 * YV_TEST_SEED=N runs only that of seed N, YV_TEST_NETS=N the first N. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/graph/build.h"
#include "engine/passes/passes.h"
#include "engine/ref/ref.h"
#include "tests/common/device.h"
#include "tests/model/net.h"

#define N_NETS 200

/* ||a - b|| / ||b|| of a head. Sums are made in another order, which costs sqrt (terms) * 2^-24 a
 * convolution, and activations are stored in fp32 or fp16; what differs is amplified by the layers
 * behind, ten times in these nets of up to 60 convolutions. One wrong tap, pixel or channel is
 * above 1e-2. */
#define MAX_ERROR_FP32 2e-5
#define MAX_ERROR_FP16 1e-2

/* ||a - b|| / ||b|| of the decoded boxes, and of objectness and classes, for which the sigmoid
 * flattens what differs. */
#define MAX_ROWS_ERROR_FP32 MAX_ERROR_FP32
#define MAX_ROWS_ERROR_FP16 MAX_ERROR_FP16

typedef enum { AGREES, DIFFERS, NO_NET } Verdict;

typedef struct {
  YvDevice *device;
  char *folder, *path;  /* of the description that is looked at */
  GString *why;         /* of the last verdict that was not AGREES */
  double worst[3];      /* FP32, FP16, passes: of all that agreed */
  double worst_rows[2]; /* FP32, FP16 */
  uint32_t n_steps, n_of_kernel[YV_N_KERNELS];
} Judge;

/* What one executor gave: the heads, one after the other, and the rows. */
typedef struct {
  float *heads[YV_MAX_LEVELS], *rows;
} Output;

static void
output_clear (Output *output)
{
  for (uint32_t i = 0; i < YV_MAX_LEVELS; i++)
    g_free (output->heads[i]);
  g_free (output->rows);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Output, output_clear)

/* ---- running --------------------------------------------------------------------------------- */

static Verdict
no_net (Judge *judge, const char *what, const GError *error)
{
  g_string_printf (judge->why, "%s: %s", what, error->message);
  return NO_NET;
}

static size_t
n_elems_of (const YvOperand *operand)
{
  return (size_t) operand->n * operand->c * operand->h * operand->w;
}

static float *
read_operand (YvExecutor *executor, const YvOperand *operand)
{
  float *values = g_new (float, n_elems_of (operand));

  g_assert_true (executor->klass->read (executor, operand, values, NULL));
  return values;
}

static void
write_noise (YvExecutor *executor, const YvOperand *input, uint64_t seed)
{
  const size_t n = n_elems_of (input);
  g_autofree float *values = g_new (float, n);
  g_autoptr (GRand) rand = g_rand_new_with_seed ((guint32) seed);

  for (size_t i = 0; i < n; i++)
    values[i] = (float) g_rand_double (rand);
  g_assert_true (executor->klass->write (executor, input, values, NULL));
}

/* Takes @executor. */
static void
run (YvExecutor *executor, uint64_t seed, Output *out)
{
  const YvPlan *plan = executor->plan;
  const YvBatch batch = {.confidence = 0.25f};
  const struct YvCandidate *lists[2];
  uint32_t n[2];
  g_autoptr (GError) error = NULL;

  write_noise (executor, &plan->input, seed);
  executor->klass->submit (executor, 0, &batch, &error);
  g_assert_no_error (error);
  executor->klass->wait (executor, 0, lists, n, NULL, &error);
  g_assert_no_error (error);
  for (uint32_t i = 0; i < plan->detect.n_levels; i++)
    out->heads[i] = read_operand (executor, &plan->heads[i]);
  out->rows = read_operand (executor, &plan->rows);
  yv_executor_free (executor);
}

static YvPlan *
new_plan (const TestNet *net, const YvGraph *graph, const YvCaps *caps, YvDType dtype,
          GError **error)
{
  const YvPlanOptions options = {.n = net->n,
                                 .h = net->h,
                                 .w = net->w,
                                 .dtype = dtype,
                                 .tensor_input = true,
                                 .dense_rows = true};

  return yv_plan_new (graph, caps, &options, error);
}

static void
run_reference (const YvPlan *plan, uint64_t seed, Output *out)
{
  g_autoptr (GError) error = NULL;
  YvExecutor *executor = yv_ref_executor_new (plan, 1, &error);

  g_assert_no_error (error);
  run (executor, seed, out);
}

static void
run_vulkan (YvDevice *device, const YvPlan *plan, uint64_t seed, Output *out)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvWeightStore) store = yv_weight_store_new (device);
  YvExecutor *executor = yv_vulkan_executor_new (device, store, plan, 1, &error);

  g_assert_no_error (error);
  run (executor, seed, out);
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Not a number where one of the two has a value that is none. */
static double
relative_error (const float *a, const float *b, size_t n)
{
  double difference = 0, norm = 0;

  for (size_t i = 0; i < n; i++) {
    difference += ((double) a[i] - (double) b[i]) * ((double) a[i] - (double) b[i]);
    norm += (double) b[i] * (double) b[i];
  }
  return sqrt (difference / (norm > 0 ? norm : 1));
}

static Verdict
compare (Judge *judge, const char *what, const float *a, const float *b, size_t n, double bound,
         double *worst)
{
  const double error = relative_error (a, b, n);

  *worst = fmax (*worst, error <= bound ? error : 0);
  if (error <= bound)
    return AGREES;
  g_string_printf (judge->why, "%s: relative error %.3g, at most %g expected", what, error, bound);
  return DIFFERS;
}

static Verdict
compare_heads (Judge *judge, const YvPlan *plan, const Output *got, const Output *expected,
               bool is_half)
{
  for (uint32_t i = 0; i < plan->detect.n_levels; i++) {
    g_autofree char *what = g_strdup_printf ("head %u in %s", i, is_half ? "fp16" : "fp32");
    const Verdict verdict =
        compare (judge, what, got->heads[i], expected->heads[i], n_elems_of (&plan->heads[i]),
                 is_half ? MAX_ERROR_FP16 : MAX_ERROR_FP32, &judge->worst[is_half]);

    if (verdict != AGREES)
      return verdict;
  }
  return AGREES;
}

/* Channels @first to @end of all rows, in one array. */
static float *
pick_channels (const YvOperand *rows, const float *values, uint32_t first, uint32_t end)
{
  const size_t n_pixels = (size_t) rows->h * rows->w, n = (end - first) * n_pixels;
  float *picked = g_new (float, rows->n *n);

  for (uint32_t image = 0; image < rows->n; image++)
    memcpy (picked + image * n, values + (image * (size_t) rows->c + first) * n_pixels,
            n * sizeof *picked);
  return picked;
}

/* Boxes are in pixels, and would hide the rest. */
static Verdict
compare_rows (Judge *judge, const YvPlan *plan, const Output *got, const Output *expected,
              bool is_half)
{
  const uint32_t ends[] = {0, 4, plan->rows.c};

  for (uint32_t i = 0; i < 2; i++) {
    g_autofree float *a = pick_channels (&plan->rows, got->rows, ends[i], ends[i + 1]);
    g_autofree float *b = pick_channels (&plan->rows, expected->rows, ends[i], ends[i + 1]);
    g_autofree char *what =
        g_strdup_printf ("%s in %s", i == 0 ? "boxes" : "confidences", is_half ? "fp16" : "fp32");
    const size_t n = (size_t) plan->rows.n * (ends[i + 1] - ends[i]) * plan->rows.h * plan->rows.w;
    const Verdict verdict =
        compare (judge, what, a, b, n, is_half ? MAX_ROWS_ERROR_FP16 : MAX_ROWS_ERROR_FP32,
                 &judge->worst_rows[is_half]);

    if (verdict != AGREES)
      return verdict;
  }
  return AGREES;
}

/* One plan for the device, run by both. @kept: (nullable): what the reference gave. */
static Verdict
judge_precision (Judge *judge, const TestNet *net, const YvGraph *graph, YvDType dtype,
                 float **kept)
{
  g_auto (Output) got = {.rows = NULL}, expected = {.rows = NULL};
  g_autoptr (GError) error = NULL;
  g_autoptr (YvPlan) plan = new_plan (net, graph, yv_device_caps (judge->device), dtype, &error);

  if (!plan)
    return no_net (judge, "plan", error);
  judge->n_steps += plan->steps->len;
  for (guint i = 0; i < plan->steps->len; i++)
    judge->n_of_kernel[g_array_index (plan->steps, YvStep, i).kernel]++;
  run_reference (plan, net->seed, &expected);
  run_vulkan (judge->device, plan, net->seed, &got);
  Verdict verdict = compare_heads (judge, plan, &got, &expected, dtype == YV_DTYPE_F16);
  if (verdict == AGREES)
    verdict = compare_rows (judge, plan, &got, &expected, dtype == YV_DTYPE_F16);
  if (kept)
    *kept = g_steal_pointer (&expected.rows);
  return verdict;
}

/* The rows of the graph as it was built against those of the plan. */
static Verdict
judge_passes (Judge *judge, const TestNet *net, const YvGraph *graph, const float *rows)
{
  g_auto (Output) unpassed = {.rows = NULL};
  g_autoptr (GError) error = NULL;
  YvCaps caps;

  yv_caps_init_reference (&caps);
  g_autoptr (YvPlan) plan = new_plan (net, graph, &caps, YV_DTYPE_F32, &error);
  if (!plan)
    return no_net (judge, "plan before passes", error);
  run_reference (plan, net->seed, &unpassed);
  return compare (judge, "rows after and before the passes", rows, unpassed.rows,
                  n_elems_of (&plan->rows), MAX_ERROR_FP32, &judge->worst[2]);
}

static YvGraph *
load (Judge *judge, const TestNet *net, GError **error)
{
  g_autofree char *text = test_net_print (net);

  g_assert_true (g_file_set_contents (judge->path, text, -1, NULL));
  g_autoptr (YvModel) model = yv_model_load (NULL, judge->path, error);
  return model ? yv_graph_build (model, net->seed, error) : NULL;
}

static Verdict
judge_net (Judge *judge, const TestNet *net)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvGraph) unpassed = load (judge, net, &error);
  g_autofree float *rows = NULL;

  if (!unpassed)
    return no_net (judge, "model", error);
  g_autoptr (YvGraph) graph = load (judge, net, NULL);
  yv_passes_run (graph, NULL);

  Verdict verdict = judge_precision (judge, net, graph, YV_DTYPE_F32, &rows);
  if (verdict == AGREES)
    verdict = judge_passes (judge, net, unpassed, rows);
  if (verdict == AGREES && yv_device_caps (judge->device)->fp16_storage)
    verdict = judge_precision (judge, net, graph, YV_DTYPE_F16, NULL);
  return verdict;
}

static bool
differs (const TestNet *net, void *judge)
{
  return judge_net (judge, net) == DIFFERS;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static bool
judge_init (Judge *judge)
{
  *judge = (Judge){.device = yv_test_open_device ()};
  if (!judge->device)
    return false;
  judge->folder = g_dir_make_tmp ("yv-test-XXXXXX", NULL);
  judge->path = g_build_filename (judge->folder, "net.yaml", NULL);
  judge->why = g_string_new (NULL);
  return true;
}

static void
judge_clear (Judge *judge)
{
  if (!judge->device)
    return;
  g_unlink (judge->path);
  g_rmdir (judge->folder);
  g_string_free (judge->why, TRUE);
  g_free (judge->path);
  g_free (judge->folder);
  yv_device_unref (judge->device);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Judge, judge_clear)

/* A net that is none is the generator's fault, or the parser's. */
static void
fail_at (Judge *judge, const TestNet *net, Verdict verdict)
{
  g_autoptr (TestNet) smallest =
      verdict == DIFFERS ? test_net_shrink (net, differs, judge) : test_net_copy (net);
  g_autofree char *text = test_net_print (smallest);

  judge_net (judge, smallest);
  g_test_message ("seed %" G_GUINT64_FORMAT ": %s", net->seed, judge->why->str);
  g_test_message ("the smallest such net:\n%s", text);
  g_test_fail ();
}

/* Does the device run it where it can? Frames and so letterbox, and sums in parts, which depend on
 * the number of its cores, are left to others. */
static bool
is_wanted (const YvCaps *caps, YvKernel kernel)
{
  switch (kernel) {
  case YV_KERNEL_CONV_TILE:
  case YV_KERNEL_MAXPOOL_PYRAMID:
    return !caps->texel_lanes;
  case YV_KERNEL_CONV_COOPMAT:
    return caps->coopmat_m > 0;
  case YV_KERNEL_CONV_COOPMAT2:
    return caps->coopmat2_wanted;
  case YV_KERNEL_CONV_LANES8:
  case YV_KERNEL_CONV_LANES16:
  case YV_KERNEL_CONV_LANES32:
    return caps->texel_lanes && caps->subgroup_size < 16;
  case YV_KERNEL_CONV_LANES64:
    return caps->texel_lanes && caps->wide_lanes && caps->subgroup_size < 16;
  case YV_KERNEL_CONV_LANES32X16:
  case YV_KERNEL_CONV_LANES64X16:
    return caps->texel_lanes && caps->subgroup_size >= 16;
  case YV_KERNEL_WINOGRAD_INPUT:
  case YV_KERNEL_WINOGRAD_OUTPUT:
    return caps->texel_lanes && caps->winograd;
  case YV_KERNEL_MAXPOOL:
  case YV_KERNEL_UPSAMPLE:
  case YV_KERNEL_COPY:
  case YV_KERNEL_ELTWISE:
  case YV_KERNEL_REORG:
  case YV_KERNEL_DECODE:
    return true;
  case YV_KERNEL_NONE:
  case YV_KERNEL_HEAD_TILE: /* logits are compared, so they are stored */
  case YV_KERNEL_CONV_FIRST:
  case YV_KERNEL_LETTERBOX:
  case YV_KERNEL_CONV_SUM:
  case YV_N_KERNELS:
    break;
  }
  return false;
}

static void
assert_each_kernel_ran (const Judge *judge)
{
  const YvCaps *caps = yv_device_caps (judge->device);

  for (YvKernel kernel = YV_KERNEL_NONE + 1; kernel < YV_N_KERNELS; kernel++) {
    g_test_message ("%s: %u steps", yv_kernel_name (kernel), judge->n_of_kernel[kernel]);
    if (is_wanted (caps, kernel))
      g_assert_cmpuint (judge->n_of_kernel[kernel], >, 0);
  }
}

static void
vulkan_agrees_with_the_reference (void)
{
  g_auto (Judge) judge = {0};
  const char *only = g_getenv ("YV_TEST_SEED"), *n_wanted = g_getenv ("YV_TEST_NETS");
  const uint64_t first = only ? g_ascii_strtoull (only, NULL, 10) : 0;
  const uint64_t n_nets = only ? 1 : n_wanted ? g_ascii_strtoull (n_wanted, NULL, 10) : N_NETS;

  if (!judge_init (&judge))
    return;
  for (uint64_t seed = first; seed < first + n_nets && !g_test_failed (); seed++) {
    g_autoptr (TestNet) net = test_net_random (seed);
    const Verdict verdict = judge_net (&judge, net);

    if (verdict != AGREES)
      fail_at (&judge, net, verdict);
  }
  g_test_message ("%" G_GUINT64_FORMAT " nets, %u steps on %s; largest relative error of a head: "
                  "fp32 %.2g, fp16 %.2g; of rows: fp32 %.2g, fp16 %.2g; of the passes %.2g",
                  n_nets, judge.n_steps, yv_device_caps (judge.device)->name, judge.worst[0],
                  judge.worst[1], judge.worst_rows[0], judge.worst_rows[1], judge.worst[2]);
  if (!only && !g_test_failed ())
    assert_each_kernel_ran (&judge);
}

/* As if the device could not pool behind a concat. */
static bool
pools_behind_concat (const TestNet *net, void *judge)
{
  bool is_behind[64] = {false};

  if (judge_net (judge, net) == NO_NET)
    return false;
  for (uint32_t i = 0; i < net->rows->len; i++) {
    const TestNetRow *row = &g_array_index (net->rows, TestNetRow, i);

    is_behind[i] = g_str_equal (row->module, "Concat");
    for (uint32_t k = 0; k < row->n_from; k++)
      is_behind[i] |= row->from[k] >= 0 && is_behind[row->from[k]];
    if (is_behind[i] && (g_str_equal (row->module, "SP") || g_str_equal (row->module, "MP")))
      return true;
  }
  return false;
}

/* What is left: a row that reads the picture, the concat of it alone, the pool, one level. */
static void
what_fails_is_made_small (void)
{
  g_auto (Judge) judge = {0};
  uint32_t n_failing = 0;

  if (!judge_init (&judge))
    return;
  for (uint64_t seed = 0; n_failing < 3; seed++) {
    g_autoptr (TestNet) net = test_net_random (seed);

    if (net->rows->len < 10 || !pools_behind_concat (net, &judge))
      continue;
    n_failing++;
    g_autoptr (TestNet) smallest = test_net_shrink (net, pools_behind_concat, &judge);
    g_autofree char *text = test_net_print (smallest);
    g_test_message ("%u rows became\n%s", net->rows->len, text);
    g_assert_true (pools_behind_concat (smallest, &judge));
    g_assert_cmpuint (smallest->rows->len, <=, 4);
    g_assert_cmpuint (smallest->n_levels, ==, 1);
    g_assert_cmpuint (smallest->n_classes, ==, 1);
    g_assert_cmpuint (smallest->n, ==, 1);
  }
}

static void
a_net_is_the_same_for_a_seed (void)
{
  for (uint64_t seed = 0; seed < 20; seed++) {
    g_autoptr (TestNet) a = test_net_random (seed), b = test_net_random (seed);
    g_autofree char *x = test_net_print (a), *y = test_net_print (b);

    g_assert_cmpstr (x, ==, y);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/random-graphs/vulkan", vulkan_agrees_with_the_reference);
  g_test_add_func ("/random-graphs/shrink", what_fails_is_made_small);
  g_test_add_func ("/random-graphs/seed", a_net_is_the_same_for_a_seed);
  return g_test_run ();
}
