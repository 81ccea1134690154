/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-feed.c - examples/common/feed.c: each frame gets its time, whatever a source
 * says. */
#include "examples/common/feed.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <stdbool.h>

#define CAPS "video/x-raw,format=GRAY8,width=4,height=4,framerate=0/1"

/* A pipeline with "given" ! "frames", as an input is, and one with "in" ! "out". */
typedef struct {
  GstClock *clock;
  GstClockTime base_time;
  GstElement *input, *given, *analysis, *in, *out;
  Feed *feed;
  int n_firsts; /* atomic */
} Fixture;

static void
count_first (gpointer n_firsts)
{
  g_atomic_int_inc ((int *) n_firsts);
}

static void
begin_input (Fixture *f)
{
  f->input = gst_parse_launch (
      "appsrc name=given format=time caps=" CAPS " ! appsink name=frames sync=false", NULL);
  f->given = gst_bin_get_by_name (GST_BIN (f->input), "given");
  feed_begin (f->feed, f->input);
  gst_element_set_start_time (f->input, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (f->input, f->base_time);
  gst_element_set_state (f->input, GST_STATE_PLAYING);
}

static void
end_input (Fixture *f)
{
  gst_element_set_state (f->input, GST_STATE_NULL);
  gst_clear_object (&f->given);
  gst_clear_object (&f->input);
}

static void
fixture_init (Fixture *f)
{
  *f = (Fixture){.clock = gst_system_clock_obtain ()};
  /* A while ago, so that a source has a past to fall back to. */
  f->base_time = gst_clock_get_time (f->clock) - 10 * GST_SECOND;
  f->analysis = gst_parse_launch ("appsrc name=in format=time ! appsink name=out sync=false", NULL);
  f->in = gst_bin_get_by_name (GST_BIN (f->analysis), "in");
  f->out = gst_bin_get_by_name (GST_BIN (f->analysis), "out");
  gst_element_set_state (f->analysis, GST_STATE_PLAYING);
  f->feed = feed_new (f->in, f->clock, f->base_time, count_first, &f->n_firsts);
  begin_input (f);
}

static void
fixture_clear (Fixture *f)
{
  end_input (f);
  feed_free (f->feed);
  gst_element_set_state (f->analysis, GST_STATE_NULL);
  gst_object_unref (f->in);
  gst_object_unref (f->out);
  gst_object_unref (f->analysis);
  gst_object_unref (f->clock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static GstClockTime
now (Fixture *f)
{
  return gst_clock_get_time (f->clock) - f->base_time;
}

static void
push (GstElement *given, GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 16, NULL);

  GST_BUFFER_PTS (buffer) = pts;
  g_assert_cmpint (gst_app_src_push_buffer (GST_APP_SRC (given), buffer), ==, GST_FLOW_OK);
}

/* Returns: the time that a frame with @pts has behind the feed */
static GstClockTime
pass (Fixture *f, GstClockTime pts)
{
  push (f->given, pts);
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (GST_APP_SINK (f->out));
  g_assert_nonnull (sample);
  return GST_BUFFER_PTS (gst_sample_get_buffer (sample));
}

static void
assert_is_now (Fixture *f, GstClockTime pts)
{
  const GstClockTime before = now (f);
  const GstClockTime time = pass (f, pts);

  g_assert_cmpuint (time, >=, before);
  g_assert_cmpuint (time, <=, now (f));
}

static void
times_of_the_source_are_kept (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);
  const GstClockTime start = now (&f) - GST_SECOND;

  for (int i = 0; i < 5; i++)
    g_assert_cmpuint (pass (&f, start + i * 40 * GST_MSECOND), ==, start + i * 40 * GST_MSECOND);
  g_assert_cmpint (g_atomic_int_get (&f.n_firsts), ==, 1);
}

static void
equal_times_are_told_apart (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);
  const GstClockTime start = now (&f) - GST_SECOND;

  g_assert_cmpuint (pass (&f, start), ==, start);
  g_assert_cmpuint (pass (&f, start), ==, start + 1);
  g_assert_cmpuint (pass (&f, start - GST_MSECOND), ==, start + 2);
  g_assert_cmpuint (pass (&f, start + GST_MSECOND), ==, start + GST_MSECOND);
}

static void
nonsense_is_now (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);

  assert_is_now (&f, GST_CLOCK_TIME_NONE);
  assert_is_now (&f, now (&f) + GST_SECOND * 3600);
}

/* And not a nanosecond after the last one, until the source has caught up. */
static void
a_source_that_falls_back_counts_as_now (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);
  const GstClockTime start = now (&f);

  g_assert_cmpuint (pass (&f, start), ==, start);
  for (int i = 0; i < 5; i++)
    assert_is_now (&f, start - 5 * GST_SECOND + i * 40 * GST_MSECOND);
}

static void
frames_of_an_input_before_are_dropped (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);
  GstElement *old = f.input, *old_given = f.given;
  FeedCounters counters;

  pass (&f, GST_SECOND);
  begin_input (&f); /* while the other plays */
  push (old_given, 2 * GST_SECOND);
  gst_app_src_end_of_stream (GST_APP_SRC (old_given));
  g_autoptr (GstBus) bus = gst_element_get_bus (old);
  g_autoptr (GstMessage) end =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS);
  g_assert_nonnull (end); /* it has been through */
  pass (&f, 3 * GST_SECOND);
  feed_get (f.feed, &counters);
  g_assert_cmpuint (counters.n_frames, ==, 2);
  g_assert_cmpint (g_atomic_int_get (&f.n_firsts), ==, 2);
  gst_element_set_state (old, GST_STATE_NULL);
  gst_object_unref (old_given);
  gst_object_unref (old);
}

static void
an_input_may_outlive_the_feed (void)
{
  g_auto (Fixture) f;
  fixture_init (&f);

  pass (&f, GST_SECOND);
  g_clear_pointer (&f.feed, feed_free);
  push (f.given, 2 * GST_SECOND);
  gst_app_src_end_of_stream (GST_APP_SRC (f.given));
  g_autoptr (GstBus) bus = gst_element_get_bus (f.input);
  g_autoptr (GstMessage) end =
      gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS);
  g_assert_nonnull (end);
  g_assert_null (gst_app_sink_try_pull_sample (GST_APP_SINK (f.out), 0));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/feed/kept", times_of_the_source_are_kept);
  g_test_add_func ("/feed/equal", equal_times_are_told_apart);
  g_test_add_func ("/feed/nonsense", nonsense_is_now);
  g_test_add_func ("/feed/falls-back", a_source_that_falls_back_counts_as_now);
  g_test_add_func ("/feed/before", frames_of_an_input_before_are_dropped);
  g_test_add_func ("/feed/outlived", an_input_may_outlive_the_feed);
  return g_test_run ();
}
