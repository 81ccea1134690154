/* SPDX-License-Identifier: LGPL-2.1-or-later
 * tools/graph/edges.h - the lines between the rows of a picture.
 */
#pragma once

#include "tools/graph/picture.h"

G_BEGIN_DECLS

/* All of a column. */
void draw_edges (Picture *picture, guint column);

/* From a row to the one below it; @y is where that row's gap begins. */
void draw_direct (Pen *pen, double x, double y);

/* One of the others, for the legend, from @x to @x + @w. */
void draw_sample_edge (Pen *pen, double x, double y, double w);

G_END_DECLS
