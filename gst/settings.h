/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/settings.h - the properties of yolov7: their names, ranges and defaults, and what they are
 * set to.
 *
 * The element keeps one GstYolov7Settings under its object lock, and takes copies from it.
 */
#pragma once

#include <gst/gst.h>

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* As of queue; what leaks is the analysis, and frames stay. */
typedef enum {
  GST_YOLOV7_LEAKY_NO,
  GST_YOLOV7_LEAKY_UPSTREAM,   /* frames that find the device busy are passed on unanalysed */
  GST_YOLOV7_LEAKY_DOWNSTREAM, /* frames that wait for the device are, when a newer one comes */
} GstYolov7Leaky;

/* Strings are owned, and NULL where not set. */
typedef struct {
  char *model_file, *config_file, *label_file, *device, *classes, *model_instance_id;
  YvPrecision precision;
  YvFallback fallback;
  YvStreamOptions stream; /* without classes, which belong to the string above */
  GstYolov7Leaky leaky;
  uint32_t inference_interval; /* every so many frames one is analysed */
  bool qos, post_messages, attach_roi_meta, attach_analytics_meta;
} GstYolov7Settings;

/* Defaults: detect.py's. */
void gst_yolov7_settings_init (GstYolov7Settings *settings);
void gst_yolov7_settings_clear (GstYolov7Settings *settings); /* zeroed ok */

/* @copy: overwritten; clear it after use. */
void gst_yolov7_settings_copy (const GstYolov7Settings *settings, GstYolov7Settings *copy);

/* Installs all properties, and marks their enums for the plugin's documentation. */
void gst_yolov7_settings_install (GObjectClass *class);

/* For the element's set_property and get_property. Returns: false for an @id that is none. */
gboolean gst_yolov7_settings_set (GstYolov7Settings *settings, guint id, const GValue *value);
gboolean gst_yolov7_settings_get (const GstYolov7Settings *settings, guint id, GValue *value);

/* "fp16" */
const char *gst_yolov7_precision_nick (YvPrecision precision);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstYolov7Settings, gst_yolov7_settings_clear)

G_END_DECLS
