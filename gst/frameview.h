/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/frameview.h - a buffer in host memory, seen as the engine and the drawing code see pictures.
 *
 * In:    a buffer and the GstVideoInfo of its caps; any stride and offset through GstVideoMeta, and
 *        a GstVideoCropMeta of the caps' size, as videocrop attaches it.
 * Out:   a YvImage: planes, strides, colour matrix, range, chroma siting.
 * Next:  yv_stream_detect(), or yv_canvas_init() where the view is writable.
 */
#pragma once

#include <gst/video/video.h>

#include "engine/yolov7.h"

G_BEGIN_DECLS

/* All that YvFormat can say. */
#define GST_YOLOV7_FORMATS                                                                         \
  "{ I420, NV12, YV12, RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR, GRAY8, NV21, "    \
  "Y42B, NV16, YUY2, UYVY, YVYU, Y444, I420_10LE, P010_10LE }"

typedef struct {
  GstVideoFrame frame;
  YvImage image; /* valid while mapped; of the caps' size, whatever the GstVideoMeta allocates; its
                    memory is NULL, gst_yolov7_frame_memory_of() tells it */
} GstYolov7FrameView;

/**
 * gst_yolov7_frame_view_map:
 * @info: of the caps; one of GST_YOLOV7_FORMATS
 * @access: GST_MAP_READ never copies pixels; GST_MAP_READWRITE wants a writable buffer
 *
 * Returns: false where the buffer is smaller than the frame, or not of the format, that the caps
 * promise, or where its crop is at fault; nothing is mapped then.
 */
gboolean gst_yolov7_frame_view_map (GstYolov7FrameView *view, const GstVideoInfo *info,
                                    GstBuffer *buffer, GstMapFlags access);
void gst_yolov7_frame_view_unmap (GstYolov7FrameView *view);

/* What keeps the GstVideoCropMeta of @buffer from being followed, a static string; NULL: nothing,
 * or there is none. */
const char *gst_yolov7_frame_view_crop_fault (const GstVideoInfo *info, GstBuffer *buffer);

/* Whether a frame of these caps is one picture: woven fields are (progressive, interleaved, mixed),
 * and one view alone (mono, left, right); single fields, and several views in a frame or in turn,
 * are not. @why: (out): what is wrong, a static string. */
gboolean gst_yolov7_frame_view_check (const GstVideoInfo *info, const char **why);

G_END_DECLS
