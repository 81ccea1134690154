/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/frames.h - frames for the tests of elements: of one color or of a real clip, in any
 * format, with any padding. */
#pragma once

#include <gst/video/video.h>

#include "gst/detectionmeta.h"

G_BEGIN_DECLS

/* The formats of our elements, ended by a NULL. */
extern const char *const yv_test_formats[];

/* video/x-raw of this format and size, 25 frames a second, square pixels. */
GstCaps *yv_test_caps (const char *format, guint w, guint h);

/* A frame of one color, RGB. Free with gst_sample_unref(). */
GstSample *yv_test_plain (guint w, guint h, guint32 rgb);

/* The first frame of Debian's CCTV clip, RGB 768x576, with three pedestrians; NULL where the
 * package opencv-doc, or a decoder for it, is not there. */
GstSample *yv_test_clip (void);

/* The same picture, converted and scaled by GStreamer. */
GstSample *yv_test_convert (GstSample *picture, const char *format, guint w, guint h);

/* The sample's frame: a buffer that nobody else holds, with PTS and duration. */
GstBuffer *yv_test_frame (GstSample *picture);

/* The same frame with @padding bytes after each row, as many between planes, and @padding before
 * the first, all of them 0x5a; a GstVideoMeta says so. */
GstBuffer *yv_test_padded_frame (GstSample *picture, guint padding);

/* gst_yolov7_detections_attach() of the buffer's own frame, of this size. */
void yv_test_attach (GstBuffer *buffer, guint frame_w, guint frame_h,
                     const GstYolov7Detection *detections, guint n_detections,
                     GstYolov7MetaKinds kinds);

/* What color the pixel has, 0xRRGGBB, in a picture of format RGB. */
guint32 yv_test_rgb_at (GstSample *picture, guint x, guint y);

G_END_DECLS
