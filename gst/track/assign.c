/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/assign.c - pairs are sorted into groups, and each group is solved by itself. */
#include "gst/track/assign.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NONE YV_ASSIGN_NONE

/* A growing array of one type, never shrunk. */
typedef struct {
  void *items;
  size_t n_allocated;
} Room;

struct _YvAssign {
  Room parent;      /* uint32_t a node, rows first, then columns: which group it belongs to */
  Room local;       /* uint32_t a node: its index among the rows or columns of its group */
  Room row_of_col;  /* uint32_t a column */
  Room grouped;     /* YvAssignPair: by group */
  Room group_start; /* uint32_t a node and one more: where the pairs of its group begin */
  Room rows, cols;  /* uint32_t: the members of the group that is solved */
  Room gains;       /* double: its matrix; the smaller side is down */
  Room prices, ways, done; /* of a Matrix */
};

static void *
room_for (Room *room, size_t n, size_t size_bytes)
{
  if (n > room->n_allocated) {
    room->n_allocated = MAX (n, 2 * room->n_allocated);
    room->items = g_realloc_n (room->items, room->n_allocated, size_bytes);
  }
  return room->items;
}

YvAssign *
yv_assign_new (void)
{
  return g_new0 (YvAssign, 1);
}

void
yv_assign_free (YvAssign *assign)
{
  if (!assign)
    return;
  Room *const rooms[] = {&assign->parent,  &assign->local,       &assign->row_of_col,
                         &assign->grouped, &assign->group_start, &assign->rows,
                         &assign->cols,    &assign->gains,       &assign->prices,
                         &assign->ways,    &assign->done};
  for (size_t i = 0; i < G_N_ELEMENTS (rooms); i++)
    g_free (rooms[i]->items);
  g_free (assign);
}

/* ---- groups --------------------------------------------------------------------------------- */

static uint32_t
find_root (uint32_t *parent, uint32_t node)
{
  while (parent[node] != node) {
    parent[node] = parent[parent[node]];
    node = parent[node];
  }
  return node;
}

/* Leaves each node's root in assign->parent. */
static void
find_groups (YvAssign *assign, const YvAssignPair *pairs, uint32_t n_pairs, uint32_t n_rows,
             uint32_t n_cols)
{
  uint32_t *parent = room_for (&assign->parent, n_rows + n_cols, sizeof *parent);

  for (uint32_t i = 0; i < n_rows + n_cols; i++)
    parent[i] = i;
  for (uint32_t i = 0; i < n_pairs; i++) {
    const uint32_t a = find_root (parent, pairs[i].row);
    const uint32_t b = find_root (parent, n_rows + pairs[i].col);
    parent[MAX (a, b)] = MIN (a, b);
  }
  for (uint32_t i = 0; i < n_rows + n_cols; i++)
    parent[i] = find_root (parent, i);
}

/* A root is always a row: the smallest node of its group. A counting sort: the order within a
 * group stays. */
static void
sort_by_group (YvAssign *assign, const YvAssignPair *pairs, uint32_t n_pairs, uint32_t n_rows)
{
  const uint32_t *parent = assign->parent.items;
  YvAssignPair *grouped = room_for (&assign->grouped, n_pairs, sizeof *grouped);
  uint32_t *start = room_for (&assign->group_start, n_rows + 1, sizeof *start);

  memset (start, 0, (n_rows + 1) * sizeof *start);
  for (uint32_t i = 0; i < n_pairs; i++)
    start[parent[pairs[i].row] + 1]++;
  for (uint32_t i = 0; i < n_rows; i++)
    start[i + 1] += start[i];
  for (uint32_t i = 0; i < n_pairs; i++)
    grouped[start[parent[pairs[i].row]]++] = pairs[i];
  for (uint32_t i = n_rows; i > 0; i--)
    start[i] = start[i - 1];
  start[0] = 0;
}

/* ---- one group ------------------------------------------------------------------------------ */

static int
compare_gain (const void *a, const void *b)
{
  const YvAssignPair *x = a, *y = b;

  if (x->gain != y->gain)
    return x->gain < y->gain ? 1 : -1;
  if (x->row != y->row)
    return x->row < y->row ? -1 : 1;
  return x->col < y->col ? -1 : x->col > y->col;
}

/* The best pair first, whoever else would have wanted its row or column. */
static void
take_best_first (YvAssignPair *pairs, uint32_t n_pairs, uint32_t *col_of_row, uint32_t *row_of_col)
{
  qsort (pairs, n_pairs, sizeof *pairs, compare_gain);
  for (uint32_t i = 0; i < n_pairs; i++) {
    if (col_of_row[pairs[i].row] != NONE || row_of_col[pairs[i].col] != NONE)
      continue;
    col_of_row[pairs[i].row] = pairs[i].col;
    row_of_col[pairs[i].col] = pairs[i].row;
  }
}

/* Gives @node an index, once. */
static void
add_member (uint32_t *local, uint32_t *members, uint32_t *n_members, uint32_t node)
{
  if (local[node] != NONE)
    return;
  local[node] = *n_members;
  members[(*n_members)++] = node;
}

/* An assignment of matrix rows to columns in the making. Columns count from 1: column 0 holds the
 * row that still has none. */
typedef struct {
  const double *gains; /* [n_rows, n_cols], n_rows <= n_cols; 0 where two do not match */
  uint32_t n_rows, n_cols;
  double *price_row, *price_col; /* price_row + price_col <= -gain; equal where matched */
  double *shortest;              /* to each column, of the ways that are looked at */
  uint32_t *row_at;              /* of a column; or NONE */
  uint32_t *before;              /* the column before each on the shortest way to it */
  bool *done;                    /* columns whose shortest way is known */
} Matrix;

/* Looks at the ways on from column @col. Returns: the nearest column that is not done. */
static uint32_t
look_from (Matrix *m, uint32_t col, double *nearest)
{
  const uint32_t row = m->row_at[col];
  const double *gains = m->gains + (size_t) row * m->n_cols;
  uint32_t next = 0;

  *nearest = INFINITY;
  m->done[col] = true;
  for (uint32_t j = 1; j <= m->n_cols; j++) {
    if (m->done[j])
      continue;
    const double cost = -gains[j - 1] - m->price_row[row] - m->price_col[j];
    if (cost < m->shortest[j]) {
      m->shortest[j] = cost;
      m->before[j] = col;
    }
    if (m->shortest[j] < *nearest) {
      *nearest = m->shortest[j];
      next = j;
    }
  }
  return next;
}

static void
change_prices (Matrix *m, double by)
{
  for (uint32_t j = 0; j <= m->n_cols; j++) {
    if (m->done[j]) {
      m->price_row[m->row_at[j]] += by;
      m->price_col[j] -= by;
    } else {
      m->shortest[j] -= by;
    }
  }
}

/* One more row gets a column, and those on the cheapest way there change theirs. */
static void
augment (Matrix *m, uint32_t row)
{
  uint32_t col = 0;

  for (uint32_t j = 0; j <= m->n_cols; j++) {
    m->shortest[j] = INFINITY;
    m->done[j] = false;
  }
  m->row_at[0] = row;
  while (m->row_at[col] != NONE) {
    double nearest;
    const uint32_t next = look_from (m, col, &nearest);
    change_prices (m, nearest);
    col = next;
  }
  for (; col != 0; col = m->before[col])
    m->row_at[col] = m->row_at[m->before[col]];
}

/* Returns: the row of each column, or NONE, from index 1 on. */
static const uint32_t *
solve_matrix (YvAssign *assign, const double *gains, uint32_t n_rows, uint32_t n_cols)
{
  const size_t n = (size_t) n_cols + 1;
  double *prices = room_for (&assign->prices, n_rows + 2 * n, sizeof *prices);
  uint32_t *ways = room_for (&assign->ways, 2 * n, sizeof *ways);
  Matrix m = {
      .gains = gains,
      .n_rows = n_rows,
      .n_cols = n_cols,
      .price_row = prices,
      .price_col = prices + n_rows,
      .shortest = prices + n_rows + n,
      .row_at = ways,
      .before = ways + n,
      .done = room_for (&assign->done, n, sizeof (bool)),
  };

  memset (prices, 0, (n_rows + n) * sizeof *prices);
  for (size_t j = 0; j < n; j++)
    m.row_at[j] = NONE;
  for (uint32_t row = 0; row < n_rows; row++)
    augment (&m, row);
  return m.row_at;
}

static void
solve_exactly (YvAssign *assign, const YvAssignPair *pairs, uint32_t n_pairs, uint32_t first_col,
               uint32_t n_rows, uint32_t n_cols, uint32_t *col_of_row)
{
  const uint32_t *local = assign->local.items;
  const uint32_t *rows = assign->rows.items, *cols = assign->cols.items;
  const bool turned = n_rows > n_cols;
  const uint32_t n_down = MIN (n_rows, n_cols), n_across = MAX (n_rows, n_cols);
  double *gains = room_for (&assign->gains, (size_t) n_down * n_across, sizeof *gains);

  memset (gains, 0, (size_t) n_down * n_across * sizeof *gains);
  for (uint32_t i = 0; i < n_pairs; i++) {
    const uint32_t r = local[pairs[i].row], c = local[first_col + pairs[i].col];
    gains[turned ? c * n_across + r : r * n_across + c] = (double) pairs[i].gain;
  }
  const uint32_t *down_of = solve_matrix (assign, gains, n_down, n_across) + 1;
  for (uint32_t across = 0; across < n_across; across++) {
    const uint32_t down = down_of[across];
    if (down == NONE || gains[down * n_across + across] <= 0)
      continue;
    col_of_row[rows[turned ? across : down]] = cols[turned ? down : across] - first_col;
  }
}

static void
solve_group (YvAssign *assign, YvAssignPair *pairs, uint32_t n_pairs, uint32_t n_all_rows,
             uint32_t *col_of_row)
{
  uint32_t *local = assign->local.items;
  uint32_t n_rows = 0, n_cols = 0;

  if (n_pairs == 1) {
    col_of_row[pairs->row] = pairs->col;
    return;
  }
  for (uint32_t i = 0; i < n_pairs; i++) {
    add_member (local, assign->rows.items, &n_rows, pairs[i].row);
    add_member (local, assign->cols.items, &n_cols, n_all_rows + pairs[i].col);
  }
  if (MIN (n_rows, n_cols) > YV_ASSIGN_EXACT)
    take_best_first (pairs, n_pairs, col_of_row, assign->row_of_col.items);
  else
    solve_exactly (assign, pairs, n_pairs, n_all_rows, n_rows, n_cols, col_of_row);
}

void
yv_assign_solve (YvAssign *assign, const YvAssignPair *pairs, uint32_t n_pairs, uint32_t n_rows,
                 uint32_t n_cols, uint32_t *col_of_row)
{
  const size_t n_nodes = (size_t) n_rows + n_cols;
  uint32_t *local = room_for (&assign->local, n_nodes, sizeof *local);
  uint32_t *row_of_col = room_for (&assign->row_of_col, n_cols, sizeof *row_of_col);

  room_for (&assign->rows, n_rows, sizeof (uint32_t));
  room_for (&assign->cols, n_cols, sizeof (uint32_t));
  for (uint32_t i = 0; i < n_rows; i++)
    col_of_row[i] = NONE;
  for (uint32_t i = 0; i < n_cols; i++)
    row_of_col[i] = NONE;
  for (size_t i = 0; i < n_nodes; i++)
    local[i] = NONE;
  if (n_pairs == 0)
    return;

  find_groups (assign, pairs, n_pairs, n_rows, n_cols);
  sort_by_group (assign, pairs, n_pairs, n_rows);
  YvAssignPair *grouped = assign->grouped.items;
  const uint32_t *start = assign->group_start.items;
  for (uint32_t i = 0; i < n_rows; i++)
    if (start[i + 1] > start[i])
      solve_group (assign, grouped + start[i], start[i + 1] - start[i], n_rows, col_of_row);
}
