/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-passes.c - every pass keeps what a graph computes: the reference runs it before
 * and after each, on slim versions of the whole family with random weights, on a network of rarer
 * parts, and on checkpoints of training where they are at hand.
 *
 * Heads and rows may differ by 1e-5 of their norm: values are stored as floats between nodes, and a
 * pass changes where they are rounded.
 */
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/graph/build.h"
#include "engine/passes/passes.h"
#include "engine/ref/ref.h"
#include "tests/common/paths.h"

#define MAX_ERROR 1e-5
#define CONFIDENCE 0.03f

/* What a graph gives for one picture. */
typedef struct {
  float *heads[YV_MAX_LEVELS];
  size_t n_head_elems[YV_MAX_LEVELS];
  uint32_t n_levels;
  float *rows;
  size_t n_row_elems;
  uint32_t n_candidates;
} Output;

static void
output_free (Output *output)
{
  for (uint32_t i = 0; i < output->n_levels; i++)
    g_free (output->heads[i]);
  g_free (output->rows);
  g_free (output);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Output, output_free)

static float *
read_operand (YvExecutor *executor, const YvOperand *operand, size_t *n_elems)
{
  *n_elems = (size_t) operand->n * operand->c * operand->h * operand->w;

  float *values = g_new (float, *n_elems);
  g_assert_true (executor->klass->read (executor, operand, values, NULL));
  return values;
}

/* Smooth shapes with a little noise, as a picture has. */
static float
pixel (GRand *rand, uint32_t c, uint32_t y, uint32_t x)
{
  const double shape = sin (0.09 * x + 0.05 * y + c) * cos (0.07 * y - 0.03 * x);

  return (float) (0.5 + 0.4 * shape + 0.1 * g_rand_double_range (rand, -1, 1));
}

static void
write_picture (YvExecutor *executor, const YvOperand *input)
{
  g_autofree float *picture = g_new (float, (size_t) input->c * input->h * input->w);
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  float *dst = picture;

  for (uint32_t c = 0; c < input->c; c++)
    for (uint32_t y = 0; y < input->h; y++)
      for (uint32_t x = 0; x < input->w; x++)
        *dst++ = pixel (rand, c, y, x);
  g_assert_true (executor->klass->write (executor, input, picture, NULL));
}

static uint32_t
run_once (YvExecutor *executor)
{
  const YvBatch batch = {.n_images = 1, .confidence = CONFIDENCE};
  const struct YvCandidate *candidates;
  uint32_t n_candidates;
  g_autoptr (GError) error = NULL;

  executor->klass->submit (executor, 0, &batch, &error);
  g_assert_no_error (error);
  executor->klass->wait (executor, 0, &candidates, &n_candidates, NULL, &error);
  g_assert_no_error (error);
  return n_candidates;
}

/* Twice the largest stride on one side and once on the other, so that height and width differ. */
static YvPlan *
make_plan (const YvGraph *graph)
{
  const YvDetectSpec *spec = &yv_graph_output (graph)->detect;
  const uint32_t stride = spec->stride[spec->n_levels - 1];
  const YvPlanOptions options = {
      .n = 1,
      .h = stride,
      .w = 2 * stride,
      .dtype = YV_DTYPE_F32,
      .tensor_input = true,
      .dense_rows = true,
      .keep_all = true,
  };
  YvCaps caps;
  g_autoptr (GError) error = NULL;

  yv_caps_init_reference (&caps);
  YvPlan *plan = yv_plan_new (graph, &caps, &options, &error);
  g_assert_no_error (error);
  return plan;
}

static Output *
run_graph (const YvGraph *graph)
{
  g_autoptr (YvPlan) plan = make_plan (graph);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvExecutor) executor = yv_ref_executor_new (plan, 1, &error);
  g_assert_no_error (error);

  Output *output = g_new0 (Output, 1);
  write_picture (executor, &plan->input);
  output->n_candidates = run_once (executor);
  output->n_levels = plan->detect.n_levels;
  for (uint32_t i = 0; i < output->n_levels; i++)
    output->heads[i] = read_operand (executor, &plan->heads[i], &output->n_head_elems[i]);
  output->rows = read_operand (executor, &plan->rows, &output->n_row_elems);
  return output;
}

/* ||a - b|| / ||b|| */
static double
relative_error (const float *a, const float *b, size_t n_elems)
{
  double difference = 0, norm = 0;

  for (size_t i = 0; i < n_elems; i++) {
    g_assert_true (isfinite (a[i]) && isfinite (b[i]));
    difference += ((double) a[i] - (double) b[i]) * ((double) a[i] - (double) b[i]);
    norm += (double) b[i] * (double) b[i];
  }
  g_assert_cmpfloat (norm, >, 0);
  return sqrt (difference / norm);
}

/* The largest of all heads and the rows. */
static double
output_error (const Output *a, const Output *b)
{
  g_assert_cmpuint (a->n_levels, ==, b->n_levels);
  g_assert_cmpuint (a->n_row_elems, ==, b->n_row_elems);

  double error = relative_error (a->rows, b->rows, a->n_row_elems);
  for (uint32_t i = 0; i < a->n_levels; i++) {
    g_assert_cmpuint (a->n_head_elems[i], ==, b->n_head_elems[i]);
    error = fmax (error, relative_error (a->heads[i], b->heads[i], a->n_head_elems[i]));
  }
  return error;
}

/* Logits that are all but constant would hide what a pass does. */
static void
assert_worth_comparing (const Output *output)
{
  for (uint32_t i = 0; i < output->n_levels; i++) {
    double sum = 0, squares = 0;
    const size_t n = output->n_head_elems[i];
    for (size_t k = 0; k < n; k++) {
      sum += (double) output->heads[i][k];
      squares += (double) output->heads[i][k] * (double) output->heads[i][k];
    }
    const double deviation = sqrt (squares / (double) n - sum / (double) n * (sum / (double) n));
    g_assert_cmpfloat (deviation, >, 0.1);
    g_assert_cmpfloat (deviation, <, 30);
  }
}

/* Passes that add up the same numbers in the same order give the same to the bit. */
static bool
is_exact (const YvPass *pass)
{
  const char *const names[] = {"drop_aux",          "chain_pools",  "fuse_detect",
                               "hoist_upsample",    "elide_concat", "merge_siblings",
                               "fuse_pool_pyramid", "fuse_upsample"};

  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (pass->name, names[i]))
      return true;
  return false;
}

/* What no node reads is never computed. */
static void
assert_all_needed (const YvGraph *graph)
{
  for (uint32_t i = 0; i + 1 < graph->nodes->len; i++) {
    const YvNode *node = graph->nodes->pdata[i];

    g_assert_cmpuint (yv_graph_n_readers (graph, node->id), >, 0);
  }
}

/* Runs all passes one after another. @n_changes: of each pass, added up. */
static void
compare_passes (const char *name, YvGraph *graph, uint32_t *n_changes)
{
  uint32_t n_passes;
  const YvPass *passes = yv_passes (&n_passes);
  g_autoptr (Output) original = run_graph (graph);
  g_autoptr (Output) before = run_graph (graph);
  g_autoptr (GString) line = g_string_new (NULL);

  assert_worth_comparing (original);
  for (uint32_t i = 0; i < n_passes; i++) {
    const uint32_t n = passes[i].run (graph);
    n_changes[i] += n;
    yv_graph_sort (graph);
    yv_graph_assert_valid (graph);
    Output *after = run_graph (graph);
    const double error = output_error (after, before);
    g_string_append_printf (line, " %s %u: %.1e", passes[i].name, n, error);
    g_assert_cmpfloat (error, <=, is_exact (&passes[i]) ? 0 : MAX_ERROR);
    g_assert_cmpuint (after->n_candidates, ==, before->n_candidates);
    output_free (before);
    before = after;
  }

  assert_all_needed (graph);
  const double error = output_error (before, original);
  g_test_message ("%s:%s; all %.1e; %u candidates", name, line->str, error, before->n_candidates);
  g_assert_cmpfloat (error, <=, MAX_ERROR);
}

static YvGraph *
build (const YvModel *model)
{
  g_autoptr (GError) error = NULL;
  YvGraph *graph = yv_graph_build (model, 11, &error);

  g_assert_no_error (error);
  return graph;
}

static void
compare_config (const char *name, const char *path, uint32_t *n_changes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModel) model = yv_model_load (NULL, path, &error);
  g_assert_no_error (error);
  g_autoptr (YvGraph) graph = build (model);

  compare_passes (name, graph, n_changes);
}

/* The same description an eighth as wide, or half where its blocks have 32 groups, and with 3
 * classes. */
static char *
slim (const char *text)
{
  const char *line = strstr (text, "ResX") ? "width_multiple: 0.5" : "width_multiple: 0.125";
  g_autoptr (GRegex) width = g_regex_new ("(?m)^width_multiple:.*$", 0, 0, NULL);
  g_autoptr (GRegex) classes = g_regex_new ("(?m)^nc:.*$", 0, 0, NULL);
  g_autofree char *narrow = g_regex_replace (width, text, -1, 0, line, 0, NULL);

  g_assert_nonnull (strstr (narrow, line));
  return g_regex_replace (classes, narrow, -1, 0, "nc: 3", 0, NULL);
}

/* Writes @text to a file, compares, and removes it. */
static void
compare_text (const char *name, const char *text, uint32_t *n_changes)
{
  g_autofree char *path = NULL;
  const int fd = g_file_open_tmp ("yv-passes-XXXXXX.yaml", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  compare_config (name, path, n_changes);
  g_assert_cmpint (g_unlink (path), ==, 0);
}

/* Index in yv_passes(). */
static uint32_t
pass_index (const char *name)
{
  uint32_t n_passes;
  const YvPass *passes = yv_passes (&n_passes);

  for (uint32_t i = 0; i < n_passes; i++)
    if (g_str_equal (passes[i].name, name))
      return i;
  g_assert_not_reached ();
}

static void
slim_description_computes_the_same_after_each_pass (gconstpointer user_data)
{
  const char *file = user_data;
  g_autofree char *text = NULL;
  uint32_t n_changes[16] = {0};

  g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
  g_autofree char *narrow = slim (text);
  compare_text (file, narrow, n_changes);
  g_assert_cmpuint (n_changes[pass_index ("fold_batchnorm")], >, 0);
  g_assert_cmpuint (n_changes[pass_index ("fuse_activation")], >, 0);
  g_assert_cmpuint (n_changes[pass_index ("elide_concat")], >, 0);
  g_assert_cmpuint (n_changes[pass_index ("fuse_detect")], >, 0);
  if (strstr (file, "yolov7")) /* all of them have a pyramid */
    g_assert_cmpuint (n_changes[pass_index ("fuse_pool_pyramid")], ==, 1);
  if (!strstr (file, "/baseline/")) /* these have no ELAN */
    g_assert_cmpuint (n_changes[pass_index ("merge_siblings")], >=, 8);
}

/* Identity branches, groups, a depthwise convolution, auxiliary heads, sums, a concat in a concat,
 * one value in two concats and twice in one, and every kind of activation. */
static const char rare_parts[] =
    "nc: 2\n"
    "depth_multiple: 1.0\n"
    "width_multiple: 1.0\n"
    "anchors:\n"
    "  - [10,13, 16,30]\n"
    "  - [30,61, 62,45]\n"
    "backbone:\n"
    "  [[-1, 1, Conv, [16, 3, 2, None, 1, nn.LeakyReLU(0.1)]],\n"   /* 0 */
    "   [-1, 1, RepConv, [16, 3, 1]],\n"                            /* 1: identity */
    "   [-1, 1, RepConv, [16, 3, 1, 1, 4]],\n"                      /* 2: identity, groups */
    "   [-1, 1, RepConv, [24, 3, 2]],\n"                            /* 3 */
    "   [-1, 1, DWConv, [24, 3, 1]],\n"                             /* 4 */
    "   [[-1, 3], 1, Shortcut, [0]],\n"                             /* 5 */
    "   [-1, 1, Conv, [24, 3, 2, None, 1, nn.ReLU()]],\n"           /* 6 */
    "   [[-1, -1], 1, Concat, [1]],\n"                              /* 7: twice in one */
    "   [[6, -1], 1, Concat, [1]],\n"                               /* 8: nested; 6 in two */
    "   [-1, 1, Conv, [32, [1, 3], 1, None, 1, nn.Hardswish()]],\n" /* 9 */
    "   [-1, 1, SPPCSPC, [16]],\n"                                  /* 10 */
    "   [-1, 1, DownC, [32]]]\n"                                    /* 11 */
    "head:\n"
    "  [[-1, 1, nn.Upsample, [None, 2, 'nearest']],\n"     /* 12 */
    "   [[-1, 10], 1, Concat, [1]],\n"                     /* 13 */
    "   [-1, 1, BottleneckCSPC, [16]],\n"                  /* 14 */
    "   [-1, 1, Conv, [16, 3, 1, None, 1, nn.Mish()]],\n"  /* 15: lead */
    "   [11, 1, Conv, [24, 3, 1, None, 1, nn.ReLU6()]],\n" /* 16: lead */
    "   [13, 1, Conv, [16, 3, 1]],\n"                      /* 17: aux */
    "   [11, 1, Conv, [16, 3, 1]],\n"                      /* 18: aux */
    "   [[15, 16, 17, 18], 1, IAuxDetect, [nc, anchors]]]\n";

static void
rare_parts_compute_the_same_after_each_pass (void)
{
  uint32_t n_changes[16] = {0};

  compare_text ("rare parts", rare_parts, n_changes);
  /* Two auxiliary layers of three nodes and two heads; four implicits; three RepConvs. */
  g_assert_cmpuint (n_changes[pass_index ("drop_aux")], ==, 8);
  g_assert_cmpuint (n_changes[pass_index ("fold_implicit")], ==, 4);
  g_assert_cmpuint (n_changes[pass_index ("fold_repconv")], ==, 3);
  g_assert_cmpuint (n_changes[pass_index ("fuse_shortcut")], ==, 2);
  g_assert_cmpuint (n_changes[pass_index ("fuse_detect")], ==, 2);
}

/* 1x1 convolutions of enlarged values: two in a row; two of one value, which is needed itself. */
static const char enlarged[] = "nc: 2\n"
                               "depth_multiple: 1.0\n"
                               "width_multiple: 1.0\n"
                               "anchors:\n"
                               "  - [10,13, 16,30]\n"
                               "  - [30,61, 62,45]\n"
                               "backbone:\n"
                               "  [[-1, 1, Conv, [16, 3, 2]],\n" /* 0 */
                               "   [-1, 1, Conv, [24, 3, 2]],\n" /* 1 */
                               "   [-1, 1, Conv, [32, 3, 2]]]\n" /* 2 */
                               "head:\n"
                               "  [[-1, 1, nn.Upsample, [None, 2, 'nearest']],\n" /* 3 */
                               "   [-1, 1, Conv, [16, 1, 1]],\n" /* 4: hoisted, as others read 3 */
                               "   [-1, 1, Conv, [24, 1, 1]],\n" /* 5: hoisted, as only reader */
                               "   [3, 1, Conv, [96, 1, 1]],\n"  /* 6: too wide */
                               "   [-1, 1, Conv, [16, 3, 1]],\n" /* 7 */
                               "   [[3, 5, 7, 1], 1, Concat, [1]],\n" /* 8 */
                               "   [-1, 1, Conv, [32, 3, 1]],\n"      /* 9 */
                               "   [[9, 2], 1, IDetect, [nc, anchors]]]\n";

static void
enlarged_values_compute_the_same_after_each_pass (void)
{
  uint32_t n_changes[16] = {0};

  compare_text ("enlarged", enlarged, n_changes);
  g_assert_cmpuint (n_changes[pass_index ("hoist_upsample")], ==, 2);
  g_assert_cmpuint (n_changes[pass_index ("fuse_upsample")], ==, 1);
  g_assert_cmpuint (n_changes[pass_index ("elide_concat")], ==, 4);
}

static void
checkpoint_computes_the_same_after_each_pass (gconstpointer user_data)
{
  const char *path = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (YvCheckpoint) checkpoint = yv_checkpoint_open (path, &error);
  g_assert_no_error (error);
  g_autofree char *config = g_str_has_suffix (path, "state.pt")
                                ? yv_test_shared_path ("reference/v7-deploy-state.yaml")
                                : NULL;
  g_autoptr (YvModel) model = yv_model_load (checkpoint, config, &error);
  g_assert_no_error (error);
  g_autoptr (YvGraph) graph = build (model);
  uint32_t n_changes[16] = {0};

  compare_passes (path, graph, n_changes);
}

static int
compare_names (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Adds a test for each file of a folder that ends in @suffix, in the order of their names. */
static void
add_tests (const char *prefix, char *folder, const char *suffix, GTestDataFunc func)
{
  g_autofree char *owned = folder;
  g_autoptr (GDir) dir = folder ? g_dir_open (folder, 0, NULL) : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, suffix))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (uint32_t i = 0; i < names->len; i++) {
    g_autofree char *owned_name = names->pdata[i];
    g_autofree char *test = g_strdup_printf ("/passes/%s/%s", prefix, owned_name);
    g_test_add_data_func_full (test, g_build_filename (folder, owned_name, NULL), func, g_free);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/passes/small/rare-parts", rare_parts_compute_the_same_after_each_pass);
  g_test_add_func ("/passes/small/enlarged", enlarged_values_compute_the_same_after_each_pass);
  add_tests ("training", yv_test_source_path ("cfg/training"), ".yaml",
             slim_description_computes_the_same_after_each_pass);
  add_tests ("deploy", yv_test_source_path ("cfg/deploy"), ".yaml",
             slim_description_computes_the_same_after_each_pass);
  add_tests ("golden", yv_test_source_path ("tests/golden/checkpoints"), ".pt",
             checkpoint_computes_the_same_after_each_pass);
  add_tests ("baseline", yv_test_source_path ("cfg/baseline"), ".yaml",
             slim_description_computes_the_same_after_each_pass);
  add_tests ("reference", yv_test_shared_path ("reference"), ".pt",
             checkpoint_computes_the_same_after_each_pass);
  return g_test_run ();
}
