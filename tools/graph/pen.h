/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/pen.h - text and shapes of a picture, as calls of one line.
 *
 * Lengths are in px of the picture, colours 0xRRGGBB.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <pango/pangocairo.h>

G_BEGIN_DECLS

typedef struct {
  cairo_t *cairo;    /* borrowed; NULL while text is only measured */
  PangoLayout *text; /* the one that was set last */
  PangoFontDescription *font;
} Pen;

typedef struct {
  double w, h;
} PenSize;

void pen_init (Pen *pen);
void pen_clear (Pen *pen);

/* Sets the text for pen_show_text(), in lines no wider than @max_w where that is not 0. Returns its
 * size. */
PenSize pen_set_text (Pen *pen, const char *text, double size_px, bool is_bold, double max_w);
void pen_show_text (Pen *pen, double x, double y, uint32_t color); /* its top left corner */

/* Both, in one line whose middle is at @y. Returns the x where it ends. */
double pen_write (Pen *pen, const char *text, double x, double y, double size_px, bool is_bold,
                  uint32_t color);

void pen_set_color (Pen *pen, uint32_t color);
void pen_fill_rectangle (Pen *pen, double x, double y, double w, double h, uint32_t color);
void pen_fill_triangle (Pen *pen, const double *xy, uint32_t color); /* x0 y0 x1 y1 x2 y2 */
void pen_fill_dot (Pen *pen, double x, double y, uint32_t color);

/* With round corners. */
void pen_box (Pen *pen, double x, double y, double w, double h, uint32_t fill, uint32_t line,
              bool is_dashed);

/* From (@x0, @y) to (@x1, @y). */
void pen_line (Pen *pen, double x0, double x1, double y, uint32_t color, bool is_dashed);

/* From a height @h at @x0 to a point at @x1; @y is its top. */
void pen_fill_funnel (Pen *pen, double x0, double x1, double y, double h, uint32_t color);

G_END_DECLS
