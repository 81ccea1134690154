/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/settings.c - the properties of yolov7. */
#include "gst/settings.h"

#include <stddef.h>

enum {
  PROP_0,
  PROP_MODEL_FILE,
  PROP_CONFIG_FILE,
  PROP_LABEL_FILE,
  PROP_CONFIDENCE_THRESHOLD,
  PROP_IOU_THRESHOLD,
  PROP_MAX_DETECTIONS,
  PROP_CLASSES,
  PROP_CLASS_AGNOSTIC_NMS,
  PROP_MULTI_LABEL,
  PROP_MULTIPLY_ONE_CLASS,
  PROP_INPUT_SIZE,
  PROP_LETTERBOX_MODE,
  PROP_SCALE_UP,
  PROP_DEVICE,
  PROP_PRECISION,
  PROP_FALLBACK_PRECISION,
  PROP_MODEL_INSTANCE_ID,
  PROP_MAX_IN_FLIGHT,
  PROP_BATCH_SIZE,
  PROP_BATCH_TIMEOUT,
  PROP_LEAKY,
  PROP_INFERENCE_INTERVAL,
  PROP_QOS,
  PROP_POST_MESSAGES,
  PROP_ATTACH_ROI_META,
#ifdef HAVE_GST_ANALYTICS
  PROP_ATTACH_ANALYTICS_META,
#endif
  N_PROPS
};

static const GEnumValue precisions[] = {
    {YV_PRECISION_AUTO, "fp16 on GPUs that have it, fp32 on CPUs", "auto"},
    {YV_PRECISION_FP32, "32 bit floats", "fp32"},
    {YV_PRECISION_FP16, "16 bit floats in memory, sums in 32", "fp16"},
    {0, NULL, NULL},
};

static const GEnumValue fallbacks[] = {
    {YV_FALLBACK_FP32, "Use fp32, with a warning", "fp32"},
    {YV_FALLBACK_NONE, "Fail", "none"},
    {0, NULL, NULL},
};

static const GEnumValue letterbox_modes[] = {
    {YV_LETTERBOX_AUTO, "Pad only to a multiple of the model's stride, as detect.py", "auto"},
    {YV_LETTERBOX_FIXED, "Pad to a square of input-size", "fixed"},
    {0, NULL, NULL},
};

static const GEnumValue leaky_modes[] = {
    {GST_YOLOV7_LEAKY_NO, "Every frame waits for its analysis", "no"},
    {GST_YOLOV7_LEAKY_UPSTREAM,
     "Frames that find the device busy are passed on unanalysed, behind those that wait for it",
     "upstream"},
    {GST_YOLOV7_LEAKY_DOWNSTREAM,
     "A frame waits until the next one comes; detections that come later go onto a newer frame",
     "downstream"},
    {0, NULL, NULL},
};

#define GST_TYPE_YOLOV7_PRECISION (precision_get_type ())
static GType
precision_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstYolov7Precision", precisions));
  return type;
}

#define GST_TYPE_YOLOV7_FALLBACK_PRECISION (fallback_precision_get_type ())
static GType
fallback_precision_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstYolov7FallbackPrecision", fallbacks));
  return type;
}

#define GST_TYPE_YOLOV7_LETTERBOX_MODE (letterbox_mode_get_type ())
static GType
letterbox_mode_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstYolov7LetterboxMode", letterbox_modes));
  return type;
}

#define GST_TYPE_YOLOV7_LEAKY (leaky_get_type ())
static GType
leaky_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstYolov7Leaky", leaky_modes));
  return type;
}

/* Where a property's value is kept; its type is the property's own. */
static const gsize offsets[N_PROPS] = {
    [PROP_MODEL_FILE] = offsetof (GstYolov7Settings, model_file),
    [PROP_CONFIG_FILE] = offsetof (GstYolov7Settings, config_file),
    [PROP_LABEL_FILE] = offsetof (GstYolov7Settings, label_file),
    [PROP_CONFIDENCE_THRESHOLD] = offsetof (GstYolov7Settings, stream.confidence_threshold),
    [PROP_IOU_THRESHOLD] = offsetof (GstYolov7Settings, stream.iou_threshold),
    [PROP_MAX_DETECTIONS] = offsetof (GstYolov7Settings, stream.max_detections),
    [PROP_CLASSES] = offsetof (GstYolov7Settings, classes),
    [PROP_CLASS_AGNOSTIC_NMS] = offsetof (GstYolov7Settings, stream.class_agnostic_nms),
    [PROP_MULTI_LABEL] = offsetof (GstYolov7Settings, stream.multi_label),
    [PROP_MULTIPLY_ONE_CLASS] = offsetof (GstYolov7Settings, stream.multiply_one_class),
    [PROP_INPUT_SIZE] = offsetof (GstYolov7Settings, stream.input_size),
    [PROP_LETTERBOX_MODE] = offsetof (GstYolov7Settings, stream.letterbox),
    [PROP_SCALE_UP] = offsetof (GstYolov7Settings, stream.shrink_only),
    [PROP_DEVICE] = offsetof (GstYolov7Settings, device),
    [PROP_PRECISION] = offsetof (GstYolov7Settings, precision),
    [PROP_FALLBACK_PRECISION] = offsetof (GstYolov7Settings, fallback),
    [PROP_MODEL_INSTANCE_ID] = offsetof (GstYolov7Settings, model_instance_id),
    [PROP_MAX_IN_FLIGHT] = offsetof (GstYolov7Settings, stream.max_in_flight),
    [PROP_BATCH_SIZE] = offsetof (GstYolov7Settings, stream.batch_size),
    [PROP_BATCH_TIMEOUT] = offsetof (GstYolov7Settings, stream.batch_timeout_ns),
    [PROP_LEAKY] = offsetof (GstYolov7Settings, leaky),
    [PROP_INFERENCE_INTERVAL] = offsetof (GstYolov7Settings, inference_interval),
    [PROP_QOS] = offsetof (GstYolov7Settings, qos),
    [PROP_POST_MESSAGES] = offsetof (GstYolov7Settings, post_messages),
    [PROP_ATTACH_ROI_META] = offsetof (GstYolov7Settings, attach_roi_meta),
#ifdef HAVE_GST_ANALYTICS
    [PROP_ATTACH_ANALYTICS_META] = offsetof (GstYolov7Settings, attach_analytics_meta),
#endif
};
_Static_assert(sizeof (YvPrecision) == sizeof (int) && sizeof (YvFallback) == sizeof (int) &&
                   sizeof (YvLetterboxMode) == sizeof (int) &&
                   sizeof (GstYolov7Leaky) == sizeof (int),
               "enums are stored through an int pointer");

/* ---- values --------------------------------------------------------------------------------- */

void
gst_yolov7_settings_init (GstYolov7Settings *settings)
{
  *settings = (GstYolov7Settings){
      .stream = YV_STREAM_DEFAULTS,
      .inference_interval = 1,
      .attach_roi_meta = true,
      .attach_analytics_meta = true,
  };
}

void
gst_yolov7_settings_clear (GstYolov7Settings *settings)
{
  g_free (settings->model_file);
  g_free (settings->config_file);
  g_free (settings->label_file);
  g_free (settings->device);
  g_free (settings->classes);
  g_free (settings->model_instance_id);
  *settings = (GstYolov7Settings){0};
}

void
gst_yolov7_settings_copy (const GstYolov7Settings *settings, GstYolov7Settings *copy)
{
  *copy = *settings;
  copy->model_file = g_strdup (settings->model_file);
  copy->config_file = g_strdup (settings->config_file);
  copy->label_file = g_strdup (settings->label_file);
  copy->device = g_strdup (settings->device);
  copy->classes = g_strdup (settings->classes);
  copy->model_instance_id = g_strdup (settings->model_instance_id);
}

/* The engine's option says the contrary of the property. */
static bool
is_negated (guint id)
{
  return id == PROP_SCALE_UP;
}

/* "" is not set: what a shell variable that does not exist gives. */
static void
replace_string (char **string, const GValue *value)
{
  const char *text = g_value_get_string (value);

  g_free (*string);
  *string = text && *text ? g_strdup (text) : NULL;
}

gboolean
gst_yolov7_settings_set (GstYolov7Settings *settings, guint id, const GValue *value)
{
  if (id == PROP_0 || id >= N_PROPS)
    return FALSE;

  void *field = (char *) settings + offsets[id];
  if (G_VALUE_HOLDS_STRING (value))
    replace_string (field, value);
  else if (G_VALUE_HOLDS_FLOAT (value))
    *(float *) field = g_value_get_float (value);
  else if (G_VALUE_HOLDS_UINT (value))
    *(uint32_t *) field = g_value_get_uint (value);
  else if (G_VALUE_HOLDS_UINT64 (value))
    *(uint64_t *) field = g_value_get_uint64 (value);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    *(bool *) field = g_value_get_boolean (value) != is_negated (id);
  else
    *(int *) field = g_value_get_enum (value);
  return TRUE;
}

gboolean
gst_yolov7_settings_get (const GstYolov7Settings *settings, guint id, GValue *value)
{
  if (id == PROP_0 || id >= N_PROPS)
    return FALSE;

  const void *field = (const char *) settings + offsets[id];
  if (G_VALUE_HOLDS_STRING (value))
    g_value_set_string (value, *(char *const *) field);
  else if (G_VALUE_HOLDS_FLOAT (value))
    g_value_set_float (value, *(const float *) field);
  else if (G_VALUE_HOLDS_UINT (value))
    g_value_set_uint (value, *(const uint32_t *) field);
  else if (G_VALUE_HOLDS_UINT64 (value))
    g_value_set_uint64 (value, *(const uint64_t *) field);
  else if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, *(const bool *) field != is_negated (id));
  else
    g_value_set_enum (value, *(const int *) field);
  return TRUE;
}

const char *
gst_yolov7_precision_nick (YvPrecision precision)
{
  return precisions[precision].value_nick;
}

/* ---- specifications ------------------------------------------------------------------------- */

static void
init_model_properties (GParamSpec **properties)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  properties[PROP_MODEL_FILE] = g_param_spec_string (
      "model-file", "Model file",
      "Checkpoint that YOLOv7 training wrote (best.pt), or safetensors; while playing, the new "
      "model "
      "is loaded beside the old one, with the other properties as they are then, and takes over "
      "between two frames",
      NULL, (flags & ~GST_PARAM_MUTABLE_READY) | GST_PARAM_MUTABLE_PLAYING);
  properties[PROP_CONFIG_FILE] = g_param_spec_string (
      "config-file", "Config file",
      "Model description (cfg/*.yaml), for a model-file that is a bare state dict; without a "
      "model-file the weights are random, for measurements",
      NULL, flags);
  properties[PROP_LABEL_FILE] = g_param_spec_string (
      "label-file", "Label file",
      "Class names, one a line, instead of those in the checkpoint; as many as it has classes",
      NULL, flags);
  properties[PROP_INPUT_SIZE] = g_param_spec_uint (
      "input-size", "Input size",
      "Long side of the network's input in pixels, raised to a multiple of the model's stride; 0: "
      "the model's own (640, or 1280 for models with stride 64)",
      0, 8192, 0, flags);
  properties[PROP_LETTERBOX_MODE] =
      g_param_spec_enum ("letterbox-mode", "Letterbox mode",
                         "How far the scaled frame is padded; the aspect ratio is always kept",
                         GST_TYPE_YOLOV7_LETTERBOX_MODE, YV_LETTERBOX_AUTO, flags);
  properties[PROP_SCALE_UP] = g_param_spec_boolean (
      "scale-up", "Scale up",
      "Enlarge frames that are smaller than input-size; else they are padded as they are", TRUE,
      flags);
  properties[PROP_DEVICE] = g_param_spec_string (
      "device", "Device",
      "Vulkan device: an index, a part of its name, a UUID, or \"reference\" (slow loops on the "
      "CPU); not set: the best there is",
      NULL, flags);
  properties[PROP_PRECISION] =
      g_param_spec_enum ("precision", "Precision", "How numbers are stored on the device",
                         GST_TYPE_YOLOV7_PRECISION, YV_PRECISION_AUTO, flags);
  properties[PROP_FALLBACK_PRECISION] = g_param_spec_enum (
      "fallback-precision", "Fallback precision",
      "What to do with precision=fp16 on a device that has no 16 bit floats or computes wrongly "
      "with them, which is checked while loading; precision=auto uses fp32 then",
      GST_TYPE_YOLOV7_FALLBACK_PRECISION, YV_FALLBACK_FP32, flags);
}

/* How frames travel. */
static void
init_flow_properties (GParamSpec **properties)
{
  const GParamFlags ready = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags playing =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  properties[PROP_MODEL_INSTANCE_ID] = g_param_spec_string (
      "model-instance-id", "Model instance ID",
      "Elements with the same one share a model, and only the first that starts needs a "
      "model-file; "
      "not set: elements with the same model, device and precision share it by themselves",
      NULL, ready);
  properties[PROP_MAX_IN_FLIGHT] = g_param_spec_uint (
      "max-in-flight", "Maximum in flight",
      "Most frames of this element that are analysed at a time; 0: 2, or 1 where leaky", 0,
      YV_MAX_IN_FLIGHT, 0, ready);
  properties[PROP_BATCH_SIZE] = g_param_spec_uint (
      "batch-size", "Batch size",
      "Most frames, of all elements that share the model, that run together on the device; 0: as "
      "many as pay",
      0, YV_MAX_BATCH, 0, ready);
  properties[PROP_BATCH_TIMEOUT] = g_param_spec_uint64 (
      "batch-timeout", "Batch timeout",
      "How long a frame waits on an idle device for a full batch, in ns; 0: not at all", 0,
      G_MAXINT64, 0, ready);
  properties[PROP_LEAKY] = g_param_spec_enum (
      "leaky", "Leaky", "Which frames are passed on unanalysed where the device is too slow",
      GST_TYPE_YOLOV7_LEAKY, GST_YOLOV7_LEAKY_NO, playing);
  properties[PROP_INFERENCE_INTERVAL] = g_param_spec_uint (
      "inference-interval", "Inference interval",
      "Of so many frames one is analysed, and the others are passed on; 1: each one", 1, G_MAXUINT,
      1, playing);
  properties[PROP_QOS] = g_param_spec_boolean (
      "qos", "QoS",
      "Frames that a sink has said are too late are passed on unanalysed, with a QoS message",
      FALSE, playing);
  properties[PROP_POST_MESSAGES] = g_param_spec_boolean (
      "post-messages", "Post messages",
      "Post an element message \"yolov7-detections\" for each analysed frame", FALSE, playing);
}

static void
init_detection_properties (GParamSpec **properties)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  properties[PROP_CONFIDENCE_THRESHOLD] = g_param_spec_float (
      "confidence-threshold", "Confidence threshold",
      "A detection's objectness * class probability is above this, 0..1", 0, 1, 0.25f, flags);
  properties[PROP_IOU_THRESHOLD] = g_param_spec_float (
      "iou-threshold", "IoU threshold",
      "Of two boxes whose intersection over union is above this, 0..1, the less confident goes", 0,
      1, 0.45f, flags);
  properties[PROP_MAX_DETECTIONS] = g_param_spec_uint (
      "max-detections", "Maximum of detections",
      "Most detections in a frame; the most confident stay", 1, G_MAXUINT, 300, flags);
  properties[PROP_CLASSES] = g_param_spec_string (
      "classes", "Classes",
      "Classes to find, indices or names separated by commas (\"0,2,person\"); not set: all", NULL,
      flags);
  properties[PROP_CLASS_AGNOSTIC_NMS] =
      g_param_spec_boolean ("class-agnostic-nms", "Class-agnostic NMS",
                            "Boxes of different classes suppress each other too", FALSE, flags);
  properties[PROP_MULTI_LABEL] = g_param_spec_boolean (
      "multi-label", "Multi-label",
      "Every class of a box above confidence-threshold is a detection, not the best alone, as "
      "test.py counts; without effect for models of one class",
      FALSE, flags);
  properties[PROP_MULTIPLY_ONE_CLASS] = g_param_spec_boolean (
      "multiply-one-class", "Multiply one class",
      "For models of one class, too, confidence is objectness * class probability, as YOLOv5's "
      "tools compute it, and not the objectness alone",
      FALSE, flags);
  properties[PROP_ATTACH_ROI_META] = g_param_spec_boolean (
      "attach-roi-meta", "Attach ROI meta",
      "Attach GstVideoRegionOfInterestMeta too, as DL Streamer; some encoders react to it", TRUE,
      flags);
#ifdef HAVE_GST_ANALYTICS
  properties[PROP_ATTACH_ANALYTICS_META] = g_param_spec_boolean (
      "attach-analytics-meta", "Attach analytics meta",
      "Attach GstAnalyticsRelationMeta with object detections too", TRUE, flags);
#endif
}

void
gst_yolov7_settings_install (GObjectClass *class)
{
  GParamSpec *properties[N_PROPS] = {NULL};

  init_model_properties (properties);
  init_flow_properties (properties);
  init_detection_properties (properties);
  g_object_class_install_properties (class, N_PROPS, properties);
  gst_type_mark_as_plugin_api (GST_TYPE_YOLOV7_PRECISION, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_YOLOV7_FALLBACK_PRECISION, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_YOLOV7_LETTERBOX_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_YOLOV7_LEAKY, 0);
}
