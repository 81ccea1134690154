/* SPDX-License-Identifier: LGPL-2.1-or-later
 * engine/ops/conv.h - what the ways to lower a convolution share.
 */
#pragma once

#include "engine/ops/op.h"

G_BEGIN_DECLS

/* Channels that a workgroup of conv_lanes makes: 32 or 64. */
uint32_t yv_lanes_channels (const YvCaps *caps, uint32_t c_out);

/* coopmat.c: can conv_coopmat compute @step, which has its operands? */
bool yv_coopmat_suits (const YvCaps *caps, const YvNode *node, const YvStep *step);

/* The values of YvCaps.coopmat_tile. */
uint32_t yv_coopmat_n_tiles (void);

/* Fills in its kernel, its groups, and its constants but for the activation and DST_F32. */
void yv_coopmat_dispatch (const YvCaps *caps, const YvStep *step, bool is_1x1, YvDispatch *d);

/* winograd.c: is this convolution one of 3 x 3 that is faster in three steps? */
bool yv_winograd_suits (const YvLowering *lowering, const YvNode *node);

/* Appends them. False with YV_ERROR_UNSUPPORTED. */
bool yv_winograd_lower (const YvNode *node, YvLowering *lowering, GError **error);

G_END_DECLS
