/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/diff/operation.h - whether two nodes compute the same, but for their weights.
 */
#pragma once

#include "engine/graph/graph.h"

G_BEGIN_DECLS

/* Two convolutions: shape, groups, strides and padding. */
bool yv_is_same_conv (const YvNode *a, const YvNode *b);

/* Any two nodes; what they read is not looked at. @rounding: of anchors as stored */
bool yv_is_same_operation (const YvNode *a, const YvNode *b, double rounding);

G_END_DECLS
