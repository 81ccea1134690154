/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/web/encoderinput.c - the frames of a camera into an encoder. */
#include "examples/web/encoderinput.h"

#include <gst/app/app.h>

#define REPEAT_MS 200
#define SILENCE_NS GST_SECOND
#define BEHIND_NS (800 * GST_MSECOND)
#define LONGEST_INTERVAL_NS (10 * GST_SECOND) /* else it was a loss */
#define WAITING_NS GST_SECOND
#define WAITING_BYTES (64 * 1024 * 1024)

struct _EncoderInput {
  GstClock *clock;
  guint timer;

  GMutex lock;           /* of what follows */
  GstAppSrc *source;     /* NULL: nobody encodes */
  GstBuffer *last;       /* (nullable): with its PTS */
  GstClockTime came_at;  /* by the clock */
  GstClockTime interval; /* 0: not known */
  GstCaps *caps;         /* of last */
  GstCaps *known;        /* those that source was told */
  GstClockTime last_pts; /* that source was given */
};

static void
push_locked (EncoderInput *self, GstClockTime pts)
{
  if (!self->source)
    return;
  if (GST_CLOCK_TIME_IS_VALID (self->last_pts) && pts <= self->last_pts)
    return;
  if (!self->known || !gst_caps_is_equal (self->known, self->caps)) {
    gst_caps_replace (&self->known, self->caps);
    gst_app_src_set_caps (self->source, self->caps);
  }
  GstBuffer *buffer = gst_buffer_copy (self->last); /* the pixels are shared */
  GST_BUFFER_PTS (buffer) = self->last_pts = pts;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  gst_app_src_push_buffer (self->source, buffer);
}

static gboolean
on_tick (gpointer user_data)
{
  EncoderInput *self = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  const GstClockTime silent = gst_clock_get_time (self->clock) - self->came_at;
  if (self->last && silent >= SILENCE_NS)
    push_locked (self, GST_BUFFER_PTS (self->last) + silent - BEHIND_NS);
  return G_SOURCE_CONTINUE;
}

EncoderInput *
encoder_input_new (GstClock *clock)
{
  EncoderInput *self = g_new0 (EncoderInput, 1);

  self->clock = gst_object_ref (clock);
  self->last_pts = GST_CLOCK_TIME_NONE;
  g_mutex_init (&self->lock);
  self->timer = g_timeout_add (REPEAT_MS, on_tick, self);
  return self;
}

void
encoder_input_free (EncoderInput *self)
{
  if (!self)
    return;
  encoder_input_connect (self, NULL);
  g_source_remove (self->timer);
  gst_clear_buffer (&self->last);
  gst_clear_caps (&self->caps);
  gst_object_unref (self->clock);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
measure_locked (EncoderInput *self, GstClockTime pts)
{
  const GstClockTime before = self->last ? GST_BUFFER_PTS (self->last) : pts;

  if (pts <= before || pts - before > LONGEST_INTERVAL_NS)
    return;
  self->interval = self->interval ? (7 * self->interval + pts - before) / 8 : pts - before;
}

void
encoder_input_give (EncoderInput *self, GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!GST_BUFFER_PTS_IS_VALID (buffer))
    return;
  measure_locked (self, GST_BUFFER_PTS (buffer));
  gst_buffer_replace (&self->last, buffer);
  gst_caps_replace (&self->caps, gst_sample_get_caps (sample));
  self->came_at = gst_clock_get_time (self->clock);
  push_locked (self, GST_BUFFER_PTS (buffer));
}

GstClockTime
encoder_input_interval (EncoderInput *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->interval;
}

void
encoder_input_connect (EncoderInput *self, GstElement *source)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (source)
    g_object_set (source, "format", GST_FORMAT_TIME, "block", FALSE, "max-buffers", (guint64) 0,
                  "max-bytes", (guint64) WAITING_BYTES, "max-time", (guint64) WAITING_NS,
                  "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, NULL);
  gst_clear_object (&self->source);
  self->source = source ? gst_object_ref (GST_APP_SRC (source)) : NULL;
  gst_clear_caps (&self->known);
  self->last_pts = GST_CLOCK_TIME_NONE;
}
