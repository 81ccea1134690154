/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/gst/picture.h - a small picture to draw on, for the tests of gst/draw, and what is in a
 * list of shapes. */
#pragma once

#include "gst/draw/shapes.h"

G_BEGIN_DECLS

/* px, the largest there is */
#define W 200
#define H 150

/* 4-byte pixels, B first. */
typedef struct {
  uint8_t bytes[W * H * 4];
  YvCanvas canvas;
} Picture;

/* All zero; a part of a larger one that begins at (x, y). Free with g_free(). */
Picture *new_picture (uint32_t w, uint32_t h, int32_t x, int32_t y);

/* 0xAARRGGBB */
uint32_t pixel_at (const Picture *p, uint32_t x, uint32_t y);

void draw_all (const YvShapes *shapes, YvFont *font, Picture *p);

const YvShape *shape_at (const YvShapes *shapes, uint32_t i);

/* The text of the last shape, a tag, its pieces joined by '|'. Free with g_free(). */
char *last_text (const YvShapes *shapes);

G_END_DECLS
