/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/rowtext.h - what a row of a graph computes, in words.
 *
 * In:    a graph, before or after its passes.
 * Next:  info.c, for `yolov7 inspect`.
 */
#pragma once

#include <glib.h>

#include "engine/graph/graph.h"

G_BEGIN_DECLS

/* "conv 3x3 + 2 bn + conv 1x1 + add + silu": each operation where it first occurs; "" for a row
 * without nodes. Free with g_free(). */
char *yv_row_text (const YvGraph *graph, uint32_t row);

/* The operations of a row, counted, to be compared with those that are left after the passes. Free
 * with g_array_unref(). */
GArray *yv_row_operations (const YvGraph *graph, uint32_t row);

/* Those of @operations that @graph has no more, because they became part of others or were
 * dropped: "2 bn + conv 1x1 + add + silu". Free with g_free(). */
char *yv_row_folded_text (const GArray *operations, const YvGraph *graph, uint32_t row);

G_END_DECLS
