/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/image.h - a picture in host memory as a camera or decoder leaves it. Part of the public
 * API through yolov7.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Names as in GStreamer; A and x bytes are ignored. YV12 is I420 with planes 1 and 2 swapped. */
typedef enum {
  YV_FORMAT_RGB,
  YV_FORMAT_BGR,
  YV_FORMAT_RGBX, /* RGBA too */
  YV_FORMAT_BGRX, /* BGRA too */
  YV_FORMAT_XRGB, /* ARGB too */
  YV_FORMAT_XBGR, /* ABGR too */
  YV_FORMAT_GRAY8,
  YV_FORMAT_I420, /* planes Y, U, V */
  YV_FORMAT_NV12, /* planes Y, UV */
  YV_N_FORMATS
} YvFormat;

typedef enum { YV_MATRIX_BT601, YV_MATRIX_BT709, YV_MATRIX_BT2020 } YvMatrix;

/* Memory that a device reads frames from without a copy; see yolov7.h. */
typedef struct _YvFrameMemory YvFrameMemory;

typedef struct {
  YvFormat format;
  uint32_t width, height;   /* px, >= 1 */
  const uint8_t *planes[3]; /* borrowed until the call that takes the image returns */
  uint32_t stride_bytes[3]; /* distance of rows; any value >= the row's bytes */
  YvFrameMemory *memory;    /* (nullable): borrowed: the planes lie in it, and it stays as it is
                               until the image's detections are there */
  YvMatrix matrix;          /* YUV formats only */
  bool full_range;          /* YUV and GRAY8: luma 0..255 instead of 16..235 */
  bool chroma_left;         /* 4:2:0 chroma sits on the left luma column (MPEG-2), else between */
} YvImage;

G_END_DECLS
