/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/picture.c - where everything goes in the picture of a model. */
#include "tools/graph/picture.h"

/* All in px. */
#define HEADER_H 146.0
#define MIN_W 740.0 /* the legend needs it */
#define ROW_HEIGHT 19.0
#define PORT_GAP 3.5
#define COST_W 44.0
#define MAX_TEXT_W 235.0 /* what is longer is broken into lines */

PenSize
picture_set_cell (Picture *picture, const YvLayerInfo *layer, Cell cell)
{
  g_autofree char *text = cell_text (layer, cell);

  return pen_set_text (&picture->pen, text, TEXT_SIZE, cell_styles[cell].is_bold, MAX_TEXT_W);
}

static void
measure_cells (Picture *picture, LayoutRow *rows)
{
  for (Cell cell = 0; cell < N_CELLS; cell++) {
    Span *span = &picture->cells[cell];

    span->w = pen_set_text (&picture->pen, cell_styles[cell].title, TEXT_SIZE, false, 0).w;
    for (uint32_t row = 0; row < picture->info->n_layers; row++) {
      const PenSize size = picture_set_cell (picture, &picture->info->layers[row], cell);

      span->w = MAX (span->w, size.w);
      rows[row].height = MAX (rows[row].height, size.h + PAD);
    }
  }
  picture->cells[CELL_COST].w = COST_W;
}

static void
lay_out_rows (Picture *picture)
{
  const YvModelInfo *info = picture->info;
  g_autofree LayoutRow *rows = g_new0 (LayoutRow, info->n_layers);
  const LayoutSpacing spacing = {ROW_GAP, PORT_GAP};

  for (uint32_t i = 0; i < info->n_layers; i++) {
    const YvLayerInfo *layer = &info->layers[i];

    rows[i] = (LayoutRow){ROW_HEIGHT,
                          {layer->n_sources_trained, layer->n_sources_deployed},
                          {layer->sources_trained, layer->sources_deployed}};
    picture->max_flops = MAX (picture->max_flops, layer->flops);
  }
  measure_cells (picture, rows);
  picture->layout = layout_new (rows, info->n_layers, &spacing);
}

/* Cells from @first to @last beside each other from @x on. Returns the box around them. */
static Span
place_cells (Picture *picture, Cell first, Cell last, double x)
{
  Span box = {x, 0};

  x += PAD;
  for (Cell cell = first; cell <= last; cell++) {
    picture->cells[cell].x = x;
    x += picture->cells[cell].w + (cell < last ? CELL_GAP : PAD);
  }
  box.w = x - box.x;
  return box;
}

static double
lanes_width (const Picture *picture, guint column)
{
  const uint32_t n_lanes = picture->layout->columns[column].n_lanes;

  return n_lanes > 0 ? LANE_SPACE + LANE_STEP * (n_lanes - 1) : 0;
}

static void
place_columns (Picture *picture)
{
  double x = MARGIN + lanes_width (picture, LAYOUT_TRAINED);

  picture->boxes[LAYOUT_TRAINED] = place_cells (picture, CELL_ROW, CELL_PARAMS_TRAINED, x);
  x += picture->boxes[LAYOUT_TRAINED].w;
  picture->fold = place_cells (picture, CELL_FOLDED, CELL_FOLDED, x);
  x += picture->fold.w;
  picture->boxes[LAYOUT_DEPLOYED] = place_cells (picture, CELL_DEPLOYED, CELL_COST, x);
  x += picture->boxes[LAYOUT_DEPLOYED].w;
  picture->w = MAX (x + lanes_width (picture, LAYOUT_DEPLOYED) + MARGIN, MIN_W);
  picture->top = MARGIN + HEADER_H;
  picture->h = picture->top + picture->layout->height + MARGIN;
}

void
picture_place (Picture *picture)
{
  lay_out_rows (picture);
  place_columns (picture);
}
