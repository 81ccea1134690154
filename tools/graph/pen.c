/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/pen.c - text by Pango, shapes by Cairo. */
#include "tools/graph/pen.h"

#define CORNER 3.0
#define DOT_RADIUS 2.2
#define LINE_W 0.8
#define FUNNEL_TIP 8.0

/* Without hints, so that text is as wide in the picture as it was when it was measured. */
void
pen_init (Pen *pen)
{
  PangoContext *context = pango_font_map_create_context (pango_cairo_font_map_get_default ());
  cairo_font_options_t *options = cairo_font_options_create ();

  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics (options, CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options (context, options);
  pen->cairo = NULL;
  pen->text = pango_layout_new (context);
  pen->font = pango_font_description_from_string ("DejaVu Sans, Sans");
  cairo_font_options_destroy (options);
  g_object_unref (context);
}

void
pen_clear (Pen *pen)
{
  pango_font_description_free (pen->font);
  g_object_unref (pen->text);
}

static PenSize
text_size (const Pen *pen)
{
  PangoRectangle logical;

  pango_layout_get_extents (pen->text, NULL, &logical);
  return (PenSize){(double) logical.width / PANGO_SCALE, (double) logical.height / PANGO_SCALE};
}

PenSize
pen_set_text (Pen *pen, const char *text, double size_px, bool is_bold, double max_w)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  pango_font_description_set_absolute_size (pen->font, size_px * PANGO_SCALE);
  pango_font_description_set_weight (pen->font, is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_layout_set_font_description (pen->text, pen->font);
  pango_layout_set_width (pen->text, -1);
  pango_layout_set_text (pen->text, valid, -1);
  if (max_w > 0 && text_size (pen).w > max_w)
    pango_layout_set_width (pen->text, (int) (max_w * PANGO_SCALE));
  return text_size (pen);
}

void
pen_show_text (Pen *pen, double x, double y, uint32_t color)
{
  pen_set_color (pen, color);
  cairo_move_to (pen->cairo, x, y);
  pango_cairo_show_layout (pen->cairo, pen->text);
}

double
pen_write (Pen *pen, const char *text, double x, double y, double size_px, bool is_bold,
           uint32_t color)
{
  const PenSize size = pen_set_text (pen, text, size_px, is_bold, 0);

  pen_show_text (pen, x, y - size.h / 2, color);
  return x + size.w;
}

void
pen_set_color (Pen *pen, uint32_t color)
{
  cairo_set_source_rgb (pen->cairo, (color >> 16 & 255) / 255.0, (color >> 8 & 255) / 255.0,
                        (color & 255) / 255.0);
}

void
pen_fill_rectangle (Pen *pen, double x, double y, double w, double h, uint32_t color)
{
  pen_set_color (pen, color);
  cairo_rectangle (pen->cairo, x, y, w, h);
  cairo_fill (pen->cairo);
}

void
pen_fill_triangle (Pen *pen, const double *xy, uint32_t color)
{
  pen_set_color (pen, color);
  cairo_move_to (pen->cairo, xy[0], xy[1]);
  cairo_line_to (pen->cairo, xy[2], xy[3]);
  cairo_line_to (pen->cairo, xy[4], xy[5]);
  cairo_close_path (pen->cairo);
  cairo_fill (pen->cairo);
}

void
pen_fill_dot (Pen *pen, double x, double y, uint32_t color)
{
  pen_set_color (pen, color);
  cairo_arc (pen->cairo, x, y, DOT_RADIUS, 0, 2 * G_PI);
  cairo_fill (pen->cairo);
}

static void
set_dashed (Pen *pen, bool is_dashed)
{
  static const double dashes[] = {3, 3};

  cairo_set_dash (pen->cairo, dashes, is_dashed ? G_N_ELEMENTS (dashes) : 0, 0);
}

static void
stroke (Pen *pen, uint32_t color, bool is_dashed)
{
  pen_set_color (pen, color);
  set_dashed (pen, is_dashed);
  cairo_set_line_width (pen->cairo, LINE_W);
  cairo_stroke (pen->cairo);
  set_dashed (pen, false);
}

void
pen_box (Pen *pen, double x, double y, double w, double h, uint32_t fill, uint32_t line,
         bool is_dashed)
{
  cairo_t *cairo = pen->cairo;

  cairo_new_sub_path (cairo);
  cairo_arc (cairo, x + w - CORNER, y + CORNER, CORNER, -G_PI_2, 0);
  cairo_arc (cairo, x + w - CORNER, y + h - CORNER, CORNER, 0, G_PI_2);
  cairo_arc (cairo, x + CORNER, y + h - CORNER, CORNER, G_PI_2, G_PI);
  cairo_arc (cairo, x + CORNER, y + CORNER, CORNER, G_PI, 3 * G_PI_2);
  cairo_close_path (cairo);
  pen_set_color (pen, fill);
  cairo_fill_preserve (cairo);
  stroke (pen, line, is_dashed);
}

void
pen_line (Pen *pen, double x0, double x1, double y, uint32_t color, bool is_dashed)
{
  cairo_move_to (pen->cairo, x0, y);
  cairo_line_to (pen->cairo, x1, y);
  stroke (pen, color, is_dashed);
}

void
pen_fill_funnel (Pen *pen, double x0, double x1, double y, double h, uint32_t color)
{
  cairo_t *cairo = pen->cairo;

  pen_set_color (pen, color);
  cairo_move_to (cairo, x0, y);
  cairo_line_to (cairo, x1 - FUNNEL_TIP, y);
  cairo_line_to (cairo, x1, y + h / 2);
  cairo_line_to (cairo, x1 - FUNNEL_TIP, y + h);
  cairo_line_to (cairo, x0, y + h);
  cairo_close_path (cairo);
  cairo_fill (cairo);
}
