/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/feed.c - an appsink's frames, pushed into an appsrc that never blocks. */
#include "examples/common/feed.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <stdbool.h>

#define MAX_WAITING 2 /* frames before the analysis */
/* A time further from now is nonsense. */
#define MAX_AHEAD GST_SECOND
#define MAX_BEHIND (10 * GST_SECOND)
/* So far a time may be before the last one, as times that are rounded are; further, and the source
 * has set its clock back. */
#define MAX_BACK (100 * GST_MSECOND)

struct _Feed { /* g_atomic_rc_box */
  GstElement *source;
  GstClock *clock;
  GstClockTime base_time;
  void (*first) (gpointer user_data);
  gpointer user_data;

  GMutex lock;            /* protects what follows; nothing waits with it */
  gpointer sink;          /* that frames come from; borrowed, compared only */
  GstClockTime last_time; /* absolute */
  GstCaps *caps;          /* that the source was told */
  FeedCounters counters;
};

/* When @sample's frame was there, by the clock; later than all before. */
static GstClockTime
time_of_locked (Feed *feed, GstElement *sink, GstSample *sample)
{
  const GstClockTime now = gst_clock_get_time (feed->clock);
  const GstClockTime pts = GST_BUFFER_PTS (gst_sample_get_buffer (sample));
  const GstClockTime running =
      gst_segment_to_running_time (gst_sample_get_segment (sample), GST_FORMAT_TIME, pts);
  GstClockTime time = now;

  if (GST_CLOCK_TIME_IS_VALID (running))
    time = gst_element_get_base_time (sink) + running;
  if (time > now + MAX_AHEAD || time + MAX_BEHIND < now || time + MAX_BACK < feed->last_time)
    time = now;
  feed->last_time = MAX (time, feed->last_time + 1);
  return feed->last_time;
}

/* Returns: whether the frame may go on. */
static bool
count_frame_locked (Feed *feed)
{
  FeedCounters *counters = &feed->counters;
  const bool is_behind =
      gst_app_src_get_current_level_buffers (GST_APP_SRC (feed->source)) >= MAX_WAITING;
  const bool is_first = counters->last_frame_us == 0;

  counters->last_frame_us = g_get_monotonic_time ();
  if (is_first)
    counters->first_frame_us = counters->last_frame_us;
  counters->n_frames++;
  counters->n_dropped += is_behind ? 1 : 0;
  if (is_first)
    feed->first (feed->user_data);
  return !is_behind;
}

static void
tell_caps_locked (Feed *feed, GstCaps *caps)
{
  if (feed->caps && (caps == feed->caps || gst_caps_is_equal (caps, feed->caps)))
    return;
  gst_caps_replace (&feed->caps, caps);
  gst_app_src_set_caps (GST_APP_SRC (feed->source), caps);
}

/* Takes @sample. */
static void
push_locked (Feed *feed, GstSample *sample, GstClockTime time)
{
  GstBuffer *buffer = gst_buffer_ref (gst_sample_get_buffer (sample));

  tell_caps_locked (feed, gst_sample_get_caps (sample));
  gst_sample_unref (sample); /* so that the buffer is ours alone, and is not copied */
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_PTS (buffer) = time - feed->base_time;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  gst_app_src_push_buffer (GST_APP_SRC (feed->source), buffer);
}

static GstFlowReturn
take_frame (GstAppSink *sink, gpointer user_data)
{
  Feed *feed = user_data;
  GstSample *sample = gst_app_sink_pull_sample (sink);

  if (!sample)
    return GST_FLOW_EOS;
  g_mutex_lock (&feed->lock);
  const bool is_ours = feed->sink == sink;
  const GstClockTime time = is_ours ? time_of_locked (feed, GST_ELEMENT (sink), sample) : 0;
  if (is_ours && count_frame_locked (feed))
    push_locked (feed, g_steal_pointer (&sample), time);
  g_mutex_unlock (&feed->lock);
  if (sample)
    gst_sample_unref (sample);
  return is_ours ? GST_FLOW_OK : GST_FLOW_EOS;
}

Feed *
feed_new (GstElement *source, GstClock *clock, GstClockTime base_time,
          void (*first) (gpointer user_data), gpointer user_data)
{
  Feed *feed = g_atomic_rc_box_new0 (Feed);

  g_mutex_init (&feed->lock);
  feed->source = gst_object_ref (source);
  feed->clock = gst_object_ref (clock);
  feed->base_time = base_time;
  feed->first = first;
  feed->user_data = user_data;
  return feed;
}

static void
clear_feed (gpointer data)
{
  Feed *feed = data;

  gst_clear_caps (&feed->caps);
  gst_object_unref (feed->clock);
  gst_object_unref (feed->source);
  g_mutex_clear (&feed->lock);
}

static void
unref_feed (gpointer feed)
{
  g_atomic_rc_box_release_full (feed, clear_feed);
}

void
feed_free (Feed *feed)
{
  if (!feed)
    return;
  feed_end (feed);
  unref_feed (feed);
}

void
feed_begin (Feed *feed, GstElement *pipeline)
{
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "frames");
  GstAppSinkCallbacks calls = {.new_sample = take_frame};

  gst_pipeline_use_clock (GST_PIPELINE (pipeline), feed->clock);
  g_mutex_lock (&feed->lock);
  feed->sink = sink;
  feed->counters.first_frame_us = feed->counters.last_frame_us = 0;
  g_mutex_unlock (&feed->lock);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &calls, g_atomic_rc_box_acquire (feed),
                              unref_feed);
}

void
feed_end (Feed *feed)
{
  g_mutex_lock (&feed->lock);
  feed->sink = NULL;
  g_mutex_unlock (&feed->lock);
}

void
feed_forget (Feed *feed)
{
  g_mutex_lock (&feed->lock);
  gst_caps_replace (&feed->caps, NULL);
  g_mutex_unlock (&feed->lock);
}

void
feed_get (Feed *feed, FeedCounters *out)
{
  g_mutex_lock (&feed->lock);
  *out = feed->counters;
  g_mutex_unlock (&feed->lock);
}
