/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/posterror.h - failures become element messages: what failed, why, and what to do about it.
 *
 * Every GST_FLOW_ERROR and every failed state change of our elements is preceded by one of these.
 */
#pragma once

#include <gst/video/video.h>

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* Posts an error, or a warning, whose text is "<doing>: <error->message>". @element:
 * a GstElement; @doing: "could not load the model"; @error: (transfer full). The YvError chooses
 * the GStreamer domain and code (the table in posterror.c); others are RESOURCE/FAILED. */
#define GST_YOLOV7_POST_ERROR(element, doing, error)                                               \
  gst_yolov7_post (GST_ELEMENT (element), GST_MESSAGE_ERROR, doing, error, __FILE__, GST_FUNCTION, \
                   __LINE__)
#define GST_YOLOV7_POST_WARNING(element, doing, error)                                             \
  gst_yolov7_post (GST_ELEMENT (element), GST_MESSAGE_WARNING, doing, error, __FILE__,             \
                   GST_FUNCTION, __LINE__)

void gst_yolov7_post (GstElement *element, GstMessageType type, const char *doing, GError *error,
                      const char *file, const char *function, int line);

/* STREAM/FORMAT: @buffer is not the frame that the caps promise. */
void gst_yolov7_post_bad_frame (GstElement *element, const GstVideoInfo *info, GstBuffer *buffer);

/* STREAM/FORMAT: caps that the template allows and the element does not. */
void gst_yolov7_post_bad_caps (GstElement *element, GstCaps *caps, const char *why);

G_END_DECLS
