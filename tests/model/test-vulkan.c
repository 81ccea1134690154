/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-vulkan.c - the Vulkan executor against the reference: the same plan, the same
 * input, every value; then slots, threads, sizes and what goes wrong. The validation layers are on
 * where they are installed, and any message ends the program. */
#include "engine/error.h"
#include "engine/ref/ref.h"
#include "engine/vulkan/debug.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/vulkan.h"

#include <math.h>
#include <string.h>

#include "tests/common/device.h"

#define STRIDE 8 /* the largest of the small net */
#define N_CLASSES 4
#define MAX_BATCH 3

/* ---- a small net with every op ----------------------------------------------------------------
 */

static YvNode *
add_conv (YvGraph *graph, uint32_t input, uint32_t c_out, uint32_t kernel, uint32_t stride,
          YvActKind act)
{
  const uint32_t c_in = yv_graph_node (graph, input)->c_out;
  g_autofree char *name = g_strdup_printf ("conv%u", graph->next_id);
  YvNode *node = yv_graph_add (graph, YV_OP_CONV, name, 0, &input, 1, c_out);

  node->act = (YvAct){.kind = act, .slope = 0.1f};
  node->conv.weight = yv_weight_new (c_out, c_in, 1, kernel, kernel);
  yv_weight_add_random (node->conv.weight, 1000 + node->id);
  for (uint32_t o = 0; o < c_out; o++)
    node->conv.weight->bias[o] = 0.25 * sin (o + node->id);
  node->conv.stride_h = node->conv.stride_w = stride;
  node->conv.pad_h = node->conv.pad_w = kernel / 2;
  return node;
}

static YvNode *
add_pool (YvGraph *graph, uint32_t input, uint32_t kernel, uint32_t stride, uint32_t pad)
{
  YvNode *node = yv_graph_add (graph, YV_OP_MAXPOOL, "pool", 0, &input, 1,
                               yv_graph_node (graph, input)->c_out);

  node->maxpool.kernel = kernel;
  node->maxpool.stride = stride;
  node->maxpool.pad = pad;
  return node;
}

static YvNode *
add_join (YvGraph *graph, YvOpKind op, uint32_t a, uint32_t b)
{
  const uint32_t inputs[] = {a, b};
  const uint32_t c_a = yv_graph_node (graph, a)->c_out;
  const uint32_t c_b = yv_graph_node (graph, b)->c_out;

  return yv_graph_add (graph, op, op == YV_OP_ADD ? "add" : "concat", 0, inputs, 2,
                       op == YV_OP_ADD ? c_a : c_a + c_b);
}

static YvNode *
add_affine (YvGraph *graph, uint32_t input)
{
  const uint32_t c = yv_graph_node (graph, input)->c_out;
  YvNode *node = yv_graph_add (graph, YV_OP_AFFINE, "affine", 0, &input, 1, c);

  node->affine.n_params = 2 * c;
  node->affine.scale = g_new (double, c);
  node->affine.shift = g_new (double, c);
  for (uint32_t i = 0; i < c; i++) {
    node->affine.scale[i] = 1.0 + 0.01 * i;
    node->affine.shift[i] = 0.1 * cos (i);
  }
  return node;
}

static void
add_detect (YvGraph *graph, const uint32_t *inputs, uint32_t n_levels)
{
  YvNode *node = yv_graph_add (graph, YV_OP_DETECT, "detect", 1, inputs, n_levels, 5 + N_CLASSES);

  node->detect = (YvDetectSpec){
      .n_levels = n_levels, .n_anchors = 3, .n_classes = N_CLASSES, .stride = {4, 8}};
  for (uint32_t level = 0; level < n_levels; level++)
    for (uint32_t anchor = 0; anchor < 3; anchor++) {
      node->detect.anchor_px[level][anchor][0] = 5.0f + 3 * level + anchor;
      node->detect.anchor_px[level][anchor][1] = 7.0f + 2 * level + 2 * anchor;
    }
}

/* 3 x h x w -> two heads at strides 4 and 8; channel counts that are no multiples of tiles. */
static YvGraph *
new_net (void)
{
  YvGraph *graph = yv_graph_new ();
  const uint32_t n_head = 3 * (5 + N_CLASSES);

  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const uint32_t stem = add_conv (graph, input, 16, 3, 2, YV_ACT_SILU)->id;
  const uint32_t wide = add_conv (graph, stem, 40, 1, 1, YV_ACT_LEAKY_RELU)->id;
  const uint32_t same = add_conv (graph, wide, 40, 3, 1, YV_ACT_SILU)->id;
  const uint32_t sum = add_join (graph, YV_OP_ADD, wide, same)->id;
  const uint32_t half = add_pool (graph, sum, 2, 2, 0)->id;
  const uint32_t deep = add_conv (graph, half, 72, 3, 2, YV_ACT_SILU)->id;
  const uint32_t blur = add_pool (graph, deep, 5, 1, 2)->id;
  const uint32_t scaled = add_affine (graph, blur)->id;
  const uint32_t both = add_join (graph, YV_OP_CONCAT, deep, scaled)->id;
  YvNode *up = yv_graph_add (graph, YV_OP_UPSAMPLE, "up", 0, &both, 1, 144);
  up->upsample.factor = 2;
  YvNode *reorg = yv_graph_add (graph, YV_OP_REORG, "reorg", 0, &stem, 1, 64);
  const uint32_t joined = add_join (graph, YV_OP_CONCAT, up->id, reorg->id)->id;
  const uint32_t head4 = add_conv (graph, joined, n_head, 1, 1, YV_ACT_NONE)->id;
  const uint32_t head8 = add_conv (graph, both, n_head, 1, 1, YV_ACT_NONE)->id;
  add_detect (graph, (const uint32_t[]){head4, head8}, 2);
  graph->n_rows = 2;
  yv_graph_sort (graph);
  yv_graph_assert_valid (graph);
  return graph;
}

/* 32 MB of weights, one of them larger than what is staged at once. */
static YvGraph *
new_heavy_net (void)
{
  YvGraph *graph = yv_graph_new ();
  uint32_t last = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;

  last = add_conv (graph, last, 1024, 3, 4, YV_ACT_SILU)->id;
  for (uint32_t i = 0; i < 3; i++)
    last = add_conv (graph, last, 1024, 1, 1, YV_ACT_SILU)->id;
  last = add_conv (graph, last, 4608, 1, 1, YV_ACT_SILU)->id;
  last = add_conv (graph, last, 3 * (5 + N_CLASSES), 1, 1, YV_ACT_NONE)->id;
  add_detect (graph, &last, 1);
  graph->n_rows = 2;
  yv_graph_sort (graph);
  yv_graph_assert_valid (graph);
  return graph;
}

/* ---- pictures ---------------------------------------------------------------------------------
 */

/* A picture that owns its bytes. */
typedef struct {
  YvImage image;
  uint8_t *bytes;
} Picture;

static Picture
new_picture (uint32_t width, uint32_t height, uint32_t seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  const uint32_t stride_bytes = width * 3 + 5;
  Picture picture = {.bytes = g_new (uint8_t, (size_t) stride_bytes * height)};

  for (size_t i = 0; i < (size_t) stride_bytes * height; i++)
    picture.bytes[i] = (uint8_t) g_rand_int (rand);
  picture.image = (YvImage){.format = YV_FORMAT_RGB,
                            .width = width,
                            .height = height,
                            .planes = {picture.bytes},
                            .stride_bytes = {stride_bytes}};
  return picture;
}

/* A batch of pictures of different sizes, all fitted into w x h. */
typedef struct {
  Picture pictures[MAX_BATCH];
  YvImage images[MAX_BATCH];
  YvLetterbox letterboxes[MAX_BATCH];
  YvBatch batch;
} Frames;

static void
frames_init (Frames *frames, uint32_t n, uint32_t w, uint32_t h, uint32_t seed)
{
  *frames = (Frames){0};
  for (uint32_t i = 0; i < n; i++) {
    frames->pictures[i] = new_picture (50 + 17 * i + seed % 7, 41 + 9 * i, seed + i);
    frames->images[i] = frames->pictures[i].image;
    g_assert_true (yv_letterbox_fit (frames->images[i].width, frames->images[i].height, MIN (w, h),
                                     STRIDE, YV_LETTERBOX_FIXED, true, &frames->letterboxes[i]));
    frames->letterboxes[i].net_w = w;
    frames->letterboxes[i].net_h = h;
  }
  frames->batch = (YvBatch){
      .n_images = n,
      .images = frames->images,
      .letterboxes = frames->letterboxes,
      .confidence = 0.3f,
  };
}

static void
frames_clear (Frames *frames)
{
  for (uint32_t i = 0; i < MAX_BATCH; i++)
    g_free (frames->pictures[i].bytes);
}

/* ---- device and executors ---------------------------------------------------------------------
 */

static YvPlan *
new_plan (YvDevice *device, const YvGraph *graph, const YvPlanOptions *options)
{
  g_autoptr (GError) error = NULL;
  YvPlan *plan = yv_plan_new (graph, yv_device_caps (device), options, &error);

  g_assert_no_error (error);
  return plan;
}

static YvExecutor *
new_executor (YvDevice *device, YvWeightStore *store, const YvPlan *plan, uint32_t n_slots)
{
  g_autoptr (GError) error = NULL;
  YvExecutor *executor = yv_vulkan_executor_new (device, store, plan, n_slots, &error);

  g_assert_no_error (error);
  return executor;
}

static YvExecutor *
new_reference (const YvPlan *plan)
{
  g_autoptr (GError) error = NULL;
  YvExecutor *executor = yv_ref_executor_new (plan, 1, &error);

  g_assert_no_error (error);
  return executor;
}

static void
run (YvExecutor *executor, uint32_t slot, const YvBatch *batch, const struct YvCandidate **lists,
     uint32_t *n)
{
  g_autoptr (GError) error = NULL;

  executor->klass->submit (executor, slot, batch, &error);
  g_assert_no_error (error);
  executor->klass->wait (executor, slot, lists, n, NULL, &error);
  g_assert_no_error (error);
}

static uint64_t
operand_n_elems (const YvOperand *operand)
{
  return (uint64_t) operand->n * operand->c * operand->h * operand->w;
}

static float *
read_operand (YvExecutor *executor, const YvOperand *operand)
{
  g_autoptr (GError) error = NULL;
  float *values = g_new (float, operand_n_elems (operand));

  executor->klass->read (executor, operand, values, &error);
  g_assert_no_error (error);
  return values;
}

/* ||a - b|| / ||b|| */
static double
relative_error (const float *a, const float *b, uint64_t n)
{
  double difference = 0, norm = 0;

  for (uint64_t i = 0; i < n; i++) {
    difference += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
    norm += (double) b[i] * b[i];
  }
  return sqrt (difference / (norm > 0 ? norm : 1));
}

static void
assert_operand_equal (YvExecutor *executor, YvExecutor *reference, const YvOperand *operand,
                      const char *name, double bound)
{
  g_autofree float *got = read_operand (executor, operand);
  g_autofree float *expected = read_operand (reference, operand);
  const double error = relative_error (got, expected, operand_n_elems (operand));

  g_test_message ("%s: relative error %.2g", name, error);
  if (!(error <= bound))
    g_error ("%s [%u,%u,%u,%u]: relative error %g, at most %g expected", name, operand->n,
             operand->c, operand->h, operand->w, error, bound);
}

static int
compare_rows (const void *a, const void *b)
{
  const struct YvCandidate *x = a, *y = b;

  return x->row < y->row ? -1 : x->row > y->row;
}

static struct YvCandidate *
sorted_by_row (const struct YvCandidate *candidates, uint32_t n)
{
  struct YvCandidate *sorted = g_memdup2 (candidates, n * sizeof *candidates);

  if (n)
    qsort (sorted, n, sizeof *sorted, compare_rows);
  return sorted;
}

/* One may be found here and not there where its confidence is at the threshold. */
static void
assert_candidates_close (const struct YvCandidate *got, uint32_t n_got,
                         const struct YvCandidate *expected, uint32_t n_expected, float threshold,
                         float bound)
{
  g_autofree struct YvCandidate *a = sorted_by_row (got, n_got);
  g_autofree struct YvCandidate *b = sorted_by_row (expected, n_expected);
  uint32_t i = 0, j = 0, n_both = 0;

  while (i < n_got || j < n_expected) {
    const bool has_a = i < n_got && (j == n_expected || a[i].row <= b[j].row);
    const bool has_b = j < n_expected && (i == n_got || b[j].row <= a[i].row);
    if (has_a && has_b) {
      g_assert_cmpfloat_with_epsilon (a[i].confidence, b[j].confidence, bound);
      g_assert_cmpfloat_with_epsilon (a[i].objectness, b[j].objectness, bound);
      g_assert_cmpfloat_with_epsilon (a[i].x, b[j].x, 100 * bound);
      g_assert_cmpfloat_with_epsilon (a[i].y, b[j].y, 100 * bound);
      g_assert_cmpfloat_with_epsilon (a[i].w, b[j].w, 100 * bound);
      g_assert_cmpfloat_with_epsilon (a[i].h, b[j].h, 100 * bound);
      n_both++;
    } else {
      const float confidence = has_a ? a[i].confidence : b[j].confidence;
      g_assert_cmpfloat_with_epsilon (confidence, threshold, bound);
    }
    i += has_a;
    j += has_b;
  }
  g_assert_cmpuint (n_both, >, 0);
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void
compare_all_values (YvExecutor *executor, YvExecutor *reference, const YvGraph *graph, double bound)
{
  for (uint32_t id = 0; id < graph->nodes->len; id++) {
    const YvNode *node = yv_graph_node (graph, id);
    const YvOperand *operand = yv_plan_value (executor->plan, id);
    if (operand && operand->memory == YV_MEMORY_ARENA)
      assert_operand_equal (executor, reference, operand, node->name, bound);
  }
}

static void
compare_heads (YvExecutor *executor, YvExecutor *reference, double bound)
{
  const YvPlan *plan = executor->plan;

  for (uint32_t i = 0; i < plan->detect.n_levels; i++)
    assert_operand_equal (executor, reference, &plan->heads[i], "head", bound);
  if (plan->options.dense_rows)
    assert_operand_equal (executor, reference, &plan->rows, "rows", bound);
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
  g_autoptr (YvGraph) graph = new_net ();
  g_autoptr (YvPlan) plan = new_plan (device, graph, options);
  g_autoptr (YvWeightStore) store = yv_weight_store_new (device);
  g_autoptr (YvExecutor) executor = new_executor (device, store, plan, 1);
  g_autoptr (YvExecutor) reference = new_reference (plan);
  const struct YvCandidate *got[MAX_BATCH], *expected[MAX_BATCH];
  uint32_t n_got[MAX_BATCH], n_expected[MAX_BATCH];
  Frames frames;

  frames_init (&frames, options->n, options->w, options->h, 1);
  run (executor, 0, &frames.batch, got, n_got);
  run (reference, 0, &frames.batch, expected, n_expected);
  if (options->keep_all) /* else later values lie where earlier ones were */
    compare_all_values (executor, reference, graph, bound);
  compare_heads (executor, reference, bound);
  for (uint32_t i = 0; i < options->n; i++)
    assert_candidates_close (got[i], n_got[i], expected[i], n_expected[i], frames.batch.confidence,
                             (float) (20 * bound));
  g_assert_cmpuint (yv_debug_n_messages (device), ==, 0);
  frames_clear (&frames);
}

/* Sums of at most 9 * 72 products in fp32, ten layers deep. */
#define FP32_BOUND 5e-6
/* Each of ten layers rounds to 11 bits, and a rounding may go the other way than the reference's.
 */
#define FP16_BOUND 2e-3

static void
every_value_in_fp32_is_the_references (void)
{
  compare_with_reference (
      &(YvPlanOptions){
          .n = 1, .h = 64, .w = 96, .dtype = YV_DTYPE_F32, .keep_all = true, .dense_rows = true},
      FP32_BOUND);
}

static void
every_value_in_fp16_is_the_references (void)
{
  compare_with_reference (
      &(YvPlanOptions){
          .n = 1, .h = 64, .w = 96, .dtype = YV_DTYPE_F16, .keep_all = true, .dense_rows = true},
      FP16_BOUND);
}

static void
every_image_of_a_batch_is_the_references (void)
{
  compare_with_reference (
      &(YvPlanOptions){.n = 3, .h = 72, .w = 56, .dtype = YV_DTYPE_F32, .keep_all = true},
      FP32_BOUND);
}

static void
every_image_of_a_batch_in_fp16_is_the_references (void)
{
  compare_with_reference (
      &(YvPlanOptions){.n = 3, .h = 72, .w = 56, .dtype = YV_DTYPE_F16, .keep_all = true},
      FP16_BOUND);
}

static void
values_that_share_memory_give_the_same_heads (void)
{
  compare_with_reference (
      &(YvPlanOptions){.n = 2, .h = 64, .w = 64, .dtype = YV_DTYPE_F32, .dense_rows = true},
      FP32_BOUND);
}

/* What most tests need: one device, one net, one plan, one executor. */
typedef struct {
  YvDevice *device; /* NULL: skipped */
  YvGraph *graph;
  YvWeightStore *store;
  YvPlan *plan;
  YvExecutor *executor;
} Fixture;

static void
fixture_fill (Fixture *fixture, const YvPlanOptions *options, uint32_t n_slots)
{
  fixture->graph = new_net ();
  fixture->store = yv_weight_store_new (fixture->device);
  fixture->plan = new_plan (fixture->device, fixture->graph, options);
  fixture->executor = new_executor (fixture->device, fixture->store, fixture->plan, n_slots);
}

static bool
fixture_init (Fixture *fixture, const YvPlanOptions *options, uint32_t n_slots)
{
  *fixture = (Fixture){.device = yv_test_open_device ()};
  if (!fixture->device)
    return false;
  fixture_fill (fixture, options, n_slots);
  return true;
}

static void
fixture_clear (Fixture *fixture)
{
  if (!fixture->device)
    return;
  g_assert_cmpuint (yv_debug_n_messages (fixture->device), ==, 0);
  yv_executor_free (fixture->executor);
  yv_plan_free (fixture->plan);
  yv_weight_store_free (fixture->store);
  yv_graph_free (fixture->graph);
  yv_device_unref (fixture->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static const YvPlanOptions one_image = {.n = 1, .h = 64, .w = 64, .dtype = YV_DTYPE_F32};

static void
assert_candidates_identical (const struct YvCandidate *a, uint32_t n_a, const struct YvCandidate *b,
                             uint32_t n_b)
{
  g_autofree struct YvCandidate *x = sorted_by_row (a, n_a);
  g_autofree struct YvCandidate *y = sorted_by_row (b, n_b);

  g_assert_cmpuint (n_a, ==, n_b);
  g_assert_cmpmem (x, n_a * sizeof *x, y, n_b * sizeof *y);
}

static void
a_slot_gives_the_same_answer_again_after_larger_and_smaller_frames (void)
{
  g_auto (Fixture) fixture = {0};
  const uint32_t sizes[][2] = {{40, 30}, {640, 480}, {20, 20}, {1000, 700}, {40, 30}};
  struct YvCandidate *first = NULL;
  uint32_t n_first = 0;

  if (!fixture_init (&fixture, &one_image, 1))
    return;
  g_autoptr (YvExecutor) reference = new_reference (fixture.plan);
  for (uint32_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Picture picture = new_picture (sizes[i][0], sizes[i][1], sizes[i][0]);
    YvLetterbox letterbox;
    g_assert_true (yv_letterbox_fit (sizes[i][0], sizes[i][1], 64, STRIDE, YV_LETTERBOX_FIXED, true,
                                     &letterbox));
    const YvBatch batch = {
        .n_images = 1, .images = &picture.image, .letterboxes = &letterbox, .confidence = 0.2f};
    const struct YvCandidate *got, *expected;
    uint32_t n_got, n_expected;

    run (fixture.executor, 0, &batch, &got, &n_got);
    run (reference, 0, &batch, &expected, &n_expected);
    assert_candidates_close (got, n_got, expected, n_expected, 0.2f, 1e-4f);
    if (i == 0) {
      n_first = n_got;
      first = g_memdup2 (got, n_got * sizeof *got);
    } else if (i == G_N_ELEMENTS (sizes) - 1) {
      assert_candidates_identical (got, n_got, first, n_first);
    }
    g_free (picture.bytes);
  }
  g_free (first);
}

/* Frames that fit into a texel buffer and larger ones in turn, on a device whose texel buffers are
 * small. */
static void
frames_larger_than_a_texel_buffer_are_read_by_address (void)
{
  g_auto (Fixture) fixture = {0};
  const uint32_t sizes[][2] = {{20, 20}, {200, 100}, {30, 20}};

  if (!fixture_init (&fixture, &one_image, 2))
    return;
  for (uint32_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Picture picture = new_picture (sizes[i][0], sizes[i][1], i);
    YvLetterbox letterbox;
    g_assert_true (yv_letterbox_fit (sizes[i][0], sizes[i][1], 64, STRIDE, YV_LETTERBOX_FIXED, true,
                                     &letterbox));
    const YvBatch batch = {
        .n_images = 1, .images = &picture.image, .letterboxes = &letterbox, .confidence = 0.2f};
    const struct YvCandidate *got[2];
    uint32_t n_got[2];

    const uint64_t max_texels = fixture.device->caps.max_texels;
    run (fixture.executor, 0, &batch, &got[0], &n_got[0]);
    fixture.device->caps.max_texels = 5000;
    run (fixture.executor, 1, &batch, &got[1], &n_got[1]);
    fixture.device->caps.max_texels = max_texels;
    assert_candidates_identical (got[1], n_got[1], got[0], n_got[0]);
    g_assert_cmpuint (n_got[0], >, 0);
    g_free (picture.bytes);
  }
}

static void
a_frame_of_8k_with_four_bytes_a_pixel_is_analysed (void)
{
  const uint32_t w = 8192, h = 4320; /* more bytes than lavapipe's texel buffers have elements */
  const size_t n_bytes = (size_t) w * h * 4;
  g_auto (Fixture) fixture = {0};
  const struct YvCandidate *got, *expected;
  uint32_t n_got, n_expected;

  if (!fixture_init (&fixture, &one_image, 1))
    return;
  g_autofree uint8_t *bytes = g_malloc (n_bytes);
  for (size_t i = 0; i < n_bytes; i++)
    bytes[i] = (uint8_t) (i / 997 * 31 ^ i >> 15);
  const YvImage image = {.format = YV_FORMAT_RGBX,
                         .width = w,
                         .height = h,
                         .planes = {bytes},
                         .stride_bytes = {w * 4}};
  YvLetterbox letterbox;
  g_assert_true (yv_letterbox_fit (w, h, 64, STRIDE, YV_LETTERBOX_FIXED, true, &letterbox));
  const YvBatch batch = {
      .n_images = 1, .images = &image, .letterboxes = &letterbox, .confidence = 0.2f};
  g_autoptr (YvExecutor) reference = new_reference (fixture.plan);
  run (fixture.executor, 0, &batch, &got, &n_got);
  run (reference, 0, &batch, &expected, &n_expected);
  assert_candidates_close (got, n_got, expected, n_expected, 0.2f, 1e-4f);
}

static void
a_batch_may_have_fewer_images_than_the_plan (void)
{
  g_auto (Fixture) fixture = {0};
  const YvPlanOptions options = {.n = 3, .h = 64, .w = 64, .dtype = YV_DTYPE_F32};
  const struct YvCandidate *all[MAX_BATCH], *some[MAX_BATCH];
  uint32_t n_all[MAX_BATCH], n_some[MAX_BATCH];
  Frames frames;

  if (!fixture_init (&fixture, &options, 2))
    return;
  frames_init (&frames, 3, 64, 64, 5);
  run (fixture.executor, 0, &frames.batch, all, n_all);
  frames.batch.n_images = 2;
  run (fixture.executor, 1, &frames.batch, some, n_some);
  for (uint32_t i = 0; i < 2; i++)
    assert_candidates_identical (some[i], n_some[i], all[i], n_all[i]);
  frames_clear (&frames);
}

static void
slots_in_flight_together_keep_their_results_apart (void)
{
  g_auto (Fixture) fixture = {0};
  Frames frames[3];
  const struct YvCandidate *alone[3], *together[3];
  struct YvCandidate *copies[3];
  uint32_t n_alone[3], n_together[3];

  if (!fixture_init (&fixture, &one_image, 3))
    return;
  for (uint32_t i = 0; i < 3; i++) {
    frames_init (&frames[i], 1, 64, 64, 20 + i);
    run (fixture.executor, i, &frames[i].batch, &alone[i], &n_alone[i]);
    copies[i] = g_memdup2 (alone[i], n_alone[i] * sizeof **alone);
  }
  for (uint32_t round = 0; round < 5; round++) {
    for (uint32_t i = 0; i < 3; i++)
      g_assert_true (fixture.executor->klass->submit (fixture.executor, i, &frames[i].batch, NULL));
    for (uint32_t i = 0; i < 3; i++)
      g_assert_true (fixture.executor->klass->wait (fixture.executor, i, &together[i],
                                                    &n_together[i], NULL, NULL));
    for (uint32_t i = 0; i < 3; i++)
      assert_candidates_identical (together[i], n_together[i], copies[i], n_alone[i]);
  }
  for (uint32_t i = 0; i < 3; i++) {
    g_free (copies[i]);
    frames_clear (&frames[i]);
  }
}

/* A thread that owns a slot. */
typedef struct {
  YvExecutor *executor;
  uint32_t slot;
  Frames frames;
  struct YvCandidate *expected;
  uint32_t n_expected;
} Worker;

static gpointer
work (gpointer user_data)
{
  Worker *worker = user_data;

  for (uint32_t round = 0; round < 10; round++) {
    const struct YvCandidate *got;
    uint32_t n_got;
    run (worker->executor, worker->slot, &worker->frames.batch, &got, &n_got);
    assert_candidates_identical (got, n_got, worker->expected, worker->n_expected);
  }
  return NULL;
}

static void
threads_with_a_slot_each_do_not_disturb_each_other (void)
{
  g_auto (Fixture) fixture = {0};
  Worker workers[3];
  GThread *threads[3];

  if (!fixture_init (&fixture, &one_image, 3))
    return;
  for (uint32_t i = 0; i < 3; i++) {
    const struct YvCandidate *got;
    workers[i] = (Worker){.executor = fixture.executor, .slot = i};
    frames_init (&workers[i].frames, 1, 64, 64, 40 + i);
    run (fixture.executor, i, &workers[i].frames.batch, &got, &workers[i].n_expected);
    workers[i].expected = g_memdup2 (got, workers[i].n_expected * sizeof *got);
  }
  for (uint32_t i = 0; i < 3; i++)
    threads[i] = g_thread_new ("slot", work, &workers[i]);
  for (uint32_t i = 0; i < 3; i++) {
    g_thread_join (threads[i]);
    g_free (workers[i].expected);
    frames_clear (&workers[i].frames);
  }
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
  g_autoptr (YvExecutor) executor = new_executor (maker->device, maker->store, maker->plan, 1);
  const struct YvCandidate *list;

  run (executor, 0, &maker->batch, &list, &maker->n_found);
  maker->found = g_memdup2 (list, maker->n_found * sizeof *list);
  return NULL;
}

static void
threads_make_executors_on_one_device_and_store (void)
{
  g_autoptr (YvDevice) device = yv_test_open_device ();
  if (!device)
    return;

  g_autoptr (YvGraph) graph = new_net ();
  g_autoptr (YvPlan) plan = new_plan (device, graph, &one_image);
  g_autoptr (YvWeightStore) store = yv_weight_store_new (device);
  Maker makers[3];
  GThread *threads[3];
  Frames frames;

  frames_init (&frames, 1, 64, 64, 50);
  for (uint32_t i = 0; i < 3; i++) {
    makers[i] = (Maker){.device = device, .store = store, .plan = plan, .batch = frames.batch};
    threads[i] = g_thread_new ("maker", make_and_run, &makers[i]);
  }
  for (uint32_t i = 0; i < 3; i++)
    g_thread_join (threads[i]);
  for (uint32_t i = 0; i < 3; i++)
    assert_candidates_identical (makers[i].found, makers[i].n_found, makers[0].found,
                                 makers[0].n_found);
  for (uint32_t i = 0; i < 3; i++)
    g_free (makers[i].found);
  g_assert_cmpuint (yv_debug_n_messages (device), ==, 0);
  frames_clear (&frames);
}

static void
executors_of_different_sizes_share_one_weight_store (void)
{
  g_auto (Fixture) fixture = {0};
  const YvPlanOptions other_options = {.n = 2, .h = 32, .w = 96, .dtype = YV_DTYPE_F32};
  const struct YvCandidate *shared[MAX_BATCH], *alone[MAX_BATCH];
  uint32_t n_shared[MAX_BATCH], n_alone[MAX_BATCH];
  Frames frames;

  if (!fixture_init (&fixture, &one_image, 1))
    return;
  const uint64_t size_bytes = yv_weight_store_size_bytes (fixture.store);
  g_assert_cmpuint (size_bytes, >, 0);
  g_autoptr (YvPlan) plan = new_plan (fixture.device, fixture.graph, &other_options);
  g_autoptr (YvExecutor) executor = new_executor (fixture.device, fixture.store, plan, 1);
  g_assert_cmpuint (yv_weight_store_size_bytes (fixture.store), ==, size_bytes);

  g_autoptr (YvWeightStore) own_store = yv_weight_store_new (fixture.device);
  g_autoptr (YvExecutor) own = new_executor (fixture.device, own_store, plan, 1);
  frames_init (&frames, 2, 96, 32, 60);
  run (executor, 0, &frames.batch, shared, n_shared);
  run (own, 0, &frames.batch, alone, n_alone);
  for (uint32_t i = 0; i < 2; i++)
    assert_candidates_identical (shared[i], n_shared[i], alone[i], n_alone[i]);
  frames_clear (&frames);
}

static void
a_store_holds_each_weight_once_a_dtype (void)
{
  g_auto (Fixture) fixture = {0};
  YvPlanOptions half = one_image;

  if (!fixture_init (&fixture, &one_image, 1))
    return;
  half.dtype = YV_DTYPE_F16;
  const uint64_t size_bytes = yv_weight_store_size_bytes (fixture.store);
  if (yv_device_caps (fixture.device)->fp16_storage) {
    g_autoptr (YvPlan) plan = new_plan (fixture.device, fixture.graph, &half);
    g_autoptr (YvExecutor) executor = new_executor (fixture.device, fixture.store, plan, 1);
    g_assert_cmpuint (yv_weight_store_size_bytes (fixture.store), >, size_bytes);
    g_assert_cmpuint (yv_weight_store_size_bytes (fixture.store), <, 2 * size_bytes);
  }
}

static void
an_operand_written_reads_back (void)
{
  g_auto (Fixture) fixture = {0};
  const YvPlanOptions options = {
      .n = 2, .h = 32, .w = 48, .dtype = YV_DTYPE_F32, .tensor_input = true};
  g_autoptr (GError) error = NULL;

  if (!fixture_init (&fixture, &options, 1))
    return;
  const YvOperand *input = &fixture.plan->input;
  const uint64_t n = operand_n_elems (input);
  g_autofree float *values = g_new (float, n);
  for (uint64_t i = 0; i < n; i++)
    values[i] = sinf ((float) i);
  fixture.executor->klass->write (fixture.executor, input, values, &error);
  g_assert_no_error (error);
  g_autofree float *back = read_operand (fixture.executor, input);
  g_assert_cmpmem (back, n * sizeof *back, values, n * sizeof *values);
}

static void
a_tensor_input_goes_through_the_network (void)
{
  g_auto (Fixture) fixture = {0};
  const YvPlanOptions options = {
      .n = 2, .h = 32, .w = 48, .dtype = YV_DTYPE_F32, .tensor_input = true, .dense_rows = true};
  const YvBatch batch = {.confidence = 0.25f};

  if (!fixture_init (&fixture, &options, 1))
    return;
  g_autoptr (YvExecutor) reference = new_reference (fixture.plan);
  const uint64_t n = operand_n_elems (&fixture.plan->input);
  g_autofree float *values = g_new (float, n);
  for (uint64_t i = 0; i < n; i++)
    values[i] = 0.5f + 0.5f * sinf ((float) i);
  YvExecutor *const executors[] = {fixture.executor, reference};
  for (uint32_t i = 0; i < 2; i++) {
    const struct YvCandidate *lists[MAX_BATCH];
    uint32_t n_found[MAX_BATCH];
    g_assert_true (executors[i]->klass->write (executors[i], &fixture.plan->input, values, NULL));
    run (executors[i], 0, &batch, lists, n_found);
  }
  assert_operand_equal (fixture.executor, reference, &fixture.plan->rows, "rows", FP32_BOUND);
}

static void
times_and_footprint_are_told (void)
{
  g_auto (Fixture) fixture = {0};
  Frames frames;
  YvTiming timing = {0};
  YvFootprint footprint = {0};
  const struct YvCandidate *list;
  uint32_t n;

  if (!fixture_init (&fixture, &one_image, 1))
    return;
  frames_init (&frames, 1, 64, 64, 70);
  g_assert_true (fixture.executor->klass->submit (fixture.executor, 0, &frames.batch, NULL));
  g_assert_true (fixture.executor->klass->wait (fixture.executor, 0, &list, &n, &timing, NULL));
  g_assert_cmpuint (timing.upload_ns, >, 0);
  g_assert_cmpuint (timing.network_ns, >, 0);

  fixture.executor->klass->footprint (fixture.executor, &footprint);
  g_assert_cmpuint (footprint.weights, ==, yv_weight_store_size_bytes (fixture.store));
  g_assert_cmpuint (footprint.arena, >=, fixture.plan->arena_bytes);
  g_assert_cmpuint (footprint.slots, >, 64 * 64);
  frames_clear (&frames);
}

static void
an_impossible_image_is_refused_and_the_slot_lives_on (void)
{
  g_auto (Fixture) fixture = {0};
  Frames frames;
  g_autoptr (GError) error = NULL;
  const struct YvCandidate *list;
  uint32_t n;

  if (!fixture_init (&fixture, &one_image, 1))
    return;
  frames_init (&frames, 1, 64, 64, 80);
  const uint32_t stride_bytes = frames.images[0].stride_bytes[0];
  frames.images[0].stride_bytes[0] = 1;
  g_assert_false (fixture.executor->klass->submit (fixture.executor, 0, &frames.batch, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  frames.images[0].stride_bytes[0] = stride_bytes;
  run (fixture.executor, 0, &frames.batch, &list, &n);
  frames_clear (&frames);
}

static void
an_executor_may_be_freed_while_a_slot_runs (void)
{
  g_auto (Fixture) fixture = {0};
  Frames frames;

  if (!fixture_init (&fixture, &one_image, 2))
    return;
  frames_init (&frames, 1, 64, 64, 90);
  g_assert_true (fixture.executor->klass->submit (fixture.executor, 0, &frames.batch, NULL));
  g_assert_true (fixture.executor->klass->submit (fixture.executor, 1, &frames.batch, NULL));
  frames_clear (&frames);
}

static void
more_memory_than_there_is_is_an_error (void)
{
  g_auto (Fixture) fixture = {0};
  g_autoptr (GError) error = NULL;

  if (!fixture_init (&fixture, &one_image, 1))
    return;
  YvPlan huge = *fixture.plan;
  huge.arena_bytes = UINT64_C (1) << 46;
  g_assert_null (yv_vulkan_executor_new (fixture.device, fixture.store, &huge, 1, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
  g_assert_nonnull (strstr (error->message, "arena"));
}

static void
without_mapped_device_memory_everything_goes_through_staging (void)
{
  const YvPlanOptions options = {
      .n = 2, .h = 64, .w = 64, .dtype = YV_DTYPE_F32, .tensor_input = true, .dense_rows = true};
  const YvBatch batch = {.confidence = 0.25f};
  g_auto (Fixture) fixture = {.device = yv_test_open_device ()};
  if (!fixture.device)
    return;

  fixture.device->unified = false;
  fixture_fill (&fixture, &options, 1);
  g_autoptr (YvExecutor) reference = new_reference (fixture.plan);
  const uint64_t n = operand_n_elems (&fixture.plan->input);
  g_autofree float *values = g_new (float, n);
  for (uint64_t i = 0; i < n; i++)
    values[i] = 0.5f + 0.5f * sinf ((float) i);
  YvExecutor *const executors[] = {fixture.executor, reference};
  for (uint32_t i = 0; i < 2; i++) {
    const struct YvCandidate *lists[MAX_BATCH];
    uint32_t n_found[MAX_BATCH];
    g_assert_true (executors[i]->klass->write (executors[i], &fixture.plan->input, values, NULL));
    run (executors[i], 0, &batch, lists, n_found);
  }
  g_autofree float *back = read_operand (fixture.executor, &fixture.plan->input);
  g_assert_cmpmem (back, n * sizeof *back, values, n * sizeof *values);
  compare_heads (fixture.executor, reference, FP32_BOUND);
}

static float *
run_heavy_net (const YvGraph *graph, bool unified, uint64_t *n)
{
  const YvPlanOptions options = {.n = 1, .h = 16, .w = 16, .dtype = YV_DTYPE_F32};
  g_autoptr (YvDevice) device = yv_test_open_device ();
  const struct YvCandidate *list;
  uint32_t n_found;
  Frames frames;

  device->unified = device->unified && unified;
  g_autoptr (YvPlan) plan = new_plan (device, graph, &options);
  g_autoptr (YvWeightStore) store = yv_weight_store_new (device);
  g_autoptr (YvExecutor) executor = new_executor (device, store, plan, 1);
  g_assert_cmpuint (yv_weight_store_size_bytes (store), >, 30u << 20);
  frames_init (&frames, 1, 16, 16, 3);
  run (executor, 0, &frames.batch, &list, &n_found);
  frames_clear (&frames);
  *n = operand_n_elems (&plan->heads[0]);
  return read_operand (executor, &plan->heads[0]);
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

static void
a_kernel_without_the_variant_asked_for_is_an_error_that_names_the_step (void)
{
  g_auto (Fixture) fixture = {0};
  g_autoptr (GError) error = NULL;

  if (!fixture_init (&fixture, &one_image, 1))
    return;
  YvStep *step = &g_array_index (fixture.plan->steps, YvStep, fixture.plan->first_network_step);
  const YvStep before = *step;
  step->kernel = YV_KERNEL_CONV_TILE;
  step->texel = true;
  g_assert_null (yv_vulkan_executor_new (fixture.device, fixture.store, fixture.plan, 1, &error));
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
  g_test_add_func ("/vulkan/fp32", every_value_in_fp32_is_the_references);
  g_test_add_func ("/vulkan/fp16", every_value_in_fp16_is_the_references);
  g_test_add_func ("/vulkan/batch", every_image_of_a_batch_is_the_references);
  g_test_add_func ("/vulkan/batch-fp16", every_image_of_a_batch_in_fp16_is_the_references);
  g_test_add_func ("/vulkan/shared-memory", values_that_share_memory_give_the_same_heads);
  g_test_add_func ("/vulkan/frame-sizes",
                   a_slot_gives_the_same_answer_again_after_larger_and_smaller_frames);
  g_test_add_func ("/vulkan/small-texel-buffers",
                   frames_larger_than_a_texel_buffer_are_read_by_address);
  g_test_add_func ("/vulkan/8k", a_frame_of_8k_with_four_bytes_a_pixel_is_analysed);
  g_test_add_func ("/vulkan/partial-batch", a_batch_may_have_fewer_images_than_the_plan);
  g_test_add_func ("/vulkan/slots", slots_in_flight_together_keep_their_results_apart);
  g_test_add_func ("/vulkan/threads", threads_with_a_slot_each_do_not_disturb_each_other);
  g_test_add_func ("/vulkan/making-threads", threads_make_executors_on_one_device_and_store);
  g_test_add_func ("/vulkan/store", executors_of_different_sizes_share_one_weight_store);
  g_test_add_func ("/vulkan/store-dtypes", a_store_holds_each_weight_once_a_dtype);
  g_test_add_func ("/vulkan/round-trip", an_operand_written_reads_back);
  g_test_add_func ("/vulkan/tensor-input", a_tensor_input_goes_through_the_network);
  g_test_add_func ("/vulkan/timing", times_and_footprint_are_told);
  g_test_add_func ("/vulkan/bad-image", an_impossible_image_is_refused_and_the_slot_lives_on);
  g_test_add_func ("/vulkan/free-running", an_executor_may_be_freed_while_a_slot_runs);
  g_test_add_func ("/vulkan/staging", without_mapped_device_memory_everything_goes_through_staging);
  g_test_add_func ("/vulkan/staged-weights", weights_larger_than_the_staging_memory_arrive_whole);
  g_test_add_func ("/vulkan/no-variant",
                   a_kernel_without_the_variant_asked_for_is_an_error_that_names_the_step);
  g_test_add_func ("/vulkan/out-of-memory", more_memory_than_there_is_is_an_error);
  return g_test_run ();
}
