/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/input.c - how each kind of source is played. */
#include "examples/common/input.h"

#include <string.h>

#include "engine/error.h"
#include "examples/common/settings.h"
#include "examples/common/source.h"

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

GstElement *
input_new (const CameraConfig *config, GstCaps *caps, GError **error)
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
