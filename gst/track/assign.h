/* SPDX-License-Identifier: LGPL-2.1-or-later
 * gst/track/assign.h - who belongs to whom: the matching of rows and columns with the largest sum
 * of gains.
 *
 * In:    the pairs that may match at all, each with a gain; pairs that are not listed never match.
 * Out:   each row's column, or none. No column has two rows.
 * Next:  gst/track/tracker.h: rows are tracks, columns detections.
 *
 * Pairs fall into groups that share no row and no column, and each is solved by itself: by
 * shortest augmenting paths (Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense
 * and Sparse Linear Assignment Problems", 1987), cubic in its smaller side, where that has
 * YV_ASSIGN_EXACT members at most; a larger group, which is a crowd of boxes in one place, takes
 * the best pairs first. So time is bounded by n_pairs * YV_ASSIGN_EXACT, and most groups of real
 * frames are single pairs.
 *
 * Pure. Threads: one at a time per YvAssign.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

#define YV_ASSIGN_EXACT 128
#define YV_ASSIGN_NONE UINT32_MAX

typedef struct {
  uint32_t row, col;
  float gain; /* > 0, finite */
} YvAssignPair;

/* What is needed to compute; kept for its memory. */
typedef struct _YvAssign YvAssign;

YvAssign *yv_assign_new (void);
void yv_assign_free (YvAssign *assign); /* NULL ok */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (YvAssign, yv_assign_free)

/**
 * yv_assign_solve:
 * @pairs: (array length=n_pairs): no two of the same row and column
 * @col_of_row: (out caller-allocates) (array length=n_rows): or YV_ASSIGN_NONE
 *
 * The same pairs in the same order give the same result. Allocates only where there are more of
 * anything than ever before, and for what sorting a large group takes.
 */
void yv_assign_solve (YvAssign *assign, const YvAssignPair *pairs, uint32_t n_pairs,
                      uint32_t n_rows, uint32_t n_cols, uint32_t *col_of_row);

G_END_DECLS
