/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-ref.c - engine/ref/: the oracle itself, against numbers and loops written here.
 */
#include "engine/ref/ref.h"

#include <math.h>
#include <string.h>

#include "engine/half.h"
#include "engine/ops/op.h"
#include "tests/common/refrun.h"

/* A 3x3 kernel of ones over a 4x4 picture of ones counts the pixels under it. */
static void
a_kernel_of_ones_counts_the_pixels_under_it (void)
{
  g_autoptr (YvGraph) graph = yv_graph_new ();
  float ones[YV_TEST_ROW * 3 * 9], picture[3 * 16];
  const double bias[YV_TEST_ROW] = {0.5, 0, 0, 0, 0, 0}, scale[YV_TEST_ROW] = {1, 1, 1, 1, 1, 1};

  for (size_t i = 0; i < G_N_ELEMENTS (ones); i++)
    ones[i] = 1;
  for (size_t i = 0; i < G_N_ELEMENTS (picture); i++)
    picture[i] = 1;
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  YvWeight *weight = yv_test_tensor_weight (ones, YV_TEST_ROW, 3, 1, 3);
  yv_weight_scale (weight, scale, bias);
  yv_test_add_detect (graph, yv_test_add_conv (graph, input, weight, 2, 1)->id, 2);

  g_auto (YvTestRun) run = yv_test_run_graph (graph, YV_DTYPE_F32, 4, 4, picture);
  g_autofree float *head = yv_test_read_value (&run, &run.plan->heads[0]);
  const float expected[4] = {12, 18, 18, 27}; /* corner, edges, middle; 3 channels each */
  for (int i = 0; i < 4; i++) {
    g_assert_cmpfloat (head[i], ==, expected[i] + 0.5f);
    g_assert_cmpfloat (head[4 + i], ==, expected[i]);
  }
}

/* Plain NCHW loops. */
static double
conv_at (const float *src, const float *weight, const YvShape *in, const YvNode *node, uint32_t o,
         uint32_t y, uint32_t x)
{
  const YvWeight *w = node->conv.weight;
  const uint32_t c_in = w->c_in / w->groups, group = o / (w->c_out / w->groups);
  double sum = 0;

  for (uint32_t i = 0; i < c_in; i++)
    for (uint32_t ky = 0; ky < w->kernel_h; ky++)
      for (uint32_t kx = 0; kx < w->kernel_w; kx++) {
        const int64_t sy = (int64_t) y * node->conv.stride_h + ky - node->conv.pad_h;
        const int64_t sx = (int64_t) x * node->conv.stride_w + kx - node->conv.pad_w;

        if (sy < 0 || sy >= in->h || sx < 0 || sx >= in->w)
          continue;
        sum += (double) src[((group * c_in + i) * in->h + sy) * in->w + sx] *
               weight[((o * c_in + i) * w->kernel_h + ky) * w->kernel_w + kx];
      }
  return sum;
}

static void
check_conv (uint32_t c_mid, uint32_t groups, uint32_t k, uint32_t stride, uint32_t pad, uint32_t h,
            uint32_t w)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (c_mid * 31 + k);
  g_autoptr (YvGraph) graph = yv_graph_new ();
  g_autofree float *first = yv_test_random_floats (rand, c_mid * 3);
  g_autofree float *data = yv_test_random_floats (rand, c_mid * c_mid / groups * k * k);
  g_autofree float *head = yv_test_random_floats (rand, YV_TEST_ROW * c_mid);
  g_autofree float *picture = yv_test_random_floats (rand, 3 * h * w);
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const YvNode *a =
      yv_test_add_conv (graph, input, yv_test_tensor_weight (first, c_mid, 3, 1, 1), 1, 0);
  YvNode *b = yv_test_add_conv (graph, a->id, yv_test_tensor_weight (data, c_mid, c_mid, groups, k),
                                stride, pad);

  b->act = (YvAct){YV_ACT_LEAKY_RELU, 0.1f};
  yv_test_add_detect (
      graph,
      yv_test_add_conv (graph, b->id, yv_test_tensor_weight (head, YV_TEST_ROW, c_mid, 1, 1), 1, 0)
          ->id,
      stride);
  g_auto (YvTestRun) run = yv_test_run_graph (graph, YV_DTYPE_F32, h, w, picture);
  g_autofree float *src = yv_test_read_value (&run, yv_plan_value (run.plan, a->id));
  g_autofree float *dst = yv_test_read_value (&run, yv_plan_value (run.plan, b->id));
  const YvOperand *out = yv_plan_value (run.plan, b->id);
  const YvShape in = {c_mid, h, w};

  for (uint32_t o = 0; o < c_mid; o++)
    for (uint32_t y = 0; y < out->h; y++)
      for (uint32_t x = 0; x < out->w; x++) {
        const double sum = conv_at (src, data, &in, b, o, y, x);
        const double expected = sum < 0 ? sum * 0.1f : sum;

        g_assert_cmpfloat_with_epsilon (dst[(o * out->h + y) * out->w + x], expected,
                                        1e-6 * (1 + fabs (expected)));
      }
}

static void
a_convolution_is_what_plain_loops_make_of_it (void)
{
  check_conv (8, 1, 3, 1, 1, 5, 7);
  check_conv (13, 1, 3, 2, 1, 8, 6);
  check_conv (8, 4, 3, 1, 1, 4, 4);
  check_conv (12, 12, 3, 2, 1, 6, 6); /* depthwise */
  check_conv (9, 1, 1, 1, 0, 3, 3);
}

static void
logits_decode_to_boxes_and_candidates (void)
{
  g_autoptr (YvGraph) graph = yv_graph_new ();
  /* 1x1 from red only: logit k = k-th weight * red. */
  const float weight[YV_TEST_ROW * 3] = {1, 0, 0, -1, 0, 0, 0.5f,  0, 0,
                                         2, 0, 0, 3,  0, 0, -0.5f, 0, 0};
  float picture[12] = {1, 0, 0, -1};
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const YvNode *conv =
      yv_test_add_conv (graph, input, yv_test_tensor_weight (weight, YV_TEST_ROW, 3, 1, 1), 1, 0);

  yv_test_add_detect (graph, conv->id, 1);
  g_auto (YvTestRun) run = yv_test_run_graph (graph, YV_DTYPE_F32, 2, 2, picture);
  g_autofree float *rows = yv_test_read_value (&run, &run.plan->rows);
  const double s[YV_TEST_ROW] = {1 / (1 + exp (-1)),  1 / (1 + exp (1)),   1 / (1 + exp (-0.5)),
                                 1 / (1 + exp (-2.)), 1 / (1 + exp (-3.)), 1 / (1 + exp (0.5))};
  const double expected[YV_TEST_ROW] = {2 * s[0] - 0.5,       2 * s[1] - 0.5, 4 * s[2] * s[2] * 10,
                                        4 * s[3] * s[3] * 20, s[4],           s[5]};

  g_assert_cmpuint (run.plan->n_rows, ==, 4);
  for (int k = 0; k < YV_TEST_ROW; k++)
    g_assert_cmpfloat_with_epsilon (rows[k * 4], expected[k], 1e-5);
  g_assert_cmpfloat_with_epsilon (rows[0 * 4 + 3], 2 * (1 - s[0]) - 0.5 + 1, 1e-5); /* x of (1,1) */

  /* obj * cls: 0.95 * 0.38 = 0.36; rows of red 0: 0.5 * 0.5 is not above 0.25. */
  g_assert_cmpuint (run.n_candidates, ==, 1);
  g_assert_cmpuint (run.candidates[0].row, ==, 0);
  g_assert_cmpfloat_with_epsilon (run.candidates[0].confidence, s[4] * s[5], 1e-6);
  g_assert_cmpfloat_with_epsilon (run.candidates[0].w, expected[2], 1e-5);
}

/* picture -> pool, upsample, reorg, add, concat, each with its own small check. */
static void
elements_move_to_where_the_ops_say (void)
{
  g_autoptr (YvGraph) graph = yv_graph_new ();
  float picture[3 * 16];
  const float head[YV_TEST_ROW * 12] = {0};

  for (int i = 0; i < 48; i++)
    picture[i] = (float) (i % 16 * (i % 2 ? -1 : 1) + 100 * (i / 16));
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  YvNode *pool = yv_graph_add (graph, YV_OP_MAXPOOL, "pool", 1, &input, 1, 3);
  pool->maxpool.kernel = 3, pool->maxpool.stride = 1, pool->maxpool.pad = 1;
  const YvNode *reorg = yv_graph_add (graph, YV_OP_REORG, "reorg", 1, &input, 1, 12);
  YvNode *up = yv_graph_add (graph, YV_OP_UPSAMPLE, "up", 1, &reorg->id, 1, 12);
  up->upsample.factor = 2;
  const uint32_t both[] = {pool->id, input, pool->id};
  const YvNode *cat = yv_graph_add (graph, YV_OP_CONCAT, "cat", 1, both, 3, 9);
  YvNode *sum = yv_graph_add (graph, YV_OP_ADD, "sum", 1, both, 3, 3);
  sum->act = (YvAct){.kind = YV_ACT_RELU};
  yv_test_add_detect (
      graph,
      yv_test_add_conv (graph, reorg->id, yv_test_tensor_weight (head, YV_TEST_ROW, 12, 1, 1), 1, 0)
          ->id,
      2);

  g_auto (YvTestRun) run = yv_test_run_graph (graph, YV_DTYPE_F32, 4, 4, picture);
  g_autofree float *pooled = yv_test_read_value (&run, yv_plan_value (run.plan, pool->id));
  g_autofree float *blocks = yv_test_read_value (&run, yv_plan_value (run.plan, reorg->id));
  g_autofree float *large = yv_test_read_value (&run, yv_plan_value (run.plan, up->id));
  g_autofree float *joined = yv_test_read_value (&run, yv_plan_value (run.plan, cat->id));
  g_autofree float *added = yv_test_read_value (&run, yv_plan_value (run.plan, sum->id));

  g_assert_cmpfloat (pooled[0], ==, 4);  /* of 0 -1 4 -5: padding takes no part */
  g_assert_cmpfloat (pooled[5], ==, 10); /* of 0 -1 2 4 -5 6 8 -9 10 */
  g_assert_cmpfloat (pooled[15], ==, 14);
  for (int b = 0; b < 4; b++) /* row parity toggles first */
    g_assert_cmpfloat (blocks[b * 3 * 4], ==, picture[b % 2 * 4 + b / 2]);
  g_assert_cmpfloat (blocks[(1 * 3 + 2) * 4 + 3], ==, picture[2 * 16 + 3 * 4 + 2]);
  g_assert_cmpfloat (large[0], ==, blocks[0]);
  g_assert_cmpfloat (large[4 + 1], ==, blocks[0]);
  g_assert_cmpfloat (large[2], ==, blocks[1]);
  for (int i = 0; i < 48; i++) {
    g_assert_cmpfloat (joined[i], ==, pooled[i]);
    g_assert_cmpfloat (joined[48 + i], ==, picture[i]);
    g_assert_cmpfloat (joined[96 + i], ==, pooled[i]);
    g_assert_cmpfloat (added[i], ==, MAX (2 * pooled[i] + picture[i], 0));
  }
}

/* An f16 plan rounds what it stores, and its heads don't. */
static void
half_precision_rounds_values_but_not_heads (void)
{
  g_autoptr (YvGraph) graph = yv_graph_new ();
  const float first[3 * 3] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const float head[YV_TEST_ROW * 3] = {1, 1, 1};
  float picture[3] = {0.1f, 0.2f, 1};
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const YvNode *a =
      yv_test_add_conv (graph, input, yv_test_tensor_weight (first, 3, 3, 1, 1), 1, 0);

  yv_test_add_detect (
      graph,
      yv_test_add_conv (graph, a->id, yv_test_tensor_weight (head, YV_TEST_ROW, 3, 1, 1), 1, 0)->id,
      1);
  g_auto (YvTestRun) run = yv_test_run_graph (graph, YV_DTYPE_F16, 1, 1, picture);
  g_autofree float *value = yv_test_read_value (&run, yv_plan_value (run.plan, a->id));
  g_autofree float *logits = yv_test_read_value (&run, &run.plan->heads[0]);
  const float tenth = yv_half_to_float (yv_half_from_float (0.1f));
  const float fifth = yv_half_to_float (yv_half_from_float (0.2f));

  g_assert_cmpint (run.plan->heads[0].dtype, ==, YV_DTYPE_F32);
  g_assert_cmpfloat (value[0], ==, tenth);
  g_assert_cmpfloat (logits[0], ==, (float) ((double) tenth + fifth + 1));
}

/* Two slots of a plan for two images: each image's candidates are those that it has alone, wherever
 * it lies in the batch, and a slot's results stay while the other one runs. */
static void
a_batch_gives_each_image_its_own_candidates (void)
{
  /* Logits of every cell: width and height 0, objectness and class by the red of its corner. */
  static const float weight[YV_TEST_ROW * 3] = {[4 * 3] = 9, [5 * 3] = 9};
  g_autoptr (YvGraph) graph = yv_test_picture_graph (weight);
  uint8_t bright[64 * 64 * 3], dark[64 * 64 * 3];
  YvImage images[2] = {
      {.format = YV_FORMAT_RGB,
       .width = 64,
       .height = 64,
       .planes = {bright},
       .stride_bytes = {192}},
      {.format = YV_FORMAT_RGB, .width = 64, .height = 64, .planes = {dark}, .stride_bytes = {192}},
  };
  YvLetterbox letterboxes[2];
  const YvPlanOptions options = {.n = 2, .h = 64, .w = 64, .dtype = YV_DTYPE_F32};
  const struct YvCandidate *lists[2];
  g_autoptr (GError) error = NULL;
  uint32_t n[2];
  YvCaps caps;

  memset (bright, 255, sizeof bright);
  memset (dark, 0, sizeof dark);
  dark[(32 * 64 + 32) * 3] = 255; /* the last cell's corner */
  for (int i = 0; i < 2; i++)
    g_assert_true (yv_letterbox_fit (64, 64, 64, 32, YV_LETTERBOX_FIXED, true, &letterboxes[i]));
  yv_caps_init_reference (&caps);
  g_auto (YvTestRun) run = {.plan = yv_plan_new (graph, &caps, &options, &error)};
  run.executor = yv_ref_executor_new (run.plan, 2, &error);
  const YvExecutorClass *klass = run.executor->klass;
  YvBatch batch = {.n_images = 2, .images = images, .letterboxes = letterboxes, .confidence = 0.5f};

  g_assert_true (klass->submit (run.executor, 0, &batch, &error));
  batch.n_images = 1;
  batch.images = &images[1];
  g_assert_true (klass->submit (run.executor, 1, &batch, &error));

  g_assert_true (klass->wait (run.executor, 0, lists, n, NULL, &error));
  g_assert_cmpuint (n[0], ==, 4);
  g_assert_cmpuint (n[1], ==, 1);
  g_assert_cmpuint (lists[1][0].row, ==, 3);
  g_assert_true (klass->wait (run.executor, 1, lists, n, NULL, &error));
  g_assert_cmpuint (n[0], ==, 1);
  g_assert_cmpuint (lists[0][0].row, ==, 3);
}

/* With one class, confidence is objectness alone where the caller says so. */
static void
objectness_alone_may_be_the_confidence (void)
{
  g_autoptr (YvGraph) graph = yv_graph_new ();
  const float weight[YV_TEST_ROW * 3] = {[4 * 3] = 2, [5 * 3] = -9};
  const float picture[3] = {1};
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  g_autoptr (GError) error = NULL;

  yv_test_add_detect (
      graph,
      yv_test_add_conv (graph, input, yv_test_tensor_weight (weight, YV_TEST_ROW, 3, 1, 1), 1, 0)
          ->id,
      1);
  g_auto (YvTestRun) run = yv_test_run_graph (graph, YV_DTYPE_F32, 1, 1, picture);
  const YvBatch batch = {.confidence = 0.5f, .obj_only = true};

  g_assert_cmpuint (run.n_candidates, ==, 0);
  g_assert_true (run.executor->klass->submit (run.executor, 0, &batch, &error));
  g_assert_true (run.executor->klass->wait (run.executor, 0, &run.candidates, &run.n_candidates,
                                            NULL, &error));
  g_assert_cmpuint (run.n_candidates, ==, 1);
  g_assert_cmpfloat (run.candidates[0].confidence, ==, run.candidates[0].objectness);
}

/* DECODE nodes and a DETECT of their rows give what a DETECT of the logits gives. */
static void
decoding_first_changes_nothing (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autofree float *picture = yv_test_random_floats (rand, 3 * 16);
  g_autofree float *weight = yv_test_random_floats (rand, YV_TEST_ROW * 3);

  g_autofree float *expected = NULL;

  for (int i = 0; i < 2; i++) {
    g_autoptr (YvGraph) graph = yv_graph_new ();
    const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
    uint32_t head =
        yv_test_add_conv (graph, input, yv_test_tensor_weight (weight, YV_TEST_ROW, 3, 1, 1), 1, 0)
            ->id;

    if (i == 1) {
      YvNode *decode = yv_graph_add (graph, YV_OP_DECODE, "decode", 1, &head, 1, YV_TEST_ROW);
      decode->detect = (YvDetectSpec){.n_levels = 1,
                                      .n_anchors = 1,
                                      .n_classes = YV_TEST_NC,
                                      .stride = {1},
                                      .anchor_px = {{{10, 20}}}};
      head = decode->id;
    }
    yv_test_add_detect (graph, head, 1);
    yv_graph_output (graph)->detect.decoded = i == 1;
    g_auto (YvTestRun) run = yv_test_run_graph (graph, YV_DTYPE_F16, 4, 4, picture);
    g_autofree float *rows = yv_test_read_value (&run, &run.plan->rows);
    g_assert_cmpuint (run.plan->n_rows, ==, 16);
    if (i == 1)
      g_assert_cmpmem (rows, YV_TEST_ROW * 16 * sizeof *rows, expected,
                       YV_TEST_ROW * 16 * sizeof *rows);
    else
      expected = g_steal_pointer (&rows);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ref/conv/ones", a_kernel_of_ones_counts_the_pixels_under_it);
  g_test_add_func ("/ref/conv/loops", a_convolution_is_what_plain_loops_make_of_it);
  g_test_add_func ("/ref/decode", logits_decode_to_boxes_and_candidates);
  g_test_add_func ("/ref/moves", elements_move_to_where_the_ops_say);
  g_test_add_func ("/ref/batch", a_batch_gives_each_image_its_own_candidates);
  g_test_add_func ("/ref/objectness", objectness_alone_may_be_the_confidence);
  g_test_add_func ("/ref/decode-first", decoding_first_changes_nothing);
  g_test_add_func ("/ref/half", half_precision_rounds_values_but_not_heads);
  return g_test_run ();
}
