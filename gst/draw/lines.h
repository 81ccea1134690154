/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/draw/lines.h - lines through points, with soft edges and round ends.
 *
 * In:    points in px of the whole picture, each with how opaque the line is there.
 * Out:   the canvas with the line on it. Where it crosses itself it is inked once.
 *
 * Pure: no allocation. Points may lie anywhere within a million px, the line is clipped.
 */
#pragma once

#include "gst/draw/canvas.h"

G_BEGIN_DECLS

typedef struct {
  double x, y;   /* px, |x| and |y| <= 1e6; a pixel's middle is at .5 */
  uint8_t alpha; /* 255: the ink as it is; between two points it changes evenly */
} YvPoint;

/* @n_points: 1 makes a dot, 0 nothing; @line_px: >= 1 */
void yv_lines_draw (const YvCanvas *canvas, const YvPoint *points, uint32_t n_points,
                    int32_t line_px, YvInk ink);

/* All that such a line inks lies in it. */
YvRect yv_lines_bounds (const YvPoint *points, uint32_t n_points, int32_t line_px);

/* Whether the line may ink something in @rect: false where it surely does not. */
bool yv_lines_touch (const YvPoint *points, uint32_t n_points, int32_t line_px, YvRect rect);

G_END_DECLS
