/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/picture.h - where everything goes in the picture of a model.
 *
 * In:    a model described, and a pen to measure texts with.
 * Next:  edges.c, header.c and graph.c draw it.
 */
#pragma once

#include "engine/yolov7-tools.h"
#include "tools/graph/cells.h"
#include "tools/graph/layout.h"
#include "tools/graph/pen.h"

G_BEGIN_DECLS

/* All in px. */
#define MARGIN 28.0
#define ROW_GAP 6.0
#define LANE_STEP 7.0
#define LANE_SPACE 14.0 /* between the boxes and lane 0: room for arrow heads */
#define PAD 8.0         /* inside boxes */
#define CELL_GAP 12.0
#define TEXT_SIZE 10.0

#define TEXT_COLOR 0x1f2933u
#define QUIET_COLOR 0x7b8794u
#define FADED_COLOR 0xcbd2d9u
#define PAPER_COLOR 0xffffffu

typedef struct {
  double x, w;
} Span;

typedef struct {
  const YvModelInfo *info;
  Pen pen;
  Layout *layout; /* owned; this and all below are set by picture_place() */
  Span cells[N_CELLS];
  Span boxes[LAYOUT_N_COLUMNS];
  Span fold; /* between the boxes */
  double w, h;
  double top; /* where row 0 begins */
  uint64_t max_flops;
} Picture;

/* Places a picture that has its info and pen and is zero besides. */
void picture_place (Picture *picture);

/* Sets the pen's text to that of a cell. Returns its size. */
PenSize picture_set_cell (Picture *picture, const YvLayerInfo *layer, Cell cell);

G_END_DECLS
