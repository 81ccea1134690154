/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tests/unit/test-graphlayout.c - pictures of models: nothing lies on anything else. */
#include <string.h>

#include "engine/yolov7-tools.h"
#include "tests/common/paths.h"
#include "tools/graph/layout.h"

#define MAX_SOURCES 6

static const LayoutSpacing spacing = {.row_gap = 6, .port_gap = 3};

static Layout *
lay_out (const LayoutRow *rows, uint32_t n_rows)
{
  return layout_new (rows, n_rows, &spacing);
}

/* A row of height 20 that reads the same rows in both columns. */
#define ROW(...)                                                                                   \
  {                                                                                                \
    20,                                                                                            \
        {G_N_ELEMENTS (((const int32_t[]){__VA_ARGS__})),                                          \
         G_N_ELEMENTS (((const int32_t[]){__VA_ARGS__}))},                                         \
    {                                                                                              \
      (const int32_t[]){__VA_ARGS__}, (const int32_t[])                                            \
      {                                                                                            \
        __VA_ARGS__                                                                                \
      }                                                                                            \
    }                                                                                              \
  }

static void
assert_boxes_apart (const Layout *layout, const LayoutRow *rows)
{
  for (uint32_t i = 0; i < layout->n_rows; i++) {
    g_assert_cmpfloat (layout->boxes[i].height, >=, rows[i].height);
    if (i > 0)
      g_assert_cmpfloat_with_epsilon (
          layout->boxes[i].y,
          layout->boxes[i - 1].y + layout->boxes[i - 1].height + spacing.row_gap, 1e-9);
  }
  if (layout->n_rows > 0) {
    const LayoutBox *last = &layout->boxes[layout->n_rows - 1];
    g_assert_cmpfloat (layout->boxes[0].y, ==, 0);
    g_assert_cmpfloat_with_epsilon (layout->height, last->y + last->height, 1e-9);
  }
}

static bool
has_edge (const LayoutColumn *column, uint32_t source, uint32_t target)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < column->n_edges; i++)
    n += column->edges[i].source == source && column->edges[i].target == target;
  g_assert_cmpuint (n, <=, 1);
  return n == 1;
}

/* Each source is an edge, once. */
static void
assert_all_edges (const LayoutColumn *column, const LayoutRow *rows, uint32_t n_rows, guint c)
{
  uint32_t n_edges = 0;

  for (uint32_t row = 0; row < n_rows; row++)
    for (uint32_t i = 0; i < rows[row].n_sources[c]; i++) {
      const int32_t source = rows[row].sources[c][i];
      bool is_first = source >= 0;

      for (uint32_t j = 0; j < i; j++)
        is_first = is_first && rows[row].sources[c][j] != source;
      if (source >= 0)
        g_assert_true (has_edge (column, (uint32_t) source, row));
      n_edges += is_first;
    }
  g_assert_cmpuint (column->n_edges, ==, n_edges);
}

static void
assert_inside (double y, const LayoutBox *box)
{
  g_assert_cmpfloat (y, >, box->y);
  g_assert_cmpfloat (y, <, box->y + box->height);
}

static void
assert_attached (const Layout *layout, const LayoutColumn *column)
{
  for (uint32_t i = 0; i < column->n_edges; i++) {
    const LayoutEdge *edge = &column->edges[i];

    g_assert_true (edge->direct == (edge->source + 1 == edge->target));
    if (edge->direct)
      continue;
    assert_inside (edge->y_out, &layout->boxes[edge->source]);
    assert_inside (edge->y_in, &layout->boxes[edge->target]);
    g_assert_cmpuint (edge->lane, <, column->n_lanes);
  }
}

/* Two edges meet a box in different points, unless both leave it; lines of one lane don't touch,
 * unless they are of one source, whose edges share all of it. */
static void
assert_pair (const LayoutEdge *a, const LayoutEdge *b)
{
  if (a->direct || b->direct)
    return;
  if (a->source == b->source) {
    g_assert_cmpuint (a->lane, ==, b->lane);
    g_assert_cmpfloat (a->y_out, ==, b->y_out);
    return;
  }
  if (a->target == b->target)
    g_assert_cmpfloat (ABS (a->y_in - b->y_in), >=, spacing.port_gap - 1e-9);
  if (a->target == b->source)
    g_assert_cmpfloat (b->y_out - a->y_in, >=, spacing.port_gap - 1e-9);
  if (b->target == a->source)
    g_assert_cmpfloat (a->y_out - b->y_in, >=, spacing.port_gap - 1e-9);
  if (a->lane == b->lane)
    g_assert_true (a->y_in + spacing.row_gap <= b->y_out || b->y_in + spacing.row_gap <= a->y_out);
}

static void
assert_sound (const Layout *layout, const LayoutRow *rows)
{
  assert_boxes_apart (layout, rows);
  for (guint c = 0; c < LAYOUT_N_COLUMNS; c++) {
    const LayoutColumn *column = &layout->columns[c];

    assert_all_edges (column, rows, layout->n_rows, c);
    assert_attached (layout, column);
    for (uint32_t i = 0; i < column->n_edges; i++)
      for (uint32_t j = 0; j < i; j++)
        assert_pair (&column->edges[i], &column->edges[j]);
  }
}

static void
a_chain_needs_no_lanes (void)
{
  const LayoutRow rows[] = {ROW (-1), ROW (0), ROW (1)};
  g_autoptr (Layout) layout = lay_out (rows, G_N_ELEMENTS (rows));

  assert_sound (layout, rows);
  g_assert_cmpuint (layout->columns[LAYOUT_TRAINED].n_lanes, ==, 0);
  g_assert_cmpuint (layout->columns[LAYOUT_TRAINED].n_edges, ==, 2);
  g_assert_cmpfloat (layout->boxes[2].y, ==, 52);
  g_assert_cmpfloat (layout->height, ==, 72);
}

/* Rows 0 to 6; 1 -> 3 lies within 0 -> 5, and 4 -> 6 meets the latter. */
static void
short_edges_lie_inside_long_ones (void)
{
  const LayoutRow rows[] = {ROW (-1), ROW (0), ROW (1), ROW (1), ROW (3), ROW (0), ROW (4)};
  g_autoptr (Layout) layout = lay_out (rows, G_N_ELEMENTS (rows));
  const LayoutColumn *column = &layout->columns[LAYOUT_DEPLOYED];
  uint32_t lanes[7] = {0};

  assert_sound (layout, rows);
  for (uint32_t i = 0; i < column->n_edges; i++)
    if (!column->edges[i].direct)
      lanes[column->edges[i].source] = column->edges[i].lane;
  g_assert_cmpuint (lanes[1], ==, 0);
  g_assert_cmpuint (lanes[4], ==, 0);
  g_assert_cmpuint (lanes[0], ==, 1);
  g_assert_cmpuint (column->n_lanes, ==, 2);
}

static void
a_line_ends_inside_of_those_from_outer_lanes (void)
{
  const LayoutRow rows[] = {ROW (-1), ROW (0), ROW (1), ROW (2), ROW (3, 2, 1, 0)};
  g_autoptr (Layout) layout = lay_out (rows, G_N_ELEMENTS (rows));
  const LayoutEdge *edges = layout->columns[0].edges; /* by source: 0 has a direct one, too */

  assert_sound (layout, rows);
  g_assert_cmpuint (edges[1].source, ==, 0);
  g_assert_cmpuint (edges[3].source, ==, 1);
  g_assert_cmpuint (edges[1].lane, >, edges[3].lane);
  g_assert_cmpfloat (edges[1].y_in, >, edges[3].y_in);
}

static void
boxes_grow_for_their_edges (void)
{
  const LayoutRow rows[] = {ROW (-1), ROW (0), ROW (1),
                            ROW (2),  ROW (3), ROW (4),
                            ROW (5),  ROW (6), ROW (7, 6, 5, 4, 3, 2, 1, 0)};
  g_autoptr (Layout) layout = lay_out (rows, G_N_ELEMENTS (rows));

  assert_sound (layout, rows);
  g_assert_cmpfloat (layout->boxes[7].height, ==, 20);
  g_assert_cmpfloat (layout->boxes[8].height, ==, 24);
}

static void
columns_have_their_own_edges (void)
{
  const int32_t before[] = {0, 1, 2}, after[] = {0};
  const LayoutRow rows[] = {ROW (-1), ROW (0), ROW (1), {20, {3, 1}, {before, after}}};
  g_autoptr (Layout) layout = lay_out (rows, G_N_ELEMENTS (rows));

  assert_sound (layout, rows);
  g_assert_cmpuint (layout->columns[LAYOUT_TRAINED].n_edges, ==, 5);
  g_assert_cmpuint (layout->columns[LAYOUT_DEPLOYED].n_edges, ==, 3);
}

static void
no_rows_are_a_layout_too (void)
{
  g_autoptr (Layout) layout = lay_out (NULL, 0);

  assert_sound (layout, NULL);
  g_assert_cmpfloat (layout->height, ==, 0);
}

static void
random_graphs_are_laid_out_soundly (void)
{
  for (guint run = 0; run < 200; run++) {
    const uint32_t n_rows = (uint32_t) g_test_rand_int_range (1, 60);
    g_autofree LayoutRow *rows = g_new0 (LayoutRow, n_rows);
    g_autofree int32_t *sources = g_new0 (int32_t, (gsize) n_rows * MAX_SOURCES * 2);

    for (uint32_t i = 0; i < n_rows * MAX_SOURCES * 2; i++)
      sources[i] = g_test_rand_int_range (-1, (gint32) MAX (1, i / (MAX_SOURCES * 2)));
    for (uint32_t i = 0; i < n_rows; i++) {
      const int32_t *own = &sources[(gsize) i * MAX_SOURCES * 2];
      rows[i] = (LayoutRow){g_test_rand_double_range (1, 40),
                            {(uint32_t) g_test_rand_int_range (0, MAX_SOURCES + 1),
                             (uint32_t) g_test_rand_int_range (0, MAX_SOURCES + 1)},
                            {own, own + MAX_SOURCES}};
      if (i == 0)
        rows[i].n_sources[0] = rows[i].n_sources[1] = 0;
    }
    g_autoptr (Layout) layout = lay_out (rows, n_rows);
    assert_sound (layout, rows);
  }
}

static void
lay_out_description (const char *folder, const char *file)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (YvModelInfo) info = yv_model_info_new (NULL, path, 0, &error);
  g_assert_no_error (error);
  g_autofree LayoutRow *rows = g_new0 (LayoutRow, info->n_layers);

  for (uint32_t i = 0; i < info->n_layers; i++) {
    const YvLayerInfo *layer = &info->layers[i];
    rows[i] = (LayoutRow){20,
                          {layer->n_sources_trained, layer->n_sources_deployed},
                          {layer->sources_trained, layer->sources_deployed}};
  }
  g_autoptr (Layout) layout = lay_out (rows, info->n_layers);
  assert_sound (layout, rows);
  g_test_message ("%-22s %3u rows, lanes: %2u as trained, %2u as deployed", file, info->n_layers,
                  layout->columns[0].n_lanes, layout->columns[1].n_lanes);
  g_assert_cmpuint (layout->columns[0].n_lanes, <=, 20);
}

static void
every_description_is_laid_out_soundly (void)
{
  static const char *const folders[] = {"cfg/training", "cfg/deploy"};

  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *folder = yv_test_source_path (folders[i]);
    g_autoptr (GDir) files = g_dir_open (folder, 0, NULL);
    const char *file;

    g_assert_nonnull (files);
    while ((file = g_dir_read_name (files)))
      lay_out_description (folder, file);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graphlayout/chain", a_chain_needs_no_lanes);
  g_test_add_func ("/graphlayout/short-inside", short_edges_lie_inside_long_ones);
  g_test_add_func ("/graphlayout/order", a_line_ends_inside_of_those_from_outer_lanes);
  g_test_add_func ("/graphlayout/grow", boxes_grow_for_their_edges);
  g_test_add_func ("/graphlayout/columns", columns_have_their_own_edges);
  g_test_add_func ("/graphlayout/empty", no_rows_are_a_layout_too);
  g_test_add_func ("/graphlayout/random", random_graphs_are_laid_out_soundly);
  g_test_add_func ("/graphlayout/descriptions", every_description_is_laid_out_soundly);
  return g_test_run ();
}
