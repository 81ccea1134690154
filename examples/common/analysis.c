/* SPDX-License-Identifier: LGPL-2.1-or-later
 * examples/common/analysis.c - elements are named after their factories. */
#include "examples/common/analysis.h"

#include "engine/error.h"
#include "examples/common/settings.h"

static char *
describe (const CameraConfig *config, const CameraOptions *options)
{
  GString *out = g_string_new ("appsrc name=in is-live=true format=time block=false "
                               "! yolov7 name=yolov7 ! yolov7tracker name=yolov7tracker ");

  if (camera_config_has (config, "yolov7publish"))
    g_string_append (out, "! yolov7publish name=yolov7publish ");
  if (options->also)
    g_string_append_printf (out, "! %s ", options->also);
  if (options->is_drawn)
    g_string_append (out, "! yolov7overlay name=yolov7overlay ");
  g_string_append (out, "! appsink name=out sync=false qos=false max-buffers=4");
  return g_string_free (out, FALSE);
}

static bool
apply_to (GstElement *pipeline, const CameraConfig *config, const char *factory, GError **error)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), factory);

  return !element || settings_apply (config, factory, element, error);
}

GstElement *
analysis_new (const CameraConfig *config, const CameraOptions *options, GError **error)
{
  static const char *const factories[] = {"yolov7", "yolov7tracker", "yolov7publish",
                                          "yolov7overlay"};
  g_autofree char *launch = describe (config, options);
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);

  if (!pipeline)
    return NULL;
  gst_object_ref_sink (pipeline);
  for (guint i = 0; i < G_N_ELEMENTS (factories); i++)
    if (!apply_to (pipeline, config, factories[i], error))
      return NULL;
  return g_steal_pointer (&pipeline);
}

/* Encoders take 4:2:0; without one any that yolov7 takes does. */
GstCaps *
analysis_caps (const CameraOptions *options)
{
  g_autoptr (GstElementFactory) factory =
      options->is_shown ? NULL : gst_element_factory_find ("yolov7");
  const GList *templates = factory ? gst_element_factory_get_static_pad_templates (factory) : NULL;

  for (const GList *at = templates; at; at = at->next) {
    GstStaticPadTemplate *template = at->data;
    if (template->direction == GST_PAD_SINK)
      return gst_static_pad_template_get_caps (template);
  }
  return gst_caps_from_string ("video/x-raw,format={I420,NV12}");
}
