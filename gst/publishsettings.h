/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/publishsettings.h - the properties of yolov7publish: their names, ranges and defaults, and
 * what they are set to.
 *
 * The element keeps one GstYolov7PublishSettings under its object lock, and takes copies from it.
 */
#pragma once

#include <gst/gst.h>

#include "gst/publish/config.h"

G_BEGIN_DECLS

/* The numbers are those of gvametapublish. */
typedef enum {
  GST_YOLOV7_PUBLISH_FILE = 1,
  GST_YOLOV7_PUBLISH_MQTT = 2,
  GST_YOLOV7_PUBLISH_KAFKA = 3,
} GstYolov7PublishMethod;

typedef enum {
  GST_YOLOV7_PUBLISH_JSON = 1,
  GST_YOLOV7_PUBLISH_JSON_LINES = 2,
} GstYolov7PublishFormat;

typedef enum {
  GST_YOLOV7_PUBLISH_EVERY_FRAME,
  GST_YOLOV7_PUBLISH_ON_CHANGE,
} GstYolov7PublishWhen;

/* Strings are owned, and NULL where not set. */
typedef struct {
  GstYolov7PublishMethod method;
  GstYolov7PublishFormat file_format;
  GstYolov7PublishWhen when;
  YvPublishConfig config; /* without what the files and the environment say until complete() */
  char *mqtt_config, *kafka_config;
  char *source, *tags;
  guint queue_size; /* records */
  guint64 queue_bytes;
  guint64 drain_timeout; /* ns */
} GstYolov7PublishSettings;

void gst_yolov7_publish_settings_init (GstYolov7PublishSettings *settings);
void gst_yolov7_publish_settings_clear (GstYolov7PublishSettings *settings); /* zeroed ok */

/* @copy: overwritten; clear it after use. */
void gst_yolov7_publish_settings_copy (const GstYolov7PublishSettings *settings,
                                       GstYolov7PublishSettings *copy);

/* Takes what the file of the method and the environment say into the config; once, of a copy.
 * Returns: FALSE with an error of gst/publish/config.h. */
gboolean gst_yolov7_publish_settings_complete (GstYolov7PublishSettings *settings, GError **error);

/* Installs all properties, and marks their enums for the plugin's documentation. */
void gst_yolov7_publish_settings_install (GObjectClass *class);

/* For the element's set_property and get_property. Returns: false for an @id that is none. */
gboolean gst_yolov7_publish_settings_set (GstYolov7PublishSettings *settings, guint id,
                                          const GValue *value);
gboolean gst_yolov7_publish_settings_get (const GstYolov7PublishSettings *settings, guint id,
                                          GValue *value);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstYolov7PublishSettings, gst_yolov7_publish_settings_clear)

G_END_DECLS
