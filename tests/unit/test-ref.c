/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-ref.c - engine/ref/: the oracle itself, against numbers and loops written here.
 */
#include "engine/ref/ref.h"

#include <math.h>
#include <string.h>

#include "engine/checkpoint/checkpoint.h"
#include "engine/frame.h"
#include "engine/half.h"
#include "engine/ops/op.h"
#include "tests/common/paths.h"

#define NC 1
#define ROW (5 + NC)

/* A graph with its head at @head, one anchor and one class, at @stride. */
static void
add_detect (YvGraph *graph, uint32_t head, uint32_t stride)
{
  YvNode *node = yv_graph_add (graph, YV_OP_DETECT, "detect", 1, &head, 1, ROW);

  node->detect = (YvDetectSpec){
      .n_levels = 1,
      .n_anchors = 1,
      .n_classes = NC,
      .stride = {stride},
      .anchor_px = {{{10, 20}}},
  };
}

static YvNode *
add_conv (YvGraph *graph, uint32_t input, YvWeight *weight, uint32_t stride, uint32_t pad)
{
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, "conv", 1, &input, 1, weight->c_out);

  node->conv.weight = weight;
  node->conv.stride_h = node->conv.stride_w = stride;
  node->conv.pad_h = node->conv.pad_w = pad;
  return node;
}

/* [c_out, c_in / groups, k, k] over @data, which must outlive it. */
static YvWeight *
tensor_weight (const float *data, uint32_t c_out, uint32_t c_in, uint32_t groups, uint32_t k)
{
  YvWeight *weight = yv_weight_new (c_out, c_in, groups, k, k);
  const uint32_t c = c_in / groups;
  const YvTensor tensor = {
      .dtype = YV_DTYPE_F32,
      .n_dims = 4,
      .shape = {c_out, c, k, k},
      .stride_elems = {(uint64_t) c * k * k, k * k, k, 1},
      .data = (const uint8_t *) data,
  };

  yv_weight_add_tensor (weight, &tensor);
  return weight;
}

static float *
random_floats (GRand *rand, size_t n)
{
  float *values = g_new (float, n);

  for (size_t i = 0; i < n; i++)
    values[i] = (float) g_rand_double_range (rand, -1, 1);
  return values;
}

/* Plans and runs a graph on an input of h x w. */
typedef struct {
  YvPlan *plan;
  YvExecutor *executor;
  const struct YvCandidate *candidates;
  uint32_t n_candidates;
} Run;

static void
run_clear (Run *run)
{
  yv_executor_free (run->executor);
  yv_plan_free (run->plan);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static Run
run_graph (const YvGraph *graph, YvDType dtype, uint32_t h, uint32_t w, const float *input)
{
  const YvPlanOptions options = {.n = 1,
                                 .h = h,
                                 .w = w,
                                 .dtype = dtype,
                                 .tensor_input = true,
                                 .dense_rows = true,
                                 .keep_all = true};
  const YvBatch batch = {.confidence = 0.25f};
  g_autoptr (GError) error = NULL;
  YvCaps caps;
  Run run = {0};

  yv_caps_init_reference (&caps);
  run.plan = yv_plan_new (graph, &caps, &options, &error);
  g_assert_no_error (error);
  run.executor = yv_ref_executor_new (run.plan, 1, &error);
  g_assert_no_error (error);
  g_assert_true (run.executor->klass->write (run.executor, &run.plan->input, input, &error));
  g_assert_true (run.executor->klass->submit (run.executor, 0, &batch, &error));
  g_assert_true (run.executor->klass->wait (run.executor, 0, &run.candidates, &run.n_candidates,
                                            NULL, &error));
  return run;
}

static float *
read_value (const Run *run, const YvOperand *operand)
{
  float *values = g_new (float, (size_t) operand->n * operand->c * operand->h * operand->w);

  g_assert_true (run->executor->klass->read (run->executor, operand, values, NULL));
  return values;
}

/* A 3x3 kernel of ones over a 4x4 picture of ones counts the pixels under it. */
static void
a_kernel_of_ones_counts_the_pixels_under_it (void)
{
  g_autoptr (YvGraph) graph = yv_graph_new ();
  float ones[ROW * 3 * 9], picture[3 * 16];
  const double bias[ROW] = {0.5, 0, 0, 0, 0, 0}, scale[ROW] = {1, 1, 1, 1, 1, 1};

  for (size_t i = 0; i < G_N_ELEMENTS (ones); i++)
    ones[i] = 1;
  for (size_t i = 0; i < G_N_ELEMENTS (picture); i++)
    picture[i] = 1;
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  YvWeight *weight = tensor_weight (ones, ROW, 3, 1, 3);
  yv_weight_scale (weight, scale, bias);
  add_detect (graph, add_conv (graph, input, weight, 2, 1)->id, 2);

  g_auto (Run) run = run_graph (graph, YV_DTYPE_F32, 4, 4, picture);
  g_autofree float *head = read_value (&run, &run.plan->heads[0]);
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
  g_autofree float *first = random_floats (rand, c_mid * 3);
  g_autofree float *data = random_floats (rand, c_mid * c_mid / groups * k * k);
  g_autofree float *head = random_floats (rand, ROW * c_mid);
  g_autofree float *picture = random_floats (rand, 3 * h * w);
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const YvNode *a = add_conv (graph, input, tensor_weight (first, c_mid, 3, 1, 1), 1, 0);
  YvNode *b = add_conv (graph, a->id, tensor_weight (data, c_mid, c_mid, groups, k), stride, pad);

  b->act = (YvAct){YV_ACT_LEAKY_RELU, 0.1f};
  add_detect (graph, add_conv (graph, b->id, tensor_weight (head, ROW, c_mid, 1, 1), 1, 0)->id,
              stride);
  g_auto (Run) run = run_graph (graph, YV_DTYPE_F32, h, w, picture);
  g_autofree float *src = read_value (&run, yv_plan_value (run.plan, a->id));
  g_autofree float *dst = read_value (&run, yv_plan_value (run.plan, b->id));
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
  const float weight[ROW * 3] = {1, 0, 0, -1, 0, 0, 0.5f, 0, 0, 2, 0, 0, 3, 0, 0, -0.5f, 0, 0};
  float picture[12] = {1, 0, 0, -1};
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const YvNode *conv = add_conv (graph, input, tensor_weight (weight, ROW, 3, 1, 1), 1, 0);

  add_detect (graph, conv->id, 1);
  g_auto (Run) run = run_graph (graph, YV_DTYPE_F32, 2, 2, picture);
  g_autofree float *rows = read_value (&run, &run.plan->rows);
  const double s[ROW] = {1 / (1 + exp (-1)),  1 / (1 + exp (1)),   1 / (1 + exp (-0.5)),
                         1 / (1 + exp (-2.)), 1 / (1 + exp (-3.)), 1 / (1 + exp (0.5))};
  const double expected[ROW] = {2 * s[0] - 0.5,       2 * s[1] - 0.5, 4 * s[2] * s[2] * 10,
                                4 * s[3] * s[3] * 20, s[4],           s[5]};

  g_assert_cmpuint (run.plan->n_rows, ==, 4);
  for (int k = 0; k < ROW; k++)
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
  const float head[ROW * 12] = {0};

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
  add_detect (graph, add_conv (graph, reorg->id, tensor_weight (head, ROW, 12, 1, 1), 1, 0)->id, 2);

  g_auto (Run) run = run_graph (graph, YV_DTYPE_F32, 4, 4, picture);
  g_autofree float *pooled = read_value (&run, yv_plan_value (run.plan, pool->id));
  g_autofree float *blocks = read_value (&run, yv_plan_value (run.plan, reorg->id));
  g_autofree float *large = read_value (&run, yv_plan_value (run.plan, up->id));
  g_autofree float *joined = read_value (&run, yv_plan_value (run.plan, cat->id));
  g_autofree float *added = read_value (&run, yv_plan_value (run.plan, sum->id));

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
  const float head[ROW * 3] = {1, 1, 1};
  float picture[3] = {0.1f, 0.2f, 1};
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const YvNode *a = add_conv (graph, input, tensor_weight (first, 3, 3, 1, 1), 1, 0);

  add_detect (graph, add_conv (graph, a->id, tensor_weight (head, ROW, 3, 1, 1), 1, 0)->id, 1);
  g_auto (Run) run = run_graph (graph, YV_DTYPE_F16, 1, 1, picture);
  g_autofree float *value = read_value (&run, yv_plan_value (run.plan, a->id));
  g_autofree float *logits = read_value (&run, &run.plan->heads[0]);
  const float tenth = yv_half_to_float (yv_half_from_float (0.1f));
  const float fifth = yv_half_to_float (yv_half_from_float (0.2f));

  g_assert_cmpint (run.plan->heads[0].dtype, ==, YV_DTYPE_F32);
  g_assert_cmpfloat (value[0], ==, tenth);
  g_assert_cmpfloat (logits[0], ==, (float) ((double) tenth + fifth + 1));
}

/* ---- letterbox ------------------------------------------------------------------------------- */

/* INPUT and the least that a plan wants behind it. */
static YvGraph *
picture_graph (const float *weight)
{
  YvGraph *graph = yv_graph_new ();
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  YvNode *conv = add_conv (graph, input, tensor_weight (weight, ROW, 3, 1, 1), 32, 0);

  add_detect (graph, conv->id, 32);
  return graph;
}

/* What the letterbox makes of an image: [3, net_h, net_w] in 0..255. */
static float *
letterbox_image (const YvImage *image, YvLetterboxMode mode, YvLetterbox *letterbox)
{
  static const float zeros[ROW * 3];
  g_autoptr (YvGraph) graph = picture_graph (zeros);
  g_autoptr (GError) error = NULL;
  YvCaps caps;

  g_assert_true (yv_image_check (image, &error));
  g_assert_true (yv_letterbox_fit (image->width, image->height, 640, 32, mode, true, letterbox));
  const YvPlanOptions options = {
      .n = 1, .h = letterbox->net_h, .w = letterbox->net_w, .keep_all = true};
  const YvBatch batch = {.n_images = 1, .images = image, .letterboxes = letterbox};

  yv_caps_init_reference (&caps);
  g_auto (Run) run = {.plan = yv_plan_new (graph, &caps, &options, &error)};
  g_assert_no_error (error);
  run.executor = yv_ref_executor_new (run.plan, 1, &error);
  g_assert_true (run.executor->klass->submit (run.executor, 0, &batch, &error));
  g_assert_true (run.executor->klass->wait (run.executor, 0, &run.candidates, &run.n_candidates,
                                            NULL, &error));
  float *values = read_value (&run, &run.plan->input);
  for (size_t i = 0; i < (size_t) 3 * letterbox->net_h * letterbox->net_w; i++)
    values[i] *= 255;
  return values;
}

static YvTensor
tensor_of (const YvCheckpoint *file, const char *name, uint32_t index)
{
  g_autofree char *key = g_strdup_printf ("%s.%u", name, index);
  const YvObject *object = yv_object_get (yv_checkpoint_root (file), key);

  g_assert_nonnull (object);
  return object->tensor;
}

static void
compare_letterbox (const YvCheckpoint *file, uint32_t index, YvLetterboxMode mode)
{
  const YvTensor frame = tensor_of (file, "frame", index);
  const YvTensor want = tensor_of (file, mode == YV_LETTERBOX_AUTO ? "auto" : "fixed", index);
  const YvImage image = {
      .format = YV_FORMAT_RGB,
      .width = (uint32_t) frame.shape[1],
      .height = (uint32_t) frame.shape[0],
      .planes = {frame.data},
      .stride_bytes = {(uint32_t) frame.shape[1] * 3},
  };
  YvLetterbox letterbox;
  g_autofree float *got = letterbox_image (&image, mode, &letterbox);
  double sum = 0, largest = 0;

  g_assert_cmpuint (letterbox.net_h, ==, want.shape[1]);
  g_assert_cmpuint (letterbox.net_w, ==, want.shape[2]);
  for (uint64_t i = 0; i < yv_tensor_n_elems (&want); i++) {
    const double difference = fabs (got[i] - yv_tensor_get (&want, i));

    sum += difference;
    largest = MAX (largest, difference);
  }
  g_test_message ("%s.%u: largest difference %.3f, mean %.5f (of 255)",
                  mode == YV_LETTERBOX_AUTO ? "auto" : "fixed", index, largest,
                  sum / (double) yv_tensor_n_elems (&want));
  g_assert_cmpfloat (largest, <, 0.01);
}

static void
letterbox_is_upstreams_to_the_bit (void)
{
  g_autofree char *path = yv_test_shared_path ("reference/letterbox.safetensors");
  g_autoptr (GError) error = NULL;

  if (!path) {
    g_test_skip ("reference/letterbox.safetensors is not there");
    return;
  }
  g_autoptr (YvCheckpoint) file = yv_checkpoint_open (path, &error);
  g_assert_no_error (error);
  for (uint32_t i = 0; i < 4; i++) {
    compare_letterbox (file, i, YV_LETTERBOX_AUTO);
    compare_letterbox (file, i, YV_LETTERBOX_FIXED);
  }
}

/* 2x1 px to 640x320, by hand: output column x lies at f = (x + 0.5) / 320 - 0.5. */
static void
letterbox_mixes_in_units_of_one_2048th (void)
{
  const uint8_t pixels[] = {0, 100, 200, 255, 0, 200};
  const YvImage image = {
      .format = YV_FORMAT_RGB, .width = 2, .height = 1, .planes = {pixels}, .stride_bytes = {6}};
  YvLetterbox letterbox;
  g_autofree float *got = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
  const size_t plane = 640 * 640, middle = 320 * 640;

  g_assert_cmpuint (letterbox.top, ==, 160);
  g_assert_cmpfloat (roundf (got[0]), ==, 114); /* padding */
  g_assert_cmpfloat (roundf (got[middle]), ==, 0);
  g_assert_cmpfloat (roundf (got[middle + 639]), ==, 255);
  g_assert_cmpfloat (roundf (got[middle + plane]), ==, 100);
  g_assert_cmpfloat (roundf (got[middle + 2 * plane + 300]), ==, 200);
  /* x = 200: 0.1265625, i.e. 259 of 2048: 255 * 259 / 2048 = 32.2; 100 * 1789 / 2048 = 87.4. */
  g_assert_cmpfloat (roundf (got[middle + 200]), ==, 32);
  g_assert_cmpfloat (roundf (got[middle + plane + 200]), ==, 87);
}

/* Grey YUV is grey, and studio swing is stretched: Y 16 is 0, Y 235 is 255. */
static void
letterbox_turns_yuv_into_rgb (void)
{
  uint8_t luma[64 * 64], chroma[2 * 32 * 32];
  YvImage image = {
      .format = YV_FORMAT_NV12,
      .width = 64,
      .height = 64,
      .planes = {luma, chroma},
      .stride_bytes = {64, 64},
      .matrix = YV_MATRIX_BT601,
  };
  YvLetterbox letterbox;

  for (int i = 0; i < 64 * 64; i++)
    luma[i] = i % 64 < 32 ? 16 : 235;
  memset (chroma, 128, sizeof chroma);
  g_autofree float *grey = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
  for (int c = 0; c < 3; c++) {
    g_assert_cmpfloat (roundf (grey[c * 640 * 640 + 100]), ==, 0);
    g_assert_cmpfloat (roundf (grey[c * 640 * 640 + 600]), ==, 255);
  }

  /* Y 81, U 90, V 240 is pure red. */
  memset (luma, 81, sizeof luma);
  for (size_t i = 0; i < sizeof chroma; i++)
    chroma[i] = i % 2 ? 240 : 90;
  g_autofree float *red = letterbox_image (&image, YV_LETTERBOX_FIXED, &letterbox);
  g_assert_cmpfloat (red[1234], >=, 253.5f);
  g_assert_cmpfloat (red[640 * 640 + 1234], <=, 1.5f);
  g_assert_cmpfloat (red[2 * 640 * 640 + 1234], <=, 1.5f);
}

/* Two slots of a plan for two images: each image's candidates are those that it has alone, wherever
 * it lies in the batch, and a slot's results stay while the other one runs. */
static void
a_batch_gives_each_image_its_own_candidates (void)
{
  /* Logits of every cell: width and height 0, objectness and class by the red of its corner. */
  static const float weight[ROW * 3] = {[4 * 3] = 9, [5 * 3] = 9};
  g_autoptr (YvGraph) graph = picture_graph (weight);
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
  g_auto (Run) run = {.plan = yv_plan_new (graph, &caps, &options, &error)};
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
  const float weight[ROW * 3] = {[4 * 3] = 2, [5 * 3] = -9};
  const float picture[3] = {1};
  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  g_autoptr (GError) error = NULL;

  add_detect (graph, add_conv (graph, input, tensor_weight (weight, ROW, 3, 1, 1), 1, 0)->id, 1);
  g_auto (Run) run = run_graph (graph, YV_DTYPE_F32, 1, 1, picture);
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
  g_autofree float *picture = random_floats (rand, 3 * 16);
  g_autofree float *weight = random_floats (rand, ROW * 3);

  g_autofree float *expected = NULL;

  for (int i = 0; i < 2; i++) {
    g_autoptr (YvGraph) graph = yv_graph_new ();
    const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
    uint32_t head = add_conv (graph, input, tensor_weight (weight, ROW, 3, 1, 1), 1, 0)->id;

    if (i == 1) {
      YvNode *decode = yv_graph_add (graph, YV_OP_DECODE, "decode", 1, &head, 1, ROW);
      decode->detect = (YvDetectSpec){
          .n_levels = 1, .n_anchors = 1, .n_classes = NC, .stride = {1}, .anchor_px = {{{10, 20}}}};
      head = decode->id;
    }
    add_detect (graph, head, 1);
    yv_graph_output (graph)->detect.decoded = i == 1;
    g_auto (Run) run = run_graph (graph, YV_DTYPE_F16, 4, 4, picture);
    g_autofree float *rows = read_value (&run, &run.plan->rows);
    g_assert_cmpuint (run.plan->n_rows, ==, 16);
    if (i == 1)
      g_assert_cmpmem (rows, ROW * 16 * sizeof *rows, expected, ROW * 16 * sizeof *rows);
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
  g_test_add_func ("/ref/letterbox/upstream", letterbox_is_upstreams_to_the_bit);
  g_test_add_func ("/ref/letterbox/weights", letterbox_mixes_in_units_of_one_2048th);
  g_test_add_func ("/ref/letterbox/yuv", letterbox_turns_yuv_into_rgb);
  g_test_add_func ("/ref/batch", a_batch_gives_each_image_its_own_candidates);
  g_test_add_func ("/ref/objectness", objectness_alone_may_be_the_confidence);
  g_test_add_func ("/ref/decode-first", decoding_first_changes_nothing);
  g_test_add_func ("/ref/half", half_precision_rounds_values_but_not_heads);
  return g_test_run ();
}
