/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/relay.c - appsrcs that never block, and a timer for the time without frames. */
#include "examples/common/relay.h"

#include <gst/app/gstappsrc.h>
#include <stdbool.h>
#include <string.h>

#define REPEAT_MS 200
#define SILENCE_US (G_USEC_PER_SEC / 2) /* from here on the last picture is repeated */
#define MAX_WAITING 2                   /* frames at a consumer */
#define GREY_W 640
#define GREY_H 360

struct _Relay {
  GstClock *clock;
  GstClockTime base_time;
  GSource *timer;

  GMutex note_lock; /* before the other; held while elements are told */
  char *note;       /* NULL: none */

  GMutex lock;        /* protects what follows */
  GPtrArray *outputs; /* of RelayOutput *, borrowed: each takes itself off */
  GstBuffer *last;
  GstCaps *caps; /* of last */
  gint64 last_us;
  guint64 n_dropped;
};

struct _RelayOutput {
  Relay *relay; /* a reference */
  GstElement *source, *note;
  GstClockTime base_time;
  GstCaps *caps; /* that it knows; relay's lock */
  GstClockTime next_pts;
};

/* The picture before there is one: Y, U and V are the same number. */
static void
make_grey (Relay *relay)
{
  const gsize size_bytes = GREY_W * GREY_H * 3 / 2;

  relay->last = gst_buffer_new_allocate (NULL, size_bytes, NULL);
  gst_buffer_memset (relay->last, 0, 0x80, size_bytes);
  relay->caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "I420", "width",
                                     G_TYPE_INT, GREY_W, "height", G_TYPE_INT, GREY_H, "framerate",
                                     GST_TYPE_FRACTION, 25, 1, NULL);
}

/* The last picture, as one of the absolute time @time. With the lock. */
static void
push_locked (RelayOutput *output, GstClockTime time, GstBufferFlags flags)
{
  Relay *relay = output->relay;
  GstAppSrc *source = GST_APP_SRC (output->source);

  if (gst_app_src_get_current_level_buffers (source) >= MAX_WAITING) {
    relay->n_dropped++;
    return;
  }
  if (!output->caps || !gst_caps_is_equal (output->caps, relay->caps)) {
    gst_caps_replace (&output->caps, relay->caps);
    gst_app_src_set_caps (source, relay->caps);
  }
  /* Its memory is shared, and so read only. */
  GstBuffer *buffer = gst_buffer_copy (relay->last);
  const GstClockTime pts = time > output->base_time ? time - output->base_time : 0;
  GST_BUFFER_PTS (buffer) = MAX (pts, output->next_pts);
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_FLAG_SET (buffer, flags);
  output->next_pts = GST_BUFFER_PTS (buffer) + GST_MSECOND;
  gst_app_src_push_buffer (source, buffer);
}

static void
push_to_all_locked (Relay *relay, GstClockTime time, GstBufferFlags flags)
{
  for (guint i = 0; i < relay->outputs->len; i++)
    push_locked (relay->outputs->pdata[i], time, flags);
}

static gboolean
repeat (gpointer user_data)
{
  Relay *relay = user_data;
  const GstClockTime now = gst_clock_get_time (relay->clock);

  g_mutex_lock (&relay->lock);
  if (g_get_monotonic_time () - relay->last_us >= SILENCE_US)
    push_to_all_locked (relay, now, GST_BUFFER_FLAG_GAP);
  g_mutex_unlock (&relay->lock);
  return G_SOURCE_CONTINUE;
}

Relay *
relay_new (GstClock *clock, GstClockTime base_time)
{
  Relay *relay = g_atomic_rc_box_new0 (Relay);

  g_mutex_init (&relay->lock);
  g_mutex_init (&relay->note_lock);
  relay->clock = gst_object_ref (clock);
  relay->base_time = base_time;
  relay->outputs = g_ptr_array_new ();
  make_grey (relay);
  relay->timer = g_timeout_source_new (REPEAT_MS);
  g_source_set_callback (relay->timer, repeat, relay, NULL);
  g_source_attach (relay->timer, g_main_context_get_thread_default ());
  return relay;
}

static void
clear_relay (gpointer data)
{
  Relay *relay = data;

  g_ptr_array_unref (relay->outputs);
  gst_clear_buffer (&relay->last);
  gst_clear_caps (&relay->caps);
  gst_object_unref (relay->clock);
  g_free (relay->note);
  g_mutex_clear (&relay->lock);
  g_mutex_clear (&relay->note_lock);
}

void
relay_free (Relay *relay)
{
  if (!relay)
    return;
  g_source_destroy (relay->timer);
  g_clear_pointer (&relay->timer, g_source_unref);
  g_mutex_lock (&relay->lock);
  g_ptr_array_set_size (relay->outputs, 0);
  g_mutex_unlock (&relay->lock);
  g_atomic_rc_box_release_full (relay, clear_relay);
}

void
relay_give (Relay *relay, GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);

  g_mutex_lock (&relay->lock);
  gst_buffer_replace (&relay->last, buffer);
  gst_caps_replace (&relay->caps, gst_sample_get_caps (sample));
  relay->last_us = g_get_monotonic_time ();
  push_to_all_locked (relay, relay->base_time + GST_BUFFER_PTS (buffer), 0);
  g_mutex_unlock (&relay->lock);
}

static void
write_note (GstElement *element, const char *note)
{
  g_object_set (element, "silent", note == NULL, "text", note ? note : "", NULL);
}

static void
add_element (gpointer output, gpointer elements)
{
  GstElement *note = ((RelayOutput *) output)->note;

  if (note)
    g_ptr_array_add (elements, gst_object_ref (note));
}

/* Elements have locks of their own, so those who push frames are not kept waiting meanwhile. */
void
relay_set_note (Relay *relay, const char *note)
{
  g_autoptr (GPtrArray) elements = g_ptr_array_new_with_free_func (gst_object_unref);

  g_mutex_lock (&relay->note_lock);
  g_free (relay->note);
  relay->note = g_strdup (note);
  g_mutex_lock (&relay->lock);
  g_ptr_array_foreach (relay->outputs, add_element, elements);
  g_mutex_unlock (&relay->lock);
  for (guint i = 0; i < elements->len; i++)
    write_note (elements->pdata[i], note);
  g_mutex_unlock (&relay->note_lock);
}

RelayOutput *
relay_add (Relay *relay, GstBin *bin, GstClockTime base_time)
{
  RelayOutput *output = g_new0 (RelayOutput, 1);

  output->relay = g_atomic_rc_box_acquire (relay);
  output->source = gst_bin_get_by_name (bin, "frames");
  output->note = gst_bin_get_by_name (bin, "note");
  output->base_time = base_time;
  g_mutex_lock (&relay->note_lock);
  if (output->note)
    write_note (output->note, relay->note);
  g_mutex_lock (&relay->lock);
  g_ptr_array_add (relay->outputs, output);
  push_locked (output, gst_clock_get_time (relay->clock), GST_BUFFER_FLAG_GAP);
  g_mutex_unlock (&relay->lock);
  g_mutex_unlock (&relay->note_lock);
  return output;
}

void
relay_remove (RelayOutput *output)
{
  Relay *relay = output->relay;

  g_mutex_lock (&relay->lock);
  g_ptr_array_remove_fast (relay->outputs, output);
  g_mutex_unlock (&relay->lock);
  gst_clear_caps (&output->caps);
  gst_clear_object (&output->source);
  gst_clear_object (&output->note);
  g_free (output);
  g_atomic_rc_box_release_full (relay, clear_relay);
}

guint64
relay_n_dropped (Relay *relay)
{
  g_mutex_lock (&relay->lock);
  const guint64 n_dropped = relay->n_dropped;
  g_mutex_unlock (&relay->lock);
  return n_dropped;
}
