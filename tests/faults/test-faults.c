/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/faults/test-faults.c - each call of Vulkan fails in turn: no crash, no hang, no leak.
 *
 * With YV_TEST_DISCRETE in the environment on a device that looks like a discrete GPU.
 */
#include <string.h>

#include "engine/cache.h"
#include "engine/engine.h"
#include "engine/tune.h"
#include "engine/vulkan/device.h"
#include "engine/vulkan/timeline.h"
#include "tests/common/device.h"
#include "tests/faults/faultcase.h"

static YvEngine *
load (void)
{
  g_autoptr (GError) error = NULL;
  YvEngine *engine = fault_load (YV_PRECISION_FP32, &error);

  g_assert_no_error (error);
  return engine;
}

static void
check_nothing_lives (void)
{
  g_assert_cmpuint (fault_n_live (), ==, 0);
  g_assert_cmpuint (fault_live_bytes (), ==, 0);
}

/* False, after yv_test_lacks_vulkan(), where there is no device, or a loader that loads no layers.
 */
static bool
is_ready (void)
{
  static bool is_noted = false;
  g_autoptr (GError) error = NULL;

  if (is_noted)
    return true;
  g_autoptr (YvEngine) engine = fault_load (YV_PRECISION_FP32, &error);
  if (!engine || !fault_is_loaded ()) {
    yv_test_lacks_vulkan (engine ? "the loader does not load the layer" : error->message);
    return false;
  }
  fault_note_expected (engine);
  is_noted = true;
  return true;
}

/* Before any other, as there is one instance. */
static void
an_instance_that_fails_is_made_by_the_next (void)
{
  const char *call = "vkCreateInstance";

  for (uint32_t i = 0; fault_call_result (call, i) != VK_SUCCESS; i++) {
    const Fault fault = {call, 1, fault_call_result (call, i)};
    g_autoptr (GError) error = NULL;

    fault_arm (call, 1, fault.result, false);
    g_assert_null (fault_load (YV_PRECISION_FP32, &error));
    if (!fault_is_loaded ()) {
      yv_test_lacks_vulkan (error->message);
      return;
    }
    g_assert_cmpuint (fault_n_failed (), ==, 1);
    fault_check_error (&fault, error);
    fault_disarm ();
  }
  g_assert_true (is_ready ());
}

/* ---- loading --------------------------------------------------------------------------------- */

static void
load_once (void *data)
{
  (void) data;
  yv_engine_unref (load ());
}

/* Who can't be waited for is done once the device is idle; what any other call would give is used.
 */
static bool
does_without (const Fault *fault)
{
  return strcmp (fault->call, "vkWaitSemaphores") == 0 && fault->result != VK_ERROR_DEVICE_LOST;
}

static void
load_with_fault (const Fault *fault, void *data)
{
  g_autoptr (GError) error = NULL;
  YvEngine *engine = fault_load (YV_PRECISION_FP32, &error);

  (void) data;
  g_assert_cmpuint (fault_n_failed (), ==, 1);
  g_assert_true ((engine != NULL) == does_without (fault));
  if (engine)
    fault_check_works (engine);
  else
    fault_check_error (fault, error);
  yv_engine_unref (engine);
  check_nothing_lives ();
}

static void
each_call_fails_while_loading (void)
{
  if (!is_ready ())
    return;

  g_autoptr (GArray) n_uses = g_array_new (FALSE, FALSE, sizeof (uint32_t));

  fault_count_uses (load_once, NULL, n_uses);
  check_nothing_lives ();
  fault_try_all (n_uses, load_with_fault, NULL);
  YvEngine *engine = load ();
  fault_check_works (engine);
  yv_engine_unref (engine);
}

/* Half of the calls are the check of fp16's: what it finds is no reason to fail. */
static void
load_fp16_once (void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (YvEngine) engine = fault_load (YV_PRECISION_FP16, &error);

  (void) data;
  g_assert_no_error (error);
}

static void
load_fp16_with_fault (const Fault *fault, void *data)
{
  g_autoptr (GError) error = NULL;
  YvEngine *engine = fault->nth > 1 ? fault_load (YV_PRECISION_FP16, &error) : NULL;

  (void) data;
  if (fault->nth == 1)
    return; /* as in fp32 */
  g_assert_cmpuint (fault_n_failed (), ==, 1);
  if (engine) {
    fault_check_works (engine);
    g_assert_cmpint (engine->info.precision == YV_PRECISION_FP32, ==, engine->info.warning != NULL);
  } else {
    fault_check_error (fault, error);
  }
  yv_engine_unref (engine);
  check_nothing_lives ();
}

static void
each_call_fails_while_fp16_is_checked (void)
{
  if (!is_ready ())
    return;

  g_autoptr (GArray) n_uses = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  g_autoptr (YvEngine) engine = fault_load (YV_PRECISION_FP16, NULL);
  if (engine->info.precision != YV_PRECISION_FP16) {
    g_test_skip (engine->info.warning);
    return;
  }
  fault_note_expected (engine);
  g_clear_pointer (&engine, yv_engine_unref);
  fault_count_uses (load_fp16_once, NULL, n_uses);
  fault_try_all (n_uses, load_fp16_with_fault, NULL);
}

/* A driver that can't take what was kept starts with nothing, and one that can't give what it
 * compiled keeps nothing. What is kept here is longer than what some drivers have to tell. */
static void
what_keeps_pipelines_may_fail (void)
{
  static const char *const calls[] = {"vkCreatePipelineCache", "vkGetPipelineCacheData"};
  static const uint8_t kept[64] = {sizeof (VkPipelineCacheHeaderVersionOne)};

  if (!is_ready ())
    return;
  g_unsetenv ("YV_CACHE");
  for (uint32_t i = 0; i < G_N_ELEMENTS (calls); i++) {
    YvEngine *engine = load ();

    g_assert_true (yv_cache_write ("pipelines", yv_device_uuid (engine->device),
                                   yv_device_identity (engine->device), kept, sizeof kept));
    yv_engine_unref (engine);
    fault_arm (calls[i], 1, VK_ERROR_OUT_OF_HOST_MEMORY, false);
    engine = load ();
    fault_check_works (engine);
    g_assert_cmpuint (fault_n_failed (), ==, 1);
    yv_engine_unref (engine);
    check_nothing_lives ();
    fault_disarm ();
  }
  g_setenv ("YV_CACHE", "off", TRUE);
}

/* ---- streams --------------------------------------------------------------------------------- */

static void
stream_once (void *data)
{
  g_assert_cmpuint (fault_stream (data, NULL), ==, 0);
}

static void
stream_with_fault (const Fault *fault, void *data)
{
  const uint32_t n_live = fault_n_live ();
  const uint64_t live_bytes = fault_live_bytes ();

  if (fault->result == VK_ERROR_DEVICE_LOST)
    return; /* below */
  fault_stream (data, fault);
  g_assert_cmpuint (fault_n_failed (), ==, 1);
  g_assert_cmpuint (fault_n_live (), ==, n_live);
  g_assert_cmpuint (fault_live_bytes (), ==, live_bytes);
}

static void
each_call_fails_while_streaming (void)
{
  if (!is_ready ())
    return;

  g_autoptr (GArray) n_uses = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  YvEngine *engine = load ();

  stream_once (engine); /* some pipelines are made when they are first used, and stay */
  fault_count_uses (stream_once, engine, n_uses);
  fault_try_all (n_uses, stream_with_fault, engine);
  fault_check_works (engine);
  yv_engine_unref (engine);
  check_nothing_lives ();
}

static void
share_once (void *data)
{
  g_assert_cmpuint (fault_share (data, NULL), ==, 0);
}

static void
share_with_fault (const Fault *fault, void *data)
{
  const uint32_t n_live = fault_n_live ();
  const uint64_t live_bytes = fault_live_bytes ();

  if (fault->result == VK_ERROR_DEVICE_LOST)
    return; /* below */
  fault_share (data, fault);
  if (fault->nth == 1) /* how often the others come depends on time */
    g_assert_cmpuint (fault_n_failed (), ==, 1);
  g_assert_cmpuint (fault_n_live (), ==, n_live);
  g_assert_cmpuint (fault_live_bytes (), ==, live_bytes);
}

static void
each_call_fails_while_batches_are_shared (void)
{
  if (!is_ready ())
    return;

  g_autoptr (GArray) n_uses = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  YvEngine *engine = load ();

  fault_prepare_batches (engine); /* pipelines are made when they are first used, and stay */
  share_once (engine);
  fault_count_uses (share_once, engine, n_uses);
  fault_try_all (n_uses, share_with_fault, engine);
  fault_check_works (engine);
  yv_engine_unref (engine);
  check_nothing_lives ();
}

/* An engine of its own each time; before it is freed the next one works. */
static void
lose_device (const Fault *fault, void *data)
{
  (void) data;
  if (fault->result != VK_ERROR_DEVICE_LOST)
    return;
  fault_disarm ();
  YvEngine *engine = load ();
  fault_arm (fault->call, fault->nth, fault->result, false);
  if (fault->nth % 2 == 1)
    fault_share (engine, fault);
  fault_stream (engine, fault);
  g_assert_cmpuint (fault_n_failed (), ==, 1);
  g_assert_cmpuint (fault_stream (engine, fault), >=, 2); /* nobody else's */
  g_assert_cmpuint (fault_share (engine, fault), >=, 2);

  YvEngine *next = load ();
  fault_check_works (next);
  yv_engine_unref (engine);
  fault_check_works (next);
  yv_engine_unref (next);
  check_nothing_lives ();
}

static void
a_lost_device_is_lost_until_it_is_opened_again (void)
{
  if (!is_ready ())
    return;

  g_autoptr (GArray) n_uses = g_array_new (FALSE, FALSE, sizeof (uint32_t));
  YvEngine *engine = load ();

  fault_count_uses (stream_once, engine, n_uses);
  yv_engine_unref (engine);
  fault_try_all (n_uses, lose_device, NULL);
}

/* From no memory at all to enough: each engine and each stream has what it needs or says so. */
static void
memory_may_be_short_anywhere (void)
{
  bool is_enough = false;

  if (!is_ready ())
    return;
  for (uint64_t budget = 0; !is_enough; budget += 1024 + budget / 4) {
    g_autoptr (GError) error = NULL;
    const Fault shortage = {"vkAllocateMemory", 1, VK_ERROR_OUT_OF_DEVICE_MEMORY};

    g_assert_cmpuint (budget, <, 64 << 20);
    fault_set_budget (budget);
    YvEngine *engine = fault_load (YV_PRECISION_FP32, &error);
    if (engine)
      is_enough = fault_stream_short_of_memory (engine, false) == 0 &&
                  fault_stream_short_of_memory (engine, true) == 0;
    else
      fault_check_error (&shortage, error);
    yv_engine_unref (engine);
    check_nothing_lives ();
    fault_disarm ();
  }
}

/* Frames that wait for what another's lack of memory freed, or for a device that is gone, wait for
 * ever if anybody keeps what is not theirs. */
typedef struct {
  YvEngine *engine;
  const Fault *fault;
} Shared;

static void *
stream_in_thread (void *data)
{
  const Shared *shared = data;

  return GUINT_TO_POINTER (fault_stream (shared->engine, shared->fault));
}

static void *
share_in_thread (void *data)
{
  const Shared *shared = data;

  return GUINT_TO_POINTER (fault_share (shared->engine, shared->fault));
}

static void
run_streams (const Fault *fault)
{
  YvEngine *engine = load ();
  Shared shared = {engine, fault};
  GThread *threads[4];
  uint32_t n_errors = 0;

  fault_arm (fault->call, fault->nth, fault->result, false);
  for (uint32_t i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("stream", i % 2 ? stream_in_thread : share_in_thread, &shared);
  for (uint32_t i = 0; i < G_N_ELEMENTS (threads); i++)
    n_errors += GPOINTER_TO_UINT (g_thread_join (threads[i]));
  g_assert_cmpuint (fault_n_failed (), ==, 1);
  if (fault->result == VK_ERROR_DEVICE_LOST)
    g_assert_cmpuint (n_errors, >, 2);
  fault_disarm ();
  yv_engine_unref (engine);
  check_nothing_lives ();
}

static void
streams_fail_together_or_one_alone (void)
{
  if (!is_ready ())
    return;
  for (uint32_t nth = 1; nth <= 13; nth += 4) {
    run_streams (&(Fault){"vkQueueSubmit", nth, VK_ERROR_DEVICE_LOST});
    run_streams (&(Fault){"vkWaitSemaphores", nth, VK_ERROR_DEVICE_LOST});
    run_streams (&(Fault){"vkQueueSubmit", nth, VK_ERROR_OUT_OF_HOST_MEMORY});
    run_streams (&(Fault){"vkWaitSemaphores", nth, VK_ERROR_OUT_OF_HOST_MEMORY});
  }
  for (uint32_t nth = 1; nth <= 3; nth++)
    run_streams (&(Fault){"vkCreateCommandPool", nth, VK_ERROR_OUT_OF_DEVICE_MEMORY});
}

/* ---- timelines ------------------------------------------------------------------------------- */

#define N_PIECES 40 /* more than two calls' */

/* Of a submit that fails halfway nothing runs when it returns, and the next begins where it ended.
 */
static void
a_submit_fails_halfway (void)
{
  const uint32_t ends[N_PIECES] = {0}; /* no commands: only the semaphore counts */
  const VkCommandBuffer none = VK_NULL_HANDLE;
  g_autoptr (GError) error = NULL;
  YvTimeline timeline;
  uint64_t value = 0;

  if (!is_ready ())
    return;
  g_autoptr (YvDevice) device = yv_device_new (NULL, NULL);
  g_assert_true (yv_timeline_init (&timeline, device, NULL));
  for (uint32_t nth = 1; nth <= 3; nth++) {
    fault_arm ("vkQueueSubmit", nth, VK_ERROR_OUT_OF_HOST_MEMORY, false);
    g_assert_false (yv_timeline_submit (&timeline, &none, ends, N_PIECES, &error));
    g_assert_error (error, YV_ERROR, YV_ERROR_OUT_OF_MEMORY);
    g_clear_error (&error);
    device->vk.vkGetSemaphoreCounterValue (device->handle, timeline.semaphore, &value);
    g_assert_cmpuint (value, ==, timeline.n_submitted);
    fault_disarm ();
  }
  const uint64_t n_before = timeline.n_submitted;
  g_assert_cmpuint (n_before, >, 0);
  g_assert_true (yv_timeline_submit (&timeline, &none, ends, N_PIECES, NULL));
  g_assert_cmpuint (timeline.n_submitted, ==, n_before + N_PIECES);

  /* Without memory to wait the device is waited for, and only that may fail. */
  fault_arm ("vkWaitSemaphores", 1, VK_ERROR_OUT_OF_HOST_MEMORY, true);
  g_assert_true (yv_timeline_wait (&timeline, &error));
  g_assert_no_error (error);
  fault_arm ("vkDeviceWaitIdle", 1, VK_ERROR_DEVICE_LOST, false);
  g_assert_false (yv_timeline_wait (&timeline, &error));
  g_assert_error (error, YV_ERROR, YV_ERROR_DEVICE_LOST);
  fault_disarm ();
  yv_timeline_clear (&timeline);
}

/* ---- tools ----------------------------------------------------------------------------------- */

typedef bool Tool (YvEngine *engine, GError **error);

static bool
tune (YvEngine *engine, GError **error)
{
  const YvPlanOptions options = {.n = 1, .h = 32, .w = 32, .dtype = YV_DTYPE_F32};
  g_autoptr (YvWays) ways = yv_ways_new ();
  const YvTuneRequest request = {
      .device = engine->device, .graph = engine->graph, .options = &options, .ways = ways};
  YvTuneTotals totals;

  return yv_tune (&request, &totals, error);
}

static bool
profile (YvEngine *engine, GError **error)
{
  const YvBenchOptions options = {.width = 32, .height = 32, .batch = 1, .n_runs = 1};
  YvProfile *result = yv_engine_profile (engine, &options, error);
  const bool done = result != NULL;

  yv_profile_free (result);
  return done;
}

static bool
selftest (YvEngine *engine, GError **error)
{
  const YvSelftestOptions options = {.precision = YV_PRECISION_FP32, .size = 32};
  YvSelftestResult result;

  return yv_engine_selftest (engine, &options, &result, error) && result.n_failed == 0;
}

typedef struct {
  YvEngine *engine;
  Tool *tool;
} Use;

static void
use_tool (void *data)
{
  const Use *use = data;
  g_autoptr (GError) error = NULL;

  const bool done = use->tool (use->engine, &error);
  g_assert_no_error (error);
  g_assert_true (done);
  yv_engine_drop_idle_runners (use->engine);
}

/* What fails is an error, but for ways that tune does without. How often it runs each depends on
 * time, so only the first use is sure to come. */
static void
use_tool_with_fault (const Fault *fault, void *data)
{
  Use *use = data;
  const uint32_t n_live = fault_n_live ();
  g_autoptr (GError) error = NULL;

  if (!use->tool (use->engine, &error))
    fault_check_error (fault, error);
  if (fault->nth == 1)
    g_assert_cmpuint (fault_n_failed (), ==, 1);
  yv_engine_drop_idle_runners (use->engine);
  g_assert_cmpuint (fault_n_live (), ==, n_live);
  if (!g_error_matches (error, YV_ERROR, YV_ERROR_DEVICE_LOST))
    return;
  fault_disarm ();
  yv_engine_unref (use->engine);
  use->engine = load ();
  use_tool (use); /* pipelines that stay */
}

static void
tools_fail_cleanly (void)
{
  static Tool *const tools[] = {tune, profile, selftest};

  if (!is_ready ())
    return;
  for (uint32_t i = 0; i < G_N_ELEMENTS (tools); i++) {
    g_autoptr (GArray) n_uses = g_array_new (FALSE, FALSE, sizeof (uint32_t));
    Use use = {load (), tools[i]};

    use_tool (&use);
    fault_count_uses (use_tool, &use, n_uses);
    fault_try_all (n_uses, use_tool_with_fault, &use);
    use_tool (&use);
    yv_engine_unref (use.engine);
    check_nothing_lives ();
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autofree char *cache = g_test_build_filename (G_TEST_BUILT, "faults", "cache", NULL);
  g_setenv ("XDG_CACHE_HOME", cache, TRUE);
  fault_set_discrete (g_getenv ("YV_TEST_DISCRETE") != NULL);
  g_test_add_func ("/faults/instance", an_instance_that_fails_is_made_by_the_next);
  g_test_add_func ("/faults/load", each_call_fails_while_loading);
  g_test_add_func ("/faults/fp16", each_call_fails_while_fp16_is_checked);
  g_test_add_func ("/faults/cache", what_keeps_pipelines_may_fail);
  g_test_add_func ("/faults/stream", each_call_fails_while_streaming);
  g_test_add_func ("/faults/share", each_call_fails_while_batches_are_shared);
  g_test_add_func ("/faults/lost", a_lost_device_is_lost_until_it_is_opened_again);
  g_test_add_func ("/faults/budget", memory_may_be_short_anywhere);
  g_test_add_func ("/faults/threads", streams_fail_together_or_one_alone);
  g_test_add_func ("/faults/timeline", a_submit_fails_halfway);
  g_test_add_func ("/faults/tools", tools_fail_cleanly);
  return g_test_run ();
}
