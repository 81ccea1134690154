/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/cells.h - the cells of a row, from left to right, as texts.
 */
#pragma once

#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

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

typedef struct {
  const char *title;
  bool is_right; /* aligned */
  bool is_bold;
} CellStyle;

extern const CellStyle cell_styles[N_CELLS];

/* What stands in a cell; "" where nothing does. Free with g_free(), as those below. */
char *cell_text (const YvLayerInfo *layer, Cell cell);

char *format_count (uint64_t count); /* "37,622,682" */
char *format_gflop (uint64_t flops); /* "104.74" */

G_END_DECLS
