/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/layout.c - boxes, lanes and the points where edges meet boxes. */
#include "tools/graph/layout.h"

/* The line that all edges of a source share. */
typedef struct {
  uint32_t source, last_target; /* rows */
  uint32_t first_edge, n_edges;
  uint32_t lane;
} Trunk;

static int
compare_edges (const void *a_pointer, const void *b_pointer)
{
  const LayoutEdge *a = a_pointer, *b = b_pointer;

  if (a->source != b->source)
    return a->source < b->source ? -1 : 1;
  return a->target == b->target ? 0 : a->target < b->target ? -1 : 1;
}

static void
append_edges_of_row (GArray *edges, const LayoutRow *row, uint32_t target, uint32_t column)
{
  for (uint32_t i = 0; i < row->n_sources[column]; i++) {
    const int32_t source = row->sources[column][i];
    const LayoutEdge edge = {
        .source = (uint32_t) source, .target = target, .direct = source + 1 == (int32_t) target};

    g_assert (source < (int32_t) target);
    if (source >= 0)
      g_array_append_val (edges, edge);
  }
}

/* All edges of a column in their order; a row that reads another twice has one edge to it. */
static void
find_edges (LayoutColumn *column, const LayoutRow *rows, uint32_t n_rows, uint32_t column_index)
{
  GArray *edges = g_array_new (FALSE, FALSE, sizeof (LayoutEdge));
  guint n_kept = 0;

  for (uint32_t row = 0; row < n_rows; row++)
    append_edges_of_row (edges, &rows[row], row, column_index);
  g_array_sort (edges, compare_edges);
  LayoutEdge *all = (LayoutEdge *) (void *) edges->data;
  for (guint i = 0; i < edges->len; i++)
    if (n_kept == 0 || compare_edges (&all[n_kept - 1], &all[i]) != 0)
      all[n_kept++] = all[i];
  column->n_edges = n_kept;
  column->edges = (LayoutEdge *) (void *) g_array_free (edges, FALSE);
}

/* Edges of one source lie together; direct ones, which come first, need no lane. */
static GArray *
gather_trunks (const LayoutColumn *column)
{
  GArray *trunks = g_array_new (FALSE, FALSE, sizeof (Trunk));

  for (uint32_t i = 0; i < column->n_edges; i++) {
    const LayoutEdge *edge = &column->edges[i];
    Trunk *last = trunks->len > 0 ? &g_array_index (trunks, Trunk, trunks->len - 1) : NULL;

    if (edge->direct)
      continue;
    if (last && last->source == edge->source) {
      last->last_target = edge->target;
      last->n_edges++;
    } else {
      const Trunk first = {edge->source, edge->target, i, 1, 0};
      g_array_append_val (trunks, first);
    }
  }
  return trunks;
}

/* Short ones first, so that they come to lie inside long ones. */
static int
compare_trunks (const void *a_pointer, const void *b_pointer)
{
  const Trunk *a = a_pointer, *b = b_pointer;
  const uint32_t a_length = a->last_target - a->source, b_length = b->last_target - b->source;

  if (a_length != b_length)
    return a_length < b_length ? -1 : 1;
  return a->source == b->source ? 0 : a->source < b->source ? -1 : 1;
}

/* A trunk may begin in the very row where another ends: out of a box goes below what comes in. But
 * the two would look like one line, so they get a lane each. */
static bool
trunks_meet (const Trunk *a, const Trunk *b)
{
  return a->source <= b->last_target && b->source <= a->last_target;
}

static uint32_t
lowest_free_lane (const Trunk *placed, guint n_placed, const Trunk *trunk)
{
  g_autofree bool *is_taken = g_new0 (bool, n_placed + 1);
  uint32_t lane = 0;

  for (guint i = 0; i < n_placed; i++)
    if (trunks_meet (&placed[i], trunk))
      is_taken[placed[i].lane] = true;
  while (is_taken[lane])
    lane++;
  return lane;
}

static void
assign_lanes (LayoutColumn *column)
{
  g_autoptr (GArray) trunks = gather_trunks (column);
  Trunk *trunk = (Trunk *) (void *) trunks->data;

  g_array_sort (trunks, compare_trunks);
  for (guint i = 0; i < trunks->len; i++) {
    trunk[i].lane = lowest_free_lane (trunk, i, &trunk[i]);
    column->n_lanes = MAX (column->n_lanes, trunk[i].lane + 1);
    for (uint32_t j = 0; j < trunk[i].n_edges; j++)
      column->edges[trunk[i].first_edge + j].lane = trunk[i].lane;
  }
}

/* The lanes that come to a row, inner ones first, and whether one leaves it. */
typedef struct {
  GPtrArray *in; /* of LayoutEdge * */
  bool has_out;
} Ports;

static int
compare_lanes (const void *a_pointer, const void *b_pointer)
{
  const LayoutEdge *a = *(LayoutEdge *const *) a_pointer, *b = *(LayoutEdge *const *) b_pointer;

  return a->lane == b->lane ? 0 : a->lane < b->lane ? -1 : 1;
}

static Ports *
gather_ports (const LayoutColumn *column, uint32_t n_rows)
{
  Ports *ports = g_new0 (Ports, n_rows);

  for (uint32_t row = 0; row < n_rows; row++)
    ports[row].in = g_ptr_array_new ();
  for (uint32_t i = 0; i < column->n_edges; i++) {
    LayoutEdge *edge = &column->edges[i];

    if (edge->direct)
      continue;
    ports[edge->source].has_out = true;
    g_ptr_array_add (ports[edge->target].in, edge);
  }
  for (uint32_t row = 0; row < n_rows; row++)
    g_ptr_array_sort (ports[row].in, compare_lanes);
  return ports;
}

static void
free_ports (Ports *ports, uint32_t n_rows)
{
  for (uint32_t row = 0; row < n_rows; row++)
    g_ptr_array_unref (ports[row].in);
  g_free (ports);
}

static uint32_t
n_ports (const Ports *ports)
{
  return ports->in->len + ports->has_out;
}

static void
place_boxes (Layout *layout, const LayoutRow *rows, const LayoutSpacing *spacing,
             Ports *const *ports)
{
  double y = 0;

  for (uint32_t row = 0; row < layout->n_rows; row++) {
    double height = rows[row].height;

    for (uint32_t c = 0; c < LAYOUT_N_COLUMNS; c++)
      height = MAX (height, (n_ports (&ports[c][row]) + 1) * spacing->port_gap);
    layout->boxes[row] = (LayoutBox){y, height};
    y += height + spacing->row_gap;
  }
  layout->height = layout->n_rows > 0 ? y - spacing->row_gap : 0;
}

/* A line that ends at an inner lane ends above those of the outer ones, which so need not cross it;
 * what leaves the box leaves below all of them. */
static void
place_ports (LayoutColumn *column, const LayoutBox *boxes, const Ports *ports, uint32_t n_rows)
{
  g_autofree double *y_out = g_new0 (double, n_rows);

  for (uint32_t row = 0; row < n_rows; row++) {
    const double step = boxes[row].height / (n_ports (&ports[row]) + 1);

    for (guint i = 0; i < ports[row].in->len; i++)
      ((LayoutEdge *) ports[row].in->pdata[i])->y_in = boxes[row].y + step * (i + 1);
    y_out[row] = boxes[row].y + step * n_ports (&ports[row]);
  }
  for (uint32_t i = 0; i < column->n_edges; i++)
    column->edges[i].y_out = y_out[column->edges[i].source];
}

Layout *
layout_new (const LayoutRow *rows, uint32_t n_rows, const LayoutSpacing *spacing)
{
  Layout *layout = g_new0 (Layout, 1);
  Ports *ports[LAYOUT_N_COLUMNS];

  layout->n_rows = n_rows;
  layout->boxes = g_new0 (LayoutBox, n_rows);
  for (uint32_t c = 0; c < LAYOUT_N_COLUMNS; c++) {
    find_edges (&layout->columns[c], rows, n_rows, c);
    assign_lanes (&layout->columns[c]);
    ports[c] = gather_ports (&layout->columns[c], n_rows);
  }
  place_boxes (layout, rows, spacing, ports);
  for (uint32_t c = 0; c < LAYOUT_N_COLUMNS; c++) {
    place_ports (&layout->columns[c], layout->boxes, ports[c], n_rows);
    free_ports (ports[c], n_rows);
  }
  return layout;
}

void
layout_free (Layout *layout)
{
  if (!layout)
    return;
  for (uint32_t c = 0; c < LAYOUT_N_COLUMNS; c++)
    g_free (layout->columns[c].edges);
  g_free (layout->boxes);
  g_free (layout);
}
