/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/edges.c - the lines between the rows of a picture.
 *
 * The left column's lanes are on its left, the right one's on its right.
 */
#include "tools/graph/edges.h"

/* All in px. */
#define LANE_W 1.3
#define RIM_W 2.6 /* a lane with the white that sets it off from what it crosses */
#define BEND 3.0
#define ARROW_LENGTH 6.0
#define ARROW_HALF_H 2.6

/* Lines of neighbouring lanes differ. */
static const uint32_t lane_colors[] = {0x52606d, 0x2b7a9b, 0xa8562a, 0x5b7f2b, 0x9b3f78, 0x5a4fb0};

typedef struct {
  double box_x; /* the side where edges meet boxes */
  double away;  /* -1 to the left, 1 to the right */
} Side;

static Side
side_of (const Picture *picture, guint column)
{
  const Span *box = &picture->boxes[column];

  return column == LAYOUT_TRAINED ? (Side){box->x, -1} : (Side){box->x + box->w, 1};
}

static double
lane_x (const Side *side, uint32_t lane)
{
  return side->box_x + side->away * (LANE_SPACE + LANE_STEP * lane);
}

/* @away: from the point to its base */
static void
draw_arrow_head (Pen *pen, double x, double y, double away, uint32_t color)
{
  const double base_x = x + away * ARROW_LENGTH;

  pen_fill_triangle (pen, (double[]){x, y, base_x, y - ARROW_HALF_H, base_x, y + ARROW_HALF_H},
                     color);
}

static void
edge_path (Picture *picture, const Side *side, const LayoutEdge *edge)
{
  const double x = lane_x (side, edge->lane), bend_x = x - side->away * BEND;
  const double y_out = picture->top + edge->y_out, y_in = picture->top + edge->y_in;
  cairo_t *cairo = picture->pen.cairo;

  cairo_move_to (cairo, side->box_x, y_out);
  cairo_line_to (cairo, bend_x, y_out);
  cairo_curve_to (cairo, x, y_out, x, y_out, x, y_out + BEND);
  cairo_line_to (cairo, x, y_in - BEND);
  cairo_curve_to (cairo, x, y_in, x, y_in, bend_x, y_in);
  cairo_line_to (cairo, side->box_x + side->away * (ARROW_LENGTH - 1), y_in);
}

/* All edges of a source. */
static void
draw_trunk (Picture *picture, const Side *side, const LayoutEdge *edges, uint32_t n_edges)
{
  const uint32_t color = lane_colors[edges[0].lane % G_N_ELEMENTS (lane_colors)];
  Pen *pen = &picture->pen;

  for (uint32_t i = 0; i < n_edges; i++)
    edge_path (picture, side, &edges[i]);
  pen_set_color (pen, PAPER_COLOR);
  cairo_set_line_width (pen->cairo, RIM_W);
  cairo_stroke_preserve (pen->cairo);
  pen_set_color (pen, color);
  cairo_set_line_width (pen->cairo, LANE_W);
  cairo_stroke (pen->cairo);
  for (uint32_t i = 0; i < n_edges; i++) {
    const double y = picture->top + edges[i].y_in;

    draw_arrow_head (pen, side->box_x, y, side->away, color);
    if (i + 1 < n_edges) /* the line goes on */
      pen_fill_dot (pen, lane_x (side, edges[i].lane), y, color);
  }
}

static uint32_t
count_edges_of_source (const LayoutColumn *column, uint32_t first)
{
  uint32_t n = 1;

  while (first + n < column->n_edges &&
         column->edges[first + n].source == column->edges[first].source)
    n++;
  return n;
}

/* Outer lanes first, so that inner ones, which bend more often, stay whole. */
static void
draw_lanes (Picture *picture, guint column_index)
{
  const LayoutColumn *column = &picture->layout->columns[column_index];
  const Side side = side_of (picture, column_index);

  for (uint32_t lane = column->n_lanes; lane-- > 0;)
    for (uint32_t i = 0; i < column->n_edges; i++) {
      if (column->edges[i].direct || column->edges[i].lane != lane)
        continue;
      const uint32_t n = count_edges_of_source (column, i);
      draw_trunk (picture, &side, &column->edges[i], n);
      i += n - 1;
    }
}

void
draw_direct (Pen *pen, double x, double y)
{
  pen_fill_triangle (pen, (double[]){x - 4, y + 0.8, x + 4, y + 0.8, x, y + ROW_GAP - 0.8},
                     lane_colors[0]);
}

static void
draw_directs (Picture *picture, guint column_index)
{
  const LayoutColumn *column = &picture->layout->columns[column_index];

  for (uint32_t i = 0; i < column->n_edges; i++) {
    const LayoutBox *box = &picture->layout->boxes[column->edges[i].source];

    if (column->edges[i].direct)
      draw_direct (&picture->pen, picture->boxes[column_index].x + PAD + CELL_GAP,
                   picture->top + box->y + box->height);
  }
}

void
draw_edges (Picture *picture, guint column)
{
  draw_lanes (picture, column);
  draw_directs (picture, column);
}

void
draw_sample_edge (Pen *pen, double x, double y, double w)
{
  pen_fill_rectangle (pen, x, y - LANE_W / 2, w - ARROW_LENGTH + 1, LANE_W, lane_colors[1]);
  draw_arrow_head (pen, x + w, y, -1, lane_colors[1]);
}
