/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/eval/resize.h - pixels to another size as OpenCV does it for test.py (spec 4.4): by areas
 * when shrinking, bilinear when enlarging.
 *
 * The arithmetic is in float where OpenCV's bilinear uses 11-bit fixed point: a level of 255 in
 * between.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/* Interleaved 8-bit channels. Sides are at least 1 px. */
typedef struct {
  const uint8_t *pixels;
  uint32_t width, height, stride_bytes;
  uint32_t pixel_bytes; /* >= 3; what follows the third byte is dropped */
} ResizeSource;

/* @dst: [height][width][3]. Every pixel is the mean of the area it covers where the source is
 * larger, else lies between the four nearest. */
void resize_rgb (const ResizeSource *src, uint8_t *dst, uint32_t width, uint32_t height);

G_END_DECLS
