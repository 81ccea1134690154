/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph.c - draws what graphlayout.c has laid out. */
#include "tools/graph.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cairo-svg.h>

#include "tools/graphlayout.h"
#include "tools/graphpen.h"

/* All in px. */
#define MARGIN 28.0
#define HEADER_H 146.0
#define MIN_W 740.0 /* the legend needs it */
#define ROW_HEIGHT 19.0
#define ROW_GAP 6.0
#define PORT_GAP 3.5
#define LANE_STEP 7.0
#define LANE_SPACE 14.0 /* between the boxes and lane 0: room for arrow heads */
#define LANE_W 1.3
#define RIM_W 2.6 /* a lane with the white that sets it off from what it crosses */
#define BEND 3.0
#define ARROW_LENGTH 6.0
#define ARROW_HALF_H 2.6
#define PAD 8.0 /* inside boxes */
#define CELL_GAP 12.0
#define COST_W 44.0
#define MAX_TEXT_W 235.0 /* what is longer is broken into lines */
#define TEXT_SIZE 10.0
#define LEGEND_GAP 22.0

#define TEXT_COLOR 0x1f2933u
#define QUIET_COLOR 0x7b8794u
#define FADED_COLOR 0xcbd2d9u
#define PAPER_COLOR 0xffffffu

/* Kinds of modules. */

typedef enum {
  KIND_CONV,
  KIND_REPCONV,
  KIND_BLOCK,
  KIND_POOL,
  KIND_JOIN,
  KIND_RESHAPE,
  KIND_HEAD,
  N_KINDS
} Kind;

static const struct {
  const char *name;
  uint32_t color, tint;
} kinds[N_KINDS] = {
    [KIND_CONV] = {"Conv", 0x3e78b2, 0xe6eff8},
    [KIND_REPCONV] = {"RepConv", 0x8456b8, 0xf0e8f9},
    [KIND_BLOCK] = {"block of convolutions", 0xd9822b, 0xfdf0e1},
    [KIND_POOL] = {"pooling", 0x2f9e68, 0xe3f5eb},
    [KIND_JOIN] = {"concat, sum", 0x7b8794, 0xeef1f4},
    [KIND_RESHAPE] = {"upsampling, reorg", 0xb79a1d, 0xfaf5dc},
    [KIND_HEAD] = {"head", 0xc23b46, 0xfbe6e8},
};

/* All others are blocks. */
static const struct {
  const char *module;
  Kind kind;
} kind_of_module[] = {
    {"Conv", KIND_CONV},     {"DWConv", KIND_CONV},     {"RepConv", KIND_REPCONV},
    {"MP", KIND_POOL},       {"SP", KIND_POOL},         {"MaxPool2d", KIND_POOL},
    {"Concat", KIND_JOIN},   {"Shortcut", KIND_JOIN},   {"Upsample", KIND_RESHAPE},
    {"ReOrg", KIND_RESHAPE}, {"Detect", KIND_HEAD},     {"IDetect", KIND_HEAD},
    {"Conv2d", KIND_CONV},   {"IAuxDetect", KIND_HEAD},
};

static Kind
kind_of (const YvLayerInfo *layer)
{
  for (guint i = 0; i < G_N_ELEMENTS (kind_of_module); i++)
    if (strcmp (kind_of_module[i].module, layer->module) == 0)
      return kind_of_module[i].kind;
  return KIND_BLOCK;
}

static bool
is_dropped (const YvLayerInfo *layer)
{
  return *layer->deployed == '\0';
}

/* Costs nothing: others write where it is stored. */
static bool
is_in_place (const YvLayerInfo *layer)
{
  return strcmp (layer->deployed, "concat in place") == 0;
}

/* Lines of neighbouring lanes differ. */
static const uint32_t lane_colors[] = {0x52606d, 0x2b7a9b, 0xa8562a, 0x5b7f2b, 0x9b3f78, 0x5a4fb0};

/* The cells of a row, from left to right. */

typedef enum {
  CELL_ROW,
  CELL_MODULE,
  CELL_TRAINED,
  CELL_SHAPE,
  CELL_PARAMS_TRAINED,
  CELL_FOLDED, /* between the boxes */
  CELL_DEPLOYED,
  CELL_PARAMS_DEPLOYED,
  CELL_GFLOP,
  CELL_COST, /* a bar: the row's share of the costliest row */
  N_CELLS
} Cell;

static const struct {
  const char *title;
  bool is_right; /* aligned */
  bool is_bold;
} cell_styles[N_CELLS] = {
    [CELL_ROW] = {"row", true, false},
    [CELL_MODULE] = {"module", false, true},
    [CELL_TRAINED] = {"operations", false, false},
    [CELL_SHAPE] = {"output", true, false},
    [CELL_PARAMS_TRAINED] = {"parameters", true, false},
    [CELL_FOLDED] = {"folded", false, false},
    [CELL_DEPLOYED] = {"operations", false, false},
    [CELL_PARAMS_DEPLOYED] = {"parameters", true, false},
    [CELL_GFLOP] = {"GFLOP", true, false},
    [CELL_COST] = {"", false, false},
};

typedef struct {
  double x, w;
} Span;

typedef struct {
  const YvModelInfo *info;
  Pen pen;
  Layout *layout;
  Span cells[N_CELLS];
  Span boxes[LAYOUT_N_COLUMNS];
  Span fold; /* between the boxes */
  double w, h;
  double top; /* where row 0 begins */
  uint64_t max_flops;
} Picture;

/* "37622682" -> "37,622,682" */
static char *
format_count (uint64_t count)
{
  GString *text = g_string_new (NULL);

  g_string_printf (text, "%" G_GUINT64_FORMAT, count);
  for (gssize at = (gssize) text->len - 3; at > 0; at -= 3)
    g_string_insert_c (text, at, ',');
  return g_string_free (text, FALSE);
}

static char *
format_gflop (uint64_t flops)
{
  const double gflop = (double) flops / 1e9;

  return g_strdup_printf (gflop < 1 ? "%.3f" : "%.2f", gflop);
}

static char *
format_shape (const YvLayerInfo *layer)
{
  if (layer->h_out == 0)
    return g_strdup ("boxes");
  return g_strdup_printf ("%ux%ux%u", layer->c_out, layer->h_out, layer->w_out);
}

/* Lines may only be broken after a plus. */
static char *
keep_together (const char *operations)
{
  GString *text = g_string_new (operations);

  g_string_replace (text, " ", "\xc2\xa0", 0); /* no-break spaces */
  g_string_replace (text, "+\xc2\xa0", "+ ", 0);
  return g_string_free (text, FALSE);
}

static char *
cell_text (const YvLayerInfo *layer, Cell cell)
{
  switch (cell) {
  case CELL_ROW:
    return g_strdup_printf ("%u", layer->row);
  case CELL_MODULE:
    return g_strdup (layer->module);
  case CELL_TRAINED:
    return keep_together (layer->trained);
  case CELL_SHAPE:
    return format_shape (layer);
  case CELL_PARAMS_TRAINED:
    return layer->n_params_trained > 0 ? format_count (layer->n_params_trained) : g_strdup ("");
  case CELL_FOLDED:
    return is_dropped (layer) ? g_strdup ("") : keep_together (layer->folded);
  case CELL_DEPLOYED:
    return is_dropped (layer) ? g_strdup ("dropped") : keep_together (layer->deployed);
  case CELL_PARAMS_DEPLOYED:
    return layer->n_params_deployed > 0 ? format_count (layer->n_params_deployed) : g_strdup ("");
  case CELL_GFLOP:
    return layer->flops > 0 ? format_gflop (layer->flops) : g_strdup ("");
  case CELL_COST:
    return g_strdup ("");
  case N_CELLS:
    break;
  }
  g_assert_not_reached ();
}

static PenSize
set_cell (Picture *picture, const YvLayerInfo *layer, Cell cell)
{
  g_autofree char *text = cell_text (layer, cell);

  return pen_set_text (&picture->pen, text, TEXT_SIZE, cell_styles[cell].is_bold, MAX_TEXT_W);
}

/* Where everything goes. */

static void
measure_cells (Picture *picture, LayoutRow *rows)
{
  for (Cell cell = 0; cell < N_CELLS; cell++) {
    Span *span = &picture->cells[cell];

    span->w = pen_set_text (&picture->pen, cell_styles[cell].title, TEXT_SIZE, false, 0).w;
    for (uint32_t row = 0; row < picture->info->n_layers; row++) {
      const PenSize size = set_cell (picture, &picture->info->layers[row], cell);

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

/* Edges. The left column's lanes are on its left, the right one's on its right. */

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

/* From a row to the one below it; @y is where that row's gap begins. */
static void
draw_direct (Pen *pen, double x, double y)
{
  pen_fill_triangle (pen, (double[]){x - 4, y + 0.8, x + 4, y + 0.8, x, y + ROW_GAP - 0.8},
                     lane_colors[0]);
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

/* Rows. */

static void
draw_cell (Picture *picture, const YvLayerInfo *layer, Cell cell, double middle_y, uint32_t color)
{
  const Span *span = &picture->cells[cell];
  const PenSize size = set_cell (picture, layer, cell);

  pen_show_text (&picture->pen, span->x + (cell_styles[cell].is_right ? span->w - size.w : 0),
                 middle_y - size.h / 2, color);
}

static void
draw_trained (Picture *picture, const YvLayerInfo *layer, double y, double h)
{
  const Span *span = &picture->boxes[LAYOUT_TRAINED];
  const Kind kind = kind_of (layer);
  const double middle_y = y + h / 2;

  pen_box (&picture->pen, span->x, y, span->w, h, kinds[kind].tint, kinds[kind].color, false);
  draw_cell (picture, layer, CELL_ROW, middle_y, QUIET_COLOR);
  draw_cell (picture, layer, CELL_MODULE, middle_y, kinds[kind].color);
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

  pen_box (&picture->pen, span->x, y, span->w, h, is_hollow ? PAPER_COLOR : kinds[kind].tint,
           is_dropped (layer) ? FADED_COLOR : kinds[kind].color, is_dropped (layer));
  draw_cell (picture, layer, CELL_DEPLOYED, middle_y, is_hollow ? QUIET_COLOR : TEXT_COLOR);
  draw_cell (picture, layer, CELL_PARAMS_DEPLOYED, middle_y, TEXT_COLOR);
  draw_cell (picture, layer, CELL_GFLOP, middle_y, TEXT_COLOR);
  draw_cost (picture, layer, middle_y, kinds[kind].color);
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
  pen_fill_funnel (&picture->pen, x0, x1, y + 1, h - 2, kinds[kind].tint);
  draw_cell (picture, layer, CELL_FOLDED, y + h / 2, kinds[kind].color);
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

/* Header. */

static void
draw_titles (Picture *picture)
{
  for (Cell cell = 0; cell < N_CELLS; cell++) {
    const Span *span = &picture->cells[cell];
    const PenSize size = pen_set_text (&picture->pen, cell_styles[cell].title, TEXT_SIZE, false, 0);

    pen_show_text (&picture->pen, span->x + (cell_styles[cell].is_right ? span->w - size.w : 0),
                   picture->top - 22, QUIET_COLOR);
  }
}

static void
draw_totals (Picture *picture, guint column, const char *title, uint64_t n_params, uint64_t flops)
{
  g_autofree char *params = format_count (n_params);
  g_autofree char *gflop = format_gflop (flops);
  g_autofree char *text = g_strdup_printf ("%s parameters, %s GFLOP", params, gflop);
  const double x = picture->boxes[column].x, y = picture->top - 38;
  const double end_x = pen_write (&picture->pen, title, x, y, 14, true, TEXT_COLOR);

  pen_write (&picture->pen, text, end_x + CELL_GAP, y, 12, false, TEXT_COLOR);
}

static void
draw_header (Picture *picture)
{
  const YvModelInfo *info = picture->info;
  g_autofree char *name = g_filename_display_basename (info->source);
  g_autofree char *about = g_strdup_printf (
      "%s, %s;  %u rows, %u class%s;  shapes and GFLOP at %ux%u", info->format, info->weights_kind,
      info->n_layers, info->n_classes, info->n_classes == 1 ? "" : "es", info->width, info->height);

  pen_write (&picture->pen, name, MARGIN, MARGIN + 8, 20, true, TEXT_COLOR);
  pen_write (&picture->pen, about, MARGIN, MARGIN + 32, 11, false, QUIET_COLOR);
  draw_totals (picture, LAYOUT_TRAINED, "as trained", info->n_params_trained, info->flops_trained);
  draw_totals (picture, LAYOUT_DEPLOYED, "as deployed", info->n_params_deployed, info->flops);
  draw_titles (picture);
}

/* What a sample at @x means. Returns where the next one goes. */
static double
explain (Pen *pen, const char *text, double x, double sample_w, double y)
{
  return pen_write (pen, text, x + sample_w + 6, y, TEXT_SIZE, false, TEXT_COLOR) + LEGEND_GAP;
}

static void
draw_kinds (Pen *pen, double x, double y)
{
  for (guint i = 0; i < N_KINDS; i++) {
    pen_fill_rectangle (pen, x, y - 5, 10, 10, kinds[i].color);
    x = explain (pen, kinds[i].name, x, 10, y);
  }
}

static void
draw_samples (Pen *pen, double x, double y)
{
  const double w = 24, h = 12;

  draw_direct (pen, x + 5, y - ROW_GAP / 2);
  x = explain (pen, "reads the row above", x, 10, y);
  pen_fill_rectangle (pen, x, y - LANE_W / 2, w - ARROW_LENGTH + 1, LANE_W, lane_colors[1]);
  draw_arrow_head (pen, x + w, y, -1, lane_colors[1]);
  x = explain (pen, "reads an earlier row", x, w, y);
  pen_fill_funnel (pen, x, x + w, y - h / 2, h, kinds[KIND_CONV].tint);
  x = explain (pen, "folded into what is deployed", x, w, y);
  pen_fill_rectangle (pen, x, y - h / 2, w, h, kinds[KIND_JOIN].color);
  pen_fill_rectangle (pen, x + 1, y - h / 2 + 1, w - 2, h - 2, PAPER_COLOR);
  x = explain (pen, "in place: costs nothing", x, w, y);
  pen_line (pen, x, x + w, y - h / 2, FADED_COLOR, true);
  pen_line (pen, x, x + w, y + h / 2, FADED_COLOR, true);
  explain (pen, "dropped", x, w, y);
}

static void
draw (Picture *picture)
{
  pen_fill_rectangle (&picture->pen, 0, 0, picture->w, picture->h, PAPER_COLOR);
  draw_header (picture);
  draw_kinds (&picture->pen, MARGIN, MARGIN + 56);
  draw_samples (&picture->pen, MARGIN, MARGIN + 76);
  for (guint column = 0; column < LAYOUT_N_COLUMNS; column++) {
    draw_lanes (picture, column);
    draw_directs (picture, column);
  }
  draw_rows (picture);
}

/* Files. */

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
  lay_out_rows (&picture);
  place_columns (&picture);
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
