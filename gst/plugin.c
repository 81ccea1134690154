/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/plugin.c - the plugin's entry: registers its elements and its metadata. */
#include <gst/gst.h>

#include "gst/detectionmeta.h"
#include "gst/gstyolov7.h"
#include "gst/gstyolov7overlay.h"
#include "gst/gstyolov7publish.h"
#include "gst/gstyolov7tracker.h"
#include "gst/zonemeta.h"

#define PACKAGE "gst-yolov7"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gst_yolov7_detections_register ();
  gst_yolov7_zones_register ();
  return GST_ELEMENT_REGISTER (yolov7, plugin) && GST_ELEMENT_REGISTER (yolov7overlay, plugin) &&
         GST_ELEMENT_REGISTER (yolov7publish, plugin) &&
         GST_ELEMENT_REGISTER (yolov7tracker, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, yolov7,
                   "Object detection with YOLOv7 on any Vulkan device", plugin_init, YV_VERSION,
                   "LGPL", PACKAGE, PACKAGE)
