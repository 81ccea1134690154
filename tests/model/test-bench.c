/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-bench.c - times of stages and of steps. */
#include "engine/yolov7-tools.h"
#include "tests/common/device.h"
#include "tests/model/enginecase.h"

static void
bench_counts_and_times_every_stage (void)
{
  g_autoptr (YvEngine) engine = open_engine ("reference");
  const YvBenchOptions options = {.width = 64, .height = 32, .batch = 2, .n_runs = 3};
  YvBenchResult result;
  g_autoptr (GError) error = NULL;

  yv_engine_bench (engine, &options, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (result.total.median_ms, >, 0);
  g_assert_cmpfloat (result.total.p10_ms, <=, result.total.median_ms);
  g_assert_cmpfloat (result.total.p90_ms, >=, result.total.median_ms);
  g_assert_cmpfloat (result.first_ms, >, 0);
  g_assert_cmpfloat (result.host.median_ms, >, 0); /* the reference computes in this thread */
  g_assert_cmpfloat (result.flops_per_image, >, 0);
  g_assert_cmpuint (result.arena_bytes, >, 0);
  g_assert_cmpuint (result.n_steps, >, 0);

  const YvBenchOptions bad = {.width = 64, .height = 33, .batch = 1, .n_runs = 1};
  g_assert_false (yv_engine_bench (engine, &bad, &result, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
  g_clear_error (&error);
  const YvBenchOptions none = {.width = 64, .height = 32, .batch = 0, .n_runs = 1};
  g_assert_false (yv_engine_bench (engine, &none, &result, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
}

static void
check_profile (const char *device)
{
  const YvBenchOptions options = {
      .width = 64, .height = 32, .batch = 2, .n_warmup = 1, .n_runs = 3};
  g_autoptr (YvEngine) engine = open_engine (device);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvProfile) profile = yv_engine_profile (engine, &options, &error);
  YvBenchResult result;
  double sum_ms = 0, flops = 0, network_flops = 0;

  if (g_error_matches (error, YV_ERROR, YV_ERROR_UNSUPPORTED))
    return; /* a device without timestamps */
  g_assert_no_error (error);
  g_assert_true (yv_engine_bench (engine, &options, &result, NULL));
  g_assert_cmpuint (profile->n_steps, ==, result.n_steps);
  for (uint32_t i = 0; i < profile->n_steps; i++) {
    const YvProfileStep *step = &profile->steps[i];

    g_assert_cmpstr (step->name, !=, "");
    g_assert_cmpstr (step->op, !=, "");
    g_assert_cmpfloat (step->min_ms, >=, 0);
    g_assert_cmpfloat (step->median_ms, >=, step->min_ms);
    g_assert_cmpfloat (step->bytes, >, 0);
    sum_ms += step->median_ms;
    flops += step->flops;
    if (!g_str_has_prefix (step->name, "letterbox.") && !g_str_has_prefix (step->op, "detect"))
      network_flops += step->flops;
  }
  g_assert_cmpfloat (sum_ms, >, 0);
  g_assert_cmpfloat_with_epsilon (flops / 2 / result.flops_per_image, 1, 1e-9);
  g_assert_cmpfloat_with_epsilon (network_flops / 2 / result.network_flops_per_image, 1, 1e-9);
}

static void
profile_times_every_step_on_every_device (void)
{
  check_profile ("reference");
  if (yv_test_needs_vulkan ())
    check_profile (NULL);
}

/* Each slot is recorded anew before its second run, which is never one that counts, unless all do.
 */
static void
every_batch_in_flight_is_warmed_up (void)
{
  static const uint32_t cases[][3] = {{0, 2, 0}, {1, 1, 2}, {1, 3, 6}, {7, 3, 7}};
  g_autoptr (YvEngine) engine = open_engine ("reference");

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    const YvBenchOptions options = {.width = 64,
                                    .height = 32,
                                    .batch = 1,
                                    .n_warmup = cases[i][0],
                                    .n_runs = 1,
                                    .in_flight = cases[i][1]};
    YvBenchResult result;

    g_assert_true (yv_engine_bench (engine, &options, &result, NULL));
    g_assert_cmpuint (result.n_warmup, ==, cases[i][2]);
    g_assert_cmpfloat (result.images_per_s, >, 0);
  }
}

static void
counts_of_runs_out_of_range_are_refused (void)
{
  static const uint32_t cases[][2] = {{G_MAXUINT32, 3}, {1000001, 1}, {0, 0}, {0, 1000001}};
  g_autoptr (YvEngine) engine = open_engine ("reference");

  for (uint32_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    const YvBenchOptions options = {
        .width = 64, .height = 32, .batch = 1, .n_warmup = cases[i][0], .n_runs = cases[i][1]};
    g_autoptr (GError) error = NULL, error_of_bench = NULL;
    YvBenchResult result;

    g_assert_null (yv_engine_profile (engine, &options, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
    g_assert_false (yv_engine_bench (engine, &options, &result, &error_of_bench));
    g_assert_error (error_of_bench, YV_ERROR, YV_ERROR_INVALID);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bench/stages", bench_counts_and_times_every_stage);
  g_test_add_func ("/bench/warm-up", every_batch_in_flight_is_warmed_up);
  g_test_add_func ("/bench/counts", counts_of_runs_out_of_range_are_refused);
  g_test_add_func ("/bench/profile", profile_times_every_step_on_every_device);
  return g_test_run ();
}
