/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/inbox.c - sync handlers of buses, which nobody pops. */
#include "examples/common/inbox.h"

#include <string.h>

struct _Inbox { /* g_atomic_rc_box */
  const CameraConfig *config;
  GAsyncQueue *messages; /* its lock protects is_read, too */
  bool is_read;
};

/* Takes @message. Elements that messages name keep the inbox by their bus: what nobody reads must
 * not stay. */
static void
push (Inbox *inbox, GstMessage *message)
{
  g_async_queue_lock (inbox->messages);
  const bool is_read = inbox->is_read;
  if (is_read)
    g_async_queue_push_unlocked (inbox->messages, message);
  g_async_queue_unlock (inbox->messages);
  if (!is_read)
    gst_message_unref (message);
}

static GstBusSyncReply
take_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  const GstMessageType wanted =
      GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_INFO | GST_MESSAGE_EOS;

  (void) bus;
  if (GST_MESSAGE_TYPE (message) & wanted)
    push (user_data, message);
  else
    gst_message_unref (message);
  return GST_BUS_DROP;
}

Inbox *
inbox_new (const CameraConfig *config)
{
  Inbox *inbox = g_atomic_rc_box_new0 (Inbox);

  inbox->config = config;
  inbox->messages = g_async_queue_new ();
  inbox->is_read = true;
  return inbox;
}

void
inbox_free (Inbox *inbox)
{
  GstMessage *message;

  if (!inbox)
    return;
  g_async_queue_lock (inbox->messages);
  inbox->is_read = false;
  g_async_queue_unlock (inbox->messages);
  while ((message = g_async_queue_try_pop (inbox->messages)))
    gst_message_unref (message);
  inbox_unref (inbox);
}

static void
clear_inbox (gpointer inbox)
{
  g_async_queue_unref (((Inbox *) inbox)->messages);
}

Inbox *
inbox_ref (Inbox *inbox)
{
  return g_atomic_rc_box_acquire (inbox);
}

void
inbox_unref (Inbox *inbox)
{
  g_atomic_rc_box_release_full (inbox, clear_inbox);
}

static void
unref_inbox (gpointer inbox)
{
  inbox_unref (inbox);
}

void
inbox_listen (Inbox *inbox, GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_bus_set_sync_handler (bus, take_message, inbox_ref (inbox), unref_inbox);
}

void
inbox_wake (Inbox *inbox)
{
  push (inbox, gst_message_new_application (NULL, gst_structure_new_empty ("wake")));
}

GstMessage *
inbox_pop (Inbox *inbox, gint64 until_us)
{
  const gint64 left_us = until_us - g_get_monotonic_time ();

  return left_us > 0 ? g_async_queue_timeout_pop (inbox->messages, (guint64) left_us)
                     : g_async_queue_try_pop (inbox->messages);
}

char *
inbox_take_error (Inbox *inbox, GstElement *pipeline, const char *otherwise)
{
  char *reason = NULL;

  /* Once around: what is not taken goes behind the rest. */
  for (gint n_left = g_async_queue_length (inbox->messages); n_left > 0; n_left--) {
    GstMessage *message = g_async_queue_pop (inbox->messages);
    if (!inbox_is_from (message, pipeline)) {
      g_async_queue_push (inbox->messages, message);
      continue;
    }
    if (!reason && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
      reason = inbox_describe (inbox, message);
    gst_message_unref (message);
  }
  return reason ? reason : g_strdup (otherwise);
}

bool
inbox_is_from (GstMessage *message, GstElement *pipeline)
{
  GstObject *source = GST_MESSAGE_SRC (message);

  return source && pipeline && gst_object_has_as_ancestor (source, GST_OBJECT (pipeline));
}

/* Of our own elements the message says all; of others what follows "FILE(LINE): function ():
 * /path:\n" in the debug text is often the only thing that tells anything. */
static const char *
detail_of (const char *debug)
{
  const char *line_end = debug && !strstr (debug, "gst/gstyolov7") ? strchr (debug, '\n') : NULL;

  return line_end ? line_end + 1 : "";
}

char *
inbox_describe (const Inbox *inbox, GstMessage *message)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *debug = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &problem, &debug);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &problem, &debug);
  else
    gst_message_parse_info (message, &problem, &debug);

  g_autofree char *text = g_strjoin (" ", problem->message, detail_of (debug), NULL);
  char *redacted = camera_config_redact (inbox->config, text);
  return g_strstrip (g_strdelimit (redacted, "\r\n", ' '));
}
