/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/ops/opcase.c - see opcase.h. */
#include "tests/ops/opcase.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "engine/align.h"
#include "engine/ops/op.h"
#include "engine/ref/ref.h"
#include "engine/vulkan/debug.h"
#include "tests/common/device.h"

#define GUARD_BYTES 4096
#define SEED 20260
#define BENCH_SECONDS 0.5

struct _OpRun {
  const OpCase *c;
  YvDevice *device;
  YvWeightStore *store;
  YvPlan plan;
  YvPlan oracle; /* the same for the reference: other steps, the same memory */
  YvExecutor *vulkan, *reference;
  YvExecutor *parts; /* the reference with the device's steps, where these are parts; else NULL */
  YvOperand dst;
  YvOperand all;          /* the whole arena as elements of the case's dtype */
  uint64_t scratch_bytes; /* where the steps' own memory starts; it goes to the arena's end */
  uint8_t *written;       /* [elements of all]: 1 where the destination or scratch is */
  YvBatch batch;
  float *before; /* what was written to all, as read back */
};

uint32_t
op_round_up_8 (uint32_t c)
{
  return (uint32_t) yv_round_up (c, 8);
}

double
op_rounding (YvDType dtype)
{
  return dtype == YV_DTYPE_F16 ? 0x1p-10 : 0x1p-23;
}

OpBound
op_bound_exact (const OpCase *c, double largest)
{
  (void) c;
  (void) largest;
  return (OpBound){0, 0};
}

/* ---- making ---------------------------------------------------------------------------------- */

static uint32_t
touched_channels (const OpTensor *tensor)
{
  return tensor->is_input ? 4 : op_round_up_8 (tensor->c);
}

/* Puts an operand behind what lies in the arena, and a guard behind it. */
static YvOperand
place (OpRun *run, const OpTensor *tensor, YvDType dtype)
{
  const uint64_t elem_bytes = yv_dtype_size_bytes (dtype);
  const uint64_t align_bytes = yv_device_caps (run->device)->align_bytes;
  const uint32_t channels = touched_channels (tensor);
  const uint64_t n_pixels = (uint64_t) run->c->n * tensor->h * tensor->w;
  const uint32_t cstride = tensor->is_input ? 4 : tensor->c_before + channels + tensor->c_behind;
  const uint64_t start_bytes = yv_round_up (run->plan.arena_bytes, align_bytes);

  run->plan.arena_bytes = start_bytes + n_pixels * cstride * elem_bytes + GUARD_BYTES;
  return (YvOperand){
      .memory = YV_MEMORY_ARENA,
      .dtype = dtype,
      .offset_bytes = start_bytes + tensor->c_before * elem_bytes,
      .size_bytes = ((n_pixels - 1) * cstride + channels) * elem_bytes,
      .n = run->c->n,
      .c = tensor->c,
      .h = tensor->h,
      .w = tensor->w,
      .cstride = cstride,
  };
}

static void
clear_step (void *step)
{
  g_free (((YvStep *) step)->name);
}

static void
init_detect (OpRun *run, YvLowering *lowering)
{
  const OpCase *c = run->c;
  const uint32_t align_bytes = yv_device_caps (run->device)->align_bytes;
  const uint32_t list_bytes =
      sizeof (struct YvCandidateList) + (c->capacity + 1) * (uint32_t) sizeof (struct YvCandidate);

  run->plan.capacity = c->capacity;
  run->plan.list_bytes = (uint32_t) yv_round_up (list_bytes, align_bytes);
  if (c->node.op != YV_OP_DETECT)
    return;

  run->plan.detect = c->node.detect;
  for (uint32_t i = 0; i < c->node.n_inputs; i++)
    run->plan.heads[i] = lowering->inputs[i];
  lowering->capacity = run->plan.capacity;
  lowering->list_bytes = run->plan.list_bytes;
  lowering->candidates = (YvOperand){
      .memory = YV_MEMORY_CANDIDATES,
      .n = c->n,
      .size_bytes = (uint64_t) run->plan.list_bytes * c->n,
  };
  if (c->dense) { /* rows are not padded to 8 */
    run->dst.cstride = run->dst.c;
    lowering->output = run->dst;
    lowering->rows = &run->dst;
  }
  lowering->output.h = c->dst.h;
}

/* Behind the destination, in the order in which the op asked for it. */
static void
move_scratch (YvOperand *operand, const uint64_t *starts_bytes)
{
  const uint64_t value = operand->offset_bytes >> YV_VALUE_SHIFT;

  if (operand->memory == YV_MEMORY_ARENA && value > 0)
    operand->offset_bytes = starts_bytes[value - 1];
}

static void
place_scratch (OpRun *run, const GArray *scratch_bytes)
{
  const uint64_t align_bytes = yv_device_caps (run->device)->align_bytes;
  g_autofree uint64_t *starts_bytes = g_new (uint64_t, scratch_bytes->len + 1);

  run->scratch_bytes = run->plan.arena_bytes;
  for (uint32_t i = 0; i < scratch_bytes->len; i++) {
    starts_bytes[i] = (run->plan.arena_bytes + align_bytes - 1) & ~(align_bytes - 1);
    run->plan.arena_bytes = starts_bytes[i] + g_array_index (scratch_bytes, uint64_t, i);
  }
  for (uint32_t i = 0; i < run->plan.steps->len; i++) {
    YvStep *step = &g_array_index (run->plan.steps, YvStep, i);

    for (uint32_t k = 0; k < step->n_srcs; k++)
      move_scratch (&step->src[k], starts_bytes);
    move_scratch (&step->dst, starts_bytes);
  }
}

static void
lower_for (const OpRun *run, const YvCaps *caps, YvLowering lowering, YvPlan *plan)
{
  const OpCase *c = run->c;
  g_autoptr (GError) error = NULL;

  plan->steps = g_array_new (FALSE, FALSE, sizeof (YvStep));
  g_array_set_clear_func (plan->steps, clear_step);
  lowering.caps = caps;
  lowering.steps = plan->steps;
  yv_op (c->node.op)->lower (&c->node, &lowering, &error);
  g_assert_no_error (error);
  for (uint32_t i = 0; i < plan->steps->len; i++)
    g_array_index (plan->steps, YvStep, i).level = c->batch ? 0 : i; /* they may be in place */
  plan->n_levels = plan->steps->len;
  plan->first_network_step = c->batch ? plan->steps->len : 0;
  plan->first_decode_step = plan->steps->len;
}

static void
lower (OpRun *run)
{
  const OpCase *c = run->c;
  YvCaps caps = *yv_device_caps (run->device), reference;
  YvOperand srcs[YV_MAX_STEP_SRCS];
  g_autoptr (YvWays) ways = yv_ways_new ();
  g_autoptr (GArray) scratch_bytes = g_array_new (FALSE, FALSE, sizeof (uint64_t));

  yv_caps_init_reference (&reference);
  reference.align_bytes = caps.align_bytes;
  caps.max_texels = c->by_address ? 0 : caps.max_texels;
  caps.conv_parts = c->n_parts;
  if (g_getenv ("YV_TEST_FOLDS")) { /* few groups a dimension, so that pixels go on in z */
    const uint32_t few = MAX (16, (c->dst.c + 63) / 64); /* channels don't fold */

    caps.max_groups[0] = c->node.op == YV_OP_CONV ? few : 2;
    caps.max_groups[1] = c->node.op == YV_OP_CONV ? few : caps.max_groups[1];
  }
  if (c->way)
    yv_ways_set_for_all (ways, c->way);
  run->plan.options = (YvPlanOptions){
      .n = c->n, .h = c->dst.h, .w = c->dst.w, .dtype = c->dtype, .tensor_input = !c->batch};
  run->plan.arena_bytes = GUARD_BYTES;
  for (uint32_t i = 0; i < c->n_srcs; i++)
    srcs[i] = place (run, &c->src[i], c->dtype);
  run->dst = place (run, &c->dst, c->dst_dtype);

  YvLowering lowering = {
      .dtype = c->dtype,
      .n = c->n,
      .inputs = srcs,
      .output = run->dst,
      .scratch_bytes = scratch_bytes,
      .first_scratch = 1,
      .tensor_input = !c->batch,
      .ways = ways,
      .first = c->first,
      .h = c->picture_h,
      .w = c->picture_w,
      .heads = c->heads,
  };
  init_detect (run, &lowering);
  lower_for (run, &caps, lowering, &run->plan);
  place_scratch (run, scratch_bytes);
  run->plan.arena_bytes = (run->plan.arena_bytes + 3) & ~UINT64_C (3);
  run->oracle = run->plan;
  lower_for (run, &reference, lowering, &run->oracle);
}

static void
make_executors (OpRun *run)
{
  g_autoptr (GError) error = NULL;

  run->store = yv_weight_store_new (run->device);
  run->vulkan = yv_vulkan_executor_new (run->device, run->store, &run->plan, 1, &error);
  g_assert_no_error (error);
  run->reference = yv_ref_executor_new (&run->oracle, 1, &error);
  g_assert_no_error (error);
  if (g_array_index (run->plan.steps, YvStep, 0).part != YV_PART_WHOLE)
    run->parts = yv_ref_executor_new (&run->plan, 1, &error);
  g_assert_no_error (error);
}

/* Which elements of the arena the kernels may write. */
static void
mark_destination (OpRun *run)
{
  const YvOperand *dst = &run->dst;
  const uint64_t elem_bytes = yv_dtype_size_bytes (dst->dtype);
  const uint64_t unit_bytes = yv_dtype_size_bytes (run->all.dtype);
  const bool exact = run->c->exact_channels || run->c->dense;
  const uint64_t n_pixels = (uint64_t) dst->n * dst->h * dst->w;
  const uint64_t pixel_units =
      (exact ? dst->c : touched_channels (&run->c->dst)) * elem_bytes / unit_bytes;

  run->written = g_malloc0 (run->all.c);
  memset (run->written + run->scratch_bytes / unit_bytes, 1,
          run->all.c - run->scratch_bytes / unit_bytes);
  if (run->c->node.op == YV_OP_DETECT && !run->c->dense)
    return; /* candidates lie elsewhere */
  for (uint64_t pixel = 0; pixel < n_pixels; pixel++)
    memset (run->written + (dst->offset_bytes + pixel * dst->cstride * elem_bytes) / unit_bytes, 1,
            pixel_units);
}

static void
fill_arena (OpRun *run)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (SEED);
  g_autoptr (GError) error = NULL;
  g_autofree float *values = NULL;

  const uint32_t n_elems = (uint32_t) (run->plan.arena_bytes / yv_dtype_size_bytes (run->c->dtype));
  run->all = (YvOperand){
      .memory = YV_MEMORY_ARENA,
      .dtype = run->c->dtype,
      .size_bytes = run->plan.arena_bytes,
      .n = 1,
      .c = n_elems,
      .h = 1,
      .w = 1,
      .cstride = n_elems,
  };
  values = g_new (float, n_elems);
  run->before = g_new (float, n_elems);
  for (uint32_t i = 0; i < n_elems; i++)
    values[i] = (float) g_rand_double_range (rand, -run->c->amplitude, run->c->amplitude);
  run->vulkan->klass->write (run->vulkan, &run->all, values, &error);
  run->reference->klass->write (run->reference, &run->all, values, &error);
  if (run->parts)
    run->parts->klass->write (run->parts, &run->all, values, &error);
  run->vulkan->klass->read (run->vulkan, &run->all, run->before, &error);
  g_assert_no_error (error);
}

/* Of all cases: opening one takes longer than most of them. */
static YvDevice *shared_device;

YvDevice *
op_open_device (void)
{
  if (!shared_device)
    shared_device = yv_test_open_device ();
  return shared_device ? yv_device_ref (shared_device) : NULL;
}

int
op_run_tests (void)
{
  const int status = g_test_run ();

  g_clear_pointer (&shared_device, yv_device_unref);
  return status;
}

OpRun *
op_run_new (const OpCase *c)
{
  YvDevice *device = op_open_device ();

  if (!device)
    return NULL;
  if (c->dtype == YV_DTYPE_F16 && !yv_device_caps (device)->fp16_storage) {
    g_test_skip ("the device has no 16-bit storage");
    yv_device_unref (device);
    return NULL;
  }

  OpRun *run = g_new0 (OpRun, 1);
  run->c = c;
  run->device = device;
  run->batch = c->batch ? *c->batch : (YvBatch){.n_images = c->n, .confidence = 0.5f};
  lower (run);
  if (c->way && !yv_way_equal (c->way, &g_array_index (run->plan.steps, YvStep, 0).way)) {
    op_run_free (run);
    return NULL;
  }
  make_executors (run);
  fill_arena (run);
  mark_destination (run);
  return run;
}

void
op_run_free (OpRun *run)
{
  if (!run)
    return;

  g_free (run->before);
  g_free (run->written);
  yv_executor_free (run->reference);
  yv_executor_free (run->parts);
  yv_executor_free (run->vulkan);
  yv_weight_store_free (run->store);
  g_array_unref (run->plan.steps);
  g_array_unref (run->oracle.steps);
  yv_device_unref (run->device);
  g_free (run);
}

/* ---- running and comparing ------------------------------------------------------------------- */

static void
submit (YvExecutor *executor, const YvBatch *batch, const struct YvCandidate **lists, uint32_t *n,
        YvTiming *timing)
{
  g_autoptr (GError) error = NULL;

  executor->klass->submit (executor, 0, batch, &error);
  g_assert_no_error (error);
  executor->klass->wait (executor, 0, lists, n, timing, &error);
  g_assert_no_error (error);
}

uint32_t
op_run_n_steps (const OpRun *run)
{
  return run->plan.steps->len;
}

YvBatch *
op_run_batch (OpRun *run)
{
  return &run->batch;
}

void
op_run_submit (OpRun *run, const struct YvCandidate **got, uint32_t *n_got,
               const struct YvCandidate **expected, uint32_t *n_expected)
{
  const uint32_t n = run->c->n;
  g_autofree const struct YvCandidate **lists = g_new (const struct YvCandidate *, n);
  g_autofree uint32_t *counts = g_new (uint32_t, n);

  submit (run->vulkan, &run->batch, got ? got : lists, got ? n_got : counts, NULL);
  submit (run->reference, &run->batch, expected ? expected : lists, expected ? n_expected : counts,
          NULL);
}

uint64_t
op_run_n_elems (const OpRun *run)
{
  return (uint64_t) run->dst.n * run->dst.c * run->dst.h * run->dst.w;
}

static float *
read_operand (YvExecutor *executor, const YvOperand *operand)
{
  g_autoptr (GError) error = NULL;
  float *values = g_new (float, (uint64_t) operand->n * operand->c * operand->h * operand->w);

  executor->klass->read (executor, operand, values, &error);
  g_assert_no_error (error);
  return values;
}

float *
op_run_got (OpRun *run)
{
  return read_operand (run->vulkan, &run->dst);
}

float *
op_run_expected (OpRun *run)
{
  return read_operand (run->reference, &run->dst);
}

/* "conv 'a head': 3 images, [12,7,9] -> [255,7,9], f16, conv_lanes32 texel, seed 20260" */
static char *
describe (const OpRun *run)
{
  const OpCase *c = run->c;
  const YvStep *step = &g_array_index (run->plan.steps, YvStep, 0);

  return g_strdup_printf ("%s '%s': %u images, [%u,%u,%u] -> [%u,%u,%u], %s, %s%s, seed %d",
                          yv_op_name (c->node.op), c->name, c->n, c->src[0].c, c->src[0].h,
                          c->src[0].w, c->dst.c, c->dst.h, c->dst.w, yv_dtype_name (c->dtype),
                          yv_kernel_name (step->kernel), step->texel ? " texel" : "", SEED);
}

void
op_run_assert_rest_untouched (OpRun *run)
{
  g_autofree float *after = read_operand (run->vulkan, &run->all);

  for (uint32_t i = 0; i < run->all.c; i++)
    if (!run->written[i] && memcmp (&after[i], &run->before[i], sizeof *after) != 0) {
      g_autofree char *what = describe (run);
      g_error ("%s: element %u of the arena, beside the destination at %" G_GUINT64_FORMAT
               " + %" G_GUINT64_FORMAT " bytes, was %g and became %g",
               what, i, run->dst.offset_bytes, run->dst.size_bytes, run->before[i], after[i]);
    }
  g_assert_cmpuint (yv_debug_n_messages (run->device), ==, 0);
}

static double
largest_of (const float *values, uint64_t n)
{
  double largest = 0;

  for (uint64_t i = 0; i < n; i++)
    largest = fmax (largest, fabs (values[i]));
  return largest;
}

static void
assert_close (const OpRun *run, const float *got, const float *expected, OpBound bound)
{
  const YvOperand *dst = &run->dst;
  const uint64_t n_elems = op_run_n_elems (run);

  for (uint64_t i = 0; i < n_elems; i++) {
    const double limit = bound.absolute + bound.relative * fabs (expected[i]);
    if (fabs ((double) got[i] - expected[i]) <= limit)
      continue;

    g_autofree char *what = describe (run);
    const uint64_t x = i % dst->w, y = i / dst->w % dst->h, c = i / dst->w / dst->h % dst->c;
    g_error ("%s: at [%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT
             ",%" G_GUINT64_FORMAT "] got %.9g, expected %.9g +- %.3g",
             what, i / dst->w / dst->h / dst->c, c, y, x, got[i], expected[i], limit);
  }
}

static float *
run_parts (OpRun *run)
{
  g_autofree const struct YvCandidate **lists = g_new (const struct YvCandidate *, run->c->n);
  g_autofree uint32_t *counts = g_new (uint32_t, run->c->n);

  submit (run->parts, &run->batch, lists, counts, NULL);
  return read_operand (run->parts, &run->dst);
}

bool
op_case_check (const OpCase *c, OpBound (*bound) (const OpCase *c, double largest))
{
  g_autoptr (OpRun) run = op_run_new (c);

  if (!run)
    return false;
  op_run_submit (run, NULL, NULL, NULL, NULL);
  g_autofree float *got = op_run_got (run);
  g_autofree float *expected = op_run_expected (run);
  const OpBound limit = bound (c, largest_of (expected, op_run_n_elems (run)));
  assert_close (run, got, expected, limit);
  if (run->parts) {
    g_autofree float *of_parts = run_parts (run);
    assert_close (run, of_parts, expected, limit);
  }
  op_run_assert_rest_untouched (run);
  return true;
}

/* ---- timing ---------------------------------------------------------------------------------- */

bool
op_bench_wanted (int argc, char **argv)
{
  return argc > 1 && strcmp (argv[1], "--bench") == 0;
}

/* Of all threads of this process: on a CPU device, unlike the clock on the wall, it does not count
 * what other programs do meanwhile. */
static double
cpu_seconds (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static double
run_seconds (OpRun *run)
{
  g_autofree const struct YvCandidate **lists = g_new (const struct YvCandidate *, run->c->n);
  g_autofree uint32_t *counts = g_new (uint32_t, run->c->n);
  YvTiming timing = {0};
  const double start = cpu_seconds ();

  submit (run->vulkan, &run->batch, lists, counts, &timing);
  if (yv_device_caps (run->device)->is_cpu)
    return cpu_seconds () - start;
  return (double) (timing.letterbox_ns + timing.network_ns + timing.decode_ns) * 1e-9;
}

void
op_case_bench (const OpCase *c, double gflop, double gbytes)
{
  g_autoptr (OpRun) run = op_run_new (c);

  if (!run)
    return;
  const double first = run_seconds (run);
  double best = first, total = 0;
  while (total < BENCH_SECONDS) {
    const double seconds = run_seconds (run);
    best = fmin (best, seconds);
    total += fmax (seconds, 1e-6);
  }
  g_autofree char *what = describe (run);
  g_print ("%8.3f ms %7.1f GFLOP/s %6.1f GB/s, first %4.0f ms  %s\n", best * 1e3, gflop / best,
           gbytes / best, first * 1e3, what);
}
