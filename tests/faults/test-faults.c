/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/faults/test-faults.c - each call of Vulkan fails in turn: no crash, no hang, no leak.
 *
 * With YV_TEST_DISCRETE in the environment on a device that looks like a discrete GPU.
 */
#include "engine/engine.h"
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

/* What a load can do without is left out, and the engine is as good. */
static void
load_with_fault (const Fault *fault, void *data)
{
  g_autoptr (GError) error = NULL;
  YvEngine *engine = fault_load (YV_PRECISION_FP32, &error);

  (void) data;
  if (engine)
    fault_check_works (engine);
  else
    fault_check_error (fault, error);
  g_assert_cmpuint (fault_n_failed (), ==, 1);
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
  fault_stream (engine, fault);
  g_assert_cmpuint (fault_n_failed (), ==, 1);
  g_assert_cmpuint (fault_stream (engine, fault), >=, 2); /* nobody else's */

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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  fault_set_discrete (g_getenv ("YV_TEST_DISCRETE") != NULL);
  g_test_add_func ("/faults/instance", an_instance_that_fails_is_made_by_the_next);
  g_test_add_func ("/faults/load", each_call_fails_while_loading);
  g_test_add_func ("/faults/stream", each_call_fails_while_streaming);
  g_test_add_func ("/faults/lost", a_lost_device_is_lost_until_it_is_opened_again);
  return g_test_run ();
}
