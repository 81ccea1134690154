/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/inbox.c - sync handlers of buses, which nobody pops. */
#include "examples/common/inbox.h"

#include <string.h>

struct _Inbox {
  const CameraConfig *config;
  GAsyncQueue *messages;
};

static GstBusSyncReply
take_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  Inbox *inbox = user_data;
  const GstMessageType wanted =
      GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_INFO | GST_MESSAGE_EOS;

  (void) bus;
  if (GST_MESSAGE_TYPE (message) & wanted)
    g_async_queue_push (inbox->messages, message);
  else
    gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
free_message (gpointer message)
{
  gst_message_unref (message);
}

Inbox *
inbox_new (const CameraConfig *config)
{
  Inbox *inbox = g_new0 (Inbox, 1);

  inbox->config = config;
  inbox->messages = g_async_queue_new_full (free_message);
  return inbox;
}

void
inbox_free (Inbox *inbox)
{
  if (!inbox)
    return;
  g_async_queue_unref (inbox->messages);
  g_free (inbox);
}

void
inbox_listen (Inbox *inbox, GstElement *pipeline)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);

  gst_bus_set_sync_handler (bus, take_message, inbox, NULL);
}

void
inbox_wake (Inbox *inbox)
{
  GstStructure *nothing = gst_structure_new_empty ("wake");

  g_async_queue_push (inbox->messages, gst_message_new_application (NULL, nothing));
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
  GstMessage *message;

  while ((message = g_async_queue_try_pop (inbox->messages))) {
    if (!reason && GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR &&
        inbox_is_from (message, pipeline))
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
