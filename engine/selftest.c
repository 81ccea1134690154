/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/selftest.c - which steps of a plan are worth a test of their own, and what comes out. */
#include "engine/selftest.h"

#include <string.h>

#include "engine/align.h"
#include "engine/steptest.h"

/* Small enough for the reference to take seconds, large enough for several tiles. */
#define DEFAULT_SIZE 320

#define MAX_SIZE 8192

static const YvStep *
step_at (const YvPlan *plan, uint32_t i)
{
  return &g_array_index (plan->steps, YvStep, i);
}

/* Of one image, from a frame to candidates, as a stream runs it; with rows as `forward` does, where
 * other kernels may decode. */
static YvPlan *
new_plan (YvEngine *engine, uint32_t size, YvDType dtype, bool dense_rows, GError **error)
{
  const YvPlanOptions options = {.n = 1,
                                 .h = size,
                                 .w = size,
                                 .dtype = dtype,
                                 .dense_rows = dense_rows,
                                 .multi_label = true,
                                 .ways = engine->ways};

  if (engine->checkpoint && !yv_checkpoint_check_unchanged (engine->checkpoint, error))
    return NULL;
  return yv_plan_new (engine->graph, yv_device_caps (engine->device), &options, error);
}

/* The same pipeline. */
static bool
same_kernel (const YvStep *a, const YvStep *b)
{
  return a->kernel == b->kernel && a->part == b->part && a->dtype == b->dtype &&
         a->dst.dtype == b->dst.dtype && a->texel == b->texel && a->n_spec == b->n_spec &&
         memcmp (a->spec, b->spec, a->n_spec * sizeof *a->spec) == 0;
}

/* And the same parameters, which tell all shapes. */
static bool
same_step (const YvStep *a, const YvStep *b)
{
  return same_kernel (a, b) && a->n_push_bytes == b->n_push_bytes &&
         memcmp (a->push, b->push, a->n_push_bytes) == 0 &&
         memcmp (a->groups, b->groups, sizeof a->groups) == 0;
}

/* ---- all steps ------------------------------------------------------------------------------- */

static bool
has_same (const YvPlan *plan, const YvStep *step)
{
  for (uint32_t i = 0; i < plan->steps->len; i++)
    if (same_step (step_at (plan, i), step))
      return true;
  return false;
}

/* How many steps are like step @index, which is the first of them; 0 where it is not. */
static uint32_t
count_same (const YvPlan *plan, uint32_t index)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    if (!same_step (step_at (plan, i), step_at (plan, index)))
      continue;
    if (i < index)
      return 0;
    n++;
  }
  return n;
}

/* @store: of the test alone, so that what it packs goes with it. */
static bool
test_and_report (YvEngine *engine, YvWeightStore *store, const YvSelftestOptions *options,
                 const YvPlan *plan, uint32_t index, uint32_t n_same, YvSelftestResult *out,
                 GError **error)
{
  const YvStep *step = step_at (plan, index);
  g_autofree char *what = yv_plan_describe_step (step);
  YvStepTest test;

  if (!yv_step_test (engine->device, store, plan, index, options->seed, &test, error))
    return false;

  const YvSelftestStep tested = {
      .kernel = yv_kernel_name (step->kernel),
      .step = step->name,
      .what = what,
      .n_steps = n_same,
      .precision = plan->options.dtype == YV_DTYPE_F16 ? YV_PRECISION_FP16 : YV_PRECISION_FP32,
      .n_elems = test.n_elems,
      .n_wrong = test.n_wrong,
      .max_error = test.max_error,
      .relative_error = test.relative_error,
      .share_of_bound = test.share_of_bound,
  };
  out->n_tested += test.n_elems > 0;
  out->n_untested += test.n_elems == 0;
  out->n_failed += test.n_wrong > 0;
  if (!options->report || options->report (&tested, options->data))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO,
               "the self test was stopped after %u steps, at %s, because its report was not taken",
               out->n_tested + out->n_untested, step->name);
  return false;
}

/* @done: (nullable): its steps are left out */
static bool
test_plan (YvEngine *engine, YvWeightStore *store, const YvSelftestOptions *options,
           const YvPlan *plan, const YvPlan *done, YvSelftestResult *out, GError **error)
{
  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const uint32_t n_same = done && has_same (done, step_at (plan, i)) ? 0 : count_same (plan, i);

    if (n_same > 0 && !test_and_report (engine, store, options, plan, i, n_same, out, error))
      return false;
  }
  return true;
}

static bool
test_precision (YvEngine *engine, const YvSelftestOptions *options, YvDType dtype,
                YvSelftestResult *out, GError **error)
{
  g_autoptr (YvPlan) plan = new_plan (engine, out->size, dtype, false, error);
  g_autoptr (YvPlan) dense = plan ? new_plan (engine, out->size, dtype, true, error) : NULL;
  g_autoptr (YvWeightStore) store = yv_weight_store_new (engine->device);

  return dense && test_plan (engine, store, options, plan, NULL, out, error) &&
         test_plan (engine, store, options, dense, plan, out, error);
}

static bool
check_request (const YvEngine *engine, const YvSelftestOptions *options, GError **error)
{
  if (!engine->device) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "the self test compares a Vulkan device with the reference; name such a device");
    return false;
  }
  if ((unsigned) options->precision > YV_PRECISION_FP16 || options->size > MAX_SIZE) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "self test with precision %d and size %u: expected auto, fp32 or fp16, and at "
                 "most %d px",
                 (int) options->precision, options->size, MAX_SIZE);
    return false;
  }
  return true;
}

bool
yv_engine_selftest (YvEngine *engine, const YvSelftestOptions *options, YvSelftestResult *out,
                    GError **error)
{
  const uint32_t stride = engine->info.max_stride;
  const uint32_t size = options->size ? options->size : DEFAULT_SIZE;

  if (!check_request (engine, options, error))
    return false;
  *out = (YvSelftestResult){.size = (uint32_t) yv_round_up (size, stride)};
  if (options->precision != YV_PRECISION_FP16 &&
      !test_precision (engine, options, YV_DTYPE_F32, out, error))
    return false;
  if (options->precision == YV_PRECISION_FP32 ||
      (options->precision == YV_PRECISION_AUTO && !yv_device_caps (engine->device)->fp16_storage))
    return true;
  return test_precision (engine, options, YV_DTYPE_F16, out, error);
}

/* ---- a few steps ----------------------------------------------------------------------------- */

/* Not every step of a convolution has its weight: the sum of its parts has none. */
static uint64_t
weight_elems (const YvStep *step)
{
  const bool has_weight = step->weight_source && step->op != YV_OP_AFFINE;

  return has_weight ? yv_weight_n_elems (step->weight_source) : 0;
}

/* Is no other step of its kernel smaller, nor an earlier one as small? */
static bool
is_smallest (const YvPlan *plan, uint32_t index)
{
  const uint64_t own = weight_elems (step_at (plan, index));

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const uint64_t other = weight_elems (step_at (plan, i));

    if (same_kernel (step_at (plan, i), step_at (plan, index)) &&
        (other < own || (other == own && i < index)))
      return false;
  }
  return true;
}

static bool
check_step (YvEngine *engine, const YvPlan *plan, uint32_t index, GError **error)
{
  const YvStep *step = step_at (plan, index);
  YvStepTest test;

  if (!yv_step_test (engine->device, engine->store, plan, index, 1, &test, error))
    return false;
  if (test.n_wrong == 0)
    return true;

  g_autofree char *what = yv_plan_describe_step (step);
  g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
               "%s (%s) gives %" G_GUINT64_FORMAT " wrong values of %" G_GUINT64_FORMAT,
               yv_kernel_name (step->kernel), what, test.n_wrong, test.n_elems);
  return false;
}

bool
yv_selftest_fp16 (YvEngine *engine, GError **error)
{
  /* Twice the smallest: no layer is a single pixel. */
  g_autoptr (YvPlan) plan =
      new_plan (engine, 2 * engine->smallest_size, YV_DTYPE_F16, false, error);

  if (!plan)
    return false;
  for (uint32_t i = 0; i < plan->steps->len; i++)
    if (is_smallest (plan, i) && !check_step (engine, plan, i, error))
      return false;
  return true;
}
