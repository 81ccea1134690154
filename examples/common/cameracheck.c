/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/cameracheck.c - asks the elements about their properties, and the file system
 * about files. */
#include <gst/gst.h>
#include <string.h>

#include "common/file.h"
#include "engine/error.h"
#include "examples/common/cameraconfig.h"
#include "examples/common/property.h"
#include "examples/common/source.h"

/* "FILE:LINE: element.property is "value"", or without the value. */
static char *
describe (const CameraConfig *config, const CameraSetting *setting)
{
  g_autofree char *text =
      config_quote (property_is_secret (setting->property) ? "***" : setting->text);

  return g_strdup_printf ("%s:%u: %s.%s is %s", config->file,
                          setting->line ? setting->line : config->line, setting->element,
                          setting->property, text);
}

/* "; expected one of: no, upstream, downstream", or the type, or the range. */
static char *
describe_values (GParamSpec *pspec)
{
  if (G_IS_PARAM_SPEC_ENUM (pspec)) {
    GString *out = g_string_new ("one of:");
    const GEnumClass *class = G_PARAM_SPEC_ENUM (pspec)->enum_class;
    for (guint i = 0; i < class->n_values; i++)
      g_string_append_printf (out, "%s %s", i ? "," : "", class->values[i].value_nick);
    return g_string_free (out, FALSE);
  }
  if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    return g_strdup ("true or false");
#define RETURN_RANGE(TYPE, WORDS, FORMAT)                                                          \
  if (G_IS_PARAM_SPEC_##TYPE (pspec))                                                              \
  return g_strdup_printf (WORDS " of %" FORMAT " to %" FORMAT,                                     \
                          G_PARAM_SPEC_##TYPE (pspec)->minimum,                                    \
                          G_PARAM_SPEC_##TYPE (pspec)->maximum)
  RETURN_RANGE (UINT, "a whole number", "u");
  RETURN_RANGE (INT, "a whole number", "d");
  RETURN_RANGE (UINT64, "a whole number", G_GUINT64_FORMAT);
  RETURN_RANGE (INT64, "a whole number", G_GINT64_FORMAT);
  RETURN_RANGE (FLOAT, "a number", "g");
  RETURN_RANGE (DOUBLE, "a number", "g");
#undef RETURN_RANGE
  return g_strdup_printf ("a %s", g_type_name (pspec->value_type));
}

/* Whether the property takes the text as it is: what would be clamped is refused. */
static bool
takes (GParamSpec *pspec, const char *text)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  if (pspec->value_type == G_TYPE_STRING)
    return true;
  return gst_value_deserialize_with_pspec (&value, text, pspec) &&
         !g_param_value_validate (pspec, &value);
}

static bool
check_value (const CameraConfig *config, const CameraSetting *setting, GParamSpec *pspec,
             GError **error)
{
  const char *wanted_file =
      property_wants_file (setting->element, setting->property, setting->text);
  g_autofree char *found = describe (config, setting);
  g_autoptr (GError) problem = NULL;

  if (!takes (pspec, setting->text)) {
    g_autofree char *expected = describe_values (pspec);
    g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s; expected %s", found, expected);
    return false;
  }
  if (!wanted_file || config_check_file (setting->text, wanted_file, &problem))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s:%u: %s.%s: %s", config->file, setting->line,
               setting->element, setting->property, problem->message);
  return false;
}

/* The element's class; NULL where it is not installed. Unref it with g_type_class_unref(). */
static GObjectClass *
load_class (const char *element)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (element);
  g_autoptr (GstPluginFeature) loaded =
      factory ? gst_plugin_feature_load (GST_PLUGIN_FEATURE (factory)) : NULL;

  if (!loaded)
    return NULL;
  return g_type_class_ref (gst_element_factory_get_element_type (GST_ELEMENT_FACTORY (loaded)));
}

static bool
check_property (const CameraConfig *config, const CameraSetting *setting, GObjectClass *class,
                GError **error)
{
  GParamSpec *pspec = g_object_class_find_property (class, setting->property);

  if (pspec && (pspec->flags & G_PARAM_WRITABLE) && !(pspec->flags & G_PARAM_CONSTRUCT_ONLY) &&
      !g_str_equal (pspec->name, "name") && !g_str_equal (pspec->name, "parent"))
    return check_value (config, setting, pspec, error);
  g_autofree char *property = config_quote (setting->property);
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s:%u: %s has no property %s to set; gst-inspect-1.0 %s lists them", config->file,
               setting->line, setting->element, property, setting->element);
  return false;
}

static bool
check_setting (const CameraConfig *config, const CameraSetting *setting, GError **error)
{
  GObjectClass *class = load_class (setting->element);

  if (!class) {
    /* Our defaults for a source of another kind ask for nothing. */
    if (setting->line == 0)
      return true;
    g_set_error (error, YV_ERROR, YV_ERROR_UNSUPPORTED,
                 "%s:%u: GStreamer has no element %s here; install it, or say in GST_PLUGIN_PATH "
                 "where it is",
                 config->file, setting->line, setting->element);
    return false;
  }
  const bool ok = check_property (config, setting, class, error);
  g_type_class_unref (class);
  return ok;
}

static bool
check_source_file (const CameraConfig *config, GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (source_kind (config->source) != SOURCE_FILE ||
      yv_check_is_file (config->source, "a video", &problem))
    return true;
  if (config_may_be_secret (config->source)) {
    g_set_error (error, YV_ERROR, YV_ERROR_IO,
                 "%s:%u: source of camera %s: no such file; the URI of a camera begins with "
                 "rtsp://, rtsps:// or rtspt://",
                 config->file, config->line, config->name);
    return false;
  }
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s:%u: source of camera %s: %s", config->file,
               config->line, config->name, problem->message);
  return false;
}

/* It may come from an element that another camera names: the same or none. */
static bool
check_model (const CameraConfig *config, GError **error)
{
  if (camera_config_get (config, "yolov7", "model-file") ||
      camera_config_get (config, "yolov7", "config-file") ||
      camera_config_get (config, "yolov7", "model-instance-id"))
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID,
               "%s:%u: camera %s has no model; expected yolov7: {model-file: best.pt}, here or in "
               "defaults",
               config->file, config->line, config->name);
  return false;
}

bool
camera_config_check (const CameraConfig *config, GError **error)
{
  for (guint i = 0; i < config->settings->len; i++)
    if (!check_setting (config, g_ptr_array_index (config->settings, i), error))
      return false;
  return check_model (config, error) && check_source_file (config, error);
}
