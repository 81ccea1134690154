/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-fleetjob.c - examples/fleet/job.c: when a camera has failed, hangs, and has
 * been analysed for long. Times that pass are arguments here. */
#include <gst/gst.h>
#include <string.h>

#include "examples/fleet/job.h"

#define S ((gint64) G_USEC_PER_SEC)

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
start (Fixture *fixture, const char *more)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *camera = g_strdup_printf (
      "{\"name\":\"a\",\"source\":\"test:ball,width=64,height=64,framerate=30/1\"%s}", more);
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
  start (fixture, "");
  look (fixture, 999 * S);
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
  start (fixture, ",\"yolov7tracker\":{\"zones\":\"{\\\"zones\\\": 7}\"}");
  wait_for_end (fixture);
  g_assert_cmpuint (fixture->n_failed, ==, 1);
  g_assert_true (fixture->is_analysis);
  g_assert_null (strstr (fixture->reason, "w.yaml"));
}

static void
it_hangs_where_it_does_not_end (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  const gint64 before_us = g_get_monotonic_time ();

  start (fixture, "");
  g_assert_false (fleet_job_hangs (fixture->job, before_us + 1000 * S));
  fleet_job_end (fixture->job);
  fleet_job_end (fixture->job);
  g_assert_false (fleet_job_hangs (fixture->job, before_us + (FLEET_END_S - 1) * S));
  g_assert_true (fleet_job_hangs (fixture->job, g_get_monotonic_time () + FLEET_END_S * S));
  wait_for_end (fixture);
  g_assert_cmpuint (fixture->n_ended, ==, 1);
  g_assert_false (fleet_job_hangs (fixture->job, before_us + 1000 * S));
}

static void
analysis_is_timed_from_its_first_frame (Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
  start (fixture, "");
  wait_for_analysed (fixture, 20 * S);
  g_assert_cmpint (fleet_job_analysed_us (fixture->job), ==, 0);
  wait_for_analysed (fixture, (20 + FLEET_STEADY_S) * S);
  g_assert_cmpint (fleet_job_analysed_us (fixture->job), >=, FLEET_STEADY_S * S);
  start (fixture, ""); /* again: what was counts no more */
  while (fleet_job_analysed_us (fixture->job) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->n_ended, ==, 0);
  fleet_job_end (fixture->job);
  wait_for_end (fixture);
  g_assert_cmpuint (fixture->n_failed, ==, 0);
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
#undef TEST
  return g_test_run ();
}
