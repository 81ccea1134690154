/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/rows.h - rows of two models: modules as trained, network and weights as deployed.
 */
#pragma once

#include "engine/diff/pair.h"

G_BEGIN_DECLS

/* Appends every row of both in order. @layers: (out) (element-type YvLayerDiff); @strings: keeps
 * their texts. Returns: the difference of all weights of rows that correspond. */
YvDifference yv_rows_compare (const YvPair *pair, GStringChunk *strings, GArray *layers);

G_END_DECLS
