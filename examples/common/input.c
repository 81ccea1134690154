/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/input.c - how each kind of source is played, on a thread that nobody joins. */
#include "examples/common/input.h"

#include <string.h>

#include "engine/error.h"
#include "examples/common/settings.h"
#include "examples/common/source.h"

struct _Input {         /* g_atomic_rc_box */
  GstElement *pipeline; /* its state is the thread's alone to change */
  Inbox *inbox;
  int is_closed; /* atomic */

  GMutex lock; /* protects what follows */
  GCond asked;
  bool is_asked; /* to close */
};

/* Frames of files come when they are due, live ones when they are there. */
#define TAIL                                                                                       \
  "videoconvert ! capsfilter name=caps ! appsink name=frames max-buffers=4 qos=false sync="

static char *
describe (const char *source)
{
  switch (source_kind (source)) {
  case SOURCE_RTSP:
    return g_strdup ("rtspsrc name=source ! decodebin ! " TAIL "false");
  case SOURCE_V4L2:
    return g_strdup ("v4l2src name=source ! decodebin ! " TAIL "false");
  case SOURCE_TEST:
    return g_strdup ("videotestsrc name=source is-live=true ! capsfilter name=wanted ! " TAIL
                     "false");
  case SOURCE_FILE:
    return g_strdup ("filesrc name=source ! decodebin ! " TAIL "true");
  default:
    g_assert_not_reached ();
  }
}

/* rtspsrc asks for each stream; only pictures are wanted. */
static gboolean
select_video (GstElement *source, guint index, GstCaps *caps, gpointer unused)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);

  (void) source;
  (void) index;
  (void) unused;
  return g_strcmp0 (gst_structure_get_string (s, "media"), "video") == 0;
}

static void
set_address (GstElement *source, const char *text)
{
  g_autofree char *uri = NULL, *user = NULL, *password = NULL;

  source_split (text, &uri, &user, &password);
  g_object_set (source, "location", uri, "user-id", user, "user-pw", password, NULL);
  g_signal_connect (source, "select-stream", G_CALLBACK (select_video), NULL);
}

/* The pattern, and what follows it as fields of caps. */
static bool
set_pattern (GstElement *pipeline, GstElement *source, const char *text, GError **error)
{
  const char *pattern = text + strlen ("test:");
  const char *comma = strchr (pattern, ',');
  g_autofree char *name = comma ? g_strndup (pattern, (gsize) (comma - pattern)) : NULL;
  g_autoptr (GstCaps) wanted =
      gst_caps_new_simple ("video/x-raw", "width", G_TYPE_INT, 640, "height", G_TYPE_INT, 360,
                           "framerate", GST_TYPE_FRACTION, 25, 1, NULL);
  g_autofree char *given = comma ? g_strconcat ("video/x-raw", comma, NULL) : NULL;
  g_autoptr (GstCaps) own = given ? gst_caps_from_string (given) : NULL;
  g_auto (GValue) value = G_VALUE_INIT;
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (source), "pattern");

  g_value_init (&value, pspec->value_type);
  if (!gst_value_deserialize_with_pspec (&value, name ? name : pattern, pspec) || (given && !own)) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s: videotestsrc has no such pattern or size",
                 text);
    return false;
  }
  if (own) {
    const GstStructure *s = gst_caps_get_structure (own, 0);
    for (gint i = 0; i < gst_structure_n_fields (s); i++) {
      const char *field = gst_structure_nth_field_name (s, (guint) i);
      gst_caps_set_value (wanted, field, gst_structure_get_value (s, field));
    }
  }
  g_object_set_property (G_OBJECT (source), "pattern", &value);
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "wanted");
  g_object_set (filter, "caps", wanted, NULL);
  return true;
}

static bool
set_source (const CameraConfig *config, GstElement *pipeline, GError **error)
{
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "source");

  switch (source_kind (config->source)) {
  case SOURCE_RTSP:
    set_address (source, config->source);
    return settings_apply (config, "rtspsrc", source, error);
  case SOURCE_V4L2:
    g_object_set (source, "device", config->source + strlen ("v4l2://"), NULL);
    return settings_apply (config, "v4l2src", source, error);
  case SOURCE_TEST:
    return set_pattern (pipeline, source, config->source, error);
  case SOURCE_FILE:
    g_object_set (source, "location", config->source, NULL);
    return true;
  default:
    g_assert_not_reached ();
  }
}

static GstElement *
build (const CameraConfig *config, GstCaps *caps, GError **error)
{
  g_autofree char *launch = describe (config->source);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!pipeline)
    return NULL;
  gst_object_ref_sink (pipeline);
  g_autoptr (GstElement) filter = gst_bin_get_by_name (GST_BIN (pipeline), "caps");
  g_object_set (filter, "caps", caps, NULL);
  return set_source (config, pipeline, error) ? g_steal_pointer (&pipeline) : NULL;
}

/* Element's own errors are told before ours. */
static void
open_source (Input *input)
{
  if (gst_element_set_state (input->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    GST_ELEMENT_ERROR (input->pipeline, RESOURCE, OPEN_READ, ("the source can't be opened"),
                       (NULL));
}

/* All that may block for ever. Has a reference to @input. */
static gpointer
play (gpointer data)
{
  Input *input = data;

  open_source (input);
  g_mutex_lock (&input->lock);
  while (!input->is_asked)
    g_cond_wait (&input->asked, &input->lock);
  g_mutex_unlock (&input->lock);
  gst_element_set_state (input->pipeline, GST_STATE_NULL);
  g_atomic_int_set (&input->is_closed, 1);
  inbox_wake (input->inbox);
  input_unref (input);
  return NULL;
}

Input *
input_open (const CameraConfig *config, GstCaps *caps, Inbox *inbox, Feed *feed, GError **error)
{
  g_autoptr (GstElement) pipeline = build (config, caps, error);

  if (!pipeline)
    return NULL;
  g_autoptr (Input) input = g_atomic_rc_box_new0 (Input);
  g_mutex_init (&input->lock);
  g_cond_init (&input->asked);
  input->inbox = inbox_ref (inbox);
  input->pipeline = g_steal_pointer (&pipeline);
  inbox_listen (inbox, input->pipeline);
  feed_begin (feed, input->pipeline);

  GThread *thread = g_thread_try_new ("input", play, g_atomic_rc_box_acquire (input), error);
  if (!thread) {
    input_unref (input); /* the thread's */
    return NULL;
  }
  g_thread_unref (thread);
  return g_steal_pointer (&input);
}

GstElement *
input_pipeline (Input *input)
{
  return input->pipeline;
}

void
input_close (Input *input)
{
  if (!input)
    return;
  g_mutex_lock (&input->lock);
  input->is_asked = true;
  g_cond_signal (&input->asked);
  g_mutex_unlock (&input->lock);
}

bool
input_is_closed (Input *input)
{
  return g_atomic_int_get (&input->is_closed);
}

static void
clear_input (gpointer data)
{
  Input *input = data;

  gst_object_unref (input->pipeline);
  inbox_unref (input->inbox);
  g_cond_clear (&input->asked);
  g_mutex_clear (&input->lock);
}

void
input_unref (Input *input)
{
  if (input)
    g_atomic_rc_box_release_full (input, clear_input);
}
