/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-fleetjob.c - examples/fleet/job.c: when a camera has failed, hangs, and has
 * been analysed for long. Times that pass are arguments here.
 *
 * Pipelines start and stop through the gst_element_set_state() below, which can be told to hold the
 * one with the analysis up, and to have it fail. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <gst/gst.h>
#include <string.h>

#include "examples/fleet/job.h"

#define S ((gint64) G_USEC_PER_SEC)

typedef GstStateChangeReturn (*SetState) (GstElement *element, GstState state);

static struct {
  GMutex lock;
  GCond changed;
  bool is_closed;  /* none may change to @at */
  bool is_failing; /* to @at */
  GstState at;
  guint n_waiting;
  GstElement *yolov7; /* of the analysis that was started last */
} gate;

/* Returns: whether the change is to fail. */
static bool
pass_gate (GstElement *yolov7, GstState state)
{
  g_mutex_lock (&gate.lock);
  if (state == GST_STATE_PLAYING)
    gst_object_replace ((GstObject **) &gate.yolov7, GST_OBJECT (yolov7));
  gate.n_waiting++;
  g_cond_broadcast (&gate.changed);
  while (gate.is_closed && state == gate.at)
    g_cond_wait (&gate.changed, &gate.lock);
  gate.n_waiting--;
  const bool is_failing = gate.is_failing && state == gate.at;
  g_mutex_unlock (&gate.lock);
  return is_failing;
}

GstStateChangeReturn
gst_element_set_state (GstElement *element, GstState state)
{
  g_autoptr (GstElement) yolov7 =
      GST_IS_BIN (element) ? gst_bin_get_by_name (GST_BIN (element), "yolov7") : NULL;
  SetState set_state;

  *(void **) &set_state = dlsym (RTLD_NEXT, "gst_element_set_state");
  if (yolov7 && pass_gate (yolov7, state))
    return GST_STATE_CHANGE_FAILURE;
  return set_state (element, state);
}

static void
set_gate (bool is_closed, bool is_failing, GstState at)
{
  g_mutex_lock (&gate.lock);
  gate.is_closed = is_closed;
  gate.is_failing = is_failing;
  gate.at = at;
  g_cond_broadcast (&gate.changed);
  g_mutex_unlock (&gate.lock);
}

static void
wait_at_gate (void)
{
  g_mutex_lock (&gate.lock);
  while (gate.n_waiting == 0)
    g_cond_wait (&gate.changed, &gate.lock);
  g_mutex_unlock (&gate.lock);
}

#define BALL "test:ball,width=64,height=64,framerate=30/1"

typedef struct {
  FleetSettings *settings;
  FleetJob *job;
  char *reason; /* of the last failure */
  bool is_analysis;
  guint n_failed, n_ended;
} Fixture;

static void
hear_failed (FleetJob *job, const char *reason, bool is_analysis, gpointer fixture_)
{
  Fixture *fixture = fixture_;

  g_assert_true (job == fixture->job);
  g_free (fixture->reason);
  fixture->reason = g_strdup (reason);
  fixture->is_analysis = is_analysis;
  fixture->n_failed++;
}

static void
hear_ended (FleetJob *job, gpointer fixture_)
{
  Fixture *fixture = fixture_;

  g_assert_true (job == fixture->job);
  fixture->n_ended++;
}

static void
set_up (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const FleetJobCalls calls = {.failed = hear_failed, .ended = hear_ended, .user_data = fixture};
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf ("broker: amqp://x\nname: w\npatience: 1000\n"
                                           "allow: {sources: [test, rtsp]}\n"
                                           "defaults: {yolov7: {config-file: \"%s\", "
                                           "input-size: 64}}\n",
                                           g_getenv ("YV_TEST_MODEL"));

  fixture->settings = fleet_settings_parse (text, strlen (text), "w.yaml", &error);
  g_assert_no_error (error);
  fixture->job = fleet_job_new (fixture->settings, "a", &calls);
}

static void
tear_down (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  fleet_job_free (fixture->job);
  fleet_settings_free (fixture->settings);
  g_free (fixture->reason);
}

static void
start (Fixture *fixture, const char *source, const char *more)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *camera = g_strdup_printf ("{\"name\":\"a\",\"source\":\"%s\"%s}", source, more);
  CameraConfig *config = fleet_settings_camera (fixture->settings, "a", camera, &error);

  g_assert_no_error (error);
  fleet_job_start (fixture->job, config);
}

/* Looks after @later_us more than have passed. Returns: frames that were analysed since the last
 * look. */
static double
look (Fixture *fixture, gint64 later_us)
{
  double n_analysed = 0, n_wanted = 0;

  fleet_job_look (fixture->job, g_get_monotonic_time () + later_us, &n_analysed, &n_wanted);
  return n_analysed;
}

static void
wait_for_end (Fixture *fixture)
{
  while (fixture->n_ended == 0)
    g_main_context_iteration (NULL, TRUE);
}

static gboolean
tick (gpointer data G_GNUC_UNUSED)
{
  return G_SOURCE_CONTINUE;
}

static void
wait_for_analysed (Fixture *fixture, gint64 later_us)
{
  const guint source = g_timeout_add (20, tick, NULL);

  while (look (fixture, later_us) == 0) {
    g_assert_cmpuint (fixture->n_failed, ==, 0);
    g_main_context_iteration (NULL, TRUE);
  }
  g_source_remove (source);
}

static void
patience_ends_while_it_starts (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start (fixture, "rtsp://127.0.0.1:9/x", ""); /* there is nothing */
  look (fixture, 500 * S);
  g_assert_cmpuint (fixture->n_failed, ==, 0);
  look (fixture, 1000 * S);
  g_assert_cmpuint (fixture->n_failed, ==, 1);
  g_assert_nonnull (strstr (fixture->reason, "no frame was analysed for 1000 s"));
  g_assert_false (fixture->is_analysis);
  look (fixture, 3000 * S); /* it has failed already */
  g_assert_cmpuint (fixture->n_failed, ==, 1);
  wait_for_end (fixture);
}

static void
analysis_that_does_not_start_fails_at_once (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start (fixture, BALL, ",\"yolov7tracker\":{\"zones\":\"{\\\"zones\\\": 7}\"}");
  wait_for_end (fixture);
  g_assert_cmpuint (fixture->n_failed, ==, 1);
  g_assert_true (fixture->is_analysis);
  g_assert_null (strstr (fixture->reason, "w.yaml"));
}

static void
it_hangs_where_it_does_not_end (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const gint64 before_us = g_get_monotonic_time ();

  set_gate (true, false, GST_STATE_PLAYING);
  start (fixture, BALL, "");
  wait_at_gate ();
  g_assert_false (fleet_job_hangs (fixture->job, before_us + 1000 * S));
  fleet_job_end (fixture->job);
  fleet_job_end (fixture->job);
  g_assert_false (fleet_job_hangs (fixture->job, before_us + (FLEET_END_S - 1) * S));
  g_assert_true (fleet_job_hangs (fixture->job, g_get_monotonic_time () + FLEET_END_S * S));
  set_gate (false, false, GST_STATE_PLAYING);
  /* It ends by itself, though nobody here hears of that yet. */
  while (fleet_job_hangs (fixture->job, g_get_monotonic_time () + FLEET_END_S * S))
    g_thread_yield ();
  g_assert_cmpuint (fixture->n_ended, ==, 0);
  wait_for_end (fixture);
  g_assert_cmpuint (fixture->n_ended, ==, 1);
  g_assert_false (fleet_job_hangs (fixture->job, before_us + 1000 * S));
}

static void
analysis_is_timed_from_its_first_frame (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start (fixture, BALL, "");
  wait_for_analysed (fixture, 20 * S);
  g_assert_cmpint (fleet_job_analysed_us (fixture->job), ==, 0);
  wait_for_analysed (fixture, (20 + FLEET_STEADY_S) * S);
  g_assert_cmpint (fleet_job_analysed_us (fixture->job), >=, FLEET_STEADY_S * S);
  start (fixture, BALL, ""); /* again: what was counts no more */
  while (fleet_job_analysed_us (fixture->job) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->n_ended, ==, 0);
  fleet_job_end (fixture->job);
  wait_for_end (fixture);
  g_assert_cmpuint (fixture->n_failed, ==, 0);
}

/* After a loss. */
static void
wait_for_state (Fixture *fixture, CameraState state)
{
  const guint source = g_timeout_add (20, tick, NULL);
  CameraCounters counters = {0};

  do
    g_main_context_iteration (NULL, TRUE);
  while (!fleet_job_get_counters (fixture->job, &counters) || counters.n_losses == 0 ||
         counters.state != state);
  /* What is told of it has two threads to pass. */
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
}

static void
break_analysis (void)
{
  g_mutex_lock (&gate.lock);
  GST_ELEMENT_ERROR (gate.yolov7, RESOURCE, FAILED, ("The device is lost."), (NULL));
  g_mutex_unlock (&gate.lock);
}

/* It fails where no frame is analysed between two looks. */
static void
lose_patience (Fixture *fixture)
{
  for (gint64 later_us = 1000 * S; fixture->n_failed == 0; later_us += 1000 * S)
    look (fixture, later_us);
}

static void
analysis_has_failed_also_while_it_tries_again (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start (fixture, BALL, "");
  wait_for_analysed (fixture, 0);
  set_gate (true, false, GST_STATE_PLAYING);
  break_analysis ();
  wait_for_state (fixture, CAMERA_CONNECTING);
  look (fixture, 0);
  lose_patience (fixture);
  set_gate (false, false, GST_STATE_PLAYING);
  g_assert_cmpuint (fixture->n_failed, ==, 1);
  g_assert_nonnull (strstr (fixture->reason, "The device is lost"));
  g_assert_true (fixture->is_analysis);
  wait_for_end (fixture);
}

static void
analysed_frame_forgets_the_failure (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start (fixture, BALL, "");
  wait_for_analysed (fixture, 0);
  break_analysis ();
  wait_for_state (fixture, CAMERA_PLAYING);
  wait_for_analysed (fixture, 0);
  lose_patience (fixture);
  g_assert_null (strstr (fixture->reason, "The device is lost"));
  g_assert_false (fixture->is_analysis);
  wait_for_end (fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK); /* the camera warns that its weights are random */
  g_unsetenv ("YV_FLEET_PASSWORD");
#define TEST(name) g_test_add ("/fleet/" #name, Fixture, NULL, set_up, name, tear_down)
  TEST (patience_ends_while_it_starts);
  TEST (analysis_that_does_not_start_fails_at_once);
  TEST (it_hangs_where_it_does_not_end);
  TEST (analysis_is_timed_from_its_first_frame);
  TEST (analysis_has_failed_also_while_it_tries_again);
  TEST (analysed_frame_forgets_the_failure);
#undef TEST
  return g_test_run ();
}
