/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/graph.c - the picture of a model: header, edges, rows; written as an SVG. */
#include "tools/graph/graph.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cairo-svg.h>

#include "tools/graph/edges.h"
#include "tools/graph/header.h"
#include "tools/graph/kinds.h"
#include "tools/graph/picture.h"

static void
draw_cell (Picture *picture, const YvLayerInfo *layer, Cell cell, double middle_y, uint32_t color)
{
  const Span *span = &picture->cells[cell];
  const PenSize size = picture_set_cell (picture, layer, cell);

  pen_show_text (&picture->pen, span->x + (cell_styles[cell].is_right ? span->w - size.w : 0),
                 middle_y - size.h / 2, color);
}

static void
draw_trained (Picture *picture, const YvLayerInfo *layer, double y, double h)
{
  const Span *span = &picture->boxes[LAYOUT_TRAINED];
  const Kind kind = kind_of (layer);
  const double middle_y = y + h / 2;

  pen_box (&picture->pen, span->x, y, span->w, h, kind_styles[kind].tint, kind_styles[kind].color,
           false);
  draw_cell (picture, layer, CELL_ROW, middle_y, QUIET_COLOR);
  draw_cell (picture, layer, CELL_MODULE, middle_y, kind_styles[kind].color);
  draw_cell (picture, layer, CELL_TRAINED, middle_y, TEXT_COLOR);
  draw_cell (picture, layer, CELL_SHAPE, middle_y, TEXT_COLOR);
  draw_cell (picture, layer, CELL_PARAMS_TRAINED, middle_y, TEXT_COLOR);
}

static void
draw_cost (Picture *picture, const YvLayerInfo *layer, double middle_y, uint32_t color)
{
  const Span *span = &picture->cells[CELL_COST];
  const double w = span->w * (double) layer->flops / (double) MAX (picture->max_flops, 1);

  if (w > 0)
    pen_fill_rectangle (&picture->pen, span->x, middle_y - 3, w, 6, color);
}

static void
draw_deployed (Picture *picture, const YvLayerInfo *layer, double y, double h)
{
  const Span *span = &picture->boxes[LAYOUT_DEPLOYED];
  const Kind kind = kind_of (layer) == KIND_REPCONV ? KIND_CONV : kind_of (layer);
  const bool is_hollow = is_dropped (layer) || is_in_place (layer);
  const double middle_y = y + h / 2;

  pen_box (&picture->pen, span->x, y, span->w, h, is_hollow ? PAPER_COLOR : kind_styles[kind].tint,
           is_dropped (layer) ? FADED_COLOR : kind_styles[kind].color, is_dropped (layer));
  draw_cell (picture, layer, CELL_DEPLOYED, middle_y, is_hollow ? QUIET_COLOR : TEXT_COLOR);
  draw_cell (picture, layer, CELL_PARAMS_DEPLOYED, middle_y, TEXT_COLOR);
  draw_cell (picture, layer, CELL_GFLOP, middle_y, TEXT_COLOR);
  draw_cost (picture, layer, middle_y, kind_styles[kind].color);
}

/* From what a row was to what it is: a funnel where something was folded, a line where it is as it
 * was. */
static void
draw_fold (Picture *picture, const YvLayerInfo *layer, double y, double h)
{
  const double x0 = picture->fold.x + 1, x1 = picture->fold.x + picture->fold.w - 1;
  const Kind kind = kind_of (layer);

  if (is_dropped (layer) || !*layer->folded) {
    pen_line (&picture->pen, x0, x1, y + h / 2, FADED_COLOR, is_dropped (layer));
    return;
  }
  pen_fill_funnel (&picture->pen, x0, x1, y + 1, h - 2, kind_styles[kind].tint);
  draw_cell (picture, layer, CELL_FOLDED, y + h / 2, kind_styles[kind].color);
}

static void
draw_rows (Picture *picture)
{
  for (uint32_t i = 0; i < picture->info->n_layers; i++) {
    const YvLayerInfo *layer = &picture->info->layers[i];
    const LayoutBox *box = &picture->layout->boxes[i];

    draw_fold (picture, layer, picture->top + box->y, box->height);
    draw_trained (picture, layer, picture->top + box->y, box->height);
    draw_deployed (picture, layer, picture->top + box->y, box->height);
  }
}

static void
draw (Picture *picture)
{
  pen_fill_rectangle (&picture->pen, 0, 0, picture->w, picture->h, PAPER_COLOR);
  draw_header (picture);
  for (guint column = 0; column < LAYOUT_N_COLUMNS; column++)
    draw_edges (picture, column);
  draw_rows (picture);
}

static cairo_status_t
append_bytes (void *bytes, const unsigned char *data, unsigned int size)
{
  g_byte_array_append (bytes, data, size);
  return CAIRO_STATUS_SUCCESS;
}

static bool
write_bytes (const GByteArray *bytes, const char *path, GError **error)
{
  FILE *file = fopen (path, "wb");
  const bool is_written = file && fwrite (bytes->data, 1, bytes->len, file) == bytes->len;

  if (file && fclose (file) == 0 && is_written)
    return true;
  g_set_error (error, YV_ERROR, YV_ERROR_IO, "%s: can't write the picture: %s", path,
               g_strerror (errno));
  return false;
}

bool
graph_write (const YvModelInfo *info, const char *path, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  Picture picture = {.info = info};

  pen_init (&picture.pen);
  picture_place (&picture);
  cairo_surface_t *surface =
      cairo_svg_surface_create_for_stream (append_bytes, bytes, picture.w, picture.h);
  picture.pen.cairo = cairo_create (surface);
  draw (&picture);
  cairo_destroy (picture.pen.cairo);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
  layout_free (picture.layout);
  pen_clear (&picture.pen);
  return write_bytes (bytes, path, error);
}
