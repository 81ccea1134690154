/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/image.h - a picture in host memory as a camera or decoder leaves it. Part of the public
 * API through yolov7.h.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Names as in GStreamer; A and x bytes are ignored. YV12 is I420 with planes 1 and 2 swapped. In
 * 4:2:0 two columns and two rows share their U and V, in 4:2:2 two columns; the last column, or
 * row, of an odd number has its own. */
typedef enum {
  YV_FORMAT_RGB,
  YV_FORMAT_BGR,
  YV_FORMAT_RGBX, /* RGBA too */
  YV_FORMAT_BGRX, /* BGRA too */
  YV_FORMAT_XRGB, /* ARGB too */
  YV_FORMAT_XBGR, /* ABGR too */
  YV_FORMAT_GRAY8,
  YV_FORMAT_I420, /* 4:2:0, planes Y, U, V */
  YV_FORMAT_NV12, /* 4:2:0, planes Y, UV */
  YV_FORMAT_NV21, /* 4:2:0, planes Y, VU */
  YV_FORMAT_Y42B, /* 4:2:2, planes Y, U, V */
  YV_FORMAT_NV16, /* 4:2:2, planes Y, UV */
  YV_FORMAT_YUY2, /* 4:2:2, four bytes for two columns, the last of an odd width included */
  YV_FORMAT_UYVY, /* the same in another order, as the next */
  YV_FORMAT_YVYU,
  YV_FORMAT_Y444,      /* planes Y, U, V of one size */
  YV_FORMAT_I420_10LE, /* I420 of two bytes a sample, little-endian, whose low 10 bits it is */
  YV_FORMAT_P010_10LE, /* NV12 of two bytes a sample, little-endian, whose high 10 bits it is */
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
  bool full_range;          /* YUV and GRAY8: luma 0..255 instead of 16..235; of 10 bits 0..1023
                               instead of 64..940 */
  bool chroma_left;         /* 4:2:0 and 4:2:2 chroma sits on the left luma column (MPEG-2), else
                               between */
} YvImage;

G_END_DECLS
