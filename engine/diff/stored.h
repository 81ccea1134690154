/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/stored.h - tensors of two files, as they are stored.
 */
#pragma once

#include "engine/diff/pair.h"

G_BEGIN_DECLS

/* Appends every tensor that one of the models needs, by row and name. @tensors: (out) (element-type
 * YvTensorDiff); @strings: keeps their texts */
void yv_stored_compare (const YvPair *pair, GStringChunk *strings, GArray *tensors);

G_END_DECLS
