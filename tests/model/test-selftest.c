/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-selftest.c - engine/selftest.c and engine/steptest.c: a sound device passes, one
 * wrong value of any op is found, and a device that is wrong in fp16 is used in fp32.
 *
 * A device that is wrong is played by a reference that is: the linker puts the functions below
 * (meson.build: --wrap) in the place of the reference's ops. */
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "engine/engine.h"
#include "engine/ref/refop.h"
#include "engine/selftest.h"
#include "engine/steptest.h"
#include "engine/yolov7-tools.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"

#define SIZE 64

/* ---- faults ---------------------------------------------------------------------------------- */

/* What is wrong now: one value of each run of an op, in one precision or in both. */
static struct {
  YvOpKind op; /* YV_N_OPS: nothing */
  bool only_fp16;
  bool is_nan;
  bool misses_candidate;
  bool only_multi_label, only_masked; /* of decode */
} fault = {.op = YV_N_OPS};

static void
spoil_candidates (const YvRefRun *run)
{
  struct YvCandidateList *list = (struct YvCandidateList *) run->candidates;
  struct YvCandidate *first = (struct YvCandidate *) (run->candidates + sizeof *list);

  g_assert_cmpuint (list->n_found, >, 0);
  if (fault.misses_candidate)
    list->n_found--;
  else
    first->w *= 1.001f;
}

/* Is one of the model's two classes not wanted? */
static bool
is_masked (const YvRefRun *run)
{
  return *(const uint32_t *) (run->thresholds + 1) != 3;
}

static void
spoil (const YvRefRun *run)
{
  const YvStep *step = run->step;
  const YvOperand *dst = &step->dst;
  double value;

  if ((fault.only_multi_label && !run->thresholds->multi_label) ||
      (fault.only_masked && !is_masked (run)))
    return;
  if (step->op != fault.op || (fault.only_fp16 && step->dtype != YV_DTYPE_F16))
    return;
  if (dst->memory == YV_MEMORY_CANDIDATES) {
    spoil_candidates (run);
    return;
  }
  const uint64_t pixel = (uint64_t) dst->h * dst->w - 1;
  yv_ref_load (run->arena, dst, pixel, dst->c - 1, 1, &value);
  value = fault.is_nan ? NAN : value + 0.01 * (1 + fabs (value));
  yv_ref_store (run->arena, dst, pixel, dst->c - 1, 1, &value);
}

#define WRAP(op)                                                                                   \
  void __real_yv_ref_##op (const YvRefRun *run);                                                   \
  void __wrap_yv_ref_##op (const YvRefRun *run);                                                   \
  void __wrap_yv_ref_##op (const YvRefRun *run)                                                    \
  {                                                                                                \
    __real_yv_ref_##op (run);                                                                      \
    spoil (run);                                                                                   \
  }
WRAP (letterbox)
WRAP (conv)
WRAP (maxpool)
WRAP (upsample)
WRAP (concat)
WRAP (add)
WRAP (reorg)
WRAP (detect)
#undef WRAP

static const struct {
  YvOpKind op;
  const char *kernel; /* how its name begins */
} ops[] = {{YV_OP_INPUT, "letterbox"},   {YV_OP_CONV, "conv_"},   {YV_OP_MAXPOOL, "maxpool"},
           {YV_OP_UPSAMPLE, "upsample"}, {YV_OP_CONCAT, "copy"},  {YV_OP_ADD, "eltwise"},
           {YV_OP_REORG, "reorg"},       {YV_OP_DETECT, "decode"}};

/* ---- a model with all of them ---------------------------------------------------------------- */

static const char description[] = "nc: 2\n"
                                  "depth_multiple: 1.0\n"
                                  "width_multiple: 1.0\n"
                                  "anchors:\n"
                                  "  - [10,16, 20,24]\n"
                                  "backbone:\n"
                                  "  - [-1, 1, ReOrg, []]\n"
                                  "  - [-1, 1, Conv, [16, 3, 2]]\n"
                                  "  - [-1, 1, Conv, [16, 3, 1]]\n"
                                  "  - [[-1, -2], 1, Shortcut, [1]]\n" /* by the Conv */
                                  "  - [[-1, -1], 1, Shortcut, [1]]\n"
                                  "  - [[-1, -1], 1, Concat, [1]]\n"
                                  "  - [-1, 1, MP, []]\n"
                                  "  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]\n"
                                  "head:\n"
                                  "  - [[-1], 1, Detect, [nc, anchors]]\n";

static YvEngine *
new_engine (const char *device, YvPrecision precision, YvFallback fallback, GError **error)
{
  g_autofree char *path = NULL;
  const int fd = g_file_open_tmp ("yv-test-XXXXXX.yaml", &path, NULL);

  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, description, -1, NULL));
  const YvEngineOptions options = {
      .config_file = path, .device = device, .precision = precision, .fallback = fallback};
  YvEngine *engine = yv_engine_new (&options, error);
  g_unlink (path);
  return engine;
}

/* What was reported. */
typedef struct {
  uint32_t n_steps, n_wrong_steps, n_untested;
  bool seen[G_N_ELEMENTS (ops)];  /* steps of each op */
  bool wrong[G_N_ELEMENTS (ops)]; /* of which some were wrong */
  uint32_t n_of_precision[3];
} Report;

static bool
add_step (const YvSelftestStep *step, void *data)
{
  Report *report = data;

  g_test_message ("%s %s: %s, %s, %g max, %g relative, %g of allowed", step->kernel, step->step,
                  step->what, step->n_wrong ? "WRONG" : "ok", step->max_error, step->relative_error,
                  step->share_of_bound);
  g_assert_cmpint (step->n_wrong > 0, ==, step->share_of_bound > 1);
  report->n_steps += step->n_steps;
  report->n_wrong_steps += step->n_wrong > 0;
  report->n_untested += step->n_elems == 0;
  report->n_of_precision[step->precision]++;
  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    if (g_str_has_prefix (step->kernel, ops[i].kernel)) {
      report->seen[i] = true;
      report->wrong[i] |= step->n_wrong > 0;
    }
  return true;
}

static YvSelftestResult
run (YvEngine *engine, YvPrecision precision, Report *report)
{
  const YvSelftestOptions options = {
      .precision = precision, .size = SIZE - 1, .seed = 3, .report = add_step, .data = report};
  YvSelftestResult result;
  g_autoptr (GError) error = NULL;

  *report = (Report){0};
  yv_engine_selftest (engine, &options, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (result.size, ==, SIZE);
  g_assert_cmpuint (result.n_failed, ==, report->n_wrong_steps);
  g_assert_cmpuint (result.n_untested, ==, report->n_untested);
  return result;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
a_sound_device_passes (void)
{
  g_autoptr (GError) error = NULL;
  Report report;

  if (!yv_test_needs_vulkan ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  g_assert_no_error (error);
  const YvSelftestResult result = run (engine, YV_PRECISION_AUTO, &report);

  g_assert_cmpuint (result.n_failed, ==, 0);
  g_assert_cmpuint (result.n_untested, ==, 0);
  g_assert_cmpuint (report.n_steps, >=, result.n_tested);
  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    g_assert_true (report.seen[i]);
  g_assert_cmpuint (report.n_of_precision[YV_PRECISION_FP32], >, 0);
  run (engine, YV_PRECISION_FP32, &report);
  g_assert_cmpuint (report.n_of_precision[YV_PRECISION_FP16], ==, 0);
}

/* In both precisions; steps of other ops stay right. */
static void
one_wrong_value_of_any_op_is_found (void)
{
  g_autoptr (GError) error = NULL;
  Report report;

  if (!yv_test_needs_vulkan ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  g_assert_no_error (error);
  for (guint op = 0; op < G_N_ELEMENTS (ops); op++) {
    fault.op = ops[op].op;
    const YvSelftestResult result = run (engine, YV_PRECISION_AUTO, &report);

    g_assert_cmpuint (result.n_failed, >, 0);
    g_assert_cmpuint (result.n_failed, <, result.n_tested);
    for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
      g_assert_cmpint (report.wrong[i], ==, i == op);
  }
  fault.op = YV_N_OPS;
}

static void
a_missing_candidate_is_found (void)
{
  g_autoptr (GError) error = NULL;
  Report report;

  if (!yv_test_needs_vulkan ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  g_assert_no_error (error);
  fault.op = YV_OP_DETECT;
  fault.misses_candidate = true;
  g_assert_cmpuint (run (engine, YV_PRECISION_FP32, &report).n_failed, >, 0);
  fault.misses_candidate = false;
  fault.op = YV_N_OPS;
}

/* As a shader is wrong that forgets a class, or looks at the wrong bit of the mask. */
static void
decode_is_tried_in_each_mode (void)
{
  g_autoptr (GError) error = NULL;
  Report report;

  if (!yv_test_needs_vulkan ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  g_assert_no_error (error);
  fault.op = YV_OP_DETECT;
  fault.only_multi_label = true;
  g_assert_cmpuint (run (engine, YV_PRECISION_FP32, &report).n_failed, ==, 1);
  fault.only_multi_label = false;
  fault.only_masked = true;
  g_assert_cmpuint (run (engine, YV_PRECISION_FP32, &report).n_failed, ==, 1);
  fault.only_masked = false;
  fault.op = YV_N_OPS;
}

static void
it_leaves_no_weights_behind (void)
{
  g_autoptr (GError) error = NULL;
  Report report;

  if (!yv_test_needs_vulkan ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  g_assert_no_error (error);
  const uint64_t size_bytes = yv_weight_store_size_bytes (engine->store);
  run (engine, YV_PRECISION_AUTO, &report);
  g_assert_cmpuint (yv_weight_store_size_bytes (engine->store), ==, size_bytes);
}

static bool
stop_at_second (const YvSelftestStep *step, void *data)
{
  uint32_t *n_reported = data;

  (void) step;
  return ++*n_reported < 2;
}

static void
a_report_can_stop_it (void)
{
  uint32_t n_reported = 0;
  const YvSelftestOptions options = {.size = SIZE, .report = stop_at_second, .data = &n_reported};
  YvSelftestResult result;
  g_autoptr (GError) error = NULL, stopped = NULL;

  if (!yv_test_needs_vulkan ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  g_assert_no_error (error);
  g_assert_false (yv_engine_selftest (engine, &options, &result, &stopped));
  g_assert_error (stopped, YV_ERROR, YV_ERROR_IO);
  g_assert_cmpuint (n_reported, ==, 2);
  g_assert_cmpuint (result.n_tested, ==, 2);
}

static void
the_reference_needs_no_test (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine =
      new_engine ("reference", YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  const YvSelftestOptions options = {.size = SIZE};
  YvSelftestResult result;

  g_assert_no_error (error);
  g_assert_false (yv_engine_selftest (engine, &options, &result, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
}

static bool
has_fp16 (void)
{
  g_autoptr (YvDevice) device = yv_test_open_device ();

  if (device && yv_device_caps (device)->fp16_storage)
    return true;
  if (device)
    g_test_skip ("the device has no 16-bit storage");
  return false;
}

static void
sound_fp16_is_used (void)
{
  g_autoptr (GError) error = NULL;

  if (!has_fp16 ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP16, YV_FALLBACK_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpint (yv_engine_info (engine)->precision, ==, YV_PRECISION_FP16);
  g_assert_null (yv_engine_info (engine)->warning);
}

/* Whatever op is wrong; what is used then is right. */
static void
a_device_wrong_in_fp16_is_used_in_fp32 (void)
{
  Report report;

  if (!has_fp16 ())
    return;
  fault.only_fp16 = true;
  for (guint i = 0; i < G_N_ELEMENTS (ops); i++) {
    g_autoptr (GError) error = NULL;

    if (ops[i].op == YV_OP_DETECT) /* is fp32 in both */
      continue;
    fault.op = ops[i].op;
    g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP16, YV_FALLBACK_FP32, &error);
    g_assert_no_error (error);
    const YvEngineInfo *info = yv_engine_info (engine);
    g_test_message ("%s", info->warning);
    g_assert_cmpint (info->precision, ==, YV_PRECISION_FP32);
    g_assert_nonnull (strstr (info->warning, info->device_name));
    g_assert_nonnull (strstr (info->warning, ops[i].kernel));
    g_assert_nonnull (strstr (info->warning, "fp32"));
    g_assert_cmpuint (run (engine, YV_PRECISION_FP32, &report).n_failed, ==, 0);
  }
  fault.only_fp16 = false;
  fault.op = YV_N_OPS;
}

static void
values_that_are_no_numbers_are_wrong (void)
{
  g_autoptr (GError) error = NULL;

  if (!has_fp16 ())
    return;
  fault.op = YV_OP_CONV;
  fault.is_nan = true;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP16, YV_FALLBACK_FP32, &error);
  fault.is_nan = false;
  fault.op = YV_N_OPS;
  g_assert_no_error (error);
  g_assert_nonnull (yv_engine_info (engine)->warning);
}

/* All that the convolutions with an activation give is infinite. */
static void
overflow (YvEngine *engine)
{
  for (guint i = 0; i < engine->graph->nodes->len; i++) {
    YvNode *node = engine->graph->nodes->pdata[i];

    if (node->op != YV_OP_CONV || node->act.kind == YV_ACT_NONE)
      continue;
    node->act.kind = YV_ACT_RELU;
    for (uint32_t o = 0; o < node->c_out; o++)
      node->conv.weight->bias[o] = 1e39; /* more than FLT_MAX */
  }
}

static void
steps_that_only_overflow_are_untested (void)
{
  g_autoptr (GError) error = NULL;
  Report report;

  if (!yv_test_needs_vulkan ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  g_assert_no_error (error);
  overflow (engine);
  const YvSelftestResult result = run (engine, YV_PRECISION_FP32, &report);
  g_assert_cmpuint (result.n_failed, ==, 0);
  g_assert_cmpuint (result.n_untested, >, 0);
  g_assert_cmpuint (result.n_tested, >, 0);

  fault.op = YV_OP_CONV;
  fault.is_nan = true; /* the device has an infinity there */
  g_assert_cmpuint (run (engine, YV_PRECISION_FP32, &report).n_failed, >=, result.n_untested);
  g_assert_cmpuint (report.n_untested, ==, 0);
  fault.is_nan = false;
  fault.op = YV_N_OPS;
}

/* Tests both steps of each convolution. Returns: how many values of products were wrong. */
static uint64_t
count_wrong_in_parts (YvEngine *engine, const YvPlan *plan, uint32_t *n_steps)
{
  uint64_t n_wrong_products = 0;

  for (uint32_t i = 0; i < plan->steps->len; i++) {
    const YvStep *step = &g_array_index (plan->steps, YvStep, i);
    g_autoptr (GError) error = NULL;
    YvStepTest test;

    if (step->part == YV_PART_WHOLE)
      continue;
    yv_step_test (engine->device, engine->store, plan, i, 1, &test, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (test.n_elems, >, 0);
    if (step->part == YV_PART_SPLIT_PRODUCT)
      n_wrong_products += test.n_wrong;
    else
      g_assert_cmpuint (test.n_wrong, ==, 0);
    (*n_steps)++;
  }
  return n_wrong_products;
}

static void
sums_in_parts_are_tested_like_any_step (void)
{
  const YvPlanOptions options = {.n = 1, .h = SIZE, .w = SIZE, .dtype = YV_DTYPE_F32};
  g_autoptr (GError) error = NULL;
  uint32_t n_steps = 0;

  if (!yv_test_needs_vulkan ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP32, YV_FALLBACK_FP32, &error);
  g_assert_no_error (error);
  YvCaps caps = *yv_device_caps (engine->device);
  caps.texel_lanes = false;
  caps.conv_parts = 3;
  g_autoptr (YvPlan) plan = yv_plan_new (engine->graph, &caps, &options, &error);
  g_assert_no_error (error);

  g_assert_cmpuint (count_wrong_in_parts (engine, plan, &n_steps), ==, 0);
  g_assert_cmpuint (n_steps, >=, 2);
  fault.op = YV_OP_CONV;
  g_assert_cmpuint (count_wrong_in_parts (engine, plan, &n_steps), >, 0);
  fault.op = YV_N_OPS;
}

/* As on a GPU with more cores than a layer has tiles. */
static void
fp16_is_tested_where_sums_are_in_parts (void)
{
  g_autoptr (GError) error = NULL;

  if (!has_fp16 ())
    return;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP16, YV_FALLBACK_NONE, &error);
  g_assert_no_error (error);
  YvCaps *caps = (YvCaps *) (uintptr_t) yv_device_caps (engine->device);
  caps->texel_lanes = false;
  caps->conv_parts = 3;
  g_assert_true (yv_selftest_fp16 (engine, &error));
  g_assert_no_error (error);

  fault.op = YV_OP_CONV;
  g_assert_false (yv_selftest_fp16 (engine, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
  fault.op = YV_N_OPS;
}

static void
without_a_fallback_it_is_an_error (void)
{
  g_autoptr (GError) error = NULL;

  if (!has_fp16 ())
    return;
  fault.op = YV_OP_CONV;
  g_autoptr (YvEngine) engine = new_engine (NULL, YV_PRECISION_FP16, YV_FALLBACK_NONE, &error);
  fault.op = YV_N_OPS;
  g_assert_null (engine);
  g_assert_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "fp16"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/selftest/sound", a_sound_device_passes);
  g_test_add_func ("/selftest/wrong-value", one_wrong_value_of_any_op_is_found);
  g_test_add_func ("/selftest/missing-candidate", a_missing_candidate_is_found);
  g_test_add_func ("/selftest/decode-modes", decode_is_tried_in_each_mode);
  g_test_add_func ("/selftest/weights", it_leaves_no_weights_behind);
  g_test_add_func ("/selftest/stop", a_report_can_stop_it);
  g_test_add_func ("/selftest/reference", the_reference_needs_no_test);
  g_test_add_func ("/selftest/sound-fp16", sound_fp16_is_used);
  g_test_add_func ("/selftest/fallback", a_device_wrong_in_fp16_is_used_in_fp32);
  g_test_add_func ("/selftest/no-numbers", values_that_are_no_numbers_are_wrong);
  g_test_add_func ("/selftest/overflow", steps_that_only_overflow_are_untested);
  g_test_add_func ("/selftest/parts", sums_in_parts_are_tested_like_any_step);
  g_test_add_func ("/selftest/fp16-parts", fp16_is_tested_where_sums_are_in_parts);
  g_test_add_func ("/selftest/no-fallback", without_a_fallback_it_is_an_error);
  return g_test_run ();
}
