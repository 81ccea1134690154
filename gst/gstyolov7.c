/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/gstyolov7.c - finds objects in video frames with a YOLOv7 checkpoint. */

/**
 * SECTION:element-yolov7
 * @title: yolov7
 * @short_description: finds objects with a YOLOv7 checkpoint, on any Vulkan device
 * @see_also: yolov7overlay
 *
 * yolov7 reads the checkpoint that YOLOv7 training wrote (best.pt), re-parameterises it while
 * loading, runs it on each frame and attaches what it found to the buffer. Pixels are neither
 * changed nor copied. The results are those of upstream's detect.py with the same thresholds.
 *
 * What is attached, and how any application reads it, is told in gst/detectionmeta.h:
 * GstYolov7Detections (the whole result), and unless #GstYolov7:attach-roi-meta is off
 * GstVideoRegionOfInterestMeta as DL Streamer writes it. Hardware encoders behind this element may
 * spend more bits on such regions. The frame is what the caps say: a GstVideoCropMeta is neither
 * asked for nor followed.
 *
 * The model is loaded from READY to PAUSED; a file that can't be used fails that state change with
 * an error message that says what is wrong with it. Each frame is analysed on the streaming thread;
 * where frames come faster than they are analysed, put a leaky queue in front. Quality of service
 * is off unless #GstBaseTransform:qos is set: then late frames are dropped before they are
 * analysed.
 *
 * Woven interlaced frames are analysed as they are; put deinterlace in front where motion matters.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=street.mp4 ! decodebin ! videoconvert \
 *   ! yolov7 model-file=best.pt ! yolov7overlay ! videoconvert ! autovideosink
 * ]|
 * Shows what a trained model finds in a file.
 * |[
 * gst-launch-1.0 v4l2src ! queue leaky=downstream max-size-buffers=1 ! videoconvert \
 *   ! yolov7 model-file=best.pt classes=person,2 confidence-threshold=0.5 ! fakesink
 * ]|
 * Only persons and class 2, from a camera, newest frame first.
 *
 * Since: 0.1
 */
#include "gst/gstyolov7.h"

#include <gst/video/video.h>

#include "engine/yolov7.h"
#include "gst/detectionmeta.h"
#include "gst/found.h"
#include "gst/frameview.h"
#include "gst/labels.h"
#include "gst/posterror.h"
#include "gst/settings.h"

GST_DEBUG_CATEGORY_STATIC (yolov7_debug);
#define GST_CAT_DEFAULT yolov7_debug

/* ---- tables --------------------------------------------------------------------------------- */

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                             GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_YOLOV7_FORMATS)));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_YOLOV7_FORMATS)));

struct _GstYolov7 {
  GstBaseTransform parent;

  /* protected by the object lock */
  GstYolov7Settings settings;
  gboolean options_changed; /* those that may change while playing, since they were last taken */
  gboolean classes_changed; /* among them */

  /* streaming thread only, from start() to stop() */
  GstVideoInfo info;
  YvEngine *engine;
  YvStream *stream;
  YvStreamOptions options; /* that the stream has; what shapes the input is that of start() */
  char *classes;           /* (nullable): options.classes */
  gboolean refused_caps;   /* an error was posted for: sticky caps come again and again */
  char **labels;           /* (nullable): instead of the engine's class names */
  GArray *detections;      /* of GstYolov7Detection; kept for its memory */
};

G_DEFINE_FINAL_TYPE (GstYolov7, gst_yolov7, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (yolov7, "yolov7", GST_RANK_NONE, GST_TYPE_YOLOV7)

/* ---- properties ----------------------------------------------------------------------------- */

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstYolov7 *self = GST_YOLOV7 (object);

  GST_OBJECT_LOCK (self);
  const gboolean known = gst_yolov7_settings_set (&self->settings, id, value);
  if (pspec->flags & GST_PARAM_MUTABLE_PLAYING)
    self->options_changed = TRUE;
  if (g_str_equal (pspec->name, "classes"))
    self->classes_changed = TRUE;
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstYolov7 *self = GST_YOLOV7 (object);

  GST_OBJECT_LOCK (self);
  const gboolean known = gst_yolov7_settings_get (&self->settings, id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* ---- life ----------------------------------------------------------------------------------- */

/* @classes_changed: (out) (nullable) */
static void
take_settings (GstYolov7 *self, GstYolov7Settings *copy, gboolean *classes_changed)
{
  GST_OBJECT_LOCK (self);
  gst_yolov7_settings_copy (&self->settings, copy);
  if (classes_changed)
    *classes_changed = self->classes_changed;
  self->options_changed = FALSE;
  self->classes_changed = FALSE;
  GST_OBJECT_UNLOCK (self);
}

static gboolean
load_engine (GstYolov7 *self, const GstYolov7Settings *settings)
{
  const YvEngineOptions options = {
      .model_file = settings->model_file,
      .config_file = settings->config_file,
      .device = settings->device,
      .precision = settings->precision,
      .fallback = settings->fallback,
  };
  GError *error = NULL;

  if (!settings->model_file && !settings->config_file) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
                       ("There is no model. Set the property model-file to the checkpoint that "
                        "YOLOv7 training wrote (best.pt)."),
                       ("neither model-file nor config-file is set"));
    return FALSE;
  }
  self->engine = yv_engine_new (&options, &error);
  if (!self->engine) {
    GST_YOLOV7_POST_ERROR (self, "Could not load the model", error);
    return FALSE;
  }

  const YvEngineInfo *info = yv_engine_info (self->engine);
  GST_INFO_OBJECT (self, "%s: %u classes, on %s in %s, loaded in %" G_GUINT64_FORMAT " ms",
                   info->model_source, info->n_classes, info->device_name,
                   gst_yolov7_precision_nick (info->precision), info->load_ns / GST_MSECOND);
  if (info->warning)
    GST_ELEMENT_WARNING (self, RESOURCE, READ, ("%s", info->warning),
                         ("the model is used all the same"));
  if (!settings->model_file)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                         ("The weights are random. Set model-file for detections that mean "
                          "something."),
                         ("config-file is set without model-file"));
  return TRUE;
}

static gboolean
load_labels (GstYolov7 *self, const GstYolov7Settings *settings)
{
  GError *error = NULL;

  if (!settings->label_file)
    return TRUE;
  self->labels = gst_yolov7_labels_read (settings->label_file,
                                         yv_engine_info (self->engine)->n_classes, &error);
  if (!self->labels)
    GST_YOLOV7_POST_ERROR (self, "Could not use the class names", error);
  return self->labels != NULL;
}

/* Creates the stream, or gives the one there is new options; on failure the old ones stay. */
static gboolean
use_options (GstYolov7 *self, const YvStreamOptions *options, GError **error)
{
  if (self->stream) {
    if (!yv_stream_set_options (self->stream, options, error))
      return FALSE;
  } else {
    self->stream = yv_stream_new (self->engine, options, error);
    if (!self->stream)
      return FALSE;
  }

  char *classes = g_strdup (options->classes); /* may be the one that is freed next */
  g_free (self->classes);
  self->classes = classes;
  self->options = *options;
  self->options.classes = classes;
  return TRUE;
}

/* As detect.py does. */
static void
warn_of_raised_size (GstYolov7 *self, guint size)
{
  const guint stride = yv_engine_info (self->engine)->max_stride;

  if (size % stride != 0)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                         ("input-size %u is no multiple of the model's stride, %u: %u is used.",
                          size, stride, (size / stride + 1) * stride),
                         (NULL));
}

static gboolean
open_stream (GstYolov7 *self, const GstYolov7Settings *settings)
{
  g_autofree char *classes = gst_yolov7_labels_resolve (self->labels, settings->classes);
  YvStreamOptions options = settings->stream;
  GError *error = NULL;

  warn_of_raised_size (self, options.input_size);
  options.classes = classes;
  if (use_options (self, &options, &error))
    return TRUE;
  GST_YOLOV7_POST_ERROR (self, "Could not use the properties", error);
  return FALSE;
}

/* After a start() that failed, too: nothing calls stop() then. */
static gboolean
stop (GstBaseTransform *base)
{
  GstYolov7 *self = GST_YOLOV7 (base);

  g_clear_pointer (&self->detections, g_array_unref);
  g_clear_pointer (&self->stream, yv_stream_free);
  g_clear_pointer (&self->classes, g_free);
  g_clear_pointer (&self->labels, g_strfreev);
  g_clear_pointer (&self->engine, yv_engine_unref);
  gst_video_info_init (&self->info);
  return TRUE;
}

static gboolean
start (GstBaseTransform *base)
{
  GstYolov7 *self = GST_YOLOV7 (base);
  g_auto (GstYolov7Settings) settings = {0};

  take_settings (self, &settings, NULL);
  self->refused_caps = FALSE;
  self->detections = g_array_new (FALSE, FALSE, sizeof (GstYolov7Detection));
  if (load_engine (self, &settings) && load_labels (self, &settings) &&
      open_stream (self, &settings))
    return TRUE;
  stop (base);
  return FALSE;
}

/* Posts what is wrong with the caps, once: they are sticky, and come again with each buffer. */
static gboolean
accept_caps (GstYolov7 *self, GstCaps *caps)
{
  const char *why = NULL;
  GError *error = NULL;

  if (!gst_video_info_from_caps (&self->info, caps))
    why = "its caps can't be read";
  else
    gst_yolov7_frame_view_check (&self->info, &why);
  if (!why && yv_stream_prepare (self->stream, (uint32_t) GST_VIDEO_INFO_WIDTH (&self->info),
                                 (uint32_t) GST_VIDEO_INFO_HEIGHT (&self->info), &error))
    return TRUE;

  if (self->refused_caps)
    g_clear_error (&error);
  else if (why)
    gst_yolov7_post_bad_caps (GST_ELEMENT (self), caps, why);
  else
    GST_YOLOV7_POST_ERROR (self, "Could not prepare for frames of this size", error);
  return FALSE;
}

static gboolean
set_caps (GstBaseTransform *base, GstCaps *in, GstCaps *out)
{
  GstYolov7 *self = GST_YOLOV7 (base);
  (void) out;

  const gboolean accepted = accept_caps (self, in);
  self->refused_caps = !accepted;
  return accepted;
}

/* Buffers with padded rows are welcome. */
static gboolean
propose_allocation (GstBaseTransform *base, GstQuery *decided, GstQuery *query)
{
  if (!GST_BASE_TRANSFORM_CLASS (gst_yolov7_parent_class)
           ->propose_allocation (base, decided, query))
    return FALSE;
  if (!gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL))
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

/* A wrong value while playing is no reason to stop: the old one stays. Classes are tried alone, so
 * that a name that the model lacks keeps no other property from its new value. */
static void
update_options (GstYolov7 *self)
{
  g_auto (GstYolov7Settings) settings = {0};
  gboolean classes_changed = FALSE;
  GError *error = NULL;

  GST_OBJECT_LOCK (self);
  const gboolean changed = self->options_changed;
  GST_OBJECT_UNLOCK (self);
  if (!changed)
    return;
  take_settings (self, &settings, &classes_changed);

  YvStreamOptions options = settings.stream;
  options.input_size = self->options.input_size;
  options.letterbox = self->options.letterbox;
  options.shrink_only = self->options.shrink_only;
  options.classes = self->classes;
  if (!use_options (self, &options, &error))
    GST_YOLOV7_POST_WARNING (self, "The properties stay as they were", g_steal_pointer (&error));
  if (!classes_changed)
    return;

  g_autofree char *classes = gst_yolov7_labels_resolve (self->labels, settings.classes);
  options = self->options;
  options.classes = classes;
  if (!use_options (self, &options, &error))
    GST_YOLOV7_POST_WARNING (self, "The classes stay as they were", error);
}

static void
attach (GstYolov7 *self, GstBuffer *buffer, const YvDetections *found)
{
  const char *const *labels = self->labels ? (const char *const *) self->labels
                                           : yv_engine_info (self->engine)->class_names;

  GST_OBJECT_LOCK (self);
  const GstYolov7MetaKinds kinds =
      (self->settings.attach_roi_meta ? GST_YOLOV7_META_ROI : 0) |
      (self->settings.attach_analytics_meta ? GST_YOLOV7_META_ANALYTICS : 0);
  GST_OBJECT_UNLOCK (self);

  const GstYolov7Frame frame = {
      .width = (guint) GST_VIDEO_INFO_WIDTH (&self->info),
      .height = (guint) GST_VIDEO_INFO_HEIGHT (&self->info),
      .pts = GST_BUFFER_PTS (buffer),
      .duration = GST_BUFFER_DURATION (buffer),
  };
  gst_yolov7_found_convert (found, labels, self->detections);
  gst_yolov7_detections_attach (buffer, &frame,
                                (const GstYolov7Detection *) (gpointer) self->detections->data,
                                self->detections->len, kinds);
}

static GstFlowReturn
transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  GstYolov7 *self = GST_YOLOV7 (base);
  GstYolov7FrameView view;
  GError *error = NULL;

  update_options (self);
  if (!gst_yolov7_frame_view_map (&view, &self->info, buffer, GST_MAP_READ)) {
    gst_yolov7_post_bad_frame (GST_ELEMENT (self), &self->info, buffer);
    return GST_FLOW_ERROR;
  }
  const YvDetections *found = yv_stream_detect (self->stream, &view.image, &error);
  gst_yolov7_frame_view_unmap (&view);
  if (!found) {
    GST_YOLOV7_POST_ERROR (self, "Could not analyse a frame", error);
    return GST_FLOW_ERROR;
  }
  attach (self, buffer, found);
  GST_LOG_OBJECT (self, "%u detections in %" G_GUINT64_FORMAT " us", found->n_detections,
                  found->times.total_ns / GST_USECOND);
  return GST_FLOW_OK;
}

static void
finalize (GObject *object)
{
  gst_yolov7_settings_clear (&GST_YOLOV7 (object)->settings);
  G_OBJECT_CLASS (gst_yolov7_parent_class)->finalize (object);
}

static void
gst_yolov7_class_init (GstYolov7Class *class)
{
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (class);

  GST_DEBUG_CATEGORY_INIT (yolov7_debug, "yolov7", 0, "finds objects in video frames");
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  gst_yolov7_settings_install (object);

  gst_element_class_set_static_metadata (
      element, "YOLOv7 object detector", "Filter/Analyzer/Video",
      "Finds objects with a YOLOv7 checkpoint, on any Vulkan device", "The gst-yolov7 authors");
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);

  transform->start = GST_DEBUG_FUNCPTR (start);
  transform->set_caps = GST_DEBUG_FUNCPTR (set_caps);
  transform->propose_allocation = GST_DEBUG_FUNCPTR (propose_allocation);
  transform->transform_ip = GST_DEBUG_FUNCPTR (transform_ip);
  transform->stop = GST_DEBUG_FUNCPTR (stop);
}

static void
gst_yolov7_init (GstYolov7 *self)
{
  gst_yolov7_settings_init (&self->settings);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}
