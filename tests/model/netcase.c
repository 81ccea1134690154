/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/netcase.c - see netcase.h. */
#include "tests/model/netcase.h"

#include <math.h>
#include <string.h>

#include "engine/ref/ref.h"
#include "engine/vulkan/debug.h"
#include "tests/common/device.h"

const YvPlanOptions net_one_image = {.n = 1, .h = 64, .w = 64, .dtype = YV_DTYPE_F32};

YvNode *
net_add_conv (YvGraph *graph, uint32_t input, uint32_t c_out, uint32_t kernel, uint32_t stride,
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

void
net_add_detect (YvGraph *graph, const uint32_t *inputs, uint32_t n_levels)
{
  YvNode *node = yv_graph_add (graph, YV_OP_DETECT, "detect", 1, inputs, n_levels, 5 + NET_CLASSES);

  node->detect = (YvDetectSpec){
      .n_levels = n_levels, .n_anchors = 3, .n_classes = NET_CLASSES, .stride = {4, 8}};
  for (uint32_t level = 0; level < n_levels; level++)
    for (uint32_t anchor = 0; anchor < 3; anchor++) {
      node->detect.anchor_px[level][anchor][0] = 5.0f + 3 * level + anchor;
      node->detect.anchor_px[level][anchor][1] = 7.0f + 2 * level + 2 * anchor;
    }
}

YvGraph *
net_graph_new (void)
{
  YvGraph *graph = yv_graph_new ();
  const uint32_t n_head = 3 * (5 + NET_CLASSES);

  const uint32_t input = yv_graph_add (graph, YV_OP_INPUT, "input", 0, NULL, 0, 3)->id;
  const uint32_t stem = net_add_conv (graph, input, 16, 3, 2, YV_ACT_SILU)->id;
  const uint32_t wide = net_add_conv (graph, stem, 40, 1, 1, YV_ACT_LEAKY_RELU)->id;
  const uint32_t same = net_add_conv (graph, wide, 40, 3, 1, YV_ACT_SILU)->id;
  const uint32_t sum = add_join (graph, YV_OP_ADD, wide, same)->id;
  const uint32_t half = add_pool (graph, sum, 2, 2, 0)->id;
  const uint32_t deep = net_add_conv (graph, half, 72, 3, 2, YV_ACT_SILU)->id;
  const uint32_t blur = add_pool (graph, deep, 5, 1, 2)->id;
  const uint32_t scaled = add_affine (graph, blur)->id;
  const uint32_t both = add_join (graph, YV_OP_CONCAT, deep, scaled)->id;
  YvNode *up = yv_graph_add (graph, YV_OP_UPSAMPLE, "up", 0, &both, 1, 144);
  up->upsample.factor = 2;
  YvNode *reorg = yv_graph_add (graph, YV_OP_REORG, "reorg", 0, &stem, 1, 64);
  const uint32_t joined = add_join (graph, YV_OP_CONCAT, up->id, reorg->id)->id;
  const uint32_t head4 = net_add_conv (graph, joined, n_head, 1, 1, YV_ACT_NONE)->id;
  const uint32_t head8 = net_add_conv (graph, both, n_head, 1, 1, YV_ACT_NONE)->id;
  net_add_detect (graph, (const uint32_t[]){head4, head8}, 2);
  graph->n_rows = 2;
  yv_graph_sort (graph);
  yv_graph_assert_valid (graph);
  return graph;
}

NetPicture
net_picture_new (uint32_t width, uint32_t height, uint32_t seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  const uint32_t stride_bytes = width * 3 + 5;
  NetPicture picture = {.bytes = g_new (uint8_t, (size_t) stride_bytes * height)};

  for (size_t i = 0; i < (size_t) stride_bytes * height; i++)
    picture.bytes[i] = (uint8_t) g_rand_int (rand);
  picture.image = (YvImage){.format = YV_FORMAT_RGB,
                            .width = width,
                            .height = height,
                            .planes = {picture.bytes},
                            .stride_bytes = {stride_bytes}};
  return picture;
}

void
net_frames_init (NetFrames *frames, uint32_t n, uint32_t w, uint32_t h, uint32_t seed)
{
  *frames = (NetFrames){0};
  for (uint32_t i = 0; i < n; i++) {
    frames->pictures[i] = net_picture_new (50 + 17 * i + seed % 7, 41 + 9 * i, seed + i);
    frames->images[i] = frames->pictures[i].image;
    g_assert_true (yv_letterbox_fit (frames->images[i].width, frames->images[i].height, MIN (w, h),
                                     NET_STRIDE, YV_LETTERBOX_FIXED, true,
                                     &frames->letterboxes[i]));
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

void
net_frames_clear (NetFrames *frames)
{
  for (uint32_t i = 0; i < NET_MAX_BATCH; i++)
    g_free (frames->pictures[i].bytes);
}

YvPlan *
net_plan_new (YvDevice *device, const YvGraph *graph, const YvPlanOptions *options)
{
  g_autoptr (GError) error = NULL;
  YvPlan *plan = yv_plan_new (graph, yv_device_caps (device), options, &error);

  g_assert_no_error (error);
  return plan;
}

YvExecutor *
net_executor_new (YvDevice *device, YvWeightStore *store, const YvPlan *plan, uint32_t n_slots)
{
  g_autoptr (GError) error = NULL;
  YvExecutor *executor = yv_vulkan_executor_new (device, store, plan, n_slots, &error);

  g_assert_no_error (error);
  return executor;
}

YvExecutor *
net_reference_new (const YvPlan *plan)
{
  g_autoptr (GError) error = NULL;
  YvExecutor *executor = yv_ref_executor_new (plan, 1, &error);

  g_assert_no_error (error);
  return executor;
}

void
net_submit (YvExecutor *executor, uint32_t slot, const YvBatch *batch,
            const struct YvCandidate **lists, uint32_t *n)
{
  g_autoptr (GError) error = NULL;

  executor->klass->submit (executor, slot, batch, &error);
  g_assert_no_error (error);
  executor->klass->wait (executor, slot, lists, n, NULL, &error);
  g_assert_no_error (error);
}

uint64_t
net_operand_n_elems (const YvOperand *operand)
{
  return (uint64_t) operand->n * operand->c * operand->h * operand->w;
}

float *
net_operand_read (YvExecutor *executor, const YvOperand *operand)
{
  g_autoptr (GError) error = NULL;
  float *values = g_new (float, net_operand_n_elems (operand));

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

void
net_operand_assert_equal (YvExecutor *executor, YvExecutor *reference, const YvOperand *operand,
                          const char *name, double bound)
{
  g_autofree float *got = net_operand_read (executor, operand);
  g_autofree float *expected = net_operand_read (reference, operand);
  const double error = relative_error (got, expected, net_operand_n_elems (operand));

  g_test_message ("%s: relative error %.2g", name, error);
  if (!(error <= bound))
    g_error ("%s [%u,%u,%u,%u]: relative error %g, at most %g expected", name, operand->n,
             operand->c, operand->h, operand->w, error, bound);
}

void
net_heads_assert_equal (YvExecutor *executor, YvExecutor *reference, double bound)
{
  const YvPlan *plan = executor->plan;

  for (uint32_t i = 0; i < plan->detect.n_levels; i++)
    net_operand_assert_equal (executor, reference, &plan->heads[i], "head", bound);
  if (plan->options.dense_rows)
    net_operand_assert_equal (executor, reference, &plan->rows, "rows", bound);
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

void
net_candidates_assert_close (const struct YvCandidate *got, uint32_t n_got,
                             const struct YvCandidate *expected, uint32_t n_expected,
                             float threshold, float bound)
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

void
net_candidates_assert_identical (const struct YvCandidate *a, uint32_t n_a,
                                 const struct YvCandidate *b, uint32_t n_b)
{
  g_autofree struct YvCandidate *x = sorted_by_row (a, n_a);
  g_autofree struct YvCandidate *y = sorted_by_row (b, n_b);

  g_assert_cmpuint (n_a, ==, n_b);
  g_assert_cmpmem (x, n_a * sizeof *x, y, n_b * sizeof *y);
}

void
net_run_fill (NetRun *net, const YvPlanOptions *options, uint32_t n_slots)
{
  net->graph = net_graph_new ();
  net->store = yv_weight_store_new (net->device);
  net->plan = net_plan_new (net->device, net->graph, options);
  net->executor = net_executor_new (net->device, net->store, net->plan, n_slots);
}

bool
net_run_init (NetRun *net, const YvPlanOptions *options, uint32_t n_slots)
{
  *net = (NetRun){.device = yv_test_open_device ()};
  if (!net->device)
    return false;
  net_run_fill (net, options, n_slots);
  return true;
}

void
net_run_clear (NetRun *net)
{
  if (!net->device)
    return;
  g_assert_cmpuint (yv_debug_n_messages (net->device), ==, 0);
  yv_executor_free (net->executor);
  yv_plan_free (net->plan);
  yv_weight_store_free (net->store);
  yv_graph_free (net->graph);
  yv_device_unref (net->device);
}
