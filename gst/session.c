/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/session.c - a model as one element uses it. */
#include "gst/session.h"

#include "gst/labels.h"
#include "gst/posterror.h"

GST_DEBUG_CATEGORY_EXTERN (gst_yolov7_debug);
#define GST_CAT_DEFAULT gst_yolov7_debug

/* ---- beginning ------------------------------------------------------------------------------ */

static void
tell_of_model (GstYolov7Session *session, const GstYolov7Settings *settings)
{
  const YvEngineInfo *info = yv_engine_info (session->engine);

  GST_INFO_OBJECT (session->element,
                   "%s: %u classes, on %s in %s, loaded in %" G_GUINT64_FORMAT " ms",
                   info->model_source, info->n_classes, info->device_name,
                   gst_yolov7_precision_nick (info->precision), info->load_ns / GST_MSECOND);
  if (info->warning)
    GST_ELEMENT_WARNING (session->element, RESOURCE, READ, ("%s", info->warning),
                         ("the model is used all the same"));
  if (settings->config_file && !settings->model_file)
    GST_ELEMENT_WARNING (session->element, RESOURCE, SETTINGS,
                         ("The weights are random. Set model-file for detections that mean "
                          "something."),
                         ("config-file is set without model-file"));
}

static gboolean
get_model (GstYolov7Session *session, const GstYolov7Settings *settings, GError **error)
{
  const YvEngineOptions options = {
      .model_file = settings->model_file,
      .config_file = settings->config_file,
      .device = settings->device,
      .precision = settings->precision,
      .fallback = settings->fallback,
  };

  if (!settings->model_file && !settings->config_file && !settings->model_instance_id) {
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
                 "there is none; set the property model-file to the checkpoint that YOLOv7 "
                 "training wrote (best.pt)");
    return FALSE;
  }
  session->model = gst_yolov7_model_get (&options, settings->model_instance_id, error);
  if (!session->model)
    return FALSE;
  session->engine = gst_yolov7_model_engine (session->model);
  return TRUE;
}

static gboolean
read_labels (GstYolov7Session *session, const GstYolov7Settings *settings, GError **error)
{
  if (!settings->label_file)
    return TRUE;
  session->labels = gst_yolov7_labels_read (settings->label_file,
                                            yv_engine_info (session->engine)->n_classes, error);
  return session->labels != NULL;
}

/* Creates the stream, or gives the one there is new options; on failure the old ones stay. */
static gboolean
use_options (GstYolov7Session *session, const YvStreamOptions *options, GError **error)
{
  GstYolov7Settings *settings = &session->settings;

  if (session->stream) {
    if (!yv_stream_set_options (session->stream, options, error))
      return FALSE;
  } else {
    session->stream = yv_stream_new (session->engine, options, error);
    if (!session->stream)
      return FALSE;
  }

  char *classes = g_strdup (options->classes); /* may be the one that is freed next */
  g_mutex_lock (&session->mutex);
  g_free (settings->classes);
  settings->classes = classes;
  settings->stream = *options;
  settings->stream.classes = NULL;
  g_mutex_unlock (&session->mutex);
  return TRUE;
}

/* As detect.py does. */
static void
warn_of_raised_size (GstYolov7Session *session)
{
  const guint stride = yv_engine_info (session->engine)->max_stride;
  const guint size = session->settings.stream.input_size;

  if (size % stride != 0)
    GST_ELEMENT_WARNING (session->element, RESOURCE, SETTINGS,
                         ("input-size %u is no multiple of the model's stride, %u: %u is used.",
                          size, stride, (size / stride + 1) * stride),
                         (NULL));
}

static gboolean
open_stream (GstYolov7Session *session, const GstYolov7Settings *settings, YvReadyFunc ready,
             gpointer user_data, GError **error)
{
  g_autofree char *classes = gst_yolov7_labels_resolve (session->labels, settings->classes);
  YvStreamOptions options = settings->stream;

  options.classes = classes;
  options.shares_batches = true;
  if (!use_options (session, &options, error))
    return FALSE;
  yv_stream_set_ready_func (session->stream, ready, user_data);
  warn_of_raised_size (session);
  return TRUE;
}

GstYolov7Session *
gst_yolov7_session_new (GstElement *element, const GstYolov7Settings *settings, YvReadyFunc ready,
                        gpointer user_data, const char **doing, GError **error)
{
  g_autoptr (GstYolov7Session) session = g_new0 (GstYolov7Session, 1);

  g_atomic_ref_count_init (&session->n_refs);
  g_mutex_init (&session->mutex);
  session->element = element;
  gst_yolov7_settings_copy (settings, &session->settings);
  *doing = "Could not load the model";
  if (!get_model (session, settings, error))
    return NULL;
  *doing = "Could not use the class names";
  if (!read_labels (session, settings, error))
    return NULL;
  *doing = "Could not use the properties";
  if (!open_stream (session, settings, ready, user_data, error))
    return NULL;
  tell_of_model (session, settings);
  return g_steal_pointer (&session);
}

GstYolov7Session *
gst_yolov7_session_renew (GstYolov7Session *lost, YvReadyFunc ready, gpointer user_data,
                          const char **doing, GError **error)
{
  g_auto (GstYolov7Settings) settings = {0};

  gst_yolov7_model_forget (lost->model);
  g_mutex_lock (&lost->mutex);
  gst_yolov7_settings_copy (&lost->settings, &settings);
  g_mutex_unlock (&lost->mutex);
  return gst_yolov7_session_new (lost->element, &settings, ready, user_data, doing, error);
}

GstYolov7Session *
gst_yolov7_session_ref (GstYolov7Session *session)
{
  g_atomic_ref_count_inc (&session->n_refs);
  return session;
}

void
gst_yolov7_session_unref (GstYolov7Session *session)
{
  if (!session || !g_atomic_ref_count_dec (&session->n_refs))
    return;
  yv_stream_free (session->stream);
  g_strfreev (session->labels);
  if (session->model)
    gst_yolov7_model_unref (session->model);
  gst_yolov7_settings_clear (&session->settings);
  g_mutex_clear (&session->mutex);
  g_free (session);
}

/* ---- changes -------------------------------------------------------------------------------- */

/* Only this thread changes them, so it may read them without the lock. */
void
gst_yolov7_session_update (GstYolov7Session *session, const GstYolov7Settings *settings,
                           gboolean classes_changed)
{
  YvStreamOptions options = session->settings.stream;
  GError *error = NULL;

  options.confidence_threshold = settings->stream.confidence_threshold;
  options.iou_threshold = settings->stream.iou_threshold;
  options.max_detections = settings->stream.max_detections;
  options.class_agnostic_nms = settings->stream.class_agnostic_nms;
  options.multi_label = settings->stream.multi_label;
  options.multiply_one_class = settings->stream.multiply_one_class;
  options.classes = session->settings.classes;
  if (!use_options (session, &options, &error))
    GST_YOLOV7_POST_WARNING (session->element, "The properties stay as they were",
                             g_steal_pointer (&error));
  if (!classes_changed)
    return;

  g_autofree char *classes = gst_yolov7_labels_resolve (session->labels, settings->classes);
  options = session->settings.stream;
  options.classes = classes;
  if (!use_options (session, &options, &error))
    GST_YOLOV7_POST_WARNING (session->element, "The classes stay as they were", error);
}

const char *const *
gst_yolov7_session_class_names (const GstYolov7Session *session)
{
  return session->labels ? (const char *const *) session->labels
                         : yv_engine_info (session->engine)->class_names;
}
