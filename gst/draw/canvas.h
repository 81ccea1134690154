/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/canvas.h - shapes and masks, blended straight into the planes of a picture.
 *
 * In:    a writable picture in any YvFormat and an ARGB colour.
 * Out:   the same picture with the shape on it; nothing is written outside the shape.
 * Next:  gst/draw/shapes.h, which draws lists of them.
 *
 * A picture is up to four components (Y, U, V or R, G, B and the fourth byte), each with its own
 * walk through memory; every shape is drawn into each of them by the same loop. A chroma sample of
 * a 4:2:0 or 4:2:2 picture takes the ink in proportion to the luma pixels of its block that the
 * shape covers.
 *
 * Pure: no GStreamer, no allocation. Shapes may lie partly or wholly outside; they are clipped.
 */
#pragma once

#include "engine/yolov7.h"

G_BEGIN_DECLS

typedef struct {
  int32_t x, y, w, h; /* px; empty where w or h <= 0 */
} YvRect;

typedef struct {
  uint8_t *bytes; /* sample (0, 0) */
  uint32_t stride_bytes, step_bytes;
  uint8_t shift_x, shift_y; /* a sample covers (1 << shift_x) x (1 << shift_y) px */
} YvCanvasComponent;

/* Components whose samples lie side by side, and make up all bytes of a step: the bytes of a pixel,
 * U and V of NV12, a plane of its own. What is drawn is drawn into all of them at once. */
typedef struct {
  uint8_t *bytes; /* the first sample of all */
  uint32_t stride_bytes, step_bytes;
  uint8_t shift_x, shift_y;
  uint8_t n;             /* samples of a step */
  uint8_t components[4]; /* which ones, in their order in memory */
} YvCanvasGroup;

/* A picture, or a part of one that is drawn alone: shapes are placed in px of the whole. On a part
 * of 4-byte pixels that begins as zeros, what is drawn is its colour times its alpha, and alpha. */
typedef struct {
  int32_t x, y;            /* px: where the corner lies in the whole; 0, 0 from init() */
  uint32_t width, height;  /* px */
  uint32_t depth, low_bit; /* bits of a sample, 8 or 10; where they begin in the two bytes of 10 */
  uint32_t n_components;
  YvCanvasComponent components[4];
  uint32_t n_groups;
  YvCanvasGroup groups[4]; /* each component is in one */
  /* What a colour is in this picture: a row a component, over r, g, b (0..1) and 1. */
  float colors[4][4];
} YvCanvas;

/* A colour as the samples of one canvas have it. */
typedef struct {
  uint16_t values[4];
  uint8_t alpha; /* 255: covers */
} YvInk;

/* How much of each pixel something covers, 0..255. */
typedef struct {
  uint32_t w, h, stride_bytes;
  const uint8_t *bytes; /* borrowed */
} YvMask;

/* @image: its planes must be writable, and live as long as @canvas is drawn on. */
void yv_canvas_init (YvCanvas *canvas, const YvImage *image);

/* @argb: 0xAARRGGBB, sRGB. The fourth byte of 4-byte pixels becomes opaque where ink is. */
YvInk yv_canvas_ink (const YvCanvas *canvas, uint32_t argb);

/* The part of @outer that is further than @line_px from its inside: each pixel is inked once. All
 * of @outer where it is not wider than two lines. */
void yv_canvas_outline (const YvCanvas *canvas, YvRect outer, int32_t line_px, YvInk ink);

void yv_canvas_fill (const YvCanvas *canvas, YvRect rect, YvInk ink);

/* Inks the canvas through @mask, whose pixel (0, 0) lies at (x, y). */
void yv_canvas_stamp (const YvCanvas *canvas, int32_t x, int32_t y, const YvMask *mask, YvInk ink);

/* Replaces what lies in @rect by squares of one color each, six along its longer side, or fewer;
 * what they were made of can't be told from them. A pixel more than @rect on a side where chroma is
 * subsampled and @rect is odd. */
void yv_canvas_pixelate (const YvCanvas *canvas, YvRect rect);

G_END_DECLS
