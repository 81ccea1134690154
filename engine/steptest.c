/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/steptest.c - runs a step on both executors and measures how far they are apart. */
#include "engine/steptest.h"

#include <math.h>
#include <stdlib.h>

#include "engine/error.h"
#include "engine/graph/random.h"
#include "engine/ref/ref.h"

/* Sources are even between -AMPLITUDE and AMPLITUDE; logits go further, so that the sigmoid has
 * more than its middle to show. */
#define AMPLITUDE 1.0
#define LOGIT_AMPLITUDE 4.0
#define CONFIDENCE 0.25f
#define HEAD_CONFIDENCE 0.0f /* every row: a trained head finds next to nothing in noise */

#define EPSILON_FP32 0x1p-23
#define EPSILON_FP16 0x1p-10
#define SMALLEST_FP16 0x1p-24 /* the distance of subnormal numbers */

/* Vulkan lets exp be wrong by (3 + 2 |x|) * 2^-23, which is 11 * 2^-23 for these logits; squared,
 * and with the division's 2.5, it makes 4e-6. The reference rounds boxes to fp32. */
#define DECODE_ERROR 1e-5

/* A thousandth of a step of an 8-bit picture, 1 / 255. */
#define LETTERBOX_ERROR 4e-6

/* The picture of a letterbox step, px: larger and smaller sides than the network's. */
#define FRAME_W 333
#define FRAME_H 77

/* One step, ready to run on both. */
typedef struct {
  YvPlan *plan; /* of the step alone */
  const YvStep *step;
  YvExecutor *device, *reference;
  uint64_t random; /* the state of the sequence */
} Pair;

/* How far apart two values may be: absolute[channel] + relative * |expected|. */
typedef struct {
  double *absolute; /* owned */
  double relative;
} Bound;

static void
pair_clear (Pair *pair)
{
  yv_executor_free (pair->reference);
  yv_executor_free (pair->device);
  yv_plan_free (pair->plan);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pair, pair_clear)

static void
bound_clear (Bound *bound)
{
  g_free (bound->absolute);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bound, bound_clear)

/* ---- what rounding explains ------------------------------------------------------------------ */

/* A sum of K products in fp32: each addition rounds the sum so far, in a random direction, so that
 * errors grow as sqrt (K). Even numbers have a deviation of amplitude / sqrt (3), so sums have one
 * of that times the norm of the weights, and none is larger than 5 times it. 8 units more are for
 * the activation. conv_lanes stores biases in the weights' dtype. */
static double
conv_error (const YvWeight *weight, YvDType dtype, double residual, uint32_t o, double *row)
{
  const size_t k = (size_t) weight->c_in / weight->groups * weight->kernel_h * weight->kernel_w;
  const double bias = fabs (weight->bias[o]);
  double square = 0;

  yv_weight_row (weight, o, row);
  for (size_t i = 0; i < k; i++)
    square += row[i] * row[i];

  const double largest = bias + residual + 5 * AMPLITUDE * sqrt (square / 3);
  const double sum = EPSILON_FP32 * (sqrt ((double) k) + 8) * largest;
  return sum + (dtype == YV_DTYPE_F16 ? EPSILON_FP16 / 2 * bias : 0);
}

void
yv_step_test_bound_conv (const YvWeight *weight, YvDType dtype, bool has_residual, double *absolute)
{
  g_autofree double *row =
      g_new (double, (size_t) weight->c_in / weight->groups * weight->kernel_h * weight->kernel_w);

  for (uint32_t o = 0; o < weight->c_out; o++)
    absolute[o] = conv_error (weight, dtype, has_residual ? AMPLITUDE : 0, o, row);
}

/* What a FIRST reads is off as a letterbox is; in fp16 a pixel or two of a window may be rounded
 * the other way. */
static void
add_picture_error (const YvStep *step, double *absolute)
{
  const YvWeight *weight = step->weight_source;
  const size_t k = (size_t) weight->c_in * weight->kernel_h * weight->kernel_w;
  g_autofree double *row = g_new (double, k);

  for (uint32_t o = 0; o < weight->c_out; o++) {
    double sum = 0, largest = 0;

    yv_weight_row (weight, o, row);
    for (size_t i = 0; i < k; i++) {
      sum += fabs (row[i]);
      largest = fmax (largest, fabs (row[i]));
    }
    absolute[o] +=
        LETTERBOX_ERROR * sum + (step->dtype == YV_DTYPE_F16 ? EPSILON_FP16 * largest : 0);
  }
}

/* Of a HEAD the logits are sums, too. A box's centre goes with half of a logit's error times the
 * stride, its size with twice. */
static double
candidate_error (const YvStep *step)
{
  if (step->part != YV_PART_HEAD)
    return DECODE_ERROR;

  const YvWeight *weight = step->weight_source;
  g_autofree double *row = g_new (double, weight->c_in);
  double largest = 0;
  for (uint32_t o = 0; o < weight->c_out; o++)
    largest = fmax (largest, conv_error (weight, step->dtype, 0, o, row));
  return DECODE_ERROR + largest * fmax (2, step->node->detect.stride[step->head] / 2.0);
}

static double
largest_of (const float *values, uint64_t n)
{
  double largest = 0;

  for (uint64_t i = 0; i < n; i++)
    if (isfinite (values[i]))
      largest = fmax (largest, fabs ((double) values[i]));
  return largest;
}

/* The parts of a convolution by Winograd: sums of c_in products, or of the 36 points. The largest
 * result stands for what goes into a sum; of the output, whose activation may hide it, 5 times the
 * deviation of such a sum, 24 / sqrt (3). */
static double
winograd_error (const YvStep *step, const float *expected, uint64_t n)
{
  const YvWeight *weight = step->node->conv.weight;
  const double k = step->part == YV_PART_WINOGRAD_PRODUCT ? weight->c_in : YV_WINOGRAD_POINTS;
  const double least = step->part == YV_PART_WINOGRAD_OUTPUT ? 70 * AMPLITUDE : 0;

  return EPSILON_FP32 * (sqrt (k) + 8) * fmax (largest_of (expected, n), least);
}

/* The parts of a convolution added, each as large as a source. */
static double
split_sum_error (const YvStep *step)
{
  const double n_parts = step->src[0].n;

  return EPSILON_FP32 * (n_parts + 8) * n_parts * AMPLITUDE;
}

/* The same for all channels: ops that move or choose elements are exact, others round a few times.
 */
static double
plain_error (const YvStep *step, const float *expected, uint64_t n)
{
  if (step->op == YV_OP_INPUT)
    return LETTERBOX_ERROR;
  if (step->op == YV_OP_DETECT)
    return DECODE_ERROR;
  if (step->part == YV_PART_SPLIT_SUM)
    return split_sum_error (step);
  if (step->part == YV_PART_WINOGRAD_INPUT || step->part == YV_PART_WINOGRAD_PRODUCT ||
      step->part == YV_PART_WINOGRAD_OUTPUT)
    return winograd_error (step, expected, n);
  if (step->kernel == YV_KERNEL_ELTWISE)
    return 8 * EPSILON_FP32 * fmax (largest_of (expected, n), 2 * AMPLITUDE);
  return 0;
}

static bool
is_exact (const YvStep *step)
{
  return step->op == YV_OP_MAXPOOL || step->op == YV_OP_UPSAMPLE || step->op == YV_OP_CONCAT ||
         step->op == YV_OP_REORG;
}

/* The result itself is rounded once, perhaps the other way than the reference's. */
static void
bound_init (Bound *bound, const YvStep *step, const float *expected, uint64_t n)
{
  const bool is_half = step->dst.dtype == YV_DTYPE_F16;
  const double plain = plain_error (step, expected, n);

  bound->absolute = g_new (double, step->dst.c);
  for (uint32_t c = 0; c < step->dst.c; c++)
    bound->absolute[c] = plain;
  if (step->part == YV_PART_FIRST ||
      (step->op == YV_OP_CONV &&
       (step->part == YV_PART_WHOLE || step->part == YV_PART_SPLIT_PRODUCT)))
    yv_step_test_bound_conv (step->weight_source, step->dtype, step->n_srcs > 1, bound->absolute);
  if (step->part == YV_PART_FIRST)
    add_picture_error (step, bound->absolute);
  if (is_exact (step))
    return;
  bound->relative = step->op == YV_OP_DETECT ? DECODE_ERROR : is_half ? EPSILON_FP16 : EPSILON_FP32;
  for (uint32_t c = 0; c < step->dst.c && is_half; c++)
    bound->absolute[c] += SMALLEST_FP16;
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Sums for YvStepTest. */
typedef struct {
  YvStepTest *test;
  double square_of_errors, square_of_expected;
  double threshold, candidate_error; /* of DETECT */
} Tally;

static void
tally_wrong (Tally *sums)
{
  sums->test->n_elems++;
  sums->test->n_wrong++;
  sums->test->share_of_bound = YV_STEP_TEST_MOST;
}

/* Of weights that are too large. Such values say nothing about the device. */
static bool
is_same_overflow (double got, double expected)
{
  return (isnan (got) && isnan (expected)) ||
         (isinf (expected) && isinf (got) && (got > 0) == (expected > 0));
}

static void
tally (Tally *sums, double got, double expected, double allowed)
{
  YvStepTest *test = sums->test;
  const double error = fabs (got - expected);

  if (is_same_overflow (got, expected))
    return;
  if (!isfinite (error)) {
    tally_wrong (sums);
    return;
  }
  test->n_elems++;
  test->n_wrong += error > allowed;
  test->max_error = fmax (test->max_error, error);
  if (error > 0)
    test->share_of_bound =
        fmax (test->share_of_bound, fmin (error / fmax (allowed, 1e-300), YV_STEP_TEST_MOST));
  sums->square_of_errors += error * error;
  sums->square_of_expected += expected * expected;
}

static float *
read_values (YvExecutor *executor, const YvOperand *operand, uint64_t n, GError **error)
{
  g_autofree float *values = g_try_new (float, n);

  if (!values) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY,
                 "no memory for %" G_GUINT64_FORMAT " floats; give a smaller size", n);
    return NULL;
  }
  return executor->klass->read (executor, operand, values, error) ? g_steal_pointer (&values)
                                                                  : NULL;
}

static bool
compare_values (const Pair *pair, Tally *sums, GError **error)
{
  const YvOperand *dst = &pair->step->dst;
  const uint64_t n_pixels = (uint64_t) dst->h * dst->w, n = (uint64_t) dst->n * dst->c * n_pixels;
  g_autofree float *got = read_values (pair->device, dst, n, error);
  g_autofree float *expected = got ? read_values (pair->reference, dst, n, error) : NULL;
  g_auto (Bound) bound = {0};

  if (!expected)
    return false;
  bound_init (&bound, pair->step, expected, n);
  for (uint64_t i = 0; i < n; i++)
    tally (sums, (double) got[i], (double) expected[i],
           bound.absolute[i / n_pixels % dst->c] + bound.relative * fabs ((double) expected[i]));
  return true;
}

static int
compare_rows (const void *a, const void *b)
{
  const struct YvCandidate *x = a, *y = b;

  return x->row < y->row ? -1 : x->row > y->row;
}

static int
compare_classes (const void *a, const void *b)
{
  const struct YvCandidate *x = a, *y = b;

  return compare_rows (a, b)
             ? compare_rows (a, b)
             : (x->class_index > y->class_index) - (x->class_index < y->class_index);
}

static struct YvCandidate *
sorted (const struct YvCandidate *candidates, uint32_t n, GCompareFunc compare)
{
  struct YvCandidate *copy = g_memdup2 (candidates, n * sizeof *candidates);

  if (n > 0)
    qsort (copy, n, sizeof *copy, compare);
  return copy;
}

/* Rounding decides whether one at the threshold is a candidate. */
static void
tally_lonely (Tally *sums, const struct YvCandidate *candidate)
{
  if (!(fminf (candidate->confidence, candidate->objectness) - sums->threshold <=
        sums->candidate_error))
    tally_wrong (sums);
}

static void
tally_candidate (Tally *sums, const struct YvCandidate *got, const struct YvCandidate *expected)
{
  const float a[] = {got->x, got->y, got->w, got->h, got->objectness, got->confidence};
  const float b[] = {expected->x, expected->y,          expected->w,
                     expected->h, expected->objectness, expected->confidence};

  for (uint32_t i = 0; i < G_N_ELEMENTS (a); i++)
    tally (sums, (double) a[i], (double) b[i], sums->candidate_error * (1 + fabs ((double) b[i])));
}

/* Rounding decides, too, which of two classes is the best of a row. */
static void
compare_candidates (Tally *sums, const struct YvCandidate *got, uint32_t n_got,
                    const struct YvCandidate *expected, uint32_t n_expected, bool multi_label)
{
  const GCompareFunc compare = multi_label ? compare_classes : compare_rows;
  g_autofree struct YvCandidate *a = sorted (got, n_got, compare);
  g_autofree struct YvCandidate *b = sorted (expected, n_expected, compare);

  for (uint32_t i = 0, j = 0; i < n_got || j < n_expected;) {
    const int order = i == n_got ? 1 : j == n_expected ? -1 : compare (&a[i], &b[j]);

    if (order == 0)
      tally_candidate (sums, &a[i++], &b[j++]);
    else
      tally_lonely (sums, order < 0 ? &a[i++] : &b[j++]);
  }
}

/* ---- running --------------------------------------------------------------------------------- */

static bool
pair_init (Pair *pair, YvDevice *device, YvWeightStore *store, const YvPlan *plan,
           uint32_t step_index, GError **error)
{
  pair->plan = yv_plan_isolate (plan, step_index);
  pair->step = &g_array_index (pair->plan->steps, YvStep, 0);
  pair->device = yv_vulkan_executor_new (device, store, pair->plan, 1, error);
  pair->reference = pair->device ? yv_ref_executor_new (pair->plan, 1, error) : NULL;
  return pair->reference != NULL;
}

/* From -1 to 1. */
static double
random_even (Pair *pair)
{
  return (double) (yv_random_next (&pair->random) >> 11) * 0x1p-52 - 1;
}

static bool
fill_source (Pair *pair, const YvOperand *src, GError **error)
{
  const uint64_t n = (uint64_t) src->n * src->c * src->h * src->w;
  const bool is_logits = pair->step->op == YV_OP_DETECT && pair->step->part == YV_PART_WHOLE;
  const double amplitude = is_logits ? LOGIT_AMPLITUDE : AMPLITUDE;
  g_autofree float *values = g_try_new (float, n);

  if (!values) {
    g_set_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY,
                 "no memory for %" G_GUINT64_FORMAT " floats; give a smaller size", n);
    return false;
  }
  for (uint64_t i = 0; i < n; i++)
    values[i] = (float) (amplitude * random_even (pair));
  return pair->device->klass->write (pair->device, src, values, error) &&
         pair->reference->klass->write (pair->reference, src, values, error);
}

static bool
fill_sources (Pair *pair, GError **error)
{
  for (uint32_t i = 0; i < pair->step->n_srcs; i++)
    if (pair->step->src[i].memory == YV_MEMORY_ARENA &&
        !fill_source (pair, &pair->step->src[i], error))
      return false;
  return true;
}

static bool
run (YvExecutor *executor, const YvBatch *batch, const struct YvCandidate **candidates, uint32_t *n,
     GError **error)
{
  YvTiming timing;

  return executor->klass->submit (executor, 0, batch, error) &&
         executor->klass->wait (executor, 0, candidates, n, &timing, error);
}

static bool
run_both (Pair *pair, const YvBatch *batch, Tally *sums, GError **error)
{
  const struct YvCandidate *got, *expected;
  uint32_t n_got, n_expected;

  if (!fill_sources (pair, error) || !run (pair->device, batch, &got, &n_got, error) ||
      !run (pair->reference, batch, &expected, &n_expected, error))
    return false;
  if (pair->step->dst.memory != YV_MEMORY_CANDIDATES)
    return compare_values (pair, sums, error);
  compare_candidates (sums, got, n_got, expected, n_expected, batch->multi_label);
  return true;
}

/* Every class of a row, of those that are spread over all words of the mask: as many as leave room
 * for all rows, so that no list ends before its candidates. */
static bool
run_every_class (Pair *pair, const YvBatch *best, Tally *sums, GError **error)
{
  const uint32_t n_classes = pair->plan->detect.n_classes;
  const uint32_t n_wanted = MIN (pair->plan->capacity / pair->plan->n_rows, MAX (n_classes / 2, 1));
  g_autofree bool *class_wanted = g_new0 (bool, n_classes);
  YvBatch batch = *best;

  for (uint32_t i = 0; i < n_wanted; i++)
    class_wanted[(n_classes - 1) - (uint64_t) i * n_classes / n_wanted] = true;
  batch.multi_label = true;
  batch.class_wanted = class_wanted;
  return run_both (pair, &batch, sums, error);
}

static float
confidence_for (const YvStep *step)
{
  return step->part == YV_PART_HEAD ? HEAD_CONFIDENCE : CONFIDENCE;
}

/* With a picture, for letterbox; other steps leave it alone. Decode also in its other mode. */
static bool
run_with_picture (Pair *pair, Tally *sums, GError **error)
{
  g_autofree uint8_t *pixels = g_new (uint8_t, FRAME_W * FRAME_H * 3);
  const YvImage image = {.format = YV_FORMAT_RGB,
                         .width = FRAME_W,
                         .height = FRAME_H,
                         .planes = {pixels},
                         .stride_bytes = {FRAME_W * 3}};
  const YvOperand *input = &pair->plan->input;
  const YvLetterbox letterbox = {.frame_w = FRAME_W,
                                 .frame_h = FRAME_H,
                                 .net_w = input->w,
                                 .net_h = input->h,
                                 .resized_w = input->w,
                                 .resized_h = MAX (input->h / 2, 1),
                                 .top = input->h / 4};
  const YvBatch batch = {.n_images = 1,
                         .images = &image,
                         .letterboxes = &letterbox,
                         .confidence = confidence_for (pair->step)};

  for (uint32_t i = 0; i < FRAME_W * FRAME_H * 3; i++)
    pixels[i] = (uint8_t) yv_random_next (&pair->random);
  return run_both (pair, &batch, sums, error) && (pair->step->dst.memory != YV_MEMORY_CANDIDATES ||
                                                  run_every_class (pair, &batch, sums, error));
}

bool
yv_step_test (YvDevice *device, YvWeightStore *store, const YvPlan *plan, uint32_t step_index,
              uint64_t seed, YvStepTest *out, GError **error)
{
  const YvStep *step = &g_array_index (plan->steps, YvStep, step_index);
  g_auto (Pair) pair = {.random = yv_random_seed (seed, step->name)};
  Tally sums = {.test = out};

  g_assert (plan->options.n == 1);
  sums.threshold = (double) confidence_for (step);
  sums.candidate_error = step->op == YV_OP_DETECT ? candidate_error (step) : 0;
  *out = (YvStepTest){0};
  if (!pair_init (&pair, device, store, plan, step_index, error) ||
      !run_with_picture (&pair, &sums, error)) {
    g_prefix_error (error, "%s: ", step->name);
    return false;
  }
  if (sums.square_of_expected > 0)
    out->relative_error = sqrt (sums.square_of_errors / sums.square_of_expected);
  return true;
}
