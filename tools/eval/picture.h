/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/picture.h - a picture file as pixels of the size that the network is shown.
 *
 * gdk-pixbuf decodes, and turns JPEG and TIFF as their EXIF data says, as OpenCV does for test.py;
 * JPEG thus passes through the library that OpenCV uses too.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/yolov7.h"

G_BEGIN_DECLS

typedef struct {
  uint32_t frame_w, frame_h; /* px of the picture as people see it */
  double gain;               /* how much the long side was scaled */
  YvImage image;             /* RGB, points into pixels */
  uint8_t *pixels;           /* owned */
} Picture;

/* Width and height as picture_load() will turn it; of most formats only the head is read. False
 * with YV_ERROR_IO or YV_ERROR_MALFORMED. */
bool picture_size (const char *path, uint32_t *width, uint32_t *height, GError **error);

/* Scales the long side to @size as test.py does: see resize.h. False with YV_ERROR_IO or
 * YV_ERROR_MALFORMED. */
bool picture_load (Picture *picture, const char *path, uint32_t size, GError **error);
void picture_clear (Picture *picture); /* zeroed ok */

G_END_DECLS
