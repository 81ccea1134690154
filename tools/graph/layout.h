/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/layout.h - where the rows of a model and the lines between them go in its picture.
 *
 * In:    rows from top to bottom: how high each wants to be, and which rows it reads, as trained
 *        and as deployed.
 * Out:   a box for each row, which both columns share, so that a row lies beside what became of
 *        it; and for each column the edges.
 * Next:  tools/graph/picture.c measures it, edges.c and graph.c draw it.
 *
 * A row that reads the one above it has a direct edge, through the gap between the boxes. All
 * others run in lanes beside the boxes, vertical lines at equal distances, lane 0 next to the
 * boxes: out of the source's side, along its lane, into the target's side. All edges of a source
 * share one lane, so that a value which many rows read is one line with branches. Two sources share
 * a lane only where their lines don't meet.
 *
 * Pure: no drawing, no units but the caller's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

enum { LAYOUT_TRAINED, LAYOUT_DEPLOYED, LAYOUT_N_COLUMNS };

typedef struct {
  double height; /* at least */
  /* By column: earlier rows; -1, the input of the network, has no edge. */
  uint32_t n_sources[LAYOUT_N_COLUMNS];
  const int32_t *sources[LAYOUT_N_COLUMNS];
} LayoutRow;

typedef struct {
  double row_gap;  /* between boxes */
  double port_gap; /* between the points where edges meet a box; boxes grow until they have room */
} LayoutSpacing;

typedef struct {
  double y, height;
} LayoutBox;

typedef struct {
  uint32_t source, target; /* rows */
  bool direct;             /* the fields below are not used */
  uint32_t lane;
  double y_out, y_in; /* where it leaves the source's box and enters the target's */
} LayoutEdge;

typedef struct {
  uint32_t n_edges, n_lanes;
  LayoutEdge *edges; /* by source, then target; none twice */
} LayoutColumn;

typedef struct {
  uint32_t n_rows;
  LayoutBox *boxes; /* the first has y 0 */
  double height;    /* of all */
  LayoutColumn columns[LAYOUT_N_COLUMNS];
} Layout;

Layout *layout_new (const LayoutRow *rows, uint32_t n_rows, const LayoutSpacing *spacing);
void layout_free (Layout *layout); /* NULL ok */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Layout, layout_free)

G_END_DECLS
