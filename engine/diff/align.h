/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/align.h - which row of one model is which row of another.
 *
 * In:    the rows of both, described.
 * Next:  diff.c compares the rows of a pair.
 *
 * Pure: the alignment with the fewest rows that are added, removed or changed. Only rows of one
 * kind of module are paired (all heads are one kind), and never a row that deployment drops with
 * one that it keeps.
 */
#pragma once

#include "engine/yolov7-tools.h"

G_BEGIN_DECLS

#define YV_NO_ROW (-1)

/* Sets b_of_a[n_a]: the partner's index or YV_NO_ROW, rising. False with YV_ERROR_OUT_OF_MEMORY. */
bool yv_align_rows (const YvLayerInfo *a, uint32_t n_a, const YvLayerInfo *b, uint32_t n_b,
                    int32_t *b_of_a, GError **error);

G_END_DECLS
