/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/model/test-tune.c - engine/tune.c: what is measured, refused, kept and used.
 *
 * A kernel that is wrong on this device is played by a weight that is packed wrongly for it: the
 * linker puts the function below (meson.build: --wrap) in the place of ours. Nothing here depends
 * on how long anything takes. */
#include "engine/tune.h"

#include <string.h>

#include <glib/gstdio.h>

#include "engine/cache.h"
#include "engine/plan/pack.h"
#include "tests/common/device.h"
#include "tests/common/paths.h"

/* ---- a fault --------------------------------------------------------------------------------- */

void __real_yv_pack_weight (const YvStep *step, void *dst);
void __wrap_yv_pack_weight (const YvStep *step, void *dst);

static YvPack wrong_pack; /* NONE: nothing is wrong */

/* A bit of the last value that is not padding, of 4 bytes. */
void
__wrap_yv_pack_weight (const YvStep *step, void *dst)
{
  uint32_t *words = dst;

  __real_yv_pack_weight (step, dst);
  if (step->pack != wrong_pack)
    return;
  for (size_t i = yv_pack_size_bytes (step) / sizeof *words; i-- > 0;) {
    if (words[i] == 0)
      continue;
    words[i] ^= 1u << 30;
    return;
  }
}

YvExecutor *__real_yv_vulkan_executor_new (YvDevice *device, YvWeightStore *store,
                                           const YvPlan *plan, uint32_t n_slots, GError **error);
YvExecutor *__wrap_yv_vulkan_executor_new (YvDevice *device, YvWeightStore *store,
                                           const YvPlan *plan, uint32_t n_slots, GError **error);

/* What fails in place of the device, and how; what the cache says when a way is tried. */
static struct {
  YvPack pack; /* NONE: nothing fails */
  int code;
  bool watches;
  uint32_t n_noted, n_tried;
} failure;

static void
watch (const YvDevice *device, const YvStep *step)
{
  g_autoptr (YvWays) kept = yv_tune_load (device);
  g_autofree char *text = yv_ways_print (kept), *way = yv_way_print (&step->way);
  g_autofree char *refusal = g_strdup_printf (" ! %s\n", way);

  failure.n_tried++;
  failure.n_noted += strstr (text, refusal) != NULL;
}

YvExecutor *
__wrap_yv_vulkan_executor_new (YvDevice *device, YvWeightStore *store, const YvPlan *plan,
                               uint32_t n_slots, GError **error)
{
  const YvStep *step = &g_array_index (plan->steps, YvStep, 0);

  if (failure.watches)
    watch (device, step);
  if (failure.pack == YV_PACK_NONE || step->pack != failure.pack)
    return __real_yv_vulkan_executor_new (device, store, plan, n_slots, error);
  g_set_error (error, YV_ERROR, failure.code, "as if the device had failed");
  return NULL;
}

/* ---- a model --------------------------------------------------------------------------------- */

static YvEngine *
open_model (YvTuning tuning)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/tiny-silu.pt");
  const YvEngineOptions options = {
      .model_file = path, .precision = YV_PRECISION_FP32, .tuning = tuning};
  g_autoptr (GError) error = NULL;

  if (!yv_test_needs_vulkan ())
    return NULL;
  YvEngine *engine = yv_engine_new (&options, &error);
  g_assert_no_error (error);
  return engine;
}

static YvPlan *
plan_of (YvEngine *engine, YvWays *ways)
{
  const YvPlanOptions options = {.n = 1, .h = 64, .w = 64, .dtype = YV_DTYPE_F32, .ways = ways};
  g_autoptr (GError) error = NULL;
  YvPlan *plan = yv_plan_new (engine->graph, yv_device_caps (engine->device), &options, &error);

  g_assert_no_error (error);
  return plan;
}

static uint32_t
count_pack (const YvPlan *plan, YvPack pack)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < plan->steps->len; i++)
    n += g_array_index (plan->steps, YvStep, i).pack == pack;
  return n;
}

/* What the report said. */
typedef struct {
  uint32_t n_layers, n_ways, n_wrong, n_chosen_wrong, n_unchosen;
  uint32_t stop_after; /* 0: never */
} Seen;

static bool
see (const YvTuneLayer *layer, void *data)
{
  Seen *seen = data;

  seen->n_layers++;
  seen->n_ways += layer->n_ways;
  for (uint32_t i = 0; i < layer->n_ways; i++) {
    seen->n_wrong += layer->ways[i].is_wrong;
    g_assert_true (layer->ways[i].is_wrong == (layer->ways[i].worst_share > 1));
    g_assert_true (layer->ways[i].is_wrong == (layer->ways[i].ns == 0));
  }
  seen->n_unchosen += layer->chosen == layer->n_ways;
  if (layer->chosen < layer->n_ways)
    seen->n_chosen_wrong += layer->ways[layer->chosen].is_wrong;
  return seen->n_layers != seen->stop_after;
}

static YvTuneTotals
tune_images (YvEngine *engine, YvWays *ways, uint32_t n_images, uint64_t budget_ns, Seen *seen)
{
  const YvPlanOptions options = {.n = n_images, .h = 64, .w = 64, .dtype = YV_DTYPE_F32};
  const YvTuneRequest request = {.device = engine->device,
                                 .graph = engine->graph,
                                 .options = &options,
                                 .ways = ways,
                                 .budget_ns = budget_ns,
                                 .report = see,
                                 .data = seen};
  g_autoptr (GError) error = NULL;
  YvTuneTotals totals;

  yv_tune (&request, &totals, &error);
  g_assert_no_error (error);
  return totals;
}

static YvTuneTotals
tune (YvEngine *engine, YvWays *ways, uint64_t budget_ns, Seen *seen)
{
  return tune_images (engine, ways, 1, budget_ns, seen);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
every_way_of_a_sound_device_is_right (void)
{
  g_autoptr (YvEngine) engine = open_model (YV_TUNING_OFF);
  g_autoptr (YvWays) ways = yv_ways_new ();
  Seen seen = {0};
  if (!engine)
    return;

  const YvTuneTotals totals = tune (engine, ways, 0, &seen);
  g_test_message ("%u layers, %u ways", seen.n_layers, seen.n_ways);
  g_assert_cmpuint (seen.n_wrong, ==, 0);
  g_assert_cmpuint (totals.n_wrong, ==, 0);
  g_assert_cmpuint (seen.n_unchosen, ==, 0);
  g_assert_cmpuint (totals.n_tuned, ==, seen.n_layers);
  g_assert_cmpuint (totals.n_layers, ==, seen.n_layers);
  g_assert_cmpuint (seen.n_ways, >=, seen.n_layers);

  /* What has been measured isn't measured again, and is what a plan takes. */
  Seen again = {0};
  g_assert_cmpuint (tune (engine, ways, 0, &again).n_layers, ==, 0);
  g_assert_cmpuint (again.n_layers, ==, 0);
}

static const char description[] = "nc: 2\n"
                                  "depth_multiple: 1.0\n"
                                  "width_multiple: 1.0\n"
                                  "anchors:\n"
                                  "  - [10,16, 20,24]\n"
                                  "backbone:\n"
                                  "  - [-1, 1, Conv, [32, 3, 2]]\n"
                                  "  - [-1, 1, Conv, [32, 3, 2]]\n"
                                  "  - [-1, 1, Conv, [32, 3, 1]]\n"
                                  "  - [[-1, -2], 1, Shortcut, [1]]\n"
                                  "  - [-1, 1, Conv, [32, 1, 1]]\n"
                                  "  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]\n"
                                  "  - [-1, 1, Conv, [32, 3, 2]]\n"
                                  "head:\n"
                                  "  - [[-1], 1, Detect, [nc, anchors]]\n";

static YvEngine *
open_description (void)
{
  g_autofree char *path = NULL;
  const int fd = g_file_open_tmp ("yv-test-XXXXXX.yaml", &path, NULL);
  const YvEngineOptions options = {
      .config_file = path, .precision = YV_PRECISION_FP32, .tuning = YV_TUNING_OFF};
  g_autoptr (GError) error = NULL;

  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, description, -1, NULL));
  YvEngine *engine = yv_test_needs_vulkan () ? yv_engine_new (&options, &error) : NULL;
  g_assert_no_error (error);
  g_unlink (path);
  return engine;
}

/* Of two images; shapes with an epilogue are measured like others. */
static void
what_adds_and_what_enlarges_is_measured (void)
{
  g_autoptr (YvEngine) engine = open_description ();
  g_autoptr (YvWays) ways = yv_ways_new ();
  Seen seen = {0};
  if (!engine)
    return;

  const YvTuneTotals totals = tune_images (engine, ways, 2, 0, &seen);
  g_assert_cmpuint (seen.n_wrong, ==, 0);
  g_assert_cmpuint (totals.n_tuned, ==, totals.n_layers);
  g_autofree char *text = yv_ways_print (ways);
  g_test_message ("%s", text);
  g_assert_nonnull (strstr (text, "2 of "));
  g_assert_nonnull (strstr (text, "silu+add = "));
  g_assert_nonnull (strstr (text, "silu x2 = "));
}

/* By an error here; what ends the process would leave the note that was written before it. */
static void
what_loses_the_device_is_not_tried_again (void)
{
  g_autoptr (YvEngine) engine = open_description ();
  const YvPlanOptions options = {.n = 1, .h = 64, .w = 64, .dtype = YV_DTYPE_F32};
  YvTuneRequest request = {.options = &options, .is_thorough = true, .keeps = true};
  g_autoptr (GError) error = NULL;
  YvTuneTotals totals;
  if (!engine)
    return;
  if (!yv_device_caps (engine->device)->texel_lanes) {
    g_test_skip ("the device has one way only");
    return;
  }

  g_autoptr (YvWays) ways = yv_ways_new ();
  request.device = engine->device;
  request.graph = engine->graph;
  request.ways = ways;
  failure.pack = YV_PACK_LANES32;
  failure.code = YV_ERROR_DEVICE_LOST;
  failure.watches = true;
  g_assert_false (yv_tune (&request, &totals, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
  g_assert_cmpuint (failure.n_noted, ==, failure.n_tried - 1); /* all but conv_tile */
  g_clear_error (&error);
  g_autoptr (YvWays) kept = yv_tune_load (engine->device);
  g_autofree char *text = yv_ways_print (kept);
  g_assert_nonnull (strstr (text, " ! conv_lanes32\n"));

  /* As a process that comes next: it loses the device once for each shape at most. */
  request.is_thorough = false;
  request.ways = kept;
  for (uint32_t i = 0; !yv_tune (&request, &totals, &error); i++) {
    g_assert_error (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
    g_assert_cmpuint (i, <, engine->graph->nodes->len);
    g_clear_error (&error);
  }
  failure.watches = false;
  failure.pack = YV_PACK_NONE;

  /* Nothing stays refused that did no harm. */
  g_autoptr (YvWays) at_last = yv_tune_load (engine->device);
  g_autofree char *end = yv_ways_print (at_last);
  g_auto (GStrv) lines = g_strsplit (end, "\n", -1);
  for (uint32_t i = 0; lines[i]; i++)
    if (strstr (lines[i], " ! "))
      g_assert_true (g_str_has_suffix (lines[i], " ! conv_lanes32"));
}

/* The engine does so by itself on a GPU, which this device plays. */
static void
a_tuner_that_fails_does_not_fail_the_network (void)
{
  g_autoptr (YvEngine) engine = open_description ();
  const YvPlanOptions options = {.n = 1, .h = 64, .w = 64};
  g_autoptr (GError) error = NULL;
  if (!engine)
    return;

  YvCaps *caps = (YvCaps *) (uintptr_t) yv_device_caps (engine->device);
  caps->is_cpu = false;
  engine->ways = yv_ways_new ();
  failure.pack = YV_PACK_TILE; /* what all are compared with */
  failure.code = YV_ERROR_UNSUPPORTED;
  g_autoptr (YvRunner) runner = yv_engine_make_runner (engine, &options, &error);
  failure.pack = YV_PACK_NONE;
  caps->is_cpu = true;
  g_assert_no_error (error);
  g_assert_nonnull (runner);
  g_autofree char *text = yv_ways_print (engine->ways);
  g_assert_cmpstr (text, ==, "");
}

static void
tuning_is_turned_off_by_the_environment (void)
{
  g_setenv ("YV_TUNING", "off", TRUE);
  g_autoptr (YvEngine) off = open_model (YV_TUNING_AUTO);
  g_unsetenv ("YV_TUNING");
  g_autoptr (YvEngine) on = open_model (YV_TUNING_AUTO);

  if (!off)
    return;
  g_assert_null (off->ways);
  g_assert_nonnull (on->ways);
}

static void
a_wrong_way_is_refused_and_remembered (YvPack pack)
{
  g_autoptr (YvEngine) engine = open_model (YV_TUNING_OFF);
  g_autoptr (YvWays) ways = yv_ways_new ();
  g_autoptr (YvWays) read_again = yv_ways_new ();
  Seen seen = {0};
  if (!engine)
    return;
  if (!yv_device_caps (engine->device)->texel_lanes) {
    g_test_skip ("the device has one way only");
    return;
  }

  wrong_pack = pack;
  const YvTuneTotals totals = tune (engine, ways, 0, &seen);
  wrong_pack = YV_PACK_NONE;
  g_test_message ("%u of %u ways are wrong", seen.n_wrong, seen.n_ways);
  g_assert_cmpuint (seen.n_wrong, >, 0);
  g_assert_cmpuint (totals.n_wrong, ==, seen.n_wrong);
  g_assert_cmpuint (seen.n_chosen_wrong, ==, 0);

  g_autofree char *text = yv_ways_print (ways);
  g_assert_nonnull (strstr (text, " ! "));
  g_assert_true (yv_ways_parse (read_again, text));
  g_autoptr (YvPlan) before = plan_of (engine, NULL);
  g_autoptr (YvPlan) after = plan_of (engine, read_again);
  g_assert_cmpuint (count_pack (before, pack), >, 0);
  g_assert_cmpuint (count_pack (after, pack), ==, 0);
}

static void
a_wrong_kernel_is_never_taken (void)
{
  /* The usual one of layers with few channels, on every CPU. */
  a_wrong_way_is_refused_and_remembered (YV_PACK_LANES32);
}

static void
a_wrong_algorithm_is_never_taken (void)
{
  g_autoptr (YvDevice) device = yv_test_open_device ();
  const bool wide = device && yv_device_caps (device)->wide_lanes;

  a_wrong_way_is_refused_and_remembered (wide ? YV_PACK_WINOGRAD64 : YV_PACK_WINOGRAD32);
}

/* A nanosecond is over before anything was tried. */
static void
without_time_all_stays_as_it_is (void)
{
  g_autoptr (YvEngine) engine = open_model (YV_TUNING_OFF);
  g_autoptr (YvWays) ways = yv_ways_new ();
  Seen seen = {0};
  if (!engine)
    return;

  const YvTuneTotals totals = tune (engine, ways, 1, &seen);
  g_assert_cmpuint (totals.n_tuned, ==, 0);
  g_assert_cmpuint (totals.n_layers, >, 0);
  g_assert_cmpuint (seen.n_unchosen, ==, totals.n_layers);
  g_assert_cmpuint (seen.n_ways, ==, 0);
  g_autofree char *text = yv_ways_print (ways);
  g_assert_cmpstr (text, ==, "");
  g_autoptr (YvPlan) before = plan_of (engine, NULL);
  g_autoptr (YvPlan) after = plan_of (engine, ways);
  g_autofree char *a = yv_plan_print (before), *b = yv_plan_print (after);
  g_assert_cmpstr (a, ==, b);
}

static void
what_was_tuned_is_kept_for_the_next_engine (void)
{
  g_autoptr (YvEngine) engine = open_model (YV_TUNING_AUTO);
  const YvTuneOptions options = {.width = 64, .height = 64};
  g_autoptr (GError) error = NULL;
  YvTuneResult result;
  if (!engine)
    return;

  g_assert_true (yv_engine_tune (engine, &options, &result, &error));
  g_assert_no_error (error);
  g_assert_true (result.is_kept);
  g_assert_cmpuint (result.n_tuned, ==, result.n_layers);
  g_assert_cmpuint (result.chosen_ns, <=, result.usual_ns);

  g_autoptr (YvEngine) next = open_model (YV_TUNING_AUTO);
  g_autofree char *own = yv_ways_print (engine->ways), *kept = yv_ways_print (next->ways);
  g_assert_cmpstr (own, !=, "");
  g_assert_cmpstr (own, ==, kept);
  g_autoptr (YvEngine) usual = open_model (YV_TUNING_OFF);
  g_assert_null (usual->ways);

  /* A file that is not one is as if it weren't there, and is replaced. */
  g_autofree char *path = yv_cache_path ("tuning", yv_device_uuid (engine->device));
  g_assert_true (g_file_set_contents (path, "junk", -1, NULL));
  g_autoptr (YvEngine) without = open_model (YV_TUNING_AUTO);
  g_autofree char *nothing = yv_ways_print (without->ways);
  g_assert_cmpstr (nothing, ==, "");
  g_assert_true (yv_engine_tune (engine, &options, &result, &error));
  g_assert_no_error (error);
  g_autoptr (YvWays) replaced = yv_tune_load (engine->device);
  g_autofree char *anew = yv_ways_print (engine->ways), *again = yv_ways_print (replaced);
  g_assert_cmpstr (anew, !=, "");
  g_assert_cmpstr (anew, ==, again);
}

static void
it_stops_where_its_report_is_not_taken (void)
{
  g_autoptr (YvEngine) engine = open_model (YV_TUNING_OFF);
  Seen seen = {.stop_after = 2};
  const YvTuneOptions options = {.width = 64, .height = 64, .report = see, .data = &seen};
  g_autoptr (GError) error = NULL;
  YvTuneResult result;
  if (!engine)
    return;

  g_assert_false (yv_engine_tune (engine, &options, &result, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_IO);
  g_assert_cmpuint (seen.n_layers, ==, 2);
  g_assert_cmpuint (result.n_tuned, ==, 2);
}

static void
the_reference_is_refused (void)
{
  g_autofree char *path = yv_test_source_path ("tests/golden/checkpoints/tiny-silu.pt");
  const YvEngineOptions engine_options = {.model_file = path, .device = "reference"};
  const YvTuneOptions options = {0};
  g_autoptr (GError) error = NULL;
  YvTuneResult result;
  g_autoptr (YvEngine) engine = yv_engine_new (&engine_options, &error);

  g_assert_no_error (error);
  g_assert_false (yv_engine_tune (engine, &options, &result, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_autofree char *home = g_dir_make_tmp ("yolov7-tune-XXXXXX", NULL);
  g_autofree char *folder = g_build_filename (home, "gst-yolov7", NULL);

  g_setenv ("XDG_CACHE_HOME", home, TRUE);
  g_unsetenv ("YV_CACHE");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tune/right", every_way_of_a_sound_device_is_right);
  g_test_add_func ("/tune/wrong/kernel", a_wrong_kernel_is_never_taken);
  g_test_add_func ("/tune/wrong/algorithm", a_wrong_algorithm_is_never_taken);
  g_test_add_func ("/tune/epilogues", what_adds_and_what_enlarges_is_measured);
  g_test_add_func ("/tune/lost", what_loses_the_device_is_not_tried_again);
  g_test_add_func ("/tune/failing", a_tuner_that_fails_does_not_fail_the_network);
  g_test_add_func ("/tune/environment", tuning_is_turned_off_by_the_environment);
  g_test_add_func ("/tune/no-time", without_time_all_stays_as_it_is);
  g_test_add_func ("/tune/kept", what_was_tuned_is_kept_for_the_next_engine);
  g_test_add_func ("/tune/stopped", it_stops_where_its_report_is_not_taken);
  g_test_add_func ("/tune/reference", the_reference_is_refused);
  const int status = g_test_run ();

  g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
  for (const char *name; files && (name = g_dir_read_name (files));) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_remove (path);
  }
  g_rmdir (folder);
  g_rmdir (home);
  return status;
}
