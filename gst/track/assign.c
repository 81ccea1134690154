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
  Room prices;      /* double: potentials and shortest ways of the matrix */
  Room ways;        /* uint32_t: matches and predecessors of the matrix */
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
  Room *const rooms[] = {
      &assign->parent, &assign->local, &assign->row_of_col, &assign->grouped, &assign->group_start,
      &assign->rows,   &assign->cols,  &assign->gains,      &assign->prices,  &assign->ways};
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
static const YvAssignPair *
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
  return grouped;
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

/* One more row gets a column, along the way of the smallest cost; the usual invariants: price_row +
 * price_col <= cost, with equality on matched pairs. Cost is -gain. Columns count from 1: column 0
 * holds the row that still has none. */
static void
augment (const double *gains, uint32_t n_cols, uint32_t row, double *price_row, double *price_col,
         double *shortest, uint32_t *row_at, uint32_t *before)
{
  bool *const done = (bool *) (before + n_cols + 1);
  uint32_t col = 0;

  for (uint32_t j = 0; j <= n_cols; j++) {
    shortest[j] = INFINITY;
    done[j] = false;
  }
  row_at[0] = row;
  do {
    const uint32_t from = row_at[col];
    double least = INFINITY;
    uint32_t next = 0;
    done[col] = true;
    for (uint32_t j = 1; j <= n_cols; j++) {
      if (done[j])
        continue;
      const double cost = -gains[from * n_cols + j - 1] - price_row[from] - price_col[j];
      if (cost < shortest[j]) {
        shortest[j] = cost;
        before[j] = col;
      }
      if (shortest[j] < least) {
        least = shortest[j];
        next = j;
      }
    }
    for (uint32_t j = 0; j <= n_cols; j++) {
      if (done[j]) {
        price_row[row_at[j]] += least;
        price_col[j] -= least;
      } else {
        shortest[j] -= least;
      }
    }
    col = next;
  } while (row_at[col] != NONE);
  for (; col != 0; col = before[col])
    row_at[col] = row_at[before[col]];
}

/* @gains: n_rows x n_cols, n_rows <= n_cols, 0 where two do not match.
 * Returns: the row of each column, or NONE, from index 1 on. */
static const uint32_t *
solve_matrix (YvAssign *assign, const double *gains, uint32_t n_rows, uint32_t n_cols)
{
  const size_t n = (size_t) n_cols + 1;
  double *prices = room_for (&assign->prices, n_rows + 2 * n, sizeof *prices);
  uint32_t *row_at = room_for (&assign->ways, 3 * n, sizeof *row_at);

  memset (prices, 0, (n_rows + n) * sizeof *prices);
  for (size_t j = 0; j < n; j++)
    row_at[j] = NONE;
  for (uint32_t row = 0; row < n_rows; row++)
    augment (gains, n_cols, row, prices, prices + n_rows, prices + n_rows + n, row_at, row_at + n);
  return row_at;
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
yv_assign_solve (YvAssign *assign, YvAssignPair *pairs, uint32_t n_pairs, uint32_t n_rows,
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
