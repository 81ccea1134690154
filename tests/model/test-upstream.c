/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-upstream.c - checkpoints of training give the heads and rows that upstream's own
 * code computed from the same files, both as they were trained and after all passes.
 *
 * Upstream computed in single precision, and networks of random weights amplify rounding: run in
 * double precision, by PyTorch, the same files give heads and rows that differ from the stored ones
 * by golden_error. The bound is twice that, and 2e-5 where they are closer.
 */
#include <math.h>
#include <string.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/graph/build.h"
#include "engine/passes/passes.h"
#include "engine/ref/ref.h"
#include "tests/common/paths.h"

#define MIN_BOUND 2e-5

static const struct {
  const char *name;
  double golden_error; /* of heads and rows, PyTorch 1.13 in double against what is stored */
} cases[] = {
    {"tiny-train", 6.5e-6},      {"tiny-silu", 2.3e-6}, {"v7-best", 8.1e-5},
    {"v7-deploy-state", 5.5e-5}, {"x-legacy", 1.6e-4},  {"w6-train", 4.4e-5},
    {"e6-best", 3.3e-3},         {"d6-best", 9.9e-3},   {"e6e-best", 2.2e-4},
    {"yolor-csp", 2.9e-5},       {"yolor-p6", 1.2e-4},  {"r50-csp", 5.7e-5},
    {"yolov3-spp", 5.6e-6},
};

static const YvTensor *
golden_tensor (const YvCheckpoint *golden, const char *name)
{
  const YvObject *object = yv_object_get (yv_checkpoint_root (golden), name);

  g_assert_nonnull (object);
  g_assert_cmpint (object->kind, ==, YV_OBJECT_TENSOR);
  g_assert_cmpint (object->tensor.dtype, ==, YV_DTYPE_F32);
  return &object->tensor;
}

static YvPlan *
make_plan (const YvGraph *graph, const YvTensor *images)
{
  const YvPlanOptions options = {
      .n = (uint32_t) images->shape[0],
      .h = (uint32_t) images->shape[2],
      .w = (uint32_t) images->shape[3],
      .dtype = YV_DTYPE_F32,
      .tensor_input = true,
      .dense_rows = true,
  };
  YvCaps caps;
  g_autoptr (GError) error = NULL;

  yv_caps_init_reference (&caps);
  YvPlan *plan = yv_plan_new (graph, &caps, &options, &error);
  g_assert_no_error (error);
  return plan;
}

static YvExecutor *
run_plan (const YvPlan *plan, const YvTensor *images)
{
  const YvBatch batch = {.n_images = plan->options.n, .confidence = 0.25f};
  g_autofree const struct YvCandidate **lists = g_new0 (const struct YvCandidate *, batch.n_images);
  g_autofree uint32_t *n_candidates = g_new0 (uint32_t, batch.n_images);
  g_autofree float *input = g_new (float, yv_tensor_n_elems (images));
  g_autoptr (GError) error = NULL;
  YvExecutor *executor = yv_ref_executor_new (plan, 1, &error);

  g_assert_no_error (error);
  yv_tensor_read_f32 (images, 0, yv_tensor_n_elems (images), input);
  executor->klass->write (executor, &plan->input, input, &error);
  g_assert_no_error (error);
  executor->klass->submit (executor, 0, &batch, &error);
  g_assert_no_error (error);
  executor->klass->wait (executor, 0, lists, n_candidates, NULL, &error);
  g_assert_no_error (error);
  return executor;
}

static float *
read_operand (YvExecutor *executor, const YvOperand *operand)
{
  float *values = g_new (float, (size_t) operand->n * operand->c * operand->h * operand->w);

  g_assert_true (executor->klass->read (executor, operand, values, NULL));
  return values;
}

/* ||ours - theirs|| / ||theirs||; @index: where element i of the golden tensor is in ours. */
static double
relative_error (const float *ours, const YvTensor *theirs, const size_t *index)
{
  double difference = 0, norm = 0;

  for (size_t i = 0; i < yv_tensor_n_elems (theirs); i++) {
    const double expected = yv_tensor_get (theirs, i);
    difference += ((double) ours[index[i]] - expected) * ((double) ours[index[i]] - expected);
    norm += expected * expected;
  }
  return sqrt (difference / norm);
}

/* Golden heads are [b, na, h, w, no], ours [b, na * no, h, w]. */
static size_t *
head_index (const YvTensor *head)
{
  const uint64_t *s = head->shape;
  size_t *index = g_new (size_t, yv_tensor_n_elems (head));
  size_t *dst = index;

  g_assert_cmpuint (head->n_dims, ==, 5);
  for (size_t b = 0; b < s[0]; b++)
    for (size_t a = 0; a < s[1]; a++)
      for (size_t y = 0; y < s[2]; y++)
        for (size_t x = 0; x < s[3]; x++)
          for (size_t k = 0; k < s[4]; k++)
            *dst++ = (((b * s[1] + a) * s[4] + k) * s[2] + y) * s[3] + x;
  return index;
}

/* Golden rows are [b, n, no], ours [b, no, n, 1]. */
static size_t *
row_index (const YvTensor *rows)
{
  const uint64_t *s = rows->shape;
  size_t *index = g_new (size_t, yv_tensor_n_elems (rows));
  size_t *dst = index;

  g_assert_cmpuint (rows->n_dims, ==, 3);
  for (size_t b = 0; b < s[0]; b++)
    for (size_t n = 0; n < s[1]; n++)
      for (size_t k = 0; k < s[2]; k++)
        *dst++ = (b * s[2] + k) * s[1] + n;
  return index;
}

static size_t
operand_n_elems (const YvOperand *operand)
{
  return (size_t) operand->n * operand->c * operand->h * operand->w;
}

static void
compare (const char *name, const YvGraph *graph, const YvCheckpoint *golden, double bound)
{
  const YvTensor *images = golden_tensor (golden, "images");
  g_autoptr (YvPlan) plan = make_plan (graph, images);
  g_autoptr (YvExecutor) executor = run_plan (plan, images);
  double worst = 0;

  for (uint32_t i = 0; i < plan->detect.n_levels; i++) {
    g_autofree char *key = g_strdup_printf ("head.%u", i);
    const YvTensor *head = golden_tensor (golden, key);
    g_assert_cmpuint (yv_tensor_n_elems (head), ==, operand_n_elems (&plan->heads[i]));
    g_autofree float *values = read_operand (executor, &plan->heads[i]);
    g_autofree size_t *index = head_index (head);
    worst = fmax (worst, relative_error (values, head, index));
  }
  const YvTensor *pred = golden_tensor (golden, "pred");
  g_assert_cmpuint (yv_tensor_n_elems (pred), ==, operand_n_elems (&plan->rows));
  g_autofree float *values = read_operand (executor, &plan->rows);
  g_autofree size_t *index = row_index (pred);
  const double rows_error = relative_error (values, pred, index);

  g_test_message ("%s: heads %.1e, rows %.1e", name, worst, rows_error);
  g_assert_cmpfloat (worst, <=, bound);
  g_assert_cmpfloat (rows_error, <=, bound);
}

/* "<name><suffix>" in the repository, else among the reference files, or NULL. */
static char *
find_file (const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  g_autofree char *ours = g_build_filename ("tests/golden/checkpoints", file, NULL);
  g_autofree char *theirs = g_build_filename ("reference", file, NULL);
  g_autofree char *path = yv_test_source_path (ours);

  return g_file_test (path, G_FILE_TEST_EXISTS) ? g_steal_pointer (&path)
                                                : yv_test_shared_path (theirs);
}

static void
checkpoint_gives_what_upstream_computed (gconstpointer user_data)
{
  const guint index = GPOINTER_TO_UINT (user_data);
  const char *name = cases[index].name;
  const double bound = fmax (MIN_BOUND, 2 * cases[index].golden_error);
  g_autofree char *path = find_file (name, ".pt");
  g_autofree char *golden_path = find_file (name, ".safetensors");
  g_autofree char *config = find_file (name, ".yaml");
  g_autoptr (GError) error = NULL;

  if (!path || !golden_path) {
    g_test_skip ("reference checkpoints are not here");
    return;
  }
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (YvCheckpoint) golden = yv_checkpoint_open (golden_path, &error);
  g_assert_no_error (error);
  g_autoptr (YvModel) model = yv_model_load (checkpoint, config, &error);
  g_assert_no_error (error);
  g_autoptr (YvGraph) graph = yv_graph_build (model, 0, &error);
  g_assert_no_error (error);

  compare ("as trained", graph, golden, bound);
  yv_passes_run (graph, NULL);
  compare ("as deployed", graph, golden, bound);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *test = g_strdup_printf ("/upstream/%s", cases[i].name);
    g_test_add_data_func (test, GUINT_TO_POINTER (i), checkpoint_gives_what_upstream_computed);
  }
  return g_test_run ();
}
