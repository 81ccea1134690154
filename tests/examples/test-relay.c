/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/examples/test-relay.c - examples/common/relay.c: consumers get each frame at its time,
 * something to look at while there is none, and nobody waits for another. */
#include "examples/common/relay.h"

#include <gst/app/gstappsink.h>
#include <stdbool.h>
#include <string.h>

#define W 32
#define H 16

typedef struct {
  GstElement *pipeline, *sink, *note;
  RelayOutput *output;
  GstClockTime base_time;
} Consumer;

typedef struct {
  GstClock *clock;
  GstClockTime base_time;
  Relay *relay;
} Fixture;

static Fixture
fixture_new (void)
{
  Fixture f = {.clock = gst_system_clock_obtain ()};

  f.base_time = gst_clock_get_time (f.clock);
  f.relay = relay_new (f.clock, f.base_time);
  return f;
}

static void
fixture_clear (Fixture *f)
{
  relay_free (f->relay);
  gst_object_unref (f->clock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static Consumer
consumer_new (Fixture *f, const char *tail)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *launch = g_strdup_printf (
      "appsrc name=frames is-live=true format=time block=false ! textoverlay name=note ! %s", tail);
  Consumer c = {.pipeline = gst_parse_launch (launch, &error)};

  g_assert_no_error (error);
  c.sink = gst_bin_get_by_name (GST_BIN (c.pipeline), "sink");
  c.note = gst_bin_get_by_name (GST_BIN (c.pipeline), "note");
  c.base_time = gst_clock_get_time (f->clock);
  gst_pipeline_use_clock (GST_PIPELINE (c.pipeline), f->clock);
  gst_element_set_start_time (c.pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (c.pipeline, c.base_time);
  gst_element_set_state (c.pipeline, GST_STATE_PLAYING);
  c.output = relay_add (f->relay, GST_BIN (c.pipeline), c.base_time);
  return c;
}

#define TAKES_ALL "appsink name=sink sync=false"
#define TAKES_ONE "appsink name=sink sync=false max-buffers=1"

static void
consumer_clear (Consumer *c)
{
  relay_remove (c->output);
  gst_element_set_state (c->pipeline, GST_STATE_NULL);
  gst_object_unref (c->sink);
  gst_object_unref (c->note);
  gst_object_unref (c->pipeline);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Consumer, consumer_clear)

/* Of @time after the base time, and with @luma everywhere. */
static void
give (Fixture *f, GstClockTime time, guint8 luma)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "I420", "width", G_TYPE_INT, W,
                           "height", G_TYPE_INT, H, "framerate", GST_TYPE_FRACTION, 25, 1, NULL);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, W * H * 3 / 2, NULL);

  gst_buffer_memset (buffer, 0, luma, W * H * 3 / 2);
  GST_BUFFER_PTS (buffer) = time;
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  relay_give (f->relay, sample);
}

/* The next one, however long it takes: the main context repeats the last picture. */
static GstSample *
next_sample (Consumer *c)
{
  for (;;) {
    GstSample *sample = gst_app_sink_try_pull_sample (GST_APP_SINK (c->sink), 10 * GST_MSECOND);
    if (sample)
      return sample;
    g_main_context_iteration (NULL, FALSE);
  }
}

static guint8
luma_of (GstSample *sample)
{
  guint8 luma;

  g_assert_cmpuint (gst_buffer_extract (gst_sample_get_buffer (sample), 0, &luma, 1), ==, 1);
  return luma;
}

static int
width_of (GstSample *sample)
{
  int width = 0;

  gst_structure_get_int (gst_caps_get_structure (gst_sample_get_caps (sample), 0), "width", &width);
  return width;
}

/* The next sample with @luma: what comes before is older. */
static GstSample *
sample_with (Consumer *c, guint8 luma)
{
  GstSample *sample = next_sample (c);

  while (luma_of (sample) != luma) {
    gst_sample_unref (sample);
    sample = next_sample (c);
  }
  return sample;
}

static void
a_grey_picture_comes_before_the_first (void)
{
  g_auto (Fixture) f = fixture_new ();
  g_auto (Consumer) c = consumer_new (&f, TAKES_ALL);
  GstClockTime last = 0;

  for (int i = 0; i < 3; i++) {
    g_autoptr (GstSample) sample = next_sample (&c);
    GstBuffer *buffer = gst_sample_get_buffer (sample);
    g_assert_cmpint (width_of (sample), ==, 640);
    g_assert_cmpuint (luma_of (sample), ==, 0x80);
    g_assert_true (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
    g_assert_true (i == 0 || GST_BUFFER_PTS (buffer) > last);
    last = GST_BUFFER_PTS (buffer);
  }
}

static void
a_frame_comes_at_its_time (void)
{
  g_auto (Fixture) f = fixture_new ();
  g_auto (Consumer) c = consumer_new (&f, TAKES_ALL);
  const GstClockTime time = c.base_time - f.base_time + 700 * GST_MSECOND;

  give (&f, time, 50);
  g_autoptr (GstSample) sample = sample_with (&c, 50);
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  g_assert_cmpint (width_of (sample), ==, W);
  g_assert_false (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP));
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, 700 * GST_MSECOND);
}

static void
times_never_go_back (void)
{
  g_auto (Fixture) f = fixture_new ();
  g_auto (Consumer) c = consumer_new (&f, TAKES_ALL);

  give (&f, GST_SECOND, 50);
  g_autoptr (GstSample) first = sample_with (&c, 50);
  give (&f, 0, 60); /* from before the consumer was there */
  g_autoptr (GstSample) second = sample_with (&c, 60);
  g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (second)), >,
                    GST_BUFFER_PTS (gst_sample_get_buffer (first)));
}

static void
the_last_picture_is_repeated (void)
{
  g_auto (Fixture) f = fixture_new ();

  give (&f, 0, 50);
  g_auto (Consumer) c = consumer_new (&f, TAKES_ALL); /* who comes late sees it, too */
  for (int i = 0; i < 3; i++) {
    g_autoptr (GstSample) sample = next_sample (&c);
    g_assert_cmpuint (luma_of (sample), ==, 50);
    g_assert_true (GST_BUFFER_FLAG_IS_SET (gst_sample_get_buffer (sample), GST_BUFFER_FLAG_GAP));
  }
}

static void
assert_note (Consumer *c, const char *expected)
{
  g_autofree char *text = NULL;
  gboolean is_silent;

  g_object_get (c->note, "text", &text, "silent", &is_silent, NULL);
  g_assert_cmpstr (text, ==, expected ? expected : "");
  g_assert_cmpint (is_silent, ==, expected == NULL);
}

static void
the_note_is_for_all (void)
{
  g_auto (Fixture) f = fixture_new ();
  g_auto (Consumer) early = consumer_new (&f, TAKES_ALL);

  assert_note (&early, NULL);
  relay_set_note (f.relay, "no signal");
  g_auto (Consumer) late = consumer_new (&f, TAKES_ALL);
  assert_note (&early, "no signal");
  assert_note (&late, "no signal");
  relay_set_note (f.relay, NULL);
  assert_note (&early, NULL);
  assert_note (&late, NULL);
}

static void
who_does_not_keep_up_is_alone (void)
{
  g_auto (Fixture) f = fixture_new ();
  g_auto (Consumer) slow = consumer_new (&f, TAKES_ONE);
  g_auto (Consumer) quick = consumer_new (&f, TAKES_ALL);
  const GstClockTime start = quick.base_time - f.base_time;

  for (guint8 i = 0; i < 100; i++) {
    give (&f, start + i * 40 * GST_MSECOND, i);
    g_autoptr (GstSample) sample = sample_with (&quick, i);
  }
  g_assert_cmpuint (relay_n_dropped (f.relay), >, 50);
  g_assert_cmpuint (relay_n_dropped (f.relay), <=, 101);
}

static void
nothing_comes_after_the_end (void)
{
  Fixture f = fixture_new ();
  Consumer gone = consumer_new (&f, TAKES_ALL), left = consumer_new (&f, TAKES_ALL);

  give (&f, GST_SECOND, 50);
  gst_sample_unref (sample_with (&left, 50));
  consumer_clear (&gone);
  give (&f, 2 * GST_SECOND, 60);
  gst_sample_unref (sample_with (&left, 60));
  g_assert_nonnull (g_main_context_find_source_by_user_data (NULL, f.relay));
  relay_free (f.relay); /* before its consumer, and nobody repeats a picture any more */
  g_assert_null (g_main_context_find_source_by_user_data (NULL, f.relay));
  consumer_clear (&left);
  gst_object_unref (f.clock);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/relay/grey", a_grey_picture_comes_before_the_first);
  g_test_add_func ("/relay/time", a_frame_comes_at_its_time);
  g_test_add_func ("/relay/never-back", times_never_go_back);
  g_test_add_func ("/relay/repeated", the_last_picture_is_repeated);
  g_test_add_func ("/relay/note", the_note_is_for_all);
  g_test_add_func ("/relay/slow", who_does_not_keep_up_is_alone);
  g_test_add_func ("/relay/end", nothing_comes_after_the_end);
  return g_test_run ();
}
