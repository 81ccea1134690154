/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/settings.c - texts become values as gst-launch-1.0 makes them. */
#include "examples/common/settings.h"

#include "engine/error.h"

static bool
apply (const CameraConfig *config, const CameraSetting *setting, GstElement *element,
       GError **error)
{
  GParamSpec *pspec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), setting->property);
  g_auto (GValue) value = G_VALUE_INIT;

  if (pspec && pspec->value_type == G_TYPE_STRING) {
    /* As it is: quotes and escapes are YAML's business. */
    g_object_set (element, setting->property, setting->text, NULL);
    return true;
  }
  if (pspec)
    g_value_init (&value, pspec->value_type);
  if (pspec && gst_value_deserialize_with_pspec (&value, setting->text, pspec)) {
    g_object_set_property (G_OBJECT (element), setting->property, &value);
    return true;
  }
  g_set_error (error, YV_ERROR, YV_ERROR_INVALID, "%s:%u: %s.%s does not take this value",
               config->file, setting->line ? setting->line : config->line, setting->element,
               setting->property);
  return false;
}

bool
settings_apply (const CameraConfig *config, const char *factory, GstElement *element,
                GError **error)
{
  for (guint i = 0; i < config->settings->len; i++) {
    const CameraSetting *setting = g_ptr_array_index (config->settings, i);
    if (g_str_equal (setting->element, factory) && !apply (config, setting, element, error))
      return false;
  }
  return true;
}
